"""`retrain clean`: what it asks the stack for, and what it says came of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.fakes import FakeStack


class Function:
    """The function that cleans up; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == "clean-up"
        self.asked.append(json.loads(Payload)["ask"])
        answer = self.answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": Readable(json.dumps(answer).encode()), **failed}


class Readable:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self) -> bytes:
        return self.content


@pytest.fixture
def function(stack: FakeStack) -> Function:
    stack.outputs["CleanUpFunctionName"] = "clean-up"
    stack._clients["lambda"] = found = Function()
    return found


def cleaned(*runs: str, remaining: int = 0, **fields: Any) -> dict[str, Any]:
    found = {
        "dataset": "mnist",
        "kept": [{"run_id": "c", "why": "serves"}],
        "runs": list(runs),
        "removed": {"models": len(runs), "objects": 2 * len(runs)},
        "remaining": remaining,
        "warnings": [],
        **fields,
    }
    return {"dry_run": False, "datasets": [found]}


def test_what_would_be_removed_is_listed(retrain, function):
    function.answers = [cleaned("a", "b", remaining=3, removed={})]
    ended = retrain("clean", "--dry-run", "--dataset", "mnist")
    assert ended.code == 0
    assert function.asked == [{"dataset": "mnist", "dry_run": True}]
    assert [line.split("\t") for line in ended.out.splitlines()[1:]] == [
        ["mnist", "c", "kept", "serves"],
        ["mnist", "a", "would be removed"],
        ["mnist", "b", "would be removed"],
    ]


def test_it_goes_on_until_nothing_is_left(retrain, function):
    function.answers = [cleaned("a", remaining=2), cleaned("b", remaining=1), cleaned("d")]
    ended = retrain("clean")
    assert ended.code == 0
    assert function.asked == [{"dataset": None, "dry_run": False}] * 3
    assert [line.split("\t")[1] for line in ended.out.splitlines()[1:]] == ["c", "a", "b", "d"]
    assert "mnist: 3 models, 6 files." in ended.err


def test_what_cannot_be_removed_ends_it_with_a_warning(retrain, function):
    warned = cleaned(remaining=2, warnings=["Not all of the run a could be removed."])
    function.answers = [cleaned("b", remaining=2), warned]
    ended = retrain("clean", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["datasets"][0]["runs"] == ["b"]
    function.answers = [warned]
    ended = retrain("clean")
    assert ended.code == 1
    assert "mnist: Not all of the run a could be removed." in ended.err


def test_nothing_to_remove(retrain, function):
    function.answers = [{"dry_run": False, "datasets": []}]
    assert "There is nothing to remove." in retrain("clean").err


def test_a_function_that_fails(retrain, function):
    function.answers = [{"errorMessage": "The ledger is gone."}]
    ended = retrain("clean")
    assert ended.code == 1
    assert "The stack 'retrain' could not clean up: The ledger is gone." in ended.err
