"""SageMaker as state machines call it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retrain.localcloud.clients import client

Execute = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def begin(tiny) -> Callable[..., str]:
    """Start an execution of a machine with one task; gives the execution's ARN."""
    states = client("stepfunctions", tiny.cloud.endpoint_url)

    def start(resource: str, parameters: dict[str, Any], **task: Any) -> str:
        machine = states.create_state_machine(
            name=tiny.name("machine"),
            roleArn="arn:aws:iam::000000000000:role/states",
            definition=json.dumps(
                {
                    "StartAt": "Task",
                    "States": {
                        "Task": {
                            "Type": "Task",
                            "Resource": f"arn:aws:states:::{resource}",
                            "Parameters": parameters,
                            "End": True,
                            **task,
                        }
                    },
                }
            ),
        )["stateMachineArn"]
        return str(states.start_execution(stateMachineArn=machine)["executionArn"])

    return start


@pytest.fixture(scope="module")
def end(tiny) -> Execute:
    """Wait for an execution's end; gives its status, output (read) or error and cause."""
    states = client("stepfunctions", tiny.cloud.endpoint_url)

    def ended(arn: str) -> dict[str, Any]:
        def ask() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        found: dict[str, Any] = tiny.wait_until(ask, seconds=20, what="the execution's end")
        return {**found, "output": json.loads(found["output"])} if "output" in found else found

    return ended


@pytest.fixture(scope="module")
def execute(begin, end) -> Execute:
    return lambda resource, parameters, **task: end(begin(resource, parameters, **task))


def test_sync_waits_for_the_job_and_gives_its_description(tiny, execute):
    request = tiny.request(tiny.put(a_txt="a"), Tags=[{"Key": "team", "Value": "ml"}])
    outcome = execute("sagemaker:createTrainingJob.sync", request)
    assert outcome["status"] == "SUCCEEDED", outcome
    output, name = outcome["output"], request["TrainingJobName"]
    assert output["TrainingJobStatus"] == "Completed"
    assert output["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{name}/output/model.tar.gz")
    assert output["Tags"] == {"team": "ml", "MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
    described = tiny.sagemaker.describe_training_job(TrainingJobName=name)
    assert output["CreationTime"] == round(described["CreationTime"].timestamp() * 1000)
    assert isinstance(output["SecondaryStatusTransitions"][0]["StartTime"], int)


def test_without_sync_the_task_ends_at_once(tiny, execute):
    request = tiny.request(fate="hang")
    outcome = execute("sagemaker:createTrainingJob", request)
    assert outcome["output"]["TrainingJobArn"].endswith(f":training-job/{request['TrainingJobName']}")
    # The execution has ended, and the job is not its own.
    job = tiny.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "InProgress"
    tiny.sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"fate": "fail"}, ("Failed", "Failed")),
        (
            {"fate": "hang", "StoppingCondition": {"MaxRuntimeInSeconds": 1}},
            ("Stopped", "MaxRuntimeExceeded"),
        ),
    ],
)
def test_a_job_that_does_not_complete_fails_the_task_with_its_description(tiny, execute, changes, status):
    outcome = execute("sagemaker:createTrainingJob.sync", tiny.request(**changes))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(outcome["cause"])
    assert (cause["TrainingJobStatus"], cause["SecondaryStatus"]) == status


def test_errors_have_the_names_that_step_functions_gives_them(tiny, execute):
    taken = tiny.train()["TrainingJobName"]
    for resource, parameters, error, cause in (
        (
            "sagemaker:createTrainingJob.sync",
            tiny.request(TrainingJobName=taken),
            "SageMaker.ResourceInUseException",
            "Training job names must be unique",
        ),
        (
            "sagemaker:createTrainingJob.sync",
            tiny.request(TrainingJobName="a_b"),
            "SageMaker.AmazonSageMakerException",
            "1 validation error detected: Value 'a_b' at 'trainingJobName'",
        ),
        (
            "aws-sdk:sagemaker:createTrainingJob",
            tiny.request(TrainingJobName=taken),
            "SageMaker.ResourceInUseException",
            "(Service: SageMaker, Status Code: 400, Request ID: ",
        ),
        (
            "aws-sdk:sagemaker:describeEndpoint",
            {"EndpointName": "nobody"},
            "SageMaker.SageMakerException",
            'Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/nobody".',
        ),
        (
            "sagemaker:createTrainingJob",
            tiny.request(HyperParameters={"epochs.$": "$$.Execution.RedriveCount"}),
            "States.Runtime",
            "The value for the field 'HyperParameters.epochs' must be a STRING",
        ),
    ):
        outcome = execute(resource, parameters)
        assert (outcome["status"], outcome["error"]) == ("FAILED", error), outcome
        assert cause in outcome["cause"]


