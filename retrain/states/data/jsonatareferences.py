"""What an expression refers to that has no meaning in Step Functions, where there is no context value.

The words are those of AWS's diagnostic `UNSUPPORTED_JSONATA_EXPRESSION`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

# Parts of a step that are evaluated with the step's own items as context.
_WITHIN: Final = frozenset({"predicate", "stages", "group", "terms"})


def unsupported(tree: Any) -> tuple[str, ...]:
    """Return what is refused in a syntax tree of the library's, each fault once."""
    return tuple(dict.fromkeys(_faults(tree, top=True)))


def _faults(node: Any, *, top: bool) -> Iterator[str]:
    if isinstance(node, (list, tuple)):
        for each in node:
            yield from _faults(each, top=top)
        return
    kind = getattr(node, "type", None)
    if kind is None or not hasattr(node, "__dict__"):
        return
    if kind == "variable" and node.value == "$":
        yield "Reference to '$$' is not supported."
    elif kind == "variable" and node.value == "" and top:
        yield "Reference to '$' at the top level is not supported."
    elif kind == "name" and top:
        yield f"Reference to '{node.value}' at the top level is not supported."
    for name, part in vars(node).items():
        if name.startswith("_") or name == "signature":
            continue
        if name == "steps" and kind == "path":
            yield from _faults(part[0], top=top)
            yield from _faults(part[1:], top=False)
        else:
            yield from _faults(part, top=top and name not in _WITHIN)
