"""Every request is checked against botocore's model of the API, in AWS's words."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import botocore.model

from retrain.states.service.errors import ServiceError, validation_error

TARGET_PREFIX = "AWSStepFunctions"

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}
# Names have rules of their own (InvalidName), which are looked at afterwards.
_OWN_RULES = frozenset(
    {("CreateStateMachine", "name"), ("StartExecution", "name"), ("CreateActivity", "name")}
)


@functools.cache
def api_model() -> botocore.model.ServiceModel:
    """Return botocore's model of Step Functions."""
    description = botocore.loaders.create_loader().load_service_model("stepfunctions", "service-2")
    return botocore.model.ServiceModel(description, service_name="stepfunctions")


def check(operation: str, request: Any) -> None:
    """Check a request against the model of its operation.

    Raises
    ------
    ServiceError
        UnknownOperationException; SerializationException for a value of another type, or an unknown member;
        ValidationException with everything that breaks a length, range, pattern or enum.
    """
    model = api_model()
    if operation not in model.operation_names:
        raise ServiceError("UnknownOperationException", f"Step Functions has no operation {operation!r}.")
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request must be a JSON object.")
    shape = model.operation_model(operation).input_shape
    problems = list(_structure(shape, request, "", operation)) if shape is not None else []
    if problems:
        noun = "validation error" if len(problems) == 1 else "validation errors"
        raise validation_error(f"{len(problems)} {noun} detected: " + "; ".join(problems))


def _fails(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _structure(
    shape: botocore.model.StructureShape, value: dict[str, Any], path: str, operation: str = ""
) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _fails(None, f"{path}{name}", "Member must not be null")
    for name, item in value.items():
        if name not in shape.members:
            # AWS drops it without a word; here a typo is not to pass and then to be missed there.
            raise ServiceError(
                "SerializationException",
                f"The field '{path}{name}' is not supported: {shape.name} has no such member",
            )
        if item is not None:
            yield from _value(shape.members[name], item, f"{path}{name}", own=(operation, name) in _OWN_RULES)


def _value(shape: Any, value: Any, path: str, *, own: bool = False) -> Iterator[str]:
    kind: str = shape.type_name
    if not _is_of(kind, value):
        raise ServiceError("SerializationException", f"The value for '{path}' must be a {kind.upper()}")
    if kind == "structure":
        yield from _structure(shape, value, f"{path}.")
    elif kind == "list":
        yield from _range(shape, value, path, len(value), "length")
        for number, item in enumerate(value, start=1):
            yield from _value(shape.member, item, f"{path}.{number}.member")
    elif kind == "map":
        for key, item in value.items():
            yield from _value(shape.value, item, f"{path}.{key}")
    elif kind == "string" and not own:
        enum = getattr(shape, "enum", None)
        if enum and value not in enum:
            yield _fails(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]")
        yield from _range(shape, value, path, len(value), "length")
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield _fails(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    elif kind in ("integer", "long", "float", "double"):
        yield from _range(shape, value, path, value, "value")


def _is_of(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _range(shape: Any, value: Any, path: str, measure: float, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    shown = value if len(str(value)) <= 256 else f"{str(value)[:256]}…"
    if least is not None and measure < least:
        yield _fails(shown, path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and measure > most:
        yield _fails(shown, path, f"Member must have {what} less than or equal to {most}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"))


def parsed_input(text: str) -> Any:
    """Return an execution's input.

    Raises
    ------
    ServiceError
        InvalidExecutionInput: it is no JSON, or too long.
    """
    if len(text.encode()) > 262_144:
        raise ServiceError(
            "InvalidExecutionInput", "Invalid State Machine Execution Input: 'longer than 262144 bytes'"
        )
    try:
        return json.loads(text, parse_constant=_no_json)
    except ValueError as error:
        raise ServiceError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
        ) from error


def _no_json(name: str) -> Any:
    raise ValueError(f"Non-standard token '{name}'")


_BAD_NAME = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\U0000fffe\U0000ffff]')


def checked_name(name: str) -> str:
    """Return a name of a state machine, an execution or an activity.

    Raises
    ------
    ServiceError
        InvalidName: it is empty, longer than 80 characters, or has one that is not allowed.
    """
    if not 0 < len(name) <= 80 or _BAD_NAME.search(name):
        raise ServiceError("InvalidName", f"Invalid Name: '{name}'")
    return name
