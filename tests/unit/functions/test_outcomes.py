"""How a run ended: its record, its champion, and what people read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import messages, outcomes, records, telling
from retraining.executions import Execution
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeChannels, FakeEndpoints, FakeLedger, FakeStorage
from tests.unit.functions.states import deployed_state, evaluated_state, prepared_state

ARTIFACTS = stack.NAMES["ArtifactsBucket"]
LATER = "2026-01-31T12:10:00.000Z"
TRAINING_ERROR = {
    "Error": "States.TaskFailed",
    "Cause": json.dumps(
        {
            "TrainingJobName": "retrain-mnist-0123456789ab-1-r0t0",
            "FailureReason": 'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "'
            'DatasetError: train-images-idx3-ubyte is cut short: 47040016 bytes expected, 1000 there"',
        }
    ),
}


class World:
    """What Record and Notify touch."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        self.storage, self.endpoints, self.ledger = FakeStorage(), FakeEndpoints(), FakeLedger()
        self.told = FakeChannels()

    def record(self, state: dict[str, Any], outcome: str) -> dict[str, Any]:
        finished = records.finished(state, self.execution, outcome, LATER, stack_name="retrain")
        return outcomes.record(finished, state, self.settings, self.storage, self.endpoints, self.ledger)

    def tell(self, state: dict[str, Any], outcome: str) -> tuple[str, str, dict[str, str]]:
        found = telling.find(state, self.execution, outcome, LATER, FakeLedger(), "retrain")
        telling.tell(found, "s3://b/run.json", (), self.told.channels)
        return self.told.topic.messages[-1]

    def record_and_tell(self, state: dict[str, Any], outcome: str) -> tuple[str, str, dict[str, str]]:
        return self.tell({**state, "record": {"run": self.record(state, outcome)}}, outcome)


@pytest.fixture
def world(configured: Settings, execution: Execution) -> World:
    return World(configured, execution)


def test_a_deployed_run(world):
    state = deployed_state()
    world.endpoints.serve("retrain-mnist", state["names"]["endpoint_config"])
    record = world.record(state, "DEPLOYED")
    assert record["outcome"] == "DEPLOYED"
    assert record["error"] is None
    assert record["finished_at"] == LATER
    assert record["model_package_arn"] == state["package"]["arn"]
    assert record["decision"]["verdict"] == "promote"
    assert set(record["decision"]) == {"verdict", "summary", "checks", "metrics"}
    assert record["serving"]["run_id"] == world.execution.name
    assert world.ledger.runs[world.execution.name] == record
    assert json.loads(world.storage.read(ARTIFACTS, f"runs/{world.execution.name}/run.json")) == record


def test_a_deployment_makes_a_champion_and_keeps_its_predecessor(world):
    state = deployed_state()
    world.record(state, "DEPLOYED")
    first = world.ledger.champions["retrain-mnist"]
    assert first["accuracy"] == 0.98
    assert first["previous"] is None
    assert first["model_data_url"] == state["job"]["model_data_url"]
    world.execution = Execution("arn", "mnist-second-1", "2026-02-01T12:00:00.000Z")
    state["names"] |= {"endpoint_config": "retrain-mnist-second-1", "model": "retrain-mnist-second-1"}
    world.record(state, "DEPLOYED")
    again = world.record(state, "DEPLOYED")
    second = world.ledger.champions["retrain-mnist"]
    assert second["run_id"] == again["run_id"] == "mnist-second-1"
    assert second["previous"]["run_id"] == first["run_id"]
    assert "previous" not in second["previous"]


