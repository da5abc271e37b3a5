"""What stands at an edge, and in a state."""

from __future__ import annotations

import pytest

from retrain.states.model import build_state
from retrain.workflow.drawing.captions import caption
from retrain.workflow.drawing.labels import path_name, rule_label, rule_text


def rule(**fields):
    (made,) = build_state("C", {"Type": "Choice", "Choices": [{**fields, "Next": "X"}]}).choices
    return made


@pytest.mark.parametrize(
    ("condition", "label", "text"),
    [
        ({"Variable": "$.a.b", "StringEquals": "on"}, "b = on", '$.a.b = "on"'),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 1.5}, "n ≥ 1.5", "$.n ≥ 1.5"),
        ({"Variable": "$.n", "NumericLessThanPath": "$.limits.high"}, "n < high", "$.n < $.limits.high"),
        ({"Variable": "$.flag", "BooleanEquals": True}, "flag", "$.flag"),
        ({"Variable": "$.flag", "BooleanEquals": False}, "not flag", "not $.flag"),
        ({"Variable": "$.x", "IsPresent": True}, "x is present", "$.x is present"),
        ({"Variable": "$.x", "IsPresent": False}, "x is not present", "$.x is not present"),
        ({"Variable": "$.x", "IsNumeric": True}, "x is a number", "$.x is a number"),
        ({"Variable": "$.k", "StringMatches": "*.png"}, "k matches *.png", '$.k matches "*.png"'),
        ({"Variable": "$.s", "StringEquals": ""}, 's = ""', '$.s = ""'),
        ({"Not": {"Variable": "$.s", "StringEquals": "a"}}, "s ≠ a", '$.s ≠ "a"'),
        ({"Not": {"Variable": "$.s", "IsNull": True}}, "s is not null", "$.s is not null"),
        (
            {"And": [{"Variable": "$.a", "NumericEquals": 1}, {"Variable": "$.b", "NumericEquals": 2}]},
            "a = 1 and b = 2",
            "$.a = 1 and $.b = 2",
        ),
        (
            {"Or": [{"Variable": "$.s", "StringEquals": each} for each in ("A", "B")]},
            "s = A | B",
            '$.s = "A" | "B"',
        ),
        (
            {
                "And": [
                    {"Variable": "$.a", "BooleanEquals": True},
                    {"Or": [{"Variable": "$.b", "IsNull": True}, {"Variable": "$.c", "IsNull": True}]},
                ]
            },
            "a and (b is null or c is null)",
            "$.a and ($.b is null or $.c is null)",
        ),
        ({"Condition": "{%  $states.input.x > 3 %}"}, "x > 3", "$states.input.x > 3"),
        ({"Condition": True}, "always", "always"),
        ({"Condition": False}, "never", "never"),
    ],
)
def test_a_condition_in_short_and_in_full(condition, label, text):
    assert (rule_label(rule(**condition)), rule_text(rule(**condition))) == (label, text)


def test_an_authors_own_words_come_first():
    made = rule(Variable="$.mark", NumericLessThan=3, Comment="A good\n mark")
    assert rule_label(made) == "A good mark"
    assert rule_text(made) == "$.mark < 3"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("$", "input"),
        ("$$", "context"),
        ("$.a", "a"),
        ("$.a.b[0]", "b[0]"),
        ("$.a['odd key']", "odd key"),
        ('$["x"]', "x"),
        ("$$.Execution.Name", "Name"),
        ("$count", "count"),
        ("$total.net", "net"),
        ("$..deep", "deep"),
        ("$.a[?(@.b>1)]", "$.a[?(@.b>1)]"),
    ],
)
def test_the_last_name_of_a_path(path, name):
    assert path_name(path) == name


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Type": "Pass"}, "Pass"),
        ({"Type": "Succeed"}, "Succeed"),
        ({"Type": "Fail", "Error": "Gone"}, "Fail: Gone"),
        ({"Type": "Fail", "ErrorPath": "$.e"}, "Fail"),
        ({"Type": "Wait", "Seconds": 0}, "Wait 0 s"),
        ({"Type": "Wait", "Seconds": 90}, "Wait 90 s"),
        ({"Type": "Wait", "Seconds": 7200}, "Wait 2 h"),
        ({"Type": "Wait", "Seconds": "{% $x * 2 %}"}, "Wait $x * 2"),
        ({"Type": "Wait", "SecondsPath": "$.poll.seconds"}, "Wait poll.seconds"),
        ({"Type": "Wait", "SecondsPath": "$"}, "Wait $"),
        ({"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z"}, "Wait until 2030-01-01T00:00:00Z"),
        ({"Type": "Wait", "TimestampPath": "$.at"}, "Wait until at"),
        ({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:1:function:work:3"}, "Lambda work"),
        ({"Type": "Task", "Resource": "arn:aws:states:us-east-1:1:activity:dig"}, "Activity dig"),
        ({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}, "Lambda Invoke"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"},
            "SQS SendMessage (task token)",
        ),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"},
            "SageMaker CreateTrainingJob (sync)",
        ),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"},
            "Step Functions StartExecution (sync)",
        ),
        ({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject"}, "S3 GetObject"),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:rekognition:detectFaces"},
            "Rekognition DetectFaces",
        ),
    ],
)
def test_what_a_state_does(state, said):
    assert caption(build_state("S", {"End": True, **state})) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resize", "Lambda resize"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:resize:live", "Lambda resize"),
        ("${NotifyFunctionArn}", "Lambda Notify"),
        ("${Notify.Arn}", "Lambda Notify"),
        ("{% $f %}", "Lambda Invoke"),
    ],
)
def test_which_function_is_invoked(name, said):
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    assert caption(build_state("S", {**state, "Parameters": {"FunctionName": name}})) == said


def test_how_many_iterations_at_once():
    inner = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    state = {"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": 4, "End": True}
    assert caption(build_state("S", state)) == "Map, 4 at once"
    distributed = {**inner, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    assert caption(build_state("S", {**state, "ItemProcessor": distributed})) == "Distributed Map, 4 at once"
