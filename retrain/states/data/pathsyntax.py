r"""The syntax of AWS's JSONPath: from text to tokens.

AWS's dialect is Jayway JsonPath's (https://github.com/json-path/JsonPath, to which the States Language's
specification refers): its error texts in executions are that library's. Python's JSONPath libraries speak RFC
9535 or their own dialects and refuse what AWS's documentation shows, such as `$.abc.['def ghi']`,
`$.items.length()` or `subsetof`; and none tells a definite path from an indefinite one as Jayway does. Hence
this one. What it adds to Jayway is the specification's backslash before a letter of a name (`$.store\.book`),
the context object (`$$`) and variables (`$name`).

https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from retrain.states.data.pathfilters import Predicate


class PathSyntaxError(ValueError):
    """A text that is no path; says why."""


@dataclass(frozen=True, slots=True)
class Names:
    """`.name`, `['name']` or `['one', 'two']`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "[" + ", ".join(f"'{name}'" for name in self.names) + "]"


@dataclass(frozen=True, slots=True)
class Indexes:
    """`[0]`, `[-1]` or `[0, 2]`."""

    indexes: tuple[int, ...]

    def __str__(self) -> str:
        return f"[{','.join(map(str, self.indexes))}]"


@dataclass(frozen=True, slots=True)
class Slice:
    """`[from:to]`, either left out."""

    start: int | None
    stop: int | None

    def __str__(self) -> str:
        return f"[{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}]"


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*` or `[*]`."""

    def __str__(self) -> str:
        return "[*]"


@dataclass(frozen=True, slots=True)
class Descent:
    """`..`: whatever follows applies to the value and everything in it."""

    def __str__(self) -> str:
        return ".."


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(...)]`."""

    predicate: Predicate

    def __str__(self) -> str:
        return "[?]"


@dataclass(frozen=True, slots=True)
class Function:
    """`.length()` and the like, at the end of a path."""

    name: str
    argument: int | None = None

    def __str__(self) -> str:
        return f".{self.name}()"


Token: TypeAlias = Names | Indexes | Slice | Wildcard | Descent | Filter | Function

FUNCTIONS: Final = frozenset(
    {"length", "size", "keys", "min", "max", "avg", "sum", "stddev", "first", "last", "index"}
)


@dataclass(frozen=True, slots=True)
class Path:
    """A path, parsed.

    Attributes
    ----------
    text
        As it was written.
    root
        `$` (the input), `$$` (the context object), `$name` (a variable), or `@` in a filter.
    tokens
        The steps down from there.
    steps
        The same as names and indexes if the path is a reference path, else None.
    definite
        Whether it names one value; if not, the result is a list.
    """

    text: str
    root: str
    tokens: tuple[Token, ...]
    steps: tuple[str | int, ...] | None
    definite: bool


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Return a path, parsed.

    Raises
    ------
    PathSyntaxError
        The text is no path.
    """
    if not text.startswith("$"):
        raise PathSyntaxError("A path must begin with '$'.")
    root = _ROOT.match(text)
    if root is None:  # pragma: no cover - the expression matches whatever begins with a dollar sign
        raise AssertionError(text)
    return read(text, root[0], root.end())


def read(text: str, root: str, at: int) -> Path:
    """Return the path whose steps begin at a place in a text; see `parse`."""
    tokens = _Reader(text, at).tokens()
    return Path(text, root, tokens, _reference_steps(tokens), _is_definite(tokens))


def _reference_steps(tokens: tuple[Token, ...]) -> tuple[str | int, ...] | None:
    steps: list[str | int] = []
    for token in tokens:
        if isinstance(token, Names) and len(token.names) == 1:
            steps.append(token.names[0])
        elif isinstance(token, Indexes) and len(token.indexes) == 1 and token.indexes[0] >= 0:
            steps.append(token.indexes[0])
        else:
            return None
    return tuple(steps)


def _is_definite(tokens: tuple[Token, ...]) -> bool:
    if tokens and isinstance(tokens[-1], Function) and any(isinstance(token, Descent) for token in tokens):
        return True  # the function takes all that was found
    return all(
        isinstance(token, (Names, Function)) or (isinstance(token, Indexes) and len(token.indexes) == 1)
        for token in tokens
    )


