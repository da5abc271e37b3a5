"""Drawings as SVG: what they say, to whom, and that they need nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.workflow.drawing import STATUSES, Progress, StateProgress, draw, stylesheet
from tests.exploring import examples
from tests.unit.workflow_drawing.pictures import SVG, Picture, chain, machine, unchecked

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
NASTY = "<script>alert('1')</script> & \"x\" ]]>"
WORK = {
    "Type": "Task",
    "Resource": FUNCTION,
    "Comment": "What it is for",
    "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 4}],
    "Catch": [
        {"ErrorEquals": ["Lost", "Stolen"], "Next": "Failed"},
        {"ErrorEquals": ["States.ALL"], "Next": "Done"},
    ],
    "Next": "Done",
}
MACHINE = machine({"Work": WORK, "Done": {"Type": "Succeed"}, "Failed": {"Type": "Fail"}}, Comment="Works")


def picture(drawn, progress=None, **options) -> Picture:
    return Picture(draw(drawn, progress).svg(**options))


def test_it_is_described_for_those_who_do_not_see_it():
    progress = Progress({"Work": StateProgress("failed", 0, 2, tries=5, visits=1, ended=1)}, "FAILED", 0, 2)
    root = picture(MACHINE, progress).root
    assert root.get("role") == "img"
    title, desc = root.get("aria-labelledby", "").split()
    found = {each.get("id"): each.text for each in root if each.get("id")}
    assert found[title] == "Works"
    assert found[desc] == (
        "State machine of 3 states, starting at Work. The execution is failed. Work: failed, 2 s, 5 tries."
    )


def test_two_drawings_on_one_page_have_names_of_their_own():
    ids = [
        {each.get("id") for each in picture(drawn).root.iter() if each.get("id")}
        for drawn in (MACHINE, machine(chain("A", "B")))
    ]
    assert len(ids[0]) == 2
    assert not ids[0] & ids[1]


def test_it_refers_to_nothing_outside_of_itself():
    text = draw(MACHINE).svg()
    assert "href" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_a_state_says_all_that_is_known_of_it_to_those_who_point_at_it():
    drawn = picture(MACHINE)
    work = drawn.state("Work")
    assert drawn.words(work) == ["Lambda work", "Work"]
    assert drawn.title(work) == "Work\nLambda work\nWhat it is for\nRetry Busy: up to 4 times"
    assert [each for each in work if each.get("class") == "again"]
    assert not [each for each in drawn.state("Done") if each.get("class") == "again"]


def test_catchers_are_dashed_and_named():
    drawn = picture(MACHINE)
    titles = {drawn.title(each) for each in drawn.groups("catch")} - {""}
    assert titles == {"Catch Lost, Stolen", "Catch any error"}
    assert "Lost, Stolen" in drawn.words()
    assert re.search(r"\.catch \.way \{[^}]*stroke-dasharray", drawn.text)


def test_choices_are_labelled_in_short_and_say_more_when_pointed_at():
    rules = [{"Variable": "$.deeply.nested.mark", "NumericLessThan": 3, "Next": "A"}]
    states = {"C": {"Type": "Choice", "Choices": rules, "Default": "B"}, **chain("A"), **chain("B")}
    drawn = picture(machine(states))
    assert {"mark < 3", "otherwise"} <= set(drawn.words())
    assert {drawn.title(each) for each in drawn.groups("choice")} >= {"$.deeply.nested.mark < 3"}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_told_by_colour_by_sign_and_in_words(status):
    left = 3.0 if status not in ("running", "not_reached") else None
    progress = Progress({"Work": StateProgress(status, 0, left, tries=1, visits=1, ended=1)})
    drawn = picture(MACHINE, progress)
    work = drawn.state("Work")
    assert status in work.get("class", "").split()
    assert bool([each for each in work if each.get("class") == "sign"]) == (status != "not_reached")
    said = {"caught": "error caught", "not_reached": "not reached"}.get(status, status)
    assert drawn.title(work).splitlines()[1].startswith(said)
    assert f".state.{status} >" in drawn.text


def test_nothing_moves_while_an_execution_goes_on():
    still = picture(MACHINE, Progress()).boxes()
    running = Progress({"Work": StateProgress("running", 0, None, tries=3, visits=20, ended=19)})
    assert picture(MACHINE, running).boxes() == still


def test_states_of_child_executions_have_no_status():
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    inner = {"StartAt": "Inside", "States": chain("Inside"), "ProcessorConfig": config}
    drawn = picture(machine({"Each": {"Type": "Map", "ItemProcessor": inner, "End": True}}), Progress())
    assert drawn.state("Each").get("class") == "state map not_reached"
    assert drawn.state("Inside").get("class") == "state pass"


def test_whoever_has_no_mouse_reaches_the_states_too():
    drawn = picture(MACHINE, interactive=True)
    assert drawn.root.get("role") == "group"
    for each in drawn.groups("state"):
        assert (each.get("tabindex"), each.get("role")) == ("0", "button")
        assert each.get("aria-label", "").startswith(each.get("data-state", ""))


def test_a_page_can_have_the_style_sheet_of_its_own():
    text = draw(MACHINE).svg(style=False)
    assert "<style" not in text
    assert " style=" not in text
    assert "prefers-color-scheme: dark" in stylesheet()
    assert {line.split()[0] for line in stylesheet().splitlines() if line.startswith(".")} <= {
        ".retrain-graph",
        ".retrain-graph.in-progress",
    }


def test_what_stands_in_a_definition_stays_text():
    states = {
        NASTY: {"Type": "Pass", "Comment": NASTY, "Next": "C"},
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "StringEquals": NASTY, "Comment": NASTY, "Next": NASTY}],
            "Default": NASTY,
        },
    }
    text = draw(unchecked(states)).svg(title=NASTY, interactive=True)
    drawn = Picture(text)
    assert sorted(drawn.names()) == sorted(states)
    assert {each.tag.removeprefix(SVG) for each in drawn.root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "rect", "circle", "path", "polygon", "text")
    }


@settings(max_examples=examples(150), deadline=None)
@given(st.text(min_size=1, max_size=80), st.text(max_size=60))
def test_any_text_gives_a_document(name, comment):
    drawn = ET.fromstring(draw(unchecked({name: {"Type": "Succeed", "Comment": comment}})).svg(title=comment))
    assert drawn.tag == f"{SVG}svg"
