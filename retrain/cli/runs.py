"""`retrain runs`, `retrain show` and `retrain logs`: what the ledger and the logs know."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from retrain.aws import Stack
from retrain.cli import render
from retrain.cli.options import Cloud, on_a_stack
from retrain.errors import RunNotFoundError
from retrain.operations import executions, ledger
from retrain.operations.training_logs import TrainingLog

Run = Annotated[str, typer.Argument(help="The run, or a beginning of its id.", metavar="RUN")]


@on_a_stack
def runs(
    cloud: Cloud,
    *,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Only runs of this dataset.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1)] = 20,
) -> None:
    """List the runs, newest first."""
    output = cloud.output
    stack = cloud.stack()
    found = ledger.runs(stack, dataset=dataset, limit=limit)
    if output.as_json:
        output.json(found)
        return
    if not found:
        output.say("There has been no run yet: 'retrain upload FOLDER --dataset NAME' starts one.")
        return
    output.table(render.RUN_COLUMNS, [render.run_row(record) for record in found])


@on_a_stack
def show(
    cloud: Cloud,
    run: Run = ledger.LATEST,
) -> None:
    """Show all that is recorded of a run, its verdict first."""
    output = cloud.output
    stack = cloud.stack()
    record = ledger.run(stack, run)
    if output.as_json:
        output.json(record)
        return
    outcome = str(record.get("outcome", ""))
    reason = "" if record.get("decision") else f"  {record.get('reason') or ''}"  # else the verdict says it
    output.print(
        Text.assemble("run ", (str(record["run_id"]), "bold"), "  ", render.outcome(outcome), reason)
    )
    decision = record.get("decision")
    if decision:
        for line in render.decision(decision, unicode=output.unicode):
            output.print(line)
    hidden = {"pk", "sk", "kind", "run_id", "outcome", "reason"}
    rest = {key: record[key] for key in sorted(record) if key not in hidden}
    if decision:
        rest["decision"] = {
            key: value for key, value in decision.items() if key not in {"checks", "verdict", "summary"}
        }
    if (rest.get("error") or {}).get("cause"):  # whole, it holds the training job's whole description
        cause = render.plain_cause(str(rest["error"]["cause"]))
        rest["error"] = {**rest["error"], "cause": render.shortened(cause, 1000)}
    for text in render.fields(rest):
        output.print(text)


@on_a_stack
def logs(
    cloud: Cloud,
    run: Run = ledger.LATEST,
) -> None:
    """Print the log of a run's training job (while it trains: 'retrain watch --verbose')."""
    output = cloud.output
    stack = cloud.stack()
    record = ledger.run(stack, run)
    job_name = record.get("training_job_name") or _job_of_execution(stack, str(record["run_id"]))
    if job_name is None:
        raise RunNotFoundError(
            f"The run {record['run_id']} has no training job: "
            f"{record.get('reason') or 'it did not get so far'}"
        )
    lines = list(TrainingLog(stack, job_name).new_lines())
    several = len({line.host for line in lines}) > 1
    for line in lines:
        if output.as_json:
            output.json_line({"time": line.time, "host": line.host, "line": line.text})
        else:
            output.print(f"{line.host}  {line.text}" if several else line.text)
    if not lines and record.get("removed_at"):
        output.say(
            f"The log of the training job {job_name} was removed, as the stack keeps only the last ones."
        )
    elif not lines:
        output.say(f"The training job {job_name} has written nothing yet.")


def _job_of_execution(stack: Stack, run_id: str) -> str | None:
    """Return the training job of a run whose record does not name it: the job has not ended, or failed."""
    try:
        execution = executions.describe(stack, run_id)
    except RunNotFoundError:  # Step Functions forgets executions after 90 days
        return None
    return executions.training_job_name(executions.visits(executions.history(stack, execution.arn)))
