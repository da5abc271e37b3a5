"""S3 for distributed Map states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from retrain.states.execution.protocols import StoredObject
from retrain.states.tasks.calls import Answer, Caller
from retrain.states.tasks.failures import of_sdk

_PAGE = 1000


class S3Items:
    """Reads items from S3 and writes results there; an `ItemStore`.

    Parameters
    ----------
    caller
        Calls S3.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def read_object(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return an object's content.

        Raises
        ------
        StatesError
            As a task of `aws-sdk:s3:getObject` would fail.
        """
        request = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
        return bytes((await self._call("GetObject", request))["Body"])

    async def list_objects(
        self, bucket: str, prefix: str, limit: int | None = None
    ) -> Sequence[StoredObject]:
        """Return the objects whose keys begin with a prefix, in the order of their keys."""
        found: list[StoredObject] = []
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            page = await self._call("ListObjectsV2", request)
            found += [_stored(entry) for entry in page.get("Contents", ())]
            if limit is not None and len(found) >= limit:
                return found[:limit]
            if not page.get("IsTruncated"):
                return found
            request = {**request, "ContinuationToken": page["NextContinuationToken"]}

    async def write_object(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Write an object."""
        await self._call(
            "PutObject", {"Bucket": bucket, "Key": key, "Body": body, "ContentType": content_type}
        )

    async def _call(self, operation: str, request: dict[str, Any]) -> Answer:
        try:
            return await self._caller.call("s3", operation, request)
        except (ClientError, BotoCoreError) as error:
            raise of_sdk(error, "s3", f"s3:{operation}") from error


def _stored(entry: dict[str, Any]) -> StoredObject:
    kept: dict[str, Any] = {
        name: entry[name] for name in ("Key", "Size", "ETag", "StorageClass") if name in entry
    }
    return StoredObject({**kept, "LastModified": entry["LastModified"].timestamp()})
