"""What the page asks for, and what is answered."""

from __future__ import annotations

import re

import numpy as np
import pytest

from retrain.console.app import STATIC
from retrain.console.pictures import DRAWN_SIDE
from tests.unit.cli.fakes import OUTPUTS, refusal
from tests.unit.console.fakes import FAILED_EVENTS

INK = np.zeros((DRAWN_SIDE, DRAWN_SIDE), np.uint8)
INK[40:240, 130:150] = 255


def test_a_drawing_is_answered_with_what_the_endpoint_sees(ask, stack):
    answer = ask("POST", "/api/predict?dataset=mnist", content=INK.tobytes())
    assert answer.status_code == 200
    found = answer.json()
    assert found["label"] == 7
    assert len(found["probabilities"]) == 10
    [(endpoint, _, body)] = stack.runtime.requests
    assert endpoint == "retrain-mnist"
    assert list(body) == found["seen"]


@pytest.mark.parametrize(
    ("path", "content", "status", "sentence"),
    [
        ("/api/predict?dataset=mnist", bytes(DRAWN_SIDE**2), 400, "Nothing is drawn"),
        ("/api/predict?dataset=mnist", b"", 400, "280x280"),
        ("/api/predict?dataset=mnist", bytes(10 * DRAWN_SIDE**2), 400, "280x280"),
        ("/api/predict?dataset=../x", INK.tobytes(), 400, "cannot name a dataset"),
        ("/api/predict", INK.tobytes(), 400, "cannot name a dataset"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(ask, stack, path, content, status, sentence):
    answer = ask("POST", path, content=content)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert stack.runtime.requests == []


def test_an_endpoint_that_is_not_there_is_said(ask, stack):
    stack.runtime.answer = lambda *_: refusal("ValidationError", "InvokeEndpoint")
    answer = ask("POST", "/api/predict?dataset=mnist", content=INK.tobytes())
    assert answer.status_code == 502
    assert "no endpoint 'retrain-mnist'" in answer.json()["error"]


def test_a_state_of_an_unknown_run_is_said(ask):
    answer = ask("GET", "/api/runs/r9/states?name=Train")
    assert answer.status_code == 404
    assert "no execution 'r9'" in answer.json()["error"]


def test_a_states_details_are_told(ask, stack):
    stack.begin("r1", FAILED_EVENTS, "FAILED")
    answer = ask("GET", "/api/runs/r1/states", params={"name": "Prepare"})
    assert [visit["outcome"] for visit in answer.json()["visits"]] == ["CAUGHT"]


def test_a_run_card_gets_no_script_and_no_origin(ask, stack):
    key = "runs/r1/report.html"
    stack.client("s3").put_object(Bucket=OUTPUTS["ArtifactsBucketName"], Key=key, Body=b"<h1>Card</h1>")
    answer = ask("GET", "/runs/r1/report.html")
    assert answer.text == "<h1>Card</h1>"
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("; sandbox")
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")


def test_a_run_without_card_says_so(ask):
    answer = ask("GET", "/runs/r1/report.html")
    assert answer.status_code == 404
    assert "no run card" in answer.json()["error"]


def test_where_the_stack_is_is_told(ask, monkeypatch):
    assert ask("GET", "/api/stack").json() == {"name": "retrain", "where": "AWS us-east-1"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert ask("GET", "/api/stack").json()["where"] == "http://127.0.0.1:4566"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/runs/a/b"])
def test_nothing_but_the_page_is_served(ask, path):
    assert ask("GET", path).status_code == 404


def test_whatever_the_page_loads_is_there_and_the_consoles_own(ask):
    wanted = {"/"}
    seen: set[str] = set()
    while wanted - seen:
        path = (wanted - seen).pop()
        seen.add(path)
        answer = ask("GET", path)
        assert answer.status_code == 200, path
        if path == "/":
            wanted |= set(re.findall(r'(?:src|href)="(/(?:static/|graph)[^"]*)"', answer.text))
        elif path.endswith(".js"):
            wanted |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)}
    assert {f"/static/{file.name}" for file in STATIC.iterdir()} - {"/static/index.html"} <= seen


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_the_page_keeps_to_its_own_policy(file):
    text = file.read_text(encoding="utf-8")
    foreign = set(re.findall(r"https?://[^\s\"'<)]+", text)) - {"http://www.w3.org/2000/svg"}
    assert foreign == set()
    assert not re.search(r"\bstyle=|<style|<script(?! type=\"module\" src=)|\son\w+=", text)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
    )
