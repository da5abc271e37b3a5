"""Shorter ways through moto, which give the same."""

from __future__ import annotations

import functools
import sys
from typing import Any


def shorten() -> None:
    """Let moto write an attribute of DynamoDB as what it is.

    It would look for each of the ten types that an attribute may have, under each of the names that it
    could have in an object of moto's, at every level of an item: half of the time of a call.
    """
    if "moto" not in sys.modules:  # importing it takes longer than a test that does without it
        return
    from moto.core.serialize import BaseJSONSerializer

    write = BaseJSONSerializer._serialize_type_structure
    if hasattr(write, "__wrapped__"):
        return

    @functools.wraps(write)
    def shorter(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict:
            write(self, serialized, value, shape, key)
            return
        written: dict[str, Any] = {}
        for kind, content in value.items():
            if content is not None and kind in shape.members:
                self._serialize(written, content, shape.members[kind], kind)
        self._default_serialize(serialized, written, shape, key)

    BaseJSONSerializer._serialize_type_structure = shorter
