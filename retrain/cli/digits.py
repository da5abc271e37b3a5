"""Handwritten digits as characters.

A character cell is about twice as high as wide, so one half-block character shows two pixels, one above the
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.text import Text

CROPPED = slice(4, 24)  # MNIST centres each digit in 28x28 and fits it into the inner 20x20
WIDTH = 20
_INK = 96  # of 255: from here on a pixel is drawn where there are only two shades
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_ASCII = {(False, False): " ", (True, False): '"', (False, True): ".", (True, True): "#"}


def plain_lines(pixels: NDArray[np.uint8], *, unicode: bool = True) -> list[str]:
    """Draw a digit in two shades.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (28, 28)
        Ink is 255.
    unicode : bool
        Half-block characters, or ASCII that resembles them.

    Returns
    -------
    list of str
        Ten lines of twenty characters.
    """
    inked = pixels[CROPPED, CROPPED] >= _INK
    symbols = _HALVES if unicode else _ASCII
    return [
        "".join(symbols[bool(top), bool(bottom)] for top, bottom in zip(upper, lower, strict=True))
        for upper, lower in zip(inked[0::2], inked[1::2], strict=True)
    ]


def shaded_lines(pixels: NDArray[np.uint8]) -> list[Text]:
    """Draw a digit in its grey shades, for terminals that know colours; the same size as `plain_lines`."""
    from rich.text import Text

    lines = []
    cropped = pixels[CROPPED, CROPPED].tolist()
    for upper, lower in zip(cropped[0::2], cropped[1::2], strict=True):
        line = Text()
        for top, bottom in zip(upper, lower, strict=True):
            line.append("▀", style=f"#{top:02x}{top:02x}{top:02x} on #{bottom:02x}{bottom:02x}{bottom:02x}")
        lines.append(line)
    return lines


def side_by_side(blocks: Sequence[Sequence[Text | str]], width: int) -> list[Text]:
    """Lay blocks of lines out in rows.

    Parameters
    ----------
    blocks : sequence of sequences of lines
        All of the same number of lines; each line at most 20 characters wide, or it is cut.
    width : int
        Characters per row of blocks.

    Returns
    -------
    list of Text
        The lines, with an empty one after each row of blocks.
    """
    from rich.text import Text

    gap = "  "
    per_row = max(1, (width + len(gap)) // (WIDTH + len(gap)))
    lines = []
    for start in range(0, len(blocks), per_row):
        row = blocks[start : start + per_row]
        for parts in zip(*row, strict=True):
            line = Text()
            for part in parts:
                cell = part.copy() if isinstance(part, Text) else Text(part)
                cell.truncate(WIDTH, pad=True)
                line.append_text(cell)
                line.append(gap)
            line.rstrip()
            lines.append(line)
        lines.append(Text())
    return lines
