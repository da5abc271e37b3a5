"""Drawings as Mermaid flowcharts."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.workflow.drawing import Progress, StateProgress, draw
from retrain.workflow.drawing.progress import Step
from tests.exploring import examples
from tests.unit.workflow_drawing.pictures import chain, machine, unchecked

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
MACHINE = machine(
    {
        "Work": {
            "Type": "Task",
            "Resource": FUNCTION,
            "Catch": [{"ErrorEquals": ["Lost"], "Next": "Failed"}],
            "Next": "Good?",
        },
        "Good?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.mark", "NumericLessThan": 3, "Next": "Both"}],
            "Default": "Failed",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [{"StartAt": name, "States": chain(name)} for name in ("Left", "Right")],
            "End": True,
        },
        "Failed": {"Type": "Fail"},
    }
)


def test_a_flowchart():
    assert draw(MACHINE).mermaid() == (
        "flowchart TD\n"
        "  start((start))\n"
        '  s0["Work<br/><small>Lambda work</small>"]\n'
        '  s1{{"Good?"}}\n'
        '  subgraph s2 ["Both<br/><small>Parallel</small>"]\n'
        '    subgraph g1 ["1"]\n'
        '      s4["Left"]\n'
        "    end\n"
        '    subgraph g2 ["2"]\n'
        '      s5["Right"]\n'
        "    end\n"
        "  end\n"
        '  s3(["Failed"])\n'
        "  finish(((end)))\n"
        "  start --> s0\n"
        "  s0 --> s1\n"
        '  s0 -.->|"Lost"| s3\n'
        '  s1 -->|"mark #60; 3"| s2\n'
        '  s1 -->|"otherwise"| s3\n'
        "  s2 --> finish\n"
    )


def test_progress_is_coloured_and_the_way_taken_is_thick():
    steps = (Step((0, None), "Work", False), Step((0, None), "Good?", False))
    progress = Progress({name: StateProgress("succeeded", 0, 1) for name in ("Work", "Good?")}, steps=steps)
    lines = draw(MACHINE, progress).mermaid().splitlines()
    assert "  class s0,s1 succeeded" in lines
    assert "  class s2,s4,s5,s3 not_reached" in lines
    assert "  linkStyle 0,1 stroke-width:3px" in lines


@settings(max_examples=examples(150), deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_a_name_is_nothing_but_a_name(name):
    text = draw(unchecked({name: {"Type": "Pass", "End": True}})).mermaid()
    line = text.splitlines()[2]
    assert re.fullmatch(r'  s0\["[^"<>`{}\[\]|;]*(?:#\d+;[^"<>`{}\[\]|;]*)*"\]', line)
    assert text.count("\n") == 6
