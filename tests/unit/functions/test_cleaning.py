"""Clean-up: what stays, what goes, and that nothing that is wanted ever goes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import champions, cleaning, settings
from retraining.aws import clients
from retraining.aws.remains import AwsRemains
from retraining.errors import AccessRefusedError, AwsError
from retraining.ports import EndpointState
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeEndpoints, FakeLedger, FakeMachine

ENDPOINT = "retrain-mnist"
NOW = "2026-02-01T12:00:00.000Z"


class FakeRemains:
    """Remembers what was removed; whatever begins with a forbidden name is refused."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.refused = ""

    def reject_package(self, arn: str, reason: str) -> int:
        assert "KeepModels" in reason
        return self._remove(arn)

    def delete_endpoint_config(self, name: str) -> int:
        return self._remove(f"config {name}")

    def delete_model(self, name: str) -> int:
        return self._remove(f"model {name}")

    def delete_objects(self, bucket: str, prefix: str) -> int:
        assert bucket == stack.NAMES["ArtifactsBucket"]
        return self._remove(prefix)

    def delete_log_streams(self, training_job: str) -> int:
        return self._remove(f"log {training_job}")

    def limit_endpoint_log(self, endpoint_name: str, days: int) -> int:
        return self._remove(f"{days} days of {endpoint_name}")

    def _remove(self, what: str) -> int:
        if self.refused and what.startswith(self.refused):
            raise AccessRefusedError(f"Removing {what} is not allowed.")
        self.gone.append(what)
        return 1


class World:
    """A stack that keeps two models."""

    def __init__(self, keep: int = 2) -> None:
        found = settings.from_environment(stack.environment("CleanUpFunction"))
        self.settings = replace(found, keep_models=keep)
        self.ledger, self.endpoints, self.machine = FakeLedger(), FakeEndpoints(), FakeMachine()
        self.remains = FakeRemains()
        self.time_for = 1_000
        self.count = 0

    def run(self, run_id: str, outcome: str = "DEPLOYED", **fields: Any) -> str:
        """Record a run that ended after all others; a deployed one serves."""
        self.count += 1
        at = f"2026-01-01T12:00:{self.count:02}.000Z"
        config = f"retrain-{run_id}"
        record = {
            "kind": "run", "run_id": run_id, "dataset": "mnist", "outcome": outcome,
            "endpoint_name": ENDPOINT, "dataset_version": "v", "holdout_version": "h",
            "started_at": at, "finished_at": at,
            "model_name": config, "endpoint_config_name": config, **fields,
        }  # fmt: skip
        self.ledger.put_run(record)
        if outcome == "RUNNING":
            self.machine.start(run_id, {})
        if outcome == "DEPLOYED":
            target = (record.get("rollback") or {}).get("to_run_id", run_id)
            record["endpoint_config_name"] = f"retrain-{target}"
            endpoint = self.endpoints.describe(ENDPOINT)
            record["previous_endpoint_config_name"] = endpoint.endpoint_config_name if endpoint else None
            self.ledger.put_champion(champions.succeed(record, {}, self.ledger.get_champion(ENDPOINT)))
            self.endpoints.serve(ENDPOINT, f"retrain-{target}")
        return run_id

    def clean(self, dataset: str | None = "mnist", *, dry_run: bool = False) -> cleaning.Cleaning:
        (found,) = self.clean_all(dataset, dry_run=dry_run)
        return found

    def clean_all(self, dataset: str | None, *, dry_run: bool = False) -> list[cleaning.Cleaning]:
        def has_time() -> bool:
            self.time_for -= 1
            return self.time_for >= 0

        world = cleaning.World(
            self.settings, self.ledger, self.endpoints, self.machine, self.remains, NOW, has_time
        )
        return cleaning.clean(dataset, world, dry_run=dry_run)


@pytest.fixture
def world() -> World:
    return World()


