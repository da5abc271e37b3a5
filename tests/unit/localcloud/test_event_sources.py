"""Concurrency that comes from a parameter of a stack is a number."""

import pytest

from retrain.localcloud.repairs.event_sources import converted


def test_a_text_becomes_a_number():
    given = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": "2"}}
    assert converted(given) == {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    assert given["ScalingConfig"] == {"MaximumConcurrency": "2"}


@pytest.mark.parametrize(
    "given",
    ["mapping-1", {}, {"ScalingConfig": None}, {"ScalingConfig": {"MaximumConcurrency": "many"}}],
)
def test_anything_else_stays_as_it_is(given):
    assert converted(given) == given
