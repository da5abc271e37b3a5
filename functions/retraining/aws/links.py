"""Links to objects in Amazon S3, for people who have no other way in."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated

LONGEST_HOURS = 12
"""A link ends with the credentials that signed it, and those of a function last no longer."""

_MISSING = frozenset({"403", "404", "NoSuchKey", "NotFound"})


class S3Links:
    """Presigned links: whoever has one may read the one object, for a while."""

    def link(self, bucket: str, key: str, hours: int) -> str:
        """Return a link that a browser opens as a page.

        Parameters
        ----------
        bucket, key : str
            The object.
        hours : int
            How long it holds at most; the credentials that signed it may end earlier.
        """
        request = {"Bucket": bucket, "Key": key, "ResponseContentDisposition": "inline"}
        with translated(f"Signing a link to s3://{bucket}/{key}"):
            return str(_client().generate_presigned_url("get_object", Params=request, ExpiresIn=hours * 3600))

    def exists(self, bucket: str, key: str) -> bool:
        """Whether a link would lead to something.

        Without the permission to list, S3 forbids what is missing.
        """
        with translated(f"Looking for s3://{bucket}/{key}"):
            try:
                client("s3").head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code(error) in _MISSING:
                    return False
                raise
        return True


@cache
def _client() -> Any:
    """Return a client whose links name the bucket's region; a signature does not outlive a redirection."""
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client("s3", config=config)
