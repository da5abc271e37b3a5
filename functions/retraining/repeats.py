"""Whether a retrain key has run already, and how that went.

The ledger says which run claimed a key last. A claim is only as good as what the run made of it: a run that
never began, that found other data than it was asked for, or that was skipped itself, has not run the key.
"""

from dataclasses import dataclass
from datetime import datetime

from retraining import records
from retraining.ports import Ledger, StateMachine

NEW = "new"
RUNNING = "running"
ENDED = "ended"
FAILED = "failed"
VOID = "void"

ENDED_BADLY = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
"""How Step Functions says that an execution came to nothing."""

_UNDER_WAY = frozenset({"RUNNING", "PENDING_REDRIVE"})


@dataclass(frozen=True, slots=True)
class Repeat:
    """The last run of a key.

    Attributes
    ----------
    fate : str
        `NEW`, there was none; `RUNNING`; `ENDED`, with a verdict; `FAILED`; `VOID`, it has not run the key.
    run_id : str
        Empty if there was none.
    next_attempt : int
        The number that the key's next run has.
    ended_at : str
        When it failed, ISO 8601; empty otherwise.
    """

    fate: str
    run_id: str
    next_attempt: int
    ended_at: str = ""

    @property
    def is_repeated(self) -> bool:
        """Whether a further run of the key would only do the same again."""
        return self.fate in {RUNNING, ENDED}


def find(key: str, ledger: Ledger, machine: StateMachine) -> Repeat:
    """Find the last run of a key, and how it fares."""
    claim = ledger.get_key(key)
    if claim is None:
        return Repeat(NEW, "", 1)
    run_id, attempt = str(claim["run_id"]), int(claim["attempt"])
    record = ledger.get_run(run_id)
    if record is not None and record.get("outcome") != records.RUNNING:
        if record.get("retrain_key") not in {None, key} or record["outcome"] == records.SKIPPED:
            return Repeat(VOID, run_id, attempt + 1)
        if record["outcome"] in {records.FAILED, records.ROLLED_BACK}:
            return Repeat(FAILED, run_id, attempt + 1, str(record.get("finished_at") or ""))
        return Repeat(ENDED, run_id, attempt + 1)
    execution = machine.describe(run_id)
    if execution is None:
        # Claimed, but never started: the next attempt has the same number, and so the same name.
        return Repeat(VOID, run_id, attempt if record is None else attempt + 1)
    if record is not None and record.get("retrain_key") not in {None, key}:
        return Repeat(VOID, run_id, attempt + 1)
    if execution.status in _UNDER_WAY:
        return Repeat(RUNNING, run_id, attempt + 1)
    if execution.status in ENDED_BADLY:
        return Repeat(FAILED, run_id, attempt + 1, execution.stopped_at)
    return Repeat(ENDED, run_id, attempt + 1)


def is_newer(time: str, ended_at: str) -> bool:
    """Whether a wish came up after a run had ended, and therefore asks for more than that run."""
    if not ended_at:
        return False
    try:
        return datetime.fromisoformat(time) > datetime.fromisoformat(ended_at)
    except (TypeError, ValueError):  # a wish without a time that could be compared is made now
        return True
