"""Each kind of event, read: what it asks for, or why for nothing."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import requests
from retraining.settings import Settings
from retraining.ways import alarms, images_pushed, requested, schedules
from retraining.ways.reading import Ignored
from retraining.wishes import Asked

DIGEST = f"sha256:{'ab' * 32}"
READERS = (alarms, images_pushed, requested, schedules)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def settings(configured: Settings) -> Settings:
    """A stack that retrains two datasets when an event names none."""
    return dataclasses.replace(configured, retrain_datasets=("mnist", "fashion", "mnist"))


@pytest.fixture
def without(configured: Settings) -> Settings:
    """A stack that retrains none then."""
    return dataclasses.replace(configured, retrain_datasets=())


def event(way: Any, detail: Any, **others: Any) -> dict[str, Any]:
    source, detail_type = way.EVENT
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": source,
        "detail-type": detail_type,
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-01-31T12:00:00Z",
        "resources": [],
        "detail": detail,
        **others,
    }


def test_a_request_is_passed_on_as_it_is(settings):
    detail = {"dataset": {"name": "mnist"}, "force": True, "trainig": {}}
    asked = requested.read(event(requested, detail), settings)
    assert asked == Asked(
        payload=detail,
        kind="event",
        id="6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        time="2026-01-31T12:00:00Z",
        received_from="retrain: Retrain Requested",
    )


@pytest.mark.parametrize("detail", [None, "{}", [], 7])
def test_a_request_that_is_no_object_is_no_event(settings, detail):
    with pytest.raises(ValueError, match="no object detail"):
        requested.read(event(requested, detail), settings)


def pushed(settings, *, region="us-east-1", **changes):
    detail = {
        "result": "SUCCESS",
        "repository-name": "team/model",
        "image-digest": DIGEST,
        "action-type": "PUSH",
        "image-tag": "1.4",
        **changes,
    }
    return images_pushed.read(event(images_pushed, detail, region=region), settings)


def test_an_image_is_trained_with_by_its_digest_for_each_dataset(settings):
    first, second = pushed(settings)
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model@{DIGEST}"
    assert first.payload == {"dataset": {"name": "mnist"}, "training": {"image_uri": image}}
    assert second.payload["dataset"] == {"name": "fashion"}
    assert first.about == {"image": "team/model:1.4"}
    assert (first.kind, first.id.split("/")[1], second.id.split("/")[1]) == ("event", "mnist", "fashion")


def test_a_registry_in_china_has_another_name(settings):
    image = pushed(settings, region="cn-north-1")[0].payload["training"]["image_uri"]
    assert image.startswith("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/model@")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"action-type": "DELETE"}, "no push that succeeded"),
        ({"result": "FAILURE"}, "no push that succeeded"),
        ({"image-tag": ""}, "no tag"),
        ({"image-tag": f"sha256-{'ab' * 32}.sig"}, "a signature"),
        ({"image-tag": f"sha256-{'ab' * 32}"}, "a signature"),
    ],
)
def test_what_is_no_new_image(settings, changes, why):
    ignored = pushed(settings, **changes)
    assert isinstance(ignored, Ignored)
    assert why in ignored.reason


def alarm(settings, state="ALARM", **configuration):
    detail = {"alarmName": "drift", "state": {"value": state}, "configuration": configuration}
    return alarms.read(event(alarms, detail), settings)


def on_endpoints(*names):
    return [{"metricStat": {"metric": {"dimensions": {"EndpointName": name}}}} for name in names]


def test_an_alarm_on_an_endpoint_is_about_its_dataset(settings):
    (asked,) = alarm(settings, metrics=on_endpoints("retrain-digits", "retrain-digits"))
    assert asked.payload == {"dataset": {"name": "digits"}}
    assert (asked.kind, asked.about) == ("alarm", {"alarm": "drift"})


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"metrics": on_endpoints("somebody-elses-endpoint", "retrain", "retrain-", "retrain-Not_A_Name")},
        {"metrics": [{"expression": "m1 / m2"}, {"metricStat": None}, 7]},
        {"metrics": None, "alarmRule": "ALARM(a) OR ALARM(b)"},
    ],
)
def test_any_other_alarm_is_about_the_configured_datasets(settings, configuration):
    assert [asked.payload["dataset"]["name"] for asked in alarm(settings, **configuration)] == [
        "mnist",
        "fashion",
    ]


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_is_over_asks_for_nothing(settings, state):
    assert alarm(settings, state) == Ignored(f"the alarm drift went to {state}")


SCHEDULE = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/weekly"


def fired(settings, detail, **others):
    return schedules.read(event(schedules, detail, resources=[SCHEDULE], **others), settings)


def test_the_stacks_schedule_is_about_the_configured_datasets(settings):
    first, second = fired(settings, {"force": False})
    assert first.payload == {"dataset": {"name": "mnist"}, "force": False}
    assert first.id == "default/weekly@2026-01-31T12:00:00Z/mnist"
    assert (second.payload["dataset"], second.kind) == ({"name": "fashion"}, "schedule")


def test_an_attempt_more_is_the_same_firing(settings):
    assert fired(settings, {}, id="attempt-1") == fired(settings, {}, id="attempt-2")
    assert fired(settings, {}) != fired(settings, {}, time="2026-02-07T12:00:00Z")


def test_a_schedule_of_somebodys_own_may_ask_for_anything(settings):
    request = {"dataset": {"name": "digits"}, "training": {"hyperparameters": {"epochs": 9}}}
    asked = fired(settings, request)
    assert isinstance(asked, Asked)
    assert asked.payload == request
    assert asked.about == {"schedule": "default/weekly"}


def test_a_schedule_without_an_input_is_the_stacks_as_well(settings):
    assert [asked.payload for asked in fired(settings, "{}")] == [
        {"dataset": {"name": "mnist"}},
        {"dataset": {"name": "fashion"}},
    ]


@pytest.mark.parametrize("resources", [[], None, ["arn:aws:events:us-east-1:1:rule/r"]])
def test_what_no_schedule_sent(settings, resources):
    with pytest.raises(ValueError, match="ARN of a schedule"):
        schedules.read(event(schedules, {}, resources=resources), settings)


def test_without_datasets_there_is_nothing_to_retrain_and_the_parameter_is_named(without):
    for ignored in (pushed(without), alarm(without), fired(without, {})):
        assert isinstance(ignored, Ignored)
        assert ignored.reason.endswith("the stack's parameter RetrainDatasets names no dataset")


@pytest.mark.parametrize("time", [None, "", "yesterday", "2026-01-31T12:00:00"])
def test_an_event_without_a_moment_is_none(settings, time):
    with pytest.raises(ValueError, match=r"time|isoformat"):
        requested.read(event(requested, {}, time=time), settings)


@pytest.mark.parametrize("way", READERS)
@given(detail=JSON, resources=JSON, time=JSON)
def test_whatever_an_event_holds_it_is_read_or_told_to_be_none(way, detail, resources, time):
    try:
        found = way.read(
            event(way, detail, resources=resources, time=time),
            SETTINGS,
        )
    except ValueError:
        return
    for asked in found if isinstance(found, list) else [found]:
        if isinstance(asked, Asked):
            assert asked.kind in requests.TRIGGER_KINDS
            assert asked.id


SETTINGS: Any = type("Stack", (), {"stack_name": "retrain", "retrain_datasets": ("mnist",)})()
