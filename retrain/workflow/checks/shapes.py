"""What is known of a value before an execution runs: shapes, joined where several ways lead to a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from retrain.states.data import pathsyntax
from retrain.states.model.values import Json

MAX_DEPTH: Final = 12
"""What is nested deeper is not looked at: in a circle of states, values could grow without end."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Nothing is known."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A text, a number, true, false or null: it has no members."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Object:
    """An object.

    Attributes
    ----------
    members
        What it has, or may have.
    open
        Whether it may have others.
    """

    members: Mapping[str, Shape]
    open: bool = False


Shape: TypeAlias = Anything | Plain | Array | Object

ANYTHING: Final = Anything()
PLAIN: Final = Plain()


def join(one: Shape, other: Shape, depth: int = 0) -> Shape:
    """Return what is known of a value that is either of two."""
    if one == other:
        return one
    if depth > MAX_DEPTH:
        return ANYTHING
    if isinstance(one, Object) and isinstance(other, Object):
        names = [*one.members, *(name for name in other.members if name not in one.members)]
        members = {
            name: join(_member(one, other, name), _member(other, one, name), depth + 1) for name in names
        }
        return Object(members, one.open or other.open)
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(join(one.item, other.item, depth + 1))
    return ANYTHING


def _member(shape: Object, other: Object, name: str) -> Shape:
    """Return a member of one of two objects, as far as it may be there; else that of the other."""
    if name in shape.members:
        return shape.members[name]
    return ANYTHING if shape.open else other.members[name]


def of_constant(value: Json) -> Shape:
    """Return the shape of a value that is known."""
    if isinstance(value, Mapping):
        return Object({name: of_constant(item) for name, item in value.items()})
    if isinstance(value, list):
        item: Shape = of_constant(value[0]) if value else ANYTHING
        for each in value[1:]:
            item = join(item, of_constant(each))
        return Array(item)
    return PLAIN


def trimmed(shape: Shape, depth: int = 0) -> Shape:
    """Return a shape without what is nested too deeply."""
    if depth > MAX_DEPTH:
        return ANYTHING
    if isinstance(shape, Object):
        members = {name: trimmed(item, depth + 1) for name, item in shape.members.items()}
        return Object(members, shape.open)
    if isinstance(shape, Array):
        return Array(trimmed(shape.item, depth + 1))
    return shape


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to.

    Attributes
    ----------
    shape
        Of the value.
    missing
        The name that cannot be there; None if it may.
    known
        The names that can be in its place.
    """

    shape: Shape
    missing: str | None = None
    known: tuple[str, ...] = ()


def follow(tokens: tuple[pathsyntax.Token, ...], shape: Shape) -> Found:
    """Follow a path down from a value, as far as both are known."""
    for token in tokens:
        if isinstance(token, pathsyntax.Names) and len(token.names) == 1:
            name = token.names[0]
            if isinstance(shape, Object):
                if name in shape.members:
                    shape = shape.members[name]
                    continue
                if not shape.open:
                    return Found(ANYTHING, name, tuple(shape.members))
            elif isinstance(shape, Plain):
                return Found(ANYTHING, name)
            return Found(ANYTHING)
        if isinstance(token, pathsyntax.Indexes) and len(token.indexes) == 1 and isinstance(shape, Array):
            shape = shape.item
            continue
        return Found(ANYTHING)
    return Found(shape)


def put(steps: tuple[str | int, ...], into: Shape, value: Shape) -> Shape:
    """Return a value with another put into it at a reference path, as ResultPath does."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int) or isinstance(into, Array):
        return ANYTHING
    # Of a value that nothing is known of, it is known then that it is an object with this member.
    known = into if isinstance(into, Object) else Object({}, open=isinstance(into, Anything))
    before = known.members.get(first, ANYTHING if known.open else Object({}))
    return Object({**known.members, first: put(rest, before, value)}, known.open)
