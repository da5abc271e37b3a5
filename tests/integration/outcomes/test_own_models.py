"""The programs of docs/bring-your-own-model.md go through the same machine, by upload alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.integration.outcomes.conftest import PROJECT, People

DOCUMENT = PROJECT / "docs" / "bring-your-own-model.md"
CENTROIDS, REGRESSION = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def ask(people: People, endpoint: str, rows: list[list[float]]) -> Any:
    answer = people.aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps(rows)
    )
    return json.load(answer["Body"])


def csv(header: str, rows: np.ndarray[Any, Any]) -> bytes:
    return "\n".join([header, *(",".join(map(repr, row)) for row in rows.tolist()), ""]).encode()


def points(count: int, seed: int) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])[labels] + generator.normal(0, 0.7, (count, 2))
    return np.column_stack([labels, places])


def prices(count: int, seed: int, noise: float = 1.0) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(seed)
    rooms, area = generator.integers(1, 7, count), generator.uniform(20, 200, count)
    return np.column_stack([5 + 3 * rooms + 0.5 * area + generator.normal(0, noise, count), rooms, area])


@pytest.fixture(scope="module")
def opened(open_stack: Callable[..., People]) -> Callable[..., People]:
    """A stack that trains one of the programs."""

    def opened(name: str, program: str, **parameters: str) -> People:
        people = open_stack(name, **parameters)
        source = people.program(name, program)
        return open_stack(name, TrainingSourceS3Uri=source, **parameters)

    return opened


def labels_csv(labels: list[Any], slices: list[str] | None = None) -> bytes:
    header = "id,label,slice_size" if slices else "id,label"
    columns = [map(str, range(len(labels))), map(repr, labels), *([slices] if slices else [])]
    return "\n".join([header, *(",".join(row) for row in zip(*columns, strict=True)), ""]).encode()


def test_a_classifier(opened: Callable[..., People]) -> None:
    people = opened("centroids", CENTROIDS)
    rows = points(400, seed=2)
    people.put_holdout(
        "points", {"rows.csv": csv("label,x,y", rows), "labels.csv": labels_csv(rows[:, 0].tolist())}
    )
    first = people.upload("points", {"a.csv": csv("label,x,y", points(300, seed=1))})
    assert first.attributes["outcome"] == "DEPLOYED", first.body
    second = people.upload("points", {"a.csv": csv("label,x,y", points(300, seed=1)[::-1])})
    assert "is equal to the champion's" in second.body
    assert ask(people, "centroids-points", [[4.1, 0.2], [0.1, 3.8]]) == ["1.0", "2.0"]


def test_quantities_are_judged_by_their_error(opened: Callable[..., People]) -> None:
    people = opened(
        "regression", REGRESSION, GateMetric="rmse", GateValueThreshold="1.5", GateSliceMaxDrop="0.5"
    )
    rows = prices(600, seed=2)
    sizes = ["large" if area > 100 else "small" for area in rows[:, 2].tolist()]
    truth = labels_csv(rows[:, 0].tolist(), sizes)
    people.put_holdout("prices", {"rows.csv": csv("price,rooms,area", rows), "labels.csv": truth})
    first = people.upload("prices", {"a.csv": csv("price,rooms,area", prices(500, seed=1))})
    assert first.attributes["outcome"] == "DEPLOYED", first.body
    assert re.search(r"RMSE 0\.9\d+|RMSE 1\.0\d+", first.subject)
    assert "stays within the allowed 1.5." in first.body
    (answer,) = ask(people, "regression-prices", [[3, 80.0]])
    assert abs(answer - 54) < 1

    serving = people.serving("regression-prices")
    bad = prices(40, seed=3, noise=9)
    worse = people.upload("prices", {"a.csv": csv("price,rooms,area", bad)})
    assert worse.attributes["outcome"] == "REJECTED", worse.body
    assert "worse than the champion's" in worse.body
    assert (
        "The challenger is significantly worse than the champion: the mean squared error differs by +"
        in worse.body
    )
    assert "slice size=" in worse.body
    assert people.serving("regression-prices") == serving
