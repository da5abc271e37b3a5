"""What botocore's exceptions mean, in sentences that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from retrain.errors import AccessDeniedError, AwsCallError, CloudError, CloudUnreachableError, NoCloudError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}


@contextmanager
def explained_errors(doing: str, endpoint_url: str | None = None) -> Iterator[None]:
    """Turn botocore's exceptions into the package's own.

    Parameters
    ----------
    doing : str
        What was being done, as it completes "while …".
    endpoint_url : str, optional
        Where, if not where boto3 goes by itself; the message names it.

    Raises
    ------
    CloudError
        One of its subclasses, whose message says what to do.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as botocore

    try:
        yield
    except botocore.ClientError as error:
        raise _explain_refusal(error, doing) from error
    except (botocore.NoCredentialsError, botocore.CredentialRetrievalError) as error:
        raise no_credentials() from error
    except botocore.ProfileNotFound as error:
        raise NoCloudError(f"{error}. 'aws configure list-profiles' names those that exist.") from error
    except botocore.NoRegionError as error:
        raise NoCloudError("No AWS region is set: pass --region, or set AWS_DEFAULT_REGION.") from error
    except (botocore.EndpointConnectionError, botocore.ConnectionError, botocore.HTTPClientError) as error:
        raise _explain_silence(error, doing, endpoint_url) from error
    except (botocore.BotoCoreError, Boto3Error) as error:
        raise CloudError(f"AWS could not be used while {doing}: {error}") from error


def no_credentials() -> NoCloudError:
    """Return the error for a machine with neither a local cloud nor credentials."""
    return NoCloudError(
        "No local cloud is running here and there are no AWS credentials: start the local cloud with "
        "'retrain local up', or set up credentials with 'aws configure' (or --profile)."
    )


def _explain_refusal(error: Any, doing: str) -> CloudError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = str(error.response.get("Error", {}).get("Message", error)).rstrip(".")
    if code in _DENIED:
        return AccessDeniedError(
            f"AWS refused {error.operation_name} while {doing}: {message} ({code}). Check the credentials "
            "('aws sts get-caller-identity') and what they allow."
        )
    return AwsCallError(f"{error.operation_name} failed while {doing}: {message} ({code}).", code=code)


def _explain_silence(error: Exception, doing: str, endpoint_url: str | None) -> CloudUnreachableError:
    url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
    if url:
        return CloudUnreachableError(
            f"Nothing answers at {url} (while {doing}): is the local cloud up? 'retrain local status' tells, "
            "'retrain local up' starts it."
        )
    return CloudUnreachableError(f"AWS could not be reached while {doing}: {error}")
