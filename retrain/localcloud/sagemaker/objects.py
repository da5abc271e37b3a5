"""S3 as SageMaker uses it: listing, fetching, storing; and the URIs that name things there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import boto3.exceptions
import botocore.exceptions

from retrain.localcloud.clients import client


class ObjectError(Exception):
    """S3 did not give or take an object; the text is S3's reason."""


@dataclass(frozen=True)
class S3Uri:
    """A place in S3.

    Attributes
    ----------
    bucket, key
        As in ``s3://bucket/key``; `key` may be empty, and may be a prefix.
    """

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Read ``s3://bucket/key``.

        Raises
        ------
        ValueError
            If the text is no such URI.
        """
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValueError(f"{uri!r} is no S3 URI of the form s3://bucket/key.")
        return cls(bucket, key)

    def child(self, *names: str) -> S3Uri:
        """Return the place below this one, as a folder."""
        return S3Uri(self.bucket, "/".join([*filter(None, [self.key.rstrip("/")]), *names]))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class StoredObject:
    """One object of a listing.

    Attributes
    ----------
    key, etag
        As S3 gives them.
    size
        In bytes.
    """

    key: str
    size: int
    etag: str


class ObjectStore(Protocol):
    """What SageMaker needs of S3. Every method raises ObjectError with S3's reason."""

    def list_objects(self, prefix: S3Uri) -> Iterator[StoredObject]:
        """List the objects whose keys begin with the prefix, in the order of keys."""
        ...

    def fetch(self, source: S3Uri, target: Path) -> None:
        """Write an object to a file, whose folder exists."""
        ...

    def store(self, source: Path, target: S3Uri) -> None:
        """Write a file to an object."""
        ...


class S3ObjectStore:
    """The local cloud's S3.

    Parameters
    ----------
    endpoint_url
        The local cloud.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._client = client("s3", endpoint_url)

    def list_objects(self, prefix: S3Uri) -> Iterator[StoredObject]:
        """List the objects whose keys begin with the prefix, in the order of keys."""
        paginator = self._client.get_paginator("list_objects_v2")
        try:
            for page in paginator.paginate(Bucket=prefix.bucket, Prefix=prefix.key):
                for item in page.get("Contents", []):
                    yield StoredObject(item["Key"], item["Size"], item["ETag"])
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise ObjectError(str(error)) from error

    def fetch(self, source: S3Uri, target: Path) -> None:
        """Write an object to a file, whose folder exists."""
        try:
            body = self._client.get_object(Bucket=source.bucket, Key=source.key)["Body"]
            with target.open("wb") as file:
                shutil.copyfileobj(body, file, 1 << 20)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise ObjectError(str(error)) from error

    def store(self, source: Path, target: S3Uri) -> None:
        """Write a file to an object."""
        try:
            self._client.upload_file(str(source), target.bucket, target.key)
        except (
            boto3.exceptions.Boto3Error,
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
        ) as error:
            raise ObjectError(str(error)) from error
