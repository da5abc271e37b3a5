"""Definitions as text, and as objects that are not JSON."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.errors import DefinitionError
from retrain.states.model import parse
from retrain.states.validation import validate
from retrain.states.validation.document import MAX_DEPTH, MAX_LENGTH
from tests.unit.states.validation.machines import found, machine

PASS = machine({"Type": "Pass", "End": True})


@pytest.mark.parametrize("text", ["", "  \n", "null", "[]", '"text"', "3", "- a\n- b"])
def test_a_definition_is_an_object(text):
    ((code, message, location),) = found(text)
    if text.startswith("- "):
        assert code == "INVALID_JSON_DESCRIPTION"
    else:
        assert (code, message) == ("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object")
        assert location == ""


@pytest.mark.parametrize(
    "text",
    [
        "not a definition",
        '{"StartAt": "A"',
        '{"StartAt": "A",}',
        "{'StartAt': 'A'}",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": ' + "1" * 5000 + "}",
        "StartAt: [",
        "StartAt: !Sub ${A}",
        "a: 1\n b: 2",
        "\x00: 1",
        "a: &x [*x]",
    ],
)
def test_text_that_is_neither_json_nor_yaml(text):
    ((code, _, _),) = found(text)
    assert code in {"INVALID_JSON_DESCRIPTION", "TOO_DEEPLY_NESTED"}


def test_a_fault_in_json_is_located():
    ((code, message, location),) = found('{"StartAt": "A",\n "States" {}}')
    assert code == "INVALID_JSON_DESCRIPTION"
    assert message == "Expecting ':' delimiter at line 2, column 11"
    assert location == "line: 2, column: 11"


@pytest.mark.parametrize(
    "text",
    [
        '{"StartAt": "A", "StartAt": "B", "States": {}}',
        '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}',
        "StartAt: A\nStates:\n  A: {Type: Succeed}\n  A: {Type: Fail}",
    ],
)
def test_a_name_given_twice_is_refused_where_python_would_take_the_last(text):
    ((code, message, _),) = found(text)
    assert code == "INVALID_JSON_DESCRIPTION"
    assert "Duplicate field '" in message


def test_yaml_means_what_the_same_text_means_in_json():
    text = """
        Comment: no
        StartAt: on
        TimeoutSeconds: 60
        States:
          "on":
            Type: Wait
            Timestamp: 2016-03-14T01:59:00Z
            Comment: 1:30
            Next: yes
          yes:
            Type: Pass
            Result: [true, false, null, ~, 1.5, -2, 1e3, 0x10, 012, 2016-03-14, 'true']
            End: true
    """
    read = parse(text)
    assert read.comment == "no"
    assert list(read.states) == ["on", "yes"]
    assert read.states["on"].timestamp == "2016-03-14T01:59:00Z"
    assert read.states["on"].comment == "1:30"
    assert read.states["yes"].result == [
        *(True, False, None, None, 1.5, -2, 1000.0, "0x10", "012", "2016-03-14", "true")
    ]


def test_yaml_anchors_are_filled_in():
    text = "StartAt: A\nStates:\n  A: &pass {Type: Pass, Next: B}\n  B: {<<: *pass, Type: Succeed, Next: A}"
    ((_, message, location),) = found(text)
    assert (location, message) == ("/States/B", "Field 'Next' is not supported")


def test_yaml_that_multiplies_itself_is_refused_and_not_held_in_memory():
    levels = "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 20)}]" for n in range(12))
    ((code, message, _),) = found(f"a0: &a0 [x]\n{levels}")
    assert code == "INVALID_JSON_DESCRIPTION"
    assert "more than 1000000 values" in message


def test_yaml_can_be_left_out_as_createstatemachine_knows_none():
    text = "StartAt: A\nStates: {A: {Type: Succeed}}"
    assert validate(text) == ()
    ((code, _, _),) = found(text, yaml=False)
    assert code == "INVALID_JSON_DESCRIPTION"
    with pytest.raises(DefinitionError, match="INVALID_JSON_DESCRIPTION"):
        parse(text, yaml=False)


@pytest.mark.parametrize(
    ("value", "location"),
    [
        (datetime.datetime(2016, 3, 14, tzinfo=datetime.UTC), "/States/A/Result"),
        (float("nan"), "/States/A/Result"),
        (b"bytes", "/States/A/Result"),
        ({1, 2}, "/States/A/Result"),
        ({1: 2}, "/States/A/Result"),
        ([object()], "/States/A/Result[0]"),
    ],
)
def test_objects_that_are_no_json_values(value, location):
    ((code, _, where),) = found(machine({"Type": "Pass", "Result": value, "End": True}))
    assert (code, where) == ("INVALID_JSON_DESCRIPTION", location)


def test_an_object_is_not_changed_and_not_shared():
    definition = machine({"Type": "Pass", "Result": {"a": [1]}, "End": True})
    parsed = parse(definition)
    definition["States"]["A"]["Result"]["a"].append(2)
    assert parsed.states["A"].result == {"a": [1]}


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 100_000])
def test_nesting_has_an_end(depth):
    for text in ('{"a":' * depth + "1" + "}" * depth, '{"a":' + "[" * depth + "]" * depth + "}"):
        codes = {code for code, _, _ in found(text)}
        assert codes == {"TOO_DEEPLY_NESTED"}
    value: object = 1
    for _ in range(depth):
        value = [value]
    assert {code for code, _, _ in found({"a": value})} == {"TOO_DEEPLY_NESTED"}


def test_a_definition_has_a_greatest_length():
    fits = machine({"Type": "Pass", "End": True}, Comment="")
    fits["Comment"] = "x" * (MAX_LENGTH - len(json.dumps(fits)))
    assert found(json.dumps(fits)) == []
    fits["Comment"] += "x"
    for definition in (fits, json.dumps(fits)):
        ((code, message, _),) = found(definition)
        assert (code, message) == (
            "SCHEMA_VALIDATION_FAILED",
            f"The definition must have at most {MAX_LENGTH} characters and has {MAX_LENGTH + 1}",
        )


@given(st.text())
def test_no_text_breaks_it(text):
    assert isinstance(validate(text), tuple)


@given(st.text(alphabet='{}[]":, \n-&*!|>%@`#aA0\\'))
def test_no_text_that_looks_like_a_definition_breaks_it(text):
    assert isinstance(validate(text), tuple)
