"""What happens in the local cloud is told on its event bus as in AWS: pushed images, alarms, schedules."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retrain.aws import Stack, Target
from retrain.localcloud import process
from retrain.localcloud.errors import ScheduleError, TargetError
from retrain.operations import schedules
from tests.integration.definitions import Aws

ROLE = "arn:aws:iam::000000000000:role/test"
Hear = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def queue(aws: Aws) -> tuple[str, str]:
    """A queue of the test's own: its URL and ARN."""
    url = aws("sqs").create_queue(QueueName=f"test-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


@pytest.fixture
def receive(aws: Aws, queue: tuple[str, str], wait_until: Callable[..., Any]) -> Callable[[], dict[str, Any]]:
    """Take the next message of that queue."""

    def take() -> dict[str, Any]:
        def ask() -> list[dict[str, Any]]:
            answer = aws("sqs").receive_message(
                QueueUrl=queue[0], WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            return list(answer.get("Messages", []))

        (message,) = wait_until(ask, what="a message")
        aws("sqs").delete_message(QueueUrl=queue[0], ReceiptHandle=message["ReceiptHandle"])
        found: dict[str, Any] = message
        return found

    return take


@pytest.fixture
def listening(aws: Aws, queue: tuple[str, str]) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Send what matches a pattern to the queue."""
    name = f"test-{uuid.uuid4().hex[:12]}"

    def listen(pattern: dict[str, Any]) -> None:
        aws("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
        aws("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue[1]}])

    yield listen
    aws("events").remove_targets(Rule=name, Ids=["queue"])
    aws("events").delete_rule(Name=name)


class TestImages:
    @pytest.fixture
    def repository(self, aws: Aws) -> str:
        name = f"team/model-{uuid.uuid4().hex[:8]}"
        aws("ecr").create_repository(repositoryName=name)
        return name

    def test_the_training_folder_is_an_image_that_changes_with_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "program"
        folder.mkdir()
        (folder / "Dockerfile").write_text('ENTRYPOINT ["python", "-m", "program"]')
        state_dir = tmp_path / "state"
        images = {"*my-model*": folder}
        cloud = process.up(state_dir, port=None, project_root=tmp_path, images=images, deploy=False)
        try:
            ecr = Stack("none", Target(cloud.endpoint_url, process.environment(cloud))).client("ecr")

            def digest(repository: str, tag: str, **registry: str) -> str:
                request = {"repositoryName": repository, "imageIds": [{"imageTag": tag}], **registry}
                return str(ecr.describe_images(**request)["imageDetails"][0]["imageDigest"])

            before = digest("my-model", "local")
            assert digest("their-my-model-gpu", "2.1", registryId="763104351884") == before
            (folder / "train.py").write_text("print(1)")
            assert digest("my-model", "local") != before
            with pytest.raises(ClientError, match="ImageNotFoundException"):
                digest("my-model", "1.0")
            with pytest.raises(ClientError, match="RepositoryNotFoundException"):
                digest("mxnet", "2.1", registryId="763104351884")
            with pytest.raises(ClientError, match="ImageNotFoundException"):
                ecr.describe_images(
                    registryId="763104351884", repositoryName="my-model", imageIds=[{"imageDigest": before}]
                )
            pulled = ecr.batch_get_image(
                registryId="763104351884", repositoryName="my-model", imageIds=[{"imageTag": "9"}]
            )
            assert pulled["images"][0]["imageId"]["imageDigest"] == digest("my-model", "local")
        finally:
            process.down(state_dir)

    def test_a_push_is_an_event(
        self, aws: Aws, repository: str, listening: Callable[..., None], receive: Callable[..., Any]
    ) -> None:
        listening({"source": ["aws.ecr"], "detail": {"repository-name": [repository]}})
        pushed = aws("ecr").put_image(repositoryName=repository, imageManifest="{}", imageTag="1.0")
        event = json.loads(receive()["Body"])
        assert event["detail-type"] == "ECR Image Action"
        assert event["detail"] == {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": pushed["image"]["imageId"]["imageDigest"],
            "action-type": "PUSH",
            "image-tag": "1.0",
        }
        with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
            aws("ecr").put_image(repositoryName=repository, imageManifest="{}", imageTag="1.0")
        aws("ecr").put_image(repositoryName=repository, imageManifest="{}", imageTag="1.1")
        assert json.loads(receive()["Body"])["detail"]["image-tag"] == "1.1"


class TestAlarms:
    @pytest.fixture
    def alarm(self, aws: Aws) -> str:
        name = f"drift-{uuid.uuid4().hex[:8]}"
        aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Drift",
            MetricName=name,
            Statistic="Average",
            Dimensions=[{"Name": "EndpointName", "Value": "retrain-mnist"}],
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        return name

    def test_a_change_of_state_is_an_event(
        self, aws: Aws, alarm: str, listening: Callable[..., None], receive: Callable[..., Any]
    ) -> None:
        listening({"source": ["aws.cloudwatch"], "detail": {"alarmName": [alarm]}})
        aws("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="It drifts.")
        event = json.loads(receive()["Body"])
        assert event["detail-type"] == "CloudWatch Alarm State Change"
        assert event["resources"] == [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{alarm}"]
        detail = event["detail"]
        assert (detail["state"]["value"], detail["state"]["reason"]) == ("ALARM", "It drifts.")
        assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
        (metric,) = detail["configuration"]["metrics"]
        assert metric["metricStat"]["metric"]["dimensions"] == {"EndpointName": "retrain-mnist"}

    def test_a_metric_moves_an_alarm_as_well(
        self, aws: Aws, alarm: str, listening: Callable[..., None], receive: Callable[..., Any]
    ) -> None:
        listening({"source": ["aws.cloudwatch"], "detail": {"alarmName": [alarm]}})
        dimensions = [{"Name": "EndpointName", "Value": "retrain-mnist"}]
        aws("cloudwatch").put_metric_data(
            Namespace="Drift", MetricData=[{"MetricName": alarm, "Dimensions": dimensions, "Value": 3.0}]
        )
        aws("cloudwatch").describe_alarms(AlarmNames=[alarm])
        assert json.loads(receive()["Body"])["detail"]["state"]["value"] == "ALARM"


class TestSchedules:
    @pytest.fixture
    def stack(self, local_cloud: process.LocalCloud) -> Stack:
        return Stack("retrain", Target(local_cloud.endpoint_url, process.environment(local_cloud)))

    @pytest.fixture
    def make(self, aws: Aws) -> Iterator[Callable[..., str]]:
        names = []

        def make(target: dict[str, Any], expression: str = "cron(0 3 ? * SUN *)", **fields: Any) -> str:
            name = f"test-{uuid.uuid4().hex[:12]}"
            aws("scheduler").create_schedule(
                Name=name,
                ScheduleExpression=expression,
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={"RoleArn": ROLE, **target},
                **fields,
            )
            names.append(name)
            return name

        yield make
        for name in names:
            aws("scheduler").delete_schedule(Name=name)

    def test_fired_when_told(
        self, stack: Stack, make: Callable[..., str], queue: tuple[str, str], receive: Callable[..., Any]
    ) -> None:
        name = make({"Arn": queue[1], "Input": '{"at": "<aws.scheduler.scheduled-time>"}'}, State="DISABLED")
        fired = schedules.fire(stack, name)
        assert json.loads(receive()["Body"]) == {"at": fired["scheduled_time"]}
        assert schedules.fire(stack, f"default/{name}")["execution_id"] != fired["execution_id"]

    def test_fired_when_due(
        self, make: Callable[..., str], queue: tuple[str, str], receive: Callable[..., Any]
    ) -> None:
        make({"Arn": queue[1], "Input": "now"}, "rate(1 hour)")  # a rate is due as soon as it is made
        assert receive()["Body"] == "now"

    def test_what_the_target_does_not_take_lies_in_the_dead_letter_queue(
        self, stack: Stack, make: Callable[..., str], queue: tuple[str, str], receive: Callable[..., Any]
    ) -> None:
        gone = "arn:aws:sqs:us-east-1:000000000000:gone"
        name = make({"Arn": gone, "Input": "lost?", "DeadLetterConfig": {"Arn": queue[1]}})
        with pytest.raises(TargetError, match=r"lies in the dead-letter queue.*queue does not exist"):
            schedules.fire(stack, name)
        message = receive()
        assert message["Body"] == "lost?"
        assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == gone

    def test_what_is_not_there(self, stack: Stack) -> None:
        with pytest.raises(ScheduleError, match=r"Schedule nightly does not exist in group default\."):
            schedules.fire(stack, "nightly")

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"expression": "every sunday"}, "Invalid Schedule Expression every sunday"),
            ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ],
    )
    def test_what_could_never_fire_is_refused(
        self, make: Callable[..., str], fields: dict[str, str], said: str
    ) -> None:
        with pytest.raises(ClientError, match=f"ValidationException.*{said}"):
            make({"Arn": "arn:aws:sqs:us-east-1:000000000000:q"}, **fields)
