"""The files by which builds say which image they have made.

``imageDetail.json`` is what CodePipeline's ECR source writes, and what CodeDeploy reads: one object with
``ImageURI``. ``imagedefinitions.json`` is what the ECS deployment reads: a list of containers with ``name``
and ``imageUri``.
"""

import json
from typing import Any

from retraining import images
from retraining.errors import ArtifactError
from retraining.fields import shown

DETAIL = "imageDetail.json"
DEFINITIONS = "imagedefinitions.json"
NAMES = (DETAIL, DEFINITIONS)
"""The first one that is there counts: it may have the digest."""


def image(name: str, content: bytes, container: str) -> str:
    """Return the image that a file names.

    Parameters
    ----------
    name : str
        Which of `NAMES` it is.
    content : bytes
        The file.
    container : str
        Which entry of imagedefinitions.json is meant; empty if it has but one.

    Raises
    ------
    ArtifactError
        The file names no image, or leaves open which one.
    """
    try:
        # Builds on Windows begin their files with a byte order mark.
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{name} in the input artifact is no JSON: {error}") from None
    return _from_detail(found) if name == DETAIL else _from_definitions(found, container)


def _from_detail(found: Any) -> str:
    uri = found.get("ImageURI") if isinstance(found, dict) else None
    reference = _reference(uri, f'{DETAIL} must be an object such as {{"ImageURI": "repository:tag"}}')
    digest = found.get("ImageDigest")
    if reference.digest or not digest:
        return str(reference)
    pinned = images.parse(f"{reference}@{digest}") if isinstance(digest, str) else None
    if pinned is None:
        raise ArtifactError(f"The ImageDigest in {DETAIL} is {shown(digest)}; it must be sha256:...")
    return str(pinned)


def _from_definitions(found: Any, container: str) -> str:
    form = f'{DEFINITIONS} must be a list such as [{{"name": "training", "imageUri": "repository:tag"}}]'
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ArtifactError(f"{form}, but it is {shown(found)}.")
    names = [str(entry.get("name")) for entry in found]
    chosen = [entry for entry in found if not container or entry.get("name") == container]
    if len(chosen) == 1:
        return str(_reference(chosen[0].get("imageUri"), form))
    listed = ", ".join(names[:20]) or "none"
    if container:
        raise ArtifactError(
            f"{DEFINITIONS} has {len(chosen)} entries named {shown(container)} and must have one; it has "
            f"{listed}."
        )
    raise ArtifactError(
        f"{DEFINITIONS} has {len(found)} entries ({listed}): say which one is meant in the field container "
        "of the action's UserParameters."
    )


def _reference(uri: object, form: str) -> images.Image:
    reference = images.parse(uri) if isinstance(uri, str) else None
    if reference is None:
        raise ArtifactError(f"{form}, but it names the image {shown(uri)}.")
    return reference
