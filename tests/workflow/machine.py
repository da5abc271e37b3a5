"""The state machine read for tests: its edges, and its parameters filled in with sample data."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.unit.functions import stack

PATH = stack.ROOT / "statemachine" / "retrain.asl.json"
DEFINITION: dict[str, Any] = json.loads(PATH.read_text())
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
CONTEXT = {
    "Execution": {
        "Id": "arn:aws:states:us-east-1:123456789012:execution:retrain:mnist-0123456789ab-1",
        "Name": "mnist-0123456789ab-1",
        "StartTime": "2026-01-31T12:00:00.000Z",
        "RedriveCount": 0,
        "Input": {},
    },
    "State": {"EnteredTime": "2026-01-31T12:10:00.000Z", "Name": "State", "RetryCount": 0},
    "Task": {"Token": "token"},
}


def tasks() -> list[tuple[str, dict[str, Any]]]:
    """Return the Task states."""
    return [(name, state) for name, state in STATES.items() if state["Type"] == "Task"]


def edges() -> set[tuple[str, str]]:
    """Return every transition that the definition allows."""
    found = set()
    for name, state in STATES.items():
        targets = [state.get("Next"), state.get("Default")]
        targets += [rule["Next"] for rule in state.get("Choices", [])]
        targets += [catcher["Next"] for catcher in state.get("Catch", [])]
        found |= {(name, target) for target in targets if target}
    return found


def references(value: Any) -> Iterator[str]:
    """Yield every path into the state's data (``$.a.b``) that a field refers to."""
    if isinstance(value, dict):
        for key, item in value.items():
            asks = value.get("IsPresent") is not None  # whether there is such a path at all
            if isinstance(item, str) and (key.endswith(("$", "Path")) or (key == "Variable" and not asks)):
                yield from (path for path in re.findall(r"(?<!\$)\$(?:\.[A-Za-z_]\w*)*", item) if path != "$")
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def inputs_of(state: dict[str, Any]) -> set[str]:
    """Return the paths that a state needs in its input."""
    fields = ("Parameters", "Choices")
    paths = set(references([state.get(field) for field in fields]))
    single = (
        *("SecondsPath", "TimeoutSecondsPath", "HeartbeatSecondsPath"),
        *("InputPath", "CausePath", "ErrorPath"),
    )
    return paths | {state[field] for field in single if field in state}


def look_up(path: str, data: Any) -> Any:
    """Resolve a path strictly: what is not there is a KeyError."""
    for part in path.removeprefix("$").split(".")[1:]:
        data = data[part]
    return data


def fill_in(template: Any, data: Any) -> Any:
    """Fill Parameters or a ResultSelector in, as Step Functions would."""
    if isinstance(template, list):
        return [fill_in(item, data) for item in template]
    if isinstance(template, str):
        return re.sub(r"\$\{(\w+)\}", lambda name: _substitution(name[1]), template)
    if not isinstance(template, dict):
        return template
    filled = {}
    for key, item in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = _evaluate(item, data)
        else:
            filled[key] = fill_in(item, data)
    return filled


def _substitution(name: str) -> str:
    return str(stack.properties("StateMachine")["DefinitionSubstitutions"][name])


def _evaluate(expression: str, data: Any) -> Any:
    call = re.fullmatch(r"States\.(\w+)\((.*)\)", expression)
    if call is None:
        return look_up(expression[1:], CONTEXT) if expression.startswith("$$") else look_up(expression, data)
    arguments = [
        argument.strip("'")
        if argument.startswith("'")
        else _evaluate(argument, data)
        if argument[0] == "$"
        else argument
        for argument in re.split(r",\s*(?![^']*'\s*,)", call[2])
    ]
    if call[1] == "Format":
        return str(arguments[0]).format(*arguments[1:])
    if call[1] == "MathAdd":
        return int(arguments[0]) + int(arguments[1])
    if call[1] == "ArrayLength":
        return len(arguments[0])
    raise NotImplementedError(call[1])
