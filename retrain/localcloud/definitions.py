"""Definitions of state machines, before they are deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from retrain.states.validation import validate

_TOKEN = re.compile(r"\$\{([A-Za-z0-9_.:]+)\}")
_UNKNOWN = "arn:aws:placeholder:us-east-1:000000000000:known-when-deployed"


def problems(definition: str, kind: Any = "STANDARD") -> list[str]:
    """Everything for which CreateStateMachine would refuse a definition, a sentence each.

    Parameters
    ----------
    definition
        JSON or YAML text.
    kind
        Of the state machine, EXPRESS or else.
    """
    found = validate(definition, kind="EXPRESS" if kind == "EXPRESS" else "STANDARD")
    return [str(each) for each in found if each.severity == "ERROR"]


def substitute(definition: str, values: Mapping[str, Any]) -> str:
    """Fill in DefinitionSubstitutions as CloudFormation does; a value known later gets a placeholder ARN.

    Parameters
    ----------
    definition
        Text with ``${Name}`` tokens.
    values
        Name to value; anything but a string, number or Boolean counts as known later. Tokens of unknown names
        stay, as they do in CloudFormation.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, str | int | float) else _UNKNOWN

    return _TOKEN.sub(fill, definition)
