"""The programs of docs/bring-your-own-model.md go through the same machine, in one stack."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrain import cli
from retrain.localcloud import process
from tests.integration.outcomes.conftest import PROJECT, People

DOCUMENT = (PROJECT / "docs" / "bring-your-own-model.md").read_text()
PLAYED = re.search(r"<!-- played: begin -->\n```console\n(.*?)```", DOCUMENT, re.DOTALL)
CANCER, REGRESSION = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
OUTCOMES = {"DEPLOYED": 0, "FAILED": 1, "REJECTED": 3}
"""How `--watch` and `rollback` end."""


@pytest.fixture
def retrain(
    people: People,
    local_cloud: process.LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """The command, against the stack that these tests share."""
    for name, value in {**process.environment(local_cloud), "RETRAIN_STACK_NAME": "people"}.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, code: int = 0) -> str:
        ended = cli.run(list(arguments))
        captured = capsys.readouterr()
        assert ended == code, captured
        return captured.out

    return call


def ask(people: People, endpoint: str, rows: list[list[float]]) -> Any:
    answer = people.aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps(rows)
    )
    return json.load(answer["Body"])


def csv(header: str, rows: np.ndarray[Any, Any]) -> bytes:
    return "\n".join([header, *(",".join(map(repr, row)) for row in rows.tolist()), ""]).encode()


def prices(count: int, seed: int, noise: float = 1.0) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(seed)
    rooms, area = generator.integers(1, 7, count), generator.uniform(20, 200, count)
    return np.column_stack([5 + 3 * rooms + 0.5 * area + generator.normal(0, noise, count), rooms, area])


def labels_csv(labels: list[Any], slices: list[str] | None = None) -> bytes:
    header = "id,label,slice_size" if slices else "id,label"
    columns = [map(str, range(len(labels))), map(repr, labels), *([slices] if slices else [])]
    return "\n".join([header, *(",".join(row) for row in zip(*columns, strict=True)), ""]).encode()


def test_the_document_shows_the_program_as_it_is() -> None:
    assert (PROJECT / "docs" / "examples" / "cancer" / "program" / "train.py").read_text() == CANCER


def test_from_data_to_a_model_that_serves(
    retrain: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    assert PLAYED
    lines = [line.removeprefix("$ ").partition("  # ") for line in PLAYED[1].splitlines()]
    assert len(lines) > 8
    for command, _, said in lines:
        words = shlex.split(command.replace("/tmp/cancer", str(tmp_path)))
        if words[0] == "python":
            subprocess.run([sys.executable, *words[1:]], check=True, timeout=60)
            continue
        outcome, _, why = said.strip().partition(": ")
        told = retrain(*words[1:], code=OUTCOMES.get(outcome, 0))
        if outcome in OUTCOMES:
            assert f"{outcome} after" in told
            assert why.casefold() in told.casefold()
        elif words[1] == "predict":
            assert told.startswith(outcome.removesuffix("..."))


def test_quantities_are_judged_by_their_error(
    people: People, retrain: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "fit.py").write_text(REGRESSION)
    retrain("program", "set", "prices", str(tmp_path), "--entry-point", "fit.py")
    retrain("gate", "set", "prices", "metric=rmse", "value_threshold=1.5", "slice_max_drop=0.5")
    rows = prices(600, seed=2)
    sizes = ["large" if area > 100 else "small" for area in rows[:, 2].tolist()]
    truth = labels_csv(rows[:, 0].tolist(), sizes)
    people.put_holdout("prices", {"rows.csv": csv("price,rooms,area", rows), "labels.csv": truth})
    first = people.upload("prices", {"a.csv": csv("price,rooms,area", prices(500, seed=1))})
    assert first.attributes["outcome"] == "DEPLOYED", first.body
    assert re.search(r"RMSE 0\.9\d+|RMSE 1\.0\d+", first.subject)
    assert "stays within the allowed 1.5." in first.body
    (answer,) = ask(people, "people-prices", [[3, 80.0]])
    assert abs(answer - 54) < 1

    serving = people.serving("people-prices")
    bad = prices(40, seed=3, noise=9)
    worse = people.upload("prices", {"a.csv": csv("price,rooms,area", bad)})
    assert worse.attributes["outcome"] == "REJECTED", worse.body
    assert "worse than the champion's" in worse.body
    assert (
        "The challenger is significantly worse than the champion: the mean squared error differs by +"
        in worse.body
    )
    assert "slice size=" in worse.body
    assert people.serving("people-prices") == serving
