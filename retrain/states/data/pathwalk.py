"""The way of a path through a value, as Jayway JsonPath goes it, with its words for what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from retrain.states.data.pathfunctions import PathFunctionError, apply
from retrain.states.data.pathsyntax import (
    Descent,
    Filter,
    Function,
    Indexes,
    Names,
    Path,
    Slice,
    Token,
    Wildcard,
)
from retrain.states.data.values import text_of
from retrain.states.model.values import Json


class PathNotFoundError(LookupError):
    """A path leads nowhere; says where it ended, in Jayway's words."""


class PastTheEndError(PathNotFoundError):
    """A path ends in an index that the array does not have. AWS takes that for null in a payload template."""


def values(path: Path, root: Json) -> Json:
    """Return what a definite path leads to, or the list of all that an indefinite path leads to.

    Raises
    ------
    PathNotFoundError
        The path, or the definite part of it, leads nowhere. An indefinite path that finds nothing gives an
        empty list.
    """
    walk = _Walk(path.tokens, root)
    if not path.definite:
        return walk.all()
    if any(
        isinstance(token, Descent) for token in path.tokens
    ):  # `$..price.sum()`: of all that `$..price` finds
        return _applied(path.tokens[-1], _Walk(path.tokens[:-1], root).all())
    return walk.one()


def _applied(function: Token, value: Json) -> Json:
    try:
        return apply(cast("Function", function), value)
    except PathFunctionError as error:
        raise PathNotFoundError(str(error)) from None


class _Walk:
    """One path on its way through one document."""

    def __init__(self, tokens: Sequence[Token], root: Json) -> None:
        self._tokens = tokens
        self._root = root

    def one(self) -> Json:
        """Return what a definite path leads to."""
        value = self._root
        last = len(self._tokens) - 1
        for place, token in enumerate(self._tokens):
            if isinstance(token, Names):
                value = self._member(place, token, value, leaf=place == last)
            elif isinstance(token, Indexes):
                value = self._element(place, token, value, leaf=place == last)
            else:
                value = _applied(token, value)
        return value

    def all(self) -> list[Json]:
        """Return all that an indefinite path leads to."""
        return list(self._from(0, self._root, definite=True))

    def _written(self, end: int) -> str:
        return "$" + "".join(map(str, self._tokens[:end]))

    def _member(self, place: int, token: Names, value: Json, *, leaf: bool) -> Json:
        if not isinstance(value, dict):
            raise self._no_object(place, value)
        if len(token.names) > 1:
            return self._merged(place, token, value)
        if token.names[0] not in value:
            what = "No results for path:" if leaf else "Missing property in path"
            raise PathNotFoundError(f"{what} {self._written(place + 1)}")
        found: Json = value[token.names[0]]
        return found

    def _element(self, place: int, token: Indexes, value: Json, *, leaf: bool) -> Json:
        if not isinstance(value, list):
            raise self._no_array(place, value)
        index = token.indexes[0]
        if not -len(value) <= index < len(value):
            missing = PastTheEndError if leaf else PathNotFoundError
            raise missing(f"No results for path: {self._written(place + 1)}")
        found: Json = value[index]
        return found

    def _no_object(self, place: int, value: Json) -> PathNotFoundError:
        return PathNotFoundError(
            f"Expected to find an object with property {self._tokens[place]} in path {self._written(place)} "
            f"but found '{text_of(value)}'."
        )

    def _no_array(self, place: int, value: Json) -> PathNotFoundError:
        if value is None:
            return PathNotFoundError(f"The path {self._written(place)} is null")
        return PathNotFoundError(
            f"Filter: {self._tokens[place]} can only be applied to arrays. "
            f"Current context is: {text_of(value)}"
        )

    def _from(self, place: int, value: Json, *, definite: bool) -> Iterator[Json]:
        """Yield all that the tokens from a place on find; `definite` if none before was indefinite."""
        if place == len(self._tokens):
            yield value
            return
        token = self._tokens[place]
        if isinstance(token, Names):
            yield from self._members(place, token, value, definite=definite)
        elif isinstance(token, Indexes):
            yield from self._elements(place, token, value, definite=definite)
        elif isinstance(token, Slice):
            if isinstance(value, list):
                yield from self._each(place, value[token.start : token.stop])
            elif definite:
                raise self._no_array(place, value)
        elif isinstance(token, Wildcard):
            yield from self._each(place, _children(value))
        elif isinstance(token, Filter):
            yield from self._filtered(place, token, value, definite=definite)
        elif isinstance(token, Descent):
            yield from self._descend(place + 1, value)
        else:
            yield _applied(token, value)

    def _each(self, place: int, found: Sequence[Json]) -> Iterator[Json]:
        for value in found:
            yield from self._from(place + 1, value, definite=False)

    def _members(self, place: int, token: Names, value: Json, *, definite: bool) -> Iterator[Json]:
        if not isinstance(value, dict):
            if definite:
                raise self._no_object(place, value)
            return
        if len(token.names) == 1 and definite:
            yield from self._from(place + 1, self._member(place, token, value, leaf=False), definite=True)
        elif len(token.names) > 1:
            yield self._merged(place, token, value)
        else:
            yield from self._each(place, [value[name] for name in token.names if name in value])

    def _merged(self, place: int, token: Names, value: dict[str, Json]) -> Json:
        if place < len(self._tokens) - 1:
            raise PathNotFoundError(
                f"Multi properties can only be used as path leafs: {self._written(place + 1)}"
            )
        return {name: value[name] for name in token.names if name in value}

    def _elements(self, place: int, token: Indexes, value: Json, *, definite: bool) -> Iterator[Json]:
        if not isinstance(value, list):
            if definite:
                raise self._no_array(place, value)
            return
        if len(token.indexes) == 1 and definite:
            yield from self._from(place + 1, self._element(place, token, value, leaf=False), definite=True)
            return
        for index in token.indexes:
            if -len(value) <= index < len(value):
                yield from self._from(place + 1, value[index], definite=False)
            elif place == len(self._tokens) - 1:
                yield None  # AWS's JSON library answers null for an element that an array does not have

    def _filtered(self, place: int, token: Filter, value: Json, *, definite: bool) -> Iterator[Json]:
        if isinstance(value, dict):
            candidates: list[Json] = [value]
        elif isinstance(value, list):
            candidates = value
        elif definite:
            raise PathNotFoundError(
                f"Filter: {token} can not be applied to primitives. Current context is: {text_of(value)}"
            )
        else:
            return
        yield from self._each(place, [each for each in candidates if token.predicate(each, self._root)])

    def _descend(self, place: int, top: Json) -> Iterator[Json]:
        """Yield what the tokens find in a value and in everything in it, from the top down."""
        token = self._tokens[place]
        pending = [top]
        while pending:
            value = pending.pop()
            children = _children(value)
            # A filter after `..` tests every object by itself; in its array it would count twice.
            if isinstance(value, dict) or (isinstance(value, list) and not isinstance(token, Filter)):
                yield from self._from(place, value, definite=False)
            pending.extend(reversed(children))


def _children(value: Json) -> Sequence[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()
