"""Spoiled labels: as many as asked for, all of them wrong, always the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.datasets import holdout, idx, spoil
from retrain.errors import DatasetError

LABELS = st.lists(st.integers(0, 9), min_size=2, max_size=200).filter(lambda labels: len(set(labels)) > 1)


@given(LABELS, st.floats(0, 1), st.integers(0, 1000))
def test_exactly_the_share_becomes_wrong(labels, share, seed):
    right = np.array(labels, np.uint8)
    spoiled = spoil.spoil_labels(right, share=share, seed=seed)
    assert np.count_nonzero(spoiled != right) == round(share * len(right))
    assert set(spoiled.tolist()) <= set(labels)
    np.testing.assert_array_equal(spoiled, spoil.spoil_labels(right, share=share, seed=seed))


def test_wrong_labels_are_spread_over_all_classes():
    right = np.full(9000, 3, np.uint8)
    right[:10] = np.arange(10)
    spoiled = spoil.spoil_labels(right)
    counts = np.bincount(spoiled[spoiled != right], minlength=10)
    assert counts[3] <= 10
    assert counts[[0, 1, 2, 4, 5, 6, 7, 8, 9]].min() > 250


def test_one_class_cannot_be_spoiled():
    with pytest.raises(DatasetError, match="single class"):
        spoil.spoil_labels(np.zeros(10, np.uint8))


def test_a_folder_is_copied_with_spoiled_labels(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    labels = np.arange(30, dtype=np.uint8) % 10
    idx.write_idx(source / "train-images-idx3-ubyte", np.ones((30, 28, 28), np.uint8))
    idx.write_idx(source / "train-labels-idx1-ubyte", labels)
    made = spoil.spoil_folder(source, target)
    assert (made.wrong, made.total) == (10, 30)
    assert (target / "train-images-idx3-ubyte").read_bytes() == (
        source / "train-images-idx3-ubyte"
    ).read_bytes()
    assert np.count_nonzero(idx.read_idx(target / "train-labels-idx1-ubyte") != labels) == 10
    np.testing.assert_array_equal(idx.read_idx(source / "train-labels-idx1-ubyte"), labels)


def test_a_folder_without_labels(tmp_path):
    with pytest.raises(DatasetError, match="holds no labels"):
        spoil.spoil_folder(tmp_path, tmp_path / "target")


def test_labels_csv_has_the_row_as_id():
    assert holdout.encode_labels(np.array([7, 2, 1], np.uint8)) == b"id,label\n0,7\n1,2\n2,1\n"
    with pytest.raises(DatasetError, match=r"shape \(2, 2\)"):
        holdout.encode_labels(np.zeros((2, 2), np.uint8))


def test_a_holdout_is_the_files_and_their_labels(tmp_path):
    idx.write_idx(tmp_path / "i", np.zeros((3, 28, 28), np.uint8))
    idx.write_idx(tmp_path / "l", np.array([7, 2, 1], np.uint8))
    for _ in range(2):
        folder = holdout.write_holdout(tmp_path / "i", tmp_path / "l", tmp_path / "holdout")
    assert sorted(path.name for path in folder.iterdir()) == ["i", "l", "labels.csv"]
    assert (folder / "labels.csv").read_text().splitlines()[1] == "0,7"
