"""How services say that something is not allowed, each in its own protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping

from retrain.localcloud import seams
from retrain.localcloud.authorisation.objects import ACTIONS
from retrain.localcloud.errors import AccessDeniedError, AuthorisationError

NOT_IMPLEMENTED = "NotImplementedException"
"""What is answered where the local cloud cannot decide; nobody tries that again."""

seams.expect(
    ACTIONS,
    "access_denied_response",
    "service action principal_arn request_id error_code message headers resource_arn explicit_deny "
    "resource_policy_arn",
)


def refusal(
    service: str, refused: AuthorisationError, method: str, headers: Mapping[str, str]
) -> seams.Response:
    """Return what a service answers to who may not do something.

    Parameters
    ----------
    service
        The name that its requests are signed with.
    refused
        Why.
    method, headers
        Of the request, because some services speak more than one protocol.
    """
    code = "" if isinstance(refused, AccessDeniedError) else NOT_IMPLEMENTED
    if headers.get("x-amz-target") and service != "sqs":
        # As AWS's services with such protocols do: 400.
        body = {"__type": code or "AccessDeniedException", "message": str(refused)}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()
    status, made, content = seams.module(ACTIONS).access_denied_response(
        service, "", "", "", error_code=code, message=str(refused), headers=dict(headers)
    )
    return int(status), dict(made), b"" if method == "HEAD" else bytes(content)
