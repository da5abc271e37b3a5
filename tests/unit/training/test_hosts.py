"""Hosts that share a machine share its cores."""

from __future__ import annotations

import os

import pytest

from hosts import keep_to_own_cores


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The cores that this process may run on; a test may take some away."""
    found = {0, 1, 2, 5, 7}

    def keep(process: int, kept: list[int]) -> None:
        assert process == 0
        assert set(kept) <= found
        found.clear()
        found.update(kept)

    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(found), raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", keep, raising=False)
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_all_cores_are_taken_and_none_twice(cores: set[int], count: int) -> None:
    everything = set(cores)
    shares = []
    for rank in range(count):
        cores.update(everything)
        keep_to_own_cores(rank, count)
        shares.append(set(cores))
    assert all(shares)
    assert set.union(*shares) == everything
    assert sum(map(len, shares)) == len(everything)


def test_more_hosts_than_cores_go_where_they_are_put(cores: set[int]) -> None:
    keep_to_own_cores(0, 6)
    assert len(cores) == 5


def test_a_system_that_cannot_be_told_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    keep_to_own_cores(1, 2)
