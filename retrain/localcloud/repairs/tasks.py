"""Task states: Retry and Catch by AWS's rules, time limits that end the task, task tokens with heartbeats.

Mended: TimeoutSeconds and HeartbeatSeconds (and their path forms) raise States.Timeout and
States.HeartbeatTimeout and end the task; States.ALL catches neither States.Runtime nor
States.DataLimitExceeded; MaxDelaySeconds and JitterStrategy hold, and the longest delay of 60 seconds is
gone; a task with a token fails at once when what it calls fails; results above 256 KiB are refused; the
history has the names and fields of AWS's events.
"""

from __future__ import annotations

import contextvars
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.repairs import lifetimes
from retrain.localcloud.repairs.paths import locate, runtime_error

for _name, _parameters in {
    "_execute_task": "state_def raw_input execution ctx",
    "_with_retry_and_catch": "state_def raw_input ctx attempt",
    "_error_matches": "error_equals error",
    "_find_matching_retrier": "retriers error retry_counts",
    "_find_matching_catcher": "catchers error",
    "_apply_catcher": "catcher raw_input ctx query_language error_output",
    "_apply_input_path": "state_def data ctx",
    "_apply_output_path": "state_def data ctx",
    "_apply_parameters": "state_def data ctx",
    "_apply_result_path": "state_def original result",
    "_apply_jsonata_arguments": "state_def raw_input ctx",
    "_apply_jsonata_output": "state_def raw_input ctx result error_output default",
    "_apply_state_assign": "state_def raw_input ctx result error_output",
    "_jsonata_state_field": "state_def field expected raw_input ctx",
    "_invoke_resource": "resource input_data",
    "_next_or_end": "state_def",
    "_scaled_sleep": "seconds",
    "_task_tokens": None,
    "_run_sub_machine": "states start_at input_data execution ctx",
    "new_uuid": "",
}.items():
    seams.expect(seams.STATES, _name, _parameters)

MAX_PAYLOAD = 256 * 1024

State = dict[str, Any]


def _states() -> Any:
    return seams.module(seams.STATES)


def error_matches(error_equals: list[str], error: str) -> bool:
    """Whether a Retry or Catch with these names is for this error."""
    if error == "States.Runtime":
        return False  # neither retried nor caught, not even by its name
    if error in error_equals:
        return True
    if error == "States.DataLimitExceeded":
        return False
    return "States.ALL" in error_equals or ("States.TaskFailed" in error_equals and error != "States.Timeout")


def retry_delay(retrier: dict[str, Any], retries: int) -> float:
    """Seconds to wait before the next attempt.

    Parameters
    ----------
    retrier
        One element of a state's Retry.
    retries
        How often it has been used before.
    """
    delay = float(retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries)
    if "MaxDelaySeconds" in retrier:
        delay = min(delay, float(retrier["MaxDelaySeconds"]))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay


def with_retry_and_catch(
    state_def: State, raw_input: Any, ctx: dict[str, Any], attempt: Callable[[], tuple[Any, str | None]]
) -> tuple[Any, str | None]:
    """Run attempts of a Task, Parallel or Map until one succeeds or its Retry is used up; then its Catch."""
    states = _states()
    entered = ctx["State"]
    retries: dict[int, int] = {}
    while True:
        ctx["State"] = {**entered, "RetryCount": sum(retries.values())}
        try:
            return attempt()
        except states._ExecutionError as failure:
            retrier, index = states._find_matching_retrier(state_def.get("Retry", []), failure.error, retries)
            if retrier is not None:
                delay = retry_delay(retrier, retries.get(index, 0))
                retries[index] = retries.get(index, 0) + 1
                states._scaled_sleep(delay)
                continue
            catcher = states._find_matching_catcher(state_def.get("Catch", []), failure.error)
            if catcher is None:
                raise
            ctx["State"] = entered
            error_output = {"Error": failure.error, "Cause": failure.cause}
            language = states._state_query_language(state_def, ctx)
            return states._apply_catcher(catcher, raw_input, ctx, language, error_output), catcher["Next"]


