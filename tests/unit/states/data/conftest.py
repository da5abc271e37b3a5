"""A scope that gives the same numbers every time."""

from __future__ import annotations

import pytest

from retrain.states.data import Scope


class Counting:
    """An `Entropy` without chance."""

    def __init__(self) -> None:
        self.drawn = 0

    def uuid(self) -> str:
        self.drawn += 1
        return f"00000000-0000-4000-8000-{self.drawn:012d}"

    def random(self, seed: int | None = None) -> float:
        return 0.5 if seed is None else 0.25


@pytest.fixture
def scope() -> Scope:
    """What the examples of the AWS pages and of the specification look at."""
    return Scope(
        input={
            "name": "Ann",
            "foo": 123,
            "bar": ["a", "b", "c"],
            "car": {"cdr": True},
            "jar": [{"a": 1}, {"a": 5}, {"a": 2}, {"a": 7}, {"a": 3}],
            "abc": {"def ghi": "spaced", "x.y": "dotted", "it's": "quoted"},
            "nothing": None,
            "empty": [],
            "cars": [
                {"maker": "Volvo", "year": 2021, "tags": ["new", "red"], "price": 30.5},
                {"maker": "Skoda", "year": 1999, "tags": [], "price": 1},
                {"maker": "Tesla", "tags": ["new"], "owner": None},
            ],
        },
        context={"Execution": {"Id": "arn:aws:states:eu-west-1:123456789012:execution:m:e", "Name": "e"}},
        variables={"count": 3, "settings": {"depth": [1, {"k": "v"}]}},
        entropy=Counting(),
    )
