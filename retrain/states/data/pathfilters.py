"""Filters of AWS's JSONPath: what stands in `[?(...)]`, as Jayway JsonPath reads it."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from retrain.states.data import pathsyntax, pathwalk
from retrain.states.data.pathoperators import TESTS, UNDEFINED
from retrain.states.data.pathsyntax import Path, PathSyntaxError
from retrain.states.model.values import Json

Predicate: TypeAlias = Callable[[Json, Json], bool]
"""Takes the item and the root document."""

Operand: TypeAlias = Callable[[Json, Json], Any]


def read(text: str, at: int) -> tuple[Predicate, int]:
    """Return the predicate in parentheses that begins at a place in a text, and the place after it.

    Raises
    ------
    PathSyntaxError
        There is none.
    """
    reader = _Reader(text, at)
    predicate = reader.group()
    return predicate, reader.at


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A path in a filter, relative to the item (`@`) or to the document (`$`)."""

    path: Path

    def __call__(self, item: Json, root: Json) -> Any:
        if self.path.root == "@":
            # AWS's page on paths: "@ ... does not match scalar values. It only matches objects."
            if not self.path.tokens and not isinstance(item, (dict, list)):
                return UNDEFINED
            start = item
        else:
            start = root
        try:
            return pathwalk.values(self.path, start)
        except pathwalk.PathNotFoundError:
            return UNDEFINED


@dataclass(frozen=True, slots=True)
class _Constant:
    """A literal in a filter."""

    value: Any

    def __call__(self, item: Json, root: Json) -> Any:  # noqa: ARG002 - as every operand
        return self.value


def _exists(operand: Operand) -> Predicate:
    return lambda item, root: operand(item, root) is not UNDEFINED


def _compared(left: Operand, test: Callable[[Any, Any], bool], right: Operand) -> Predicate:
    return lambda item, root: test(left(item, root), right(item, root))


_BLANK: Final = re.compile(r"\s*")
_OPERATOR: Final = re.compile(
    r"===|!==|==|!=|<=|>=|=~|<|>|(?:in|nin|subsetof|anyof|noneof|all|contains|size|empty)\b", re.IGNORECASE
)
_STRING: Final = re.compile(r"""'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)\"""", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d{1,30}(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD: Final = re.compile(r"(?:true|false|null)\b")
_PATTERN: Final = re.compile(r"/((?:\\.|[^/\\])*)/(i?)", re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}


def _number(text: str) -> int | float:
    return float(text) if set(text) & set(".eE") else int(text)


class _Reader:
    """Reads one filter: `||` binds less than `&&`, `!` more than both."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def group(self) -> Predicate:
        self._expect("(")
        inner = self._any()
        self._expect(")")
        return inner

    def _error(self, what: str) -> PathSyntaxError:
        return PathSyntaxError(
            f"Could not compile inline filter : {what} at position {self.at} of '{self._text}'."
        )

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self.at)
        self.at = match.end() if match else self.at

    def _take(self, sign: str) -> bool:
        self._skip()
        if not self._text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error(f"Expected '{sign}'")

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._take("||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda item, root: any(part(item, root) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._one()]
        while self._take("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda item, root: all(part(item, root) for part in parts)

    def _one(self) -> Predicate:
        if self._take("!"):
            inner = self._one()
            return lambda item, root: not inner(item, root)
        self._skip()
        if self._text.startswith("(", self.at):
            return self.group()
        left = self._operand()
        self._skip()
        operator = _OPERATOR.match(self._text, self.at)
        if operator is None:
            if not isinstance(left, _Lookup):
                raise self._error("A literal alone is no condition")
            return _exists(left)
        self.at = operator.end()
        return _compared(left, TESTS[operator[0].lower()], self._operand())

    def _operand(self) -> Operand:
        self._skip()
        if self._text.startswith(("@", "$"), self.at):
            return _Lookup(self._path())
        value = self._literal()
        return _Constant(value)

    def _path(self) -> Path:
        start, at, depth = self.at, self.at + 1, 0
        while at < len(self._text):
            letter = self._text[at]
            if letter == "[":
                depth += 1
            elif letter == "]":
                if depth == 0:
                    break
                depth -= 1
            elif letter in "'\"":
                quoted = _STRING.match(self._text, at)
                if quoted is None:
                    raise self._error("A quoted name is not closed")
                at = quoted.end()
                continue
            elif depth == 0 and (letter in " \t\r\n<>=!&|,)" or self._text.startswith("(", at)):
                if not self._text.startswith("()", at):
                    break
                at += 1
            at += 1
        self.at = at
        text = self._text[start:at]
        return pathsyntax.read(text, text[0], 1)

    def _literal(self) -> Any:
        for form, value in (
            (_STRING, lambda match: re.sub(r"\\(.)", r"\1", match[1] if match[1] is not None else match[2])),
            (_NUMBER, lambda match: _number(match[0])),
            (_WORD, lambda match: _WORDS[match[0]]),
            (_PATTERN, self._pattern),
        ):
            match = form.match(self._text, self.at)
            if match is not None:
                result = value(match)
                self.at = match.end()
                return result
        if self._text.startswith(("[", "{"), self.at):
            return self._json()
        raise self._error("Expected a path, a text, a number, true, false, null, a pattern or JSON")

    def _pattern(self, match: re.Match[str]) -> re.Pattern[str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of Python's about `[[`
                return re.compile(match[1], re.IGNORECASE if match[2] else 0)
        except re.error as error:
            raise self._error(f"No regular expression, {error},") from None

    def _json(self) -> Any:
        """Read a list or an object; texts in it may stand in single quotes, as Jayway allows."""
        start, at, parts = self.at, self.at, []
        depth = 0
        while at < len(self._text):
            quoted = _STRING.match(self._text, at)
            if quoted is not None:
                text = quoted[1] if quoted[1] is not None else quoted[2]
                parts.append(json.dumps(re.sub(r"\\(.)", r"\1", text)))
                at = quoted.end()
                continue
            letter = self._text[at]
            depth += (letter in "[{") - (letter in "]}")
            parts.append(letter)
            at += 1
            if depth == 0:
                break
        try:
            value = json.loads("".join(parts))
        except ValueError as error:
            self.at = start
            raise self._error(f"Invalid JSON, {error},") from None
        self.at = at
        return value
