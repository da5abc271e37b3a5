"""The Step Functions API where MiniStack's answers differ from AWS's.

Mended: a definition that AWS refuses is refused, by the API and in a stack; StartExecution with the name and
input of a running execution gives that execution back, and refuses bad names and inputs; a heartbeat counts;
a token whose task has ended is answered with TaskTimedOut; a throttled function is
Lambda.TooManyRequestsException.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from retrain.localcloud import definitions, seams
from retrain.localcloud.repairs.tasks import MAX_PAYLOAD

Data = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Original = Callable[[Data], Answer]

for _name, _parameters in {
    "_create_state_machine": "data",
    "_update_state_machine": "data",
    "_validate_state_machine_definition": "data",
    "_start_execution": "data",
    "_resolve_state_machine_arn": "arn",
    "_send_task_success": "data",
    "_send_task_failure": "data",
    "_send_task_heartbeat": "data",
    "_call_lambda": "func_ref event",
    "error_response_json": "code message status extra message_key content_type",
    "json_response": "data status content_type",
}.items():
    seams.expect(seams.STATES, _name, _parameters)
seams.expect(seams.PROVISIONERS, "_sfn_definition", "props")

_BAD_NAME = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
_TOKEN = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_MAX_NAME = 80


def _refusal(code: str, message: str) -> Answer:
    answer: Answer = seams.module(seams.STATES).error_response_json(code, message, 400)
    return answer


def _invalid_definition(found: list[str]) -> str:
    return (
        "Invalid State Machine Definition: '"
        + ", ".join(f"SCHEMA_VALIDATION_FAILED: {p}" for p in found)
        + "'"
    )


def _checked(original: Original, data: Data) -> Answer:
    if isinstance(data.get("definition"), str):
        found = definitions.problems(data["definition"])
        if found:
            return _refusal("InvalidDefinition", _invalid_definition(found))
    return original(data)


def _template_definition(original: Callable[[Data], str], props: Data) -> str:
    definition = original(props)
    found = definitions.problems(definition)
    if found:
        raise ValueError(
            f'Resource handler returned message: "{_invalid_definition(found)}" '
            "(HandlerErrorCode: InvalidRequest)"
        )
    return definition


def _validate(data: Data) -> Answer:
    found = definitions.problems(data.get("definition", ""))
    diagnostics = [
        {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem} for problem in found
    ]
    result = {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": False}
    answer: Answer = seams.module(seams.STATES).json_response(result)
    return answer


def _start(original: Original, data: Data) -> Answer:
    states = seams.module(seams.STATES)
    name, text = data.get("name"), data.get("input", "{}")
    if name is not None and (not 0 < len(name) <= _MAX_NAME or _BAD_NAME.search(name)):
        return _refusal("InvalidName", f"Invalid Name: '{name}'")
    try:
        json.loads(text)
    except (ValueError, TypeError) as error:
        return _refusal("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'")
    if len(text.encode()) > MAX_PAYLOAD:
        return _refusal("InvalidExecutionInput", "The input is longer than 262144 bytes.")
    machine = states._resolve_state_machine_arn(data.get("stateMachineArn", "").split("#")[0])
    if name is not None and machine is not None:
        arn = machine.replace(":stateMachine:", ":execution:") + f":{name}"
        same = states._executions.get(arn)
        if same is not None and same["status"] == "RUNNING" and same["input"] == text:
            answer: Answer = states.json_response({"executionArn": arn, "startDate": same["startDate"]})
            return answer
    return original(data)


def _token_answered(original: Original, data: Data) -> Answer:
    token, tokens = data.get("taskToken", ""), seams.module(seams.STATES)._task_tokens
    if token in tokens:
        if "output" in data:
            try:
                json.loads(data["output"])
            except ValueError as error:
                return _refusal("InvalidOutput", f"Invalid Output: '{error}'")
        if getattr(tokens[token]["event"], "given", False):
            return _refusal("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return original(data)
    if _TOKEN.fullmatch(token):
        return _refusal("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    return _refusal("InvalidToken", "Invalid Token: 'Invalid token'")


def _heartbeat(original: Original, data: Data) -> Answer:
    answer = _token_answered(original, data)
    entry = seams.module(seams.STATES)._task_tokens.get(data.get("taskToken"))
    if entry is not None and "beat" in entry:
        entry["beat"] = time.monotonic()
    return answer


def _call_lambda(original: Callable[..., Any], func_ref: str, event: Any) -> Any:
    states = seams.module(seams.STATES)
    try:
        return original(func_ref, event)
    except states._ExecutionError as error:
        if error.error == "Lambda.Unknown" and "TooManyRequestsException" in error.cause:
            raise seams.states_task_error("Lambda.TooManyRequestsException", error.cause) from error
        raise


def install() -> None:
    """Mend the API."""
    seams.wrap(seams.STATES, "_create_state_machine", _checked)
    seams.wrap(seams.STATES, "_update_state_machine", _checked)
    seams.replace(seams.STATES, "_validate_state_machine_definition", _validate)
    seams.wrap(seams.STATES, "_start_execution", _start)
    seams.wrap(seams.STATES, "_send_task_success", _token_answered)
    seams.wrap(seams.STATES, "_send_task_failure", _token_answered)
    seams.wrap(seams.STATES, "_send_task_heartbeat", _heartbeat)
    seams.wrap(seams.STATES, "_call_lambda", _call_lambda)
    seams.wrap(seams.PROVISIONERS, "_sfn_definition", _template_definition)
