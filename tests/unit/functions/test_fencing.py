"""A model of an older dataset version never goes live over that of a newer one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import deployments, records
from retraining.errors import ChampionChangedError
from retraining.executions import Execution
from retraining.ports import EndpointState
from tests.unit.functions.fakes import FakeLedger
from tests.unit.functions.states import deployed_state

ENDPOINT = EndpointState("retrain-mnist", "InService", "config-8")


def state(order: int) -> dict[str, Any]:
    return {"names": {"endpoint": "retrain-mnist"}, "run": {"dataset_order": order}}


def test_the_first_run_claims_its_endpoint():
    assert deployments.claim(state(1), "r1", FakeLedger()) == {"granted": True, "reason": ""}


def test_a_run_of_an_older_version_is_told_which_one_is_ahead():
    ledger = FakeLedger()
    deployments.claim(state(8), "r8", ledger)
    claim = deployments.claim(state(7), "r7", ledger)
    assert not claim["granted"]
    assert (
        "The run r8 is of a newer version of the dataset (number 8; this one is of number 7)"
        in claim["reason"]
    )


def test_a_run_of_the_same_version_with_another_image_may_follow():
    ledger = FakeLedger()
    deployments.claim(state(8), "r8", ledger)
    assert deployments.claim(state(8), "r9", ledger)["granted"]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_whatever_the_order_of_claims_versions_only_grow(orders):
    ledger = FakeLedger()
    granted = [order for order in orders if deployments.claim(state(order), f"r{order}", ledger)["granted"]]
    assert granted == sorted(granted)
    assert max(orders) in granted


def test_a_champion_of_a_newer_version_is_no_accident_that_fails_the_run():
    ledger = FakeLedger()
    champion = {"endpoint_name": "retrain-mnist", "endpoint_config_name": "config-8", "dataset_order": 8}
    ledger.put_champion(champion)
    assert deployments.is_superseded(ENDPOINT, 7, ledger)
    assert not deployments.is_superseded(ENDPOINT, 8, ledger)
    judged = {"endpoint_config_name": "config-6"}
    decided = deployments.decide(ENDPOINT, judged, promoted=True, superseded=True)
    assert decided["action"] == "superseded"
    with pytest.raises(ChampionChangedError):
        deployments.decide(ENDPOINT, judged, promoted=True)


def test_a_champion_that_does_not_serve_any_more_is_ahead_of_nobody():
    ledger = FakeLedger()
    ledger.put_champion(
        {"endpoint_name": "retrain-mnist", "endpoint_config_name": "gone", "dataset_order": 8}
    )
    assert not deployments.is_superseded(ENDPOINT, 7, ledger)
    assert not deployments.is_superseded(None, 7, ledger)


def test_the_record_says_why_a_run_was_skipped_at_the_end():
    claim = {"granted": False, "reason": "Run r8 is ahead."}
    execution = Execution("arn", "r7", "2026-01-31T12:00:00.000Z")
    found = records.finished(
        {**deployed_state(), "claim": claim},
        execution,
        "SKIPPED",
        "2026-01-31T13:00:00.000Z",
        stack_name="retrain",
    )
    assert (found["outcome"], found["reason"]) == ("SKIPPED", "Run r8 is ahead.")
    assert found["cost_estimate"]["usd"] > 0
