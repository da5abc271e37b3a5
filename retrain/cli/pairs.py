"""Arguments of the form NAME=VALUE."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def parse_pairs(texts: Iterable[str], refusal: Callable[[str], Exception]) -> dict[str, str]:
    """Read arguments of the form NAME=VALUE; of a name that comes twice the last value counts.

    Raises
    ------
    Exception
        What `refusal` returns for an argument that is not of that form.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise refusal(text)
        found[name] = value
    return found
