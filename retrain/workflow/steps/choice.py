"""Choice states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrain.states import model
from retrain.states.model.values import ABSENT, JSONATA, JSONPATH, QueryLanguage
from retrain.workflow import rendering
from retrain.workflow.errors import AuthoringError, MissingRequiredParameterError
from retrain.workflow.steps.chain import Target
from retrain.workflow.steps.choice_rule import BaseRule
from retrain.workflow.steps.state import State, logger


@dataclass(frozen=True, slots=True)
class Option:
    """One way out of a Choice state; see `Choice.add_choice`."""

    rule: BaseRule | str
    next_step: Target
    assign: Mapping[str, Any] | None = None
    output: Any = ABSENT
    comment: str | None = None


class Choice(State):
    """Goes on by the first rule that holds, else by the default.

    Examples
    --------
    >>> from retrain.workflow.steps import ChoiceRule, Succeed
    >>> choice = Choice("Good enough?")
    >>> choice.add_choice(ChoiceRule.NumericGreaterThan("$.accuracy", 0.95), Succeed("Yes"))
    >>> choice.default_choice(Succeed("No"))
    """

    model = model.Choice
    made = State.made | {"choices", "default"}

    def __init__(self, state_id: str, **fields: Any) -> None:
        super().__init__(state_id, **fields)
        self.choices: list[Option] = []
        self.default: Target | None = None

    @property
    def target(self) -> Target | None:
        """The default."""
        return self.default

    def add_choice(
        self,
        rule: BaseRule | str,
        next_step: Target,
        *,
        assign: Mapping[str, Any] | None = None,
        output: Any = ABSENT,
        comment: str | None = None,
    ) -> None:
        """Add a rule, and where to go if it holds.

        Parameters
        ----------
        rule : rule or str
            Made by `ChoiceRule`; or, in JSONata, a condition such as `"{% $states.input.accuracy > 0.95 %}"`.
        next_step : State or Chain
            Where to go.
        assign, output, comment : optional
            Variables to set; in JSONata, what replaces the output; a word for the reader.
        """
        self._check_target(next_step)
        if not isinstance(rule, BaseRule | str):
            raise AuthoringError(
                f"{self._title()}: a rule is made by ChoiceRule, as in ChoiceRule.StringEquals('$.a', 'b'); "
                f"{rule!r} is none."
            )
        self.choices.append(Option(rule, next_step, assign, output, comment))

    def default_choice(self, next_step: Target) -> None:
        """Say where to go if no rule holds."""
        self._check_target(next_step)
        self.default = next_step

    def next(self, next_step: Target) -> Target:
        """Say where to go if no rule holds, so that a Choice state can stand in a chain."""
        if self.default is not None and self.default is not next_step:
            logger.warning(
                "The default of the Choice state '%s' was '%s' and now is '%s'.",
                *(self.state_id, self.default.state_id, next_step.state_id),
            )
        self.default_choice(next_step)
        return next_step

    def usual_targets(self) -> list[Target]:
        """Return everything that the state can lead to."""
        usual = [] if self.default is None else [self.default]
        return [each.next_step for each in self.choices] + usual

    def values(self) -> list[tuple[str, Any]]:
        """Return what may hold placeholders: the fields, and the rules."""
        rules = [("a rule", each.rule.operands()) for each in self.choices if isinstance(each.rule, BaseRule)]
        return super().values() + rules

    def check(self, language: QueryLanguage = JSONPATH) -> None:
        """Raise if the state has no rule, or rules of the other query language."""
        if not self.choices:
            raise MissingRequiredParameterError(
                f"{self._title()} has no rule: add one with add_choice, or use a Pass state."
            )
        own = self.language(language)
        for option in self.choices:
            if (own == JSONATA) != isinstance(option.rule, str):
                wanted = "a condition in '{% ... %}'" if own == JSONATA else "a rule made by ChoiceRule"
                raise AuthoringError(f"{self._title()} is in {own}: {option.rule} must be {wanted}.")

    def _own_to_dict(self, own: QueryLanguage, around: QueryLanguage) -> dict[str, Any]:
        del around
        document: dict[str, Any] = {"Choices": [self._option(each, own) for each in self.choices]}
        if self.default is not None:
            document["Default"] = self.default.state_id
        return document

    def _option(self, option: Option, language: QueryLanguage) -> dict[str, Any]:
        rule = option.rule
        document = {"Condition": rule} if isinstance(rule, str) else dict(rule.to_dict())
        where = f"{self._title()}: the rule for '{option.next_step.state_id}'"
        if option.assign is not None:
            document["Assign"] = rendering.template(option.assign, language, where)
        if option.output is not ABSENT:
            document["Output"] = rendering.template(option.output, language, where)
        if option.comment is not None:
            document["Comment"] = option.comment
        return {**document, "Next": option.next_step.state_id}

    def _transition_to_dict(self) -> dict[str, Any]:
        return {}
