"""Where the checks put what they find, and the places that they look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final, Literal, TypeAlias

from retrain.states.errors import Diagnostic
from retrain.states.model.values import QueryLanguage

Kind: TypeAlias = Literal["STANDARD", "EXPRESS"]

SCHEMA_VALIDATION_FAILED: Final = "SCHEMA_VALIDATION_FAILED"
INVALID_JSON_DESCRIPTION: Final = "INVALID_JSON_DESCRIPTION"
MISSING_TRANSITION_TARGET: Final = "MISSING_TRANSITION_TARGET"
MISSING_END_STATE: Final = "MISSING_END_STATE"
DUPLICATE_STATE_NAME: Final = "DUPLICATE_STATE_NAME"
INVALID_STATE_NAME: Final = "INVALID_STATE_NAME"
DUPLICATE_LABEL_NAME: Final = "DUPLICATE_LABEL_NAME"
INVALID_LABEL_NAME: Final = "INVALID_LABEL_NAME"
TOO_DEEPLY_NESTED: Final = "TOO_DEEPLY_NESTED"
INVALID_VARIABLE_NAME: Final = "INVALID_VARIABLE_NAME"
RESERVED_VARIABLE_NAME: Final = "RESERVED_VARIABLE_NAME"
INVALID_JSONATA_EXPRESSION: Final = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_JSONATA_EXPRESSION: Final = "UNSUPPORTED_JSONATA_EXPRESSION"
NO_DOLLAR: Final = "NO_DOLLAR"
NO_PATH: Final = "NO_PATH"
PASS_RESULT_IS_STATIC: Final = "PASS_RESULT_IS_STATIC"  # noqa: S105 (no password)
NO_TASK_TOKEN: Final = "NO_TASK_TOKEN"  # noqa: S105 (no password)
UNCATCHABLE_ERROR: Final = "UNCATCHABLE_ERROR"
UNKNOWN_ERROR_NAME: Final = "UNKNOWN_ERROR_NAME"
DISTRIBUTED_ONLY_FIELD: Final = "DISTRIBUTED_ONLY_FIELD"
EXPRESS_TIMEOUT: Final = "EXPRESS_TIMEOUT"


@dataclass(slots=True)
class Report:
    """Collects diagnostics, in the order in which they are found."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, location: str = "") -> None:
        """Add something for which AWS refuses a definition."""
        self.found.append(Diagnostic("ERROR", code, message, location))

    def schema(self, message: str, location: str) -> None:
        """Add an error of the most frequent kind; AWS calls the definition's own place `/`."""
        self.error(SCHEMA_VALIDATION_FAILED, message, location or "/")

    def warning(self, code: str, message: str, location: str) -> None:
        """Add something that AWS takes, and that is hardly meant."""
        self.found.append(Diagnostic("WARNING", code, message, location))


@dataclass(frozen=True, slots=True)
class Place:
    """What a check needs to know about where it looks.

    Attributes
    ----------
    report
        Takes what is found.
    kind
        What the state machine is to become.
    language
        The query language of the state.
    sees
        Fields of `$states` that a JSONata expression can use here.
    """

    report: Report
    kind: Kind
    language: QueryLanguage
    sees: frozenset[str] = frozenset({"input", "context"})

    def seeing(self, *names: str) -> Place:
        """Return the same place with more fields of `$states`."""
        return replace(self, sees=self.sees | set(names))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a remark that names what is spelt most like a name, or nothing if nothing is near it."""
    names = list(known)
    lower = {each.lower(): each for each in names}
    same = lower.get(name.lower())
    near = [same] if same else get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; did you mean '{near[0]}'?" if near and near[0] != name else ""
