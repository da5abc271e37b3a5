"""A drawing becomes what the model knows: 28 by 28, fitted into 20 by 20, its mass in the middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.console.errors import EmptyDrawingError
from retrain.console.pictures import DRAWN_SIDE, as_mnist, drawing

SIDES = st.integers(1, DRAWN_SIDE)


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    paper = np.zeros((DRAWN_SIDE, DRAWN_SIDE), np.uint8)
    paper[top : top + height, left : left + width] = 255
    return paper


@given(SIDES, SIDES, st.data())
def test_where_it_was_drawn_does_not_matter(height, width, data):
    places = st.tuples(st.integers(0, DRAWN_SIDE - height), st.integers(0, DRAWN_SIDE - width))
    one, other = (as_mnist(box(*data.draw(places), height, width)) for _ in range(2))
    assert np.array_equal(one, other)


@given(SIDES, SIDES)
def test_the_longer_side_has_twenty_pixels_and_the_middle_is_the_middle(height, width):
    image = as_mnist(box(0, 0, height, width))
    assert image.shape == (28, 28)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(len(rows), len(columns)) == 20
    assert abs(rows.mean() - 13.5) <= 0.5
    assert abs(columns.mean() - 13.5) <= 0.5


@given(st.binary(min_size=64, max_size=64).filter(any))
def test_any_ink_gives_an_image_with_ink(noise):
    paper = np.kron(np.frombuffer(noise, np.uint8).reshape(8, 8), np.ones((35, 35), np.uint8))
    assert as_mnist(paper).any()


def test_twice_the_size_is_the_same_digit():
    small, large = box(10, 10, 100, 20), box(10, 10, 200, 40)
    assert np.array_equal(as_mnist(small), as_mnist(large))


def test_nothing_drawn_is_said():
    with pytest.raises(EmptyDrawingError, match="Nothing is drawn"):
        drawing(bytes(DRAWN_SIDE**2))


@pytest.mark.parametrize("length", [0, 1, DRAWN_SIDE**2 - 1, DRAWN_SIDE**2 + 1])
def test_another_size_is_refused(length):
    with pytest.raises(EmptyDrawingError, match="280x280"):
        drawing(b"\xff" * length)
