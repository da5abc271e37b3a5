"""Every `*` for a resource has its reason in a comment above it; comments are in the text alone."""

from __future__ import annotations

from collections.abc import Iterator

import yaml


def unexplained(text: str) -> list[str]:
    """Return a sentence for each resource `*` in a template's text that no comment stands above."""
    lines = text.splitlines()
    found = []
    for node in _stars(yaml.compose(text, Loader=yaml.SafeLoader)):
        number = node.start_mark.line
        if not lines[number - 1].lstrip().startswith("#"):
            found.append(f"line {number + 1}: allows everything, and no comment above says why")
    return found


def _stars(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Yield every key `Resource`, or item of its list, that is `*`."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "Resource" and isinstance(value, yaml.ScalarNode) and value.value == "*":
                yield key
            elif key.value == "Resource" and isinstance(value, yaml.SequenceNode):
                yield from (item for item in value.value if item.value == "*")
            else:
                yield from _stars(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _stars(item)
