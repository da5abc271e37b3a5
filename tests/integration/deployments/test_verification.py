"""What goes live is asked whether it is the model that was judged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.deployments.conftest import Live, span


def test_an_update_to_a_model_that_answers_differently_is_taken_back(stepwise: Callable[[str], Live]) -> None:
    live = stepwise("swapped")
    assert live.train("blue").run["outcome"] == "DEPLOYED"
    serving, champion = live.people.serving(live.endpoint), live.champion()

    with live.under_load(clients=2) as asked, live.watched() as seen:
        told = live.train("green", shift=1)
    assert told.attributes["outcome"] == "ROLLED_BACK", told.body
    assert "20 of 20 rows of the holdout differ. The first: row 0: 1 instead of 0" in told.run["reason"]
    assert f"was taken back to {serving}, which serves again" in told.run["reason"]
    assert told.run["error"]["name"] == "EndpointNotVerified"
    assert (live.people.serving(live.endpoint), live.champion()) == (serving, champion)
    assert live.ask("7") == {"predictions": [{"label": 7}], "name": "blue"}
    # It had gone live in two steps before it was asked, and nobody's request failed on either way.
    span(seen, "traffic enabled on linear step capacity")
    assert [one.error for one in asked if one.error] == []
    assert [one.name for one in asked][-1] == "blue"
    assert "green" in {one.name for one in asked}

    # Data of another content goes live as if nothing had been.
    again = live.train("green")
    assert again.run["outcome"] == "DEPLOYED", again.body
    assert live.ask()["name"] == "green"


def test_a_first_model_that_answers_differently_is_removed(stepwise: Callable[[str], Live]) -> None:
    live = stepwise("impostor")
    told = live.train("blue", shift=1)
    assert told.attributes["outcome"] == "FAILED", told.body
    assert "It was the first one, and was removed." in told.run["reason"]
    live.people.wait_until(lambda: live.describe() is None, what="the endpoint's removal")
    assert live.champion() is None


def test_a_first_model_that_does_not_start_makes_room_for_the_next(stepwise: Callable[[str], Live]) -> None:
    live = stepwise("stillborn")
    told = live.train("blue", broken="weights of another network")
    assert told.attributes["outcome"] == "FAILED", told.body
    assert "weights of another network" in told.run["reason"]
    live.people.wait_until(lambda: live.describe() is None, what="the endpoint's removal")

    again = live.train("green", unverifiable=True)
    assert again.run["outcome"] == "DEPLOYED", again.body
    assert again.run["verification"] == {
        "agrees": True,
        "verified": False,
        "rows": 0,
        "differing": 0,
        "sentence": "The live endpoint was not verified: the training program left no verify.jsonl.",
    }


def test_an_update_while_the_champion_itself_is_ill_goes_unwatched(stepwise: Callable[[str], Live]) -> None:
    live = stepwise("ringing")
    assert live.train("blue").run["outcome"] == "DEPLOYED"
    for _ in range(3):
        with pytest.raises(live.people.aws("sagemaker-runtime").exceptions.ModelError):
            live.ask("boom")
    live.people.wait_until(lambda: live.alarm() == "ALARM", what="the alarm on the champion's errors")

    with live.watched() as seen:
        told = live.train("green")
    assert told.run["outcome"] == "DEPLOYED", told.body
    (warning,) = told.run["warnings"]
    assert f"The alarm {live.endpoint}-5xx rang already before the update" in warning
    assert not any("linear step" in stage for _, stage in seen)
    assert live.ask()["name"] == "green"
