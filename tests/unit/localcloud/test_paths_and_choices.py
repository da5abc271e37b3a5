"""JSONPaths and choice rules."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.repairs import choices, paths

DATA = {"a": {"b": [1, {"c": None}]}, "empty": [], "with space": 1}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", (True, DATA)),
        ("$.a.b[0]", (True, 1)),
        ("$.a.b[1].c", (True, None)),
        ("$['with space']", (True, 1)),
        ("$.a.b[2]", (False, None)),
        ("$.a.b[1].c.d", (False, None)),
        ("$.missing", (False, None)),
        ("$.empty[*]", (True, [])),
        ("$.missing[*].x", (False, None)),
        ("$.a.b[*].c", (True, [None])),
    ],
)
def test_find(path: str, found: tuple[bool, Any]) -> None:
    assert paths.find(path, DATA) == found


def test_an_unknown_form_of_path_is_said() -> None:
    with pytest.raises(seams.StatesTaskError, match=r"does not know how to follow the JSONPath '\$\.a\[\?"):
        paths.find("$.a[?(@.b==1)]", DATA)


def test_a_long_input_is_cut_in_messages() -> None:
    assert len(paths.shown({"x": "y" * 5000})) < 1010


INPUT = {
    "text": "b",
    "star": "a*b",
    "one": 1,
    "true": True,
    "null": None,
    "early": "2026-01-01T00:00:00Z",
    "late": "2026-01-01T00:30:00+00:00",
    "elsewhere": "2026-01-01T01:15:00+01:00",
}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.text", "StringEquals": "b"}, True),
        ({"Variable": "$.text", "StringGreaterThan": "a"}, True),
        ({"Variable": "$.text", "StringLessThanEqualsPath": "$.text"}, True),
        ({"Variable": "$.text", "StringMatches": "*"}, True),
        ({"Variable": "$.star", "StringMatches": "a\\*b"}, True),
        ({"Variable": "$.text", "StringMatches": "a\\*b"}, False),
        ({"Variable": "$.one", "NumericGreaterThanEquals": 1.0}, True),
        ({"Variable": "$.one", "NumericLessThanPath": "$.one"}, False),
        ({"Variable": "$.true", "NumericEquals": 1}, False),
        ({"Variable": "$.true", "BooleanEquals": True}, True),
        ({"Variable": "$.one", "BooleanEquals": True}, False),
        ({"Variable": "$.true", "IsNumeric": True}, False),
        ({"Variable": "$.true", "IsBoolean": False}, False),
        ({"Variable": "$.null", "IsNull": True}, True),
        ({"Variable": "$.missing", "IsPresent": False}, True),
        ({"Variable": "$.early", "IsTimestamp": True}, True),
        ({"Variable": "$.text", "IsTimestamp": True}, False),
        ({"Variable": "$.early", "TimestampLessThanPath": "$.late"}, True),
        ({"Variable": "$.elsewhere", "TimestampLessThan": "2026-01-01T00:30:00Z"}, True),
        ({"Variable": "$.text", "TimestampEquals": "2026-01-01T00:00:00Z"}, False),
        (
            {"And": [{"Variable": "$.one", "NumericEquals": 1}, {"Variable": "$.text", "StringEquals": "x"}]},
            False,
        ),
        (
            {"Or": [{"Variable": "$.one", "NumericEquals": 2}, {"Variable": "$.text", "StringEquals": "b"}]},
            True,
        ),
        ({"Not": {"Variable": "$.one", "NumericEquals": 2}}, True),
        ({"Variable": "$$.Execution.Name", "StringEquals": "run"}, True),
    ],
)
def test_rules(rule: dict[str, Any], holds: bool) -> None:
    context = {"Execution": {"Id": "none", "Name": "run"}, "variables": {}}
    assert choices.evaluate(rule, INPUT, context) is holds


@pytest.mark.parametrize(
    "rule",
    [
        {"Variable": "$.missing", "IsNull": True},
        {"Variable": "$.one", "NumericEqualsPath": "$.missing"},
        {"Variable": "$.one", "NumericResembles": 1},
        {"Variable": "$$.variables", "IsString": True},
    ],
)
def test_rules_that_fail_the_execution(rule: dict[str, Any]) -> None:
    with pytest.raises(seams.StatesTaskError) as raised:
        choices.evaluate(rule, INPUT, {})
    assert raised.value.error == "States.Runtime"
