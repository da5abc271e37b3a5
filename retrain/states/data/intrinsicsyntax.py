r"""The syntax of intrinsic functions: `States.Format('{} of {}', $.a, States.ArrayLength($.b))`.

https://states-language.net/spec.html#intrinsic-functions
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from retrain.states.data import pathsyntax

MOST_FUNCTIONS: Final = 10
"""How many functions one field may have, counted as AWS's page counts its example: nine in `myArn.$`."""


class IntrinsicSyntaxError(ValueError):
    """A text that is no intrinsic function; says why."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, true, false or null."""

    value: bool | int | float | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text in single quotes.

    Attributes
    ----------
    pieces
        What stands between the places that `{}` keeps free for States.Format.
    """

    pieces: tuple[str, ...]

    @property
    def value(self) -> str:
        """The text, its `{}` as they are."""
        return "{}".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Reference:
    """A path."""

    path: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Argument, ...]


Argument: TypeAlias = Literal | Text | Reference | Call


def is_intrinsic(text: str) -> bool:
    """Return whether a text means to be an intrinsic function."""
    return text.startswith("States.")


@lru_cache(maxsize=4096)
def parse(text: str) -> Call:
    """Return an intrinsic function, parsed.

    Raises
    ------
    IntrinsicSyntaxError
        The text is none, or has more than ten functions.
    """
    reader = _Reader(text)
    call = reader.call()
    reader.end()
    if sum(1 for _ in calls(call)) > MOST_FUNCTIONS:
        raise IntrinsicSyntaxError(f"A field can have {MOST_FUNCTIONS} intrinsic functions at most.")
    return call


def calls(call: Call) -> Iterator[Call]:
    """Yield a function and all within it."""
    yield call
    for argument in call.arguments:
        if isinstance(argument, Call):
            yield from calls(argument)


_BLANK: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"States\.([A-Za-z][A-Za-z0-9]*)\s*\(")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*[,)])")
_WORD: Final = re.compile(r"(?:true|false|null)(?=\s*[,)])")
_WORDS: Final = {"true": True, "false": False, "null": None}
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_PART: Final = re.compile(r"\\(.)|(\{\})|([{}])|[^\\{}]+", re.DOTALL)
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _error(self, what: str) -> IntrinsicSyntaxError:
        return IntrinsicSyntaxError(f'{what} at position {self._at} of "{self._text}".')

    def end(self) -> None:
        self._skip()
        if self._at < len(self._text):
            raise self._error("Expected nothing more")

    def call(self) -> Call:
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._error("Expected a function such as States.Format(...)")
        self._at = name.end()
        arguments: list[Argument] = []
        self._skip()
        if not self._text.startswith(")", self._at):
            arguments.append(self._argument())
            while self._text.startswith(",", self._at):
                self._at += 1
                arguments.append(self._argument())
        if not self._text.startswith(")", self._at):
            raise self._error("Expected ',' or ')'")
        self._at += 1
        return Call(name[1], tuple(arguments))

    def _argument(self) -> Argument:
        self._skip()
        argument = self._one()
        self._skip()
        return argument

    def _one(self) -> Argument:
        if self._text.startswith("$", self._at):
            return self._reference()
        if self._text.startswith("'", self._at):
            return self._quoted()
        if is_intrinsic(self._text[self._at :]):
            return self.call()
        for form in (_NUMBER, _WORD):
            match = form.match(self._text, self._at)
            if match is not None:
                self._at = match.end()
                word = match[0]
                return Literal(_WORDS[word] if word in _WORDS else json.loads(word))
        raise self._error(
            "Expected a path, a text in single quotes, a number, true, false, null or a function"
        )

    def _quoted(self) -> Text:
        match = _TEXT.match(self._text, self._at)
        if match is None:
            raise self._error("A text is not closed with a single quote")
        pieces = [""]
        for part in _PART.finditer(match[0][1:-1]):
            escaped, free, brace = part.groups()
            if escaped is not None:
                if escaped not in r"'{}\"":
                    raise self._error(
                        rf"A backslash can precede ' {{ }} and \ only, not '{escaped}', in the text"
                    )
                pieces[-1] += escaped
            elif free is not None:
                pieces.append("")
            elif brace is not None:
                raise self._error(rf"A brace that is not {{}} is written \{brace}, in the text")
            else:
                pieces[-1] += part[0]
        self._at = match.end()
        return Text(tuple(pieces))

    def _reference(self) -> Reference:
        start, depth = self._at, 0
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in "'\"" and depth:
                quoted = _QUOTED.match(self._text, self._at)
                if quoted is None:
                    raise self._error("A quoted name is not closed")
                self._at = quoted.end()
                continue
            if depth == 0 and letter in ",) \t\r\n":
                break
            depth += (letter in "[(") - (letter in "])")
            self._at += 1
        path = self._text[start : self._at]
        try:
            pathsyntax.parse(path)
        except pathsyntax.PathSyntaxError as error:
            raise IntrinsicSyntaxError(str(error)) from None
        return Reference(path)
