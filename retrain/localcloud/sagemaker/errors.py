"""Errors of the local SageMaker.

::

    LocalCloudError
    ├── ApiError                  what a caller gets as an AWS error, with AWS's code
    │   ├── InvalidRequestError       ValidationException
    │   ├── MalformedRequestError     SerializationException
    │   ├── UnknownOperationError     UnknownOperationException
    │   ├── UnsupportedError          UnsupportedOperation: AWS can do it, the local cloud cannot
    │   ├── ResourceInUseError        ResourceInUse
    │   ├── ResourceNotFoundError     ResourceNotFound
    │   └── ConflictError             ConflictException
    ├── JobError                  what ends a training job; its text becomes FailureReason
    └── DeploymentError           what keeps an endpoint from coming up; its text becomes FailureReason

Every `ApiError` is an HTTP 4xx, which no AWS client retries by itself.
"""

from __future__ import annotations

from retrain.localcloud.errors import LocalCloudError


class ApiError(LocalCloudError):
    """An error that a caller of the API gets.

    Attributes
    ----------
    code
        AWS's name of the error, as on the wire.
    message
        AWS's words where they are known.
    status
        HTTP status.
    """

    code = "InternalFailure"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequestError(ApiError):
    """The request breaks a rule of the API."""

    code = "ValidationException"


class MalformedRequestError(ApiError):
    """The request cannot be read: no JSON, or a value of another type."""

    code = "SerializationException"


class UnknownOperationError(ApiError):
    """SageMaker has no such operation."""

    code = "UnknownOperationException"


class UnsupportedError(ApiError):
    """SageMaker can do this, the local cloud cannot."""

    code = "UnsupportedOperation"

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} is not implemented in the local cloud." + (f" {remedy}" if remedy else ""))


class ResourceInUseError(ApiError):
    """The name is taken."""

    code = "ResourceInUse"


class ResourceNotFoundError(ApiError):
    """There is no such resource."""

    code = "ResourceNotFound"


class ConflictError(ApiError):
    """The resource is in a state that does not allow this."""

    code = "ConflictException"


class JobError(LocalCloudError):
    """Ends a training job; the text becomes its FailureReason."""


class DeploymentError(LocalCloudError):
    """Keeps servers from coming up; the text becomes the endpoint's FailureReason."""
