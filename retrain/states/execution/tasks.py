"""The Task state: one attempt of its task, with its events, timeout and heartbeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from retrain.states.errors import RUNTIME, TIMEOUT, StatesError
from retrain.states.execution.deadlines import Deadlines
from retrain.states.execution.evaluation import Evaluation, Outcome
from retrain.states.execution.failures import FailureError, HistoryFullError
from retrain.states.execution.frames import Frame
from retrain.states.execution.protocols import TaskCall
from retrain.states.execution.taskhistory import TaskHistory
from retrain.states.execution.tokens import TaskToken
from retrain.states.model import ABSENT, Json, Task

if TYPE_CHECKING:
    from retrain.states.execution.interpreter import Interpreter

LONGEST_TIMEOUT = 99_999_999
"""Seconds."""


async def run_task(run: Interpreter, frame: Frame, state: Task) -> Outcome:
    """Run the task once."""
    history = TaskHistory(run.execution, frame, state.resource)
    if not (history.kind == "Activity" or state.resource.endswith(".waitForTaskToken")):
        return await _attempt(run, frame, state, history, None)
    note = frame.note or {}
    token = run.engine.tokens.create(
        cast("str | None", note.get("token")), run.execution.identity.state_machine_arn
    )
    try:
        return await _attempt(run, frame, state, history, token)
    finally:
        run.engine.tokens.close(token)


async def _attempt(
    run: Interpreter, frame: Frame, state: Task, history: TaskHistory, token: TaskToken | None
) -> Outcome:
    evaluation = Evaluation(run, frame, state, token.value if token else None)
    effective = frame.input if evaluation.jsonata else evaluation.effective_input()
    arguments = evaluation.arguments(effective)
    timeout = evaluation.number(
        state.timeout_seconds,
        state.timeout_seconds_path,
        "TimeoutSeconds",
        effective=effective,
        least=1,
        most=LONGEST_TIMEOUT,
    )
    heartbeat = evaluation.number(
        state.heartbeat_seconds,
        state.heartbeat_seconds_path,
        "HeartbeatSeconds",
        effective=effective,
        least=1,
        most=LONGEST_TIMEOUT,
    )
    if timeout is not None and heartbeat is not None and heartbeat >= timeout:
        raise StatesError(
            RUNTIME, f"HeartbeatSeconds ({heartbeat}) must be smaller than TimeoutSeconds ({timeout})."
        )
    credentials = _role(evaluation, state, effective)
    note = frame.note
    if note is None:
        if arguments is not frame.input:
            run.check_size(arguments, state.name)
        now = run.engine.clock.now()
        note = frame.note = {"since": now, "beat": now}
        if token is not None:
            note["token"] = token.value
        history._scheduled(arguments, timeout, heartbeat, credentials)
        run.engine.changed(run.execution)
    else:
        history._resumed(started=bool(note.get("started")))
    call = TaskCall(
        state_name=state.name,
        resource=state.resource,
        arguments=arguments,
        execution=run.execution.identity,
        attempt=frame.retry_count,
        token=token,
        timeout=timeout,
        heartbeat=heartbeat,
        credentials=credentials,
        history=history,
        saved=note.get("task"),
        _journal=note,
        _changed=lambda: run.engine.changed(run.execution),
    )
    result = await _result(run, frame, call)
    output, assigned = evaluation.settle(effective, result)
    frame.note = None
    return output, state.next, assigned


async def _result(run: Interpreter, frame: Frame, call: TaskCall) -> Json:
    """Return what the task gives, with the last event of the attempt in the history."""
    note = cast("dict[str, Any]", frame.note)
    deadlines = Deadlines(run.engine.clock, call.timeout, call.heartbeat, note["since"], note["beat"])
    history = call.history
    try:
        if not deadlines.given:
            result = await run.engine.tasks.run(call)
        else:
            result = await _guarded(run, call, deadlines, note)
        run.check_size(result, history.resource_type if history.kind == "Task" else history.resource)
    except StatesError as error:
        if isinstance(error, FailureError) and error.error == TIMEOUT:
            history._timed_out(error)
        else:
            history._failed(error)
        frame.note = None
        if isinstance(error, FailureError):
            error.at = frame.last
            raise
        raise FailureError(error.error, error.cause, at=frame.last) from error
    except (asyncio.CancelledError, HistoryFullError):
        raise
    except Exception as error:
        broken = run.unexpected(frame, error)
        history._failed(broken)
        frame.note = None
        raise FailureError(broken.error, broken.cause, at=frame.last) from error
    history._succeeded(result)
    return result


async def _guarded(run: Interpreter, call: TaskCall, deadlines: Deadlines, note: dict[str, Any]) -> Json:
    def started() -> None:
        deadlines.start()
        note.update(since=deadlines.since, beat=deadlines.beat, started=True)

    def beat() -> None:
        deadlines.signal()
        note["beat"] = deadlines.beat

    limit = deadlines.guard()
    try:
        async with limit:
            if call.token is not None:
                call.token._watch(started, beat)
            if call.history.kind != "Activity" or note.get("started"):
                deadlines.arm()
            return await run.engine.tasks.run(call)
    except TimeoutError:
        if not limit.expired():
            raise
        raise FailureError(TIMEOUT, heartbeat=deadlines.heartbeat_missed) from None


def _role(evaluation: Evaluation, state: Task, effective: Json) -> str | None:
    if state.credentials is ABSENT:
        return None
    filled = evaluation.fill(state.credentials, effective, "Credentials")
    role = filled.get("RoleArn") if isinstance(filled, dict) else None
    if not isinstance(role, str):
        raise StatesError(RUNTIME, f"Credentials must have a RoleArn that is a string; here it is {role!r}.")
    return role
