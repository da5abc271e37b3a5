"""Rules of Choice states in JSONPath."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from retrain.workflow.errors import AuthoringError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.inputs.expressions import Intrinsic
from retrain.workflow.inputs.placeholders import Placeholder

Variable: TypeAlias = str | Placeholder

_CONSTANTS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "String": ((str,), "a string"),
    "Numeric": ((int, float), "a number"),
    "Boolean": ((bool,), "True or False"),
    "Timestamp": ((str,), "a timestamp such as '2026-08-01T12:00:00Z'"),
    "Is": ((bool,), "True or False"),
}


class BaseRule(ABC):
    """A rule; `ChoiceRule` makes them."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what a definition says of the rule."""

    @abstractmethod
    def operands(self) -> list[Any]:
        """Return everything that the rule compares."""

    def __str__(self) -> str:
        """Return what a definition says of the rule."""
        return str(self.to_dict())


class Rule(BaseRule):
    """A comparison.

    Parameters
    ----------
    variable : str or placeholder
        The path of what is compared, beginning with `$`.
    operator : str
        Such as `StringEquals`.
    value
        The other side: a constant; or a path, or a placeholder, if the operator ends in `Path`. A placeholder
        with another operator means the operator that ends in `Path`.
    """

    def __init__(self, variable: Variable, operator: str, value: Any) -> None:
        self.variable = variable
        _check_path(variable, f"{operator}: the variable")
        if isinstance(value, Dynamic) and not operator.endswith("Path"):
            if f"{operator}Path" not in vars(ChoiceRule):
                raise AuthoringError(f"{operator} compares with a constant only, not with {value!r}.")
            operator = f"{operator}Path"
        if operator.endswith("Path"):
            _check_path(value, f"{operator}: the value")
        else:
            _check_constant(operator, value)
        self.operator = operator
        self.value = value

    def to_dict(self) -> dict[str, Any]:
        """Return what a definition says of the rule."""
        return {"Variable": _path(self.variable), self.operator: _path(self.value)}

    def operands(self) -> list[Any]:
        """Return the two sides."""
        return [self.variable, self.value]

    def __repr__(self) -> str:
        """Return how the rule is written."""
        return f"ChoiceRule.{self.operator}(variable={self.variable!r}, value={self.value!r})"


class CompoundRule(BaseRule):
    """Several rules together: all of them (`And`), or any (`Or`)."""

    def __init__(self, operator: str, rules: Sequence[BaseRule]) -> None:
        if not isinstance(rules, list | tuple) or not rules:
            raise AuthoringError(f"ChoiceRule.{operator} takes a list of at least one rule, not {rules!r}.")
        for rule in rules:
            _check_rule(operator, rule)
        self.operator = operator
        self.rules = list(rules)

    def to_dict(self) -> dict[str, Any]:
        """Return what a definition says of the rule."""
        return {self.operator: [rule.to_dict() for rule in self.rules]}

    def operands(self) -> list[Any]:
        """Return everything that the rules compare."""
        return [operand for rule in self.rules for operand in rule.operands()]

    def __repr__(self) -> str:
        """Return how the rule is written."""
        return f"ChoiceRule.{self.operator}({self.rules!r})"


class NotRule(BaseRule):
    """The contrary of a rule."""

    def __init__(self, rule: BaseRule) -> None:
        _check_rule("Not", rule)
        self.rule = rule

    def to_dict(self) -> dict[str, Any]:
        """Return what a definition says of the rule."""
        return {"Not": self.rule.to_dict()}

    def operands(self) -> list[Any]:
        """Return everything that the rule compares."""
        return self.rule.operands()

    def __repr__(self) -> str:
        """Return how the rule is written."""
        return f"ChoiceRule.Not({self.rule!r})"


def _comparison(operator: str) -> Callable[[Variable, Any], Rule]:
    def make(variable: Variable, value: Any) -> Rule:
        return Rule(variable, operator, value)

    make.__name__ = operator
    make.__doc__ = f"Return a rule with the operator {operator}."
    return staticmethod(make)


