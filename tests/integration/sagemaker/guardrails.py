"""What tests of blue/green deployments share: clients that never stop asking, alarms, and a witness."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from retrain.localcloud.clients import client
from tests.integration.sagemaker.conftest import Tiny


@dataclass(frozen=True)
class Asked:
    """One request of a load, and what became of it."""

    began: float
    ended: float
    answer: str | None
    error: ClientError | None = None


class Load:
    """Clients that ask an endpoint again and again while the block runs."""

    def __init__(self, tiny: Tiny, endpoint: str, clients: int = 4) -> None:
        self.clients = clients
        self._tiny, self._endpoint = tiny, endpoint
        self._asked: list[Asked] = []
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        while not self._done.is_set():
            began = time.monotonic()
            try:
                answer, error = self._tiny.ask(self._endpoint)["answer"], None
            except ClientError as refused:
                answer, error = None, refused
            self._asked.append(Asked(began, time.monotonic(), answer, error))

    @property
    def asked(self) -> list[Asked]:
        """All requests that have been answered up to now."""
        return list(self._asked)

    @property
    def errors(self) -> list[ClientError]:
        """What went wrong."""
        return [asked.error for asked in self.asked if asked.error is not None]

    def between(self, first: float, last: float) -> list[Asked]:
        """The requests that began after one moment and ended before another."""
        return [asked for asked in self.asked if asked.began > first and asked.ended < last]

    def until_answered_by(self, answer: str, number: int = 20) -> None:
        """Wait until so many more requests have been answered so."""

        def count() -> int:
            return sum(asked.answer == answer for asked in self.asked)

        target = count() + number
        self._tiny.wait_until(lambda: count() >= target, seconds=30, what=f"{number} answers {answer!r}")


class Witness:
    """Describes an endpoint again and again, and keeps what it saw, with the time."""

    def __init__(self, tiny: Tiny, endpoint: str) -> None:
        self.seen: list[tuple[float, dict[str, Any]]] = []
        self._tiny, self._endpoint = tiny, endpoint

    def until_settled(self, seconds: float = 60.0) -> dict[str, Any]:
        """Watch until the deployment is over, and give the last description."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self._tiny.sagemaker.describe_endpoint(EndpointName=self._endpoint)
            self.seen.append((time.monotonic(), found))
            return found if found["EndpointStatus"] in ("InService", "Failed") else None

        settled: dict[str, Any] = self._tiny.wait_until(look, seconds=seconds, what="the deployment's end")
        return settled

    def span(self, words: str) -> tuple[float, float]:
        """From when to when green was seen in a stage whose message holds these words."""
        times = [at for at, found in self.seen if words in stage(found)[1]]
        return times[0], times[-1]


def serving(tiny: Tiny, answer: str = "blue", instances: int = 10, **environment: str) -> str:
    """An endpoint in service."""
    return tiny.deploy(tiny.config(tiny.model(answer, **environment), InitialInstanceCount=instances))


def update(
    tiny: Tiny,
    name: str,
    plan: dict[str, Any] | None,
    answer: str = "green",
    instances: int = 10,
    **environment: str,
) -> str:
    """Begin to update an endpoint to another model; gives the config."""
    config = tiny.config(tiny.model(answer, **environment), InitialInstanceCount=instances)
    more = {"DeploymentConfig": plan} if plan else {}
    tiny.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)
    return config


def share(asked: list[Asked], answer: str = "green") -> float:
    """Which share of the requests was answered so."""
    return sum(one.answer == answer for one in asked) / len(asked)


def stage(described: dict[str, Any]) -> tuple[str, str]:
    """The status and the message of the variant that is being deployed."""
    summary = described.get("PendingDeploymentSummary")
    if not summary:
        return "", ""
    (status,) = summary["ProductionVariants"][0]["VariantStatus"]
    return status["Status"], status["StatusMessage"]


def until_stage(tiny: Tiny, endpoint: str, words: str, seconds: float = 30.0) -> dict[str, Any]:
    """Wait until green is in a stage whose message holds these words; give the description."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = tiny.sagemaker.describe_endpoint(EndpointName=endpoint)
        return found if words in stage(found)[1] else None

    found: dict[str, Any] = tiny.wait_until(look, seconds=seconds, what=words)
    return found


def deployment(
    kind: str = "CANARY",
    percent: int | None = None,
    *,
    bake: int = 0,
    termination: int = 0,
    alarms: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A DeploymentConfig."""
    routing: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": bake}
    if kind != "ALL_AT_ONCE":
        size = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}[kind]
        routing[size] = {"Type": "CAPACITY_PERCENT", "Value": percent}
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": termination,
        }
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


class Alarms:
    """CloudWatch of the tiny cloud."""

    def __init__(self, tiny: Tiny) -> None:
        self.cloudwatch = client("cloudwatch", tiny.cloud.endpoint_url)
        self._tiny = tiny

    def put(self, endpoint: str, metric: str = "Invocation5XXErrors", **changes: Any) -> str:
        """An alarm on an endpoint's metric; by default on more than one per cent of server errors."""
        name = self._tiny.name("alarm")
        dimensions = {"EndpointName": endpoint, "VariantName": "A", **changes.pop("also", {})}
        if "ExtendedStatistic" not in changes:
            changes.setdefault("Statistic", "Average")
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            **{
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0.01,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                **changes,
            },
        )
        return name

    def set(self, name: str, state: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")

    def state(self, name: str) -> str:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateValue"])

    def sums(self, endpoint: str, *metrics: str, **also: str) -> dict[str, float]:
        """The sums of metrics over the last hours."""
        dimensions = {"EndpointName": endpoint, "VariantName": "A", **also}
        found = {}
        for metric in metrics:
            points = self.cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName=metric,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
                StartTime=time.time() - 7200,
                EndTime=time.time() + 60,
                Period=86400,
                Statistics=["Sum"],
            )["Datapoints"]
            found[metric] = sum(point["Sum"] for point in points)
        return found


class EndpointEvents:
    """The events about one endpoint, in the order in which they came."""

    _numbers = itertools.count(1)

    def __init__(self, tiny: Tiny, endpoint: str) -> None:
        self._sqs = client("sqs", tiny.cloud.endpoint_url)
        self._seen: list[dict[str, Any]] = []
        self._tiny = tiny
        name = f"endpoint-events-{next(self._numbers)}"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        events = client("events", tiny.cloud.endpoint_url)
        pattern = {"source": ["aws.sagemaker"], "detail": {"EndpointName": [endpoint]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def until(self, happened: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until the events are such, and give all of them."""

        def look() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self._seen.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            return happened(self._seen)

        self._tiny.wait_until(look, seconds=20, what="the events")
        return sorted(self._seen, key=lambda event: event["detail"]["LastModifiedTime"])
