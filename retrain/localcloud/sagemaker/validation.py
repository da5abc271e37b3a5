"""Every request is checked against botocore's own model of the API, in AWS's words.

botocore checks types and lengths before it sends, but neither patterns nor enums; and other clients (a state
machine, a browser) check nothing. Here the model's shapes are walked with all of their constraints.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import botocore.model
import regex  # type: ignore[import-untyped]  # the model's patterns are Java's: \p{L} and the like are unknown to `re`

from retrain.localcloud.sagemaker.errors import (
    InvalidRequestError,
    MalformedRequestError,
    UnknownOperationError,
)

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


@functools.cache
def service_model(service: str = "sagemaker") -> botocore.model.ServiceModel:
    """Return botocore's model of an AWS service."""
    description = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service_name=service)


@functools.cache
def operation_input(operation: str, service: str = "sagemaker") -> botocore.model.StructureShape | None:
    """Return the shape of an operation's request, None if it has no members.

    Raises
    ------
    UnknownOperationError
        If the service has no such operation.
    """
    model = service_model(service)
    if operation not in model.operation_names:
        raise UnknownOperationError(f"{model.service_id} has no operation {operation!r}.")
    shape: botocore.model.StructureShape | None = model.operation_model(operation).input_shape
    return shape


def validate(operation: str, request: Any, service: str = "sagemaker") -> None:
    """Check a request against the model of its operation.

    Raises
    ------
    MalformedRequestError
        If a value has another type than the model says, or a member is unknown to it.
    InvalidRequestError
        If a required member is missing, or a value breaks a length, range, pattern or enum; all of them are
        listed, as AWS does.
    """
    shape = operation_input(operation, service)
    if not isinstance(request, dict):
        raise MalformedRequestError("The request must be a JSON object.")
    if shape is None:
        return
    problems = list(_structure(shape, request, ""))
    if problems:
        noun = "validation error" if len(problems) == 1 else "validation errors"
        raise InvalidRequestError(f"{len(problems)} {noun} detected: " + "; ".join(problems))


def _fails(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _below(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _structure(shape: botocore.model.StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _fails(None, _below(path, name), "Member must not be null")
    for name, item in value.items():
        if name not in shape.members:
            # AWS drops it without a word; here a typo is not to pass on a laptop and to be missed in AWS.
            raise MalformedRequestError(
                f"The field '{name}' is not supported: {shape.name} has no such member"
            )
        if item is not None:
            yield from _value(shape.members[name], item, _below(path, name))


def _value(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if not _is_of(kind, value):
        raise MalformedRequestError(f"The value for the field '{path}' must be a {kind.upper()}")
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _length(shape, value, path, len(value))
        for number, item in enumerate(value, start=1):
            yield from _value(shape.member, item, f"{path}.{number}.member")
    elif kind == "map":
        yield from _length(shape, value, path, len(value))
        for key, item in value.items():
            yield from _value(shape.key, key, f"{path}.key")
            yield from _value(shape.value, item, f"{path}.{key}.member")
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in ("integer", "long", "float", "double"):
        yield from _number(shape, value, path)


def _is_of(kind: str, value: Any) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _string(shape: Any, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield _fails(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    yield from _length(shape, value, path, len(value))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield _fails(value, path, f"Member must satisfy regular expression pattern: {pattern}")


@functools.cache
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern)


def _length(shape: Any, value: Any, path: str, length: int) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and length < least:
        yield _fails(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and length > most:
        yield _fails(value, path, f"Member must have length less than or equal to {most}")


def _number(shape: Any, value: float, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _fails(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _fails(value, path, f"Member must have value less than or equal to {most}")
