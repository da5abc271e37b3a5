"""Looking around in a transformed template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any


def of_type(template: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names and properties of all resources of a type."""
    for name, body in template["Resources"].items():
        if body["Type"] == kind:
            yield name, body.get("Properties", {})


def listed(value: Any) -> list[Any]:
    """Return what may be one or several as several."""
    return value if isinstance(value, list) else [value]


def referred(value: Any) -> str:
    """Return the logical id that a value refers to; the text itself if it is one without references."""
    found = references(value)
    return found[0] if found else str(value)


def references(value: Any) -> list[str]:
    """Return the logical ids and pseudo parameters that a value refers to, in order."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return [str(value["Ref"])]
        if set(value) == {"Fn::GetAtt"}:
            place = value["Fn::GetAtt"]
            return [str(place[0] if isinstance(place, list) else place.partition(".")[0])]
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return [name.partition(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", value["Fn::Sub"])]
        return [name for item in value.values() for name in references(item)]
    if isinstance(value, list):
        return [name for item in value for name in references(item)]
    return []


def alternatives(value: Any) -> list[Any]:
    """Return the entries of a list, those of both branches where one stands under a condition."""
    found = []
    for entry in listed(value):
        if isinstance(entry, dict) and set(entry) == {"Fn::If"}:
            found += [each for branch in entry["Fn::If"][1:] for each in alternatives(branch)]
        elif entry != {"Ref": "AWS::NoValue"}:
            found.append(entry)
    return found
