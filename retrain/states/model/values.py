"""JSON values, the query languages, and the sign for a field that was not given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What JSON can say; objects keep their order."""

QueryLanguage: TypeAlias = Literal["JSONPath", "JSONata"]

JSONPATH: Final = "JSONPath"
JSONATA: Final = "JSONata"


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "ABSENT"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
"""A field that was not given, where None would be JSON's null (`"ResultPath": null` discards the result)."""

PathField: TypeAlias = str | Absent | None
"""InputPath, OutputPath, ResultPath: a path, null, or not given."""

Given: TypeAlias = tuple[str, ...]
"""Names of the fields as they stood in the definition, in their order; empty for what was not parsed."""