class ChoiceRule:
    """Makes the rules of Choice states: `ChoiceRule.StringEquals("$.verdict", "promote")`.

    Each takes the path of what is compared, and the other side: a constant, or a path for the operators that
    end in `Path`. `And`, `Or` and `Not` join rules.
    """

    StringEquals = _comparison("StringEquals")
    StringEqualsPath = _comparison("StringEqualsPath")
    StringLessThan = _comparison("StringLessThan")
    StringLessThanPath = _comparison("StringLessThanPath")
    StringGreaterThan = _comparison("StringGreaterThan")
    StringGreaterThanPath = _comparison("StringGreaterThanPath")
    StringLessThanEquals = _comparison("StringLessThanEquals")
    StringLessThanEqualsPath = _comparison("StringLessThanEqualsPath")
    StringGreaterThanEquals = _comparison("StringGreaterThanEquals")
    StringGreaterThanEqualsPath = _comparison("StringGreaterThanEqualsPath")
    StringMatches = _comparison("StringMatches")
    NumericEquals = _comparison("NumericEquals")
    NumericEqualsPath = _comparison("NumericEqualsPath")
    NumericLessThan = _comparison("NumericLessThan")
    NumericLessThanPath = _comparison("NumericLessThanPath")
    NumericGreaterThan = _comparison("NumericGreaterThan")
    NumericGreaterThanPath = _comparison("NumericGreaterThanPath")
    NumericLessThanEquals = _comparison("NumericLessThanEquals")
    NumericLessThanEqualsPath = _comparison("NumericLessThanEqualsPath")
    NumericGreaterThanEquals = _comparison("NumericGreaterThanEquals")
    NumericGreaterThanEqualsPath = _comparison("NumericGreaterThanEqualsPath")
    BooleanEquals = _comparison("BooleanEquals")
    BooleanEqualsPath = _comparison("BooleanEqualsPath")
    TimestampEquals = _comparison("TimestampEquals")
    TimestampEqualsPath = _comparison("TimestampEqualsPath")
    TimestampLessThan = _comparison("TimestampLessThan")
    TimestampLessThanPath = _comparison("TimestampLessThanPath")
    TimestampGreaterThan = _comparison("TimestampGreaterThan")
    TimestampGreaterThanPath = _comparison("TimestampGreaterThanPath")
    TimestampLessThanEquals = _comparison("TimestampLessThanEquals")
    TimestampLessThanEqualsPath = _comparison("TimestampLessThanEqualsPath")
    TimestampGreaterThanEquals = _comparison("TimestampGreaterThanEquals")
    TimestampGreaterThanEqualsPath = _comparison("TimestampGreaterThanEqualsPath")
    IsNull = _comparison("IsNull")
    IsPresent = _comparison("IsPresent")
    IsString = _comparison("IsString")
    IsNumeric = _comparison("IsNumeric")
    IsBoolean = _comparison("IsBoolean")
    IsTimestamp = _comparison("IsTimestamp")

    @staticmethod
    def And(rules: Sequence[BaseRule]) -> CompoundRule:  # noqa: N802 (the operator's name)
        """Return a rule that holds if all of its rules do."""
        return CompoundRule("And", rules)

    @staticmethod
    def Or(rules: Sequence[BaseRule]) -> CompoundRule:  # noqa: N802
        """Return a rule that holds if one of its rules does."""
        return CompoundRule("Or", rules)

    @staticmethod
    def Not(rule: BaseRule) -> NotRule:  # noqa: N802
        """Return a rule that holds if its rule does not."""
        return NotRule(rule)


def _check_rule(operator: str, rule: Any) -> None:
    if not isinstance(rule, BaseRule):
        raise AuthoringError(f"ChoiceRule.{operator} joins rules made by ChoiceRule; {rule!r} is none.")


def _check_path(value: Any, what: str) -> None:
    if isinstance(value, Intrinsic):
        raise AuthoringError(f"{what} must be a path; {value!r} is a call, which a Choice state cannot make.")
    if not isinstance(value, Dynamic) and not (isinstance(value, str) and value.startswith("$")):
        raise AuthoringError(
            f"{what} must be a placeholder, or a path that begins with '$', such as '$.accuracy'; "
            f"not {value!r}."
        )


def _check_constant(operator: str, value: Any) -> None:
    for prefix, (types, said) in _CONSTANTS.items():
        if operator.startswith(prefix):
            wrong = isinstance(value, bool) != (bool in types) or not isinstance(value, types)
            if wrong:
                raise AuthoringError(f"{operator} compares with {said}, not with {value!r}.")
            return


def _path(value: Any) -> Any:
    return value.to_jsonpath() if isinstance(value, Dynamic) else value