_ROOT: Final = re.compile(r"\$(?:\$|[^\W\d]\w*)?")
# A name after a dot; a backslash takes the next letter as it is.
_NAME: Final = re.compile(r"""(?:\\.|[^\s.\[\](){}'",\\])+""")
_FUNCTION: Final = re.compile(r"([A-Za-z]\w*)\(\s*(-?\d{0,10})\s*\)")
_QUOTED: Final = re.compile(r"""\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*""", re.DOTALL)
_INDEXES: Final = re.compile(r"\s*-?\d{1,10}\s*(?:,\s*-?\d{1,10}\s*)*")
_SLICE: Final = re.compile(r"\s*(-?\d{1,10})?\s*:\s*(-?\d{1,10})?\s*")
_STAR: Final = re.compile(r"\s*\*\s*")
_FILTER: Final = re.compile(r"\s*\?\s*")


class _Reader:
    """Reads the steps of one path."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def tokens(self) -> tuple[Token, ...]:
        found: list[Token] = []
        while self._at < len(self._text):
            if found and isinstance(found[-1], Function):
                raise self._error("Nothing may follow a function")
            found.extend(self._step())
        return tuple(found)

    def _error(self, what: str) -> PathSyntaxError:
        return PathSyntaxError(f"{what} at position {self._at} of '{self._text}'.")

    def _step(self) -> list[Token]:
        text = self._text
        if text.startswith("..", self._at):
            self._at += 2
            if text.startswith(".", self._at):
                raise self._error("Three dots in a row")
            return [Descent(), self._bracket() if text.startswith("[", self._at) else self._name()]
        if text.startswith("[", self._at):
            return [self._bracket()]
        if text.startswith(".", self._at):
            self._at += 1
            return [self._bracket() if text.startswith("[", self._at) else self._name()]
        raise self._error("Expected '.' or '['")

    def _name(self) -> Token:
        if self._text.startswith("*", self._at):
            self._at += 1
            return Wildcard()
        function = _FUNCTION.match(self._text, self._at)
        if function is not None:
            return self._function(function)
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._error("Expected a name; one with special letters is written ['...']")
        self._at = name.end()
        if self._text.startswith("(", self._at):
            raise self._error("A function takes no such arguments here")
        return Names((re.sub(r"\\(.)", r"\1", name[0]),))

    def _function(self, function: re.Match[str]) -> Token:
        name, argument = function.groups()
        if name not in FUNCTIONS:
            raise self._error(f"There is no function '{name}'")
        if bool(argument) != (name == "index"):
            raise self._error(f"Function '{name}' takes {'one number' if name == 'index' else 'no argument'}")
        self._at = function.end()
        return Function(name, int(argument) if argument else None)

    def _bracket(self) -> Token:
        self._at += 1
        for form, make in (
            (_STAR, lambda _: Wildcard()),
            (_SLICE, lambda match: Slice(*(None if part is None else int(part) for part in match.groups()))),
            (_INDEXES, lambda match: Indexes(tuple(map(int, match[0].split(","))))),
        ):
            match = form.match(self._text, self._at)
            if match is not None and self._text.startswith("]", match.end()):
                self._at = match.end() + 1
                token: Token = make(match)
                return token
        if _QUOTED.match(self._text, self._at) is not None:
            return self._quoted()
        match = _FILTER.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            return self._filter()
        raise self._error("Expected ?, ', 0-9 or * after '['")

    def _quoted(self) -> Token:
        names = []
        while True:
            match = _QUOTED.match(self._text, self._at)
            if match is None:
                raise self._error("Expected a quoted name")
            names.append(
                re.sub(r"\\(.)", r"\1", match[1] if match[1] is not None else match[2], flags=re.DOTALL)
            )
            self._at = match.end()
            if self._text.startswith("]", self._at):
                self._at += 1
                return Names(tuple(names))
            if not self._text.startswith(",", self._at):
                raise self._error("Expected ',' or ']' after a quoted name")
            self._at += 1

    def _filter(self) -> Token:
        from retrain.states.data import pathfilters  # which reads paths itself

        if not self._text.startswith("(", self._at):
            raise self._error("A filter is written [?(...)]; expected '('")
        predicate, self._at = pathfilters.read(self._text, self._at)
        closing = re.compile(r"\s*\]").match(self._text, self._at)
        if closing is None:
            raise self._error("Expected ']' after a filter")
        self._at = closing.end()
        return Filter(predicate)
