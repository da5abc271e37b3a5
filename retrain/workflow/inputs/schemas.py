"""Schemas of placeholders, and inputs compared with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from retrain.workflow.errors import PlaceholderError

_NAMES: dict[type, str] = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "dict"}


class ValidationResult(NamedTuple):
    """What became of comparing an input with a schema.

    Attributes
    ----------
    valid
        Whether the input fits.
    keys_missing
        Names that the input lacks; a dot leads into an object.
    keys_type_mismatch
        Name, expected type, and the type that was given.
    """

    valid: bool
    keys_missing: list[str]
    keys_type_mismatch: list[tuple[str, type, type]]

    def __str__(self) -> str:
        """Return what is wrong as half a sentence."""
        missing = [f"'{name}' is missing" for name in self.keys_missing]
        wrong = [
            f"'{name}' must be {expected.__name__} and is {given.__name__}"
            for name, expected, given in self.keys_type_mismatch
        ]
        return "; ".join(missing + wrong) or "it fits"


def check_schema(schema: Mapping[str, Any], at: str = "") -> None:
    """Refuse what is no schema.

    Raises
    ------
    PlaceholderError
        A name is no string, or a type is none that JSON has.
    """
    for name, kind in schema.items():
        if not isinstance(name, str):
            raise PlaceholderError(f"A schema's names are strings; {name!r} is none.")
        where = f"{at}.{name}" if at else name
        if isinstance(kind, Mapping):
            check_schema(kind, where)
        elif kind not in _NAMES:
            known = ", ".join(_NAMES.values())
            raise PlaceholderError(f"The schema's type of '{where}' must be one of {known}; not {kind!r}.")


def named_types(schema: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a schema with the names of types in their place."""
    return {
        str(name): named_types(kind) if isinstance(kind, Mapping) else kind.__name__
        for name, kind in schema.items()
    }


def validate(schema: Mapping[Any, Any], given: Any) -> ValidationResult:
    """Compare an input with a schema; what the schema does not name may be there too."""
    missing: list[str] = []
    wrong: list[tuple[str, type, type]] = []
    for name, expected, value in _pairs(schema, given, ""):
        if value is _MISSING:
            missing.append(name)
        elif not _fits(value, expected):
            wrong.append((name, expected, type(value)))
    return ValidationResult(not missing and not wrong, missing, wrong)


_MISSING = object()


def _pairs(schema: Mapping[Any, Any], given: Any, at: str) -> Iterator[tuple[str, type, Any]]:
    for key, kind in schema.items():
        name = f"{at}.{key}" if at else str(key)
        value = _member(given, key)
        if isinstance(kind, Mapping):
            if value is not _MISSING and not isinstance(value, Mapping | list):
                yield name, dict, value
            else:
                yield from _pairs(kind, {} if value is _MISSING else value, name)
        else:
            yield name, kind, value


def _member(given: Any, key: Any) -> Any:
    if isinstance(given, Mapping):
        return given.get(key, _MISSING)
    if isinstance(given, list) and isinstance(key, int) and -len(given) <= key < len(given):
        return given[key]
    return _MISSING


def _fits(value: Any, expected: type) -> bool:
    if isinstance(value, bool):
        return expected is bool
    return isinstance(value, (int, float) if expected is float else expected)
