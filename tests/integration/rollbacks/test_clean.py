"""Thirty runs later there is what there should be, and nothing else; what is kept can be gone back to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tests.integration.rollbacks.conftest import Team

LOGS = "/aws/sagemaker/TrainingJobs"
OUTCOMES = ("DEPLOYED", "REJECTED", "FAILED", "ROLLED_BACK", "SKIPPED")
RUNS = 30
LEFT_OF_EVERY_RUN = ("evaluation.json", "report.html", "run.json")


@dataclass
class Past:
    """Runs that have been, with all that they left, made through the same services as real ones."""

    team: Team
    packages: dict[str, str] = field(default_factory=dict)

    def run(self, number: int, outcome: str) -> str:
        run_id = f"{self.team.dataset}-{number:012x}-1"
        name = f"{self.team.stack_name}-{run_id}"
        self._artifacts(run_id)
        self._served(run_id, name)
        self._log(f"{name}-r0t0/algo-1-{number}")
        at = f"2026-01-01T00:00:{number:02}.000Z"
        record = {
            "pk": f"RUN#{run_id}", "sk": "RUN", "kind": "run", "run_id": run_id, "outcome": outcome,
            "dataset": self.team.dataset, "dataset_version": "v", "started_at": at, "finished_at": at,
            "model_name": name, "endpoint_config_name": name, "model_package_arn": self.packages[run_id],
        }  # fmt: skip
        serialize = TypeSerializer().serialize
        table = self.team.people.outputs["LedgerTableName"]
        item = {field: serialize(value) for field, value in record.items()}
        self.team.people.aws("dynamodb").put_item(TableName=table, Item=item)
        return run_id

    def _artifacts(self, run_id: str) -> None:
        s3, bucket = self.team.people.aws("s3"), self.team.people.outputs["ArtifactsBucketName"]
        left = ("training/job/output/model.tar.gz", "training/job/output/output.tar.gz", "verify.jsonl")
        for name in (*left, left[0], *LEFT_OF_EVERY_RUN):  # the first one twice: it has two versions
            s3.put_object(Bucket=bucket, Key=f"runs/{run_id}/{name}", Body=b"1")

    def _served(self, run_id: str, name: str) -> None:
        sagemaker, image = (
            self.team.people.aws("sagemaker"),
            "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1",
        )
        url = f"s3://{self.team.people.outputs['ArtifactsBucketName']}/runs/{run_id}/training/job/output/model.tar.gz"
        container = {"Image": image, "ModelDataUrl": url}
        role = self.team.people.outputs["SageMakerRoleArn"]
        # By this tag the stack knows what is its own, as its state machine makes it.
        tags = [{"Key": "retrain:stack", "Value": self.team.stack_name}]
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container, Tags=tags)
        variant = {
            "VariantName": "v",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=tags)
        self.packages[run_id] = sagemaker.create_model_package(
            ModelPackageGroupName=self.team.people.outputs["ModelPackageGroupName"],
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]

    def _log(self, stream: str) -> None:
        logs = self.team.people.aws("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=LOGS)["logGroups"]:
            logs.create_log_group(logGroupName=LOGS)
        logs.create_log_stream(logGroupName=LOGS, logStreamName=stream)


@dataclass(frozen=True)
class Found:
    """All that the runs of a dataset have left, by run id."""

    models: set[str]
    configs: set[str]
    logs: set[str]
    training: set[str]
    records: set[str]
    approved: set[str]


def look(team: Team, past: Past) -> Found:
    sagemaker, prefix = team.people.aws("sagemaker"), f"{team.stack_name}-{team.dataset}-"
    own = {"NameContains": prefix, "MaxResults": 100}
    streams = team.people.aws("logs").get_paginator("describe_log_streams")
    versions = team.people.aws("s3").get_paginator("list_object_versions")
    keys = [
        version["Key"]
        for page in versions.paginate(
            Bucket=team.people.outputs["ArtifactsBucketName"], Prefix=f"runs/{team.dataset}-"
        )
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
    names = {
        "models": [each["ModelName"] for each in sagemaker.list_models(**own)["Models"]],
        "configs": [
            each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs(**own)["EndpointConfigs"]
        ],
        "logs": [
            stream["logStreamName"].rpartition("-r0t0/")[0]
            for page in streams.paginate(logGroupName=LOGS, logStreamNamePrefix=prefix)
            for stream in page["logStreams"]
        ],
    }
    status = {
        run_id: sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
        for run_id, arn in past.packages.items()
    }
    return Found(
        **{
            kind: {name.removeprefix(f"{team.stack_name}-") for name in found}
            for kind, found in names.items()
        },
        training={key.split("/")[1] for key in keys if key.split("/", 2)[2] not in LEFT_OF_EVERY_RUN},
        records={key.split("/")[1] for key in keys if key.split("/", 2)[2] in LEFT_OF_EVERY_RUN},
        approved={run_id for run_id, found in status.items() if found == "Approved"},
    )


def test_thirty_runs_later(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    past = Past(team)
    runs = [past.run(number, OUTCOMES[number % len(OUTCOMES)]) for number in range(RUNS)]
    neighbour = Past(Team(team.people, f"{team.dataset}-2", "", team.outcome, team.stack_name))
    theirs = neighbour.run(0, "DEPLOYED")

    first = team.run("a")
    # The state machine itself cleans up: the last three that were deployed stay, and three that were not.
    deployed, others = [runs[25], runs[20]], [runs[29], runs[28], runs[27]]
    kept = {first["run_id"], *deployed, *others}
    found = look(team, past)
    assert found.models == found.configs == found.logs == found.training == kept | {theirs}
    assert found.approved == kept - {first["run_id"]}
    assert found.records == {*runs, first["run_id"], theirs}

    assert team.retrain("clean", "--dataset", team.dataset, "--dry-run", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)["datasets"]
    assert {each["run_id"]: each["why"] for each in listed["kept"]} == {
        first["run_id"]: "serves",
        **dict.fromkeys(deployed, "was deployed lately"),
        **dict.fromkeys(others, "ended lately"),
    }
    assert listed["runs"] == []
    assert look(team, past) == found

    second = team.run("b")
    assert look(team, past).models == {first["run_id"], second["run_id"], runs[25], *others, theirs}
    assert look(neighbour.team, neighbour).approved == {theirs}

    # The one before is whole: it serves again. What was removed cannot.
    assert team.retrain("rollback", "--dataset", team.dataset, "--to", runs[20]) == 1
    assert "has been removed; the stack's parameter KeepModels says" in capsys.readouterr().err
    assert team.retrain("rollback", "--dataset", team.dataset) == 0
    assert team.answer() == "a"
    state = _cleanup(team, second)
    assert state["warnings"] == []
    assert state["removed"]["models"] == 1


def _cleanup(team: Team, record: dict[str, Any]) -> dict[str, Any]:
    """What the state CleanUp answered in a run."""
    execution = team.people.aws("stepfunctions").describe_execution(executionArn=record["execution_arn"])
    found: dict[str, Any] = json.loads(execution["output"])["cleanup"]
    return found
