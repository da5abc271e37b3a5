"""The stack's own alarms: their names, and what people are told when one of them rings.

CloudWatch cannot publish to a topic that is encrypted with the account's own key for SNS, and would say
little: so the alarms' changes of state come as events, and notify tells them in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retraining import messages, rollouts
from retraining.messages import Message

EVENT = ("aws.cloudwatch", "CloudWatch Alarm State Change")

OUTCOME = "ALARM"
"""The attribute ``outcome`` of these messages, for filter policies."""

FAILED_RUNS, ROLLED_BACK_RUNS = "failed-runs", "rolled-back-runs"
DEAD_LETTERS, UNTOLD_OUTCOMES = "dead-letters", "untold-outcomes"

OWN = (FAILED_RUNS, ROLLED_BACK_RUNS, DEAD_LETTERS, UNTOLD_OUTCOMES)
"""The template's alarms, by what follows the stack's name."""

TOLD_BY_RUNS = (FAILED_RUNS, ROLLED_BACK_RUNS)
"""Those that ring for something that a run's own message tells; they are there for dashboards and pagers."""


@dataclass(frozen=True, slots=True)
class News:
    """An alarm that rings.

    Attributes
    ----------
    alarm, reason : str
        Its name, and CloudWatch's own words for why.
    kind : str
        One of `OWN`, but none of `TOLD_BY_RUNS`; or ``5xx`` or ``latency`` of an endpoint.
    endpoint : str
        Empty unless the alarm is an endpoint's.
    since : str
        When its state changed, ISO 8601.
    """

    alarm: str
    kind: str
    endpoint: str
    reason: str
    since: str


def is_event(event: Mapping[str, Any]) -> bool:
    """Whether an event is an alarm's change of state."""
    return (event.get("source"), event.get("detail-type")) == EVENT


def is_own(alarm: str, stack_name: str) -> bool:
    """Whether an alarm, by its name, is one that watches Retrain itself or an update of its endpoints.

    Such an alarm must never start a run: it rings because runs fail.
    """
    return _kind(alarm, stack_name) is not None


def read(event: Mapping[str, Any], stack_name: str) -> News | None:
    """Read an alarm's change of state; None if nobody needs to be told.

    Parameters
    ----------
    event : mapping
        As EventBridge delivers it.
    """
    detail = event.get("detail")
    detail = detail if isinstance(detail, Mapping) else {}
    state = detail.get("state")
    state = state if isinstance(state, Mapping) else {}
    alarm = str(detail.get("alarmName") or "")
    found = _kind(alarm, stack_name)
    if found is None or found[0] in TOLD_BY_RUNS or state.get("value") != "ALARM":
        return None
    return News(
        alarm=alarm,
        kind=found[0],
        endpoint=found[1],
        reason=str(state.get("reason") or "CloudWatch gave no reason."),
        since=str(event.get("time") or state.get("timestamp") or ""),
    )


def _kind(alarm: str, stack_name: str) -> tuple[str, str] | None:
    """Return what an alarm is about and whose endpoint's it is, None if it is none of the stack's."""
    for kind in OWN:
        if alarm == f"{stack_name}-{kind}":
            return kind, ""
    for kind in ("5xx", "latency"):
        endpoint = alarm.removesuffix(f"-{kind}")
        if endpoint.startswith(f"{stack_name}-") and alarm in rollouts.alarm_names(endpoint):
            return kind, endpoint
    return None


def render(news: News, stack_name: str) -> Message:
    """Write what people are told: what the alarm means, and what to do."""
    subject = news.endpoint or stack_name
    dataset = news.endpoint.removeprefix(f"{stack_name}-") if news.endpoint else "all"
    facts = {"stack": stack_name, "endpoint": news.endpoint, "dataset": dataset}
    words = _WORDS[news.kind]
    sections = [
        ("What it means", words.meaning.format(**facts)),
        ("What to do", words.remedy.format(**facts)),
        ("Why it rings", f"{news.reason}\n  alarm      {news.alarm}\n  since      {news.since}"),
    ]
    body = "\n\n".join(f"{title}\n{text}" for title, text in sections)
    return Message(
        subject=messages.subject(f"Retrain {subject}: {words.headline}"),
        body=f"{subject}: {words.headline}.\n\n{body}\n",
        attributes={"outcome": OUTCOME, "dataset": dataset, "alarm": news.kind},
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of an alarm; ``{stack}``, ``{endpoint}`` and ``{dataset}`` are filled in."""

    headline: str
    meaning: str
    remedy: str


_UPDATE = (
    "If an update is under way, SageMaker rolls it back and the message of its run follows. If none "
    "is, the model that serves is in trouble itself."
)
_ENDPOINT_LOG = (
    "Its log is the log group /aws/sagemaker/Endpoints/{endpoint}. If it is the model, retrain "
    "rollback --dataset {dataset} takes the one before it; if it is the load, add instances "
    "(ServingInstanceCount)."
)

_WORDS = {
    DEAD_LETTERS: _Words(
        headline="something could not be handled",
        meaning=(
            "Messages lie in the dead-letter queue: an upload, an event or an outcome that could not "
            "be handled in all its tries. Data may have arrived that no run has seen."
        ),
        remedy=(
            "Look into the queue (output ArrivalDeadLetterQueueUrl of the stack {stack}) and into the"
            " log of the function that it was for. When the cause is mended, send the messages back: "
            "aws sqs start-message-move-task --source-arn with the queue's ARN. The queue keeps them "
            "for 14 days."
        ),
    ),
    UNTOLD_OUTCOMES: _Words(
        headline="outcomes wait to be told",
        meaning=(
            "How runs ended could not be told for a quarter of an hour: messages or events were "
            "refused. The runs themselves are not affected, and the ledger has their outcomes."
        ),
        remedy=(
            "retrain runs lists them. The log of the function {stack}-notify says what was refused; "
            "what waits is told as soon as that is mended."
        ),
    ),
    "5xx": _Words(
        headline="requests fail",
        meaning=f"The endpoint {{endpoint}} answers more requests with an error than it may. {_UPDATE}",
        remedy=_ENDPOINT_LOG,
    ),
    "latency": _Words(
        headline="answers are slow",
        meaning=f"The slowest hundredth of the answers of {{endpoint}} takes longer than it may. {_UPDATE}",
        remedy=_ENDPOINT_LOG,
    ),
}
