"""Fields of `$states` that a well-formed JSONata expression uses where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def missing_fields(source: str, sees: frozenset[str]) -> list[str]:
    """Return what AWS says of fields that `$states` lacks.

    Parameters
    ----------
    source
        A well-formed expression, without the braces around it.
    sees
        Fields that `$states` has where the expression is.
    """
    if "states" not in source:
        return []
    from jsonata import Jsonata  # slow to load

    return list(dict.fromkeys(_missing(Jsonata(source).ast, sees)))


def _missing(node: Any, sees: frozenset[str]) -> Iterator[str]:
    if isinstance(node, list | tuple):
        for each in node:
            yield from _missing(each, sees)
        return
    if not hasattr(node, "type"):
        return
    if node.type == "path" and len(node.steps) > 1:
        first, field = node.steps[:2]
        if (first.type, first.value, field.type) == (
            "variable",
            "states",
            "name",
        ) and field.value not in sees:
            yield f"Field '$states.{field.value}' does not exist."
    for name, part in vars(node).items():
        if name != "_outer_instance":  # the parser, which every node points back to
            yield from _missing(part, sees)
