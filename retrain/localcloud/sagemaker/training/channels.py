"""Input channels: which objects of S3 go to which instance, and putting them there."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from retrain.localcloud.environment import REGION
from retrain.localcloud.sagemaker.downloads import DownloadError, place_all, relative_path
from retrain.localcloud.sagemaker.errors import JobError
from retrain.localcloud.sagemaker.objects import ObjectError, ObjectStore, S3Uri, StoredObject
from retrain.localcloud.sagemaker.roles import Cache

Listing = list[tuple[StoredObject, PurePosixPath]]


def download(
    channel: dict[str, Any], folders: list[Path], *, objects: ObjectStore, cache: Cache, role_arn: str
) -> None:
    """Lay down one channel on every instance.

    Parameters
    ----------
    channel
        One element of InputDataConfig.
    folders
        The channel's folder on each instance, in the order of hosts.
    objects, cache
        S3.
    role_arn
        Named in the message, as AWS does.

    Raises
    ------
    JobError
        If nothing is found, or something found cannot be laid down.
    """
    source = channel["DataSource"]["S3DataSource"]
    uri = S3Uri.parse(source["S3Uri"])
    try:
        if source["S3DataType"] == "ManifestFile":
            bucket, listing = _manifest(uri, objects, folders[0].parent)
        else:
            bucket, listing = uri.bucket, _under(uri, objects)
        if not listing:
            raise JobError(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input '
                f"data source. Please ensure that the bucket exists in the selected region ({REGION}), that "
                f'objects exist under that S3 prefix, and that the role "{role_arn}" has "s3:ListBucket" '
                f'permissions on bucket "{uri.bucket}".'
            )
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        for number, folder in enumerate(folders):
            place_all(cache, bucket, listing[number :: len(folders)] if sharded else listing, folder)
    except (ObjectError, DownloadError) as error:
        raise JobError(
            f"ClientError: Data download failed:channel {channel['ChannelName']}, {uri}: {error}"
        ) from error


def _under(uri: S3Uri, objects: ObjectStore) -> Listing:
    listing = []
    for found in sorted(objects.list_objects(uri), key=lambda item: item.key):
        path = relative_path(uri.key, found.key)
        if path is not None:
            listing.append((found, path))
    return listing


def _manifest(uri: S3Uri, objects: ObjectStore, scratch: Path) -> tuple[str, Listing]:
    """Read a manifest: ``[{"prefix": "s3://bucket/some/prefix/"}, "relative/key", ...]``."""
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / "manifest.json"
    objects.fetch(uri, file)
    try:
        first, *keys = json.loads(file.read_text(encoding="utf-8"))
        prefix = S3Uri.parse(first["prefix"])
        if not all(isinstance(key, str) for key in keys):
            raise TypeError("keys must be strings")
    except (ValueError, TypeError, KeyError) as error:
        raise DownloadError(f"the manifest is no JSON list of a prefix and keys: {error}") from error
    finally:
        file.unlink()
    known = {found.key: found for found in objects.list_objects(prefix)}
    listing = []
    for key in keys:
        found = known.get(prefix.key + key)
        path = relative_path(prefix.key, prefix.key + key)
        if found is None or path is None:
            raise DownloadError(
                f"the manifest names s3://{prefix.bucket}/{prefix.key}{key}, which does not exist"
            )
        listing.append((found, path))
    return prefix.bucket, listing
