"""The list of runs and the endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.console.overview import Overview
from retrain.errors import AwsCallError
from tests.unit.cli.fakes import refusal, run_record
from tests.unit.console.fakes import FAILED_EVENTS, RUNNING_EVENTS, SUCCEEDED_EVENTS, ConsoleStack


def look(stack: ConsoleStack) -> dict[str, Any]:
    return dict(Overview(stack).look())


def test_runs_are_newest_first(stack):
    for day in (2, 3, 1):
        stack.ledger.records.append(run_record(f"r{day}", started_at=f"2026-07-0{day}T12:00:00Z"))
    runs = look(stack)["runs"]
    assert [run["run_id"] for run in runs] == ["r3", "r2", "r1"]
    assert runs[0]["value"] == 0.9861
    assert runs[0]["metric"] == "accuracy"


def test_a_run_that_the_ledger_does_not_know_yet_is_listed(stack):
    stack.states.begin("new", [*RUNNING_EVENTS, {}], seen=1)
    [run] = look(stack)["runs"]
    assert (run["run_id"], run["outcome"], run["dataset"]) == ("new", "RUNNING", None)


def test_a_run_that_was_cut_off_is_not_shown_as_running(stack):
    stack.ledger.records.append(run_record("r1", outcome="RUNNING", finished_at=None, reason=None))
    stack.begin("r1", FAILED_EVENTS, "ABORTED")
    [run] = look(stack)["runs"]
    assert run["outcome"] == "ABORTED"
    assert run["finished_at"] is not None


def test_a_run_that_waits_for_approval_is_told_from_one_that_works(stack):
    waiting = {"outcome": "RUNNING", "finished_at": None, "reason": "Waits.", "approval": {"granted": None}}
    stack.ledger.records.append(run_record("r1", **waiting))
    stack.begin("r1", RUNNING_EVENTS)
    [run] = look(stack)["runs"]
    assert (run["outcome"], run["reason"]) == ("AWAITING_APPROVAL", "Waits.")
    stack.begin("r1", FAILED_EVENTS, "ABORTED")
    assert look(stack)["runs"][0]["outcome"] == "ABORTED"


def test_the_ledgers_word_on_how_a_run_ended_counts(stack):
    stack.ledger.records.append(run_record("r1", outcome="REJECTED"))
    stack.begin("r1", SUCCEEDED_EVENTS)
    [run] = look(stack)["runs"]
    assert run["outcome"] == "REJECTED"


def test_an_endpoint_is_shown_with_its_champion(stack):
    stack.ledger.records += [
        run_record("r1"),
        {
            "pk": "ENDPOINT#retrain-mnist",
            "sk": "CHAMPION",
            "kind": "champion",
            "run_id": "r1",
            "metric": "macro_f1",
            "value": 0.97,
            "deployed_at": "2026-08-01T12:01:05Z",
            "previous": {"run_id": "r0"},
        },
    ]
    stack.endpoints.statuses["retrain-mnist"] = "Updating"
    [endpoint] = look(stack)["endpoints"]
    assert endpoint["status"] == "Updating"
    assert (endpoint["run_id"], endpoint["predecessor"]) == ("r1", "r0")
    assert (endpoint["metric"], endpoint["value"]) == ("macro_f1", 0.97)


def test_a_dataset_without_endpoint_shows_none(stack):
    stack.ledger.records.append(run_record("r1", outcome="REJECTED"))
    assert look(stack)["endpoints"] == []


def test_the_runs_are_told_even_if_the_endpoints_may_not_be_looked_at(stack):
    stack.ledger.records.append(run_record("r1"))

    def refuse(**_: Any) -> None:
        raise refusal("ThrottlingException", "DescribeEndpoint")

    stack.endpoints.describe_endpoint = refuse
    looking = Overview(stack).look()
    name, runs = next(looking)
    assert (name, len(runs)) == ("runs", 1)
    with pytest.raises(AwsCallError, match="Throttling"):
        next(looking)


def test_nothing_at_all_is_no_error(stack):
    assert look(stack) == {"runs": [], "endpoints": []}
