"""`retrain watch`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from retrain.aws import Stack
from retrain.cli import render
from retrain.cli.options import Cloud, on_a_stack
from retrain.cli.output import Output
from retrain.errors import NothingStartedError
from retrain.operations import executions, ledger
from retrain.operations import follow as following
from retrain.operations.times import in_words, now

if TYPE_CHECKING:
    from rich.status import Status

    from retrain.operations.executions import StateVisit

EXIT_CODES = {"DEPLOYED": 0, "SKIPPED": 0, "REJECTED": 3}
EXIT_FAILED = 1
START_SECONDS = 120.0  # after a marker, a run begins within seconds; this is for a cloud on a bad day
APPROVAL_STATE = "AwaitApproval"
_RECENT_SECONDS = 60.0


@on_a_stack
def watch(
    cloud: Cloud,
    run: Annotated[
        str | None,
        typer.Argument(
            help="The run, or a beginning of its id; 'latest'.", metavar="RUN", show_default=False
        ),
    ] = None,
    *,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Every line of the training program, and states that come again."
        ),
    ] = False,
    timeout: Annotated[float | None, typer.Option(help="Give up after so many seconds.", min=0)] = None,
) -> None:
    """Watch a run: its states, the training, the verdict, the outcome.

    Without RUN: the one that is going on or began within the last minute, else the next one to begin.

    Exit code 0 if the run was deployed (or skipped as a repetition), 3 if it was rejected, 1 if it failed.
    """
    output = cloud.output
    stack = cloud.stack()
    known: set[str] = set()
    if run is None:
        known = following.known_runs(stack)  # first, so that no run can begin unseen between two looks
        run = _running_or_recent(stack)
    elif run != ledger.LATEST:
        run = _whole_id(stack, run)
    else:
        run = str(ledger.run(stack)["run_id"])
    if run is None:
        output.say("No run is going on; waiting for one to begin (Ctrl-C ends).")
        run = following.wait_for_new_run(stack, known, timeout=timeout)
    finish(show(output, stack, run, verbose=verbose, timeout=timeout))


def watch_new_run(
    output: Output, stack: Stack, known: set[str], known_triggers: set[str], dataset: str
) -> None:
    """Wait for the run that an upload starts, and watch it as `watch` does, exit code included.

    The same data again starts none: a run of it that is under way is watched instead, and one that has ended
    is named, as a success.
    """
    try:
        run = following.wait_for_new_run(
            stack, known, dataset=dataset, timeout=START_SECONDS, known_triggers=known_triggers
        )
    except NothingStartedError as nothing:
        if nothing.result == "skipped":
            _tell_skipped(output, nothing)
            raise typer.Exit(EXIT_CODES["SKIPPED"]) from None
        if nothing.result != "duplicate" or nothing.run_id is None:
            raise
        run = nothing.run_id
    finish(show(output, stack, run))


def _tell_skipped(output: Output, nothing: NothingStartedError) -> None:
    if output.as_json:
        output.json_line({"event": "skipped", "run_id": nothing.run_id, "reason": str(nothing)})
    else:
        output.print(Text.assemble(render.outcome("SKIPPED"), f": {nothing}"))
        output.say("'retrain start --dataset NAME --force' trains on the same once more.")


def show(
    output: Output, stack: Stack, run_id: str, *, verbose: bool = False, timeout: float | None = None
) -> following.RunEnded:
    """Print what happens in a run until it ends, and return how it ended."""
    with ExitStack() as shown:
        spinner = None
        if output.for_people:
            spinner = shown.enter_context(output.out.status("", spinner="dots"))
        printer = _Printer(output, spinner, verbose=verbose)
        for event in following.follow(stack, run_id, timeout=timeout):
            printer.tell(event)
            if isinstance(event, following.RunEnded):
                return event
    raise AssertionError("a followed run ends with RunEnded")


def finish(end: following.RunEnded) -> None:
    """End the command with the exit code that belongs to the run's outcome."""
    raise typer.Exit(EXIT_CODES.get(end.outcome, EXIT_FAILED))


