"""Local images: a folder with a Dockerfile stands for a container image, and is run without Docker.

What is run is the Dockerfile's exec-form ENTRYPOINT followed by ``train`` or ``serve``, as SageMaker does,
with this Python in the place of the image's. ENV and the like are not applied: an image's environment is a
container's.
"""

from __future__ import annotations

import fnmatch
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ImageError(Exception):
    """No local image stands for an image URI, or it cannot be run; the text says why and what to do."""


@dataclass(frozen=True)
class LocalImage:
    """An image that can be run.

    Attributes
    ----------
    folder
        The image's program; it will be on PYTHONPATH.
    entrypoint
        What runs it; ``train`` or ``serve`` is appended.
    """

    folder: Path
    entrypoint: tuple[str, ...]


def repository(image_uri: str) -> str:
    """Return the repository of an image URI: without registry host, tag and digest.

    >>> repository("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model:1.2@sha256:00")
    'team/model'
    """
    name = image_uri.split("@")[0]
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = rest
    return re.sub(r":[^/:]*$", "", name)


def resolve(image_uri: str, images: Mapping[str, Path]) -> LocalImage:
    """Find the local image that stands for an image URI.

    Parameters
    ----------
    image_uri
        As in TrainingImage or a container's Image.
    images
        Glob pattern on the repository to folder; the first that matches is taken.

    Raises
    ------
    ImageError
        If none matches, or its Dockerfile has no ENTRYPOINT in exec form.
    """
    name = repository(image_uri)
    for pattern, folder in images.items():
        if fnmatch.fnmatchcase(name, pattern):
            return LocalImage(folder, entrypoint(folder))
    known = ", ".join(images) or "none"
    raise ImageError(
        f"No local image stands for {image_uri}: its repository {name!r} matches none of the patterns "
        f"that the local cloud knows ({known})."
    )


def entrypoint(folder: Path) -> tuple[str, ...]:
    """Read the ENTRYPOINT of a folder's Dockerfile; ``python`` becomes the Python that runs this.

    Raises
    ------
    ImageError
        If there is no Dockerfile, or no ENTRYPOINT in exec form in it.
    """
    dockerfile = folder / "Dockerfile"
    try:
        text = dockerfile.read_text(encoding="utf-8")
    except OSError as error:
        raise ImageError(f"The local image {folder} cannot be read: {error}") from error
    text = re.sub(r"\\\s*\n", " ", text)
    lines = re.findall(r"^\s*ENTRYPOINT\s+(.+?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    try:
        words = json.loads(lines[-1]) if lines else None
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ImageError(
            f"{dockerfile} needs an ENTRYPOINT in exec form, such as "
            'ENTRYPOINT ["python", "-m", "container"].'
        )
    if words[0] in ("python", "python3"):
        words[0] = sys.executable
    return tuple(words)
