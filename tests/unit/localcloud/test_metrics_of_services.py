"""Metrics in functions' logs, and of queues: what alarms in the local cloud look at."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud import seams
from retrain.localcloud.cloudwatch.metrics import CLOUDWATCH, MetricRecorder
from retrain.localcloud.repairs import embedded_metrics, queue_metrics
from retrain.localcloud.repairs.embedded_metrics import Datum
from retrain.localcloud.repairs.queue_metrics import QueueWatch, of_queue
from tests.unit.localcloud.conftest import Restored


def line(**changes: Any) -> str:
    document = {
        "_aws": {
            "Timestamp": 1795386305538,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Retrain",
                    "Dimensions": [["service", "outcome"], ["service"]],
                    "Metrics": [{"Name": "Runs", "Unit": "Count"}],
                }
            ],
        },
        "service": "retrain",
        "outcome": "FAILED",
        "run_id": "r1",
        "Runs": [1.0],
    }
    return json.dumps({**document, **changes})


def test_a_line_is_a_metric_for_each_of_its_sets_of_dimensions() -> None:
    text = f'START\n{line()}\n{{"level": "INFO"}}\nEND'
    assert list(embedded_metrics.read(text)) == [
        Datum("Retrain", "Runs", 1.0, "Count", {"service": "retrain", "outcome": "FAILED"}),
        Datum("Retrain", "Runs", 1.0, "Count", {"service": "retrain"}),
    ]


def test_every_value_of_a_line_counts() -> None:
    assert [datum.value for datum in embedded_metrics.read(line(Runs=[1, 2]))] == [1.0, 1.0, 2.0, 2.0]
    assert [datum.value for datum in embedded_metrics.read(line(Runs=3))] == [3.0, 3.0]


@pytest.mark.parametrize(
    "broken",
    [{"_aws": 7}, {"_aws": {}}, {"Runs": None}, {"Runs": "many"}, {"_aws": {"CloudWatchMetrics": [{}]}}],
)
def test_what_only_looks_like_a_metric_is_passed_over(broken: dict[str, Any]) -> None:
    assert list(embedded_metrics.read(line(**broken))) == []


@given(st.text())
def test_no_log_breaks_the_reading(text: str) -> None:
    assert list(embedded_metrics.read(f'{text}\n{{"_aws": {text}\n')) == []


def message(sent: float, visible: float, received: int = 0) -> dict[str, Any]:
    return {"sent_at": sent, "visible_at": visible, "receive_count": received}


def test_what_waits_in_a_queue() -> None:
    messages = [message(10, 10), message(20, 130), message(30, 200, received=1)]
    assert {datum.name.removeprefix("Approximate"): datum.value for datum in of_queue(messages, 100)} == {
        "NumberOfMessagesVisible": 1,
        "NumberOfMessagesNotVisible": 1,
        "NumberOfMessagesDelayed": 1,
        "AgeOfOldestMessage": 90,
    }


def test_the_age_of_what_was_received_thrice_does_not_count() -> None:
    found = {datum.name: datum.value for datum in of_queue([message(10, 200, 3), message(60, 60)], 100)}
    assert found["ApproximateAgeOfOldestMessage"] == 40


def test_queues_in_use_are_told_of_and_once_more_when_they_are_empty(restored: Restored) -> None:
    sqs, cloudwatch = seams.module(queue_metrics.SQS), seams.module(CLOUDWATCH)
    cloudwatch.reset()
    queue: dict[str, Any] = {"name": "q", "messages": [message(10, 10)]}
    sqs._queues["url"] = queue
    watch = QueueWatch(MetricRecorder(lambda: 100.0), lambda: 100.0)
    try:
        watch.look()
        queue["messages"] = []
        watch.look()
        watch.look()
        name = "ApproximateNumberOfMessagesVisible"
        points = cloudwatch._metrics[queue_metrics.NAMESPACE, name, "QueueName=q"]
        assert [(point["Value"], point["Count"]) for point in points] == [(1.0, 1.0), (0.0, 1.0)]
    finally:
        del sqs._queues["url"]
        cloudwatch.reset()
