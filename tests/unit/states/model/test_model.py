"""Definitions as typed objects, and back."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from retrain.states.errors import DefinitionError, StatesLanguageError
from retrain.states.model import (
    ABSENT,
    And,
    Choice,
    Comparison,
    Map,
    Not,
    Pass,
    Retrier,
    StateMachine,
    Succeed,
    Task,
    build,
    build_state,
    parse,
    to_definition,
)
from retrain.states.model.substitutions import substitute

PROJECT = Path(__file__).resolve().parents[4]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"


def only(state, **fields):
    """The one state of a machine, parsed."""
    return parse({"StartAt": "A", "States": {"A": state}, **fields}).states["A"]


def test_the_projects_own_machine_comes_back_to_the_letter():
    text = (PROJECT / "statemachine" / "retrain.asl.json").read_text()
    filled, missing = substitute(text, {})
    assert "SageMakerRoleArn" in missing
    assert json.dumps(to_definition(parse(filled))) == json.dumps(json.loads(filled))


def test_a_refused_definition_says_everything_that_is_wrong():
    with pytest.raises(DefinitionError) as raised:
        parse({"StartAt": "B", "States": {"A": {"Type": "Pass"}}})
    assert isinstance(raised.value, StatesLanguageError)
    assert [each.location for each in raised.value.diagnostics] == ["/States/A", "/StartAt", ""]
    assert "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt" in str(raised.value)


def test_doubts_alone_are_no_refusal():
    assert only({"Type": "Pass", "Result": "$.a", "End": True}).result == "$.a"


def test_what_is_not_given_is_not_null():
    given = only({"Type": "Pass", "InputPath": None, "Result": None, "End": True})
    assert (given.input_path, given.result) == (None, None)
    missing = only({"Type": "Pass", "End": True})
    assert missing.input_path is missing.result is missing.result_path is missing.output is ABSENT
    assert (missing.comment, missing.assign, missing.next) == (None, None, None)


def test_a_task():
    state = only(
        {
            "Type": "Task",
            "Comment": "works",
            "Resource": FUNCTION,
            "TimeoutSecondsPath": "$.t",
            "ResultPath": None,
            "Retry": [
                {"ErrorEquals": ["E"]},
                {"ErrorEquals": ["States.ALL"], "MaxAttempts": 0, "BackoffRate": 1},
            ],
            "Catch": [{"ErrorEquals": ["E"], "Next": "A", "Assign": {"e.$": "$.Error"}}],
            "End": True,
        }
    )
    assert isinstance(state, Task)
    assert (state.name, state.type, state.query_language) == ("A", "Task", "JSONPath")
    assert (state.comment, state.resource, state.timeout_seconds_path) == ("works", FUNCTION, "$.t")
    assert (state.end, state.next, state.result_path) == (True, None, None)
    assert state.retry[0] == Retrier(error_equals=("E",))
    assert (state.retry[0].interval_seconds, state.retry[0].max_attempts, state.retry[0].backoff_rate) == (
        1,
        3,
        2.0,
    )
    assert (state.retry[0].max_delay_seconds, state.retry[0].jitter_strategy) == (None, "NONE")
    assert state.retry[1].max_attempts == 0
    assert (state.catch[0].next, state.catch[0].assign, state.catch[0].result_path) == (
        "A",
        {"e.$": "$.Error"},
        ABSENT,
    )


def test_a_choice_in_jsonpath():
    machine = parse(
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Choice",
                    "Choices": [
                        {
                            "And": [
                                {"Variable": "$.a", "NumericLessThanEqualsPath": "$.b"},
                                {"Not": {"Variable": "$.c", "IsPresent": True}},
                            ],
                            "Next": "B",
                            "Comment": "both",
                        }
                    ],
                },
                "B": {"Type": "Succeed"},
            },
        }
    )
    state = machine.states["A"]
    assert isinstance(state, Choice)
    assert (state.default, state.end) == (None, False)
    (rule,) = state.choices
    assert (rule.next, rule.comment) == ("B", "both")
    assert rule.condition == And(
        conditions=(
            Comparison(variable="$.a", operator="NumericLessThanEquals", value="$.b", is_path=True),
            Not(condition=Comparison(variable="$.c", operator="IsPresent", value=True)),
        )
    )


def test_a_choice_in_jsonata():
    rules = [
        {"Condition": "{% $states.input.a %}", "Output": None, "Next": "A"},
        {"Condition": True, "Next": "B"},
    ]
    states = {"A": {"Type": "Choice", "Choices": rules}, "B": {"Type": "Succeed"}}
    definition = {"StartAt": "A", "QueryLanguage": "JSONata", "States": states}
    first, second = parse(definition).states["A"].choices
    assert (first.condition, first.output) == ("{% $states.input.a %}", None)
    assert (second.condition, second.output) == (True, ABSENT)


def test_a_map_as_it_was_written_before_there_were_distributed_ones():
    inside = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    old = {"Type": "Map", "Iterator": inside, "Parameters": {"i.$": "$$.Map.Item.Value"}, "End": True}
    state = only(old)
    assert isinstance(state, Map)
    assert state.item_selector == {"i.$": "$$.Map.Item.Value"}
    assert (state.item_processor.start_at, state.item_processor.mode) == ("I", "INLINE")
    assert state.item_processor.execution_type is None
    assert to_definition(parse({"StartAt": "A", "States": {"A": old}}))["States"]["A"] == old


def test_a_distributed_map():
    state = only(
        {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"]},
                "Parameters": {"Bucket": "b", "Key": "k"},
            },
            "ItemBatcher": {"MaxItemsPerBatch": 7},
            "ResultWriter": {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"}},
            "ToleratedFailurePercentage": 12.5,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "I",
                "States": {"I": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    )
    assert (state.item_processor.mode, state.item_processor.execution_type) == ("DISTRIBUTED", "EXPRESS")
    assert state.item_reader.reader_config.csv_headers == ("a", "b")
    assert state.item_reader.parameters == {"Bucket": "b", "Key": "k"}
    assert (state.item_batcher.max_items_per_batch, state.item_batcher.batch_input) == (7, ABSENT)
    assert state.result_writer.writer_config == {"Transformation": "COMPACT", "OutputType": "JSON"}
    assert state.tolerated_failure_percentage == 12.5


@pytest.mark.parametrize(
    ("machine", "outer", "nested", "expected"),
    [
        (None, None, None, ("JSONPath", "JSONPath")),
        ("JSONata", None, None, ("JSONata", "JSONata")),
        (None, "JSONata", None, ("JSONata", "JSONPath")),
        (None, None, "JSONata", ("JSONPath", "JSONata")),
    ],
)
def test_a_states_language_is_its_own_or_its_machines(machine, outer, nested, expected):
    def language(name):
        return {} if name is None else {"QueryLanguage": name}

    branch = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True, **language(nested)}}}
    state = only(
        {"Type": "Parallel", "Branches": [branch], "End": True, **language(outer)}, **language(machine)
    )
    assert (state.query_language, state.branches[0].states["I"].query_language) == expected


def test_states_keep_their_order():
    states = {name: {"Type": "Pass", "Next": "a"} for name in ("c", "b")} | {"a": {"Type": "Succeed"}}
    states["c"]["Next"] = "b"
    assert list(parse({"StartAt": "c", "States": states}).states) == ["c", "b", "a"]


def test_what_was_made_by_hand_gives_a_definition_that_says_no_more_than_it_must():
    machine = StateMachine(
        start_at="A",
        query_language="JSONata",
        states={
            "A": Task(
                name="A",
                query_language="JSONata",
                resource=FUNCTION,
                next="B",
                retry=(Retrier(error_equals=("E",)),),
            ),
            "B": Succeed(name="B", query_language="JSONata", output=None),
        },
    )
    definition = to_definition(machine)
    assert definition == {
        "StartAt": "A",
        "QueryLanguage": "JSONata",
        "States": {
            "A": {"Type": "Task", "Resource": FUNCTION, "Next": "B", "Retry": [{"ErrorEquals": ["E"]}]},
            "B": {"Type": "Succeed", "Output": None},
        },
    }
    assert parse(definition) == machine


def test_what_was_altered_is_written_as_it_is_now():
    state = only({"Type": "Pass", "Comment": "old", "End": True, "Result": 1})
    changed = replace(state, comment=None, result=ABSENT, end=False, next="B")
    machine = StateMachine(start_at="A", states={"A": changed, "B": Succeed(name="B")})
    assert to_definition(machine)["States"]["A"] == {"End": False, "Type": "Pass", "Next": "B"}


def test_nothing_can_be_changed_by_accident():
    state = only({"Type": "Pass", "End": True})
    with pytest.raises(FrozenInstanceError):
        state.end = False


def test_building_without_checking_and_a_single_state():
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "elsewhere"}}}
    assert build(definition).states["A"].next == "elsewhere"
    state = build_state("A", {"Type": "Pass", "Output": 1, "Next": "elsewhere"}, "JSONata")
    assert state == Pass(name="A", query_language="JSONata", output=1, next="elsewhere")


@pytest.mark.parametrize(
    ("text", "values", "expected", "missing"),
    [
        (
            '{"a": "${A}", "b": "arn:${Partition}:x"}',
            {"A": "1"},
            '{"a": "1", "b": "arn:aws:x"}',
            ("Partition",),
        ),
        ('{"a": "${AWS::Region}"}', {}, '{"a": "us-east-1"}', ("AWS::Region",)),
        ('{"a": ${Limit}, "b": [${Limit}]}', {}, '{"a": 1, "b": [1]}', ("Limit",)),
        ('{"a": ${Limit}}', {"Limit": "5"}, '{"a": 5}', ()),
        ("a: ${Limit}", {"Limit": "5"}, "a: 5", ()),
        ('{"a": "$.b {} $v"}', {}, '{"a": "$.b {} $v"}', ()),
    ],
)
def test_substitutions(text, values, expected, missing):
    assert substitute(text, values) == (expected, missing)


def test_a_resource_that_is_known_later_is_an_arn():
    text, missing = substitute(
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${F}", "End": true}}}', {}
    )
    assert missing == ("F",)
    assert parse(text).states["A"].resource.startswith("arn:aws:lambda:")
