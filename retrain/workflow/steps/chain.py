"""Chains: states one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

from retrain.workflow.errors import AuthoringError, DuplicateStateError, TransitionError

if TYPE_CHECKING:
    from retrain.workflow.steps.state import State

Target: TypeAlias = Union["State", "Chain"]
"""What a transition can lead to."""


class Chain:
    """States one after the other.

    Parameters
    ----------
    steps : list of State or Chain
        The states in order; the states of a chain take its place. After a Choice state the next one is its
        default.

    Examples
    --------
    >>> from retrain.workflow.steps import Pass
    >>> first = Pass("First")
    >>> Chain([first, Pass("Second")]).state_id, first.to_dict()["Next"]
    ('First', 'Second')
    """

    def __init__(self, steps: Sequence[Target] = ()) -> None:
        if not isinstance(steps, list | tuple):
            raise TypeError(f"A Chain takes a list of steps, not {type(steps).__name__}.")
        self.steps: list[State] = []
        for step in steps:
            self.append(step)

    def __iter__(self) -> Iterator[State]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def state_id(self) -> str:
        """The name of the first state."""
        return self.first.state_id

    @property
    def first(self) -> State:
        """The first state.

        Raises
        ------
        TransitionError
            There is none.
        """
        if not self.steps:
            raise TransitionError("The chain is empty: it has no state to begin with.")
        return self.steps[0]

    def append(self, step: Target) -> None:
        """Add a state, or the states of another chain, at the end.

        Raises
        ------
        DuplicateStateError
            The state is in the chain already.
        """
        if isinstance(step, Chain):
            for each in step:
                self._append(each)
        else:
            self._append(step)

    def _append(self, step: State) -> None:
        from retrain.workflow.steps.state import State

        if not isinstance(step, State):
            raise AuthoringError(f"A chain consists of states and chains, not of {type(step).__name__}.")
        if any(step is each for each in self.steps):
            raise DuplicateStateError(
                f"The state '{step.state_id}' is in the chain already: a state can be there only once. "
                "To come back to it, let a Choice state lead there."
            )
        same = next((each for each in self.steps if each.state_id == step.state_id), None)
        if same is not None:
            raise DuplicateStateError(
                f"The chain has two states named '{step.state_id}': give one of them another name."
            )
        if self.steps:
            last = self.steps[-1]
            if last.target is not step:
                last.next(step)
        self.steps.append(step)

    def __repr__(self) -> str:
        """Return how the chain is written."""
        return f"Chain(steps={self.steps!r})"


def first_of(target: Target) -> State:
    """Return the state that a transition to a state or a chain leads to."""
    return target.first if isinstance(target, Chain) else target
