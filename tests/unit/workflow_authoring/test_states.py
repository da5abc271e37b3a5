"""States, chains and graphs: what is written, and what is refused."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.states import model
from retrain.workflow.errors import (
    AuthoringError,
    DuplicateStateError,
    EndlessChainError,
    InvalidDefinitionError,
    MissingRequiredParameterError,
    TransitionError,
    UnknownFieldError,
)
from retrain.workflow.inputs import StepInput
from retrain.workflow.steps import (
    Catch,
    Chain,
    Choice,
    ChoiceRule,
    Fail,
    FrozenGraph,
    Graph,
    ItemBatcher,
    ItemReader,
    Map,
    Parallel,
    Pass,
    ReaderConfig,
    ResultWriter,
    Retry,
    Succeed,
    Task,
    Wait,
)

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("state", "written"),
    [
        (Pass("S"), {"Type": "Pass", "End": True}),
        (
            Pass("S", comment="c", result=[1], result_path=None, output_path="$.a"),
            {
                "Type": "Pass",
                "Comment": "c",
                "Result": [1],
                "ResultPath": None,
                "OutputPath": "$.a",
                "End": True,
            },
        ),
        (Succeed("S", comment="c"), {"Type": "Succeed", "Comment": "c"}),
        (Fail("S", error="E", cause="C"), {"Type": "Fail", "Error": "E", "Cause": "C"}),
        (
            Fail("S", error_path="$.e", cause_path="States.Format('{}', $.c)"),
            {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}', $.c)"},
        ),
        (Wait("S", seconds=3), {"Type": "Wait", "Seconds": 3, "End": True}),
        (Wait("S", timestamp_path="$.t"), {"Type": "Wait", "TimestampPath": "$.t", "End": True}),
        (
            Task(
                "S",
                resource=FUNCTION,
                timeout_seconds=5,
                heartbeat_seconds_path="$.h",
                credentials={"RoleArn": "r"},
            ),
            {
                "Type": "Task",
                "Resource": FUNCTION,
                "TimeoutSeconds": 5,
                "HeartbeatSecondsPath": "$.h",
                "Credentials": {"RoleArn": "r"},
                "End": True,
            },
        ),
    ],
)
def test_a_state_is_written_with_its_fields(state, written, accepted):
    assert state.to_dict() == written
    assert json.loads(state.to_json(pretty=True)) == written
    accepted(Graph(state))


@pytest.mark.parametrize(
    ("state", "written"),
    [
        (Succeed("S", input_path="$.a"), {"Type": "Succeed", "InputPath": "$.a"}),
        (
            Pass("S", assign={"x": StepInput()["y"]}),
            {"Type": "Pass", "Assign": {"x.$": "$['y']"}, "End": True},
        ),
    ],
)
def test_what_only_the_engine_knows_of(state, written):
    """statelint knows no variables, and cfn-lint's schema no InputPath of a Succeed state."""
    assert state.to_dict() == written
    assert Graph(state).validate() == ()


def test_fields_are_attributes_and_those_not_given_are_none():
    state = Pass("S", comment="c")
    assert (state.comment, state.parameters, state.type, state.state_id) == ("c", None, "Pass", "S")
    with pytest.raises(AttributeError):
        _ = state.paramters


def test_retry_and_catch(accepted):
    other = Pass("Other")
    retry = Retry(
        error_equals=["E"],
        interval_seconds=1,
        max_attempts=2,
        backoff_rate=1.5,
        max_delay_seconds=9,
        jitter_strategy="FULL",
    )
    state = Task("S", resource=FUNCTION, retry=retry, catch=[Catch(other, error_equals=["States.ALL"])])
    state.add_retry(Retry(error_equals=["F"]))
    state.add_catch(Catch(error_equals=["States.ALL"], next_step=Chain([other]), result_path="$.error"))
    state.catches.pop(0)
    written = accepted(Graph(state))["States"]["S"]
    assert written["Retry"] == [
        {
            "ErrorEquals": ["E"],
            "IntervalSeconds": 1,
            "MaxAttempts": 2,
            "BackoffRate": 1.5,
            "MaxDelaySeconds": 9,
            "JitterStrategy": "FULL",
        },
        {"ErrorEquals": ["F"]},
    ]
    assert written["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Other"}]


