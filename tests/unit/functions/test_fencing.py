"""Nothing older goes live over something newer, nothing from before a rollback after it, no two at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import deployments, fences, records
from retraining.errors import ChampionChangedError, EndpointBusyError
from retraining.executions import Execution
from retraining.ports import EndpointState
from tests.unit.functions.fakes import FakeAlarms, FakeEndpoints, FakeLedger, FakeMachine

ENDPOINT = EndpointState("retrain-mnist", "InService", "config-8")
JANUARY, FEBRUARY, MARCH = (f"2026-0{month}-01T12:00:00.000Z" for month in (1, 2, 3))


class World:
    """An endpoint that runs claim."""

    def __init__(self) -> None:
        self.ledger, self.machine, self.endpoints = FakeLedger(), FakeMachine(), FakeEndpoints()
        self.alarms = FakeAlarms()
        self.champion: dict[str, Any] | None = None
        self.guardable = True

    def claim(
        self, run_id: str, order: int, began: str = JANUARY, now: str = FEBRUARY, kind: str = "training"
    ) -> dict[str, Any]:
        if run_id not in self.ledger.runs:
            self.machine.start(run_id, {})
            self.ledger.put_run({"run_id": run_id, "outcome": "RUNNING"})
        state = {
            "names": {"endpoint": "retrain-mnist"},
            "run": {"dataset_order": order, "kind": kind},
            "champion": self.champion,
            "rollout": {"guardable": self.guardable},
        }
        execution = Execution(f"arn:{run_id}", run_id, began)
        return deployments.claim(
            state, execution, now, self.ledger, self.machine, self.endpoints, self.alarms
        )

    def end(self, run_id: str, outcome: str = "DEPLOYED") -> None:
        self.ledger.put_run({"run_id": run_id, "outcome": outcome})

    def claim_and_end(self, run_id: str, order: int, **claimed: Any) -> dict[str, Any]:
        found = self.claim(run_id, order, **claimed)
        self.end(run_id)
        return found


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_run_claims_its_endpoint(world):
    claim = world.claim("r1", 1)
    assert (claim["granted"], claim["reason"], claim["action"]) == (True, "", "create")


@pytest.fixture
def serving(world) -> World:
    world.endpoints.serve("retrain-mnist", "config-1")
    world.champion = {"endpoint_config_name": "config-1"}
    return world


def test_an_update_is_guarded_by_the_alarms(serving):
    claimed = serving.claim("r2", 2)
    assert (claimed["action"], claimed["previous_endpoint_config_name"]) == ("update", "config-1")
    assert claimed["guarded"]
    assert claimed["warning"] == ""


@pytest.mark.parametrize("alarm", ["retrain-mnist-5xx", "retrain-mnist-latency"])
def test_an_alarm_that_rings_for_the_champion_does_not_keep_its_successor_away(serving, alarm):
    serving.alarms = FakeAlarms(alarm)
    claimed = serving.claim("r2", 2)
    assert claimed["granted"]
    assert not claimed["guarded"]
    assert f"The alarm {alarm} rang already before the update" in claimed["warning"]


def test_a_serverless_endpoint_knows_no_guard(serving):
    serving.guardable = False
    claimed = serving.claim("r2", 2)
    assert (claimed["guarded"], claimed["warning"]) == (False, "")


def test_whoever_waited_for_an_approval_meets_the_endpoint_as_it_is_now(serving):
    serving.endpoints.serve("retrain-mnist", "config-9")
    with pytest.raises(ChampionChangedError, match="now serves config-9"):
        serving.claim("r2", 2)
    serving.endpoints.serve("retrain-mnist", "config-1", "Updating")
    with pytest.raises(EndpointBusyError):
        serving.claim("r2", 2)


def test_of_two_rollbacks_at_once_the_second_is_not_told_to_go_back_again(serving):
    serving.endpoints.serve("retrain-mnist", "config-0")
    with pytest.raises(ChampionChangedError) as raised:
        serving.claim("back", 1, kind="rollback")
    assert "or somebody else gone back" in str(raised.value)
    assert "Start the run again" not in str(raised.value)


def test_claiming_again_is_harmless(world):
    assert world.claim("r1", 1)["granted"]
    assert world.claim("r1", 1)["granted"]


def test_a_run_of_an_older_version_is_told_which_one_is_ahead(world):
    world.claim("r8", 8)
    claim = world.claim("r7", 7)
    assert not claim["granted"]
    assert (
        "The run r8 is of a newer version of the dataset (number 8; this one is of number 7)"
        in claim["reason"]
    )


def test_a_run_of_the_same_version_with_another_image_may_follow(world):
    world.claim_and_end("r8", 8)
    assert world.claim("r9", 8)["granted"]


def test_a_run_waits_for_the_one_that_deploys(world):
    world.claim("r8", 8)
    with pytest.raises(EndpointBusyError, match="The run r8 deploys to the endpoint retrain-mnist"):
        world.claim("r9", 9)
    world.end("r8", "FAILED")
    assert world.claim("r9", 9)["granted"]


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_a_run_that_ended_without_a_word_is_not_waited_for(world, status):
    world.claim("r8", 8)
    world.machine.end("r8", status)
    assert world.claim("r9", 9)["granted"]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_whatever_the_order_of_claims_versions_only_grow(orders):
    world = World()
    granted = [order for order in orders if world.claim_and_end(f"r{order}", order)["granted"]]
    assert granted == sorted(granted)
    assert max(orders) in granted


def test_a_run_from_before_a_rollback_does_not_go_live_after_it(world):
    world.claim_and_end("back", 5, kind="rollback", now=FEBRUARY)
    claim = world.claim("r9", 9, began=JANUARY, now=MARCH)
    assert not claim["granted"]
    assert claim["reason"].startswith(f"The run back was to go back to an earlier model at {FEBRUARY}")
    assert world.claim("r10", 9, began=MARCH, now=MARCH)["granted"]


def test_what_came_after_a_rollback_does_not_lift_it_for_what_was_before(world):
    world.claim_and_end("back", 5, kind="rollback", now=FEBRUARY)
    world.claim_and_end("r9", 9, began=MARCH, now=MARCH)
    assert not world.claim("r10", 10, began=JANUARY, now=MARCH)["granted"]


def test_a_rollback_goes_to_an_older_version_and_the_order_stays(world):
    world.claim_and_end("r8", 8)
    assert world.claim_and_end("back", 5, kind="rollback", now=FEBRUARY)["granted"]
    refused = world.claim("r7", 7, began=MARCH, now=MARCH)
    assert "number 8; this one is of number 7" in refused["reason"]


def test_a_second_rollback_is_not_stopped_by_the_first(world):
    world.claim_and_end("back", 5, kind="rollback", began=JANUARY, now=FEBRUARY)
    assert world.claim("further", 4, kind="rollback", began=JANUARY, now=MARCH)["granted"]


def test_two_that_claim_at_the_same_moment_do_not_both_get_it(world):
    class Racing(FakeLedger):
        """Somebody else claims between the reading and the writing."""

        def claim_endpoint(self, endpoint_name: str, claim: dict[str, Any], known: Any) -> bool:
            if not self.claims:
                self.claims[endpoint_name] = {"order": 9, "run_id": "r9", "turn": 1}
            return super().claim_endpoint(endpoint_name, claim, known)

    world.ledger = Racing()
    assert "The run r9 is of a newer version" in world.claim("r8", 8)["reason"]


def test_a_claim_of_an_earlier_release_counts(world):
    world.ledger.claims["retrain-mnist"] = {"order": 8, "run_id": "r8"}
    assert not world.claim("r7", 7)["granted"]
    assert world.claim("r9", 9)["granted"]
    assert world.ledger.claims["retrain-mnist"]["turn"] == 1


def test_a_run_that_a_rollback_went_ahead_of_is_known_as_such_before_it_claims():
    claim = {"order": 5, "run_id": "back", "rolled_back_at": FEBRUARY, "rolled_back_by": "back"}
    assert fences.obstacle({"dataset_order": 9}, "r9", JANUARY, claim)
    assert not fences.obstacle({"dataset_order": 9}, "r9", MARCH, claim)
    assert not fences.obstacle({"dataset_order": 9}, "r9", JANUARY, None)


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
    state = {"run": {"instance_type": "ml.m5.large", "instance_count": 1}, "job": {"billable_seconds": 90}}
    found = records.finished(
        {**state, "claim": claim}, execution, "SKIPPED", "2026-01-31T13:00:00.000Z", stack_name="retrain"
    )
    assert (found["outcome"], found["reason"]) == ("SKIPPED", "Run r8 is ahead.")
    assert found["cost_estimate"]["usd"] > 0
