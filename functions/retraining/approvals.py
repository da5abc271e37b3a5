"""A person's approval of a promoted challenger: asked for once, looked for again and again, answered once.

The model registry has the truth: whatever wakes a function, a change of a package or a missed heartbeat, the
package's approval status is what counts. An event that is lost is made good by the next look, an event that
comes twice finds nothing to answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from retraining import approval_messages, executions
from retraining.errors import AwsError, UnknownEventError
from retraining.executions import Execution, from_datetime
from retraining.ports import ApprovalLedger, ModelPackages, PackageState, TaskTokens, Topic

EVENT = ("aws.sagemaker", "SageMaker Model Package State Change")

PENDING = "PendingManualApproval"
APPROVED = "Approved"
REJECTED = "Rejected"

WAITS = "waits"
ANSWERED = "answered"
STALE = "stale"
UNKNOWN = "unknown"
DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class ApprovalPorts:
    """All that approvals rest on; ``clock`` gives the time, with its zone."""

    ledger: ApprovalLedger
    packages: ModelPackages
    tokens: TaskTokens
    topic: Topic
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a model package, and until when; the ledger keeps it as it is.

    Attributes
    ----------
    asked_at, deadline : str
        ISO 8601; a retry asks the same question again, a redrive another one.
    expired : str
        What the registry and people are told if nobody answers.
    """

    model_package_arn: str
    task_token: str
    run_id: str
    dataset: str
    asked_at: str
    deadline: str
    expired: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided; the state machine's ``approval``. ``by`` is empty if nobody decided, or told who."""

    granted: bool
    reason: str
    decided_at: str
    by: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a look.

    Attributes
    ----------
    what : str
        ``waits``; ``answered``; ``stale``: the state waits under another token by now, or no more;
        ``unknown``: no run has asked about this package; ``decided``: it was answered before.
    untold : str
        Why people could not be told; empty if they were, or had been.
    """

    what: str
    run_id: str = ""
    decision: Decision | None = None
    told: bool = False
    untold: str = ""

    @property
    def metric(self) -> str:
        """What it is counted as."""
        if self.what == ANSWERED and self.decision is not None:
            return "ApprovalsGranted" if self.decision.granted else "ApprovalsRefused"
        return "ApprovalsRequested" if self.told else "ApprovalsUnchanged"


def question(payload: Mapping[str, Any], execution: Execution) -> Question:
    """Read what the state AwaitApproval asks.

    Raises
    ------
    UnknownEventError
        It was not the state machine that asked.
    """
    try:
        state = payload["input"]
        seconds = int(state["rollout"]["approval"]["timeout_seconds"])
        asked_at = datetime.fromisoformat(executions.utc(str(payload["asked_at"])))
        deadline = asked_at + timedelta(seconds=seconds)
        return Question(
            model_package_arn=str(state["package"]["arn"]),
            task_token=str(payload["task_token"]),
            run_id=execution.name,
            dataset=str(state["run"]["dataset"]),
            asked_at=from_datetime(asked_at),
            deadline=from_datetime(deadline),
            expired=(
                f"Nobody approved the challenger within {_span(seconds)}, "
                f"until {deadline:%Y-%m-%d %H:%M} UTC."
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(
            f"The payload asks for no approval (problem: {error!r}): only the state machine sends one."
        ) from error


def ask(
    asked: Question, state: Mapping[str, Any], execution: Execution, stack_name: str, ports: ApprovalPorts
) -> Result:
    """Keep the token of a run that waits, look at the registry, and tell people if they have to decide.

    The token is kept before the registry is looked at: whoever decides in between finds it, or is found.

    Parameters
    ----------
    state : mapping
        The state machine's data.
    stack_name : str
        Named in the commands that people are told.

    Returns
    -------
    Result
        If people could not be told it says so, and the next look tries again.
    """
    now = from_datetime(ports.clock())
    known = ports.ledger.keep_approval(asdict(asked), now)
    # Days may pass; a newer version of the dataset must not wait for them.
    ports.ledger.free_slots(asked.dataset, [asked.run_id])
    if known is None:
        return Result(STALE, asked.run_id)
    waiting = f"Waits until {asked.deadline[:16].replace('T', ' ')} UTC for somebody's approval."
    ports.ledger.note_approval(
        asked.run_id,
        asked.model_package_arn,
        {
            "granted": None,
            "reason": waiting,
            "asked_at": asked.asked_at,
            "deadline": asked.deadline,
            "decided_at": None,
            "by": "",
        },
        waiting,
    )
    decision = _decided(ports.packages.describe(asked.model_package_arn), asked.expired, now)
    if decision is None and now >= asked.deadline:
        ports.packages.reject(asked.model_package_arn, asked.expired)
        decision = Decision(False, asked.expired, now, "")
    if decision is not None:
        return _answer(known, decision, ports)
    if known.get("told_for") == asked.asked_at:
        return Result(WAITS, asked.run_id)
    message = approval_messages.render(
        state, execution, stack_name=stack_name, package_arn=asked.model_package_arn, deadline=asked.deadline
    )
    try:
        ports.topic.publish(message.subject, message.body, message.attributes)
    except AwsError as error:
        return Result(WAITS, asked.run_id, untold=str(error))
    ports.ledger.approval_told(asked.model_package_arn, asked.asked_at)
    return Result(WAITS, asked.run_id, told=True)


def package_of(event: Mapping[str, Any]) -> str:
    """Return the model package that a change of the registry is about.

    Raises
    ------
    UnknownEventError
        It is no such event.
    """
    try:
        if (event["source"], event["detail-type"]) == EVENT:
            return str(event["detail"]["ModelPackageArn"])
    except (KeyError, TypeError) as error:
        raise UnknownEventError(f"This is no change of a model package (problem: {error!r}).") from error
    raise UnknownEventError(f"This is no change of a model package, but {event['detail-type']!r}.")


def resolve(package_arn: str, ports: ApprovalPorts) -> Result:
    """Let the run go on that waits for a package, or end, as the registry says."""
    known = ports.ledger.get_approval(package_arn)
    if known is None:
        return Result(UNKNOWN)
    run_id = str(known["run_id"])
    if not known["task_token"]:
        return Result(DECIDED, run_id)
    now = from_datetime(ports.clock())
    decision = _decided(ports.packages.describe(package_arn), str(known["expired"]), now)
    if decision is None:
        return Result(WAITS, run_id)
    return _answer(known, decision, ports)


def _decided(package: PackageState | None, expired: str, now: str) -> Decision | None:
    """Return what the registry says was decided, None if nothing was."""
    if package is None:
        return Decision(False, "The model package was deleted from the registry.", now, "")
    if package.status not in {APPROVED, REJECTED}:
        return None
    decided_at = package.changed_at or now
    if package.status == REJECTED and package.description == expired:
        # Set by `ask`; which of the two functions answers is a matter of chance.
        return Decision(False, expired, decided_at, "")
    by = f" by {package.changed_by}" if package.changed_by else ""
    why = f": {package.description}" if package.description else ""
    said = f"The challenger was {package.status.lower()} in the model registry{by}{why}".rstrip()
    reason = said if said.endswith((".", "!", "?")) else f"{said}."
    return Decision(package.status == APPROVED, reason, decided_at, package.changed_by)


def _answer(known: Mapping[str, Any], decision: Decision, ports: ApprovalPorts) -> Result:
    token, package_arn, run_id = known["task_token"], known["model_package_arn"], known["run_id"]
    if not ports.tokens.succeed(token, asdict(decision)):
        return Result(STALE, run_id, decision)
    ports.ledger.decide_approval(package_arn, token, asdict(decision))
    ports.ledger.note_approval(run_id, package_arn, asdict(decision), decision.reason)
    return Result(ANSWERED, run_id, decision)


_UNITS = (("hour", 3_600), ("minute", 60), ("second", 1))


def _span(seconds: int) -> str:
    """Write how long somebody had."""
    unit, size = next((found for found in _UNITS if seconds >= found[1]), _UNITS[-1])
    number = f"{seconds / size:.3g}"
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
