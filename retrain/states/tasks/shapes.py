"""Requests and answers between a state machine's JSON and botocore, by the shapes of botocore's models."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from retrain.states.model import Json
from retrain.states.tasks.naming import member_name

Spelling = Callable[[str, str], str]
"""What a member is called in a state machine, by its name and its structure's in botocore's model."""


def sdk_spelling(name: str, shape: str) -> str:
    """Return a member's name in `aws-sdk:…` tasks."""
    return member_name(name, shape)


def optimised_spelling(name: str, _shape: str) -> str:
    """Return a member's name in optimised integrations: as in the API, with a capital."""
    return name[:1].upper() + name[1:]


def epoch_milliseconds(moment: datetime.datetime) -> int:
    """Return a time as the optimised integrations give it."""
    return round(moment.timestamp() * 1000)


def iso_instant(moment: datetime.datetime) -> str:
    """Return a time as `aws-sdk:…` tasks give it: ISO 8601 in UTC, with milliseconds where there are some."""
    moment = moment.astimezone(datetime.UTC)
    spec = "milliseconds" if moment.microsecond // 1000 else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


class UnusableParametersError(ValueError):
    """The evaluated parameters do not fit the operation; says everything that is wrong with them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def to_request(parameters: Json, operation: OperationModel, spelling: Spelling) -> dict[str, Any]:
    """Return an operation's request as botocore wants it.

    Parameters
    ----------
    parameters
        A task's evaluated parameters; None stands for none.
    operation
        What is called.
    spelling
        How the state machine writes members.

    Raises
    ------
    UnusableParametersError
        A member is unknown or missing, or a value has another type than the model says.
    """
    shape = operation.input_shape
    given = {} if parameters is None else parameters
    problems: list[str] = []
    if not isinstance(given, dict):
        raise UnusableParametersError(["The parameters must be a JSON object"])
    if shape is None:
        if given:
            raise UnusableParametersError([_unknown(name) for name in given])
        return {}
    request = _Reader(spelling, problems).structure(shape, given, "")
    if problems:
        raise UnusableParametersError(problems)
    return request


def _unknown(path: str) -> str:
    return f'The field "{path}" is not supported by Step Functions'


class _Reader:
    """Reads values by shapes, and notes what does not fit."""

    def __init__(self, spelling: Spelling, problems: list[str]) -> None:
        self._spelling = spelling
        self._problems = problems

    def structure(self, shape: StructureShape, value: dict[str, Any], path: str) -> dict[str, Any]:
        by_name = {self._spelling(name, shape.name): name for name in shape.members}
        found = {}
        for key, item in value.items():
            below = f"{path}.{key}" if path else key
            if key not in by_name:
                self._problems.append(_unknown(below))
            elif item is not None:
                found[by_name[key]] = self._value(shape.members[by_name[key]], item, below)
        for name in shape.required_members:
            if name not in found:
                spelt = self._spelling(name, shape.name)
                below = f"{path}.{spelt}" if path else spelt
                if value.get(spelt) is None:
                    self._problems.append(f"The field '{below}' is required but was missing")
        return found

    def _value(self, shape: Shape, value: Any, path: str) -> Any:
        kind = shape.type_name
        if getattr(shape, "is_document_type", False):
            return value
        if isinstance(shape, StructureShape) and isinstance(value, dict):
            return self.structure(shape, value, path)
        if isinstance(shape, ListShape) and isinstance(value, list):
            return [self._value(shape.member, item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(shape, MapShape) and isinstance(value, dict):
            return {key: self._value(shape.value, item, f"{path}.{key}") for key, item in value.items()}
        if kind == "blob":
            # Bytes are text in a state machine; anything else is sent as JSON.
            return value.encode() if isinstance(value, str) else _compact(value).encode()
        if _fits(kind, value):
            return int(value) if kind in ("integer", "long") else value
        self._problems.append(f"The value for the field '{path}' must be a {kind.upper()}")
        return value


def _fits(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind in ("integer", "long"):
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind in ("float", "double"):
        return isinstance(value, int | float)
    if kind == "timestamp":
        return isinstance(value, str | int | float)
    return kind in ("string", "character") and isinstance(value, str)


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def to_result(
    answer: Any,
    shape: Shape | None,
    spelling: Spelling,
    times: Callable[[datetime.datetime], Json],
) -> Json:
    """Return an answer of botocore's as a state machine sees it.

    Parameters
    ----------
    answer
        With or without ResponseMetadata, which is left out.
    shape
        The operation's output; None gives an empty object.
    spelling
        How the state machine writes members.
    times
        How it writes times.
    """
    if shape is None:
        return {}
    return _written(answer, shape, spelling, times)


def _written(
    value: Any, shape: Shape, spelling: Spelling, times: Callable[[datetime.datetime], Json]
) -> Json:
    if isinstance(shape, StructureShape) and not getattr(shape, "is_document_type", False):
        return dict(_members(value, shape, spelling, times))
    if isinstance(shape, ListShape):
        return [_written(item, shape.member, spelling, times) for item in value]
    if isinstance(shape, MapShape):
        return {key: _written(item, shape.value, spelling, times) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return times(_moment(value))
    if shape.type_name == "blob":
        return _text(value)
    result: Json = value
    return result


def _members(
    value: dict[str, Any],
    shape: StructureShape,
    spelling: Spelling,
    times: Callable[[datetime.datetime], Json],
) -> Iterator[tuple[str, Json]]:
    for name in sorted(value):
        if name in shape.members and value[name] is not None:
            yield spelling(name, shape.name), _written(value[name], shape.members[name], spelling, times)


def _moment(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, int | float):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return datetime.datetime.fromisoformat(value)


def _text(value: Any) -> str:
    content = value.read() if hasattr(value, "read") else value
    if isinstance(content, str):
        return content
    try:
        return bytes(content).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"The answer holds {len(content)} bytes that are no UTF-8 text.") from error
