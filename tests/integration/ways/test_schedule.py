"""The stack's schedule fires: a run if anything is new, none if nothing is, one all the same if forced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retrain.operations import schedules
from tests.integration.ways.conftest import Way

DATASET, OTHER = "timed", "timed-too"
PARAMETERS = {
    "RetrainDatasets": f"{DATASET},{OTHER}",
    "ScheduleExpression": "cron(0 3 ? * SUN *)",
    "ScheduleTimezone": "Europe/Berlin",
}


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    opened = open_way("way-schedule", **PARAMETERS)
    opened.fill(DATASET)
    return opened


def fire(way: Way) -> str:
    """Fire the stack's own schedule; gives what its triggers are known by."""
    name = schedules.stacks_own(way.stack)
    fired = schedules.fire(way.stack, name)
    return f"default/{name}@{fired['scheduled_time']}"


def test_what_the_schedule_is(way: Way) -> None:
    scheduler = way.people.aws("scheduler")
    schedule = scheduler.get_schedule(Name=schedules.stacks_own(way.stack))
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["State"] == "ENABLED"
    dead = schedule["Target"]["DeadLetterConfig"]["Arn"].rsplit(":", 1)[-1]
    assert way.people.outputs["ArrivalDeadLetterQueueUrl"].endswith(f"/{dead}")


def test_new_data_is_trained_once_and_nothing_new_is_skipped(
    way: Way, open_way: Callable[..., Way], wait_for_next_second: Callable[[], None]
) -> None:
    firing = fire(way)
    told = way.told(DATASET)
    assert told.attributes["outcome"] == "DEPLOYED"
    assert (told.run["trigger"]["kind"], told.run["trigger"]["id"]) == ("schedule", f"{firing}/{DATASET}")
    other = way.decision(trigger_id=f"schedule#{firing}/{OTHER}")
    assert other["result"] == "empty", "one dataset that is not there does not keep the other waiting"
    assert "upload the dataset first" in other["reason"]

    wait_for_next_second()
    skipped = way.decision(trigger_id=f"schedule#{fire(way)}/{DATASET}")
    assert (skipped["result"], skipped["run_id"]) == ("skipped", told.run["run_id"])
    assert way.runs() == [told.run["run_id"]]

    forcing = open_way("way-schedule", **PARAMETERS, ScheduleForce="true")
    wait_for_next_second()
    firing = fire(forcing)
    again = forcing.told(DATASET)
    assert again.run["trigger"]["id"] == f"{firing}/{DATASET}"
    assert again.run["retrain_key"] == told.run["retrain_key"]
    assert len(way.runs()) == 2
