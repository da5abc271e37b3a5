"""JSONata's errors in the words of its reference implementation, which are AWS's."""

from __future__ import annotations

import re
from typing import Any, Final

from jsonata import JException

from retrain.states.data.jsonatatext import string

_TYPES: Final = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}


def _restored(template: str) -> str:
    """Return a template of the library's with the word back that its port from Java replaced everywhere."""
    return re.sub(r"\bObject\b", "function", template)


_TEMPLATES: Final = {code: _restored(template) for code, template in JException.error_codes.items()}
_CODES: Final = {template: code for code, template in _TEMPLATES.items()}


def message(error: JException) -> tuple[str, str]:
    """Return an error's code, empty if it has none, and its message."""
    code = str(error.error)
    template = _TEMPLATES.get(code)
    if template is None:  # some places of the library raise the message itself
        return _CODES.get(code, ""), code
    inserts = [error.current, error.expected, error.extra]
    if code == "T0411":  # which the library raises with the context value first
        inserts = [error.expected, None, None]
    if code == "T0412":
        inserts[2] = _TYPES.get(str(error.extra), error.extra)
    remaining = iter(inserts)

    def insert(match: re.Match[str]) -> str:
        value = next(remaining, None)
        return _raw(value) if match[0].startswith("{{{") else _quoted(value)

    return code, re.sub(r"\{\{\{\w+\}\}\}|\{\{\w+\}\}", insert, template)


def _raw(value: Any) -> str:
    return "" if value is None else string(value)


def _quoted(value: Any) -> str:
    return string([value])[1:-1]
