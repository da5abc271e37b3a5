"""Short words for what stands at an edge: the condition of a choice, the errors of a catcher."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from retrain.states.errors import STATES_ALL
from retrain.states.model import And, ChoiceRule, Comparison, Condition, Json, Not, Or

OTHERWISE: Final = "otherwise"
ANY_ERROR: Final = "any error"

_SIGNS: Final = {
    "Equals": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "Matches": "matches",
}
_TYPES: Final = ("String", "Numeric", "Boolean", "Timestamp")
_IS: Final = {
    "IsNull": "null",
    "IsPresent": "present",
    "IsNumeric": "a number",
    "IsString": "a string",
    "IsBoolean": "true or false",
    "IsTimestamp": "a timestamp",
}
_LAST: Final = re.compile(
    r"(?:\.|^)(?P<plain>[^.\[\]'\"]+(?:\[[0-9*,: -]+\])*)$|\[(['\"])(?P<quoted>[^'\"]+)\2\]$"
)
_JSONATA: Final = re.compile(r"^\{%\s*(?P<code>.*?)\s*%\}$", re.DOTALL)


def rule_text(rule: ChoiceRule) -> str:
    """Return when a rule holds, in full."""
    if isinstance(rule.condition, bool):
        return "always" if rule.condition else "never"
    if isinstance(rule.condition, str):
        return _code(rule.condition)
    return _text(rule.condition, short=False)


def rule_label(rule: ChoiceRule) -> str:
    """Return when a rule holds, in few words: those of its author, where the rule has a comment."""
    if rule.comment:
        return " ".join(rule.comment.split())
    if isinstance(rule.condition, bool):
        return rule_text(rule)
    if isinstance(rule.condition, str):
        return _code(rule.condition).replace("$states.input.", "").replace("$states.context.", "")
    return _text(rule.condition, short=True)


def errors_text(errors: Sequence[str]) -> str:
    """Return the names of errors as a person would list them."""
    return ANY_ERROR if STATES_ALL in errors else ", ".join(errors)


def path_name(path: str) -> str:
    """Return what a path leads to, without the way: `$.decision.verdict` is `verdict`."""
    if path.rstrip("$") == "":
        return "context" if path == "$$" else "input"
    match = _LAST.search(path.removeprefix("$$").removeprefix("$"))
    return (match["plain"] or match["quoted"]) if match else path


def expression_text(value: object) -> str:
    """Return a field that may be an expression in JSONata, without the signs around it."""
    return _code(value) if isinstance(value, str) else str(value)


def _code(text: str) -> str:
    match = _JSONATA.match(text.strip())
    return " ".join((match["code"] if match else text).split())


def _text(condition: Condition, *, short: bool, inside: bool = False) -> str:
    if isinstance(condition, Comparison):
        return _comparison(condition, short=short)
    if isinstance(condition, Not):
        return _negation(condition.condition, short=short)
    if isinstance(condition, Or) and (alternatives := _alternatives(condition, short=short)):
        return alternatives
    word = " and " if isinstance(condition, And) else " or "
    text = word.join(_text(each, short=short, inside=True) for each in condition.conditions)
    return f"({text})" if inside and len(condition.conditions) > 1 else text


def _comparison(comparison: Comparison, *, short: bool) -> str:
    name = path_name(comparison.variable) if short else comparison.variable
    operator, value = comparison.operator, comparison.value
    if operator in _IS:
        return f"{name} is {'' if value else 'not '}{_IS[operator]}"
    if operator == "BooleanEquals" and isinstance(value, bool):
        return name if value else f"not {name}"
    return f"{name} {_sign(operator)} {_other_side(comparison, short=short)}"


def _negation(condition: Condition, *, short: bool) -> str:
    if isinstance(condition, Comparison):
        name = path_name(condition.variable) if short else condition.variable
        operator, value = condition.operator, condition.value
        if operator in _IS:
            return f"{name} is {'not ' if value else ''}{_IS[operator]}"
        if operator.endswith("Equals") and _sign(operator) == "=" and not isinstance(value, bool):
            return f"{name} ≠ {_other_side(condition, short=short)}"
    return f"not {_text(condition, short=short, inside=True)}"


def _alternatives(condition: Or, *, short: bool) -> str:
    """Return `status = Creating | Updating` for alternatives of one variable, or nothing for others."""
    parts = [each for each in condition.conditions if isinstance(each, Comparison)]
    same = {(each.variable, each.operator) for each in parts}
    if len(parts) < len(condition.conditions) or len(same) != 1 or _sign(parts[0].operator) != "=":
        return ""
    name = path_name(parts[0].variable) if short else parts[0].variable
    return f"{name} = {' | '.join(_other_side(each, short=short) for each in parts)}"


def _other_side(comparison: Comparison, *, short: bool) -> str:
    if comparison.is_path:
        path = str(comparison.value)
        return path_name(path) if short else path
    return _constant(comparison.value, quoted=not short)


def _constant(value: Json, *, quoted: bool) -> str:
    if isinstance(value, str) and not quoted and value.strip():
        return value
    return json.dumps(value, ensure_ascii=False)


def _sign(operator: str) -> str:
    for kind in _TYPES:
        if operator.startswith(kind):
            return _SIGNS.get(operator.removeprefix(kind), operator)
    return operator