def test_parallel_and_map(accepted):
    parallel = Parallel("P", result_selector={"first.$": "$[0]"})
    parallel.add_branch(Chain([Pass("A"), Pass("B")]))
    parallel.add_branch(Graph(Succeed("C"), comment="the other"))
    each = Map(
        "M", items_path="$.items", max_concurrency=3, iterator=Chain([Wait("D", seconds=1), Pass("E")])
    )
    written = accepted(Graph(Chain([parallel, each])))["States"]
    assert [branch["StartAt"] for branch in written["P"]["Branches"]] == ["A", "C"]
    assert written["P"]["Branches"][1]["Comment"] == "the other"
    assert written["M"]["ItemProcessor"] == {
        "StartAt": "D",
        "States": {
            "D": {"Type": "Wait", "Seconds": 1, "Next": "E"},
            "E": {"Type": "Pass", "End": True},
        },
    }
    assert written["M"]["MaxConcurrency"] == 3


def test_a_distributed_map():
    each = Map(
        "M",
        mode="DISTRIBUTED",
        execution_type="EXPRESS",
        iterator=Pass("One"),
        label="files",
        item_reader=ItemReader(
            resource="arn:aws:states:::s3:getObject",
            reader_config=ReaderConfig(input_type="CSV", csv_header_location="FIRST_ROW", max_items=9),
            parameters={"Bucket": "b", "Key": StepInput()["key"]},
        ),
        item_batcher=ItemBatcher(max_items_per_batch=10, batch_input={"x": StepInput()["x"]}),
        result_writer=ResultWriter(
            resource="arn:aws:states:::s3:putObject", parameters={"Bucket": "b", "Prefix": "p"}
        ),
        tolerated_failure_percentage=5,
    )
    graph = Graph(each)
    assert graph.validate() == ()
    written = graph.to_dict()["States"]["M"]
    assert written["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "EXPRESS",
    }
    assert written["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 9},
        "Parameters": {"Bucket": "b", "Key.$": "$['key']"},
    }
    assert written["ItemBatcher"] == {"MaxItemsPerBatch": 10, "BatchInput": {"x.$": "$['x']"}}
    assert written["ToleratedFailurePercentage"] == 5


