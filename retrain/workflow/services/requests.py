"""Whether parameters that were written fit a service's request: names, required members, types.

What is computed by an execution is checked as far as it is known: a placeholder that has a type must have the
member's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from retrain.states.model.values import JSONATA, QueryLanguage
from retrain.states.validation.report import did_you_mean
from retrain.workflow import rendering
from retrain.workflow.errors import MissingRequiredParameterError, ParameterError, PlaceholderError
from retrain.workflow.inputs.dynamic import Dynamic
from retrain.workflow.services.actions import ServiceAction

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (str, int, float),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}
_WORDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "True or False",
    "timestamp": "a time",
    "structure": "an object",
    "map": "an object",
    "list": "a list",
}


def check(
    parameters: Any, action: ServiceAction, language: QueryLanguage, what: str, *, complete: bool = True
) -> None:
    """Raise for the first thing that is wrong with parameters.

    Parameters
    ----------
    parameters
        As they were written, placeholders and all.
    action
        What is called.
    language
        The query language that they are written in.
    what
        Who calls, to begin the message with.
    complete
        Whether required members must be there.

    Raises
    ------
    MissingRequiredParameterError
        A member that must be given is missing.
    ParameterError
        A member does not exist, or has a value of another type.
    PlaceholderError
        A placeholder has another type than the member.
    """
    if isinstance(parameters, Dynamic) or _is_expression(parameters, language):
        return
    if not isinstance(parameters, Mapping):
        raise ParameterError(f"{what}: the parameters of {action} are an object, not {parameters!r}.")
    walk = _Walk(action, language, what)
    if action.request is None:
        for name in parameters:
            raise ParameterError(f"{what}: {action} takes no parameters, so not '{name}' either.")
        return
    walk.structure(action.request, parameters, "", complete=complete)


class _Walk:
    def __init__(self, action: ServiceAction, language: QueryLanguage, what: str) -> None:
        self._action = action
        self._language = language
        self._what = what

    def structure(
        self, shape: StructureShape, given: Mapping[str, Any], path: str, *, complete: bool = True
    ) -> None:
        by_name = {self._action.spelling(name, shape.name): name for name in shape.members}
        if not path and self._action.only is not None:
            by_name = {name: member for name, member in by_name.items() if name in self._action.only}
        present = set()
        for key, value in given.items():
            name = self._name(key)
            present.add(name)
            at = f"{path}.{name}" if path else name
            if name not in by_name:
                near = did_you_mean(name, (each for each in by_name if each not in given))
                raise ParameterError(f"{self._what}: {self._action} has no parameter '{at}'{near or '.'}")
            if name == key or isinstance(value, Dynamic):
                self._member(shape, by_name[name], value, at)
        if complete:
            self._check_required(shape, by_name, present, path)

    def _check_required(
        self, shape: StructureShape, by_name: Mapping[str, str], present: set[str], path: str
    ) -> None:
        missing = [
            f"'{path}.{name}'" if path else f"'{name}'"
            for name, member in by_name.items()
            if member in shape.required_members and name not in present and not _made_up(shape, member)
        ]
        if missing:
            verb = "is required and was" if len(missing) == 1 else "are required and were"
            raise MissingRequiredParameterError(
                f"{self._what}: {', '.join(missing)} {verb} not given to {self._action}."
            )

    def _name(self, key: Any) -> str:
        if not isinstance(key, str):
            raise ParameterError(f"{self._what}: the names of parameters are strings; {key!r} is none.")
        return key if self._language == JSONATA else key.removesuffix(".$")

    def _member(self, shape: StructureShape, member: str, value: Any, at: str) -> None:
        as_json = "." not in at and at in self._action.json_members
        # EventBridge's entries take their detail as JSON; the integration makes the text of it.
        detail = shape.name == "PutEventsRequestEntry" and member == "Detail" and not self._action.sdk
        if not as_json and not detail:
            self.value(shape.members[member], value, at)

    def value(self, shape: Shape, value: Any, at: str) -> None:
        if getattr(shape, "is_document_type", False) or shape.type_name == "blob":
            return
        if isinstance(value, Dynamic):
            self._placeholder(shape, value, at)
        elif value is None or _is_expression(value, self._language):
            return
        elif isinstance(shape, StructureShape) and isinstance(value, Mapping):
            self.structure(shape, value, at)
        elif isinstance(shape, MapShape) and isinstance(value, Mapping):
            for key, item in value.items():
                if self._name(key) == key or isinstance(item, Dynamic):
                    self.value(shape.value, item, f"{at}.{self._name(key)}")
        elif isinstance(shape, ListShape) and isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self.value(shape.member, item, f"{at}[{index}]")
        elif not _fits(value, shape.type_name) and not rendering.needs_path(value):
            said = _WORDS.get(shape.type_name, shape.type_name)
            raise ParameterError(f"{self._what}: '{at}' of {self._action} must be {said}, not {value!r}.")

    def _placeholder(self, shape: Shape, placeholder: Dynamic, at: str) -> None:
        kind = placeholder.type
        known = _TYPES.get(shape.type_name)
        if kind is None or known is None or kind in known:
            return
        said = _WORDS.get(shape.type_name, shape.type_name)
        raise PlaceholderError(
            f"{self._what}: '{at}' of {self._action} must be {said}; the placeholder {placeholder!r} is "
            f"{kind.__name__}."
        )


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, (object,)))


def _is_expression(value: Any, language: QueryLanguage) -> bool:
    return language == JSONATA and isinstance(value, str) and value.strip().startswith("{%")


def _made_up(shape: StructureShape, member: str) -> bool:
    """Whether the SDK fills the member in by itself."""
    return bool(shape.members[member].metadata.get("idempotencyToken"))