def test_the_last_models_are_kept_and_of_the_others_all_but_the_records(world):
    for run_id in "abcd":
        world.run(run_id, model_package_arn=f"package {run_id}")
    found = world.clean()
    assert found.kept == {"d": "serves", "c": "served before"}
    assert sorted(found.runs) == ["a", "b"]
    assert found.removed == {
        "packages": 2, "endpoint_configs": 2, "models": 2, "objects": 6, "log_streams": 2,
    }  # fmt: skip
    of_a = [what for what in world.remains.gone if "b" not in what.rpartition("/")[0] and "a/" in what]
    assert of_a == ["runs/a/training/", "runs/a/checkpoints/", "runs/a/verify.jsonl"]
    for what in ("config retrain-a", "model retrain-a", "log retrain-a", "package a"):
        assert what in world.remains.gone
    assert not [what for what in world.remains.gone if what.endswith(("retrain-c", "retrain-d"))]
    assert world.ledger.runs["a"]["removed_at"] == NOW


def test_what_was_cleaned_up_is_not_cleaned_up_again(world):
    for run_id in "abcd":
        world.run(run_id)
    world.clean()
    world.remains.gone.clear()
    assert world.clean().runs == []
    assert world.remains.gone == ["30 days of retrain-mnist"]


def test_a_dry_run_touches_nothing(world):
    for run_id in "abcd":
        world.run(run_id)
    found = world.clean(dry_run=True)
    assert sorted(found.runs) == ["a", "b"]
    assert found.removed == {}
    assert world.remains.gone == []
    assert "removing_at" not in world.ledger.runs["a"]


def test_what_serves_is_what_the_endpoint_says(world):
    for run_id in "abcd":
        world.run(run_id)
    world.endpoints.serve(ENDPOINT, "retrain-a")
    found = world.clean()
    assert found.kept["a"] == "serves"
    assert found.kept["d"] == "is the champion by the ledger"
    assert found.runs == ["b"]


def test_a_model_that_was_gone_back_to_counts_as_deployed_then(world):
    for run_id in "abc":
        world.run(run_id)
    world.run("r1", rollback={"to_run_id": "a", "from_run_id": "c"})
    found = world.clean()
    assert found.kept == {"a": "serves", "c": "was deployed lately"}
    assert found.runs == ["b"]


def test_the_one_before_is_kept_however_few_are(world):
    world.settings = replace(world.settings, keep_models=1)
    for run_id in "abc":
        world.run(run_id)
    assert set(world.clean().kept) == {"b", "c"}


@pytest.mark.parametrize("outcome", ["REJECTED", "FAILED", "ROLLED_BACK", "SKIPPED"])
def test_of_runs_that_did_not_go_live_the_last_ones_are_kept(world, outcome):
    world.run("a")
    for run_id in ("x", "y", "z"):
        world.run(run_id, outcome)
    found = world.clean()
    assert found.kept == {"a": "serves", "z": "ended lately", "y": "ended lately"}
    assert found.runs == ["x"]


def test_runs_that_have_left_nothing_are_no_concern(world):
    world.run("a")
    world.run("refused", "FAILED", dataset_version=None)
    world.run("repeat", "SKIPPED", repeats="a")
    found = world.clean()
    assert (found.kept, found.runs) == ({"a": "serves"}, [])


def test_a_run_that_is_under_way_is_left_alone_and_so_is_what_it_goes_back_to(world):
    for run_id in "abcd":
        world.run(run_id)
    world.run("busy", "RUNNING")
    world.run("back", "RUNNING", rollback={"to_run_id": "a"})
    world.ledger.pin_run("a", "back")
    found = world.clean()
    assert found.kept["busy"] == "is under way"
    assert found.kept["a"] == "is being gone back to"
    assert found.runs == ["b"]
    world.machine.end("back", "FAILED")
    world.run("back", "FAILED", rollback={"to_run_id": "a"})
    assert world.clean().runs == ["a"]


def test_a_rollback_that_begins_meanwhile_keeps_what_it_wants(world):
    for run_id in "abcd":
        world.run(run_id)

    listed = list(world.ledger.list_runs("mnist"))
    world.ledger.pin_run("a", "back")
    world.ledger.list_runs = lambda _: iter(listed)
    found = world.clean()
    assert found.kept["a"] == "is being gone back to"
    assert found.runs == ["b"]
    assert "model retrain-a" not in world.remains.gone


