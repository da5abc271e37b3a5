"""Definitions with `${Name}` tokens, read without losing them: a policy is written with the same ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from retrain.states.model.substitutions import substitute

_STAND_IN: Final = "arn:aws:lambda:us-east-1:000000000000:function:"
"""Before a token, makes it an ARN that any Resource may be; the token itself stays in sight."""
_KEPT: Final = re.compile(re.escape(_STAND_IN) + r"(?=\$\{[A-Za-z0-9_.:]+\})")
_BARE: Final = re.compile(r"(?<=[:\[,])\s*\$\{([A-Za-z0-9_.:]+)\}(?=\s*[,\]}\n])")
_PSEUDO: Final = ("partition", "region", "accountid", "urlsuffix")


def fill(text: str, values: Mapping[str, str] | None = None) -> str:
    """Return a definition that can be parsed, with its tokens in it: `restore` finds them again.

    Parameters
    ----------
    text
        A definition with `${Name}` tokens, which CloudFormation would fill in.
    values
        What some of them stand for.
    """
    values = dict(values or {})
    _, missing = substitute(text, values)
    bare = set(_BARE.findall(text)) if text.lstrip().startswith("{") else set()
    for name in missing:
        if name not in bare and name.removeprefix("AWS::").lower() not in _PSEUDO:
            values[name] = f"{_STAND_IN}${{{name}}}"
    return substitute(text, values)[0]


def restore(value: Any) -> Any:
    """Return text, or anything with text in it, with the tokens that `fill` has kept as they were."""
    if isinstance(value, str):
        return _KEPT.sub("", value)
    if isinstance(value, Mapping):
        return {key: restore(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [restore(item) for item in value]
    return value
