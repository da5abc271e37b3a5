"""Lists in pages: a token says behind which element the next page begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from retrain.states.service.errors import ServiceError

T = TypeVar("T")

MOST = 1000
USUAL = 100


def invalid_token() -> ServiceError:
    """Return the error about a token that was not given out for this list."""
    return ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")


def encode(value: Any) -> str:
    """Return JSON as a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def decode(token: str) -> Any:
    """Return what a token was made of; InvalidToken where it is none."""
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, UnicodeError):
        raise invalid_token() from None


def page(
    elements: Sequence[T], request: dict[str, Any], scope: str, key: Callable[[T], Sequence[Any]]
) -> tuple[list[T], dict[str, str]]:
    """Return one page of a list, and the member `nextToken` if there are more.

    Parameters
    ----------
    elements
        The whole list in descending order of `key`.
    request
        With `maxResults` and `nextToken`.
    scope
        What the list is of: a token of another list is refused.
    key
        The place of an element, plain JSON and unique: what is added between two pages changes no page.
    """
    limit = request.get("maxResults") or USUAL
    rest = elements
    if request.get("nextToken") is not None:
        token = decode(request["nextToken"])
        if not isinstance(token, list) or len(token) != 2 or token[0] != scope:
            raise invalid_token()
        try:
            rest = [element for element in elements if list(key(element)) < token[1]]
        except TypeError:
            raise invalid_token() from None
    found = list(rest[:limit])
    if len(rest) <= limit:
        return found, {}
    return found, {"nextToken": encode([scope, list(key(found[-1]))])}
