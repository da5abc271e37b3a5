"""`retrain report`: the card of a run fetched, written if there is none, saved, opened, linked."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.cli.fakes import OUTPUTS, run_record

CARD = "<!DOCTYPE html><title>DEPLOYED: mnist</title>"
BUCKET, KEY = OUTPUTS["ArtifactsBucketName"], "runs/mnist-1/report.html"


class FakeWriter:
    """The function that writes cards; remembers what it was asked."""

    def __init__(self, s3):
        self.s3 = s3
        self.asked = []
        self.answer = {"s3_uri": f"s3://{BUCKET}/{KEY}", "unknown": []}

    def invoke(self, *, FunctionName, Payload):  # noqa: N803 - boto3's names
        assert FunctionName == "report-writer"
        self.asked.append(json.loads(Payload))
        if "errorMessage" not in self.answer:
            put(self.s3, f"{CARD} written {len(self.asked)}")
        content = json.dumps(self.answer).encode()
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in self.answer else {}
        return {"Payload": Readable(content), **failed}


class Readable:
    def __init__(self, content):
        self.read = lambda: content


def put(s3, content=CARD):
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=content.encode())


@pytest.fixture
def s3(stack):
    """The artifacts bucket of a stack with one run, and a function that writes its card."""
    stack.ledger.records.append(run_record("mnist-1"))
    stack.outputs["WriteReportFunctionName"] = "report-writer"
    client = stack.client("s3")
    client.create_bucket(Bucket=BUCKET)
    stack._clients["lambda"] = FakeWriter(client)
    return client


@pytest.fixture
def opened(monkeypatch):
    """What the browser was asked to open."""
    urls = []
    monkeypatch.setattr("webbrowser.open", lambda url: urls.append(url) or True)
    return urls


def test_a_card_is_saved_where_it_is_asked_for(s3, stack, retrain, opened, tmp_path):
    put(s3)
    ended = retrain("report", "mnist-1", "--save", tmp_path / "card.html")
    assert (ended.code, ended.out) == (0, f"{tmp_path / 'card.html'}\n")
    assert (tmp_path / "card.html").read_text() == CARD
    assert retrain("report", "mnist-1", "--save", tmp_path).out == f"{tmp_path / 'mnist-1.html'}\n"
    assert (opened, stack.client("lambda").asked) == ([], [])


def test_the_newest_run_s_card_is_opened(s3, retrain, opened):
    put(s3)
    ended = retrain("report", "--open")
    (url,) = opened
    assert url.startswith("file:///")
    assert Path(ended.out.strip()).read_text() == CARD
    assert urlsplit(url).path == ended.out.strip()


def test_into_a_pipe_nothing_is_opened(s3, retrain, opened):
    put(s3)
    ended = retrain("report")
    assert Path(ended.out.strip()).read_text() == CARD
    assert opened == []


def test_without_a_browser_people_are_told(s3, retrain, monkeypatch):
    put(s3)
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    ended = retrain("report", "--open")
    assert ended.code == 0
    assert "No browser could be opened" in ended.err


def test_a_card_that_is_not_there_is_written(s3, stack, retrain, tmp_path):
    ended = retrain("report", "mnist-1", "--save", tmp_path)
    assert ended.code == 0, ended.err
    assert stack.client("lambda").asked == [{"report": {"run_id": "mnist-1"}}]
    assert (tmp_path / "mnist-1.html").read_text() == f"{CARD} written 1"


def test_a_card_is_written_anew(s3, retrain, tmp_path):
    put(s3, "old")
    assert retrain("report", "--anew", "--save", tmp_path).code == 0
    assert (tmp_path / "mnist-1.html").read_text() == f"{CARD} written 1"


def test_the_card_of_a_run_under_way_shows_how_far_it_is_now(s3, stack, retrain, tmp_path):
    stack.ledger.records[0]["outcome"] = "RUNNING"
    for looks in (1, 2):
        retrain("report", "--save", tmp_path)
        assert (tmp_path / "mnist-1.html").read_text() == f"{CARD} written {looks}"


def test_a_function_that_fails_says_why(s3, stack, retrain):
    stack.client("lambda").answer = {"errorType": "AccessRefusedError", "errorMessage": "No access."}
    ended = retrain("report", "mnist-1")
    assert ended.code == 1
    assert ended.err == "retrain: The card of the run mnist-1 could not be written: No access.\n"


def test_a_stack_without_the_function_says_so(s3, stack, retrain):
    del stack.outputs["WriteReportFunctionName"]
    ended = retrain("report")
    assert ended.code == 1
    assert "has no output WriteReportFunctionName" in ended.err


def test_a_link_holds_for_as_long_as_asked_and_opens_nothing(s3, retrain, opened):
    put(s3)
    ended = retrain("report", "--link", "--hours", 2)
    url = urlsplit(ended.out.strip())
    assert url.path.endswith(KEY)
    assert parse_qs(url.query)["X-Amz-Expires"] == ["7200"]
    assert parse_qs(url.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert opened == []
    assert retrain("report", "--link", "--hours", 169).code == 2


def test_as_json(s3, retrain, tmp_path):
    put(s3)
    answer = retrain("report", "--json", "--link", "--save", tmp_path).json
    assert (answer["run_id"], answer["file"]) == ("mnist-1", str(tmp_path / "mnist-1.html"))
    assert KEY in answer["link"]


def test_a_folder_that_is_not_there(s3, retrain, tmp_path):
    put(s3)
    ended = retrain("report", "--save", tmp_path / "nowhere" / "card.html")
    assert ended.code == 1
    assert "cannot be saved" in ended.err
    assert "Name a file in a folder that exists" in ended.err


def test_a_run_that_there_is_not(s3, retrain):
    ended = retrain("report", "cifar-9")
    assert ended.code == 1
    assert "There is no run 'cifar-9'" in ended.err
