"""Holding what came of an event against what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.samples.expected import Expected
from tests.samples.world import World


def check(
    expected: Expected, world: World, *, answer: Any = None, error: tuple[str, str] | None = None, log: str
) -> None:
    """Assert that what came of an event is what is expected.

    Parameters
    ----------
    answer
        What the function returned, if it did.
    error
        The type and message of what it raised, if it did.
    log
        All that it wrote.
    """
    if expected.error:
        assert error is not None, f"{expected.error[0]} was expected, and it answered {answer}"
        assert error[0] == expected.error[0]
        assert expected.error[1] in error[1]
    else:
        assert error is None, f"it failed with {error}"
        found = differences(expected.answer, answer)
        assert not found, found
    assert expected.logged in log, log
    assert len(world.runs()) == expected.runs
    decided = [(record["result"], record["reason"]) for record in world.decisions().values()]
    assert [result for result, _ in decided] == [result for result, _ in expected.decided], decided
    for (_, reason), (_, part) in zip(decided, expected.decided, strict=True):
        assert part in reason
    told = world.told()
    assert len(told) == len(expected.told), told
    for subject, part in zip(told, expected.told, strict=True):
        assert part in subject


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Where an answer is not what is expected; a text must only occur, and an object may hold more."""
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return [f"{path or 'the answer'} is {actual!r}"]
        return [
            found
            for name, value in expected.items()
            for found in differences(value, actual.get(name), f"{path}.{name}" if path else name)
        ]
    if isinstance(expected, str) and isinstance(actual, str):
        return [] if expected in actual else [f"{path} is {actual!r} and lacks {expected!r}"]
    return [] if expected == actual else [f"{path} is {actual!r} and not {expected!r}"]
