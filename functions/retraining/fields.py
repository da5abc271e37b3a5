"""Reading untrusted JSON field by field, collecting a sentence for every fault."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

TEXT_LENGTH = 1_100
"""Longest text that any field may hold; S3 keys have up to 1,024 bytes."""


def shown(value: object) -> str:
    """Quote a value for a sentence, cut to a length that people read."""
    try:
        text = repr(value)
    except RecursionError:  # JSON can be nested just so deep that it is read, and not written any more
        return "nested too deeply to be shown"
    return text if len(text) <= 100 else f"{text[:97]}..."


def _plain(bound: float) -> str:
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:g}"


class Fields:
    """One object of the request, read field by field; complaints are collected, not raised."""

    def __init__(self, path: str, value: object, problems: list[str], *, present: bool = True) -> None:
        self.path = path
        self.present = present
        self.problems = problems
        self.sections: list[Fields] = []
        self._known: set[str] = set()
        if isinstance(value, Mapping):
            self._values: Mapping[str, Any] = value
        else:
            self._values = {}
            self.present = False
            where = f"The field {path}" if path else "The request"
            problems.append(f"{where} is {shown(value)}; it must be a JSON object.")

    def complain(self, name: str, text: str) -> None:
        """Record that a field is wrong; ``text`` ends the sentence."""
        self.problems.append(f"The field {self._name(name)} {text}.")

    def section(self, name: str, *, required: bool = False) -> "Fields":
        """Return the reader of a nested object, which may be left out unless required."""
        value = self._get(name)
        if value is None and required and self.present:
            self.complain(name, 'is missing; the least that a request says is {"dataset": {"name": "..."}}')
        section = Fields(
            self._name(name), {} if value is None else value, self.problems, present=value is not None
        )
        self.sections.append(section)
        return section

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Return a text, or None if there is none."""
        value = self._get(name)
        if value is None or value == "":
            if required:
                self.complain(name, "is missing")
            return None
        if not isinstance(value, str):
            self.complain(name, f"is {shown(value)}; it must be a text")
            return None
        if len(value) > TEXT_LENGTH:
            self.complain(name, f"has {len(value)} characters; at most {TEXT_LENGTH} are possible")
            return None
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value, False if there is none."""
        value = self._get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            self.complain(name, f"is {shown(value)}; it must be true or false")
            return False
        return value

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds, or None if there is none."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.complain(name, f"is {shown(value)}; it must be a whole number from {least} to {most}")
            return None
        return value

    @overload
    def number(self, name: str, least: float, most: float) -> float | None: ...
    @overload
    def number(self, name: str, least: float, most: float, words: Sequence[str]) -> float | str | None: ...
    def number(self, name: str, least: float, most: float, words: Sequence[str] = ()) -> float | str | None:
        """Return a number within bounds, or one of some words in its place, or None if there is none."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, str) and value in words:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            others = "".join(f" or {word}" for word in words)
            text = f"is {shown(value)}; it must be a number from {_plain(least)} to {_plain(most)}{others}"
            self.complain(name, text)
            return None
        return float(value)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of some words, or None if there is none."""
        value = self._get(name)
        if value is None:
            return None
        if not isinstance(value, str) or value not in choices:
            self.complain(name, f"is {shown(value)}; it must be one of {', '.join(choices)}")
            return None
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object with keys of its own choosing, empty if there is none."""
        value = self._get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.complain(name, f"is {shown(value)}; it must be a JSON object")
            return {}
        return value

    def refuse_unknown(self) -> None:
        """Record every field that nothing has asked for; call it after the reading."""
        for name in sorted(set(self._values) - self._known):
            self.complain(name[:40], f"is unknown here; known are {', '.join(sorted(self._known))}")

    def _get(self, name: str) -> Any:
        self._known.add(name)
        return self._values.get(name)

    def _name(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
