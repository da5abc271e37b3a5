"""Definitions of every kind, in both query languages and both notations: read, given back, and drawn."""

from __future__ import annotations

import json
import unicodedata

import pytest
import yaml

from retrain.states.model import Map, Parallel, StateMachine, parse, to_definition
from retrain.workflow.drawing import draw
from tests.unit.workflow_drawing.pictures import DEFINITIONS, Picture, overlapping

FILES = pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.stem)


def states(machine):
    for name, state in machine.states.items():
        yield name, state
        if isinstance(state, Parallel):
            for branch in state.branches:
                yield from states(branch)
        elif isinstance(state, Map):
            yield from states(state.item_processor)


def read(file) -> StateMachine:
    return parse(file.read_text(encoding="utf-8"))


def test_there_are_sixty_of_them_with_all_that_the_language_has():
    assert len(DEFINITIONS) >= 60
    assert {file.suffix for file in DEFINITIONS} == {".json", ".yaml"}
    found = [state for file in DEFINITIONS for _, state in states(read(file))]
    assert {state.type for state in found} == {
        *("Pass", "Task", "Wait", "Choice", "Succeed", "Fail", "Parallel", "Map")
    }
    assert {state.query_language for state in found} == {"JSONPath", "JSONata"}
    used = {name for state in found for name in state.given}
    assert used >= {
        *("Assign", "Output", "Arguments", "Items", "ItemReader", "ItemBatcher", "ResultWriter", "Label"),
        *("ResultSelector", "ResultPath", "InputPath", "OutputPath", "Parameters", "Credentials", "Iterator"),
        *("Retry", "Catch", "TimeoutSecondsPath", "HeartbeatSecondsPath", "MaxConcurrencyPath", "Timestamp"),
        *("ErrorPath", "CausePath", "ToleratedFailurePercentage", "ToleratedFailureCount", "QueryLanguage"),
    }


@FILES
def test_given_back_as_it_was(file):
    text = file.read_text(encoding="utf-8")
    document = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    assert to_definition(read(file)) == document


@FILES
def test_drawn_as_svg(file):
    machine = read(file)
    picture = Picture(draw(machine).svg())
    assert sorted(picture.names()) == sorted(name for name, _ in states(machine))
    assert overlapping(picture.boxes()) == []
    width, height = picture.size
    assert all(0 <= x <= width and 0 <= y <= height for x, y in picture.points())
    for left, top, right, bottom in picture.boxes().values():
        assert (left >= 0, top >= 0, right <= width, bottom <= height) == (True, True, True, True)


@FILES
def test_drawn_as_mermaid(file):
    machine = read(file)
    text = draw(machine).mermaid()
    assert text.startswith("flowchart TD\n")
    opened = sum(line.lstrip().startswith("subgraph ") for line in text.splitlines())
    assert opened == sum(line.strip() == "end" for line in text.splitlines())


@FILES
@pytest.mark.parametrize("ascii_only", [False, True])
def test_drawn_as_text_of_eighty_columns(file, ascii_only):
    machine = read(file)
    text = draw(machine).text(ascii_only=ascii_only)
    for line in text.splitlines():
        wide = sum(unicodedata.east_asian_width(each) in "WF" for each in line)
        assert len(line) + wide <= 80 or not line.isascii()
    for name, _ in states(machine):
        assert name[:24] in text


def test_a_machine_of_forty_states_is_legible():
    (file,) = (each for each in DEFINITIONS if each.stem == "order_processing")
    machine = read(file)
    assert len(list(states(machine))) >= 40
    picture = Picture(draw(machine).svg())
    width, height = picture.size
    assert width < 2000
    assert height < 2500
    # All names are there in full, one under the other if they are long, in the size of usual text.
    words = " ".join(picture.words())
    assert [name for name, _ in states(machine) if name not in words] == []
