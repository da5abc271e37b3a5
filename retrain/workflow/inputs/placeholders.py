"""Placeholders for an execution's input, a step's input and result, and the item of a Map state."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from retrain.states.validation.report import did_you_mean
from retrain.workflow.errors import PlaceholderError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.inputs.schemas import ValidationResult, check_schema, named_types, validate

if TYPE_CHECKING:
    from retrain.workflow.steps.state import State

Key = str | int
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS: Final = frozenset({"true", "false", "null", "and", "or", "in", "function"})
"""Words that mean something in JSONata by themselves; a member of such a name needs backticks."""

__all__ = [
    "ExecutionInput",
    "MapItemIndex",
    "MapItemValue",
    "Placeholder",
    "StepInput",
    "StepResult",
    "ValidationResult",
]


class Placeholder(Dynamic):
    """A collection of placeholders, and each of them.

    Use it as a dictionary: `execution_input["JobName"]` stands for that member of the input.

    Parameters
    ----------
    schema : dict, optional
        Name to Python type, or to another such dict. With a schema only its names can be used.
    name, type, parent
        Set for the placeholders inside a collection.

    Examples
    --------
    >>> execution_input = ExecutionInput(schema={"JobName": str, "Hyperparameters": {"tol": float}})
    >>> execution_input["Hyperparameters"]["tol"].to_jsonpath()
    "$$.Execution.Input['Hyperparameters']['tol']"
    """

    jsonpath_root: ClassVar[str] = ""
    jsonata_root: ClassVar[str] = ""

    def __init__(
        self,
        schema: Mapping[str, Any] | None = None,
        *,
        name: Key | None = None,
        type: type | None = None,  # noqa: A002 (the name that its users know)
        parent: Placeholder | None = None,
    ) -> None:
        self.schema = schema
        self.name = name
        self.type = type
        self.parent = parent
        self.store: dict[Key, Self] = {}
        self.immutable = False
        if schema:
            check_schema(schema)
            self._take_schema(schema)

    def _take_schema(self, schema: Mapping[str, Any]) -> None:
        for key, value in schema.items():
            if isinstance(value, Mapping):
                child = self._child(key, dict)
                child._take_schema(value)
            else:
                self._child(key, value)
        self.immutable = True

    def _child(self, name: Key, type: type | None = None) -> Self:  # noqa: A002
        self.store[name] = child = self.__class__(name=name, parent=self, type=type)
        return child

    def get(self, name: Key, type: type | None) -> Self:  # noqa: A002 (the name that its users know)
        """Return the placeholder of a name, which has a type.

        Raises
        ------
        PlaceholderError
            The name has another type, or is not in the schema.
        """
        found = self[name]
        if type is not None:
            if found.type is None and not found.store:
                found.type = type
            elif found.type is not type:
                known = "an object" if found.store else getattr(found.type, "__name__", "unknown")
                raise PlaceholderError(f"'{name}' is {known} elsewhere, and cannot be {type.__name__} here.")
        return found

    def __getitem__(self, name: Key) -> Self:
        """Return the placeholder of a name, or of an index if the value is an array."""
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise PlaceholderError(
                f"A placeholder's name is a string, or an index of an array; not {name!r}."
            )
        if name in self.store:
            return self.store[name]
        if self.immutable:
            known = ", ".join(f"'{each}'" for each in self.store)
            near = did_you_mean(str(name), [str(each) for each in self.store])
            raise PlaceholderError(
                f"'{name}' is not in the schema of {self!r}, which has {known}{near or '.'}"
            )
        return self._child(name)

    def get_schema_as_dict(self) -> dict[Key, Any]:
        """Return the names that are used or given so far, with their types; str where no type is known."""
        return {
            name: each.get_schema_as_dict() if each.store else each.type or str
            for name, each in self.store.items()
        }

    def get_schema_as_json(self, pretty: bool = False) -> str:  # noqa: FBT001, FBT002 (as its users call it)
        """Return the schema as JSON, types by their names."""
        return json.dumps(named_types(self.get_schema_as_dict()), indent=4 if pretty else None)

    def contains(self, placeholder: Placeholder) -> bool:
        """Whether a placeholder is this one, or inside it."""
        node: Placeholder | None = placeholder
        while node is not None:
            if node is self:
                return True
            node = node.parent
        return False

    def validate(self, input: Any) -> ValidationResult:  # noqa: A002 (the name that its users know)
        """Say whether an input has everything that the schema says, with the right types."""
        return validate(self.get_schema_as_dict(), input)

    @property
    def root(self) -> Placeholder:
        """The collection that this placeholder comes from."""
        return self if self.parent is None else self.parent.root

    @property
    def keys(self) -> tuple[Key, ...]:
        """The names that lead from the collection to this placeholder."""
        before = () if self.parent is None else self.parent.keys
        return before if self.name is None else (*before, self.name)

    def to_jsonpath(self) -> str:
        """Return the path of the value.

        Examples
        --------
        >>> StepInput()["Records"][0]["key"].to_jsonpath()
        "$['Records'][0]['key']"
        """
        return self.jsonpath_root + "".join(_bracketed(each) for each in self.keys)

    def to_jsonata(self) -> str:
        """Return the JSONata expression of the value.

        Examples
        --------
        >>> ExecutionInput()["Job name"][0].to_jsonata()
        '$states.context.Execution.Input.`Job name`[0]'
        """
        return self.jsonata_root + "".join(_dotted(each) for each in self.keys)

    def __repr__(self) -> str:
        """Return the collection and the names, as they are written."""
        return type(self).__name__ + "".join(f"[{each!r}]" for each in self.keys)


def _bracketed(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    text = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{text}']"


def _dotted(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if "`" in key:
        raise PlaceholderError(
            f"JSONata cannot name the member {key!r}: a name cannot hold a backtick there."
        )
    is_plain = _IDENTIFIER.fullmatch(key) and key not in _WORDS
    return f".{key}" if is_plain else f".`{key}`"


class ExecutionInput(Placeholder):
    """The input of the whole execution; every state can use it."""

    jsonpath_root = "$$.Execution.Input"
    jsonata_root = "$states.context.Execution.Input"


class StepInput(Placeholder):
    """The input of the state that uses it; `state.output()` gives the output of the state before.

    Attributes
    ----------
    owner : State or None
        The state whose output this is; None if it was made for no state in particular.
    """

    jsonpath_root = "$"
    jsonata_root = "$states.input"

    def __init__(
        self,
        schema: Mapping[str, Any] | None = None,
        *,
        name: Key | None = None,
        type: type | None = None,  # noqa: A002
        parent: Placeholder | None = None,
        owner: State | None = None,
    ) -> None:
        self._owner = owner
        super().__init__(schema, name=name, type=type, parent=parent)

    @property
    def owner(self) -> State | None:
        """The state whose output this is part of."""
        root = self.root
        return root._owner if isinstance(root, StepInput) else None

    def __repr__(self) -> str:
        """Return how the placeholder is written."""
        if self.owner is None:
            return super().__repr__()
        return f"'{self.owner.state_id}'.output()" + "".join(f"[{each!r}]" for each in self.keys)


class StepResult(Placeholder):
    """The result of the state that uses it, before it becomes the output: for `result_selector`."""

    jsonpath_root = "$"
    jsonata_root = "$states.result"


class MapItemValue(Placeholder):
    """The item of a Map state's iteration; for its `parameters` or `item_selector`."""

    jsonpath_root = "$$.Map.Item.Value"
    jsonata_root = "$states.context.Map.Item.Value"


class MapItemIndex(Placeholder):
    """The index of a Map state's iteration, from 0; for its `parameters` or `item_selector`."""

    jsonpath_root = "$$.Map.Item.Index"
    jsonata_root = "$states.context.Map.Item.Index"

    def __init__(self) -> None:
        super().__init__(type=int)

    def __getitem__(self, name: Key) -> Self:
        """Refuse: the index is a number."""
        raise PlaceholderError("The index of a Map state's item is a number: it has no members.")
