"""One run, as its page is told of it."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from retrain.console.runs import RunLook, state_details
from retrain.errors import RunNotFoundError
from tests.unit.cli.fakes import OUTPUTS, run_record
from tests.unit.console.fakes import CAUSE, FAILED_EVENTS, RUNNING_EVENTS, SUCCEEDED_EVENTS, ConsoleStack


def look(stack: ConsoleStack, run_id: str = "r1") -> dict[str, Any]:
    return dict(RunLook(stack, run_id).look())


def classes(svg: str) -> dict[str, list[str]]:
    """The classes of the states in a drawing."""
    return {
        str(node.get("data-state")): str(node.get("class")).split()
        for node in ElementTree.fromstring(svg).iter()
        if node.get("data-state")
    }


def test_a_running_run_has_its_state_in_blue(stack):
    stack.states.begin("r1", [*RUNNING_EVENTS, {}, {}], seen=len(RUNNING_EVENTS) - 1)
    told = look(stack)
    assert told["run"]["outcome"] == "RUNNING"
    drawn = classes(told["graph"]["svg"])
    assert "running" in drawn["Prepare"]
    assert "not_reached" in drawn["Done"]
    assert "<style" not in told["graph"]["svg"], "the page's policy allows no style inside of documents"
    assert ' style="' not in told["graph"]["svg"]
    [turn] = told["states"]
    assert (turn["name"], turn["outcome"], turn["left_at"]) == ("Prepare", "RUNNING", None)


def test_a_run_that_ended_well_is_green_with_its_verdict_and_facts(stack):
    stack.ledger.records.append(run_record("r1", hyperparameters={"epochs": "3"}))
    stack.begin("r1", SUCCEEDED_EVENTS)
    told = look(stack)
    assert told["run"]["outcome"] == "DEPLOYED"
    assert told["run"]["facts"]["hyperparameters"] == {"epochs": "3"}
    assert {name: "succeeded" in kinds for name, kinds in classes(told["graph"]["svg"]).items()} == {
        "Prepare": True,
        "Done": True,
        "Failed": False,
    }
    assert [check["passed"] for check in told["decision"]["checks"]] == [True, False]


def test_a_failed_run_says_where_and_why(stack):
    stack.begin("r1", FAILED_EVENTS, "FAILED")
    told = look(stack)
    assert told["run"]["outcome"] == "FAILED"
    assert told["run"]["reason"] == "PrepareError: The dataset is empty."
    assert [(turn["name"], turn["outcome"], turn["error"]) for turn in told["states"]] == [
        ("Prepare", "CAUGHT", "PrepareError"),
        ("Failed", "FAILED", None),
    ]
    [visit] = state_details(stack, "r1", "Prepare")["visits"]
    assert visit["input"] == {"<i>": 1}
    assert [(attempt["error"], attempt["cause"]) for attempt in visit["attempts"]] == [
        ("PrepareError", CAUSE)
    ]
    [visit] = state_details(stack, "r1", "Failed")["visits"]
    assert visit["attempts"][-1]["cause"] == "The dataset is empty."


def test_a_state_that_was_not_reached_has_no_visits(stack):
    stack.begin("r1", FAILED_EVENTS, "FAILED")
    assert state_details(stack, "r1", "Done") == {"state": "Done", "visits": [], "left_out": 0}


def test_training_grows_by_what_is_new_and_keeps_the_rest(stack):
    stack.ledger.records.append(run_record("r1"))
    stack.begin("r1", SUCCEEDED_EVENTS)
    stack.logs.streams["retrain-r1-r0t0/algo-1-1"] = ["hello", "epoch=1/2 loss=0.5", "epoch=2/2 loss=0.25"]
    looking = RunLook(stack, "r1")
    for _ in range(2):
        training = dict(looking.look())["training"]
        assert training["lines"] == ["hello", "epoch=1/2 loss=0.5", "epoch=2/2 loss=0.25"]
        assert [(epoch["epoch"], epoch["loss"]) for epoch in training["epochs"]] == [
            ("1/2", "0.5"),
            ("2/2", "0.25"),
        ]


def test_a_run_card_is_linked_once_it_is_there(stack):
    stack.ledger.records.append(run_record("r1"))
    stack.begin("r1", SUCCEEDED_EVENTS)
    looking = RunLook(stack, "r1")
    assert dict(looking.look())["run"]["card"] is False
    stack.client("s3").put_object(
        Bucket=OUTPUTS["ArtifactsBucketName"], Key="runs/r1/report.html", Body=b"<h1>Card</h1>"
    )
    assert dict(looking.look())["run"]["card"] is True


def test_an_execution_that_step_functions_has_forgotten_leaves_the_record(stack):
    stack.ledger.records.append(run_record("r1"))
    told = look(stack)
    assert told["run"]["outcome"] == "DEPLOYED"
    assert told["graph"]["svg"] is None
    assert "90 days" in told["graph"]["remark"]
    assert told["decision"]["verdict"] == "promote"


def test_a_definition_that_cannot_be_drawn_is_a_remark(stack):
    stack.begin("r1", SUCCEEDED_EVENTS)
    stack.states.definition = json.dumps({"States": {}})
    told = look(stack)
    assert told["graph"]["svg"] is None
    assert "cannot be drawn" in told["graph"]["remark"]
    assert told["states"]


def test_a_history_that_makes_no_sense_is_a_remark(stack):
    stack.begin("r1", SUCCEEDED_EVENTS[3:])
    assert "cannot be read" in look(stack)["graph"]["remark"]


def test_an_unknown_run_is_said_to_be_unknown(stack):
    with pytest.raises(RunNotFoundError, match="no run 'r9'"):
        look(stack, "r9")
