"""TestState: one state run by itself, with what its fields made of the data on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from retrain.states.errors import StatesError
from retrain.states.execution import Engine, Execution, TaskCall, json_text
from retrain.states.execution.evaluation import Evaluation
from retrain.states.execution.failures import FailureError, delay_before_retry, matches
from retrain.states.execution.interpreter import Interpreter
from retrain.states.model import ABSENT, Fail, Json, Map, Parallel, Retrier, StateMachine, Task, parse
from retrain.states.service.arns import Place
from retrain.states.service.errors import ServiceError, validation_error
from retrain.states.service.machines import refusal
from retrain.states.service.requests import parsed_input
from retrain.states.tasks import Caller, ServiceTasks
from retrain.states.validation import validate

_NAME = "State"
_STUB: dict[str, Json] = {"Type": "Pass", "End": True}

Request = dict[str, Any]


class _NoWaiting:
    """A clock by which every wait is over at once."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    async def sleep_until(self, when: float) -> None:
        self._now = max(self._now, when)


class _Spy:
    """Runs the one task, by a mock or by the services, and keeps what went in and what came out."""

    def __init__(self, mock: Mapping[str, Any] | None, real: ServiceTasks) -> None:
        self._mock = mock
        self._real = real
        self.arguments: Any = ABSENT
        self.result: Any = ABSENT

    async def run(self, call: TaskCall) -> Json:
        self.arguments = call.arguments
        if self._mock is None:
            self.result = await self._real.run(call)
        else:
            self.result = mocked(self._mock)
        return self.result  # type: ignore[no-any-return]


def mocked(mock: Mapping[str, Any]) -> Json:
    """Return what a mock stands for, or raise what it fails with."""
    error = mock.get("errorOutput")
    if error is not None:
        raise StatesError(error.get("error") or "", error.get("cause") or "")
    result: Json = json.loads(mock["result"])
    return result


class TestState:
    """The operation TestState.

    Parameters
    ----------
    caller
        Calls services, where the request has no mock.
    place
        For the ARNs in the context object.
    """

    __test__ = False  # pytest takes it for a test otherwise

    def __init__(self, caller: Caller, place: Place) -> None:
        self._tasks = ServiceTasks(caller)
        self._place = place

    async def test(self, request: Request) -> Request:
        """Answer TestState."""
        machine, name = _machine_of(request)
        state: Any = machine.states[name]
        mock = request.get("mock")
        _check_mock(state, mock)
        if isinstance(state, Task) and mock is None and request.get("roleArn") is None:
            raise validation_error("A role ARN must be given to test a Task state without a mock")
        given = parsed_input(request.get("input") or "{}")
        retriers: tuple[Retrier, ...] = getattr(state, "retry", ())
        if retriers:
            machine = _without_retriers(machine, name)
        spy = _Spy(mock, self._tasks)
        engine = Engine(spy)
        engine.clock = _NoWaiting(engine.clock.now())
        run = self._interpreter(engine, machine, name, given, request)
        if isinstance(state, Map | Parallel):
            answer = await self._compound(run, state, mock or {})
        else:
            answer = await self._run(run)
        answer = _judged(answer, run, state, retriers, request)
        if request.get("inspectionLevel", "INFO") != "INFO":
            inspection = _inspected(run, machine.states[name], spy, given)
            answer["inspectionData"] = {**inspection, **answer.get("inspectionData", {})}
        return answer

    def _interpreter(
        self, engine: Engine, machine: StateMachine, name: str, given: Json, request: Request
    ) -> Interpreter:
        execution = engine.create(
            machine,
            given,
            arn=self._place.execution("TestState", "test"),
            name="test",
            state_machine_arn=self._place.machine("TestState"),
            role_arn=request.get("roleArn") or "",
        )
        execution.frame.state = name
        if request.get("variables") is not None:
            execution.frame.variables = _object(request["variables"], "variables")
        run = Interpreter(engine, execution)
        if request.get("context") is not None:
            context = _object(request["context"], "context")
            execution.frame.item = context.pop("Map", None)
            run.context = {**run.context, **context}
        return run

    async def _run(self, run: Interpreter) -> Request:
        execution = run.execution
        execution.history.append(execution.started, "ExecutionStarted", {"input": execution.input})
        try:
            output = await run.machine(execution.frame)
        except FailureError as failure:
            return {"status": "FAILED", "failure": failure}
        entered = [
            event["stateEnteredEventDetails"]
            for event in execution.history
            if event["type"].endswith("StateEntered")
        ]
        if len(entered) > 1:
            return {"status": "SUCCEEDED", "nextState": entered[1]["name"], "output": entered[1]["input"]}
        return {"status": "SUCCEEDED", "output": json_text(output)}

    async def _compound(self, run: Interpreter, state: Map | Parallel, mock: Mapping[str, Any]) -> Request:
        """Settle a Map or a Parallel with the mock of its result; its machines do not run."""
        frame = run.execution.frame
        evaluation = Evaluation(run, frame, state)
        try:
            effective = frame.input if evaluation.jsonata else evaluation.effective_input()
            result = mocked(mock)
            if not isinstance(result, list):
                raise validation_error(f"The mocked result of a {state.type} state must be an array")
            output, _ = evaluation.settle(effective, result)
        except StatesError as error:
            failure = FailureError(error.error, error.cause)
            for catcher in state.catch:
                if matches(catcher.error_equals, failure):
                    output, _ = evaluation.caught(catcher, failure.output)
                    return {
                        "status": "CAUGHT_ERROR",
                        "failure": failure,
                        "nextState": catcher.next,
                        "output": json_text(output),
                    }
            return {"status": "FAILED", "failure": failure}
        answer: Request = {"status": "SUCCEEDED", "output": json_text(output)}
        return {**answer, "nextState": state.next} if state.next is not None else answer


