"""The Wait state."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from retrain.states.data import timestamps
from retrain.states.errors import QUERY_EVALUATION_ERROR, RUNTIME, StatesError
from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.frames import Frame
from retrain.states.model import ABSENT, Json, Wait

if TYPE_CHECKING:
    from retrain.states.execution.interpreter import Interpreter

LONGEST_WAIT = 99_999_999
"""Seconds."""


async def run_wait(run: Interpreter, frame: Frame, state: Wait) -> Outcome:
    """Wait for some seconds or until a time; after a restart, until the same time."""
    evaluation = Evaluation(run, frame, state)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    if frame.note is None or "until" not in frame.note:
        frame.note = {"until": _until(evaluation, state, effective)}
        run.engine.changed(run.execution)
    await run.engine.clock.sleep_until(cast("float", frame.note["until"]))
    output, assigned = evaluation.settle(effective, ABSENT)
    return output, state.next, assigned


def _until(evaluation: Evaluation, state: Wait, effective: Json) -> float:
    seconds = evaluation.number(
        state.seconds, state.seconds_path, "Seconds", effective=effective, most=LONGEST_WAIT
    )
    if seconds is not None:
        return evaluation.run.engine.clock.now() + seconds
    # A path starts at the effective input here, not at the raw one as in Fail.
    text = evaluation.text(state.timestamp, state.timestamp_path, "Timestamp", effective=effective)
    when = timestamps.parse(text) if text is not None else None
    if when is None:
        error = QUERY_EVALUATION_ERROR if evaluation.jsonata else RUNTIME
        raise StatesError(error, f"Timestamp must be like 2016-03-14T01:59:00Z; here it is {text!r}.")
    return float(when)
