"""What all states have in common, and those that do no more than their name says."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from retrain.states import model
from retrain.states.model.names import definition_names
from retrain.states.model.values import JSONPATH, QueryLanguage
from retrain.workflow.errors import AuthoringError, TransitionError
from retrain.workflow.inputs.placeholders import StepInput
from retrain.workflow.steps.block import Block
from retrain.workflow.steps.chain import Chain, Target
from retrain.workflow.steps.handlers import Catch, Retry

logger = logging.getLogger("retrain.workflow")

MAX_NAME_LENGTH: Final = 80
_NOT_KEYWORDS: Final = frozenset({"next", "end", "retry", "catch"})


class State(Block):
    """A state; use one of its subclasses.

    Parameters
    ----------
    state_id : str
        The state's name: 1 to 80 characters, unique in the state machine.
    output_schema : dict, optional
        What the state's output has, as in `ExecutionInput(schema=...)`; `output()` then knows only that.
    retry, catch : optional
        One `Retry` or `Catch`, or a list of them, for states that can have them.
    **fields
        The state's fields in the States Language, in Python's spelling; see the class in
        `retrain.states.model`.
    """

    model: ClassVar[type[model.State]]
    made = _NOT_KEYWORDS

    def __init__(
        self,
        state_id: str,
        *,
        output_schema: Mapping[str, Any] | None = None,
        retry: Retry | Iterable[Retry] | None = None,
        catch: Catch | Iterable[Catch] | None = None,
        **fields: Any,
    ) -> None:
        if not isinstance(state_id, str) or not 1 <= len(state_id) <= MAX_NAME_LENGTH:
            raise AuthoringError(
                f"A state's name is a string of 1 to {MAX_NAME_LENGTH} characters; {state_id!r} is none."
            )
        self.state_id = state_id
        self.next_step: Target | None = None
        self.retries: list[Retry] = []
        self.catches: list[Catch] = []
        self.output_schema = output_schema
        self.step_output = StepInput(schema=output_schema, owner=self)
        super().__init__(**fields)
        retries = [retry] if isinstance(retry, Retry) else list(retry or ())
        catches = [catch] if isinstance(catch, Catch) else list(catch or ())
        for each in retries:
            self.add_retry(each)
        for one in catches:
            self.add_catch(one)

    @property
    def type(self) -> str:
        """The state's type in the States Language."""
        return self.model.type

    @property
    def state_type(self) -> str:
        """The same, by its longer name."""
        return self.type

    @property
    def target(self) -> Target | None:
        """Where the state leads if nothing else decides: the next state, or a Choice state's default."""
        return self.next_step

    def _title(self) -> str:
        return f"The {self.type} state '{self.state_id}'"

    def language(self, around: QueryLanguage = JSONPATH) -> QueryLanguage:
        """Return the state's query language, in a machine of another."""
        own: QueryLanguage | None = self.fields.get("query_language")
        return own or around

    def next(self, next_step: Target) -> Target:
        """Let another state, or a chain, follow.

        Returns
        -------
        State or Chain
            What follows, so that calls can be chained: `first.next(second).next(third)`.

        Raises
        ------
        TransitionError
            The execution ends after this state.
        """
        self._check_target(next_step)
        if self.next_step is not None and self.next_step is not next_step:
            logger.warning(
                "The state '%s' led to '%s' and now leads to '%s'.",
                *(self.state_id, self.next_step.state_id, next_step.state_id),
            )
        self.next_step = next_step
        return next_step

    def _check_target(self, target: Target) -> None:
        if not isinstance(target, State | Chain):
            raise AuthoringError(
                f"{self._title()} can only lead to a state or a chain, not to {type(target).__name__}."
            )

    def output(self) -> StepInput:
        """Return placeholders for the state's output, which the next state's parameters can use."""
        return self.step_output

    def update_parameters(self, params: Mapping[str, Any]) -> None:
        """Give the state other parameters.

        Raises
        ------
        AuthoringError
            States of this type have none.
        """
        if "parameters" not in self.allowed_fields():
            raise AuthoringError(f"{self._title()} has no parameters.")
        self.fields["parameters"] = params

    def add_retry(self, retry: Retry) -> None:
        """Add what happens after an error: run the state again."""
        if "retry" not in definition_names(self.model):
            raise AuthoringError(f"{self._title()} cannot be run again: {self.type} states have no Retry.")
        if not isinstance(retry, Retry):
            raise AuthoringError(f"{self._title()}: a Retry was expected, not {type(retry).__name__}.")
        self.retries.append(retry)

    def add_catch(self, catch: Catch) -> None:
        """Add what happens after an error that no retry deals with: go on elsewhere."""
        if "catch" not in definition_names(self.model):
            raise AuthoringError(f"{self._title()} cannot fail: {self.type} states have no Catch.")
        if not isinstance(catch, Catch):
            raise AuthoringError(f"{self._title()}: a Catch was expected, not {type(catch).__name__}.")
        self.catches.append(catch)

    def usual_targets(self) -> list[Target]:
        """Return everything that the state can lead to if it does not fail."""
        return [] if self.next_step is None else [self.next_step]

    def targets(self) -> list[Target]:
        """Return everything that the state can lead to, the usual way first."""
        return self.usual_targets() + [each.next_step for each in self.catches]

    def inner(self) -> list[Any]:
        """Return the machines inside the state: graphs, chains and states."""
        return []

    def values(self) -> list[tuple[str, Any]]:
        """Return what may hold placeholders, with a word for where it is."""
        return list(self.fields.items())

    def check(self, language: QueryLanguage = JSONPATH) -> None:
        """Raise what only shows when the state is complete; a graph calls it for all of its states."""

    def to_dict(self, query_language: QueryLanguage = JSONPATH) -> dict[str, Any]:
        """Return what a definition says of the state."""
        own = self.language(query_language)
        document = {"Type": self.type, **self._fields_to_dict(own), **self._own_to_dict(own, query_language)}
        if self.retries:
            document["Retry"] = [each.to_dict(own) for each in self.retries]
        if self.catches:
            document["Catch"] = [each.to_dict(own) for each in self.catches]
        return {**document, **self._transition_to_dict()}

    def _own_to_dict(self, own: QueryLanguage, around: QueryLanguage) -> dict[str, Any]:
        """Return the fields that are no keywords; machines inside have the language around, not the own."""
        del own, around
        return {}

    def _transition_to_dict(self) -> dict[str, Any]:
        if self.next_step is None:
            return {"End": True}
        return {"Next": self.next_step.state_id}

    def __repr__(self) -> str:
        """Return how the state is written."""
        fields = "".join(f", {name}={value!r}" for name, value in self.fields.items())
        return f"{type(self).__name__}({self.state_id!r}{fields})"


class Pass(State):
    """Passes its input on, or a `result`, or `parameters` filled in."""

    model = model.Pass


class Wait(State):
    """Waits; takes exactly one of `seconds`, `seconds_path`, `timestamp`, `timestamp_path`."""

    model = model.Wait

    def __init__(self, state_id: str, **fields: Any) -> None:
        super().__init__(state_id, **fields)
        names = ("seconds", "seconds_path", "timestamp", "timestamp_path")
        given = [name for name in names if self.fields.get(name) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise AuthoringError(f"{self._title()} takes exactly one of {', '.join(names)}; it has {said}.")


class _Final(State):
    def next(self, next_step: Target) -> Target:
        """Refuse: the execution ends here."""
        raise TransitionError(
            f"{self._title()} ends the execution: nothing can follow it, and '{next_step.state_id}' neither."
        )

    def _transition_to_dict(self) -> dict[str, Any]:
        return {}


class Succeed(_Final):
    """Ends the execution, or the branch, well."""

    model = model.Succeed


class Fail(_Final):
    """Ends the execution with an `error` and a `cause`."""

    model = model.Fail
