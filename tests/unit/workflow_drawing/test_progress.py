"""How far an execution has come, by the history of one that the engine has run."""

from __future__ import annotations

import pytest

from retrain.states.errors import StatesError
from retrain.states.timeline import TimelineError
from retrain.workflow.drawing import Progress, draw
from retrain.workflow.drawing.taken import taken_edges
from tests.unit.states.execution.machines import failing, machine, run, task
from tests.unit.workflow_drawing.pictures import Picture

PASS = {"Type": "Pass"}
FAIL = {"Type": "Fail", "Error": "Boom"}


def progress(states, given=None, function=None) -> Progress:
    execution = run(states, given, **({"function": function} if function else {}))
    return Progress.from_history(execution.history)


def statuses(states, given=None, function=None) -> dict[str, str]:
    return {name: each.status for name, each in progress(states, given, function).states.items()}


def test_a_run_that_goes_well():
    states = {"A": {**PASS, "Next": "W"}, "W": {"Type": "Wait", "Seconds": 90, "Next": "T"}, "T": task()}
    found = progress(states)
    assert found.status == "SUCCEEDED"
    assert {name: each.status for name, each in found.states.items()} == dict.fromkeys("AWT", "succeeded")
    assert found.of("W").seconds == pytest.approx(90)
    assert (found.of("T").tries, found.of("T").visits, found.of("T").ended) == (1, 1, 1)
    assert found.of("Other").status == "not_reached"


def test_what_failed_and_what_was_never_reached():
    states = {"A": {**PASS, "Next": "T"}, "T": task(Next="Z"), "Z": {"Type": "Succeed"}}
    found = progress(states, function=failing("Boom"))
    assert found.status == "FAILED"
    assert found.of("T").status == "failed"
    assert found.of("T").error == "Boom"
    assert found.of("T").left is not None
    assert found.of("Z").status == "not_reached"


def test_an_error_that_was_caught_after_three_tries():
    retry = [{"ErrorEquals": ["Boom"], "MaxAttempts": 2}]
    states = {
        "T": task(Retry=retry, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}]),
        "Z": {"Type": "Succeed"},
    }
    found = progress(states, function=failing("Boom"))
    assert (found.of("T").status, found.of("T").tries) == ("caught", 3)
    assert (found.of("Z").status, found.status) == ("succeeded", "SUCCEEDED")


def test_a_loop_counts_its_visits_and_the_last_one_decides():
    answers = iter([StatesError("Boom"), StatesError("Boom"), {}])

    def function(call):
        answer = next(answers)
        if isinstance(answer, StatesError):
            raise answer
        return answer

    states = {"T": task(Catch=[{"ErrorEquals": ["Boom"], "Next": "T"}])}
    found = progress(states, function=function)
    assert (found.of("T").status, found.of("T").visits, found.of("T").error) == ("succeeded", 3, "Boom")


def test_an_iteration_that_failed_outweighs_those_that_did_not():
    def function(call):
        if call.arguments == 2:
            raise StatesError("Boom")
        return {}

    inner = {"StartAt": "T", "States": {"T": task()}}
    states = {"M": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}}
    found = progress(states, [1, 2, 3], function)
    assert (found.of("T").status, found.of("T").visits) == ("failed", 2)
    assert found.of("M").status == "failed"


def test_a_branch_that_was_ended_with_the_other():
    branches = [
        {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 60, "End": True}}},
        {"StartAt": "Bad", "States": {"Bad": FAIL}},
    ]
    found = statuses({"P": {"Type": "Parallel", "Branches": branches, "End": True}})
    assert found == {"P": "failed", "Slow": "aborted", "Bad": "failed"}


def test_a_run_that_is_still_going_on():
    states = {
        "A": {**PASS, "Next": "W"},
        "W": {"Type": "Wait", "Seconds": 90, "Next": "Z"},
        "Z": {"Type": "Succeed"},
    }
    events = run(states).history
    entered = next(at for at, event in enumerate(events) if event["type"] == "WaitStateEntered")
    found = Progress.from_history(events[: entered + 1])
    assert (found.status, found.of("A").status, found.of("W").status) == ("RUNNING", "succeeded", "running")
    assert (found.of("W").seconds, found.of("Z").status) == (None, "not_reached")


def test_every_beginning_of_a_history_can_be_drawn():
    inner = {"StartAt": "T", "States": {"T": task()}}
    branch = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    whole = machine({"P": {"Type": "Parallel", "Branches": [branch], "Next": "Z"}, "Z": {"Type": "Succeed"}})
    events = run(whole, [1, 2]).history
    for count in range(len(events) + 1):
        drawing = draw(whole, Progress.from_history(events[:count]))
        assert Picture(drawing.svg()).state("Z")
        assert drawing.text()
        assert drawing.mermaid()


def test_nothing_yet_is_no_progress():
    assert Progress.from_history([]) == Progress()


def test_a_history_without_its_beginning_is_refused():
    events = run({"A": {**PASS, "End": True}}).history
    with pytest.raises(TimelineError, match="give all of its pages"):
        Progress.from_history(events[1:])


def taken(whole, found) -> set[tuple[str, str, str]]:
    graph = draw(whole)._graph
    names = {node.key: node.name or node.key for node in graph.walk()}
    return {(names[edge.tail], names[edge.head], edge.kind) for edge in taken_edges(graph, found)}


def test_the_edges_that_were_taken():
    inner = {"StartAt": "B", "States": {"B": {**PASS, "Next": "C"}, "C": {**PASS, "End": True}}}
    states = {
        "T": task(Catch=[{"ErrorEquals": ["Boom"], "Next": "P"}], Next="Z"),
        "P": {"Type": "Parallel", "Branches": [inner], "Next": "Choose"},
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Variable": "$[0]", "IsPresent": True, "Next": "E"}],
            "Default": "Z",
        },
        "E": {**PASS, "End": True},
        "Z": {"Type": "Succeed"},
    }
    whole = machine(states)
    found = Progress.from_history(run(whole, function=failing("Boom")).history)
    assert taken(whole, found) == {
        ("start", "T", "next"),
        ("T", "P", "catch"),
        ("B", "C", "next"),
        ("P", "Choose", "next"),
        ("Choose", "E", "choice"),
        ("E", "finish", "next"),
    }


def test_a_way_that_was_not_taken_is_not_thick():
    whole = machine({"A": {**PASS, "Next": "T"}, "T": task()})
    drawn = Picture(draw(whole, Progress.from_history(run(whole, function=failing()).history)).svg())
    assert len(drawn.groups("taken")) == 2  # to A, and to T; the way from T to the end is thin
