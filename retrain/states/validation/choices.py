"""Checks of a Choice state's rules."""

from __future__ import annotations

from typing import Any, Final

from retrain.states.model.values import JSONATA, JSONPATH
from retrain.states.validation import fields, variables
from retrain.states.validation.report import Place, did_you_mean
from retrain.states.validation.shapes import Field, Shape

_ORDERED: Final = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_TYPED: Final = {
    "String": fields.string,
    "Numeric": fields.constant_number(),
    "Timestamp": fields.constant_timestamp,
}

COMPARISONS: Final = {
    **{f"{kind}{order}": check for kind, check in _TYPED.items() for order in _ORDERED},
    **{f"{kind}{order}Path": fields.reference_path for kind in _TYPED for order in _ORDERED},
    "BooleanEquals": fields.boolean,
    "BooleanEqualsPath": fields.reference_path,
    "StringMatches": fields.string,
    **{
        f"Is{what}": fields.boolean
        for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")
    },
}
"""Every operator, and what its other side has to be."""

_DECIDERS: Final = ("And", "Or", "Not", "Variable", "Condition")
_OWN: Final = {
    "Next": Field(fields.string),
    "Assign": Field(variables.assign),
    "Output": Field(fields.payload, JSONATA),
    "Comment": Field(fields.string),
}
_JSONATA_RULE: Final = {"Condition": Field(fields.condition, JSONATA), **_OWN}


def rule(value: Any, place: Place, at: str) -> None:
    """Check a rule of the Choices field."""
    if place.language == JSONATA:
        _jsonata_rule(value, place, at)
    else:
        _jsonpath_rule(value, place, at, top=True)


def _jsonata_rule(value: Any, place: Place, at: str) -> None:
    if not isinstance(value, dict):
        place.report.schema("Expected value of type [OBJECT]", at)
        return
    strangers = [name for name in value if name in COMPARISONS or name in _DECIDERS[:-1]]
    for name in strangers:
        place.report.schema(
            f"The QueryLanguage is set to 'JSONata', but field '{name}' is only supported for the 'JSONPath'"
            " QueryLanguage; write a Condition",
            at,
        )
    rest = {name: item for name, item in value.items() if name not in strangers}
    required = ("Next",) if strangers else ("Condition", "Next")
    Shape(_JSONATA_RULE, required).check(rest, place, at)


def _jsonpath_rule(value: Any, place: Place, at: str, *, top: bool) -> None:
    if not isinstance(value, dict):
        place.report.schema("Expected value of type [OBJECT]", at)
        return
    deciders = [name for name in _DECIDERS if name in value]
    if "Condition" in deciders:
        place.report.schema(
            "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the"
            " 'JSONata' QueryLanguage; write a Variable and a comparison",
            at,
        )
        _check_rest(value, {"Condition"}, place, at, top=top)
        return
    operators = {name for name in value if name in COMPARISONS}
    if len(deciders) != 1:
        remedy = "; a comparison needs a Variable" if operators and not deciders else ""
        place.report.schema(
            f"The object must have only one of the following fields, [{', '.join(_DECIDERS[:-1])}]{remedy}",
            at,
        )
    if "Variable" in value:
        _comparison(value, place, at)
    for name in ("And", "Or"):
        if name in value:
            _nested_array(value[name], place, f"{at}/{name}")
    if "Not" in value:
        _jsonpath_rule(value["Not"], place, f"{at}/Not", top=False)
    known = operators if "Variable" in value or not deciders else set()
    _check_rest(value, {*_DECIDERS, *known}, place, at, top=top)


def _nested_array(value: Any, place: Place, at: str) -> None:
    fields.array_of(lambda item, where, location: _jsonpath_rule(item, where, location, top=False))(
        value, place, at
    )


def _comparison(value: dict[str, Any], place: Place, at: str) -> None:
    fields.reference_path(value["Variable"], place, f"{at}/Variable")
    operators = [name for name in value if name in COMPARISONS]
    if len(operators) > 1:
        place.report.schema(f"There should only be one of the following fields: [{', '.join(operators)}]", at)
    elif not operators:
        strangers = [name for name in value if name not in _OWN and name not in _DECIDERS]
        near = did_you_mean(strangers[0], COMPARISONS) if strangers else "; add one, such as StringEquals"
        place.report.schema(f"This object should have a comparison operator{near}", at)
    for name in operators:
        COMPARISONS[name](value[name], place, f"{at}/{name}")


def _check_rest(value: dict[str, Any], checked: set[str], place: Place, at: str, *, top: bool) -> None:
    own = _OWN if top else {"Comment": _OWN["Comment"]}
    rest = {name: item for name, item in value.items() if name not in checked}
    if not any(name in COMPARISONS for name in value) and "Variable" in value:
        # The missing operator is reported, with the name that it is probably meant to have.
        rest = {name: item for name, item in rest.items() if name in own or name in _OWN}
    Shape(own, ("Next",) if top else ()).check(rest, place, at)


FIELDS: Final = {
    "Choices": Field(fields.array_of(rule)),
    "Default": Field(fields.string),
    "InputPath": Field(fields.path, JSONPATH),
    "OutputPath": Field(fields.path, JSONPATH),
    "Output": Field(fields.payload, JSONATA),
    "Assign": Field(variables.assign),
}
"""The fields of a Choice state that are not every state's."""