def execute_task(
    state_def: State, raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, str | None]:
    """Run a Task state; gives its output and the next state's name."""
    return with_retry_and_catch(
        state_def, raw_input, ctx, lambda: _attempt(state_def, raw_input, execution, ctx)
    )


def _attempt(
    state_def: State, raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, str | None]:
    states = _states()
    resource: str = state_def.get("Resource", "")
    with_token = resource.endswith(".waitForTaskToken")
    jsonata = states._state_query_language(state_def, ctx) == "JSONata"
    ctx.pop("Task", None)
    if with_token:
        ctx["Task"] = {"Token": states.new_uuid()}  # a new one for each attempt
    if jsonata:
        effective = states._apply_jsonata_arguments(state_def, raw_input, ctx)
        task_input = effective
    else:
        task_input = states._apply_input_path(state_def, raw_input, ctx)
        effective = states._apply_parameters(state_def, task_input, ctx)
    timeout = _seconds(state_def, "TimeoutSeconds", task_input, raw_input, ctx, jsonata=jsonata)
    heartbeat = _seconds(state_def, "HeartbeatSeconds", task_input, raw_input, ctx, jsonata=jsonata)

    history = _History(execution, resource)
    history.scheduled(effective, timeout)
    try:
        if with_token:
            result = _await_token(resource, effective, ctx["Task"]["Token"], timeout, heartbeat)
        else:
            result = _call(resource, effective, timeout)
        if len(json.dumps(result)) > MAX_PAYLOAD:
            raise seams.states_task_error(
                "States.DataLimitExceeded",
                f"The state/task '{resource}' returned a result with a size exceeding the maximum number of "
                "bytes service limit.",
            )
    except states._ExecutionError as failure:
        history.failed(failure.error, failure.cause)
        raise
    history.succeeded(result)

    if jsonata:
        output = states._apply_jsonata_output(state_def, raw_input, ctx, result=result, default=result)
        states._apply_state_assign(state_def, raw_input, ctx, result=result)
    else:
        selected = result
        if state_def.get("ResultSelector"):
            selected = states._resolve_params_obj(state_def["ResultSelector"], result, ctx)
        output = states._apply_result_path(state_def, raw_input, selected)
        output = states._apply_output_path(state_def, output, ctx)
    return output, states._next_or_end(state_def)


def _seconds(
    state_def: State, field: str, task_input: Any, raw_input: Any, ctx: dict[str, Any], *, jsonata: bool
) -> float | None:
    """A time limit of a state: given, or found by its path."""
    if field in state_def:
        value = state_def[field]
        if jsonata and isinstance(value, str):
            value = _states()._jsonata_state_field(state_def, field, "number", raw_input, ctx)
        return float(value)
    path = state_def.get(f"{field}Path")
    if path is None:
        return None
    there, value = locate(path, task_input, ctx)
    if not there or not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise runtime_error(f"The {field}Path parameter does not reference a positive integer: {path}")
    return float(value)


class _Call:
    """A call to a service on a thread of its own, so that nobody has to wait for its end."""

    def __init__(self, resource: str, parameters: Any, lifetime: lifetimes.Lifetime) -> None:
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None
        self.cancelled = threading.Event()

        def run() -> None:
            try:
                with seams.cancellable(self.cancelled):
                    self.result = _states()._invoke_resource(resource, parameters)
            except lifetimes.ExecutionEnded:
                pass  # what it did in the execution's name came to its end with it
            except Exception as error:  # noqa: BLE001  (raised again on the execution's thread)
                self.error = error
            finally:
                self.done = True
                lifetime.wake()

        threading.Thread(
            target=contextvars.copy_context().run, args=(run,), name="states-task", daemon=True
        ).start()


def _call(resource: str, parameters: Any, timeout: float | None) -> Any:
    lifetime = lifetimes.current()
    call = _Call(resource, parameters, lifetime)
    try:
        if not lifetime.wait(lambda: call.done, timeout):
            raise seams.states_task_error("States.Timeout", "")
    finally:
        call.cancelled.set()  # nobody waits any longer, for whatever reason
    if call.error is not None:
        raise call.error
    return call.result


