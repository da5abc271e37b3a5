"""JSONata's `$string`: values as text, as JavaScript and AWS write them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from jsonata.utils import Utils


def string(value: Any, *, pretty: bool = False) -> str:
    """Return a value as text; a text is itself, a function is empty.

    https://docs.jsonata.org/string-functions#string; 15 significant digits of a fraction, whole numbers in
    full below 1e21, measured in AWS.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, (bool, int, float, dict, list)) and value not in (None, Utils.NULL_VALUE):
        return ""
    return "".join(_written(value, "\n" if pretty else ""))


def number(value: float) -> str:
    """Return a number as JavaScript writes it, rounded to 15 significant digits if it has a fraction."""
    if isinstance(value, int) and abs(value) < 2**63:
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    rounded = value if value.is_integer() else float(f"{value:.15g}")
    if rounded == 0:
        return "0"
    if 1e-6 <= abs(rounded) < 1e21:
        text = format(Decimal(repr(rounded)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{Decimal(repr(rounded)).normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def _written(value: Any, indent: str) -> list[str]:
    if value is None or value is Utils.NULL_VALUE:
        return ["null"]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (int, float)):
        return [number(value)]
    if isinstance(value, str):
        return [json.dumps(value, ensure_ascii=False)]
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        parts = [
            "".join([json.dumps(key, ensure_ascii=False), colon, *_written(each, indent and indent + "  ")])
            for key, each in value.items()
        ]
        return _enclosed("{", parts, "}", indent)
    if isinstance(value, list):
        return _enclosed(
            "[", ["".join(_written(each, indent and indent + "  ")) for each in value], "]", indent
        )
    return ['""']  # a function


def _enclosed(opening: str, parts: list[str], closing: str, indent: str) -> list[str]:
    if not parts or not indent:
        return [opening, ",".join(parts), closing]
    within = indent + "  "
    return [opening, within, f",{within}".join(parts), indent, closing]
