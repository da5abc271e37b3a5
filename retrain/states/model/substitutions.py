"""The `${Name}` tokens that CloudFormation fills in before Step Functions sees a definition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_TOKEN: Final = re.compile(r"\$\{([A-Za-z0-9_.:]+)\}")
_BARE: Final = re.compile(r"(?<=[:\[,])(\s*)\$\{([A-Za-z0-9_.:]+)\}(?=\s*[,\]}\n])")
"""A token outside of quotes in JSON text, which stands for a number or the like."""

_KNOWN: Final = {
    "partition": "aws",
    "region": "us-east-1",
    "accountid": "000000000000",
    "urlsuffix": "amazonaws.com",
}
_ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:known-when-deployed"


def substitute(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Fill in DefinitionSubstitutions.

    Parameters
    ----------
    text
        A definition with `${Name}` tokens.
    values
        Name to value.

    Returns
    -------
    text : str
        The definition. What has no value gets a placeholder: an ARN, or a number where no quotes are around
        the token.
    missing : tuple of str
        The names that have no value.
    """
    missing: dict[str, None] = {}

    def value_of(name: str, placeholder: str) -> str:
        if name in values:
            return values[name]
        missing[name] = None
        return _KNOWN.get(name.removeprefix("AWS::").lower(), placeholder)

    if text.lstrip().startswith("{"):
        text = _BARE.sub(lambda match: match[1] + value_of(match[2], "1"), text)
    return _TOKEN.sub(lambda match: value_of(match[1], _ARN), text), tuple(missing)
