"""``Retrain Requested`` on the event bus: somebody's request, carried out, skipped, forced or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.ways.conftest import REGISTRY, Way

DATASET = "asked-for"


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    opened = open_way("way-event", AcceptRetrainRequests="on")
    opened.fill(DATASET)
    return opened


def ask(way: Way, detail: Any, *, source: str = "retrain") -> str:
    """Put a request on the event bus; gives the event's id."""
    entry = {"Source": source, "DetailType": "Retrain Requested", "Detail": json.dumps(detail)}
    answer = way.people.aws("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    return str(answer["Entries"][0]["EventId"])


def test_a_request_becomes_a_run_a_repeat_is_skipped_and_force_runs_it_again(way: Way) -> None:
    request = {"dataset": {"name": DATASET}, "training": {"hyperparameters": {"seed": 3}}}
    first = ask(way, request)
    told = way.told(DATASET)
    assert told.attributes["outcome"] == "DEPLOYED"
    assert told.run["trigger"] == {"kind": "event", "id": first, "time": told.run["trigger"]["time"]}
    assert told.run["hyperparameters"]["seed"] == "3"
    assert told.run["image_uri"].startswith(f"{REGISTRY}/retrain-training@sha256:")
    decision = way.decision(trigger_id=f"event#{first}")
    assert (decision["result"], decision["run_id"]) == ("started", told.run["run_id"])
    assert decision["received_from"] == "retrain: Retrain Requested"

    second = ask(way, request)
    skipped = way.decision(trigger_id=f"event#{second}")
    assert (skipped["result"], skipped["run_id"]) == ("skipped", told.run["run_id"])
    assert way.runs() == [told.run["run_id"]]

    third = ask(way, {**request, "force": True})
    again = way.told(DATASET)
    assert again.attributes["outcome"] in {"DEPLOYED", "REJECTED"}, "the same seed: as good as its champion"
    assert again.run["retrain_key"] == told.run["retrain_key"]
    assert way.decision(trigger_id=f"event#{third}")["run_id"] == again.run["run_id"] != told.run["run_id"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"dataset": {"name": DATASET}, "trainig": {}}, "trainig is unknown here"),
        ({"dataset": {"name": DATASET}, "force": "yes"}, "force is 'yes'; it must be true or false"),
        ({"dataset": {"name": DATASET, "s3_uri": "s3://else/datasets/x/"}}, "must be a folder under s3://"),
        ({"dataset": {"name": DATASET}, "training": {"image_uri": "python:3"}}, "AllowedImageRepositories"),
        ({"dataset": {"name": DATASET}, "training": {"image_tag": "gone"}}, "There is no image"),
        (
            {"dataset": {"name": DATASET}, "training": {"hyperparameters": {"prompt": "x" * 3000}}},
            "prompt has 3000 characters; at most 2500",
        ),
        ({}, "dataset is missing"),
    ],
)
def test_a_request_that_cannot_be_carried_out_starts_nothing_and_says_why(
    way: Way, request_: Any, said: str
) -> None:
    before = way.runs()
    decision = way.decision(trigger_id=f"event#{ask(way, request_)}")
    assert decision["result"] == "refused"
    assert said in decision["reason"]
    assert not decision["run_id"]
    assert way.runs() == before
    assert said in way.refusal(decision)
    assert way.dead_letters() == []


def test_a_dataset_without_files_is_told_to_be_empty(way: Way) -> None:
    decision = way.decision(trigger_id=f"event#{ask(way, {'dataset': {'name': 'nothing-there'}})}")
    assert (decision["result"], decision["run_id"]) == ("empty", None)
    assert "upload the dataset first" in way.refusal(decision)


def test_other_sources_are_not_heard(way: Way) -> None:
    heard = ask(way, {"dataset": {"name": DATASET}})
    unheard = ask(way, {"dataset": {"name": DATASET}}, source="somebody.else")
    way.decision(trigger_id=f"event#{heard}")
    assert way.decisions(trigger_id=f"event#{unheard}") == []
