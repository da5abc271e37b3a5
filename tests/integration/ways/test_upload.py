"""Uploads: a batch that a marker, a manifest or quiet closes; deletions, overwrites, repeats, odd keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.outcomes.conftest import dataset_files, holdout_files
from tests.integration.ways.conftest import Decision, Way

FILES = dataset_files(count=600)
HOLDOUT = holdout_files(count=150)


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    return open_way(
        "way-upload", QuietPeriodSeconds="2", ManifestWaitSeconds="3", GateValueThreshold="0.5",
        GateSliceFloor="off", GateSignificance="off", GateChangeThreshold="-1",
    )  # fmt: skip


def put(way: Way, dataset: str, name: str, content: bytes = b"") -> None:
    bucket = way.people.outputs["DataBucketName"]
    way.people.aws("s3").put_object(Bucket=bucket, Key=f"datasets/{dataset}/{name}", Body=content)


def decision(way: Way, dataset: str, result: str, **wanted: Any) -> Decision:
    """Wait for a decision about a dataset."""

    def decided() -> Decision | None:
        found = [
            record
            for record in way.decisions(dataset=dataset, result=result, **wanted)
            if record["decided_at"]
        ]
        return found[-1] if found else None

    found: Decision = way.people.wait_until(decided, seconds=60, what=f"{result} of {dataset}")
    return found


def runs_of(way: Way, dataset: str) -> list[str]:
    return [name for name in way.runs() if name.startswith(f"{dataset}-")]


def test_a_marker_closes_a_batch_at_once_and_later_events_start_nothing(way: Way) -> None:
    way.people.put_holdout("by-marker", HOLDOUT)
    for name, content in [*FILES.items(), ("_SUCCESS", b"")]:
        put(way, "by-marker", name, content)
    told = way.told("by-marker")
    assert told.attributes["outcome"] == "DEPLOYED"
    assert (told.run["trigger"]["kind"], told.run["file_count"]) == ("s3", 2)
    assert decision(way, "by-marker", "started")["closed_by"] == "_SUCCESS"

    put(way, "by-marker", "_SUCCESS")
    skipped = decision(way, "by-marker", "skipped", closed_by="_SUCCESS")
    assert skipped["run_id"] == told.run["run_id"]
    assert told.run["run_id"] in skipped["reason"]
    assert runs_of(way, "by-marker") == [told.run["run_id"]]

    way.people.start({"dataset": {"name": "by-marker"}})
    again = way.told("by-marker")
    assert again.attributes["outcome"] == "SKIPPED"
    assert again.run["repeats"] == told.run["run_id"]
    assert f"{told.run['run_id']}, which has run already" in again.body
    assert again.run["training_job_name"] is None


def test_a_quiet_period_closes_a_batch_and_so_it_does_after_changes_and_deletions(way: Way) -> None:
    way.people.put_holdout("by-quiet", HOLDOUT)
    for name, content in FILES.items():
        put(way, "by-quiet", name, content)
    first = way.told("by-quiet")
    assert (first.attributes["outcome"], first.run["file_count"]) == ("DEPLOYED", 2)
    assert decision(way, "by-quiet", "started")["closed_by"] == "quiet period"
    assert first.run["cost_estimate"]["usd"] > 0

    put(way, "by-quiet", "notes.txt", b"one more file")
    second = way.told("by-quiet")
    assert second.run["file_count"] == 3
    assert second.run["dataset_order"] == first.run["dataset_order"] + 1

    bucket = way.people.outputs["DataBucketName"]
    way.people.aws("s3").delete_object(Bucket=bucket, Key="datasets/by-quiet/notes.txt")
    skipped = decision(way, "by-quiet", "skipped")
    assert skipped["run_id"] == first.run["run_id"], "without the file it is the first run's data again"
    assert len(runs_of(way, "by-quiet")) == 2


def test_a_manifest_closes_a_batch_when_the_last_of_its_files_is_there(way: Way) -> None:
    way.people.put_holdout("by-manifest", HOLDOUT)
    (first, content), *others = FILES.items()
    put(way, "by-manifest", first, content)
    put(way, "by-manifest", "manifest.json", json.dumps({"files": list(FILES)}).encode())
    decided = decision(way, "by-manifest", "refused")
    assert f"1 is missing: {others[0][0]}" in decided["reason"]
    assert others[0][0] in way.refusal(decided)
    assert runs_of(way, "by-manifest") == []
    for name, content in others:
        put(way, "by-manifest", name, content)
    told = way.told("by-manifest")
    assert (told.attributes["outcome"], told.run["file_count"]) == ("DEPLOYED", 2)
    assert decision(way, "by-manifest", "started")["closed_by"] == "manifest.json"


def test_a_run_of_an_older_version_does_not_deploy_over_a_newer_one(way: Way) -> None:
    way.people.put_holdout("overtaken", HOLDOUT)
    claim = {"pk": "ENDPOINT#way-upload-overtaken", "sk": "CLAIM", "run_id": "overtaken-newer-1"}
    way.people.aws("dynamodb").put_item(
        TableName=way.people.outputs["LedgerTableName"],
        Item={name: {"S": value} for name, value in claim.items()} | {"order": {"N": "99"}},
    )
    for name, content in [*FILES.items(), ("_SUCCESS", b"")]:
        put(way, "overtaken", name, content)
    told = way.told("overtaken")
    assert told.attributes["outcome"] == "SKIPPED"
    assert "The run overtaken-newer-1 is of a newer version of the dataset (number 99" in told.body
    assert told.run["decision"]["verdict"] == "promote"
    assert way.people.serving("way-upload-overtaken") is None


ODD = ["a b.csv", "a+b%2Bc.csv", "über/größe.csv", "😀.csv", "..", "x" * (1024 - len("datasets/odd-keys/"))]


def test_odd_keys_are_data_like_any_other(way: Way) -> None:
    way.people.put_holdout("odd-keys", HOLDOUT)
    bucket = way.people.outputs["DataBucketName"]
    way.people.aws("s3").put_object(Bucket=bucket, Key="datasets/odd-keys/", Body=b"")
    way.people.aws("s3").put_object(Bucket=bucket, Key="datasets/stray.csv", Body=b"1")
    for name in ODD:
        put(way, "odd-keys", name, b"1,2\n")
    put(way, "odd-keys", "empty.csv")
    put(way, "odd-keys", "manifest.json", json.dumps({"files": [*ODD, "empty.csv"]}).encode())
    started = decision(way, "odd-keys", "started")
    assert started["file_count"] == len(ODD) + 1
    told = way.told("odd-keys")  # the reference program finds no digits in them, and says so
    assert told.attributes["outcome"] == "FAILED"
    assert runs_of(way, "odd-keys") == [started["run_id"]]


@pytest.mark.parametrize(
    ("dataset", "content", "result", "said"),
    [
        ("only-empty", b"", "empty", "are empty: upload them again"),
        ("no-holdout", b"1,2\n", "refused", "holdout/no-holdout/labels.csv: upload"),
        ("No_Name", b"1,2\n", "refused", "lower-case letters"),
    ],
)
def test_what_cannot_be_trained_on_is_told_and_starts_nothing(
    way: Way, dataset: str, content: bytes, result: str, said: str
) -> None:
    put(way, dataset, "rows.csv", content)
    decided = decision(way, dataset, result)
    assert said in decided["reason"]
    assert said in way.refusal(decided)
    assert runs_of(way, dataset) == []


def test_no_event_was_given_up(way: Way) -> None:
    assert way.dead_letters() == []
