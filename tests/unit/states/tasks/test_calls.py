"""Calls on a bounded pool of threads, by boto3's clients or by what stands for a service."""

from __future__ import annotations

import asyncio
import datetime
import io
import threading
from typing import Any

import boto3
import pytest

from retrain.states.errors import StatesError
from retrain.states.tasks import BotoCaller, BotoClients, S3Items
from tests.unit.states.tasks.services import Services, refused


class Client:
    """Stands for boto3's clients of all services."""

    def __init__(self, service: str, role: str | None) -> None:
        self.name = f"{service} {role}"

    def _make_api_call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "Wait":
            request["event"].wait(10)
        return {"who": self.name, "operation": operation, "Body": io.BytesIO(b"read")}


@pytest.fixture
def caller() -> Any:
    made = BotoCaller(Client, threads=2)
    yield made
    made.close()


def test_a_call_reads_its_answers_body(caller: BotoCaller) -> None:
    answer = asyncio.run(caller.call("s3", "GetObject", {}, role="r"))
    assert answer == {"who": "s3 r", "operation": "GetObject", "Body": b"read"}


def test_more_calls_than_threads_wait_for_their_turn(caller: BotoCaller) -> None:
    async def main() -> tuple[int, list[Any]]:
        release = threading.Event()
        calls = [asyncio.create_task(caller.call("x", "Wait", {"event": release})) for _ in range(20)]
        await asyncio.sleep(0)
        busy = sum(thread.name.startswith("states-call") for thread in threading.enumerate())
        release.set()
        return busy, await asyncio.gather(*calls)

    busy, answers = asyncio.run(main())
    assert busy <= 2
    assert len(answers) == 20


def test_what_is_served_in_the_program_needs_no_client() -> None:
    async def served(operation: str, request: dict[str, Any]) -> Any:
        return {"served": operation} if operation == "Known" else None

    async def main() -> Any:
        caller = BotoCaller(Client, overrides={"x": served})
        try:
            return await caller.call("x", "Known", {}), await caller.call("x", "Other", {})
        finally:
            caller.close()

    known, other = asyncio.run(main())
    assert known == {"served": "Known"}
    assert other["who"] == "x None"


def test_clients_are_made_once_and_leave_checking_to_the_model() -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    clients = BotoClients("eu-west-1", "http://127.0.0.1:1", session)
    made = clients("sqs")
    assert clients("sqs") is made
    assert made.meta.region_name == "eu-west-1"
    assert made.meta.endpoint_url == "http://127.0.0.1:1"
    send = made.meta.service_model.operation_model("SendMessage")
    made._serializer.serialize_to_request({"QueueUrl": 3}, send)  # boto3 itself would refuse it


class TestItems:
    def test_a_listing_has_all_pages_up_to_the_limit(self) -> None:
        moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

        def page(request: dict[str, Any]) -> dict[str, Any]:
            first = int(request.get("ContinuationToken", 0))
            entries = [{"Key": f"{at}", "Size": at, "LastModified": moment} for at in range(first, first + 2)]
            return {"Contents": entries, "IsTruncated": first < 4, "NextContinuationToken": str(first + 2)}

        items = S3Items(Services(ListObjectsV2=page))
        found = asyncio.run(items.list_objects("b", "p/"))
        assert [each.entry["Key"] for each in found] == ["0", "1", "2", "3", "4", "5"]
        assert found[0].entry["LastModified"] == moment.timestamp()
        assert len(asyncio.run(items.list_objects("b", "p/", 3))) == 3

    def test_an_object_that_is_not_there(self) -> None:
        items = S3Items(Services(GetObject=refused("NoSuchKey", "gone", 404)))
        with pytest.raises(StatesError) as raised:
            asyncio.run(items.read_object("b", "k", "v"))
        assert (raised.value.error, raised.value.cause[:4]) == ("S3.NoSuchKeyException", "gone")

    def test_reading_and_writing(self) -> None:
        services = Services(GetObject={"Body": b"x"}, PutObject={})
        items = S3Items(services)
        assert asyncio.run(items.read_object("b", "k", "v")) == b"x"
        asyncio.run(items.write_object("b", "k", b"y", "application/json"))
        assert services.calls == [
            ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
            (
                "s3",
                "PutObject",
                {"Bucket": "b", "Key": "k", "Body": b"y", "ContentType": "application/json"},
            ),
        ]
