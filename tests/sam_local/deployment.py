"""The stack deployed by the SAM CLI itself, as it is deployed to AWS: ``make sam-deploy-local``.

``make sam-build`` and ``sam deploy`` with samconfig.toml's [local]: its bucket for artifacts, its change set,
its waiting for the stack's events. All that tells them where to go is AWS_ENDPOINT_URL. Not collected with
the other tests, since the SAM CLI has an environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud import process
from retrain.localcloud.clients import client
from retrain.localcloud.template import configured_parameters
from tests.integration.outcomes.conftest import People, dataset_files, holdout_files
from tests.sam_local.conftest import SAM, run
from tests.unit.functions import stack
from tests.unit.training.digits import draw_digits

STACK = "retrain"
BUILD = stack.ROOT / ".aws-sam" / "deployment"

Sam = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def sam(cloud: process.LocalCloud) -> Sam:
    """Run the SAM CLI against the local cloud."""
    return lambda *arguments: run(SAM, *arguments, **process.environment(cloud))


@pytest.fixture(scope="session")
def aws(cloud: process.LocalCloud) -> Callable[[str], Any]:
    return lambda service: client(service, cloud.endpoint_url)


@pytest.fixture(scope="session")
def built(sam: Sam) -> Path:
    """The built template, which names the built functions and their layer."""
    done = sam("build", "--cached", "--build-dir", BUILD)
    assert done.returncode == 0, done.stderr
    finished = run(sys.executable, "cicd/packages.py", BUILD, PYTHONPATH=".")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return BUILD / "template.yaml"


@pytest.fixture(scope="session")
def deploy(sam: Sam, built: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Deploy as ``sam deploy --config-env local`` does, with some of the parameters changed."""

    def deployed(**changed: str) -> subprocess.CompletedProcess[str]:
        command = ["deploy", "--config-env", "local", "--config-file", stack.ROOT / "samconfig.toml"]
        if changed:  # given on the command line, they replace all that samconfig.toml has
            values = {**configured_parameters(stack.ROOT), **changed}
            command += ["--parameter-overrides", *(f'{name}="{value}"' for name, value in values.items())]
        return sam(*command, "--template-file", built)

    return deployed


def succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done


def described(aws: Callable[[str], Any]) -> Mapping[str, Any]:
    found: dict[str, Any] = aws("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return found


def wait_until(ask: Callable[[], Any], *, seconds: float = 60.0, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="session")
def people(deploy: Callable[..., Any], aws: Callable[[str], Any]) -> People:
    """Somebody who uses the stack that the SAM CLI has deployed."""
    succeeded(deploy())
    outputs = {item["OutputKey"]: item["OutputValue"] for item in described(aws)["Outputs"]}
    queue = aws("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    aws("sns").subscribe(
        TopicArn=outputs["NotificationTopicArn"], Protocol="sqs", Endpoint=attributes["QueueArn"]
    )
    return People(aws, outputs, queue, wait_until)


def test_every_parameter_of_samconfig_reaches_the_stack(people: People, aws: Callable[[str], Any]) -> None:
    given = {item["ParameterKey"]: item["ParameterValue"] for item in described(aws)["Parameters"]}
    wanted = configured_parameters(stack.ROOT)
    assert {name: given[name] for name in wanted} == wanted


def test_an_upload_to_the_deployed_stack_ends_in_a_model_that_serves(people: People) -> None:
    people.put_holdout("mnist", holdout_files())
    told = people.upload("mnist", dataset_files())
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    endpoint = f"{STACK}-mnist"
    assert people.serving(endpoint)
    images, labels = draw_digits(50, 3)
    answers = people.ask(endpoint, images)
    assert sum(answer == label for answer, label in zip(answers, labels, strict=True)) > 40


def test_a_second_deployment_changes_nothing(people: People, deploy: Callable[..., Any]) -> None:
    assert f"No changes to deploy. Stack {STACK} is up to date" in succeeded(deploy()).stdout


def test_an_upgrade_goes_through_a_change_set_and_keeps_the_data(
    people: People, deploy: Callable[..., Any], aws: Callable[[str], Any]
) -> None:
    bucket = people.outputs["DataBucketName"]
    aws("s3").put_object(Bucket=bucket, Key="datasets/kept/part-0.csv", Body=b"1")
    done = succeeded(deploy(MaxRunsPerDay="7"))
    assert "Modify" in done.stdout
    assert f"Successfully created/updated stack - {STACK}" in done.stdout
    assert described(aws)["StackStatus"] == "UPDATE_COMPLETE"
    assert {item["OutputKey"]: item["OutputValue"] for item in described(aws)["Outputs"]} == people.outputs
    functions = aws("lambda").list_functions()["Functions"]
    starter = next(item for item in functions if "StartRetraining" in item["FunctionName"])
    assert starter["Environment"]["Variables"]["MAX_RUNS_PER_DAY"] == "7"
    assert aws("s3").get_object(Bucket=bucket, Key="datasets/kept/part-0.csv")["Body"].read() == b"1"


def test_a_refused_parameter_fails_the_deployment_and_says_why(
    people: People, deploy: Callable[..., Any], aws: Callable[[str], Any]
) -> None:
    before = described(aws)["StackStatus"]
    done = deploy(ScheduleExpression="every night")
    assert done.returncode != 0
    assert "must be empty, or such as cron(0 3 ? * SUN *)" in done.stderr
    assert described(aws)["StackStatus"] == before


def test_deleting_the_stack_keeps_what_holds_data(
    people: People, sam: Sam, aws: Callable[[str], Any]
) -> None:
    succeeded(sam("delete", "--no-prompts", "--stack-name", STACK, "--region", stack.REGION))
    stacks = aws("cloudformation").list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert STACK in [item["StackName"] for item in stacks]
    assert aws("lambda").list_functions()["Functions"] == []
    kept = {item["Name"] for item in aws("s3").list_buckets()["Buckets"]}
    assert {people.outputs["DataBucketName"], people.outputs["ArtifactsBucketName"]} <= kept
    items = aws("dynamodb").scan(TableName=people.outputs["LedgerTableName"], Select="COUNT")
    assert items["Count"] > 0
