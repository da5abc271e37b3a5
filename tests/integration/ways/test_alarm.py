"""An alarm goes to ALARM: the dataset of its endpoint is retrained, or the one that is configured."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.ways.conftest import Way

DATASET = "drifting"
DRIFT, QUALITY, OTHER = "way-drift", "way-quality", "way-unheard"
STACK = "way-alarm"


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    opened = open_way(STACK, RetrainDatasets=DATASET, AlarmNames=f"{DRIFT},{QUALITY}")
    for name in (DRIFT, QUALITY, OTHER):
        endpoint = [{"Name": "EndpointName", "Value": f"{STACK}-unknown"}] if name == QUALITY else []
        opened.people.aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Drift",
            MetricName=name,
            Dimensions=endpoint,
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.2,
            ComparisonOperator="GreaterThanThreshold",
        )
    opened.fill(DATASET)
    return opened


def set_state(way: Way, alarm: str, state: str) -> None:
    way.people.aws("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="A test.")


def test_drift_retrains_once_and_says_when_there_is_nothing_new_to_learn_from(way: Way) -> None:
    set_state(way, DRIFT, "ALARM")
    told = way.told(DATASET)
    assert told.attributes["outcome"] == "DEPLOYED"
    assert told.run["trigger"]["kind"] == "alarm"
    assert way.decision()["alarm"] == DRIFT

    set_state(way, DRIFT, "OK")
    set_state(way, DRIFT, "ALARM")
    skipped = way.decision(2)
    assert (skipped["result"], skipped["run_id"]) == ("skipped", told.run["run_id"])
    assert way.runs() == [told.run["run_id"]]


def test_an_alarm_on_an_endpoint_is_about_its_dataset(way: Way) -> None:
    set_state(way, QUALITY, "ALARM")
    decision = way.decision(alarm=QUALITY)
    assert (decision["dataset"], decision["result"]) == ("unknown", "empty")


def test_other_alarms_are_not_heard(way: Way) -> None:
    set_state(way, OTHER, "ALARM")
    set_state(way, QUALITY, "OK")
    set_state(way, QUALITY, "ALARM")  # what came before it has been read when it is decided about
    way.decision(2, alarm=QUALITY)
    assert way.decisions(alarm=OTHER) == []
    assert way.dead_letters() == []
