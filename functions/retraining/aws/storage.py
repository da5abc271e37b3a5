"""Amazon S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated
from retraining.datasets import StoredObject
from retraining.errors import ObjectMissingError

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class S3Storage:
    """Objects in S3; implements `retraining.ports.Storage`."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Yield everything under a prefix, page by page."""
        with translated(f"Listing s3://{bucket}/{prefix}"):
            pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", []):
                    yield StoredObject(
                        entry["Key"], entry["Size"], entry["ETag"].strip('"'), entry["LastModified"]
                    )

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's content."""
        with self.open(bucket, key) as stream:
            return stream.read()

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[IO[bytes]]:
        """Open an object for reading forwards."""
        with translated(f"Reading s3://{bucket}/{key}"):
            try:
                body = client("s3").get_object(Bucket=bucket, Key=key)["Body"]
            except ClientError as error:
                if code(error) in _MISSING:
                    raise ObjectMissingError(f"There is no s3://{bucket}/{key}.") from error
                raise
            with body:
                yield cast(IO[bytes], body)

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Create or replace an object."""
        with translated(f"Writing s3://{bucket}/{key}"):
            client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
