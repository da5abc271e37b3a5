"""What a state does about an error: Retry and Catch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retrain.states import model
from retrain.states.model.values import JSONPATH, QueryLanguage
from retrain.workflow.errors import MissingRequiredParameterError
from retrain.workflow.steps.block import Block

if TYPE_CHECKING:
    from retrain.workflow.steps.chain import Target


class Retry(Block):
    """When, how often and after how long a state is run again.

    Parameters
    ----------
    error_equals : list of str
        Names of the errors that it is for; `States.ALL` for all that can be caught.
    interval_seconds : int, optional
        Wait before the first retry; 1 if not given.
    max_attempts : int, optional
        Retries at most; 3 if not given.
    backoff_rate : float, optional
        Each wait is the one before it times this; 2.0 if not given.
    max_delay_seconds : int, optional
        No wait is longer.
    jitter_strategy : str, optional
        `FULL` draws each wait from between 0 and the computed one.
    comment : str, optional
        For the reader.
    """

    model = model.Retrier

    def __init__(self, error_equals: Sequence[str] | None = None, **fields: Any) -> None:
        super().__init__(error_equals=_names("Retry", error_equals), **fields)


class Catch(Block):
    """Where an execution goes on after an error that no retry has dealt with.

    Parameters
    ----------
    next_step : State or Chain
        Where it goes on.
    error_equals : list of str
        Names of the errors that it is for.
    result_path : str, optional
        Where the error goes in the state's input, such as `$.error`; without it the error replaces the input.
    output : optional
        JSONata: what goes to the next state.
    assign : dict, optional
        Variables to set.
    comment : str, optional
        For the reader.
    """

    model = model.Catcher
    made = frozenset({"next"})

    def __init__(
        self, next_step: Target | None = None, error_equals: Sequence[str] | None = None, **fields: Any
    ) -> None:
        super().__init__(error_equals=_names("Catch", error_equals), **fields)
        if next_step is None:
            raise MissingRequiredParameterError("Catch needs next_step: the state to go on with.")
        self.next_step = next_step

    def to_dict(self, query_language: QueryLanguage = JSONPATH) -> dict[str, Any]:
        """Return what a definition says of this."""
        return {**self._fields_to_dict(query_language), "Next": self.next_step.state_id}


def _names(what: str, error_equals: Sequence[str] | None) -> list[str]:
    if not error_equals or isinstance(error_equals, str):
        raise MissingRequiredParameterError(
            f"{what} needs error_equals: a list of the names of errors that it is for, "
            f'such as ["States.TaskFailed"]; not {error_equals!r}.'
        )
    return list(error_equals)