class _Printer:
    """Prints a run's events, one line each."""

    def __init__(self, output: Output, spinner: Status | None, *, verbose: bool) -> None:
        self.output = output
        self.spinner = spinner
        self.verbose = verbose
        self.run_id = ""
        self.seen: set[str] = set()

    def tell(self, event: following.Event) -> None:
        if self.output.as_json:
            self.output.json_line(_as_json(event))
            return
        for line in self._lines(event):
            self.output.print(line)

    def _lines(self, event: following.Event) -> list[Text]:
        unicode = self.output.unicode
        match event:
            case following.RunBegan(run_id, started_at, record):
                self.run_id = run_id
                trigger = (record.get("trigger") or {}).get("kind")
                by = f", started by {trigger}" if trigger else ""
                return [Text.assemble("run ", (run_id, "bold"), f"  {render.day_and_clock(started_at)}{by}")]
            case following.StateBegan(visit):
                if self.spinner:
                    self.spinner.update(Text(f"{visit.name} ..."))
                return self._asked(visit)
            case following.StateEnded(visit):
                again = visit.name in self.seen
                self.seen.add(visit.name)
                # Looks at an endpoint come again and again, and say nothing new.
                if again and not visit.error and not self.verbose:
                    return []
                return [render.state(visit, unicode=unicode)]
            case following.TrainingSaid(line):
                return [render.training_line(line)] if self.verbose or line.epoch else []
            case following.Judged(decision):
                return render.decision(decision, unicode=unicode)
            case following.RunEnded(_, outcome, reason, seconds, record):
                return [
                    Text.assemble(
                        render.outcome(outcome),
                        f" after {in_words(seconds)}: {reason or 'no reason was recorded'}",
                    ),
                    *(Text(f"  note: {warning}", "yellow") for warning in record.get("warnings") or []),
                ]
        raise AssertionError(event)

    def _asked(self, visit: StateVisit) -> list[Text]:
        """Say that a run stands still until somebody decides; while it lasts, not of one that has ended."""
        if visit.name != APPROVAL_STATE or visit.left_at is not None:
            return []
        run = self.run_id
        until = render.approval_deadline(visit)
        return [
            Text(f"  waits for approval{until}: 'retrain approve {run}' or 'retrain reject {run}'", "yellow")
        ]


def _as_json(event: following.Event) -> dict[str, Any]:
    names = {
        following.RunBegan: "run_began",
        following.StateBegan: "state_began",
        following.StateEnded: "state_ended",
        following.TrainingSaid: "training",
        following.Judged: "judged",
        following.RunEnded: "run_ended",
    }
    if isinstance(event, (following.StateBegan, following.StateEnded)):
        visit = event.visit
        fields: dict[str, Any] = {"state": visit.name, "kind": visit.kind, "entered_at": visit.entered_at}
        if isinstance(event, following.StateEnded):
            fields |= {"left_at": visit.left_at, "error": visit.error or None, "cause": visit.cause or None}
    elif isinstance(event, following.TrainingSaid):
        fields = {
            "time": event.line.time,
            "host": event.line.host,
            "line": event.line.text,
            "figures": event.line.epoch,
        }
    else:
        fields = asdict(event)
    return {"event": names[type(event)], **fields}


def _running_or_recent(stack: Stack) -> str | None:
    running = following.running_run(stack)
    if running:
        return running
    newest = executions.newest(stack, limit=1)
    if newest and (now() - newest[0].started_at).total_seconds() < _RECENT_SECONDS:
        return newest[0].run_id
    return None


def _whole_id(stack: Stack, run: str) -> str:
    """Return the id that a beginning stands for; an execution without a record is found by its whole name."""
    recent = [execution.run_id for execution in executions.newest(stack, limit=100)]
    if run in recent:
        return run
    return str(ledger.run(stack, run)["run_id"])
