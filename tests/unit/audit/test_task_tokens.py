"""No task token goes to where people or other accounts could read it."""

from __future__ import annotations

import json

import pytest

from tests.audit.task_tokens import leaks
from tests.audit.transformed import PROJECT

TASK = "arn:aws:states:::"
TOKEN = {"token.$": "$$.Task.Token"}


def machine(**state):
    return {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", **state}}}


def test_the_state_machine_keeps_its_tokens():
    text = (PROJECT / "statemachine" / "retrain.asl.json").read_text(encoding="utf-8")
    assert leaks(json.loads(text)) == []


@pytest.mark.parametrize("service", ["lambda:invoke", "sqs:sendMessage"])
def test_functions_and_queues_may_have_one(service):
    asks = machine(Resource=f"{TASK}{service}.waitForTaskToken", Parameters={"Payload": TOKEN})
    assert leaks(asks) == []


@pytest.mark.parametrize(
    "state",
    [
        {"Resource": f"{TASK}sns:publish.waitForTaskToken", "Parameters": {"Message": TOKEN}},
        {"Resource": f"{TASK}sns:publish", "Parameters": {"Message": TOKEN}},
        {"Resource": f"{TASK}aws-sdk:s3:putObject.waitForTaskToken", "Parameters": {"Body": TOKEN}},
        {"Resource": f"{TASK}lambda:invoke.waitForTaskToken", "ResultSelector": TOKEN},
        {"Type": "Pass", "Parameters": {"text.$": "States.Format('{}', $$.Task.Token)"}},
    ],
)
def test_whatever_else_gets_one_is_named(state):
    assert leaks(machine(**state)) == ["Ask"]
    inside = {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": [machine(**state)]}}}
    assert leaks(inside) == ["Ask"]
