"""How wide text is, without a font at hand, and where to break it.

Widths are those of Helvetica, widened to the widest of the fonts that the style sheet may end up with; a
drawing is the same on every machine, whatever fonts that has.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WIDEN: Final = 1.13
_BOLD: Final = 1.16
_ELLIPSIS: Final = "…"

# Advance widths in thousandths of the size.
_WIDTHS: Final = {
    222: "ijl'",
    278: " !,./:;I[]ft|\\",
    333: '()-`r"',
    389: "*",
    500: "cksvxyzJ",
    556: "abdeghnopqu0123456789?_$#L",
    584: "+<>=~",
    611: "FTZ^",
    667: "ABEKPSVXY&",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_BY_CHARACTER: Final = {character: width for width, characters in _WIDTHS.items() for character in characters}
_USUAL: Final = 600
_WIDE: Final = 1000

_SPACES: Final = re.compile(r"(?<= )")
_HUMPS: Final = re.compile(r"(?<=[_\-/.:])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line of text in pixels, rather too wide than too narrow."""
    thousandths = sum(map(_advance, text))
    return thousandths * size / 1000 * _WIDEN * (_BOLD if bold else 1)


def columns(text: str) -> int:
    """Return how many columns of a terminal a line of text takes."""
    return sum(_columns(character) for character in text)


def fit(text: str, most: float, size: float, *, bold: bool = False) -> str:
    """Return a line of text, cut off with an ellipsis where it would be wider than `most` pixels."""
    if width(text, size, bold=bold) <= most:
        return text
    kept = text
    while kept and width(kept.rstrip() + _ELLIPSIS, size, bold=bold) > most:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def fit_columns(text: str, most: int, ellipsis: str = _ELLIPSIS) -> str:
    """Return a line of text, cut off where it would take more than `most` columns."""
    if columns(text) <= most:
        return text
    kept = text
    while kept and columns(kept.rstrip() + ellipsis) > most:
        kept = kept[:-1]
    return kept.rstrip() + ellipsis


def wrap(text: str, most: float, size: float, *, lines: int, bold: bool = False) -> tuple[str, ...]:
    """Break text into lines of at most `most` pixels; between words, or where a hump begins in CamelCase.

    What would come after the last of `lines` lines is cut off with an ellipsis.
    """
    made: list[str] = [""]
    for word in _SPACES.split(" ".join(text.split())):
        # A word is only broken where it would not fit into a line of its own.
        for part in _HUMPS.split(word) if width(word.rstrip(), size, bold=bold) > most else [word]:
            if made[-1] and width((made[-1] + part).rstrip(), size, bold=bold) > most:
                made.append("")
            made[-1] += part
    if len(made) > lines:
        made = [*made[: lines - 1], "".join(made[lines - 1 :])]
    return tuple(fit(line.strip(), most, size, bold=bold) for line in made)


def balanced(text: str, most: float, size: float, *, lines: int) -> tuple[str, ...]:
    """Break text as `wrap` does, into lines that are about as long as each other."""
    made = wrap(text, most, size, lines=lines)
    if len(made) == 1 or any(line.endswith(_ELLIPSIS) for line in made):
        return made
    low, high = most / len(made), most
    while high - low > 1:
        middle = (low + high) / 2
        tried = wrap(text, middle, size, lines=lines)
        if len(tried) == len(made) and not any(line.endswith(_ELLIPSIS) for line in tried):
            made, high = tried, middle
        else:
            low = middle
    return made


def _advance(character: str) -> int:
    if (known := _BY_CHARACTER.get(character)) is not None:
        return known
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn"):
        return 0
    return _WIDE if _columns(character) == 2 else _USUAL


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