def _machine_of(request: Request) -> tuple[StateMachine, str]:
    """Return a machine with the state to test, and the state's name."""
    try:
        definition = json.loads(request["definition"])
    except ValueError as error:
        raise ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    if not isinstance(definition, dict):
        raise ServiceError("InvalidDefinition", "Invalid State Machine Definition: 'not a JSON object'")
    if "States" in definition:
        name = request.get("stateName")
        if name is None:
            raise validation_error("stateName must be given for the definition of a whole state machine")
        found = _find(definition, name)
        if found is None:
            raise validation_error(f"The definition has no state '{name}'")
        state = dict(found)
        if "QueryLanguage" not in state and "QueryLanguage" in definition:
            state["QueryLanguage"] = definition["QueryLanguage"]
    else:
        name, state = request.get("stateName") or _NAME, definition
    others = {target: _STUB for target in _targets(state) if target != name}
    wrapped = {"StartAt": name, "States": {name: state, **others}}
    why = refusal(validate(wrapped))
    if why is not None:
        raise ServiceError("InvalidDefinition", why)
    return parse(wrapped), name


def _find(definition: Mapping[str, Any], name: str) -> Any:
    for key, state in (definition.get("States") or {}).items():
        if key == name:
            return state
        inner = [*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")]
        for below in inner:
            found = _find(below, name) if isinstance(below, dict) else None
            if found is not None:
                return found
    return None


def _targets(state: Mapping[str, Any]) -> set[str]:
    found = {state.get("Next"), state.get("Default")}
    found |= {rule.get("Next") for rule in state.get("Choices", ()) if isinstance(rule, dict)}
    found |= {catcher.get("Next") for catcher in state.get("Catch", ()) if isinstance(catcher, dict)}
    return {target for target in found if isinstance(target, str)}


def _check_mock(state: Any, mock: Mapping[str, Any] | None) -> None:
    if mock is None:
        resource = getattr(state, "resource", "")
        waits = resource.endswith((".sync", ".sync:2", ".waitForTaskToken")) or ":activity:" in resource
        if isinstance(state, Map | Parallel) or waits:
            raise validation_error(
                "A mock must be given for Map and Parallel states, activities, .sync and .waitForTaskToken"
            )
        return
    if not isinstance(state, Task | Map | Parallel):
        raise validation_error(f"A {state.type} state cannot be mocked")
    if (mock.get("result") is None) == (mock.get("errorOutput") is None):
        raise validation_error("A mock must have exactly one of result and errorOutput")
    if mock.get("result") is not None:
        try:
            json.loads(mock["result"])
        except ValueError as error:
            raise validation_error(f"The mocked result is no JSON: {error}") from error


def _without_retriers(machine: StateMachine, name: str) -> StateMachine:
    state: Any = machine.states[name]
    return replace(machine, states={**machine.states, name: replace(state, retry=())})


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise validation_error(f"The {what} are no JSON: {error}") from error
    if not isinstance(value, dict):
        raise validation_error(f"The {what} must be a JSON object")
    return value


def _failure_of(execution: Execution) -> FailureError | None:
    """Return the error that was caught, if the state failed on the way."""
    for event in execution.history:
        for name, details in event.items():
            if name.endswith(("FailedEventDetails", "TimedOutEventDetails")):
                return FailureError(details.get("error", ""), details.get("cause", ""))
    return None


def _judged(
    answer: Request, run: Interpreter, state: Any, retriers: tuple[Retrier, ...], request: Request
) -> Request:
    """Return the answer with its error, and with what a retrier or a catcher makes of it."""
    failure: FailureError | None = answer.pop("failure", None) or _failure_of(run.execution)
    if failure is None:
        return answer
    configuration = request.get("stateConfiguration") or {}
    used = configuration.get("retrierRetryCount", 0)
    told: Request = {"error": failure.error, "cause": failure.cause}
    if not isinstance(state, Fail):
        for index, retrier in enumerate(retriers):
            if matches(retrier.error_equals, failure):
                if used >= retrier.max_attempts:
                    break
                delay = int(delay_before_retry(retrier, used))
                details = {"retryIndex": index, "retryBackoffIntervalSeconds": delay}
                return {"status": "RETRIABLE", **told, "inspectionData": {"errorDetails": details}}
        for index, catcher in enumerate(getattr(state, "catch", ())):
            if matches(catcher.error_equals, failure) and "nextState" in answer:
                details = {"catchIndex": index}
                return {
                    **answer,
                    **told,
                    "status": "CAUGHT_ERROR",
                    "inspectionData": {"errorDetails": details},
                }
    return {"status": "FAILED", **told}


def _inspected(run: Interpreter, state: Any, spy: _Spy, given: Json) -> Request:
    """Return what the state's fields made of the data, as far as they could."""
    frame = run.execution.frame
    frame.state, frame.input = state.name, given
    evaluation = Evaluation(run, frame, state)
    found: Request = {"input": json_text(given)}
    try:
        if evaluation.jsonata:
            if isinstance(state, Task | Parallel):
                found["afterArguments"] = json_text(_or(spy.arguments, lambda: evaluation.arguments(given)))
        else:
            effective = evaluation.effective_input()
            found["afterInputPath"] = json_text(effective)
            found["afterParameters"] = json_text(_or(spy.arguments, lambda: evaluation.arguments(effective)))
        if spy.result is not ABSENT:
            found["result"] = json_text(spy.result)
            if not evaluation.jsonata:
                selector = getattr(state, "result_selector", ABSENT)
                selected = spy.result if selector is ABSENT else evaluation.fill(selector, spy.result)
                found["afterResultSelector"] = json_text(selected)
                found["afterResultPath"] = json_text(evaluation.put(state.result_path, selected))
    except StatesError:
        return found  # the error is in the answer; what came before it is what can be shown
    return found


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise() if value is ABSENT else value
