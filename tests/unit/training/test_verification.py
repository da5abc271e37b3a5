"""Requests for holdout rows, by which a deployed endpoint is verified."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from inference import input_fn
from mnist_data import Digits
from tests.unit.training.digits import draw_digits
from verification import write_verification


def digits(count: int) -> Digits:
    images, labels = draw_digits(count, seed=3)
    return Digits(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), ("file",))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (1, [0]),
        (3, [0, 1, 2]),
        (200, list(range(200))),
        (400, list(range(0, 400, 2))),
        (1000, list(range(0, 1000, 5))),
    ],
)
def test_rows_are_spread_evenly_over_the_holdout(tmp_path: Path, rows: int, expected: list[int]) -> None:
    count = write_verification(digits(rows), tmp_path / "verify.jsonl")

    found = [json.loads(line)["id"] for line in (tmp_path / "verify.jsonl").read_text().splitlines()]
    assert found == [str(row) for row in expected]
    assert count == len(expected)


def test_each_line_is_a_request_that_the_served_model_reads(tmp_path: Path) -> None:
    holdout = digits(777)
    write_verification(holdout, tmp_path / "output" / "verify.jsonl")

    content = (tmp_path / "output" / "verify.jsonl").read_text()
    assert len(content) < 1_000_000
    for line in content.splitlines():
        request = json.loads(line)
        assert set(request) == {"id", "content_type", "body"}
        read = input_fn(base64.b64decode(request["body"], validate=True), request["content_type"])
        assert np.array_equal(np.asarray(read)[0], holdout.images[int(request["id"])].numpy())


def test_the_same_holdout_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_verification(digits(450), tmp_path / name)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
