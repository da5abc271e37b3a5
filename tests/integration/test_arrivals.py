"""From an upload through EventBridge, a delayed queue and its dead letters to a function."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.definitions import Aws


class TestArrivals:
    def test_from_an_upload_to_the_function_and_to_the_dead_letters(
        self, mends: dict[str, str], aws: Aws, wait_until: Callable[..., Any]
    ) -> None:
        bucket, table = mends["DataBucket"], mends["Table"]
        keys = [
            "datasets/mnist/good one.gz",
            "datasets/mnist/bad.gz",
            "datasets/mnist/ignored.txt",
            "else/x.gz",
        ]
        for key in keys:
            aws("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
        begun = time.monotonic()

        def dead() -> list[Any]:
            answer = aws("sqs").receive_message(QueueUrl=mends["DeadLetters"], WaitTimeSeconds=1)
            return list(answer.get("Messages", []))

        message = wait_until(dead, seconds=20, what="the dead letter")[0]
        assert json.loads(message["Body"])["detail"]["object"]["key"] == "datasets/mnist/bad.gz"
        seen = {
            item["key"]["S"]: int(item["received"]["N"])
            for item in aws("dynamodb").scan(TableName=table)["Items"]
            if "received" in item
        }
        assert seen == {"datasets/mnist/good one.gz": 1, "datasets/mnist/bad.gz": 1}
        assert time.monotonic() - begun > 1.0  # the queue's delay


@pytest.mark.parametrize(
    ("key_pattern", "matching", "other"),
    [
        ([{"prefix": "datasets/"}], "datasets/a/b", "holdout/a/b"),
        ([{"suffix": "/_SUCCESS"}], "datasets/a/_SUCCESS", "datasets/a/_SUCCESS.txt"),
        ([{"wildcard": "datasets/*/_SUCCESS"}], "datasets/a b+c/d/_SUCCESS", "datasets/_SUCCESS"),
        ([{"anything-but": {"suffix": "/_SUCCESS"}}], "datasets/a/b", "datasets/a/_SUCCESS"),
        ([{"anything-but": {"prefix": "holdout/"}}], "datasets/a/b", "holdout/a"),
        ([{"anything-but": {"wildcard": "*/_SUCCESS"}}], "datasets/a/b", "datasets/a/_SUCCESS"),
        ([{"wildcard": "*/one"}, {"wildcard": "*/two"}], "x/two", "x/three"),
    ],
)
def test_patterns_of_keys(aws: Aws, key_pattern: list[Any], matching: str, other: str) -> None:
    pattern = json.dumps({"source": ["aws.s3"], "detail": {"object": {"key": key_pattern}}})
    for key, result in ((matching, True), (other, False)):
        event = {
            "id": "1",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "account": "000000000000",
            "time": "2026-01-01T00:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail": {"object": {"key": key}},
        }
        answer = aws("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
        assert answer["Result"] is result, key
