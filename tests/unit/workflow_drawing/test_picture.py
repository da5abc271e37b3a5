"""The picture in the README shows the state machine as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retrain.cli import run
from tests.unit.workflow_drawing.pictures import Picture

PROJECT = Path(__file__).resolve().parents[3]
PICTURE = PROJECT / "docs" / "images" / "state-machine.svg"
COMMAND = "workflow graph statemachine/retrain.asl.json --format svg --output docs/images/state-machine.svg"
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def test_it_is_current(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(PROJECT)
    drawn = tmp_path / "drawn.svg"
    assert run([str(drawn) if each.endswith(".svg") else each for each in COMMAND.split()]) == 0
    new, old = drawn.read_text(encoding="utf-8"), PICTURE.read_text(encoding="utf-8")
    remedy = f"The picture is out of date: retrain {COMMAND}"
    assert NUMBERS.sub("0", new) == NUMBERS.sub("0", old), remedy
    # Another processor may round the last digit otherwise.
    assert [float(each) for each in NUMBERS.findall(new)] == pytest.approx(
        [float(each) for each in NUMBERS.findall(old)], abs=1
    ), remedy


def test_the_readme_shows_it():
    assert "docs/images/state-machine.svg" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_it_shows_what_people_ask_for():
    drawn = Picture(PICTURE.read_text(encoding="utf-8"))
    assert {"Train", "Promote?", "UpdateEndpoint", "RecordFailed"} <= set(drawn.names())
    assert {"verdict = promote", "SageMaker CreateTrainingJob (sync)", "Lambda EvaluateChallenger"} <= set(
        drawn.words()
    )
