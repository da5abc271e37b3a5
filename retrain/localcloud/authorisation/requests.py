"""What an HTTP request asks for: a service, an operation and its members, as boto3 has them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from retrain.localcloud.errors import UnmappedCallError

_BOTO3 = {"states": "stepfunctions", "monitoring": "cloudwatch"}
"""By the name that requests are signed with, where boto3's is another."""

_INVOKE = re.compile(r"/[0-9-]+/functions/(?P<name>[^/]+)/invocations")
_ASK = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation.

    Attributes
    ----------
    service
        boto3's name.
    operation
        As in the API.
    members
        Of the request.
    """

    service: str
    operation: str
    members: Mapping[str, Any]


def read(
    service: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
) -> Call:
    """Return the call that a request is; S3's are read in `retrain.localcloud.authorisation.objects`.

    Parameters
    ----------
    service
        The name that requests of the service are signed with.
    path, headers, query, body
        Of the request; names of headers in lower case.

    Raises
    ------
    UnmappedCallError
        The request is of a kind that is not understood.
    """
    if headers.get("content-encoding", "") == "gzip":
        body = gzip.decompress(body)
    name = _BOTO3.get(service, service)
    try:
        if target := headers.get("x-amz-target"):
            return Call(name, target.rpartition(".")[2], json.loads(body or b"{}"))
        if service == "lambda" and (invoked := _INVOKE.fullmatch(path)):
            qualifier = {"Qualifier": query["Qualifier"][0]} if "Qualifier" in query else {}
            return Call("lambda", "Invoke", {"FunctionName": unquote(invoked["name"]), **qualifier})
        if service == "sagemaker" and (asked := _ASK.fullmatch(path)):
            return Call("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": unquote(asked["name"])})
        form = {**query, **parse_qs(body.decode(), keep_blank_values=True)}
        if "Action" in form:
            members = {member: values[0] for member, values in form.items()}
            return Call(name, members.pop("Action"), members)
    except ValueError as error:
        raise UnmappedCallError(f"A request to {service} cannot be read: {error}") from error
    raise UnmappedCallError(f"It is not known what a request to {service} at {path} asks for.")
