"""What an object may hold: its fields, which of them it must have, and which exclude each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retrain.states.model.values import JSONATA, JSONPATH, QueryLanguage
from retrain.states.validation.fields import Check
from retrain.states.validation.report import Place, did_you_mean


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how its value is checked, and the only language that knows it if one does."""

    check: Check
    language: QueryLanguage | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """An object's fields.

    Attributes
    ----------
    fields
        Name to field; no other may occur.
    required
        Names that must occur.
    one_of
        Groups of names of which exactly one must occur.
    at_most_one
        Groups of names of which not more than one may occur.
    """

    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    at_most_one: tuple[tuple[str, ...], ...] = field(default=())

    def check(self, value: Any, place: Place, at: str) -> None:
        """Report what is wrong with an object, its fields' values included."""
        if not isinstance(value, dict):
            place.report.schema("Expected value of type [OBJECT]", at)
            return
        self._check_names(value, place, at)
        self._check_groups(value, place, at)
        for name, item in value.items():
            if name in self._known(place):
                self.fields[name].check(item, place, f"{at}/{name}")

    def _known(self, place: Place) -> list[str]:
        return [name for name, each in self.fields.items() if each.language in {None, place.language}]

    def _check_names(self, value: dict[str, Any], place: Place, at: str) -> None:
        known = self._known(place)
        other = JSONPATH if place.language == JSONATA else JSONATA
        for name in value:
            if name in known:
                continue
            if name in self.fields:
                place.report.schema(
                    f"The QueryLanguage is set to '{place.language}', but field '{name}' is only supported"
                    f" for the '{other}' QueryLanguage",
                    at,
                )
            else:
                near = did_you_mean(name, (each for each in known if each not in value))
                place.report.schema(f"Field '{name}' is not supported{near}", at)

    def _check_groups(self, value: dict[str, Any], place: Place, at: str) -> None:
        missing = [name for name in self.required if name not in value]
        if missing:
            place.report.schema(f"These fields are required: [{', '.join(missing)}]", at)
        known = set(self._known(place))
        for group in (*self.one_of, *self.at_most_one):
            names = [name for name in group if name in known]
            given = [name for name in names if name in value]
            if len(given) > 1:
                place.report.schema(
                    f"There should only be one of the following fields: [{', '.join(given)}]", at
                )
            elif not given and group in self.one_of:
                place.report.schema(
                    f"This object should have only one of the following fields: [{', '.join(names)}]", at
                )
