"""What states, retriers and catchers have in common: keywords that are the fields of the model's classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from retrain.states.model.names import definition_names
from retrain.states.model.values import JSONATA, JSONPATH, QueryLanguage
from retrain.states.validation.report import did_you_mean
from retrain.workflow import rendering
from retrain.workflow.errors import AuthoringError, PlaceholderError, UnknownFieldError
from retrain.workflow.inputs.dynamic import Dynamic

_TEMPLATES: Final = frozenset(
    {
        *("parameters", "arguments", "credentials", "result_selector", "output", "assign", "items"),
        *("item_selector", "item_reader", "item_batcher", "result_writer"),
    }
)
"""Fields that may hold placeholders at any depth."""
NULLABLE: Final = frozenset({"input_path", "output_path", "result_path"})
"""Fields whose None is JSON's null; that of all others means that nothing is given."""


class Block:
    """Something of the States Language, written with keywords in Python's spelling.

    The keywords are the attributes of a class of `retrain.states.model`: `result_path` is `ResultPath`.
    """

    model: ClassVar[type[Any]]
    """The class of the model whose fields can be given."""
    made: ClassVar[frozenset[str]] = frozenset()
    """Its fields that are not keywords, since methods or other arguments make them."""

    def __init__(self, **fields: Any) -> None:
        self.fields: dict[str, Any] = {}
        known = self.allowed_fields()
        for name, value in fields.items():
            if name not in known:
                near = did_you_mean(name, known)
                raise UnknownFieldError(f"{self._title()} has no field '{name}'{near or '.'}")
            self.fields[name] = value

    @classmethod
    def allowed_fields(cls) -> list[str]:
        """Return the names of the keywords."""
        return [name for name in definition_names(cls.model) if name not in cls.made]

    def _title(self) -> str:
        return type(self).__name__

    def __getattr__(self, name: str) -> Any:
        """Return a field by its keyword; None if it was not given."""
        if not name.startswith("_") and name in type(self).allowed_fields():
            return self.fields.get(name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def to_dict(self, query_language: QueryLanguage = JSONPATH) -> dict[str, Any]:
        """Return what a definition says of this.

        Parameters
        ----------
        query_language : str
            What the state machine's query language is.
        """
        return self._fields_to_dict(query_language)

    def to_json(self, pretty: bool = False) -> str:  # noqa: FBT001, FBT002 (as its users call it)
        """Return `to_dict` as JSON text."""
        try:
            return json.dumps(self.to_dict(), indent=4 if pretty else None)
        except TypeError as error:
            raise AuthoringError(f"{self._title()} holds something that JSON cannot say: {error}.") from None

    def _fields_to_dict(self, language: QueryLanguage) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for name, term in definition_names(self.model).items():
            if name not in self.fields or (self.fields[name] is None and name not in NULLABLE):
                continue
            value = self.fields[name]
            if language == JSONATA:
                term = self._jsonata_term(name, term)
            where = f"{self._title()}: {name}"
            if name in _TEMPLATES:
                written[term] = rendering.template(value, language, where)
            elif isinstance(value, Dynamic):
                written |= self._dynamic(name, term, value, language)
            else:
                self._check_constant(value, where)
                written[term] = list(value) if isinstance(value, tuple) else value
        return written

    def _jsonata_term(self, name: str, term: str) -> str:
        """Return what a field that JSONata does not have is called there."""
        names = definition_names(self.model)
        if name == "parameters":
            return names.get("arguments", names.get("output", term))
        return names.get("output", term) if name == "result" else term

    def _dynamic(self, name: str, term: str, value: Dynamic, language: QueryLanguage) -> Mapping[str, Any]:
        """Return a field that is a placeholder as a whole."""
        names = definition_names(self.model)
        if language == JSONATA:
            # There what a path leads to is written in the place of the value itself.
            return {names.get(name.removesuffix("_path"), term): rendering.jsonata(value)}
        if f"{name}_path" in names:
            return {names[f"{name}_path"]: value.to_jsonpath()}
        if name.endswith("_path"):
            return {term: value.to_jsonpath()}
        raise PlaceholderError(
            f"{self._title()}: {name} must be known when the state machine is created; it cannot be "
            f"{value!r}."
        )

    def _check_constant(self, value: Any, where: str) -> None:
        inside = rendering.placeholders(value)
        if inside:
            raise PlaceholderError(
                f"{where} is constant: it cannot hold {inside[0]!r}. Placeholders belong into parameters."
            )

    def __repr__(self) -> str:
        """Return how this is written."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{type(self).__name__}({fields})"

    def __str__(self) -> str:
        """Return what a definition says of this, as JSON text."""
        return self.to_json(pretty=True)
