"""What somebody may send to the functions to break them or their logs, and what becomes of it."""

import io
import json

import pytest

import start_retraining.app
from retraining import errors, failures, interruptions, requests
from retraining.aws.state_machine import _trigger_id
from retraining.fields import shown
from retraining.requests import RequestPolicy
from tests.unit.functions import stack
from tests.unit.functions.test_handlers import CONTEXT

DEEP = "[" * 50_000
POLICY = RequestPolicy("data", "artifacts", stack.IMAGE, ())


def delivery(*bodies: str) -> dict[str, list[dict[str, str]]]:
    arn = stack.arn("ArrivalQueue")
    return {
        "Records": [
            {"messageId": str(place), "body": body, "eventSourceARN": arn, "eventSource": "aws:sqs"}
            for place, body in enumerate(bodies)
        ]
    }


@pytest.fixture
def log(aws, monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(start_retraining.app.logger.registered_handler, "stream", written)
    return written


@pytest.mark.parametrize(
    "body", [DEEP, f'{{"source": {DEEP}', "\x00", "{}", '{"source": {}, "detail-type": []}']
)
def test_a_message_that_cannot_be_read_does_not_drag_its_neighbours_along(log, body):
    ignored = json.loads((stack.ROOT / "events" / "upload_object_other_bucket.json").read_text())
    good = ignored["Records"][0]["body"]
    answer = start_retraining.app.handler(delivery(good, body, good), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


@pytest.mark.parametrize(
    "evil",
    ['x\n{"level":"ERROR","message":"forged"}', "x\r\nforged", "x\x1b[2K\x1b[1Aforged", "x\u2028forged"],
)
def test_what_is_sent_makes_no_line_of_its_own_in_the_log(log, evil):
    event = {"source": evil, "detail-type": evil, "detail": {}}
    start_retraining.app.handler(delivery(json.dumps(event)), CONTEXT)
    lines = log.getvalue().splitlines()
    assert [json.loads(line)["level"] for line in lines] == ["ERROR"]
    assert "forged" in lines[0]
    assert log.getvalue().isascii()
    assert log.getvalue()[:-1].isprintable()


def test_what_nests_too_deeply_is_no_answer_and_no_crash():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    assert shown(deep) == "nested too deeply to be shown"
    with pytest.raises(errors.RequestError, match="dataset is nested too deeply"):
        requests.parse({"dataset": deep}, POLICY)
    assert _trigger_id(DEEP) == ""
    assert interruptions._request(DEEP) is None
    assert failures.explain({"Error": "States.TaskFailed", "Cause": DEEP}).reason
