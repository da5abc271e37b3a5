"""Reads a definition: JSON or YAML text, or the parsed object, into plain JSON values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NoReturn

import yaml

from retrain.states.validation.report import (
    INVALID_JSON_DESCRIPTION,
    SCHEMA_VALIDATION_FAILED,
    TOO_DEEPLY_NESTED,
    Report,
)

MAX_LENGTH: Final = 1_048_576
"""Characters that CreateStateMachine takes."""
MAX_DEPTH: Final = 200
"""Objects and arrays inside each other; more could not be walked through, and nobody means more."""
MAX_VALUES: Final = 1_000_000
"""No text of `MAX_LENGTH` holds more, except through YAML's aliases, which can multiply without end."""

_NOT_AN_OBJECT: Final = "Definition must be a valid JSON object"


class _UnreadableError(Exception):
    """The definition's text or values are no JSON; holds code, message and location."""

    def __init__(self, message: str, location: str = "", code: str = INVALID_JSON_DESCRIPTION) -> None:
        super().__init__(message)
        self.code = code
        self.location = location


def read(definition: object, report: Report, *, yaml_too: bool = True) -> dict[str, Any] | None:
    """Return a definition as a JSON object of its own, or report why it is none.

    Parameters
    ----------
    definition
        JSON or YAML text, or the parsed object.
    report
        Takes what is wrong.
    yaml_too
        Whether text may be YAML; CreateStateMachine itself takes JSON alone.
    """
    try:
        parsed = _parsed(definition, yaml_too=yaml_too) if isinstance(definition, str) else definition
        plain = _Copy().of(parsed, "", 0)
        if not isinstance(plain, dict):
            raise _UnreadableError(_NOT_AN_OBJECT, code=SCHEMA_VALIDATION_FAILED)
        if not isinstance(definition, str):
            _check_length(json.dumps(plain, ensure_ascii=False))
    except RecursionError:
        report.error(TOO_DEEPLY_NESTED, f"The definition is nested more than {MAX_DEPTH} levels deep.")
        return None
    except _UnreadableError as error:
        report.error(error.code, str(error), error.location)
        return None
    return plain


def _parsed(text: str, *, yaml_too: bool) -> object:
    _check_length(text)
    if not text.strip():
        raise _UnreadableError(_NOT_AN_OBJECT, code=SCHEMA_VALIDATION_FAILED)
    if not yaml_too or text.lstrip()[0] in '{["':
        return _parsed_json(text)
    parsed = _parsed_yaml(text)
    return (
        parsed if isinstance(parsed, dict) else _parsed_json(text)
    )  # a single word is YAML too, but not meant


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise _UnreadableError(
            f"The definition must have at most {MAX_LENGTH} characters and has {len(text)}",
            code=SCHEMA_VALIDATION_FAILED,
        )


def _parsed_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _UnreadableError(
            f"{error.msg} at {where}", f"line: {error.lineno}, column: {error.colno}"
        ) from None
    except ValueError as error:  # an integer of more digits than Python reads
        raise _UnreadableError(str(error)) from None


def _refuse_constant(name: str) -> NoReturn:
    raise _UnreadableError(f"{name} is no JSON value")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _UnreadableError(f"Duplicate field '{key}'")
        found[key] = value
    return found


class _Loader(yaml.SafeLoader):
    """YAML's core schema, so that a text means what the same text means in JSON.

    PyYAML follows YAML 1.1, where `no` and `off` are Booleans, `1:30` is a number and `2016-03-14` is a date:
    state names and timestamps among them would not survive.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own)
    # Libraries of CloudFormation teach PyYAML's own loader tags such as !Sub; a definition has none.
    yaml_multi_constructors: ClassVar[dict[str | None, Any]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Refuse keys that occur twice; PyYAML takes the last."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = (
                key.value
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge"
                else None
            )
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"Duplicate field '{name}'", key.start_mark
                )
            if isinstance(name, str):
                seen.add(name)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.|(?=[eE])))(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _parsed_yaml(text: str) -> object:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _UnreadableError(f"The definition is neither JSON nor YAML: {problem}{where}") from None
    except (ValueError, TypeError) as error:
        raise _UnreadableError(f"The definition is neither JSON nor YAML: {error}") from None


class _Copy:
    """Copies values, refusing what is no JSON, so that nothing else has to expect it."""

    def __init__(self) -> None:
        self._values = 0

    def of(self, value: object, at: str, depth: int) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _UnreadableError(f"The definition holds more than {MAX_VALUES} values", at)
        if depth > MAX_DEPTH:
            raise RecursionError
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float):
            if not math.isfinite(value):
                raise _UnreadableError(f"{value} is no JSON value", at)
            return value
        if isinstance(value, Mapping):
            return {
                self._key(key, at): self.of(item, f"{at}/{key}", depth + 1) for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.of(item, f"{at}[{index}]", depth + 1) for index, item in enumerate(value)]
        raise _UnreadableError(f"A {type(value).__name__} is no JSON value", at)

    @staticmethod
    def _key(key: object, at: str) -> str:
        if not isinstance(key, str):
            raise _UnreadableError(f"The field name {key!r} must be a string: write it in quotes", at)
        return key
