"""Where things are put."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrain.workflow.drawing import LayoutError, draw, metrics
from retrain.workflow.drawing.dot import Link, arrange
from tests.exploring import examples
from tests.unit.workflow_drawing.pictures import Picture, chain, machine, unchecked


def below(drawn: Picture, one: str, other: str) -> bool:
    boxes = drawn.boxes()
    return boxes[one][3] <= boxes[other][1]


def test_what_follows_stands_below():
    drawn = Picture(draw(machine(chain("A", "B", "C"))).svg())
    assert below(drawn, "A", "B")
    assert below(drawn, "B", "C")


def test_the_first_state_stands_at_the_top_whatever_leads_back_to_it():
    states = {
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Look"},
        "Look": {"Type": "Pass", "Next": "Done?"},
        "Done?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "End"}],
            "Default": "Wait",
        },
        "End": {"Type": "Succeed"},
    }
    boxes = Picture(draw(machine(states)).svg()).boxes()
    assert min(boxes, key=lambda name: boxes[name][1]) == "Wait"


def test_branches_stand_side_by_side_inside_of_their_state():
    branches = [{"StartAt": name, "States": chain(name)} for name in ("Left", "Right")]
    drawn = Picture(draw(machine({"Both": {"Type": "Parallel", "Branches": branches, "End": True}})).svg())
    boxes = drawn.boxes()
    assert boxes["Left"][2] < boxes["Right"][0]
    for inner in ("Left", "Right"):
        assert boxes["Both"][0] < boxes[inner][0]
        assert boxes["Both"][1] < boxes[inner][1]
        assert boxes["Both"][2] > boxes[inner][2]
        assert boxes["Both"][3] > boxes[inner][3]


def test_very_many_branches_go_on_in_a_next_row():
    names = [f"Branch number {number}" for number in range(20)]
    branches = [{"StartAt": name, "States": chain(name)} for name in names]
    drawn = Picture(draw(machine({"All": {"Type": "Parallel", "Branches": branches, "End": True}})).svg())
    assert drawn.size[0] < 1700
    assert below(drawn, names[0], names[-1])


def test_errors_that_go_to_the_same_state_share_a_line():
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]}
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", **caught}
    states = {f"S{n}": {**task, "Next": f"S{n + 1}"} for n in range(6)}
    drawn = Picture(draw(machine({**states, "S6": {"Type": "Succeed"}, "Failed": {"Type": "Fail"}})).svg())
    titles = [drawn.title(each) for each in drawn.groups("catch")]
    assert titles.count("Catch any error") == 6
    assert "Errors of 6 states" in titles
    # One arrow points at the state, not six.
    tips = [each for group in drawn.groups("catch") for each in group if each.get("class") == "tip"]
    assert len(tips) == 1


def test_the_same_machine_has_the_same_drawing_in_every_process():
    program = (
        "from retrain.states.model import parse; from retrain.workflow.drawing import draw;"
        "print(draw(parse(open(%r).read())).svg())"
    )
    from tests.unit.workflow_drawing.pictures import DEFINITIONS

    (file,) = (each for each in DEFINITIONS if each.stem == "order_processing")
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program % str(file)],
            *(),
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(drawn) == 1


def test_drawings_can_be_made_at_the_same_time():
    drawing = draw(machine(chain(*"ABCDEFGH")))
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: drawing.svg(), range(40)))) == 1


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(LayoutError, match=r"pip install 'retrain\[workflow\]'"):
        draw(machine(chain("A"))).svg()
    assert draw(machine(chain("A"))).text() == "● A" + " " * 37 + "pass\n"


def test_several_edges_between_two_and_loops_each_have_a_way():
    links = [Link("a", "b"), Link("a", "b", label=(40, 12)), Link("a", "a"), Link("b", "a", arrow=False)]
    made = arrange({"a": (50, 20), "b": (50, 20)}, links)
    assert len({route.points for route in made.routes}) == 4
    assert made.routes[1].label is not None
    assert made.routes[3].tip is None


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=200), st.floats(40, 300), st.integers(1, 4))
def test_text_is_broken_into_lines_that_fit(text, most, lines):
    made = metrics.wrap(text, most, 14, lines=lines)
    assert 1 <= len(made) <= lines
    assert all(metrics.width(line, 14) <= most for line in made)
    whole = "".join(made).replace(" ", "")
    assert whole == "".join(text.split()) or made[-1].endswith("…") or any("…" in line for line in made)


def test_names_are_broken_between_words_and_at_humps():
    assert metrics.wrap("Wait for the endpoint", 90, 14, lines=3) == ("Wait for the", "endpoint")
    assert metrics.wrap("DescribeEndpointConfig", 140, 14, lines=3) == ("DescribeEndpoint", "Config")
    assert metrics.wrap("x" * 100, 60, 14, lines=2) == ("xxxxxx…",)


def test_an_unreached_state_is_drawn_too():
    states = {"A": {"Type": "Pass", "End": True}, "Lonely": {"Type": "Pass", "End": True}}
    assert sorted(Picture(draw(unchecked(states)).svg()).names()) == ["A", "Lonely"]
