"""IDX files: what is written is read, and what is not whole is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from retrain.datasets import idx
from retrain.errors import IdxFormatError

DTYPES = st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64])
ARRAYS = DTYPES.flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


@given(ARRAYS)
def test_what_is_written_is_read(array):
    again = idx.decode_idx(idx.encode_idx(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


@given(ARRAYS, st.data())
def test_a_file_of_another_length_is_refused(array, data):
    content = idx.encode_idx(array)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(IdxFormatError):
        idx.decode_idx(content[:cut])
    with pytest.raises(IdxFormatError, match="too long"):
        idx.decode_idx(content + b"\0")


@given(st.binary(max_size=64))
def test_any_other_bytes_are_refused_or_are_an_array(content):
    try:
        array = idx.decode_idx(content)
    except IdxFormatError:
        return
    assert idx.encode_idx(array) == content


def test_the_layout_is_that_of_mnist():
    content = idx.encode_idx(np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28))
    assert content[:16].hex() == "00000803" + "00000002" + "0000001c" + "0000001c"


def test_errors_name_the_file_and_the_figures(tmp_path):
    path = tmp_path / "t10k-labels-idx1-ubyte"
    idx.write_idx(path, np.zeros(100, np.uint8))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(IdxFormatError) as error:
        idx.read_idx(path)
    assert str(error.value) == f"{path} is cut short: its header announces 108 bytes, it has 50."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "begins with nothing"),
        (b"<html>", "begins with 3c 68 74 6d"),
        (b"\0\0\x08\x02\0\0", "ends within its header"),
    ],
)
def test_what_is_no_idx_file(content, sentence):
    with pytest.raises(IdxFormatError, match=sentence):
        idx.decode_idx(content, "upload.bin")


def test_arrays_that_idx_cannot_hold():
    with pytest.raises(IdxFormatError, match="no element type for int64"):
        idx.encode_idx(np.zeros(3, np.int64))
    with pytest.raises(IdxFormatError, match="not 0"):
        idx.encode_idx(np.uint8(3)[()])


def test_gzipped_files_are_read(tmp_path):
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(idx.encode_idx(np.arange(5, dtype=np.uint8))))
    assert idx.read_idx(path).tolist() == [0, 1, 2, 3, 4]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(IdxFormatError, match="cannot be read"):
        idx.read_idx(path)
    with pytest.raises(IdxFormatError, match="cannot be read"):
        idx.read_idx(tmp_path / "missing")


def test_a_failed_write_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "labels"
    idx.write_idx(path, np.arange(5, dtype=np.uint8))
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        idx.write_idx(path, np.zeros(9, np.uint8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
