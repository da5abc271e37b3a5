"""Lambda functions for tasks, without HTTP and without a thread that waits."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import quote

from retrain.localcloud import seams
from retrain.states.tasks.calls import Answer
from retrain.states.tasks.failures import client_error

# Invocations that nobody waits for any longer, until they have ended.
_left: set[asyncio.Future[Any]] = set()


async def invoke(operation: str, request: dict[str, Any]) -> Answer | None:
    """Answer Invoke by MiniStack's Lambda; every other operation goes its usual way.

    Cancelled, it returns at once; the function runs on to its end, as in AWS.
    """
    if operation != "Invoke":
        return None
    headers = {"content-type": "application/json"}
    for member, header in (
        ("InvocationType", "x-amz-invocation-type"),
        ("LogType", "x-amz-log-type"),
        ("ClientContext", "x-amz-client-context"),
    ):
        if request.get(member) is not None:
            headers[header] = request[member]
    query = {"Qualifier": [request["Qualifier"]]} if request.get("Qualifier") is not None else {}
    path = f"/2015-03-31/functions/{quote(request['FunctionName'], safe=':')}/invocations"
    answering = asyncio.ensure_future(
        seams.call_service("lambda", "POST", path, headers, request.get("Payload") or b"{}", query)
    )
    _left.add(answering)
    answering.add_done_callback(_left.discard)
    status, given, body = await asyncio.shield(answering)
    return _answer(status, {name.lower(): value for name, value in given.items()}, body)


def _answer(status: int, headers: dict[str, str], body: bytes) -> Answer:
    if status >= 400:
        described = json.loads(body or b"{}")
        code = headers.get("x-amzn-errortype") or described.get("__type") or "ServiceException"
        message = described.get("message") or described.get("Message") or ""
        raise client_error(str(code).rsplit("#", 1)[-1], str(message), "Invoke", status)
    answer: dict[str, Any] = {
        "StatusCode": status,
        "Payload": body,
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "HTTPHeaders": headers,
            "RequestId": headers.get("x-amzn-requestid") or str(uuid.uuid4()),
        },
    }
    for member, header in (
        ("ExecutedVersion", "x-amz-executed-version"),
        ("FunctionError", "x-amz-function-error"),
        ("LogResult", "x-amz-log-result"),
    ):
        if header in headers:
            answer[member] = headers[header]
    return answer
