"""The demo's accounts: which of its time went into what, from AWS's own timestamps."""

from __future__ import annotations

from dataclasses import dataclass

from retrain.aws import Stack
from retrain.demo.timing import REST, Span, Stopwatch, partition
from retrain.errors import DemoError
from retrain.operations import executions, ledger
from retrain.operations.times import as_datetime, in_words

TRAINING = "training"
SERVING = "serving start-up"
WAITING = "waiting by design"
CLOUD = "local cloud"
DATA = "data"
UPLOADS = "uploads"
RUNS = "runs"
ASKING = "asking"
STOPPING = "stopping"

ORCHESTRATION = "orchestration"
ORCHESTRATION_BAR = 10.0
_MEANING = {
    TRAINING: "TrainingStartTime to TrainingEndTime of each training job",
    SERVING: "CreationTime of the endpoint until it was InService",
    WAITING: "Wait states of the state machine; no quiet period, since a marker closed each batch",
    ORCHESTRATION: "all the rest, namely:",
    CLOUD: "start of the local cloud, deployment of the stack",
    DATA: "fetching and checking MNIST, spoiling a copy (only what did not overlap with the above)",
    UPLOADS: "files to S3",
    RUNS: "state machine and functions, from StartExecution to the end, less what is above",
    ASKING: "requests to the endpoint",
    STOPPING: "stopping the local cloud",
    REST: "events on their way, notifications, this tour's own doings",
}
_ORCHESTRATION_PARTS = (CLOUD, DATA, UPLOADS, RUNS, ASKING, STOPPING, REST)


@dataclass(frozen=True)
class Account:
    """Seconds of each kind; they add up to `total`."""

    total: float
    parts: dict[str, float]
    jobs: tuple[float, ...]

    @property
    def orchestration(self) -> float:
        """Everything but training, serving start-up and waiting by design."""
        return sum(self.parts[part] for part in _ORCHESTRATION_PARTS)

    def lines(self) -> list[str]:
        """Return the account in words, one line per part."""
        jobs = " and ".join(in_words(job) for job in self.jobs)
        meaning = {**_MEANING, TRAINING: f"{_MEANING[TRAINING]} ({jobs})"}
        rows = [(part, self.parts[part], 0) for part in (TRAINING, SERVING, WAITING)]
        rows.append((ORCHESTRATION, self.orchestration, 0))
        rows += [(part, self.parts[part], 1) for part in _ORCHESTRATION_PARTS]
        return [
            f"Where the {in_words(self.total)} went; every moment is counted once:",
            *(
                f"{'  ' * (level + 1) + name:<24}{seconds:>7.1f} s   {meaning[name]}"
                for name, seconds, level in rows
            ),
            f"The aim for orchestration is at most {ORCHESTRATION_BAR:.0f} s on two cores.",
        ]


def add_run(clock: Stopwatch, stack: Stack, run_id: str) -> None:
    """Add the spans of a run that has ended: its execution, its training job, its Wait states.

    Parameters
    ----------
    clock : Stopwatch
        Gets them.
    stack : Stack
        Where it ran.
    run_id : str
        Which run.

    Raises
    ------
    DemoError
        AWS has no times of it.
    """
    execution = executions.describe(stack, run_id)
    if execution.finished_at is None:
        raise DemoError(f"The run {run_id} has not ended, so that its time cannot be told.")
    clock.add(RUNS, execution.started_at, execution.finished_at)
    for visit in executions.visits(executions.history(stack, execution.arn)):
        if visit.kind == "Wait" and visit.left_at:
            clock.add(WAITING, visit.entered_at, visit.left_at)
    clock.add(TRAINING, *_training_span(stack, run_id))


def add_endpoint(clock: Stopwatch, stack: Stack, endpoint_name: str) -> None:
    """Add the start-up of an endpoint that has just come into service for the first time."""
    with stack.explained_errors(f"describing the endpoint {endpoint_name}"):
        endpoint = stack.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    clock.add(SERVING, as_datetime(endpoint["CreationTime"]), as_datetime(endpoint["LastModifiedTime"]))


def close(clock: Stopwatch, whole: Span) -> Account:
    """Return the account of the time between begin and end.

    Parameters
    ----------
    clock : Stopwatch
        With the spans of every part.
    whole : (datetime, datetime)
        Begin and end.
    """
    kinds = {
        kind: clock.spans.get(kind, []) for kind in (TRAINING, SERVING, WAITING, *_ORCHESTRATION_PARTS[:-1])
    }
    jobs = tuple((end - start).total_seconds() for start, end in clock.spans.get(TRAINING, []))
    return Account((whole[1] - whole[0]).total_seconds(), partition(whole, kinds), jobs)


def _training_span(stack: Stack, run_id: str) -> Span:
    stem = str((ledger.find_run(stack, run_id) or {}).get("training_job_name") or "")
    with stack.explained_errors("describing the training job"):
        sagemaker = stack.client("sagemaker")
        jobs = sagemaker.list_training_jobs(NameContains=stem)["TrainingJobSummaries"] if stem else []
        if not jobs:
            raise DemoError(f"The run {run_id} has no training job, so that its time cannot be told.")
        job = sagemaker.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])
    return as_datetime(job["TrainingStartTime"]), as_datetime(job["TrainingEndTime"])
