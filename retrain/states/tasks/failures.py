"""The errors of AWS's services as state machines see them: names that Retry and Catch match, and causes."""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from retrain.states.errors import RUNTIME, StatesError
from retrain.states.tasks.naming import error_prefix, exception_name, service_model
from retrain.states.tasks.optimised import Integration

NOT_IMPLEMENTED = "NotImplementedException"
"""The code by which an endpoint says that it lacks a service or an operation which AWS has."""


def unusable(problem: str) -> StatesError:
    """Return the error of a task whose evaluated parameters cannot be sent."""
    return StatesError(RUNTIME, f"The Parameters could not be used to start the Task: [{problem}]")


def not_implemented(resource: str, why: str = "") -> StatesError:
    """Return the error of a task that AWS could run and this engine cannot; nothing catches it."""
    return StatesError(RUNTIME, f"{resource} is not implemented here." + (f" {why}" if why else ""))


def client_error(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    """Return botocore's exception for an error of a service that was called without HTTP."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "RequestId": str(uuid.uuid4()),
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        },
        operation,
    )


def of_sdk(error: Exception, service: str, resource: str) -> StatesError:
    """Return what a failed call of an `aws-sdk:…` task is to the state machine (the SDK's version 2)."""
    prefix = error_prefix(service)
    if not isinstance(error, ClientError):
        return StatesError(f"{prefix}.SdkClientException", _transport(error))
    code, message, status, request = _parts(error)
    if code == NOT_IMPLEMENTED:
        return not_implemented(resource, message)
    modelled = _modelled(service, code)
    name = modelled or f"{prefix}Exception"
    cause = f"{message} (Service: {prefix}, Status Code: {status}, Request ID: {request})"
    return StatesError(f"{prefix}.{name}", cause)


def of_optimised(error: Exception, integration: Integration, resource: str) -> StatesError:
    """Return what a failed call of an optimised integration is to the state machine (the SDK's version 1)."""
    if not isinstance(error, ClientError):
        return StatesError(f"{integration.prefix}.SdkClientException", _transport(error))
    code, message, status, request = _parts(error)
    if code == NOT_IMPLEMENTED:
        return not_implemented(resource, message)
    name = _modelled(integration.service, code) or integration.base_exception
    cause = (
        f"{message} (Service: {integration.java_service}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {request}; Proxy: null)"
    )
    return StatesError(f"{integration.prefix}.{name}", cause)


def _transport(error: Exception) -> str:
    if isinstance(error, BotoCoreError | OSError):
        return f"Unable to execute HTTP request: {error}"
    return f"{type(error).__name__}: {error}"


def _parts(error: ClientError) -> tuple[str, str, int, str]:
    response: dict[str, Any] = error.response
    described = response.get("Error", {})
    metadata = response.get("ResponseMetadata", {})
    code = str(described.get("Code", "Unknown")).rsplit("#", 1)[-1]
    status = int(metadata.get("HTTPStatusCode", 400))
    request = str(metadata.get("RequestId") or uuid.uuid4())
    return code, str(described.get("Message", "")), status, request


def _modelled(service: str, code: str) -> str | None:
    """Return the exception class of an error that the service's model has, else None."""
    for shape in service_model(service).error_shapes:
        if code in (shape.name, shape.error_code):
            return exception_name(shape.name)
    return None
