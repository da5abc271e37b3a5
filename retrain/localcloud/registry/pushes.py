"""A push to a repository is an event, as in AWS, and pushing the same once more is refused.

MiniStack keeps the image and tells nobody.
"""

from __future__ import annotations

import hashlib
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.registry import ecr

DETAIL_TYPE = "ECR Image Action"


def tell(repository: str, digest: str, tag: str) -> None:
    """Send the event of a push that has succeeded; `tag` is empty where there is none."""
    detail = {
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": digest,
        "action-type": "PUSH",
        "image-tag": tag,
    }
    seams.put_aws_event("aws.ecr", DETAIL_TYPE, detail, [])


def _tags(repository: str, digest: str) -> list[str] | None:
    """The tags of an image, None if it is not there."""
    for image in ecr.module()._images.get(repository, []):
        if image["imageDigest"] == digest:
            return list(image.get("imageTags", []))
    return None


def put_image(original: Any, data: dict[str, Any]) -> seams.Response:
    """PutImage, with its event."""
    repository, tag = str(data.get("repositoryName", "")), str(data.get("imageTag") or "")
    manifest = str(data.get("imageManifest", ""))
    digest = data.get("imageDigest") or f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    tags = _tags(repository, digest)
    if tags is not None and (not tag or tag in tags):
        named = f" and tag '{tag}'" if tag else ""
        message = (
            f"Image with digest '{digest}'{named} already exists in the repository with name "
            f"'{repository}' in registry with id '{seams.account_id()}'"
        )
        return ecr.error("ImageAlreadyExistsException", message)
    response: seams.Response = original(data)
    if response[0] == 200:
        tell(repository, digest, tag)
    return response


def put_manifest(original: Any, name: str, ref: str, headers: dict[str, str], body: bytes) -> seams.Response:
    """What ``docker push`` ends with, with its event."""
    response: seams.Response = original(name, ref, headers, body)
    if response[0] == 201:
        tag = "" if ref.startswith("sha256:") else ref
        tell(name, response[1]["Docker-Content-Digest"], tag)
    return response


def install() -> None:
    """Tell of pushes, whichever way they come."""
    seams.wrap(ecr.ECR, "_put_image", put_image)
    seams.wrap(ecr.ECR, "_v2_put_manifest", put_manifest)
