"""Sizes, and chance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.data import SystemEntropy, limits
from retrain.states.data.randomness import JavaRandom
from retrain.states.errors import StatesError
from tests.unit.states.data.strategies import VALUES


@pytest.mark.parametrize("letter", ["a", "é", "語", "😀", '"', "\ud800"])
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: [text], lambda text: {"k": [text]}])
def test_the_limit_is_exact_in_bytes(letter: str, wrap: Any) -> None:
    per_letter = limits.size([letter]) - limits.size([""])
    room = limits.MAXIMUM_BYTES - limits.size(wrap(""))
    just = wrap(letter * (room // per_letter) + "a" * (room % per_letter))
    assert limits.size(just) == limits.MAXIMUM_BYTES
    limits.check(just, "It")
    large = wrap(letter * (room // per_letter) + "a" * (room % per_letter + 1))
    with pytest.raises(StatesError) as caught:
        limits.check(large, "The state/task 'T' returned a result")
    assert caught.value.error == "States.DataLimitExceeded"
    assert caught.value.cause == (
        "The state/task 'T' returned a result with a size exceeding the maximum number of bytes "
        "service limit."
    )


@given(VALUES)
def test_small_values_pass(value: Any) -> None:
    limits.check(value, "It")
    assert limits.size(value) <= limits.MAXIMUM_BYTES


class TestChance:
    @pytest.mark.parametrize(
        ("seed", "number"), [(42, 0.7275636800328681), (0, 0.730967787376657), (7, 0.7306990420600421)]
    )
    def test_seeded_numbers_are_those_of_aws(self, seed: int, number: float) -> None:
        assert SystemEntropy().random(seed) == number

    def test_integers_are_those_of_java(self) -> None:
        # new java.util.Random(42): nextInt(10) three times, then nextInt(1 << 20)
        chance = JavaRandom(42)
        assert [chance.below(10) for _ in range(3)] == [0, 3, 8]
        assert 0 <= chance.below(1 << 20) < 1 << 20

    @given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**31 - 1))
    def test_numbers_stay_within(self, seed: int, bound: int) -> None:
        assert 0 <= JavaRandom(seed).below(bound) < bound
        assert 0 <= JavaRandom(seed).double() < 1

    def test_without_a_seed_numbers_and_uuids_differ(self) -> None:
        entropy = SystemEntropy()
        assert len({entropy.random() for _ in range(5)}) == 5
        assert len({entropy.uuid() for _ in range(5)}) == 5
