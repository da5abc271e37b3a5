"""Whether AWS would take a state machine definition."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from statelint.linter import Linter

_TOKEN = re.compile(r"\$\{([A-Za-z0-9_.:]+)\}")
_UNKNOWN = "arn:aws:placeholder:us-east-1:000000000000:known-when-deployed"


def problems(definition: str) -> list[str]:
    """Everything for which CreateStateMachine would refuse a definition, in statelint's sentences."""
    try:
        parsed = json.loads(definition)
    except ValueError as error:
        return [f"The definition is not valid JSON: {error}"]
    if not isinstance(parsed, dict):
        return ["The definition is not a JSON object."]
    return _problems_of(parsed)


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


def _problems_of(parsed: dict[str, Any]) -> list[str]:
    found: list[str] = list(Linter.validate(parsed))
    return found