@pytest.mark.parametrize(
    ("resource", "parameters", "words"),
    [
        (
            "sagemaker:createModel",
            {"ModelName": "m", "ExecutionRoleArn": "r", "Image": "tiny:1"},
            "The field .Image. is not supported",
        ),
        (
            "sagemaker:updateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": {}},
            "The field .DeploymentConfig. is not supported",
        ),
    ],
)
def test_parameters_that_could_never_be_sent_are_refused_with_the_definition(
    begin, resource, parameters, words
):
    with pytest.raises(ClientError, match=f"InvalidDefinition.*{words}"):
        begin(resource, parameters)


def test_sdk_results_have_times_as_text(tiny, execute):
    name = tiny.deploy(tiny.config(tiny.model()))
    outcome = execute("aws-sdk:sagemaker:describeEndpoint", {"EndpointName": name})
    described = tiny.sagemaker.describe_endpoint(EndpointName=name)
    assert outcome["output"]["EndpointStatus"] == "InService"
    assert outcome["output"]["CreationTime"].endswith("Z")
    assert outcome["output"]["ProductionVariants"][0]["VariantName"] == "A"
    assert outcome["output"]["EndpointArn"] == described["EndpointArn"]


def test_a_stopped_execution_stops_its_job(tiny, begin, end):
    request = tiny.request(fate="hang")
    arn = begin("sagemaker:createTrainingJob.sync", request)
    tiny.until_line(request["TrainingJobName"], "hanging")
    began = time.monotonic()
    client("stepfunctions", tiny.cloud.endpoint_url).stop_execution(executionArn=arn)
    assert end(arn)["status"] == "ABORTED"

    def told() -> bool:
        job = tiny.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
        return job["TrainingJobStatus"] != "InProgress"

    tiny.wait_until(told, seconds=1, what="the job's stop")
    assert time.monotonic() - began < 1.5
    assert tiny.ended(request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"


def test_a_redrive_continues_at_the_failed_training_with_a_new_job(tiny, begin, end):
    request = tiny.request(fate="fail")
    name = request.pop("TrainingJobName")
    request["TrainingJobName.$"] = f"States.Format('{name}-r{{}}', $$.Execution.RedriveCount)"
    arn = begin("sagemaker:createTrainingJob.sync", request)
    assert end(arn)["status"] == "FAILED"
    states = client("stepfunctions", tiny.cloud.endpoint_url)
    states.redrive_execution(executionArn=arn)
    described = end(arn)
    assert (described["status"], described["redriveCount"]) == ("FAILED", 1)
    names = [
        job["TrainingJobName"]
        for job in tiny.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    ]
    assert sorted(names) == [f"{name}-r0", f"{name}-r1"]
    types = [event["type"] for event in states.get_execution_history(executionArn=arn)["events"]]
    assert types.count("ExecutionRedriven") == 1
    assert types.count("TaskStateEntered") == 1  # it goes on, it does not begin again


def test_a_task_that_times_out_stops_its_job(tiny, execute):
    request = tiny.request(fate="hang")
    outcome = execute("sagemaker:createTrainingJob.sync", request, TimeoutSeconds=1)
    assert outcome["error"] == "States.Timeout"
    assert tiny.ended(request["TrainingJobName"])["TrainingJobStatus"] == "Stopped"


def test_events_tell_what_becomes_of_jobs_and_endpoints(tiny):
    events, sqs = (client(service, tiny.cloud.endpoint_url) for service in ("events", "sqs"))
    rule = tiny.name("rule")
    queue = sqs.create_queue(QueueName=rule)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    job = tiny.train()["TrainingJobName"]
    endpoint = tiny.deploy(tiny.config(tiny.model()))
    seen: list[tuple[str, str]] = []

    def collect() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            detail = event["detail"]
            if detail.get("TrainingJobName") == job:
                seen.append((event["detail-type"], detail["SecondaryStatus"]))
            if detail.get("EndpointName") == endpoint:
                seen.append((event["detail-type"], detail["EndpointStatus"]))
        return ("SageMaker Endpoint State Change", "IN_SERVICE") in seen

    tiny.wait_until(collect, what="the events")
    events.remove_targets(Rule=rule, Ids=["queue"])
    events.delete_rule(Name=rule)
    job_events = [status for kind, status in seen if kind == "SageMaker Training Job State Change"]
    assert job_events == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