def test_a_rejected_run_leaves_the_champion(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    champion = {
        "endpoint_name": "retrain-mnist",
        "endpoint_config_name": "config-7",
        "run_id": "r7",
        "accuracy": 0.99,
    }
    world.ledger.put_champion(champion)
    record = world.record(evaluated_state("reject"), "REJECTED")
    assert record["outcome"] == "REJECTED"
    assert record["model_name"] is None
    assert record["serving"]["run_id"] == "r7"
    assert world.ledger.champions["retrain-mnist"] is champion


def test_a_failure_before_anything_was_prepared(world):
    state = {
        "dataset": {"name": "mnist"},
        "error": {"Error": "HoldoutMissingError", "Cause": '{"errorMessage": "No."}'},
    }
    record = world.record(state, "FAILED")
    assert (record["outcome"], record["reason"]) == ("FAILED", "No.")
    assert record["error"]["name"] == "HoldoutMissingError"
    assert record["dataset"] == "mnist"
    assert record["endpoint_name"] == "retrain-mnist"
    assert record["dataset_version"] is None
    assert record["serving"] is None


@pytest.mark.parametrize(
    "state", [{}, {"dataset": 7}, {"dataset": {"name": "<script>"}}, {"dataset": {"name": None}}]
)
def test_a_failure_on_a_request_that_is_none(world, state):
    record = world.record(
        {**state, "error": {"Error": "RequestError", "Cause": '{"errorMessage": "No."}'}}, "FAILED"
    )
    assert record["endpoint_name"] is None
    assert record["reason"] == "No."
    _, body, attributes = world.tell({**state, "record": {"run": record}}, "FAILED")
    assert attributes["dataset"]
    assert "nothing was changed" in body


def test_who_asked_is_known_of_a_refused_request_too(world):
    state = {"dataset": {"name": "mnist"}, "trigger": {"kind": "s3", "id": "e1", "time": 7}}
    assert world.record(state, "FAILED")["trigger"] == {"kind": "s3", "id": "e1", "time": "7"}


def test_a_failed_training_job(world):
    record = world.record({**prepared_state(), "error": TRAINING_ERROR}, "FAILED")
    assert record["reason"] == (
        "Training failed: train-images-idx3-ubyte is cut short: 47040016 bytes expected, 1000 there"
    )
    assert record["file_count"] == 2
    assert record["training_job_name"] == "retrain-mnist-0123456789ab-1-r0t0"


def endpoint_in(status: str, config: str = "", **fields: str) -> dict[str, Any]:
    state = deployed_state()
    state["endpoint"] = {
        "EndpointStatus": status,
        "EndpointConfigName": config or state["names"]["endpoint_config"],
        **fields,
    }
    return state


@pytest.mark.parametrize(
    ("state", "outcome", "said"),
    [
        (
            endpoint_in("InService", "config-7"),
            "ROLLED_BACK",
            "rolled back and the endpoint serves config-7 again",
        ),
        (endpoint_in("Failed", FailureReason="No ping."), "FAILED", "The endpoint did not start: No ping."),
        (
            endpoint_in("UpdateRollbackFailed"),
            "FAILED",
            "The endpoint did not start: SageMaker gave no reason.",
        ),
        (endpoint_in("Updating"), "FAILED", "still Updating after all the time"),
        ({**prepared_state(), "deleting": {"count": 1}}, "FAILED", "still being deleted"),
        (prepared_state(), "FAILED", "failed without saying why"),
    ],
)
def test_deployments_that_did_not_succeed(world, state, outcome, said):
    record = world.record(state, "FAILED")
    assert record["outcome"] == outcome
    assert said in record["reason"]


def test_the_message_of_a_deployment(world):
    state = deployed_state()
    world.endpoints.serve("retrain-mnist", state["names"]["endpoint_config"])
    subject, body, attributes = world.record_and_tell(state, "DEPLOYED")
    assert subject == "Retrain mnist: a new model serves, accuracy 98.00 %"
    assert attributes == {"outcome": "DEPLOYED", "dataset": "mnist"}
    assert body == MESSAGE


MESSAGE = """\
mnist: a new model serves.

What arrived
2 files, dataset version dddddddddddd; the run was asked for by an upload.

What was decided, and why
The challenger was promoted.
  [passed] All 100 rows of the holdout were predicted, each once.
  [passed] The holdout's 100 rows are enough: 1 are required.
  [passed] Accuracy 98.00 % (98 of 100) reaches the required 95.00 %.

How it went live
The endpoint was made for it.
Verified: 20 of 20 rows of the holdout are answered as the gate has seen.

What serves now
The endpoint retrain-mnist serves the model of this run, accuracy 98.00 %.

What it cost
Less than 1 cent for training (90 billed seconds of 1 x ml.c5.xlarge, list prices of us-east-1 as of \
2025-06); storage, requests and the endpoint are not in it.

Where to look
  run        mnist-0123456789ab-1
  execution  arn:aws:states:us-east-1:123456789012:execution:retrain:mnist-0123456789ab-1
  job        retrain-mnist-0123456789ab-1-r0t0
"""


def test_the_message_of_a_rejection(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    subject, body, attributes = world.record_and_tell(evaluated_state("reject"), "REJECTED")
    assert subject == "Retrain mnist: the challenger was rejected, accuracy 68.00 %"
    assert "[failed] Accuracy 68.00 % (68 of 100) is below the required 95.00 %." in body
    assert "The endpoint retrain-mnist still serves the endpoint config config-7." in body
    assert attributes["outcome"] == "REJECTED"


def test_the_message_of_a_failure(world):
    subject, body, attributes = world.record_and_tell({**prepared_state(), "error": TRAINING_ERROR}, "FAILED")
    assert subject == "Retrain mnist: the run failed"
    assert "Nothing new was deployed. Training failed: train-images-idx3-ubyte is cut short" in body
    assert "No endpoint serves this dataset's model yet." in body
    assert attributes["outcome"] == "FAILED"


def test_the_message_of_a_rollback(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    subject, _, attributes = world.record_and_tell(endpoint_in("InService", "config-7"), "FAILED")
    assert subject == "Retrain mnist: the update was rolled back"
    assert attributes["outcome"] == "ROLLED_BACK"


def test_the_message_while_the_endpoint_is_in_trouble(world):
    world.endpoints.serve("retrain-mnist", "config-7", "Failed")
    _, body, _ = world.record_and_tell(endpoint_in("Failed"), "FAILED")
    assert "The endpoint retrain-mnist is Failed." in body


def test_a_run_that_could_not_be_recorded_is_told_all_the_same(world):
    _, body, _ = world.tell({**deployed_state(), "record_error": {"Error": "X", "Cause": ""}}, "DEPLOYED")
    assert "The challenger was promoted." in body
    assert "What serves now\nIt could not be found out." in body
    assert "could not be written to the ledger" in body


@given(st.text(max_size=200), st.sampled_from(records.OUTCOMES))
def test_every_subject_is_one_that_sns_takes(dataset, outcome):
    record = {"outcome": outcome, "dataset": dataset, "run_id": "r", "execution_arn": "a", "serving": None}
    message = messages.render(record)
    assert len(message.subject) <= 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert message.attributes["dataset"]
