"""The IDX reader over generated files: what is written is read, and what is damaged is noticed."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from mnist_files import DatasetFormatError, read_idx
from tests.exploring import examples
from tests.unit.training.digits import idx_bytes

byte_arrays = st.sampled_from([1, 3]).flatmap(
    lambda dims: arrays(np.uint8, array_shapes(min_dims=dims, max_dims=dims, min_side=1, max_side=9))
)


def read(content: bytes, dimensions: int) -> NDArray[np.uint8]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        return read_idx(path, dimensions=dimensions, what="images")


@settings(max_examples=examples(60), deadline=None)
@given(array=byte_arrays, packed=st.booleans())
def test_round_trip(array: NDArray[np.uint8], packed: bool) -> None:
    content = idx_bytes(array)

    result = read(gzip.compress(content) if packed else content, array.ndim)

    assert result.dtype == np.uint8
    assert np.array_equal(result, array)


@settings(max_examples=examples(60), deadline=None)
@given(array=byte_arrays, packed=st.booleans(), data=st.data())
def test_every_truncation_is_noticed(array: NDArray[np.uint8], packed: bool, data: st.DataObject) -> None:
    content = gzip.compress(idx_bytes(array)) if packed else idx_bytes(array)
    length = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(DatasetFormatError):
        read(content[:length], array.ndim)


@settings(max_examples=examples(60), deadline=None)
@given(array=byte_arrays, extra=st.binary(min_size=1, max_size=20))
def test_every_extra_byte_is_noticed(array: NDArray[np.uint8], extra: bytes) -> None:
    with pytest.raises(DatasetFormatError, match="too long"):
        read(idx_bytes(array) + extra, array.ndim)


@settings(max_examples=examples(100), deadline=None)
@given(content=st.binary(max_size=200), dimensions=st.sampled_from([1, 3]))
def test_any_bytes_are_read_or_refused_in_words(content: bytes, dimensions: int) -> None:
    try:
        result = read(content, dimensions)
    except DatasetFormatError:
        return
    assert idx_bytes(result) == content
