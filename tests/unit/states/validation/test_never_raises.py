"""Validation answers, whatever it is given: random values, and machines with something broken in them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrain.states.errors import DefinitionError
from retrain.states.model import parse, to_definition
from retrain.states.validation import validate
from retrain.states.validation.choices import COMPARISONS
from retrain.states.validation.states import SHAPES
from tests.exploring import examples
from tests.unit.states.validation.machines import FUNCTION, distributed, inner

NAMES = sorted(
    {name for shape in SHAPES.values() for name in shape.fields}
    | {
        *COMPARISONS,
        "Variable",
        "And",
        "Or",
        "Not",
        "Condition",
        "StartAt",
        "States",
        "ProcessorConfig",
        "Mode",
    }
    | {"ErrorEquals", "ReaderConfig", "InputType", "Bucket", "MaxItemsPerBatch", "a.$", "A", "B", "RoleArn"}
)
TEXTS = st.sampled_from(
    [
        *SHAPES,
        *(
            "$",
            "$.a",
            "$.a[*]",
            "$$.Task.Token",
            "$v",
            "$.a[",
            "States.UUID()",
            "States.Format('{}', $.a",
            "A",
            "B",
        ),
        *(
            "{% $states.result %}",
            "{% 1 + %}",
            "{%",
            "%}",
            "{%%}",
            "JSONata",
            "JSONPath",
            "DISTRIBUTED",
            "States.ALL",
        ),
        *(
            FUNCTION,
            "arn:aws:states:::lambda:invoke",
            "arn:aws:states:::aws-sdk:s3:listBuckets.sync",
            "\ud800",
        ),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inside, max_size=4)
    ),
    max_leaves=12,
)

RICH: dict[str, Any] = {
    "Comment": "everything once",
    "StartAt": "Choose",
    "TimeoutSeconds": 60,
    "Version": "1.0",
    "QueryLanguage": "JSONPath",
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.a", "IsPresent": True},
                        {"Not": {"Variable": "$.a", "IsNull": True}},
                    ],
                    "Next": "Work",
                },
                {
                    "Variable": "$.b",
                    "NumericGreaterThanPath": "$.c",
                    "Comment": "or",
                    "Assign": {"v.$": "$.b"},
                    "Next": "Wait",
                },
            ],
            "Default": "All",
        },
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload.$": "$"},
            "ResultSelector": {"a.$": "$.Payload"},
            "ResultPath": "$.result",
            "OutputPath": None,
            "TimeoutSeconds": 10,
            "HeartbeatSecondsPath": "$.h",
            "Retry": [
                {"ErrorEquals": ["E"], "MaxAttempts": 3, "BackoffRate": 2.0},
                {"ErrorEquals": ["States.ALL"]},
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Failed"}],
            "Next": "Wait",
        },
        "Wait": {"Type": "Wait", "TimestampPath": "$.t", "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "QueryLanguage": "JSONata",
            "Branches": [
                inner({"Type": "Pass", "Result": {"x": [1]}, "End": True}),
                {"StartAt": "J", "States": {"J": {"Type": "Succeed"}}},
            ],
            "Output": "{% $states.result %}",
            "Next": "Old",
        },
        "Old": {
            "Type": "Map",
            "Iterator": {"StartAt": "K", "States": {"K": {"Type": "Pass", "End": True}}},
            "Parameters": {},
            "Next": "Failed",
        },
        "All": {
            **distributed(
                ItemReader={
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"]},
                    "Parameters": {"Bucket": "b", "Key": "k"},
                },
                ItemBatcher={"MaxItemsPerBatch": 5, "BatchInput": {}},
                ResultWriter={"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}},
            ),
            "ItemProcessor": {
                "ProcessorConfig": {"ExecutionType": "EXPRESS", "Mode": "DISTRIBUTED"},
                "StartAt": "L",
                "States": {"L": {"Type": "Pass", "End": True}},
            },
            "End": True,
        },
        "Failed": {"Type": "Fail", "ErrorPath": "$.Error", "Cause": "it failed"},
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [each for key, item in inside for each in places(item, (*path, key))]


PLACES = places(RICH)


def holder(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


@st.composite
def broken_machines(draw: st.DrawFn) -> dict[str, Any]:
    """The rich machine with up to three values replaced, removed, renamed or put in."""
    document = copy.deepcopy(RICH)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PLACES))
        try:
            parent = holder(document, path)
            parent[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # what the change before it took away
        what = draw(st.sampled_from(["replace", "remove", "rename", "put"]))
        if what == "replace":
            parent[path[-1]] = draw(VALUES)
        elif what == "remove":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            name = draw(st.sampled_from(NAMES))
            parent[name] = parent.pop(path[-1]) if what == "rename" else draw(VALUES)
    return document


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    """Load JSONata's engine before hypothesis begins: loading it changes Python's recursion limit."""
    validate(RICH)


def test_the_rich_machine_is_valid_and_comes_back_as_it_was() -> None:
    assert validate(RICH) == ()
    assert to_definition(parse(RICH)) == RICH


@given(VALUES)
def test_random_values(value: Any) -> None:
    for kind in ("STANDARD", "EXPRESS"):
        for each in validate(value, kind=kind):
            assert each.severity in {"ERROR", "WARNING"}
            assert each.message


@given(
    st.dictionaries(st.sampled_from(["A", "B"]), st.dictionaries(st.sampled_from(NAMES), VALUES), max_size=2)
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_random_states(states: Any) -> None:
    for language in ("JSONPath", "JSONata"):
        assert isinstance(validate({"StartAt": "A", "States": states, "QueryLanguage": language}), tuple)


@given(broken_machines())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=examples(300))
def test_broken_machines_are_refused_or_come_back_as_they_were(document: dict[str, Any]) -> None:
    refused = any(each.severity == "ERROR" for each in validate(document))
    try:
        machine = parse(document)
    except DefinitionError:
        assert refused
    else:
        assert not refused
        assert to_definition(machine) == document
