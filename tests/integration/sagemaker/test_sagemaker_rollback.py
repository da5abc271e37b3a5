"""Deployments that go back: by alarms on what was really served, by hand, and because green fails."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from retrain.localcloud.clients import client
from tests.integration.sagemaker.conftest import Tiny
from tests.integration.sagemaker.guardrails import (
    Alarms,
    EndpointEvents,
    Load,
    Witness,
    deployment,
    serving,
    share,
    until_stage,
    update,
)


def assert_back(tiny: Tiny, name: str, blue: str, *words: str) -> dict[str, Any]:
    """The endpoint is in service with blue's config, says why, and blue answers."""
    settled = tiny.settled(name, seconds=60)
    assert settled["EndpointStatus"] == "InService"
    assert settled["EndpointConfigName"] == blue
    assert "PendingDeploymentSummary" not in settled
    for word in words:
        assert word in settled["FailureReason"]
    assert {tiny.ask(name)["answer"] for _ in range(20)} == {"blue"}
    return settled


def test_a_canary_gets_the_share_that_it_should(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarms = Alarms(tiny)
    alarm = alarms.put(name)
    with Load(tiny, name, clients=3) as load:
        update(tiny, name, deployment("CANARY", 10, bake=600, alarms=(alarm,)))
        until_stage(tiny, name, "Baking")
        began = time.monotonic()
        tiny.wait_until(
            lambda: len(load.between(began, time.monotonic())) >= 300, seconds=120, what="300 requests"
        )
        asked = load.between(began, time.monotonic())
        alarms.set(alarm, "ALARM")
        assert_back(tiny, name, blue, f"alarm {alarm}", "by hand")
    assert not load.errors
    # Green's turns are as many as they should be, but for requests that were under way at either end.
    assert abs(share(asked) - 0.1) * len(asked) <= 2 + 2 * load.clients


def test_an_alarm_on_server_errors_brings_blue_back(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarms, events = Alarms(tiny), EndpointEvents(tiny, name)
    alarm = alarms.put(name)
    with Load(tiny, name) as load:
        load.until_answered_by("blue", 100)
        plan = deployment("CANARY", 30, bake=600, alarms=(alarm,))
        witness = Witness(tiny, name)
        update(tiny, name, plan, FAIL_EVERY="5")
        settled = witness.until_settled()
        assert_back(tiny, name, blue, f"alarm {alarm}", "Threshold Crossed: 1 out of the last 1 datapoint")
        # The alarm looks at blue again, and the next deployment may begin.
        assert alarms.state(alarm) == "OK"
    assert settled["LastDeploymentConfig"] == plan
    # Nothing failed but what green itself answered.
    assert load.errors
    assert {error.response.get("OriginalStatusCode") for error in load.errors} == {500}
    assert len(load.errors) < 0.2 * len(load.asked)

    told = events.until(lambda seen: any(one["detail"]["EndpointStatus"] == "IN_SERVICE" for one in seen))
    changes = [one["detail"] for one in told if one["detail-type"] == "SageMaker Endpoint State Change"]
    assert [one["EndpointStatus"] for one in changes] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    assert {one["EndpointConfigName"] for one in changes} == {blue}
    assert changes[-1]["FailureReason"] == settled["FailureReason"]

    green = update(tiny, name, deployment("CANARY", 30, bake=1, alarms=(alarm,)))
    settled = tiny.settled(name)
    assert settled["EndpointConfigName"] == green
    assert "FailureReason" not in settled


def test_an_alarm_on_greens_latency_brings_blue_back(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarms = Alarms(tiny)
    # p99 in microseconds, on both fleets; and none on the average, which is far below.
    slow = alarms.put(name, "ModelLatency", ExtendedStatistic="p99", Threshold=1_500_000.0, Period=10)
    mean = alarms.put(name, "ModelLatency", Threshold=1_500_000.0)
    with Load(tiny, name, clients=6) as load:
        load.until_answered_by("blue")
        update(tiny, name, deployment("CANARY", 10, bake=600, alarms=(slow, mean)), SLOW_SECONDS="2")
        until_stage(tiny, name, "Baking")
        assert_back(tiny, name, blue, f"alarm {slow}")
    assert not load.errors
    assert alarms.state(mean) == "OK"


@pytest.mark.parametrize(
    ("words", "kind", "bake"),
    [
        ("Launching", "CANARY", 600),
        ("canary capacity", "CANARY", 600),
        ("linear step capacity", "LINEAR", 600),
        ("(WaitIntervalInSeconds) with traffic enabled on full capacity", "ALL_AT_ONCE", 600),
        ("(TerminationWaitInSeconds)", "CANARY", 1),
    ],
)
def test_an_alarm_counts_at_every_stage(tiny, words, kind, bake):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarms = Alarms(tiny)
    quiet, alarm = alarms.put(name), alarms.put("no-such-endpoint")
    plan = deployment(kind, 50, bake=bake, termination=600, alarms=(quiet, alarm))
    # A green that does not answer pings is still being launched when the alarm goes off.
    more = {"PING_STATUS": "503"} if words == "Launching" else {}
    with Load(tiny, name, clients=2) as load:
        update(tiny, name, plan, **more)
        until_stage(tiny, name, words)
        answers = [tiny.ask(name) for _ in range(10)]
        green = {answer["pid"] for answer in answers if answer["answer"] == "green"}
        assert bool(green) == (not more)
        alarms.set(alarm, "ALARM")
        assert_back(tiny, name, blue, f"alarm {alarm}", "by hand")
    assert not load.errors
    assert not any(psutil.pid_exists(pid) for pid in green)


def test_a_green_that_dies_while_it_bakes_is_rolled_back_by_its_errors(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarms = Alarms(tiny)
    alarm = alarms.put(name)
    green = update(tiny, name, deployment("ALL_AT_ONCE", bake=600, alarms=(alarm,)))
    until_stage(tiny, name, "Baking")
    with pytest.raises(ClientError, match="closed the connection"):
        tiny.ask(name, "die")
    assert_back(tiny, name, blue, f"alarm {alarm}")
    assert alarms.sums(name, "Invocation5XXErrors", EndpointConfigName=green) == {"Invocation5XXErrors": 1.0}


def test_a_green_that_does_not_come_up_never_gets_a_request(tiny):
    name = serving(tiny)
    blue = tiny.settled(name)["EndpointConfigName"]
    alarm = Alarms(tiny).put(name)
    with Load(tiny, name) as load:
        load.until_answered_by("blue")
        plan = deployment("CANARY", 50, bake=600, alarms=(alarm,))
        update(tiny, name, plan, BROKEN="weights of another network")
        assert_back(tiny, name, blue, "did not pass the ping health check", "weights of another network")
    assert not load.errors
    assert {one.answer for one in load.asked} == {"blue"}


def test_metrics_are_what_was_served_by_each_fleet(tiny):
    name = serving(tiny, instances=2)
    blue = tiny.settled(name)["EndpointConfigName"]
    for order in ("hello", "hello", "status 404", "status 500", "status 503"):
        with contextlib.suppress(tiny.runtime.exceptions.ModelError):
            tiny.ask(name, order)
    metrics = ("Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors")
    of_blue = dict(zip(metrics, (5.0, 2.5, 1.0, 2.0), strict=True))
    alarms = Alarms(tiny)
    assert alarms.sums(name, *metrics) == of_blue
    assert alarms.sums(name, *metrics, EndpointConfigName=blue) == of_blue
    before = alarms.sums(name, "ModelLatency", "OverheadLatency")
    tiny.ask(name, "sleep 1")
    after = alarms.sums(name, "ModelLatency", "OverheadLatency")
    assert after["ModelLatency"] - before["ModelLatency"] >= 1e6
    assert after["OverheadLatency"] > before["OverheadLatency"]

    green = update(tiny, name, None)
    tiny.settled(name)
    tiny.ask(name)
    assert alarms.sums(name, "Invocations") == {"Invocations": 7.0}
    assert alarms.sums(name, "Invocations", EndpointConfigName=green) == {"Invocations": 1.0}


def test_an_alarm_on_one_endpoint_is_no_alarm_on_another(tiny):
    ill, well = serving(tiny), serving(tiny)
    alarms = Alarms(tiny)
    alarm, other = alarms.put(ill), alarms.put(well)
    green_alone = alarms.put(ill, also={"EndpointConfigName": "another-config"})
    tiny.ask(well)
    with pytest.raises(ClientError):
        tiny.ask(ill, "status 500")
    tiny.wait_until(lambda: alarms.state(alarm) == "ALARM", what="the alarm")
    assert alarms.state(other) == "OK"
    assert alarms.state(green_alone) == "OK"


def test_an_alarm_that_could_never_go_off_is_refused(tiny):
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}
    with pytest.raises(ClientError, match="Metrics is not implemented in the local cloud") as refused:
        Alarms(tiny).cloudwatch.put_metric_alarm(
            AlarmName="math",
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            Threshold=1.0,
            Metrics=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
        )
    assert refused.value.response["Error"]["Code"] == "UnsupportedOperation"


def test_an_alarm_that_goes_off_by_itself_tells_its_topic(tiny):
    name = serving(tiny)
    sns, sqs = (client(service, tiny.cloud.endpoint_url) for service in ("sns", "sqs"))
    topic = sns.create_topic(Name=tiny.name("topic"))["TopicArn"]
    queue = sqs.create_queue(QueueName=tiny.name("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm = Alarms(tiny).put(name, AlarmActions=[topic])
    with pytest.raises(ClientError):
        tiny.ask(name, "status 500")
    (message,) = tiny.wait_until(
        lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), what="the message"
    )
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == (alarm, "ALARM")
