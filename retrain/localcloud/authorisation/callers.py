"""Who calls: credentials of roles, and the role that a request's access key stands for."""

from __future__ import annotations

import hashlib
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.authorisation.decisions import Caller

STS = "ministack.services.sts"

seams.expect(STS, "_sessions", None)
seams.expect(STS, "register_session", "access_key session")
seams.expect(seams.LAMBDA, "_functions", None)
seams.expect(seams.RUNTIME, "execution_credentials", "config")
seams.expect(seams.ROUTER, "extract_access_key_id", "headers query_params")


def credentials(caller: Caller) -> dict[str, str]:
    """Return credentials by which requests are known to be a caller's, as environment variables.

    They are the same each time, so that a link that was signed with them is good after a restart.
    """
    digest = hashlib.sha256(f"{caller.role_arn}:{caller.session}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    secret, token = (hashlib.sha256(f"{part}:{digest}".encode()).hexdigest() for part in ("secret", "token"))
    if key not in seams.module(STS)._sessions:
        seams.module(STS).register_session(
            key,
            {
                "Arn": caller.arn,
                "UserId": f"{caller.role_arn.rsplit('/', 1)[-1]}:{caller.session}",
                "SecretAccessKey": secret,
                "SessionToken": token,
            },
        )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def of_function(config: dict[str, Any]) -> Caller:
    """Return as whom a function acts, by its configuration."""
    return Caller(str(config.get("Role", "")), str(config["FunctionName"])[:64])


def of_request(headers: dict[str, str], query: dict[str, list[str]]) -> Caller | None:
    """Return who sent a request, if that is somebody who acts in a role; None for everybody else.

    Parameters
    ----------
    headers
        By their names in lower case.
    query
        Of the URL: links carry their credentials there.
    """
    key = seams.module(seams.ROUTER).extract_access_key_id(headers, query)
    if not key.startswith("ASIA"):
        return None
    sessions = seams.module(STS)._sessions
    if key not in sessions:
        _remember_functions()
    session = sessions.get(key)
    _, kind, rest = str((session or {}).get("Arn", "")).partition(":assumed-role/")
    if session is None or not kind:
        return None
    role, _, name = rest.partition("/")
    account = str(session["Arn"]).split(":")[4]
    return Caller(f"arn:aws:iam::{account}:role/{role}", name)


def _remember_functions() -> None:
    """Let the credentials of all functions be known: links outlive the server that they were signed in."""
    for record in list(seams.module(seams.LAMBDA)._functions._data.values()):
        credentials(of_function(record["config"]))


def install() -> None:
    """Let each function have credentials of its own role."""

    def own(original: Any, config: dict[str, Any]) -> dict[str, str]:
        if not config.get("Role"):
            given: dict[str, str] = original(config)
            return given
        return credentials(of_function(config))

    seams.wrap(seams.RUNTIME, "execution_credentials", own)
