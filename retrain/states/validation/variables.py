"""Names of variables, and the scopes that they live in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from retrain.states.model.values import JSONATA
from retrain.states.validation import expressions
from retrain.states.validation.report import (
    INVALID_VARIABLE_NAME,
    RESERVED_VARIABLE_NAME,
    Place,
    Report,
)

MAX_NAME_LENGTH: Final = 80
_RESERVED: Final = "states"


def assign(value: Any, place: Place, at: str) -> None:
    """Check an Assign field: an object of variables, whose names in JSONPath may end in `.$`."""
    if not isinstance(value, dict):
        place.report.schema("Expected value of type [OBJECT]", at)
        return
    for key in value:
        name = key.removesuffix(".$") if place.language != JSONATA else key
        _check_name(name, place.report, f"{at}/{key}")
    if place.language == JSONATA:
        expressions.jsonata(value, place, at)
    else:
        expressions.template(value, place, at)


def _check_name(name: str, report: Report, at: str) -> None:
    if name == _RESERVED:
        report.error(RESERVED_VARIABLE_NAME, f"Cannot assign to reserved variable '${name}'.", at)
    elif len(name) > MAX_NAME_LENGTH:
        report.error(
            INVALID_VARIABLE_NAME,
            f"Invalid variable name '{name}': it has more than {MAX_NAME_LENGTH} characters.",
            at,
        )
    elif not name.isidentifier() or name.startswith("_"):
        # Unicode's rule for identifiers, which lets no underscore begin one.
        report.error(
            INVALID_VARIABLE_NAME,
            f"Invalid variable name '{name}': the variable name contains invalid characters.",
            at,
        )


def assigned(states: Any) -> dict[str, str]:
    """Return the variables that a machine's own states assign, each with the name of a state that does."""
    found: dict[str, str] = {}
    if isinstance(states, dict):
        for name, state in states.items():
            for each in _assigns(state):
                for key in each:
                    found.setdefault(key.removesuffix(".$"), name)
    return found


def _assigns(state: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(state, dict):
        return
    holders = [state]
    for field in ("Choices", "Catch"):
        rules = state.get(field)
        holders += [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    for holder in holders:
        found = holder.get("Assign")
        if isinstance(found, dict):
            yield found


def check_scopes(states: Any, outer: dict[str, str], report: Report, at: str) -> None:
    """Report variables of a branch or item processor that a scope around it assigns as well."""
    for name, state in assigned(states).items():
        if name in outer:
            report.schema(
                f"Variable '{name}' is assigned in an outer scope, by the state '{outer[name]}'; an inner"
                " scope can read it but needs another name for its own",
                f"{at}/States/{state}/Assign",
            )
