"""The dataset reader: every format, every way of being spoiled, and the sentence that a person gets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import mnist_data
from mnist_data import DatasetFormatError, DatasetNotFoundError, load_holdout, load_training
from tests.unit.training.digits import draw_digits, idx_bytes, write_idx, write_pair

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("images_name", "labels_name"),
    [
        (IMAGES, LABELS),
        (IMAGES + ".gz", LABELS + ".gz"),
        (IMAGES + ".gz", LABELS),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-digits-train-images-idx3-ubyte.gz", "emnist-digits-train-labels-idx1-ubyte.gz"),
        ("sub/folder/" + IMAGES, "sub/folder/" + LABELS),
        ("images-idx3-ubyte", "labels-idx1-ubyte"),
    ],
)
def test_reads_idx_files_under_their_usual_names(tmp_path: Path, images_name: str, labels_name: str) -> None:
    images, labels = draw_digits(20)
    write_idx(tmp_path / images_name, images)
    write_idx(tmp_path / labels_name, labels)

    digits = load_training(tmp_path)

    assert digits.images.dtype == torch.uint8
    assert digits.labels.dtype == torch.int64
    assert np.array_equal(digits.images.numpy(), images)
    assert np.array_equal(digits.labels.numpy(), labels)
    assert digits.sources == (images_name, labels_name)
    assert len(digits) == 20


@pytest.mark.parametrize(
    "keys", [("x_train", "y_train"), ("train_images", "train_labels"), ("images", "labels")]
)
@pytest.mark.parametrize("flat", [False, True])
def test_reads_npz(tmp_path: Path, keys: tuple[str, str], flat: bool) -> None:
    images, labels = draw_digits(12)
    shaped = images.reshape(12, -1) if flat else images
    np.savez_compressed(tmp_path / "mnist.npz", **{keys[0]: shaped, keys[1]: labels.astype(np.int64)})

    digits = load_training(tmp_path)

    assert np.array_equal(digits.images.numpy(), images)
    assert np.array_equal(digits.labels.numpy(), labels)


def test_npz_with_both_sets_gives_each_channel_its_own(tmp_path: Path) -> None:
    x_train, y_train = draw_digits(9)
    x_test, y_test = draw_digits(5, seed=3)
    np.savez(tmp_path / "mnist.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)

    assert len(load_training(tmp_path)) == 9
    assert len(load_holdout(tmp_path)) == 5


def test_a_dataset_with_test_files_trains_on_the_others(tmp_path: Path) -> None:
    write_pair(tmp_path, 9)
    write_pair(tmp_path, 5, prefix="t10k", seed=3)

    assert len(load_training(tmp_path)) == 9
    assert len(load_holdout(tmp_path)) == 5


@pytest.mark.parametrize("prefix", ["t10k", "train", "latest"])
def test_a_single_pair_is_taken_whatever_it_is_called(tmp_path: Path, prefix: str) -> None:
    write_pair(tmp_path, 7, prefix=prefix)

    assert len(load_training(tmp_path)) == 7
    assert len(load_holdout(tmp_path)) == 7


def test_several_pairs_are_joined_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write_pair(tmp_path / "2026-02", 4, seed=2)
    write_pair(tmp_path / "2026-01", 3, seed=1)

    digits = load_training(tmp_path)

    assert digits.sources[0] == f"2026-01/{IMAGES}"
    expected = np.concatenate([draw_digits(3, seed=1)[1], draw_digits(4, seed=2)[1]])
    assert np.array_equal(digits.labels.numpy(), expected)


def test_the_same_file_packed_and_unpacked_counts_once(tmp_path: Path) -> None:
    write_pair(tmp_path, 6)
    write_pair(tmp_path, 6, suffix=".gz")

    assert len(load_training(tmp_path)) == 6


def test_markers_labels_and_hidden_files_are_no_data(tmp_path: Path) -> None:
    write_pair(tmp_path, 6)
    for name in ("_SUCCESS", "manifest.json", "labels.csv", ".hidden"):
        (tmp_path / name).touch()

    assert len(load_training(tmp_path)) == 6


def test_a_gzip_file_without_its_ending_is_read(tmp_path: Path) -> None:
    images, labels = draw_digits(4)
    (tmp_path / IMAGES).write_bytes(gzip.compress(idx_bytes(images)))
    write_idx(tmp_path / LABELS, labels)

    assert len(load_training(tmp_path)) == 4


def refused(folder: Path, *words: str, kind: type[Exception] = DatasetFormatError) -> str:
    """Return the sentence with which the folder is refused; it holds all the words, in this order."""
    with pytest.raises(kind, match=".*".join(re.escape(word) for word in words)) as caught:
        load_training(folder)
    return str(caught.value)


def test_no_file_at_all(tmp_path: Path) -> None:
    refused(tmp_path, "'training'", IMAGES, LABELS, "found no data file", "Upload", kind=DatasetNotFoundError)


def test_files_that_are_no_dataset(tmp_path: Path) -> None:
    for index in range(7):
        (tmp_path / f"holiday-{index}.jpg").write_bytes(b"jpeg")

    refused(
        tmp_path,
        "'training'",
        IMAGES,
        ".npz",
        "found holiday-0.jpg",
        "and 2 more",
        "Upload",
        kind=DatasetNotFoundError,
    )


def test_holdout_without_dataset_names_its_channel_and_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"'holdout'.*t10k-images-idx3-ubyte"):
        load_holdout(tmp_path)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_empty_file(tmp_path: Path, name: str) -> None:
    write_pair(tmp_path, 5)
    (tmp_path / name).write_bytes(b"")

    refused(tmp_path, name, "is empty (0 bytes)", "Upload it again")


def test_empty_npz(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").touch()

    refused(tmp_path, "mnist.npz", "is empty (0 bytes)")


def test_wrong_magic(tmp_path: Path) -> None:
    write_pair(tmp_path, 5)
    (tmp_path / IMAGES).write_bytes(b"<html>not found</html>")

    refused(tmp_path, IMAGES, "no IDX file of images", "00 00 08 03", "3c 68 74 6d", "IDX format")


def test_labels_in_place_of_images(tmp_path: Path) -> None:
    _, labels = draw_digits(5)
    write_idx(tmp_path / IMAGES, labels)
    write_idx(tmp_path / LABELS, labels)

    refused(tmp_path, IMAGES, "should begin with the bytes 00 00 08 03", "begins with 00 00 08 01")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_truncated_values(tmp_path: Path, ending: str) -> None:
    images, labels = draw_digits(5)
    content = idx_bytes(images)[:-100]
    (tmp_path / (IMAGES + ending)).write_bytes(gzip.compress(content) if ending else content)
    write_idx(tmp_path / LABELS, labels)

    refused(tmp_path, IMAGES + ending, "cut short", "5 images of 28x28", "expected 3936 bytes, found 3836")


def test_truncated_header(tmp_path: Path) -> None:
    write_pair(tmp_path, 5)
    (tmp_path / LABELS).write_bytes(bytes((0, 0, 8, 1, 0)))

    refused(tmp_path, LABELS, "cut short", "header has 8 bytes, found 5")


def test_too_long(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    (tmp_path / IMAGES).write_bytes(idx_bytes(images) + b"more")
    write_idx(tmp_path / LABELS, labels)

    refused(tmp_path, IMAGES, "too long", "5 images of 28x28")


def test_a_header_that_claims_too_much_takes_no_memory(tmp_path: Path) -> None:
    write_pair(tmp_path, 5)
    (tmp_path / IMAGES).write_bytes(bytes((0, 0, 8, 3)) + b"\xff" * 12 + b"data")

    refused(tmp_path, IMAGES, "cut short")


def test_counts_that_differ(tmp_path: Path) -> None:
    write_pair(tmp_path, 5)
    write_idx(tmp_path / LABELS, draw_digits(4)[1])

    refused(tmp_path, IMAGES, "holds 5 images", LABELS, "holds 4 labels", "of the same set")


def test_labels_outside_the_classes(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    labels[2], labels[4] = 10, 255
    write_idx(tmp_path / IMAGES, images)
    write_idx(tmp_path / LABELS, labels)

    refused(tmp_path, LABELS, "2 of the labels are outside 0 to 9", "10 in row 2", "Correct the file")


def test_wrong_image_size(tmp_path: Path) -> None:
    write_idx(tmp_path / IMAGES, np.zeros((5, 32, 30), dtype=np.uint8))
    write_idx(tmp_path / LABELS, np.zeros(5, dtype=np.uint8))

    refused(tmp_path, IMAGES, "images are 32x30 pixels", "28x28", "Resize")


def test_no_images(tmp_path: Path) -> None:
    write_idx(tmp_path / IMAGES, np.zeros((0, 28, 28), dtype=np.uint8))
    write_idx(tmp_path / LABELS, np.zeros(0, dtype=np.uint8))

    refused(tmp_path, IMAGES, "holds no images")


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-20], lambda b: b[:40] + b"\x00" * 60 + b[100:], lambda b: b[:2] + b"?"]
)
def test_spoiled_gzip(tmp_path: Path, spoil: object) -> None:
    write_pair(tmp_path, 50, suffix=".gz")
    path = tmp_path / (IMAGES + ".gz")
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]

    refused(tmp_path, IMAGES + ".gz", "spoiled gzip", "Pack it again")


@pytest.mark.parametrize(("missing", "other"), [(LABELS, IMAGES), (IMAGES, LABELS)])
def test_half_a_pair(tmp_path: Path, missing: str, other: str) -> None:
    write_pair(tmp_path, 5)
    (tmp_path / missing).unlink()

    refused(tmp_path, other, "beside it", missing, "Upload both")


def test_npz_without_the_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", a=np.zeros(3), b=np.zeros(3))

    refused(tmp_path, "mnist.npz", "lacks the arrays", "x_train and y_train", "found a, b", "Save it again")


def test_training_is_never_taken_from_arrays_called_test(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    np.savez(tmp_path / "mnist.npz", x_test=images, y_test=labels)

    refused(tmp_path, "lacks the arrays", "found x_test, y_test")
    assert len(load_holdout(tmp_path)) == 5


def test_npz_with_pickled_objects(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "mnist.npz",
        x_train=np.array([{"a": 1}], dtype=object),
        y_train=np.zeros(1, dtype=np.uint8),
    )

    refused(tmp_path, "mnist.npz", "cannot be read as an .npz", "allow_pickle")


@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[: len(b) // 2], lambda b: b"no zip at all", lambda b: b[:90] + b"\x00" * 40 + b[130:]],
)
def test_spoiled_npz(tmp_path: Path, spoil: object) -> None:
    images, labels = draw_digits(50)
    np.savez_compressed(tmp_path / "mnist.npz", x_train=images, y_train=labels)
    path = tmp_path / "mnist.npz"
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]

    refused(tmp_path, "mnist.npz", "Save it again")


def test_npz_with_fractions(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    np.savez(tmp_path / "mnist.npz", x_train=images / 255, y_train=labels)

    refused(tmp_path, "x_train in mnist.npz", "float64", "whole numbers from 0 to 255", "Convert")


def test_npz_with_pixels_out_of_range(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    np.savez(tmp_path / "mnist.npz", x_train=images.astype(np.int32) - 300, y_train=labels)

    refused(tmp_path, "x_train in mnist.npz", "pixels are outside 0 to 255", "row 0")


def test_npz_with_one_hot_labels(tmp_path: Path) -> None:
    images, labels = draw_digits(5)
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=np.eye(10, dtype=np.uint8)[labels])

    refused(tmp_path, "y_train in mnist.npz", "one-hot")


def test_errors_are_one_tree() -> None:
    assert issubclass(DatasetNotFoundError, mnist_data.DatasetError)
    assert issubclass(DatasetFormatError, mnist_data.DatasetError)
