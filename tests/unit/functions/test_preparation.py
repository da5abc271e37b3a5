"""Prepare: everything that a run needs, or a clear error before anything is spent."""

from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from retraining.errors import (
    ContendedError,
    DatasetEmptyError,
    EndpointUnusableError,
    HoldoutMissingError,
    PolicyError,
    ProgramError,
    RequestError,
    RunLimitError,
    RunSlotsTakenError,
)
from retraining.executions import Execution
from retraining.ports import EndpointState
from retraining.preparation import MOST_POLLS, poll, prepare
from retraining.settings import Settings
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeEndpoints, FakeLedger, FakeStorage, fake_ports

SAGEMAKER = botocore.session.Session().get_service_model("sagemaker")
DATA, ARTIFACTS = stack.NAMES["DataBucket"], stack.NAMES["ArtifactsBucket"]
REQUEST = {"dataset": {"name": "mnist"}}


class World:
    """A stack with a dataset and a holdout, and nothing deployed."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        self.settings, self.execution = settings, execution
        self.storage, self.endpoints, self.ledger = FakeStorage(), FakeEndpoints(), FakeLedger()
        self.ports = fake_ports(self.storage, self.ledger)
        self.storage.put(DATA, "datasets/mnist/images", b"images")
        self.storage.put(DATA, "datasets/mnist/labels", b"labels")
        self.storage.put(DATA, "datasets/mnist/_SUCCESS", b"")
        self.storage.put(DATA, "holdout/mnist/labels.csv", b"id,label\n0,1\n")

    def prepare(self, payload: object = REQUEST) -> dict:
        return prepare(payload, self.execution, self.settings, self.ports, self.endpoints)

    def another(self, name: str, payload: object = REQUEST) -> dict:
        """Prepare another execution, which is under way."""
        self.ports.machine.start(name, {})
        self.execution = Execution(f"arn:{name}", name, "2026-01-31T12:00:00.000Z")
        return self.prepare(payload)


@pytest.fixture
def world(configured: Settings, execution: Execution) -> World:
    return World(configured, execution)


def validate(operation: str, parameters: dict) -> None:
    report = ParamValidator().validate(parameters, SAGEMAKER.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()


def job_parameters(prepared: dict) -> dict:
    training = {name: value for name, value in prepared["training"].items() if name != "timeout_seconds"}
    name = f"{prepared['names']['training_job']}-r0t0"
    return {"TrainingJobName": name, "RoleArn": stack.arn("SageMakerRole"), **training}


def test_the_first_run_of_a_dataset(world):
    prepared = world.prepare()
    assert prepared["run"]["file_count"] == 2
    assert prepared["run"]["dataset_s3_uri"] == f"s3://{DATA}/datasets/mnist/"
    assert prepared["champion"] is None
    assert prepared["gate"] == {
        "metric": "accuracy",
        "value_threshold": 0.95,
        "change_threshold": 0.0,
        "significance": "not_worse",
        "alpha": 0.05,
        "slice_floor": 0.5,
        "slice_max_drop": 0.1,
        "slice_min_rows": 100,
        "max_model_megabytes": None,
        "max_latency_ms": None,
        "min_holdout_rows": 100,
        "without_champion_predictions": "reject",
    }
    assert prepared["poll"] == {"seconds": 15, "step": 0, "left": 568}
    channels = {channel["ChannelName"]: channel for channel in prepared["training"]["InputDataConfig"]}
    assert list(channels) == ["training", "holdout"]
    assert channels["holdout"]["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{DATA}/holdout/mnist/"
    assert prepared["training"]["HyperParameters"] == {"epochs": "3"}
    assert prepared["training"]["OutputDataConfig"]["S3OutputPath"].startswith(
        f"s3://{ARTIFACTS}/runs/mnist-"
    )
    validate("CreateTrainingJob", job_parameters(prepared))


def test_the_run_is_written_down_as_running(world):
    world.prepare()
    record = world.ledger.runs["mnist-0123456789ab-1"]
    assert record["outcome"] == "RUNNING"
    assert record["kind"] == "run"
    assert record["endpoint_name"] == "retrain-mnist"
    assert record["file_count"] == 2
    assert record["finished_at"] is None
    assert record["training_job_name"] == "retrain-mnist-0123456789ab-1-r0t0"


def test_a_champion_becomes_a_channel(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    prepared = world.prepare()
    channel = prepared["training"]["InputDataConfig"][2]
    assert channel["ChannelName"] == "champion"
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://artifacts/config-7/model.tar.gz"
    assert prepared["champion"]["run_id"] == ""
    validate("CreateTrainingJob", job_parameters(prepared))


def test_what_the_ledger_knows_of_the_champion_is_used_only_if_it_is_the_one_that_serves(world):
    world.endpoints.serve("retrain-mnist", "config-7")
    known = {
        "endpoint_name": "retrain-mnist",
        "run_id": "r7",
        "metrics": {"accuracy": 0.9},
        "holdout_version": "h",
    }
    world.ledger.put_champion({**known, "endpoint_config_name": "config-7"})
    assert world.prepare()["champion"]["run_id"] == "r7"
    world.ledger.put_champion({**known, "endpoint_config_name": "config-6"})
    assert world.prepare()["champion"]["run_id"] == ""
    assert world.prepare()["champion"]["metrics"] is None


@pytest.mark.parametrize("status", ["Failed", "Creating", "Deleting"])
def test_an_endpoint_that_serves_nothing_has_no_champion(world, status):
    world.endpoints.serve("retrain-mnist", "config-7", status)
    assert world.prepare()["champion"] is None


@pytest.mark.parametrize("status", ["InService", "Updating", "OutOfService"])
def test_an_endpoint_with_a_config_has_a_champion(world, status):
    world.endpoints.serve("retrain-mnist", "config-7", status)
    assert world.prepare()["champion"]["endpoint_config_name"] == "config-7"


@given(st.integers(1, 300), st.integers(1, 30_000))
def test_looks_at_an_endpoint_last_long_enough_and_are_never_too_many(wait, patience):
    found = poll(wait, patience)
    waits = [found["seconds"] + found["step"] * look for look in range(found["left"])]
    assert waits[0] == wait
    assert sum(waits[:-1]) < 2 * patience <= sum(waits)
    assert len(waits) <= MOST_POLLS
    assert max(waits) <= max(wait, (wait**2 + 4 * patience) ** 0.5 + 1)


def serve_serverless(world, status="InService"):
    world.endpoints.serve("retrain-mnist", "config-7", status)
    model = world.endpoints.models["config-7"]
    world.endpoints.models["config-7"] = replace(model, serving_mode="serverless")


@pytest.mark.parametrize(
    ("now", "wanted", "why"),
    [
        ("realtime", "serverless", "SageMaker refuses to update a real-time endpoint to a serverless one"),
        ("serverless", "realtime", "never back: should the new model fail, the champion could not be"),
    ],
)
def test_an_endpoint_keeps_its_mode_before_a_job_is_paid_for(world, now, wanted, why):
    world.endpoints.serve("retrain-mnist", "config-7")
    if now == "serverless":
        serve_serverless(world)
    world.settings = replace(
        world.settings, deployment=replace(world.settings.deployment, serving_mode=wanted)
    )
    said = (
        f"retrain-mnist is {now}, and the stack's parameter ServingMode is {wanted}.*{why}.*Set ServingMode"
    )
    with pytest.raises(EndpointUnusableError, match=said):
        world.prepare()


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_an_endpoint_that_is_made_anew_may_take_another_mode(world, status):
    serve_serverless(world, status)
    assert world.prepare()["rollout"]["guardable"]


def test_a_config_without_its_model_has_no_champion(world):
    world.endpoints.endpoints["retrain-mnist"] = EndpointState("retrain-mnist", "InService", "gone")
    assert world.prepare()["champion"] is None


def test_an_endpoint_that_nobody_could_deploy_to_stops_the_run_before_it_costs(world):
    world.endpoints.serve("retrain-mnist", "config-7", "UpdateRollbackFailed")
    with pytest.raises(EndpointUnusableError, match="bring it back into service or delete it"):
        world.prepare()
    assert not world.ledger.runs


def test_script_mode(world):
    source = f"s3://{ARTIFACTS}/sources/sourcedir.tar.gz"
    training = {"source_s3_uri": source, "entry_point": "mnist.py", "hyperparameters": {"epochs": 1}}
    prepared = world.prepare({**REQUEST, "training": training})
    assert prepared["training"]["HyperParameters"] == {
        "epochs": "1",
        "sagemaker_program": "mnist.py",
        "sagemaker_submit_directory": source,
    }
    assert prepared["serving"]["Environment"] == {
        "SAGEMAKER_PROGRAM": "mnist.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": source,
    }
    assert prepared["run"]["source"] == f"{source}#mnist.py"
    validate("CreateTrainingJob", job_parameters(prepared))


def test_spot_instances_may_be_waited_for(world):
    prepared = world.prepare({**REQUEST, "training": {"use_spot": True, "instance_count": 2}})
    assert prepared["training"]["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 3600,
        "MaxWaitTimeInSeconds": 90_000,
    }
    assert prepared["training"]["timeout_seconds"] == 93_600
    assert prepared["training"]["ResourceConfig"]["InstanceCount"] == 2
    validate("CreateTrainingJob", job_parameters(prepared))


def test_the_gate_may_be_overridden(world):
    prepared = world.prepare({**REQUEST, "gate": {"value_threshold": 0.5}})
    assert prepared["gate"]["value_threshold"] == 0.5


def test_a_dataset_may_have_a_policy_of_its_own(world):
    world.ledger.policies["mnist"] = {"value_threshold": 0.6, "alpha": 0.01}
    assert world.prepare()["gate"]["value_threshold"] == 0.6
    prepared = world.prepare({**REQUEST, "gate": {"value_threshold": 0.5}})
    assert (prepared["gate"]["value_threshold"], prepared["gate"]["alpha"]) == (0.5, 0.01)


def test_a_wrong_policy_starts_nothing(world):
    world.ledger.policies["mnist"] = {"value_threshold": 6}
    with pytest.raises(PolicyError, match=r"The field POLICY#mnist\.value_threshold is 6\.0; for accuracy"):
        world.prepare()
    assert not world.ledger.runs


def test_a_dataset_that_is_not_there(world):
    with pytest.raises(DatasetEmptyError, match=r"There are no files under s3://.*/datasets/other/: upload"):
        world.prepare({"dataset": {"name": "other"}})


def test_a_dataset_of_markers_only(world):
    world.storage.put(DATA, "datasets/other/_SUCCESS", b"")
    with pytest.raises(DatasetEmptyError, match="There are no files"):
        world.prepare({"dataset": {"name": "other"}})


def test_a_dataset_of_empty_files(world):
    world.storage.put(DATA, "datasets/other/images", b"")
    with pytest.raises(DatasetEmptyError, match=r"All 1 files under .* are empty"):
        world.prepare({"dataset": {"name": "other"}})


def test_a_dataset_whose_name_begins_another_ones_name(world):
    world.storage.put(DATA, "datasets/mnist2/images", b"more")
    assert world.prepare()["run"]["file_count"] == 2


def test_a_missing_holdout(world):
    del world.storage.objects[DATA, "holdout/mnist/labels.csv"]
    with pytest.raises(HoldoutMissingError, match=r"There is no s3://.*/holdout/mnist/labels.csv: upload"):
        world.prepare()


def test_an_empty_holdout(world):
    world.storage.put(DATA, "holdout/mnist/labels.csv", b"")
    with pytest.raises(HoldoutMissingError, match=r"labels\.csv is empty"):
        world.prepare()


def test_a_request_that_is_none(world):
    with pytest.raises(RequestError):
        world.prepare(["mnist"])
    assert not world.ledger.runs


def test_too_many_hyperparameters_with_those_of_script_mode(world):
    training = {
        "source_s3_uri": f"s3://{ARTIFACTS}/sources/sourcedir.tar.gz",
        "hyperparameters": {f"h{number}": 1 for number in range(99)},
    }
    with pytest.raises(RequestError, match="There are 102 hyperparameters"):
        world.prepare({**REQUEST, "training": training})


def test_the_retrain_key_is_of_content(world):
    first = world.prepare()["run"]["retrain_key"]
    assert world.prepare()["run"]["retrain_key"] == first
    world.storage.put(DATA, "holdout/mnist/labels.csv", b"id,label\n0,2\n")
    assert world.prepare()["run"]["retrain_key"] != first


class TestRepeats:
    def test_the_same_content_started_by_hand_while_it_runs_is_skipped(self, world):
        world.another("by-hand-1")
        again = world.another("by-hand-2")
        assert again["skip"]["skipped"]
        assert again["skip"]["repeats"] == "by-hand-1"
        assert "by-hand-1, which is under way" in again["skip"]["reason"]

    def test_the_same_content_after_it_has_run_is_skipped(self, world):
        world.another("by-hand-1")
        world.ports.machine.end("by-hand-1", "SUCCEEDED")
        assert "has run already" in world.another("by-hand-2")["skip"]["reason"]

    def test_preparing_a_run_again_does_not_make_it_its_own_repeat(self, world):
        world.another("by-hand-1")
        assert not world.prepare()["skip"]["skipped"]

    def test_force_runs_it_again(self, world):
        world.another("by-hand-1")
        world.ports.machine.end("by-hand-1", "SUCCEEDED")
        assert not world.another("by-hand-2", {**REQUEST, "force": True})["skip"]["skipped"]
        world.ports.machine.end("by-hand-2", "SUCCEEDED")
        assert world.another("by-hand-3")["skip"]["repeats"] == "by-hand-2"

    @pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
    def test_what_failed_is_run_again(self, world, status):
        world.another("by-hand-1")
        world.ports.machine.end("by-hand-1", status)
        world.ledger.runs["by-hand-1"]["outcome"] = "FAILED"
        assert not world.another("by-hand-2")["skip"]["skipped"]

    def test_two_that_begin_at_the_same_moment_settle_it(self, world, monkeypatch):
        monkeypatch.setattr(world.ledger, "claim_key", lambda *_: False)
        with pytest.raises(ContendedError):
            world.another("by-hand-1")

    def test_too_many_at_a_time_wait(self, world):
        world.another("by-hand-1")
        world.storage.put(DATA, "datasets/mnist/images", b"others")
        with pytest.raises(RunSlotsTakenError, match="MaxConcurrentRuns allows 1 of this dataset at a time"):
            world.another("by-hand-2")
        world.ports.machine.end("by-hand-1", "SUCCEEDED")
        assert not world.another("by-hand-2")["skip"]["skipped"]

    def test_too_many_in_a_day_are_refused(self, world):
        for number in range(world.settings.guards.max_runs_per_day):
            world.storage.put(DATA, "datasets/mnist/images", bytes([number]))
            world.another(f"by-hand-{number}")
            world.ports.machine.end(f"by-hand-{number}", "SUCCEEDED")
        world.storage.put(DATA, "datasets/mnist/images", b"others")
        with pytest.raises(RunLimitError, match="MaxRunsPerDay"):
            world.another("one-more")

    def test_a_run_knows_the_order_of_its_dataset_version(self, world):
        assert world.another("by-hand-1")["run"]["dataset_order"] == 1
        world.ports.machine.end("by-hand-1", "SUCCEEDED")
        world.ports.clock.pass_by(1)
        world.storage.put(DATA, "datasets/mnist/images", b"others")
        assert world.another("by-hand-2")["run"]["dataset_order"] == 2

    def test_the_image_is_pinned_and_part_of_the_key(self, world):
        first = world.another("by-hand-1")
        assert "@sha256:" in first["run"]["image_uri"]
        assert first["training"]["AlgorithmSpecification"]["TrainingImage"] == first["run"]["image_uri"]
        assert first["serving"]["Image"] == first["run"]["image_uri"]
        world.ports.machine.end("by-hand-1", "SUCCEEDED")
        world.ports.registry.pushes["retrain-training:1.0"] = 1
        assert not world.another("by-hand-2")["skip"]["skipped"]


def test_a_dataset_is_trained_with_its_own_program(world):
    source = f"s3://{ARTIFACTS}/sources/mnist/a.tar.gz"
    own = {"source_s3_uri": source, "entry_point": "fit.py", "hyperparameters": {"c": 2}}
    world.ledger.programs["mnist"] = own | {"instance_count": 2}
    prepared = world.prepare()
    assert prepared["run"]["source"] == f"{source}#fit.py"
    assert (
        job_parameters(prepared)["HyperParameters"].items()
        >= {"c": "2", "sagemaker_program": "fit.py"}.items()
    )
    assert job_parameters(prepared)["ResourceConfig"]["InstanceCount"] == 2
    assert prepared["serving"]["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] == source


def test_a_request_goes_before_the_datasets_own_program(world):
    own = {"source_s3_uri": f"s3://{ARTIFACTS}/sources/a.tar.gz", "entry_point": "fit.py"}
    world.ledger.programs["mnist"] = own | {"hyperparameters": {"c": 2}}
    asked = {"source_s3_uri": f"s3://{ARTIFACTS}/sources/b.tar.gz", "hyperparameters": {"c": 3}}
    prepared = world.prepare(REQUEST | {"training": asked})
    assert prepared["run"]["source"] == f"{asked['source_s3_uri']}#{world.settings.training.entry_point}"
    assert prepared["run"]["hyperparameters"]["c"] == "3"


def test_a_program_from_elsewhere_is_not_run(world):
    world.ledger.programs["mnist"] = {"source_s3_uri": f"s3://{DATA}/datasets/mnist/a.tar.gz", "cpu": 1}
    with pytest.raises(
        ProgramError, match=r"program\.source_s3_uri is .*under s3://.*program\.cpu is unknown"
    ) as told:
        world.prepare()
    assert "'retrain program set mnist FOLDER'" in str(told.value)
