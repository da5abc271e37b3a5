"""sagemaker-runtime: InvokeEndpoint, passed on to the server that the endpoint's policy chooses."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.parse
from typing import Any

import httpx

from retrain.localcloud.environment import ACCOUNT, REGION
from retrain.localcloud.sagemaker.hosting.endpoints import Endpoints
from retrain.localcloud.sagemaker.hosting.metrics import served
from retrain.localcloud.sagemaker.hosting.server import ModelServer
from retrain.localcloud.sagemaker.platform import Platform

Answer = tuple[int, dict[str, str], bytes]

MAX_BODY_BYTES = 6_291_456
_RESUME_SECONDS = 30.0
_PATH = re.compile(
    r"^/endpoints/(?P<endpoint>[^/]+)/(?P<action>invocations|invocations-response-stream|async-invocations)$"
)
_PASSED_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id")
_REFUSED = {
    "x-amzn-sagemaker-target-model": "TargetModel",
    "x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
    "x-amzn-sagemaker-session-id": "SessionId",
    "x-amzn-sagemaker-enable-explanations": "EnableExplanations",
}


class Runtime:
    """Answers invocations.

    Parameters
    ----------
    platform, endpoints
        The surroundings.
    """

    def __init__(self, platform: Platform, endpoints: Endpoints) -> None:
        self._platform = platform
        self._endpoints = endpoints
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    @staticmethod
    def handles(path: str) -> bool:
        """Whether a path belongs to sagemaker-runtime."""
        return path.startswith("/endpoints/")

    async def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request."""
        match = _PATH.match(path)
        if match is None or method != "POST":
            return _error(
                400, "UnknownOperationException", f"{method} {path} is no operation of sagemaker-runtime."
            )
        if match["action"] != "invocations":
            what = f"sagemaker-runtime {match['action']}"
            return _error(400, "UnsupportedOperation", f"{what} is not implemented in the local cloud.")
        for header, member in _REFUSED.items():
            if header in headers:
                message = f"InvokeEndpoint: {member} is not implemented in the local cloud."
                return _error(400, "UnsupportedOperation", message)
        if len(body) > MAX_BODY_BYTES:
            return _error(413, "", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.")
        name = urllib.parse.unquote(match["endpoint"])
        return await self._invoke(name, headers, body)

    async def _invoke(self, name: str, headers: dict[str, str], body: bytes) -> Answer:
        began = time.monotonic()
        live = self._endpoints.live(name)
        deadline = began + _RESUME_SECONDS
        while live is not None and live.policy is None and live.coming_back:
            # It served when the local cloud was stopped, and is coming up again.
            if time.monotonic() > deadline:
                return _error(503, "ServiceUnavailable", f"Endpoint {name} is not ready yet.")
            await asyncio.sleep(0.1)
        variant = headers.get("x-amzn-sagemaker-target-variant")
        while True:
            policy = live.policy if live is not None else None
            if policy is None:
                return _error(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
            server = policy.choose(variant)
            if server is None:
                return _error(
                    400, "ValidationError", f"Variant {variant or ''} of endpoint {name} was not found."
                )
            port = server.acquire()
            if port is not None or not server.is_retired:
                break
            # It was retired between the choice and now: another one has taken over.
            await asyncio.sleep(0)
        if port is None:  # it died, and is being restarted or was given up: nobody else answers for it
            served(self._platform.monitoring, server, 0, 0.0, time.monotonic() - began)
            reason = f" Its last words: {server.last_error}" if server.last_error else ""
            message = f"The container of endpoint {name} is not running.{reason}"
            return _error(503, "ServiceUnavailable", message)
        try:
            return await self._pass_on(server, port, headers, body, began)
        finally:
            server.release()

    async def _pass_on(
        self, server: ModelServer, port: int, headers: dict[str, str], body: bytes, began: float
    ) -> Answer:
        passed_on = time.monotonic()
        status, answer = await self._ask(server, port, headers, body)
        answered = time.monotonic()
        served(self._platform.monitoring, server, status, answered - passed_on, answered - began)
        return answer

    async def _ask(
        self, server: ModelServer, port: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, Answer]:
        """Return the model's status, 0 if it did not answer, and the answer to the caller."""
        sent = {header: headers[header] for header in _PASSED_ON if header in headers}
        try:
            response = await self._http().post(
                f"http://127.0.0.1:{port}/invocations",
                content=body,
                headers=sent,
                timeout=self._platform.settings.invocation,
            )
        except httpx.TimeoutException:
            message = (
                "Your invocation timed out while waiting for a response from container primary. Review the "
                "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
            )
            return 0, _model_error(server, 0, message)
        except httpx.HTTPError as error:
            return 0, _model_error(server, 0, f"The container closed the connection: {error}")
        if not response.is_success:
            return response.status_code, _model_error(server, response.status_code, response.text)
        answer = {"x-Amzn-Invoked-Production-Variant": server.spec["variant"]}
        for header in ("content-type", "x-amzn-sagemaker-custom-attributes"):
            if header in response.headers:
                answer[header] = response.headers[header]
        return response.status_code, (200, answer, response.content)

    def _http(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            # A developer's proxy is not asked for 127.0.0.1.
            # Idle connections are given up before a model's server does so (uvicorn: 5 s, gunicorn: 2 s): a
            # request sent in that very moment would be lost.
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=1.0)
            self._client = (loop, httpx.AsyncClient(trust_env=False, limits=limits))
        return self._client[1]


def _error(status: int, code: str, message: str, **members: Any) -> Answer:
    headers = {"Content-Type": "application/json"}
    if code:
        headers["x-amzn-ErrorType"] = code
    return status, headers, json.dumps({"Message": message, "message": message, **members}).encode()


def _model_error(server: ModelServer, status: int, text: str) -> Answer:
    """Answer for a model that answered with an error, or not at all, as AWS does (HTTP 424, ModelError)."""
    who = "client" if 400 <= status < 500 else "server"
    message = (
        f'Received {who} error ({status}) from primary with message "{text}". '
        f"See the log group {server.log_group} in account {ACCOUNT} for more information."
    )
    return _error(
        424,
        "ModelError",
        message,
        OriginalStatusCode=status,
        OriginalMessage=text,
        LogStreamArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{server.log_group}:log-stream:{server.log_stream}",
    )
