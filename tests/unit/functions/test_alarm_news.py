"""The stack's own alarms: told in words, exact about whose they are, and starting nothing."""

import json
import re
from typing import Any

import pytest

from retraining import alarm_news, rollouts, run_metrics, settings
from retraining.ways import alarms
from retraining.ways.reading import Ignored
from tests.unit.functions import stack
from tests.unit.functions.stack import RESOURCES
from tests.unit.functions.test_template import FUNCTIONS, matches

ALARMS = [name for name, body in RESOURCES.items() if body["Type"] == "AWS::CloudWatch::Alarm"]
OF_ENDPOINT = rollouts.alarm_names("retrain-mnist")


def event(alarm: str, state: str = "ALARM") -> dict[str, Any]:
    return {
        "id": "e1",
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "time": "2026-01-31T12:00:00Z",
        "detail": {"alarmName": alarm, "state": {"value": state, "reason": "Threshold Crossed."}},
    }


def is_heard(found: dict[str, Any]) -> bool:
    rule = stack.properties("NotifyFunction")["Events"]["AlarmRang"]["Properties"]
    return matches(rule["Pattern"], found)


def test_the_template_has_the_alarms_that_have_words():
    names = {stack.properties(name)["AlarmName"] for name in ALARMS}
    assert names == {f"retrain-{kind}" for kind in alarm_news.OWN}


@pytest.mark.parametrize("name", ALARMS)
def test_alarms_ring_for_anything_at_all_and_not_for_silence(name):
    found = stack.properties(name)
    assert (found["Threshold"], found["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert found["TreatMissingData"] == "notBreaching"
    assert found["AlarmDescription"]


@pytest.mark.parametrize("alarm", [*(f"retrain-{kind}" for kind in alarm_news.OWN), *OF_ENDPOINT])
def test_whatever_is_heard_is_told_with_what_to_do(alarm):
    news = alarm_news.read(event(alarm), "retrain")
    by_runs = alarm.removeprefix("retrain-") in alarm_news.TOLD_BY_RUNS
    assert is_heard(event(alarm)) == (news is not None) == (not by_runs)
    if news is not None:
        message = alarm_news.render(news, "retrain")
        assert message.subject.isascii()
        assert "What to do" in message.body
        assert "Threshold Crossed." in message.body
        assert not re.search(r"[{}]", message.body)
        assert message.attributes["outcome"] == "ALARM"


def test_an_alarm_of_an_endpoint_names_its_dataset():
    news = alarm_news.read(event("retrain-mnist-5xx"), "retrain")
    assert news is not None
    message = alarm_news.render(news, "retrain")
    assert message.subject == "Retrain retrain-mnist: requests fail"
    assert message.attributes["dataset"] == "mnist"
    assert "retrain rollback --dataset mnist" in message.body


@pytest.mark.parametrize(
    "odd",
    [
        event("retrain-dead-letters", "OK"),
        event("retrain-drift"),
        event("other-dead-letters"),
        event("retrain-5xx"),
        event(""),
        {**event("retrain-dead-letters"), "detail": None},
        {**event("retrain-dead-letters"), "detail": {"alarmName": "retrain-dead-letters", "state": 7}},
    ],
)
def test_what_nobody_needs_to_be_told(odd):
    assert alarm_news.read(odd, "retrain") is None


@pytest.mark.parametrize("alarm", [*(f"retrain-{kind}" for kind in alarm_news.OWN), *OF_ENDPOINT])
def test_an_alarm_that_rings_because_runs_fail_starts_none(alarm):
    configured = settings.from_environment(
        stack.environment("StartRetrainingFunction") | {"RETRAIN_DATASETS": "mnist"}
    )
    found = alarms.read(event(alarm), configured)
    assert isinstance(found, Ignored)
    assert "starts none" in found.reason
    assert not isinstance(alarms.read(event("retrain-drift"), configured), Ignored)


class TestDashboard:
    @pytest.fixture
    def widgets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(stack.properties("Dashboard")["DashboardBody"])["widgets"]
        return found

    def test_widgets_lie_side_by_side_in_24_columns(self, widgets):
        taken: set[tuple[int, int]] = set()
        for widget in widgets:
            columns = range(widget["x"], widget["x"] + widget["width"])
            rows = range(widget["y"], widget["y"] + widget["height"])
            cells = {(x, y) for x in columns for y in rows}
            assert columns.stop <= 24
            assert not cells & taken
            taken |= cells

    def test_every_metric_of_ours_is_one_that_is_sent(self, widgets):
        sent = {run_metrics.RUNS, run_metrics.RUN_SECONDS, run_metrics.TRAINING_COST, run_metrics.GATE_CHECKS}
        text = json.dumps(widgets)
        shown = {
            entry[1]
            for widget in widgets
            for entry in widget["properties"].get("metrics", [])
            if entry[0] == "Retrain"
        }
        searched = set(re.findall(r'\{Retrain,[^}]*\} MetricName=\\"(\w+)', text))
        assert shown | searched == sent

    def test_every_function_and_alarm_is_on_it(self):
        body = json.dumps(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])
        for name in FUNCTIONS:
            assert f"${{{name}}}" in body
        for name in ALARMS:
            assert f"${{{name}.Arn}}" in body
