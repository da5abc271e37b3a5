"""The way to Step Functions, if no client is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError


def default_client() -> Any:
    """Return the client of AWS, or of the local cloud if one is up; see `retrain.aws.find_target`."""
    from retrain.aws import connect

    return connect().client("stepfunctions")


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Explain what keeps a call from being made; what AWS itself answers stays botocore's ClientError."""
    from retrain.aws_errors import explained_errors

    refusal: ClientError | None = None
    with explained_errors(doing):
        try:
            yield
        except ClientError as error:
            refusal = error
    if refusal is not None:
        raise refusal
