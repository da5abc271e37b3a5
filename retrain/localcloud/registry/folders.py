"""What stands for an image: the digest and manifest of a folder's content."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TAG = "local"
"""The tag under which the local cloud's own registry has a folder as it is."""

MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_REPOSITORY = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
_LEFT_OUT = frozenset({"__pycache__", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache"})

Listing = tuple[tuple[str, int, int], ...]
"""Relative path, size and time of the last change (ns) of each file."""


@dataclass(frozen=True)
class FolderImage:
    """An image made of a folder.

    Attributes
    ----------
    manifest
        What a registry would answer; its one layer is the folder.
    digest
        That of the manifest, which is what ECR calls the image's digest.
    """

    manifest: str
    digest: str


class FolderImages:
    """The images that folders stand for.

    Parameters
    ----------
    folders
        Glob pattern on the repository to folder; the first that matches is taken.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._known: dict[Path, tuple[Listing, FolderImage]] = {}

    @property
    def repositories(self) -> dict[str, Path]:
        """The repositories of the local cloud itself: each pattern without its stars, if that is a name."""
        literal = {pattern.strip("*"): folder for pattern, folder in self._folders.items()}
        return {name: folder for name, folder in literal.items() if _REPOSITORY.fullmatch(name)}

    def standing_for(self, repository: str) -> FolderImage | None:
        """Return the image that stands for those of a repository, None if there is none."""
        for pattern, folder in self._folders.items():
            if fnmatch.fnmatchcase(repository, pattern):
                return self.image(folder)
        return None

    def image(self, folder: Path) -> FolderImage:
        """Return a folder as an image; read again only if something in it has changed."""
        files = _files(folder)
        listing = tuple(
            (path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns)
            for path in files
            for status in (path.stat(),)
        )
        known = self._known.get(folder)
        if known is None or known[0] != listing:
            known = (listing, _packed(folder, files))
            self._known[folder] = known
        return known[1]


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not _LEFT_OUT.intersection(path.relative_to(folder).parts)
    )


def _packed(folder: Path, files: list[Path]) -> FolderImage:
    content = hashlib.sha256()
    size = 0
    for path in files:
        body = path.read_bytes()
        name = path.relative_to(folder).as_posix().encode()
        # Lengths first, so that no two folders look alike by where a name ends and a content begins.
        content.update(f"{len(name)}:{len(body)}:".encode() + name + body)
        size += len(body)
    layer = f"sha256:{content.hexdigest()}"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": 0,
                "digest": layer,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": size,
                    "digest": layer,
                }
            ],
        }
    )
    return FolderImage(manifest, f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}")
