"""How the attributes of the model are called in a definition."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

ITERATOR: Final = "Iterator"
"""What an item processor was called before there were distributed Maps."""

_NOT_FIELDS: Final = frozenset({"given", "name"})
_known: dict[type[Any], dict[str, str]] = {}


def definition_names(kind: type[Any]) -> dict[str, str]:
    """Return the fields of a class of the model: attribute to name in the definition, in canonical order."""
    if kind not in _known:
        _known[kind] = {
            each.name: each.metadata.get("name", _pascal_case(each.name))
            for each in dataclasses.fields(kind)
            if each.name not in _NOT_FIELDS
        }
    return _known[kind]


def _pascal_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