class _Answer:
    """Stands for the threading.Event that SendTaskSuccess and SendTaskFailure set."""

    def __init__(self, lifetime: lifetimes.Lifetime) -> None:
        self.given = False
        self._lifetime = lifetime

    def set(self) -> None:
        self.given = True
        self._lifetime.wake()


def _await_token(
    resource: str, parameters: Any, token: str, timeout: float | None, heartbeat: float | None
) -> Any:
    """Call the service, and wait for SendTaskSuccess or SendTaskFailure."""
    tokens = _states()._task_tokens
    lifetime = lifetimes.current()
    answer = _Answer(lifetime)
    began = time.monotonic()
    entry: dict[str, Any] = {"event": answer, "result": None, "error": None, "heartbeat": None, "beat": began}
    tokens[token] = entry
    call = _Call(resource.removesuffix(".waitForTaskToken"), parameters, lifetime)
    try:
        while not answer.given:
            if call.error is not None:
                raise call.error
            now = time.monotonic()
            limits = [("States.Timeout", began + timeout)] if timeout is not None else []
            if heartbeat is not None:
                limits.append(("States.HeartbeatTimeout", entry["beat"] + heartbeat))
            for error, limit in limits:
                if limit <= now:
                    raise seams.states_task_error(error, "")
            nearest = min((limit for _, limit in limits), default=None)
            lifetime.wait(
                lambda: answer.given or call.error is not None, None if nearest is None else nearest - now
            )
    finally:
        call.cancelled.set()
        tokens.pop(token, None)
    if entry["error"]:
        raise seams.states_task_error(entry["error"]["Error"], entry["error"]["Cause"])
    return json.loads(entry["result"])


class _History:
    """Writes a task's events as AWS does."""

    def __init__(self, execution: dict[str, Any], resource: str) -> None:
        self._execution = execution
        self._function = ":function:" in resource and ":states:::" not in resource
        self._kind = "LambdaFunction" if self._function else "Task"
        if ":activity:" in resource:
            self._kind = "Activity"
        service, _, action = resource.partition(":states:::")[2].rpartition(":")
        self._what = {} if self._kind != "Task" else {"resourceType": service, "resource": action}
        self._resource = resource

    def scheduled(self, parameters: Any, timeout: float | None) -> None:
        text = json.dumps(parameters)
        if self._kind == "Task":
            details: dict[str, Any] = {**self._what, "region": seams.region(), "parameters": text}
        else:
            details = {"resource": self._resource, "input": text}
        if timeout is not None:
            details["timeoutInSeconds"] = timeout
        self._add("Scheduled", details)
        self._add("Started", dict(self._what))

    def succeeded(self, result: Any) -> None:
        self._add("Succeeded", {**self._what, "output": json.dumps(result)})

    def failed(self, error: str, cause: str) -> None:
        timed_out = error in ("States.Timeout", "States.HeartbeatTimeout")
        self._add("TimedOut" if timed_out else "Failed", {**self._what, "error": error, "cause": cause})

    def _add(self, what: str, details: dict[str, Any]) -> None:
        event_type = self._kind + what
        key = event_type[0].lower() + event_type[1:] + "EventDetails"
        _states()._add_event(self._execution, event_type, {key: details} if details else None)


def _own_context(
    original: Callable[..., Any],
    states: Any,
    start_at: str,
    input_data: Any,
    execution: Any,
    ctx: dict[str, Any],
) -> Any:
    # The branches of a Parallel share the context object otherwise, and each other's $$.State.
    return original(states, start_at, input_data, execution, {**ctx})


def install() -> None:
    """Replace the Task state."""
    seams.replace(seams.STATES, "_error_matches", error_matches)
    seams.replace(seams.STATES, "_with_retry_and_catch", with_retry_and_catch)
    seams.replace(seams.STATES, "_execute_task", execute_task)
    seams.wrap(seams.STATES, "_run_sub_machine", _own_context)
