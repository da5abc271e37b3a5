"""The examples in the docstrings hold."""

from __future__ import annotations

import doctest

import pytest

import retrain.states.execution
import retrain.states.execution.clock
import retrain.states.execution.taskhistory


@pytest.mark.parametrize(
    "module",
    [retrain.states.execution, retrain.states.execution.clock, retrain.states.execution.taskhistory],
    ids=lambda module: module.__name__,
)
def test_examples(module) -> None:  # type: ignore[no-untyped-def]
    assert doctest.testmod(module).failed == 0
