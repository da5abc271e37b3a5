from __future__ import annotations

import os
from typing import Any

import botocore.exceptions

from retrain.localcloud.sagemaker.logs import LogShipper, _parts, follow


class FakeLogs:
    class exceptions:  # noqa: N801  (boto3's own name)
        class ResourceAlreadyExistsException(Exception):  # noqa: N818
            pass

    def __init__(self, failures: int = 0) -> None:
        self.made: list[tuple[str, str | None]] = []
        self.put: list[tuple[str, str, list[str]]] = []
        self.failures = failures

    def create_log_group(self, logGroupName: str) -> None:  # noqa: N803
        self.made.append((logGroupName, None))
        raise self.exceptions.ResourceAlreadyExistsException

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        self.made.append((logGroupName, logStreamName))

    def put_log_events(self, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:  # noqa: N803
        if self.failures:
            self.failures -= 1
            raise botocore.exceptions.EndpointConnectionError(endpoint_url="http://x")
        self.put.append((logGroupName, logStreamName, [event["message"] for event in logEvents]))


def test_lines_are_sent_in_batches_to_streams_that_are_made_once():
    client = FakeLogs()
    shipper = LogShipper(lambda: client)
    shipper.send("g", "s", "one")
    shipper.send("g", "t", "two")
    shipper.send("g", "s", "")
    assert shipper.flush()
    shipper.send("g", "s", "three")
    assert shipper.flush()
    assert client.put == [("g", "s", ["one", " "]), ("g", "t", ["two"]), ("g", "s", ["three"])]
    assert client.made == [("g", None), ("g", "s"), ("g", None), ("g", "t")]


def test_logs_that_cannot_be_sent_do_not_end_the_shipper(caplog):
    client = FakeLogs(failures=1)
    shipper = LogShipper(lambda: client)
    shipper.send("g", "s", "lost")
    assert shipper.flush()
    shipper.send("g", "s", "kept")
    assert shipper.flush()
    assert client.put == [("g", "s", ["kept"])]
    assert "1 lines of g s were not logged" in caplog.text


def test_a_closed_shipper_drops_what_comes():
    client = FakeLogs()
    shipper = LogShipper(lambda: client)
    shipper.close()
    shipper.send("g", "s", "late")
    assert not shipper.flush()
    assert client.put == []


def test_no_call_is_larger_than_it_may_be():
    parts = _parts([{"message": "x" * 200_000}] * 10)
    assert [len(part) for part in parts] == [4, 4, 2]


def test_a_pipe_is_read_to_its_end():
    reading, writing = os.pipe()
    lines: list[str] = []
    thread = follow(os.fdopen(reading, "rb"), lines.append, "test")
    os.write(writing, "one\r\n\n10%\r20%\rdone\nbroken \xff".encode("latin-1") + b" end")
    os.close(writing)
    thread.join(2)
    assert lines == ["one", "10%", "20%", "done", "broken \ufffd end"]
