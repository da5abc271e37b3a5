"""Who serves, and who served before: what a deployment adds, a rollback takes away."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import champions
from tests.unit.functions.fakes import FakeLedger


def deployed(run_id: str, previous: str | None, at: str = "2026", **fields: Any) -> dict[str, Any]:
    """The finished record of a run, as far as a champion is made of it."""
    return {
        "endpoint_name": "e",
        "run_id": run_id,
        "endpoint_config_name": f"config-{run_id}",
        "model_name": f"model-{run_id}",
        "holdout_version": "h",
        "started_at": at,
        "finished_at": at,
        "previous_endpoint_config_name": f"config-{previous}" if previous else None,
        **fields,
    }


def rolled_back(run_id: str, target: str, previous: str) -> dict[str, Any]:
    return deployed(run_id, previous) | {
        "endpoint_config_name": f"config-{target}",
        "rollback": {"to_run_id": target, "from_run_id": previous},
    }


def crowned(*records: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] | None = None
    for record in records:
        known = champions.succeed(record, {}, known)
    assert known is not None
    return known


def line(known: dict[str, Any]) -> list[str]:
    return [entry["run_id"] for entry in champions.line(known)]


ABC = (deployed("a", None), deployed("b", "a"), deployed("c", "b"))


def test_those_who_served_before_are_kept_newest_first():
    known = crowned(*ABC)
    assert line(known) == ["c", "b", "a"]
    assert known["previous"]["run_id"] == "b"
    assert "predecessors" not in known["previous"]


def test_a_rollback_takes_away_what_it_goes_back_over():
    once = crowned(*ABC, rolled_back("r1", "b", "c"))
    assert line(once) == ["b", "a"]
    assert once["deployed_by"] == "r1"
    twice = crowned(*ABC, rolled_back("r1", "b", "c"), rolled_back("r2", "a", "b"))
    assert line(twice) == ["a"]
    assert twice["previous"] is None
    assert line(crowned(*ABC, rolled_back("r1", "a", "c"))) == ["a"]


def test_going_forward_again_to_a_named_run_keeps_the_way_back():
    known = crowned(*ABC, rolled_back("r1", "b", "c"), rolled_back("r2", "c", "b"))
    assert line(known) == ["c", "b", "a"]


@pytest.mark.parametrize("last", [deployed("c", "b"), rolled_back("r1", "a", "b")])
def test_writing_the_same_champion_twice_changes_nothing(last):
    records = (deployed("a", None), deployed("b", "a"), last)
    assert crowned(*records, last) == crowned(*records)


def test_a_model_that_nobody_could_write_down_is_a_predecessor_all_the_same():
    known = champions.succeed(deployed("a", None), {}, None)
    served = {"endpoint_config_name": "config-lost", "model_name": "model-lost", "run_id": ""}
    after = champions.succeed(deployed("c", "lost"), {"champion": served}, known)
    configs = [entry["endpoint_config_name"] for entry in champions.line(after)]
    assert configs == ["config-c", "config-lost", "config-a"]


def test_a_ledger_that_is_behind_names_what_served_before():
    known = crowned(deployed("a", None), deployed("b", "a"))
    assert [entry["run_id"] for entry in champions.before(known, "config-c")] == ["b", "a"]
    assert [entry["run_id"] for entry in champions.before(known, "config-b")] == ["a"]
    assert champions.before(None, "config-b") == []


def test_a_champion_of_an_earlier_release_has_its_one_predecessor():
    known = {
        "run_id": "b",
        "endpoint_config_name": "config-b",
        "previous": {"run_id": "a", "endpoint_config_name": "x"},
    }
    assert line(known) == ["b", "a"]


@given(st.integers(1, 60))
def test_the_line_has_an_end(count):
    runs = [str(number) for number in range(count)]
    known = crowned(*(deployed(run, before) for run, before in zip(runs, [None, *runs], strict=False)))
    assert line(known) == runs[::-1][: champions.MOST_PREDECESSORS + 1]


def test_a_late_repetition_does_not_take_the_place_of_what_was_deployed_later():
    ledger = FakeLedger()
    assert ledger.put_champion({"endpoint_name": "e", "run_id": "b", "deployed_at": "2026-02"})
    assert not ledger.put_champion({"endpoint_name": "e", "run_id": "a", "deployed_at": "2026-01"})
