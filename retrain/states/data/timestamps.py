"""Timestamps as the States Language wants them: RFC 3339 with a capital T and a capital Z or an offset."""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Final

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-8]):[0-5]\d)", re.ASCII
)


@lru_cache(maxsize=1024)
def parse(text: str) -> Fraction | None:
    """Return a timestamp as exact seconds since the epoch, or None if the text is no such timestamp.

    Notes ----- https://states-language.net/spec.html#timestamps: an uppercase T between date and time, an
    uppercase Z where there is no numeric offset. A date alone, a time without a zone, or lowercase letters
    are no timestamps.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    moment, fraction, zone = match.groups()
    try:
        whole = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else zone)).timestamp()
    except (ValueError, OverflowError):
        return None  # the 30th of February, hour 25
    return Fraction(int(whole)) + (Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0)
