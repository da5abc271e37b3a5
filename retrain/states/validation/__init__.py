"""Whether AWS would take a state machine definition, and everything that is wrong with it if not.

Messages begin with the words of ValidateStateMachineDefinition where these are known, and go on with a
remedy. Codes are AWS's own; the warnings UNCATCHABLE_ERROR, UNKNOWN_ERROR_NAME, NO_TASK_TOKEN,
DISTRIBUTED_ONLY_FIELD and EXPRESS_TIMEOUT are not: AWS says nothing where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrain.states.errors import Diagnostic
from retrain.states.validation.document import read
from retrain.states.validation.machines import Walk
from retrain.states.validation.report import Kind, Report

__all__ = ["Diagnostic", "Kind", "examine", "validate"]


def validate(
    definition: str | Mapping[str, Any], *, kind: Kind = "STANDARD", yaml: bool = True
) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a definition, or doubtful; never raises, whatever is given.

    Parameters
    ----------
    definition
        JSON or YAML text, or the parsed object.
    kind
        The kind of state machine that it is to be; Express may do less.
    yaml
        Whether text may be YAML; CreateStateMachine takes JSON alone.

    Returns
    -------
    tuple of Diagnostic
        In the order of the definition. AWS creates the state machine if no severity is `ERROR`.
    """
    return examine(definition, kind=kind, yaml=yaml)[1]


def examine(
    definition: object, *, kind: Kind = "STANDARD", yaml: bool = True
) -> tuple[dict[str, Any] | None, tuple[Diagnostic, ...]]:
    """Return a definition as a JSON object of its own, or None if it is none, and what `validate` returns."""
    report = Report()
    document = read(definition, report, yaml_too=yaml)
    if document is not None:
        Walk(report, kind).machine(document)
    return document, tuple(report.found)
