"""`retrain data mnist`, and the test images that `predict --sample` takes."""

from __future__ import annotations

import numpy as np
import pytest

from retrain.datasets import idx, mnist
from retrain.errors import DataSourceError


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    folder = tmp_path / "cache" / "retrain" / "mnist"
    for images, labels, count in (
        (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, 20),
        (mnist.TEST_IMAGES, mnist.TEST_LABELS, 10),
    ):
        idx.write_idx(folder / images, np.zeros((count, 28, 28), np.uint8))
        idx.write_idx(folder / labels, np.arange(count, dtype=np.uint8) % 10)

    def fetch(cache=None, *, say):
        say("Fetching MNIST from somewhere")
        return mnist.Mnist(folder, "somewhere", 20, 10)

    monkeypatch.setattr(mnist, "fetch", fetch)


def test_where_the_files_are(retrain, fetched, tmp_path):
    ended = retrain("data", "mnist")
    base = tmp_path / "cache" / "retrain" / "mnist-folders"
    assert ended.out == (
        "source    somewhere\n"
        f"training  20 images  {base / 'training'}\n"
        f"holdout   10 images  {base / 'holdout'}\n"
    )
    assert "Fetching MNIST from somewhere" in ended.err
    assert "5,000 of the 70,000" in ended.err
    assert (base / "holdout" / "labels.csv").read_text().startswith("id,label\n0,0\n")


def test_as_json_and_quietly(retrain, fetched, tmp_path):
    ended = retrain("data", "mnist", "--json", "--quiet")
    assert ended.err == ""
    assert ended.json["training"]["images"] == 20
    assert ended.json["holdout"]["folder"].endswith("/holdout")


def test_no_source(retrain, monkeypatch):
    def fetch(*_, **__):
        raise DataSourceError("MNIST could not be fetched from anywhere.")

    monkeypatch.setattr(mnist, "fetch", fetch)
    ended = retrain("data", "mnist")
    assert (ended.code, ended.err) == (1, "retrain: MNIST could not be fetched from anywhere.\n")


def test_samples_have_their_truth_beside_them(retrain, fetched, stack):
    ended = retrain("predict", "--sample", 3, "--seed", 1)
    assert "of 3 right" in ended.out
    answers = retrain("predict", "--sample", 30, "--json").json
    assert sorted(answer["truth"] for answer in answers) == list(range(10))
    assert answers[0]["name"].startswith("test image ")
