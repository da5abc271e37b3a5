"""A service that the local cloud does not have is refused in words that every SDK can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

from retrain.localcloud import seams

seams.expect("ministack.app", "SERVICE_HANDLERS", None)

_CODE = "NotImplementedException"


def refusal(service: str) -> seams.Handler:
    """A handler that says that there is no such service here."""
    message = f"The local cloud does not have the service {service}."

    async def refuse(_method: str, _path: str, headers: dict[str, str], *_: Any) -> seams.Response:
        if "x-www-form-urlencoded" in headers.get("content-type", ""):  # the query protocol speaks XML
            error = (
                f"<Error><Type>Sender</Type><Code>{_CODE}</Code><Message>{escape(message)}</Message></Error>"
            )
            return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode()
        answer = {"__type": _CODE, "message": message}
        return (
            400,
            {"Content-Type": "application/json", "x-amzn-errortype": _CODE},
            json.dumps(answer).encode(),
        )

    return refuse


class _Handlers(dict[str, Any]):
    """MiniStack's handlers by service, and a refusal for every other."""

    def get(self, service: str, default: Any = None) -> Any:
        return self[service] if service in self else (default or refusal(service))


def install() -> None:
    """Refuse services that are not served."""
    handlers: dict[str, Callable[..., Any]] = seams.module("ministack.app").SERVICE_HANDLERS
    seams.replace("ministack.app", "SERVICE_HANDLERS", _Handlers(handlers))
