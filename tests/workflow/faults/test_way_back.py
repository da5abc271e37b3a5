"""Going back, whole: the real machine and functions, the endpoint verified by the earlier run's rows."""

import itertools
from dataclasses import dataclass

import pytest

from tests.workflow.faults import faults
from tests.workflow.faults.faults import Fault
from tests.workflow.faults.stage import Outcome, Stage


@dataclass(frozen=True)
class Dataset:
    """A dataset of which two models have gone live, one after the other."""

    stage: Stage
    name: str

    def go_back(self, number: int = 1, to: str | None = None, *struck: Fault) -> Outcome:
        request = {"dataset": {"name": self.name}, "rollback": {"to": to}}
        return self.stage.run(f"{self.name}-back-{number}", request, struck)

    @property
    def serving(self) -> str:
        name = f"retrain-{self.name}"
        self.stage.sagemaker.describe_endpoint(EndpointName=name)
        return self.stage.sagemaker.endpoints[name].config

    def config(self, version: int) -> str:
        return f"retrain-{self.name}-{version}"


NUMBERS = itertools.count()


@pytest.fixture
def dataset(theatre) -> Dataset:
    stage, name = theatre.stage(), f"digits{next(NUMBERS)}"
    stage.sagemaker.answers_wrongly = False
    for version in ("1", "2"):
        stage.put_dataset(name, version)
        assert stage.run(f"{name}-{version}", {"dataset": {"name": name}}).told == ["DEPLOYED"]
    return Dataset(stage, name)


def test_the_model_before_serves_again_and_is_verified(dataset):
    outcome = dataset.go_back()
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert dataset.serving == dataset.config(1)
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


def test_with_nothing_to_go_back_to_nothing_is_changed(dataset):
    dataset.go_back()
    outcome = dataset.go_back(2)
    assert outcome.told == ["FAILED"]
    assert outcome.record is not None
    assert "nothing to go back to" in outcome.record["reason"]
    assert dataset.serving == dataset.config(1)


def test_forward_again_by_name(dataset):
    dataset.go_back()
    outcome = dataset.go_back(2, f"{dataset.name}-2")
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert dataset.serving == dataset.config(2)


def test_an_earlier_model_that_answers_otherwise_does_not_stay(dataset):
    dataset.stage.sagemaker.answers_wrongly = True
    outcome = dataset.go_back()
    assert outcome.told == ["ROLLED_BACK"]
    assert dataset.serving == dataset.config(2)


@pytest.mark.parametrize("state", ["Prepare", "ClaimEndpoint", "PutErrorAlarm", "UpdateEndpoint", "Verify"])
def test_what_lasts_leaves_the_champion_in_service(dataset, state):
    outcome = dataset.go_back(1, None, Fault(state, faults.BROKEN, lasting=True))
    assert outcome.told == ["ROLLED_BACK" if state == "Verify" else "FAILED"]
    assert dataset.serving == dataset.config(2)


@pytest.mark.parametrize("state", ["Prepare", "ClaimEndpoint", "PutErrorAlarm", "UpdateEndpoint", "Verify"])
def test_what_passes_does_not_hinder(dataset, state):
    outcome = dataset.go_back(1, None, Fault(state, faults.LOST, after=True))
    assert outcome.told == ["DEPLOYED"], outcome.execution.cause
    assert dataset.serving == dataset.config(1)
