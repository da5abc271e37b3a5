"""Evaluate: from a job's output to a verdict and a way to deploy."""

import json
from typing import Any

import pytest

from retraining.errors import (
    ChampionChangedError,
    EndpointBusyError,
    EndpointUnusableError,
    HoldoutChangedError,
    HoldoutInvalidError,
    HoldoutMissingError,
    TrainingStoppedError,
)
from retraining.evaluation import evaluate
from retraining.executions import Execution
from retraining.preparation import prepare
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.fakes import (
    FakeEndpoints,
    FakeLedger,
    FakeStorage,
    fake_ports,
    labels_csv,
    output_archive,
    predictions_csv,
)

DATA, ARTIFACTS = stack.NAMES["DataBucket"], stack.NAMES["ArtifactsBucket"]
LABELS = [str(row % 10) for row in range(100)]
OUTPUT = "runs/mnist-0123456789ab-1/training/job/output/output.tar.gz"


def guesses(wrong: int) -> bytes:
    return predictions_csv(LABELS, ["x"] * wrong + LABELS[wrong:])


class World:
    """A run whose training job has completed."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        self.storage, self.endpoints, self.ledger = FakeStorage(), FakeEndpoints(), FakeLedger()
        self.storage.put(DATA, "datasets/mnist/images", b"images")
        self.storage.put(DATA, "holdout/mnist/labels.csv", labels_csv(LABELS))
        self.job = {
            "name": "retrain-mnist-0123456789ab-1-r0t0",
            "status": "Completed",
            "secondary_status": "Completed",
            "model_data_url": f"s3://{ARTIFACTS}/{OUTPUT.replace('output.tar', 'model.tar')}",
        }
        self.state: dict[str, Any] = {}

    def prepare(self) -> None:
        ports = fake_ports(self.storage, self.ledger)
        request = {"dataset": {"name": "mnist"}}
        self.state = prepare(request, self.execution, self.settings, ports, self.endpoints)

    def evaluate(self, **files: bytes) -> dict[str, Any]:
        if not self.state:
            self.prepare()
        if files:
            self.storage.put(ARTIFACTS, OUTPUT, output_archive(**files))
        state = {**self.state, "job": self.job}
        return evaluate(state, self.settings, self.storage, self.endpoints, self.ledger)


@pytest.fixture
def world(configured: Settings, execution: Execution) -> World:
    return World(configured, execution)


def test_the_first_model_is_promoted_and_creates_the_endpoint(world):
    decision = world.evaluate(predictions=guesses(2))
    assert decision["verdict"] == "promote"
    figures = decision["metrics"]["challenger"]
    assert (figures["accuracy"], figures["correct"], figures["rows"]) == (0.98, 98, 100)
    assert decision["metrics"]["champion"] is None
    assert decision["deployment"] == {"action": "create", "previous_endpoint_config_name": None}


def test_the_evaluation_is_kept(world):
    decision = world.evaluate(predictions=guesses(2))
    key = "runs/mnist-0123456789ab-1/evaluation.json"
    assert decision["evaluation_s3_uri"] == f"s3://{ARTIFACTS}/{key}"
    kept = json.loads(world.storage.read(ARTIFACTS, key))
    assert kept["verdict"] == "promote"
    assert kept["gate"]["value_threshold"] == 0.95
    assert kept["subject"]["holdout_version"] == world.state["run"]["holdout_version"]
    assert len(kept["confusion"]["challenger"]["classes"]) == 11


VERIFY = "runs/mnist-0123456789ab-1/verify.jsonl"


def test_a_promoted_challenger_leaves_rows_to_verify_its_endpoint_with(world):
    asked = {"id": "0", "content_type": "text/csv", "body": "NCwy", "expected": "0", "prediction": "0"}
    world.evaluate(predictions=guesses(1), verify=json.dumps(asked).encode())
    (line,) = world.storage.read(ARTIFACTS, VERIFY).splitlines()
    assert json.loads(line) == {"id": "0", "content_type": "text/csv", "body": "NCwy", "expected": "x"}


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({}, "the training program left no verify.jsonl"),
        ({"verify": b"x" * 3_000_000}, "verify.jsonl has more than 1,048,576 bytes"),
    ],
)
def test_rows_that_cannot_be_had_leave_the_reason_and_the_verdict(world, files, note):
    assert world.evaluate(predictions=guesses(1), **files)["verdict"] == "promote"
    assert json.loads(world.storage.read(ARTIFACTS, VERIFY)) == {"note": note}


def test_a_rejected_challenger_leaves_none(world):
    world.evaluate(predictions=guesses(50), verify=b"{}")
    assert (ARTIFACTS, VERIFY) not in world.storage.objects


def test_a_better_challenger_updates_the_endpoint(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    decision = world.evaluate(predictions=guesses(2), champion_predictions=guesses(4))
    assert decision["verdict"] == "promote"
    assert decision["metrics"]["champion"]["accuracy"] == 0.96
    assert decision["deployment"] == {"action": "update", "previous_endpoint_config_name": "config-7"}


def test_a_worse_challenger_changes_nothing(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    decision = world.evaluate(predictions=guesses(4), champion_predictions=guesses(2))
    assert decision["verdict"] == "reject"
    assert decision["deployment"] == {"action": "none", "previous_endpoint_config_name": "config-7"}


def test_no_output_at_all(world):
    decision = world.evaluate()
    assert decision["verdict"] == "reject"
    assert "predictions.csv is missing (the job left no output.tar.gz)" in decision["summary"]


def test_an_output_without_predictions(world):
    decision = world.evaluate(metrics=b"accuracy\n1.0\n")
    assert (
        "predictions.csv is missing; a training program writes it to SM_OUTPUT_DATA_DIR"
        in decision["summary"]
    )


def test_an_output_that_is_no_archive(world):
    world.storage.put(ARTIFACTS, OUTPUT, b"rubbish")
    assert "output.tar.gz is unusable: it cannot be read as .tar.gz" in world.evaluate()["summary"]


def test_predictions_of_other_rows(world):
    decision = world.evaluate(predictions=predictions_csv(LABELS[:50], LABELS[:50]))
    assert decision["verdict"] == "reject"
    assert "lacks 50 of the holdout's ids" in decision["summary"]


def test_a_champion_without_predictions_stays(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    decision = world.evaluate(predictions=guesses(0))
    assert decision["verdict"] == "reject"
    assert "champion_predictions.csv is missing. And the champion was never judged" in decision["summary"]


def test_a_champion_without_predictions_is_known_from_its_own_run(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    world.prepare()
    world.storage.put("artifacts", "config-7/output.tar.gz", output_archive(predictions=guesses(3)))
    champion = {"run_id": "mnist-0-1", "holdout_version": world.state["run"]["holdout_version"]}
    world.state["champion"] |= champion
    decision = world.evaluate(predictions=guesses(4))
    assert decision["verdict"] == "reject"
    assert "1 lost (exact McNemar test)" in str(decision["checks"])
    assert world.evaluate(predictions=guesses(2))["verdict"] == "promote"
    world.state["champion"]["holdout_version"] = "another"
    assert world.evaluate(predictions=guesses(2))["verdict"] == "reject"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, "And of the champion's own run mnist-0-1, the job left no output.tar.gz."),
        ({"other": b"x"}, "And of the champion's own run mnist-0-1, output.tar.gz holds no predictions.csv."),
        ({"predictions": b""}, "And predictions.csv of run mnist-0-1 is empty."),
    ],
)
def test_a_champion_whose_own_predictions_are_gone(world, stored, said):
    world.endpoints.serve("retrain-mnist", "config-7")
    world.prepare()
    if stored is not None:
        world.storage.put("artifacts", "config-7/output.tar.gz", output_archive(**stored))
    world.state["champion"] |= {
        "run_id": "mnist-0-1",
        "holdout_version": world.state["run"]["holdout_version"],
    }
    decision = world.evaluate(predictions=guesses(0))
    assert decision["summary"] == (
        f"The challenger cannot be compared with the champion: champion_predictions.csv is missing. {said}"
    )


def test_without_the_champions_predictions_thresholds_may_decide(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    world.prepare()
    world.state["gate"]["without_champion_predictions"] = "thresholds_only"
    assert world.evaluate(predictions=guesses(0))["verdict"] == "promote"


def test_the_size_of_the_model_is_that_of_its_archive(world):
    world.prepare()
    world.storage.put(ARTIFACTS, OUTPUT.replace("output.tar", "model.tar"), b"x" * 1_500_000)
    world.state["gate"]["max_model_megabytes"] = 1.0
    decision = world.evaluate(predictions=guesses(2))
    assert decision["summary"] == "The model's 1.5 MB exceed the allowed 1 MB."


def test_a_champion_with_broken_predictions_stays(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    decision = world.evaluate(predictions=guesses(0), champion_predictions=b"id,label,prediction\n")
    assert decision["verdict"] == "reject"
    assert "champion_predictions.csv lacks 100 of the holdout's ids" in decision["summary"]


def test_a_holdout_that_changed_meanwhile(world):
    world.prepare()
    world.storage.put(DATA, "holdout/mnist/labels.csv", labels_csv(LABELS[:-1]))
    with pytest.raises(HoldoutChangedError, match="changed while the challenger trained"):
        world.evaluate(predictions=guesses(2))


def test_a_holdout_that_vanished_meanwhile(world):
    world.prepare()
    del world.storage.objects[DATA, "holdout/mnist/labels.csv"]
    with pytest.raises(HoldoutMissingError):
        world.evaluate(predictions=guesses(2))


def test_a_holdout_that_is_no_truth(world):
    world.storage.put(DATA, "holdout/mnist/labels.csv", b"these,are,not,labels\n")
    with pytest.raises(HoldoutInvalidError, match=r"holdout/mnist/labels\.csv lacks the column id, label"):
        world.evaluate(predictions=guesses(2))


@pytest.mark.parametrize(
    ("secondary", "said"), [("MaxRuntimeExceeded", "longer than its limit"), ("Stopped", "ended as Stopped")]
)
def test_a_job_that_did_not_complete(world, secondary, said):
    world.job |= {"status": "Stopped", "secondary_status": secondary}
    with pytest.raises(TrainingStoppedError, match=said):
        world.evaluate(predictions=guesses(2))


@pytest.mark.parametrize(
    ("status", "action"),
    [("Failed", "recreate"), ("OutOfService", "recreate"), ("Deleting", "await_deletion")],
)
def test_an_endpoint_that_serves_nobody_makes_room(world, status, action):
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-7", status)
    deployment = world.evaluate(predictions=guesses(2))["deployment"]
    assert deployment == {"action": action, "previous_endpoint_config_name": None}


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_that_another_run_is_deploying_to_is_waited_for(world, status):
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-7", status)
    with pytest.raises(EndpointBusyError, match=f"is {status}: another deployment"):
        world.evaluate(predictions=guesses(2))


def test_an_endpoint_that_needs_a_person(world):
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-7", "UpdateRollbackFailed")
    with pytest.raises(EndpointUnusableError):
        world.evaluate(predictions=guesses(2))


def test_a_champion_that_changed_meanwhile_is_not_overwritten(world):
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-8")
    with pytest.raises(ChampionChangedError, match=r"now serves config-8, but .* compared with no champion"):
        world.evaluate(predictions=guesses(2))


def test_a_rejected_challenger_does_not_mind_a_busy_endpoint(world):
    world.prepare()
    world.endpoints.serve("retrain-mnist", "config-8", "Updating")
    assert world.evaluate(predictions=guesses(50))["deployment"]["action"] == "none"
