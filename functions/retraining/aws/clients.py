"""Clients of boto3, made at first use and kept, and the translation of their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as UnreachableError

from retraining.errors import AccessRefusedError, AwsError, TransientAwsError

_CONFIG = {"retries": {"mode": "standard", "max_attempts": 4}, "connect_timeout": 5, "read_timeout": 30}

_OF_SERVICE = {
    # A model may take 60 seconds for an answer; asking again and again would only add to its load.
    "sagemaker-runtime": {"retries": {"mode": "standard", "max_attempts": 2}, "read_timeout": 65},
}

_REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
)
_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ModelNotReadyException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


@cache
def client(service: str, region: str | None = None) -> Any:
    """Return the client of a service, in this region unless another is named."""
    return boto3.client(
        service, region_name=region, config=Config(**(_CONFIG | _OF_SERVICE.get(service, {})))
    )


def code(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """Return AWS's error message."""
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever boto3 raises inside into an `AwsError`.

    Parameters
    ----------
    doing : str
        What is being done, as the beginning of a sentence: ``Reading s3://...``.

    Raises
    ------
    AccessRefusedError
        The role lacks a permission.
    TransientAwsError
        Trying again may help.
    AwsError
        Anything else.
    """
    try:
        yield
    except ClientError as error:
        said = f"{doing} failed: {code(error)}: {message(error)}"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code(error) in _REFUSED:
            raise AccessRefusedError(
                f"{said} The function's role in template.yaml has to allow it."
            ) from error
        if code(error) in _TRANSIENT or status >= 500:
            raise TransientAwsError(said) from error
        raise AwsError(said) from error
    except (HTTPClientError, IncompleteReadError, UnreachableError) as error:
        raise TransientAwsError(f"{doing} failed: {error}") from error
    except BotoCoreError as error:
        raise AwsError(f"{doing} failed: {error}") from error
