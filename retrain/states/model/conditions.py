"""What a Choice state decides by: its rules, and the tree of comparisons of one in JSONPath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from retrain.states.model.values import ABSENT, Absent, Given, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One test of one value.

    Attributes
    ----------
    variable
        A path: what is compared.
    operator
        Such as `StringEquals` or `IsPresent`, always without the ending `Path`.
    value
        The other side: a constant, or a path if `is_path`.
    is_path
        The definition has the operator with the ending `Path`.
    """

    variable: str
    operator: str
    value: Json
    is_path: bool = False
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """True if all of its conditions are; they are evaluated in order until one is not."""

    conditions: tuple[Condition, ...]
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """True if one of its conditions is; they are evaluated in order until one is."""

    conditions: tuple[Condition, ...]
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """True if its condition is not."""

    condition: Condition
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)


Condition: TypeAlias = Comparison | And | Or | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRule:
    """Where to go if a condition holds.

    Attributes
    ----------
    condition
        A tree in JSONPath; in JSONata the string `{% ... %}` as it stands, or a Boolean.
    next
        Name of the state to go to.
    assign
        Variables to set if the condition holds, not evaluated; None if not given.
    output
        In JSONata, what replaces the state's output, not evaluated.
    comment
        Text for the reader. In JSONPath it stands beside the condition's own fields and is kept here.
    """

    condition: Condition | str | bool
    next: str
    assign: Mapping[str, Json] | None = None
    output: Json | Absent = ABSENT
    comment: str | None = None
    given: Given = field(default=(), repr=False, compare=False)