def test_a_graph_has_fields_of_its_own(accepted):
    graph = Graph(Pass("P"), comment="c", timeout_seconds=60, version="1.0")
    assert accepted(graph) == {
        "Comment": "c",
        "Version": "1.0",
        "TimeoutSeconds": 60,
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    assert isinstance(graph.machine, model.StateMachine)
    assert model.to_definition(graph.machine) == graph.to_dict()
    assert graph.contains(graph.branch)


def test_a_graph_changes_with_its_states():
    first = Pass("First")
    graph = Graph(first)
    first.next(Pass("Second"))
    assert list(graph.to_dict()["States"]) == ["First", "Second"]
    first.next_step = None
    assert list(graph.to_dict()["States"]) == ["First"]


def test_chains_join_states_and_chains():
    a, b, c, d = (Pass(name) for name in "abcd")
    chain = Chain([a, Chain([b, c])])
    chain.append(d)
    assert [state.state_id for state in chain] == ["a", "b", "c", "d"]
    assert len(chain) == 4
    assert [state.next_step.state_id for state in (a, b, c)] == ["b", "c", "d"]
    assert a.next(b).next(c) is c


def test_a_choice_in_a_chain_goes_on_by_default(caplog):
    choice = Choice("C")
    choice.add_choice(ChoiceRule.IsPresent("$.a", True), Succeed("Yes"))
    with caplog.at_level(logging.WARNING, "retrain.workflow"):
        chain = Chain([Pass("A"), choice, Pass("B")])
        assert caplog.text == ""
        choice.next(Pass("Other"))
    assert "The default of the Choice state 'C' was 'B' and now is 'Other'" in caplog.text
    with pytest.raises(TransitionError, match="Nothing leads to 'B' any longer"):
        Graph(chain)


def test_the_definition_of_a_long_chain_is_no_matter_of_recursion():
    states = [Pass(f"S{index}") for index in range(3000)]
    assert len(Graph(Chain(states)).to_dict()["States"]) == 3000


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: Pass("P", paramters={}), UnknownFieldError, "did you mean 'parameters'"),
        (lambda: Succeed("S", parameters={}), UnknownFieldError, "The Succeed state 'S' has no field"),
        (lambda: Retry(error_equal=["E"]), AuthoringError, "did you mean 'error_equals'|needs error_equals"),
        (lambda: Retry(), MissingRequiredParameterError, "Retry needs error_equals"),
        (lambda: Retry(error_equals="States.ALL"), AuthoringError, "a list of the names"),
        (lambda: Catch(error_equals=["E"]), MissingRequiredParameterError, "needs next_step"),
        (lambda: Pass(""), AuthoringError, "1 to 80 characters"),
        (lambda: Pass("x" * 81), AuthoringError, "1 to 80 characters"),
        (lambda: Pass(5), AuthoringError, "5 is none"),
        (lambda: Wait("W"), AuthoringError, "exactly one of seconds, .*; it has none"),
        (lambda: Wait("W", seconds=1, timestamp_path="$.t"), AuthoringError, "seconds and timestamp_path"),
        (
            lambda: Task("T", resource="r", timeout_seconds=1, timeout_seconds_path="$.t"),
            AuthoringError,
            "only one of",
        ),
        (lambda: Graph(Task("T")), MissingRequiredParameterError, "needs a resource"),
        (lambda: Graph(Parallel("P")), MissingRequiredParameterError, "no branch"),
        (lambda: Graph(Map("M")), MissingRequiredParameterError, "iterator"),
        (lambda: Graph(Choice("C")), MissingRequiredParameterError, "no rule"),
        (lambda: Map("M", iterator="P"), AuthoringError, "not str"),
        (lambda: Map("M", mode="SIDEWAYS"), AuthoringError, "'INLINE' or 'DISTRIBUTED'"),
        (lambda: Map("M", execution_type="EXPRESS"), AuthoringError, "for the mode 'DISTRIBUTED' only"),
        (lambda: Map("M", parameters={}, item_selector={}), AuthoringError, "mean the same"),
        (
            lambda: Map("M", iterator=Pass("A"), item_processor=Pass("B")),
            AuthoringError,
            "mean the same",
        ),
        (lambda: Succeed("S").next(Pass("P")), TransitionError, "nothing can follow it"),
        (lambda: Chain([Fail("F"), Pass("P")]), TransitionError, "'P' neither"),
        (lambda: Pass("P").next("Q"), AuthoringError, "not to str"),
        (lambda: Chain(["P"]), AuthoringError, "not of str"),
        (lambda: Chain(Pass("P")), TypeError, "a list of steps"),
        (lambda: Graph(Chain()), TransitionError, "The chain is empty"),
        (lambda: Graph("P"), AuthoringError, "not with str"),
        (lambda: Graph(Pass("P"), query_language="XPath"), AuthoringError, "'JSONPath' or 'JSONata'"),
        (lambda: Pass("P").add_retry(Retry(error_equals=["E"])), AuthoringError, "have no Retry"),
        (lambda: Choice("C").add_catch(Catch(Pass("P"), ["E"])), AuthoringError, "have no Catch"),
        (lambda: Succeed("S").update_parameters({}), AuthoringError, "has no parameters"),
        (lambda: Task("T", resource=FUNCTION, retry=["E"]), AuthoringError, "a Retry was expected"),
        (lambda: Pass("P", parameters={1: 2}).to_dict(), AuthoringError, "names of an object are strings"),
        (lambda: Pass("P", result={1, 2}).to_json(), AuthoringError, "JSON cannot say"),
        (lambda: FrozenGraph([]), AuthoringError, "not list"),
    ],
)
def test_misuse_gets_a_sentence(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()


def test_one_state_cannot_be_twice_in_a_chain():
    state = Pass("P")
    with pytest.raises(DuplicateStateError, match="in the chain already"):
        Chain([state, Pass("Q"), state])


@pytest.mark.parametrize("inner", [False, True])
def test_two_states_cannot_have_one_name(inner):
    other = Map("M", iterator=Pass("Same")) if inner else Choice("Same")
    if not inner:
        other.add_choice(ChoiceRule.IsPresent("$.a", True), Succeed("Yes"))
        other.default_choice(Succeed("No"))
    start, pause = Pass("Same"), Wait("Pause", seconds=1)
    start.next(pause)
    pause.next(other)
    with pytest.raises(DuplicateStateError, match="Two states are named 'Same'"):
        Graph(start)


def test_a_state_cannot_be_inside_and_outside():
    shared = Pass("Shared")
    with pytest.raises(DuplicateStateError, match="in two machines"):
        Graph(Chain([Map("M", iterator=shared), shared]))


@pytest.mark.parametrize("inner", [False, True])
def test_a_chain_must_end(inner):
    a, b = Pass("A"), Pass("B")
    a.next(b)
    b.next(a)
    with pytest.raises(EndlessChainError, match="never ends: 'A' → 'B' → 'A' and so on"):
        Graph(Map("M", iterator=a) if inner else a)


def test_a_circle_with_a_way_out_is_fine(accepted):
    look, again = Task("Look", resource=FUNCTION), Wait("Again", seconds=5)
    done = Choice("Done?")
    done.add_choice(ChoiceRule.StringEquals("$.status", "DONE"), Succeed("Yes"))
    done.default_choice(again)
    again.next(look)
    look.next(done)
    assert list(accepted(Graph(look))["States"]) == ["Look", "Done?", "Yes", "Again"]


def test_what_aws_would_refuse_is_told_with_all_of_its_faults():
    graph = Graph(Pass("A", input_path="no path", result_path="$.a[*]"))
    with pytest.raises(InvalidDefinitionError) as caught:
        _ = graph.machine
    assert len(caught.value.diagnostics) == 2
    assert "/States/A/InputPath" in str(caught.value)


@st.composite
def machines(draw, depth=0):
    """A chain of states of all kinds, with names of their own."""
    count = draw(st.integers(1, 4))
    states = []
    for _ in range(count):
        name = f"S{draw(st.uuids()).hex}"
        kinds = ["pass", "wait", "task", "choice"] + (["parallel", "map"] if depth < 2 else [])
        kind = draw(st.sampled_from(kinds))
        comment = draw(st.none() | st.text(max_size=10))
        if kind == "pass":
            state = Pass(name, comment=comment, result=draw(st.none() | st.integers() | st.text(max_size=5)))
        elif kind == "wait":
            state = Wait(name, comment=comment, seconds=draw(st.integers(0, 99)))
        elif kind == "task":
            state = Task(
                name, comment=comment, resource=FUNCTION, result_path=draw(st.sampled_from([None, "$.a"]))
            )
        elif kind == "choice":
            state = Choice(name, comment=comment)
            for target in range(draw(st.integers(1, 3))):
                rule = ChoiceRule.NumericEquals("$.n", draw(st.integers()))
                state.add_choice(rule, Succeed(f"{name}{target}"))
        elif kind == "parallel":
            state = Parallel(name, comment=comment)
            for _ in range(draw(st.integers(1, 2))):
                state.add_branch(draw(machines(depth=depth + 1)))
        else:
            state = Map(name, comment=comment, iterator=draw(machines(depth=depth + 1)))
        states.append(state)
    return Chain(states)


@settings(deadline=None)
@given(machines())
def test_whatever_is_authored_is_accepted_and_survives_the_model(chain):
    graph = Graph(chain)
    definition = graph.to_dict()
    assert [str(each) for each in graph.validate() if each.severity == "ERROR"] == []
    assert model.to_definition(graph.machine) == definition
    assert FrozenGraph.from_json(graph.to_json()).to_dict() == definition
