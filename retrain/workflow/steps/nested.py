"""States that have machines inside: Parallel and Map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrain.states import model
from retrain.states.model.values import JSONPATH, QueryLanguage
from retrain.workflow.errors import AuthoringError, MissingRequiredParameterError
from retrain.workflow.steps.chain import Target
from retrain.workflow.steps.state import State

if TYPE_CHECKING:
    from retrain.workflow.steps.graph import Graph


class Parallel(State):
    """Runs its branches side by side, each with the same input; the result is the list of their outputs."""

    model = model.Parallel
    made = State.made | {"branches"}

    def __init__(self, state_id: str, **fields: Any) -> None:
        super().__init__(state_id, **fields)
        self.branches: list[Target | Graph] = []

    def add_branch(self, branch: Target | Graph) -> None:
        """Add a state, a chain or a graph as a branch."""
        _check_machine(self, branch)
        self.branches.append(branch)

    def inner(self) -> list[Any]:
        """Return the branches."""
        return list(self.branches)

    def check(self, language: QueryLanguage = JSONPATH) -> None:
        """Raise if there is no branch."""
        del language
        if not self.branches:
            raise MissingRequiredParameterError(f"{self._title()} has no branch: add one with add_branch.")

    def _own_to_dict(self, own: QueryLanguage, around: QueryLanguage) -> dict[str, Any]:
        del own
        return {"Branches": [_machine(each).machine_to_dict(around) for each in self.branches]}


class Map(State):
    """Runs a state, a chain or a graph for each item of a list.

    Parameters
    ----------
    state_id : str
        The state's name.
    iterator : State, Chain or Graph
        What is run for each item; the States Language calls it `ItemProcessor`, and so can you.
    mode : str, optional
        `DISTRIBUTED` makes each iteration an execution of its own; `INLINE` does not.
    execution_type : str, optional
        The kind of these executions: `STANDARD`, or `EXPRESS`.
    parameters : dict, optional
        What an iteration gets in place of the item; the States Language calls it `ItemSelector`, and so can
        you (`item_selector`).
    **fields
        `items_path`, `max_concurrency`, `item_reader`, `item_batcher`, `result_writer`,
        `tolerated_failure_count` and so on.
    """

    model = model.Map
    made = State.made | {"item_processor"}

    def __init__(
        self,
        state_id: str,
        *,
        iterator: Target | Graph | None = None,
        item_processor: Target | Graph | None = None,
        mode: str | None = None,
        execution_type: str | None = None,
        **fields: Any,
    ) -> None:
        self.iterator: Target | Graph | None = None
        self.mode = mode
        self.execution_type = execution_type
        if "parameters" in fields:
            if "item_selector" in fields:
                raise AuthoringError(
                    f"The Map state '{state_id}' has both parameters and item_selector, which mean the same: "
                    "give one of them."
                )
            fields["item_selector"] = fields.pop("parameters")
        super().__init__(state_id, **fields)
        if iterator is not None and item_processor is not None:
            raise AuthoringError(
                f"{self._title()} has both iterator and item_processor, which mean the same: give one of "
                "them."
            )
        if iterator is not None or item_processor is not None:
            self.attach_iterator(iterator if iterator is not None else item_processor)
        if mode not in {None, "INLINE", "DISTRIBUTED"}:
            raise AuthoringError(f"{self._title()}: mode is 'INLINE' or 'DISTRIBUTED', not {mode!r}.")
        if execution_type is not None and mode != "DISTRIBUTED":
            raise AuthoringError(f"{self._title()}: execution_type is for the mode 'DISTRIBUTED' only.")

    @property
    def parameters(self) -> Any:
        """What an iteration gets in place of the item."""
        return self.fields.get("item_selector")

    def update_parameters(self, params: Any) -> None:
        """Give the iterations something else in place of the item."""
        self.fields["item_selector"] = params

    def attach_iterator(self, iterator: Target | Graph | None) -> None:
        """Say what is run for each item."""
        _check_machine(self, iterator)
        self.iterator = iterator

    def inner(self) -> list[Any]:
        """Return what is run for each item."""
        return [] if self.iterator is None else [self.iterator]

    def check(self, language: QueryLanguage = JSONPATH) -> None:
        """Raise if nothing is run for an item."""
        del language
        if self.iterator is None:
            raise MissingRequiredParameterError(
                f"{self._title()} has nothing to run for an item: give it an iterator."
            )

    def _own_to_dict(self, own: QueryLanguage, around: QueryLanguage) -> dict[str, Any]:
        del own
        processor: dict[str, Any] = {}
        if self.mode is not None:
            processor["ProcessorConfig"] = {"Mode": self.mode}
            if self.mode == "DISTRIBUTED":
                processor["ProcessorConfig"]["ExecutionType"] = self.execution_type or "STANDARD"
        self.check(around)
        return {"ItemProcessor": processor | _machine(self.iterator).machine_to_dict(around)}


def _check_machine(state: State, machine: Any) -> None:
    from retrain.workflow.steps.chain import Chain
    from retrain.workflow.steps.graph import Graph

    if not isinstance(machine, State | Chain | Graph):
        raise AuthoringError(
            f"The {state.type} state '{state.state_id}' runs states, chains and graphs inside, "
            f"not {type(machine).__name__}."
        )


def _machine(machine: Any) -> Graph:
    from retrain.workflow.steps.graph import Graph

    return machine if isinstance(machine, Graph) else Graph.inside(machine)
