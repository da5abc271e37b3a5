"""What people are told when a challenger waits for their approval: what it is, and how to decide.

There is nothing to click on that decides: whatever reads mails, a scanner for one, follows links.
"""

from collections.abc import Mapping
from typing import Any

from retraining import champions
from retraining.executions import Execution
from retraining.messages import SUBJECT_LIMIT, Message
from retraining.metrics import METRICS

OUTCOME = "AWAITING_APPROVAL"
"""In place of an outcome, for the filter policies of subscribers."""


def render(
    state: Mapping[str, Any], execution: Execution, *, stack_name: str, package_arn: str, deadline: str
) -> Message:
    """Write the notification of a run that waits.

    Parameters
    ----------
    state : mapping
        The state machine's data.
    stack_name : str
        Of the stack, for the commands.
    package_arn : str
        The model package that is to be approved or rejected.
    deadline : str
        Until when, ISO 8601.
    """
    run, dataset = state["run"], str(state["run"]["dataset"])
    until = f"{deadline[:10]} {deadline[11:16]} UTC"
    sections = [
        ("What arrived", _arrival(run)),
        ("What was decided, and why", _decision(state["decision"])),
        ("What you can do", _commands(execution.name, stack_name, package_arn)),
        (
            "What happens otherwise",
            f"At {until} the challenger is rejected. {_serving(state)}",
        ),
        (
            "Where to look",
            f"  run        {execution.name}\n  execution  {execution.arn}\n  package    {package_arn}",
        ),
    ]
    body = "\n\n".join(f"{title}\n{text}" for title, text in sections)
    subject = f"Retrain {dataset}: a challenger waits for approval{_figure(state['decision'])}"
    return Message(
        subject=subject[:SUBJECT_LIMIT],
        body=f"{dataset}: a challenger waits for somebody's approval until {until}.\n\n{body}\n",
        attributes={"outcome": OUTCOME, "dataset": dataset},
    )


def _arrival(run: Mapping[str, Any]) -> str:
    files = "1 file" if run["file_count"] == 1 else f"{run['file_count']:,} files"
    return f"{files}, dataset version {str(run['dataset_version'])[:12]}."


def _decision(decision: Mapping[str, Any]) -> str:
    lines = [
        f"  [{'passed' if check['passed'] else 'failed'}] {check['sentence']}" for check in decision["checks"]
    ]
    return "\n".join(["The gate promotes the challenger. Somebody has to approve it.", *lines])


def _commands(run_id: str, stack_name: str, package_arn: str) -> str:
    region = package_arn.split(":")[3]
    group, _, version = package_arn.partition(":model-package/")[2].rpartition("/")
    update = (
        f"aws sagemaker update-model-package --region {region} \\\n"
        f"      --model-package-arn {package_arn} \\\n      --model-approval-status"
    )
    return "\n".join(
        [
            f"  retrain approve {run_id} --stack-name {stack_name}",
            f'  retrain reject {run_id} --stack-name {stack_name} --reason "..."',
            "Or with the AWS CLI:",
            f"  {update} Approved",
            "  (or Rejected; --approval-description says why.)",
            f"Or in SageMaker Studio, in the model group {group}: the approval status of version {version}.",
        ]
    )


def _serving(state: Mapping[str, Any]) -> str:
    champion, endpoint = state.get("champion"), state["names"]["endpoint"]
    if not champion:
        return f"There is no endpoint {endpoint} yet."
    run_id = champion.get("run_id")
    model = f"the model of the run {run_id}" if run_id else champion["endpoint_config_name"]
    return f"The endpoint {endpoint} serves {model} meanwhile."


def _figure(decision: Mapping[str, Any]) -> str:
    figure = champions.judged(decision)
    metric, value = METRICS.get(figure["metric"]), figure["value"]
    if metric is None or not isinstance(value, int | float):
        return ""
    return f", {metric.in_sentence} {metric.written(value)}"
