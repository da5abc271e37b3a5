"""A model goes live for the first time, and then by canary, while people use its endpoint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.deployments.conftest import Live, span


@pytest.fixture(scope="module")
def blue(guarded: Callable[[str], Live]) -> Live:
    """An endpoint whose first model is in service."""
    live = guarded("canary")
    assert live.describe() is None
    told = live.train("blue")
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    verification = told.run["verification"]
    assert (verification["verified"], verification["rows"], verification["differing"]) == (True, 20, 0)
    assert "answers 20 rows of the holdout as the gate has seen" in verification["sentence"]
    assert (told.run["previous_endpoint_config_name"], live.champion()) == (None, told.run["run_id"])
    assert live.ask("13") == {"predictions": [{"label": 3}], "name": "blue"}
    return live


def test_an_update_by_canary_under_load(blue: Live) -> None:
    before = blue.champion()
    with blue.under_load() as asked, blue.watched() as seen:
        told = blue.train("green")
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    assert told.run["endpoint_name"] == blue.endpoint
    assert told.run["previous_endpoint_config_name"] != told.run["endpoint_config_name"]
    assert before != blue.champion() == told.run["run_id"]
    assert told.run["warnings"] == []

    assert [one.error for one in asked if one.error] == [], "no request fails through the whole update"
    assert {one.name for one in asked} == {"blue", "green"}
    began, ended = span(seen, "traffic enabled on canary capacity")
    baking = [one for one in asked if one.began > began and one.ended < ended]
    assert len(baking) >= 50
    share = sum(one.name == "green" for one in baking) / len(baking)
    # But for the requests that were under way at either end, green's turns are as many as they should be.
    assert abs(share - 0.2) * len(baking) <= 8, f"{share:.2f} of {len(baking)}"
    _, full = span(seen, "traffic enabled on full capacity")
    afterwards = {one.name for one in asked if one.began > full}
    assert afterwards == {"green"}


def test_a_model_that_fails_one_request_in_five_is_rolled_back_by_the_alarm(blue: Live) -> None:
    serving, champion, name = blue.people.serving(blue.endpoint), blue.champion(), blue.ask()["name"]
    with blue.under_load() as asked:
        told = blue.train("ill", fail_every=5)
    assert (told.attributes["outcome"], told.run["outcome"]) == ("ROLLED_BACK", "ROLLED_BACK"), told.body
    assert f"the alarm {blue.endpoint}-5xx" in told.run["reason"]
    assert f"serves {serving} again" in told.run["reason"]
    assert (blue.people.serving(blue.endpoint), blue.champion()) == (serving, champion)
    assert told.run["verification"] is None

    failed = [one for one in asked if one.error]
    assert failed
    assert all("server error (500)" in one.error for one in failed), (
        "nothing fails but what green itself answers"
    )
    assert len(failed) < 0.2 * len(asked)
    assert {one.name for one in asked[-3:]} == {name}
    assert blue.alarm() == "OK", "and the next update may begin"


def test_a_model_that_does_not_start_never_gets_a_request(blue: Live) -> None:
    serving, champion, name = blue.people.serving(blue.endpoint), blue.champion(), blue.ask()["name"]
    with blue.under_load(clients=1) as asked:
        told = blue.train("stillborn", broken="weights of another network")
    assert told.run["outcome"] == "ROLLED_BACK", told.body
    assert "did not pass the ping health check" in told.run["reason"]
    assert "weights of another network" in told.run["reason"]
    assert (blue.people.serving(blue.endpoint), blue.champion()) == (serving, champion)
    assert {(one.name, one.error) for one in asked} == {(name, "")}
