"""Whatever a machine is like, it is drawn; and what was drawn is all of it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrain.states.model import build, parse, to_definition
from retrain.workflow.drawing import Progress, draw
from retrain.workflow.drawing.metrics import columns
from tests.exploring import examples
from tests.states.machines import specimens
from tests.unit.workflow_drawing.pictures import Picture, overlapping

NAMES = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=9, unique=True)
ERRORS = st.sampled_from(["States.ALL", "States.Timeout", "Lost"])


@st.composite
def tangles(draw_: st.DrawFn) -> dict[str, Any]:
    """Draw states that lead to each other in any way: in circles, past each other, or nowhere."""
    names = draw_(NAMES)
    some = st.sampled_from(names)
    states: dict[str, Any] = {}
    for name in names:
        kind = draw_(st.sampled_from(["Pass", "Task", "Choice", "Succeed", "Fail", "Map", "Parallel"]))
        state: dict[str, Any] = {"Type": kind}
        if kind == "Choice":
            rules = draw_(st.lists(some, min_size=1, max_size=4))
            state["Choices"] = [
                {"Variable": "$.x", "NumericEquals": n, "Next": to} for n, to in enumerate(rules)
            ]
            state |= {"Default": draw_(some)} if draw_(st.booleans()) else {}
        elif kind not in ("Succeed", "Fail"):
            state |= {"Next": draw_(some)} if draw_(st.booleans()) else {"End": True}
        if kind in ("Task", "Map", "Parallel"):
            catches = draw_(st.lists(st.tuples(ERRORS, some), max_size=3))
            state["Catch"] = [{"ErrorEquals": [error], "Next": to} for error, to in catches]
        inner = {"StartAt": f"{name} in", "States": {f"{name} in": {"Type": "Succeed"}}}
        state |= {"Task": {"Resource": "arn:aws:states:::sqs:sendMessage"}}.get(kind, {})
        state |= {"Map": {"ItemProcessor": inner}, "Parallel": {"Branches": [inner]}}.get(kind, {})
        states[name] = state
    return {"StartAt": draw_(some), "States": states}


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(tangles())
def test_a_tangle_is_drawn_whole(definition):
    machine = build(definition)
    drawing = draw(machine, Progress())
    drawn = Picture(drawing.svg())
    inner = [
        f"{name} in" for name, each in definition["States"].items() if each["Type"] in ("Map", "Parallel")
    ]
    plain = [name for name in [*definition["States"], *inner] if name.isprintable()]
    assert len(drawn.names()) == len(definition["States"]) + len(inner)
    assert [name for name in plain if name not in drawn.names()] == []
    assert overlapping(drawn.boxes()) == []
    text = drawing.text()
    assert len([line for line in text.splitlines() if "not reached" in line]) >= len(plain) / 2
    assert max(map(columns, text.splitlines())) <= 80
    assert drawing.mermaid().startswith("flowchart TD\n")


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(specimens())
def test_a_machine_that_runs_comes_back_and_is_drawn(specimen):
    machine = parse(specimen.definition)
    assert to_definition(machine) == specimen.definition
    drawing = draw(machine)
    assert Picture(drawing.svg()).names()
    assert drawing.text()
    assert drawing.mermaid()