def test_a_run_that_ended_without_a_word_is_not_under_way(world):
    world.settings = replace(world.settings, keep_models=1)
    world.run("lost", "RUNNING")
    world.machine.end("lost", "ABORTED")
    world.run("x", "FAILED")
    assert "lost" in world.clean().runs


@pytest.mark.parametrize("status", ["Updating", "Creating", "RollingBack", "SystemUpdating"])
def test_nothing_is_removed_while_the_endpoint_changes(world, status):
    for run_id in "abcd":
        world.run(run_id)
    world.endpoints.endpoints[ENDPOINT] = EndpointState(ENDPOINT, status, "retrain-d")
    found = world.clean()
    assert f"is {status}: nothing is removed before that is over." in found.warnings[0]
    assert world.remains.gone == []


def test_without_an_endpoint_the_last_champions_stay(world):
    for run_id in "abcd":
        world.run(run_id)
    del world.endpoints.endpoints[ENDPOINT]
    assert set(world.clean().kept) == {"c", "d"}


def test_what_cannot_be_removed_is_a_warning_and_tried_again(world):
    for run_id in "abcd":
        world.run(run_id)
    world.remains.refused = "model retrain-a"
    found = world.clean()
    assert found.runs == ["b"]
    assert found.warnings == [
        "Not all of the run a could be removed; it is tried again. Removing model retrain-a is not allowed."
    ]
    # It is half removed: raising KeepModels does not bring it back.
    world.settings = replace(world.settings, keep_models=9)
    world.remains.refused = ""
    assert world.clean().runs == ["a"]


def test_the_time_is_limited_and_the_rest_is_done_the_next_time(world):
    for number in range(8):
        world.run(f"run-{number}")
    world.time_for = 4
    first = world.clean()
    assert (len(first.runs), first.remaining) == (4, 2)
    world.time_for = 4
    second = world.clean()
    assert (len(second.runs), second.remaining) == (2, 0)


def test_all_datasets_are_cleaned_each_by_itself(world):
    for run_id in "abc":
        world.run(run_id)
        world.run(f"faces-{run_id}", "REJECTED", dataset="faces")
    found = world.clean_all(None)
    assert {each.dataset: each.runs for each in found} == {"faces": ["faces-a"], "mnist": ["a"]}


def test_a_run_name_that_somebody_chose_is_found_under_the_name_it_was_given(world):
    for run_id in ("By_Hand", "b", "c"):
        world.run(run_id)
    # Named by hand, its resources have a name with a digest.
    world.clean()
    (config,) = (what for what in world.remains.gone if what.startswith("config "))
    assert config.startswith("config retrain-by-hand-")
    assert "runs/By_Hand/training/" in world.remains.gone


OUTCOMES = st.sampled_from(["DEPLOYED", "REJECTED", "FAILED", "ROLLED_BACK", "RUNNING"])


@given(st.lists(OUTCOMES, max_size=25), st.integers(1, 4), st.data())
def test_whatever_happened_nothing_that_is_wanted_goes(outcomes, keep, data):
    world = World(keep)
    for number, outcome in enumerate(outcomes):
        earlier = champions.line(world.ledger.get_champion(ENDPOINT))[1:]
        if outcome == "DEPLOYED" and earlier and data.draw(st.booleans()):
            target = data.draw(st.sampled_from(earlier))["run_id"]
            if not world.ledger.runs[target].get("removing_at"):
                world.run(f"r{number}", outcome, rollback={"to_run_id": target, "from_run_id": "x"})
        else:
            world.run(f"t{number}", outcome)
        if number == len(outcomes) - 1 or data.draw(st.booleans()):
            line = [entry["run_id"] for entry in champions.line(world.ledger.get_champion(ENDPOINT))]
            assert not set(line[:2]) & set(world.clean().runs)
    gone = {run_id for run_id, record in world.ledger.runs.items() if record.get("removed_at")}
    line = champions.line(world.ledger.get_champion(ENDPOINT))
    wanted = {entry["run_id"] for entry in line[:1]}
    wanted |= {run_id for run_id, record in world.ledger.runs.items() if record["outcome"] == "RUNNING"}
    assert not wanted & gone
    left = [
        run_id
        for run_id, record in world.ledger.runs.items()
        if run_id not in gone and record["outcome"] != "RUNNING" and not record.get("rollback")
    ]
    assert len(left) <= 2 * keep + 2


