"""Choice rules: a variable that is not there fails the execution, values of another type do not match."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.repairs.paths import locate, runtime_error

seams.expect(seams.STATES, "_evaluate_rule", "rule data ctx")

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_COMPARATOR = re.compile(f"(String|Numeric|Boolean|Timestamp)({'|'.join(_COMPARISONS)})(Path)?")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _timestamp(value: Any) -> datetime | None:
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


_TYPE_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _timestamp(value) is not None,
}
_OF_TYPE = {"String": "IsString", "Numeric": "IsNumeric", "Boolean": "IsBoolean", "Timestamp": "IsTimestamp"}


def _matches(pattern: str, value: Any) -> bool:
    """StringMatches: a star stands for any characters, an escaped star for itself."""
    parts = re.split(r"(\\\\|\\\*|\*)", pattern)
    expression = "".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _value(path: str, data: Any, ctx: dict[str, Any] | None) -> Any:
    there, value = locate(path, data, ctx)
    if not there:
        raise runtime_error(
            f"Invalid path '{path}': The choice state's condition path references an invalid value."
        )
    return value


def evaluate(rule: dict[str, Any], data: Any, ctx: dict[str, Any] | None = None) -> bool:
    """Whether a choice rule holds.

    Parameters
    ----------
    rule
        With And, Or, Not, or with Variable and one comparison.
    data
        The state's effective input.
    ctx
        The execution's context.

    Raises
    ------
    StatesTaskError
        States.Runtime: a path of the rule leads nowhere, or the comparison is unknown.
    """
    if "And" in rule:
        return all(evaluate(part, data, ctx) for part in rule["And"])
    if "Or" in rule:
        return any(evaluate(part, data, ctx) for part in rule["Or"])
    if "Not" in rule:
        return not evaluate(rule["Not"], data, ctx)
    if "IsPresent" in rule:
        return bool(locate(rule["Variable"], data, ctx)[0] == rule["IsPresent"])
    value = _value(rule["Variable"], data, ctx)
    for name, expected in rule.items():
        if name in _TYPE_TESTS:
            return bool(_TYPE_TESTS[name](value) == expected)
        if name == "StringMatches":
            return _matches(expected, value)
        comparator = _COMPARATOR.fullmatch(name)
        if comparator is None:
            continue
        kind, comparison, is_path = comparator.groups()
        other = _value(expected, data, ctx) if is_path else expected
        fits = _TYPE_TESTS[_OF_TYPE[kind]]
        if not fits(value) or not fits(other):
            return False
        if kind == "Timestamp":
            value, other = _timestamp(value), _timestamp(other)
        return _COMPARISONS[comparison](value, other)
    raise runtime_error(f"The choice rule {sorted(rule)} has no comparison that is known.")


def install() -> None:
    """Evaluate choice rules strictly."""
    seams.replace(seams.STATES, "_evaluate_rule", evaluate)
