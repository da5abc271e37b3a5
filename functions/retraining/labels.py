"""Labels and numbers as they stand in CSV files, brought to one form each."""

import math


def canonical(text: str) -> str | None:
    """Return one spelling for equal labels: ``7``, `` 7``, ``7.0`` and ``07`` are the same class.

    Returns
    -------
    str or None
        None for what is no label: nothing, NaN, infinity.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and (text[0] != "0" or text == "0"):
        return text
    try:
        number = float(text)
    except ValueError:
        return text or None
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() else repr(number)


def number(text: str) -> float | None:
    """Return a finite number, None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def readable(text: str, limit: int = 40) -> str:
    """Make a label from a file fit for a sentence: printable, on one line, not too long."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= limit else f"{clean[: limit - 3]}..."