@pytest.mark.usefixtures("aws")
class TestRemains:
    """In moto."""

    def test_every_version_of_an_object_goes_and_its_neighbours_stay(self):
        s3, bucket = clients.client("s3"), stack.NAMES["ArtifactsBucket"]
        for key in (
            "runs/a/training/x",
            "runs/a/training/x",
            "runs/a/training/y",
            "runs/a/run.json",
            "runs/ab/x",
        ):
            s3.put_object(Bucket=bucket, Key=key, Body=b"1")
        s3.delete_object(Bucket=bucket, Key="runs/a/training/y")
        assert AwsRemains().delete_objects(bucket, "runs/a/training/") == 3
        assert AwsRemains().delete_objects(bucket, "runs/a/training/") == 0
        left = s3.list_object_versions(Bucket=bucket)
        assert [each["Key"] for each in left["Versions"]] == ["runs/a/run.json", "runs/ab/x"]
        assert "DeleteMarkers" not in left

    def test_models_and_configs_go_once(self):
        sagemaker = clients.client("sagemaker")
        role = stack.arn("SageMakerRole")
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": stack.IMAGE})
        variant = {
            "VariantName": "v",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        remains = AwsRemains()
        assert (remains.delete_endpoint_config("c"), remains.delete_model("m")) == (1, 1)
        assert (remains.delete_endpoint_config("c"), remains.delete_model("m")) == (0, 0)

    def test_a_package_is_rejected_with_its_reason(self):
        sagemaker = clients.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="g")
        arn = sagemaker.create_model_package(
            ModelPackageGroupName="g",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": stack.IMAGE}],
                "SupportedContentTypes": ["a/b"],
                "SupportedResponseMIMETypes": ["a/b"],
            },
        )["ModelPackageArn"]
        assert AwsRemains().reject_package(arn, "Gone.") == 1
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Rejected", "Gone.")
        assert AwsRemains().reject_package(arn, "Gone.") == 0

    def test_the_logs_of_a_job_go_and_not_those_of_one_whose_name_begins_alike(self):
        logs, remains = clients.client("logs"), AwsRemains()
        assert remains.delete_log_streams("retrain-a-1") == 0, "there is no log group yet"
        logs.create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
        names = [
            "retrain-a-1-r0t0/algo-1-1", "retrain-a-1-r1t0/algo-2-1", "retrain-a-1-rest-r0t0/algo-1-1",
            "retrain-a-12-r0t0/algo-1-1",
        ]  # fmt: skip
        for name in names:
            logs.create_log_stream(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=name)
        assert remains.delete_log_streams("retrain-a-1") == 2
        left = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
        assert sorted(each["logStreamName"] for each in left) == sorted(names[2:])

    def test_a_log_is_limited_unless_somebody_has_said_for_how_long(self):
        logs, remains = clients.client("logs"), AwsRemains()
        assert remains.limit_endpoint_log("retrain-mnist", 30) == 0, "there is no log group yet"
        for name in ("retrain-mnist", "retrain-mnist-2"):
            logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
        assert remains.limit_endpoint_log("retrain-mnist", 30) == 1
        assert remains.limit_endpoint_log("retrain-mnist", 7) == 0
        groups = {
            each["logGroupName"]: each.get("retentionInDays")
            for each in logs.describe_log_groups()["logGroups"]
        }
        assert groups == {
            "/aws/sagemaker/Endpoints/retrain-mnist": 30,
            "/aws/sagemaker/Endpoints/retrain-mnist-2": None,
        }

    def test_what_s3_does_not_delete_is_an_error(self):
        with pytest.raises(AwsError, match="NoSuchBucket"):
            AwsRemains().delete_objects("no-such-bucket-anywhere", "runs/")
