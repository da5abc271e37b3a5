"""Going back, whole: the real machine and functions, the endpoint verified by the earlier run's rows."""

from collections.abc import Iterator

import pytest

from tests.workflow.faults import faults
from tests.workflow.faults.faults import Fault
from tests.workflow.faults.stage import Outcome, Stage, playing

ENDPOINT = "retrain-digits"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Two models have gone live, one after the other."""
    with playing() as made:
        for version in ("1", "2"):
            made.put_dataset("digits", version)
            assert made.run(f"digits-{version}", {"dataset": {"name": "digits"}}).told == ["DEPLOYED"]
        yield made


def go_back(stage: Stage, run_id: str, to: str | None = None, *struck: Fault) -> Outcome:
    return stage.run(run_id, {"dataset": {"name": "digits"}, "rollback": {"to": to}}, struck)


def serving(stage: Stage) -> str:
    stage.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    return stage.sagemaker.endpoints[ENDPOINT].config


def test_the_model_before_serves_again_and_is_verified(stage):
    outcome = go_back(stage, "back-1")
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert serving(stage) == "retrain-digits-1"
    assert outcome.record is not None
    assert outcome.record["verification"] == {
        "agrees": True,
        "verified": True,
        "rows": 10,
        "differing": 0,
        "sentence": (
            "The live endpoint answers 10 rows of the holdout as the gate has seen this model answer."
        ),
    }


def test_with_nothing_to_go_back_to_nothing_is_changed(stage):
    go_back(stage, "back-1")
    outcome = go_back(stage, "back-2")
    assert outcome.told == ["FAILED"]
    assert outcome.record is not None
    assert "nothing to go back to" in outcome.record["reason"]
    assert serving(stage) == "retrain-digits-1"


def test_forward_again_by_name(stage):
    go_back(stage, "back-1")
    outcome = go_back(stage, "forward-1", "digits-2")
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert serving(stage) == "retrain-digits-2"


def test_an_earlier_model_that_answers_otherwise_does_not_stay(stage):
    stage.sagemaker.answers_wrongly = True
    outcome = go_back(stage, "back-1")
    assert outcome.told == ["ROLLED_BACK"]
    assert serving(stage) == "retrain-digits-2"


@pytest.mark.parametrize("state", ["Prepare", "ClaimEndpoint", "PutErrorAlarm", "UpdateEndpoint", "Verify"])
def test_what_lasts_leaves_the_champion_in_service(stage, state):
    outcome = go_back(stage, "back-1", None, Fault(state, faults.BROKEN, lasting=True))
    assert outcome.told == ["ROLLED_BACK" if state == "Verify" else "FAILED"]
    assert serving(stage) == "retrain-digits-2"


@pytest.mark.parametrize("state", ["Prepare", "ClaimEndpoint", "PutErrorAlarm", "UpdateEndpoint", "Verify"])
def test_what_passes_does_not_hinder(stage, state):
    outcome = go_back(stage, "back-1", None, Fault(state, faults.LOST, after=True))
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert serving(stage) == "retrain-digits-1"
