"""A storm: two thousand files, their events up to three times in any order, and a function that keeps dying.

The objects are real, and so are the events: a rule beside the stack's own collects what the cloud sends about
each upload. They are then delivered to the arrival queue, as EventBridge would deliver them in a bad hour.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.outcomes.conftest import PROJECT, dataset_files, holdout_files
from tests.integration.ways.conftest import Way

DATASET = "storm"
FILES = 2_000
THREADS = 4
SEED = 20260131
VISIBLE_AGAIN_SECONDS = "3"


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    """A stack whose start_retraining dies in one of ten invocations."""
    opened = open_way(
        "way-storm", QuietPeriodSeconds="2", GateValueThreshold="0.5", GateSliceFloor="off",
        GateSignificance="off",
    )  # fmt: skip
    lambda_, sqs = opened.people.aws("lambda"), opened.people.aws("sqs")
    function = next(
        found["FunctionName"]
        for page in lambda_.get_paginator("list_functions").paginate()
        for found in page["Functions"]
        if found["FunctionName"].startswith("way-storm-StartRetraining")
    )
    lambda_.update_function_code(FunctionName=function, ZipFile=package())
    lambda_.update_function_configuration(FunctionName=function, Handler="mischief.handler")
    for queue in queues(opened):
        # What died comes again at once, and not after a quarter of an hour.
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": VISIBLE_AGAIN_SECONDS})
    return opened


def package() -> bytes:
    """The functions' code with the mischief beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        functions = PROJECT / "functions"
        for path in [*functions.rglob("*.py"), *functions.rglob("*.json")]:
            archive.write(path, path.relative_to(functions).as_posix())
        archive.write(Path(__file__).with_name("mischief.py"), "mischief.py")
    return buffer.getvalue()


def queues(way: Way) -> list[str]:
    outputs = way.people.outputs
    return [outputs["ArrivalQueueUrl"], outputs["DelayQueueUrl"]]


@pytest.fixture(scope="module")
def events(way: Way) -> Iterator[list[str]]:
    """Upload the files, and give what the cloud says about each, in the order in which it says so."""
    aws, bucket = way.people.aws, way.people.outputs["DataBucketName"]
    way.people.put_holdout(DATASET, holdout_files(count=150))
    rule = next(
        name for name in aws("events").list_rule_names_by_target(TargetArn=arrival_arn(way))["RuleNames"]
        if "Upload" in name
    )  # fmt: skip
    tap = aws("sqs").create_queue(QueueName="storm-tap")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=tap, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = aws("events").describe_rule(Name=rule)["EventPattern"]
    aws("events").put_rule(Name="storm-tap", EventPattern=pattern)
    aws("events").put_targets(Rule="storm-tap", Targets=[{"Id": "tap", "Arn": arn}])
    aws("events").disable_rule(Name=rule)
    files = dataset_files(count=600)
    files |= {f"part-{number:04}": b"%d" % number for number in range(FILES - len(files))}

    def put(entry: tuple[str, bytes]) -> None:
        aws("s3").put_object(Bucket=bucket, Key=f"datasets/{DATASET}/{entry[0]}", Body=entry[1])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, files.items()))
    collected: dict[str, str] = {}

    def all_there() -> bool:
        answer = aws("sqs").receive_message(QueueUrl=tap, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            collected[json.loads(message["Body"])["id"]] = message["Body"]
            aws("sqs").delete_message(QueueUrl=tap, ReceiptHandle=message["ReceiptHandle"])
        return len(collected) == FILES

    way.people.wait_until(all_there, seconds=60, what="an event for each upload")
    yield list(collected.values())
    aws("events").enable_rule(Name=rule)


def arrival_arn(way: Way) -> str:
    answer = way.people.aws("sqs").get_queue_attributes(
        QueueUrl=way.people.outputs["ArrivalQueueUrl"], AttributeNames=["QueueArn"]
    )
    return str(answer["Attributes"]["QueueArn"])


def let_loose(way: Way, events: list[str], chance: random.Random, most_copies: int) -> int:
    """Deliver each event at least once, shuffled, from several threads; give the number of messages."""
    bodies = [body for body in events for _ in range(chance.randint(1, most_copies))]
    chance.shuffle(bodies)
    batches = [bodies[start : start + 10] for start in range(0, len(bodies), 10)]

    def send(batch: list[str]) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
        answer = way.people.aws("sqs").send_message_batch(
            QueueUrl=way.people.outputs["ArrivalQueueUrl"], Entries=entries
        )
        assert not answer.get("Failed")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, batches))
    return len(bodies)


def calm(way: Way) -> None:
    """Wait until nothing is on its way any more."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]

    def nothing_left() -> bool:
        for queue in queues(way):
            answer = way.people.aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
            if any(int(count) for count in answer["Attributes"].values()):
                return False
        return True

    way.people.wait_until(nothing_left, seconds=120, what="the end of the storm")


def decisions(way: Way) -> list[dict[str, Any]]:
    return way.decisions(dataset=DATASET)


@pytest.mark.timeout(300)
def test_a_storm_becomes_one_run_and_a_second_one_none(way: Way, events: list[str]) -> None:
    chance = random.Random(SEED)
    sent = let_loose(way, events, chance, most_copies=3)
    assert sent > 1.5 * FILES
    calm(way)
    (run_id,) = way.runs()
    (started,) = [record for record in decisions(way) if record["result"] == "started"]
    assert (started["run_id"], started["file_count"]) == (run_id, FILES)

    let_loose(way, events, chance, most_copies=1)
    calm(way)
    assert way.runs() == [run_id]
    again = [record for record in decisions(way) if record["decided_at"] > started["decided_at"]]
    assert again
    same = {("skipped", run_id), ("duplicate", run_id)}
    assert {(record["result"], record["run_id"]) for record in again} <= same
    assert deaths(way) > 10, "the function was to die often"

    told = way.told(DATASET)
    assert (told.run["run_id"], told.run["outcome"]) == (run_id, "DEPLOYED")
    assert told.run["file_count"] == FILES


def deaths(way: Way) -> int:
    """How often start_retraining died, by its log."""
    logs = way.people.aws("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/way-storm-start-retraining", filterPattern="Killed"
    )
    return sum(len(page["events"]) for page in pages)
