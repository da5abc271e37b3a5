"""What a page shows of one run: its record, its graph, its states, the training and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from retrain.aws import Stack
from retrain.console.errors import HistoryError
from retrain.console.overview import ended_early, moment, of_execution, summary
from retrain.errors import AwsCallError, RunNotFoundError
from retrain.operations import executions, ledger
from retrain.operations.executions import Execution
from retrain.operations.training_logs import LogLine, TrainingLog
from retrain.states import timeline as timelines
from retrain.states.errors import StatesLanguageError
from retrain.states.model import StateMachine, parse
from retrain.states.timeline import Timeline, Visit
from retrain.workflow.drawing import DrawingError, Progress, draw

_MOST_LINES: Final = 300
_MOST_VISITS: Final = 500
_MOST_VISITS_OF_ONE: Final = 20
_FACTS: Final = (
    "dataset_version",
    "holdout_version",
    "file_count",
    "image_uri",
    "hyperparameters",
    "training_job_name",
    "model_name",
    "endpoint_name",
    "endpoint_config_name",
    "model_package_arn",
)


class RunLook:
    """Looks at one run of a stack.

    Parameters
    ----------
    stack, run_id
        Which run.
    """

    def __init__(self, stack: Stack, run_id: str) -> None:
        self._stack = stack
        self._run_id = run_id
        self._execution: Execution | None = None
        self._machine: StateMachine | str | None = None
        self._seen: tuple[Any, ...] = ()
        self._turns: list[executions.StateVisit] = []
        self._log: TrainingLog | None = None
        self._log_settled = False
        self._lines: list[LogLine] = []
        self._epochs: list[dict[str, str]] = []
        self._has_card = False

    def look(self) -> Iterator[tuple[str, Any]]:
        """Yield `run`, `graph`, `states`, `decision` and `training`, as far as there is anything to say."""
        try:
            execution = executions.describe(self._stack, self._run_id)
        except RunNotFoundError:  # Step Functions forgets executions after 90 days
            execution = None
        # After the execution, so that one that has ended by now has its whole record.
        record = ledger.find_run(self._stack, self._run_id)
        if execution is None and record is None:
            raise RunNotFoundError(f"There is no run '{self._run_id}' in the stack '{self._stack.name}'.")
        self._execution = execution
        ended = execution is None or execution.status != executions.RUNNING
        if ended and not self._has_card:
            self._has_card = has_card(self._stack, self._run_id)
        yield "run", self._run(record, execution)
        if execution is None:
            remark = "Step Functions keeps executions for 90 days; it has forgotten this one."
            yield "graph", {"svg": None, "remark": remark}
        elif self._seen != (execution.status, execution.finished_at):
            yield from self._states(execution)
        if decision := (record or {}).get("decision") or executions.state_data(self._turns, "decision"):
            yield "decision", decision
        yield from self._training(record, ended=ended)

    def pause(self) -> float:
        """Return the seconds until the next look; what has ended seldom changes (a redrive, a run card)."""
        near = self._stack.is_near
        if self._execution is not None and self._execution.status == executions.RUNNING:
            return 0.3 if near else 2.0
        return 3.0 if near else 30.0

    def _run(self, record: ledger.Record | None, execution: Execution | None) -> dict[str, Any]:
        shown = {}
        if record is not None:
            shown = ended_early(summary(record), execution)
        elif execution is not None:
            shown = of_execution(execution)
        facts = {name: record.get(name) for name in _FACTS} if record else {}
        status = execution.status if execution else None
        return {**shown, "facts": facts, "status": status, "card": self._has_card}

    def _states(self, execution: Execution) -> Iterator[tuple[str, Any]]:
        events = executions.history(self._stack, execution.arn)
        self._turns = executions.visits(events)
        try:
            timeline = timelines.read(events)
        except StatesLanguageError as error:
            yield "graph", {"svg": None, "remark": f"The execution's history cannot be read: {error}"}
            return
        yield "graph", self._graph(execution, timeline)
        yield "states", [_turn(visit) for visit in timeline.visits[-_MOST_VISITS:]]
        if execution.status != executions.RUNNING:
            self._seen = (execution.status, execution.finished_at)

    def _graph(self, execution: Execution, timeline: Timeline) -> dict[str, Any]:
        if self._machine is None:
            self._machine = _machine_of(self._stack, execution)
        if isinstance(self._machine, str):
            return {"svg": None, "remark": self._machine}
        try:
            drawing = draw(self._machine, Progress.from_timeline(timeline))
            svg = drawing.svg(style=False, interactive=True, title=f"The states of {self._run_id}")
        except DrawingError as error:
            return {"svg": None, "remark": str(error)}
        return {"svg": svg, "remark": None}

    def _training(self, record: ledger.Record | None, *, ended: bool) -> Iterator[tuple[str, Any]]:
        if self._log is None:
            job = (record or {}).get("training_job_name") if ended else None
            job = job or executions.training_job_name(self._turns)
            if job is None:
                return
            self._log = TrainingLog(self._stack, str(job))
        if not self._log_settled:
            for line in self._log.new_lines():
                self._lines.append(line)
                if line.epoch is not None:
                    self._epochs.append({"host": line.host, **line.epoch})
            self._lines = self._lines[-_MOST_LINES:]
            self._log_settled = ended
        several = len({line.host for line in self._lines}) > 1
        lines = [f"{line.host}  {line.text}" if several else line.text for line in self._lines]
        yield "training", {"job": self._log.job_name, "epochs": self._epochs, "lines": lines}


def state_details(stack: Stack, run_id: str, state: str) -> dict[str, Any]:
    """Return everything that the history says of a state: input, output and every attempt of its last visits.

    Raises
    ------
    RunNotFoundError
        There is no execution of that name.
    HistoryError
        Its history makes no sense.
    """
    execution = executions.describe(stack, run_id)
    try:
        timeline = timelines.read(executions.history(stack, execution.arn))
    except StatesLanguageError as error:
        raise HistoryError(f"The history of the run '{run_id}' cannot be read: {error}") from error
    visits = [visit for visit in timeline.visits if visit.state == state]
    shown = [_details(visit, execution) for visit in visits[-_MOST_VISITS_OF_ONE:]]
    return {"state": state, "visits": shown, "left_out": len(visits) - len(shown)}


def has_card(stack: Stack, run_id: str) -> bool:
    """Say whether the run has a run card."""
    try:
        with stack.explained_errors("looking for the run card"):
            stack.client("s3").head_object(Bucket=stack.output("ArtifactsBucketName"), Key=_card_key(run_id))
    except AwsCallError as error:
        if error.code in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return True


def card(stack: Stack, run_id: str) -> bytes:
    """Return the run card, an HTML document.

    Raises
    ------
    RunNotFoundError
        The run has none.
    """
    try:
        with stack.explained_errors("reading the run card"):
            answer = stack.client("s3").get_object(
                Bucket=stack.output("ArtifactsBucketName"), Key=_card_key(run_id)
            )
            content: bytes = answer["Body"].read()
    except AwsCallError as error:
        if error.code in {"404", "NoSuchKey"}:
            raise RunNotFoundError(f"The run '{run_id}' has no run card.") from error
        raise
    return content


def _card_key(run_id: str) -> str:
    return f"runs/{run_id}/report.html"


def _machine_of(stack: Stack, execution: Execution) -> StateMachine | str:
    """Return the state machine as the execution began with it, or why it cannot be drawn."""
    with stack.explained_errors("reading the execution's definition"):
        answer = stack.client("stepfunctions").describe_state_machine_for_execution(
            executionArn=execution.arn
        )
    try:
        return parse(answer["definition"])
    except StatesLanguageError as error:
        return f"The definition cannot be drawn: {error}"


def _turn(visit: Visit) -> dict[str, Any]:
    errors = [attempt.error for attempt in visit.attempts if attempt.error]
    return {
        "id": visit.entered_id,
        "name": visit.state,
        "path": visit.path,
        "type": visit.type,
        "outcome": visit.outcome,
        "entered_at": _at(visit.entered),
        "left_at": _at(visit.exited),
        "retries": visit.retries,
        "error": errors[-1] if errors else None,
    }


def _details(visit: Visit, execution: Execution) -> dict[str, Any]:
    attempts = [
        {
            "started_at": _at(attempt.started),
            "ended_at": _at(attempt.ended),
            "error": attempt.error,
            "cause": attempt.cause,
        }
        for attempt in visit.attempts
    ]
    if visit.outcome == "FAILED" and not any(attempt["error"] for attempt in attempts) and execution.error:
        # A Fail state, or one whose paths lead nowhere: only the execution's end tells of it.
        end = moment(execution.finished_at)
        attempts.append(
            {"started_at": end, "ended_at": end, "error": execution.error, "cause": execution.cause}
        )
    return {**_turn(visit), "input": visit.input, "output": visit.output, "attempts": attempts}


def _at(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)
