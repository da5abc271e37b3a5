"""Drawings for terminals."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.states.model import parse
from retrain.workflow.drawing import Progress, StateProgress, draw
from retrain.workflow.drawing.metrics import columns
from tests.exploring import examples
from tests.unit.workflow_drawing.pictures import DEFINITIONS, chain, machine, unchecked

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
MACHINE = machine(
    {
        "Work": {
            "Type": "Task",
            "Resource": FUNCTION,
            "Catch": [
                {"ErrorEquals": ["Lost"], "Next": "Search"},
                {"ErrorEquals": ["States.ALL"], "Next": "Failed"},
            ],
            "Next": "Good?",
        },
        "Search": {"Type": "Wait", "Seconds": 5, "Next": "Work"},
        "Good?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.mark", "NumericLessThan": 3, "Next": "All"}],
            "Default": "Failed",
        },
        "All": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "Both",
                "States": {
                    "Both": {
                        "Type": "Parallel",
                        "Branches": [
                            {"StartAt": "Left", "States": chain("Left", "Left end")},
                            {"StartAt": "Right", "States": chain("Right")},
                        ],
                        "End": True,
                    }
                },
            },
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "Broken"},
    }
)


def test_an_outline_with_rails():
    assert draw(MACHINE).text(width=60) == (
        "● Work                        Lambda work\n"
        "│   ┄ Lost → Search\n"
        "│   ┄ any error → Failed\n"
        "◆ Good?                       choice\n"
        "├─ mark < 3\n"
        "│  ● All                      map\n"
        "│  └═ each item\n"
        "│     ● Both                  parallel\n"
        "│     ├═ branch 1\n"
        "│     │  ● Left               pass\n"
        "│     │  ● Left end           pass\n"
        "│     └═ branch 2\n"
        "│        ● Right              pass\n"
        "│  ■ Done                     succeed\n"
        "└─ otherwise → Failed\n"
        "● Search                      Wait 5 s\n"
        "└→ Work\n"
        "■ Failed                      Fail: Broken\n"
    )


def test_nothing_but_ascii_where_a_terminal_has_nothing_else():
    text = draw(MACHINE).text(ascii_only=True)
    assert text.isascii()
    assert "|   ~ Lost -> Search" in text
    assert "`- otherwise -> Failed" in text


def test_progress_in_signs_and_words():
    progress = Progress(
        {
            "Work": StateProgress("caught", 0, 12.34, tries=3, visits=1, ended=1, error="Lost"),
            "Search": StateProgress("running", 12.34, None, tries=1, visits=1),
        }
    )
    lines = draw(MACHINE, progress).text().splitlines()
    assert lines[0] == "! Work                                  error caught, 12.3 s, 3 tries"
    assert "▶ Search                                running" in lines
    assert "○ Done                               not reached" in [line.replace("│  ", "") for line in lines]


def test_colour_is_only_colour():
    progress = Progress({"Work": StateProgress("failed", 0, 1, tries=1, visits=1, ended=1)})
    coloured = draw(MACHINE, progress).text(colour=True)
    assert "\x1b[31;1m✗ Work\x1b[0m" in coloured
    assert ANSI.sub("", coloured) == draw(MACHINE, progress).text()


def test_a_name_cannot_move_the_cursor():
    text = draw(unchecked({"Red\x1b[31m\r\nalert\u2028": {"Type": "Succeed"}})).text()
    assert "\x1b" not in text
    assert text.count("\n") == 1


def test_what_stands_deep_is_still_there():
    inner = {"StartAt": "Deepest", "States": chain("Deepest")}
    for depth in range(30):
        state = {
            "Type": "Parallel",
            "Branches": [inner, {"StartAt": f"B{depth}", "States": chain(f"B{depth}")}],
        }
        inner = {"StartAt": f"P{depth}", "States": {f"P{depth}": {**state, "End": True}}}
    text = draw(parse(inner)).text()
    assert "● Deepest" in text
    assert max(map(columns, text.splitlines())) <= 80


def test_states_that_nothing_leads_to_are_told_at_the_end():
    states = {"A": {"Type": "Pass", "End": True}, "Lonely": {"Type": "Pass", "Next": "A"}}
    assert draw(unchecked(states)).text(width=60).splitlines()[1:] == [
        "● Lonely                      pass",
        "└→ A",
    ]


@settings(max_examples=examples(60), deadline=None)
@given(file=st.sampled_from(DEFINITIONS), width=st.integers(56, 200))
def test_no_line_is_wider_than_the_terminal(file, width):
    text = draw(parse(file.read_text(encoding="utf-8"))).text(width=width)
    assert max(map(columns, text.splitlines())) <= width
