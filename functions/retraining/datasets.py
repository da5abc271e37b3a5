"""What a dataset is: objects under a prefix, their version, and when a batch of uploads is complete."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from retraining.errors import ListingUnorderedError

DATASETS_PREFIX = "datasets/"
HOLDOUT_PREFIX = "holdout/"
LABELS_FILE = "labels.csv"
MARKERS = frozenset({"_SUCCESS", "manifest.json"})
"""File names that, directly under a dataset, close a batch at once and are no data themselves."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One entry of a bucket listing; ``size`` in bytes, ``last_modified`` with its time zone."""

    key: str
    size: int
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """The content of a prefix at one moment.

    Attributes
    ----------
    digest : str
        SHA-256 over the sorted listing, hexadecimal: equal content, equal digest.
    file_count : int
        Objects counted, without markers and folder markers.
    total_bytes : int
        Sum of their sizes.
    """

    digest: str
    file_count: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class DatasetKey:
    """An object key taken apart: which dataset it belongs to, and as what."""

    dataset: str
    relative: str

    @property
    def is_marker(self) -> bool:
        """Whether the object closes a batch."""
        return self.relative in MARKERS


def parse_key(key: str) -> DatasetKey | None:
    """Take ``datasets/<name>/<relative>`` apart.

    Returns
    -------
    DatasetKey or None
        None for keys elsewhere, for folder markers, and for files that lie in no dataset's folder.
    """
    if not key.startswith(DATASETS_PREFIX) or key.endswith("/"):
        return None
    dataset, separator, relative = key.removeprefix(DATASETS_PREFIX).partition("/")
    if not (dataset and separator and relative):
        return None
    return DatasetKey(dataset, relative)


def data_objects(objects: Iterable[StoredObject], prefix: str) -> Iterator[StoredObject]:
    """Leave out what is no data: the prefix's batch markers and consoles' folder markers."""
    for entry in objects:
        if not entry.key.endswith("/") and entry.key.removeprefix(prefix) not in MARKERS:
            yield entry


def version(objects: Iterable[StoredObject], prefix: str) -> DatasetVersion:
    """Digest a listing as it comes, so that a hundred thousand files need no more memory than one.

    Keys count relative to the prefix, and entity tags stand for content: uploading the same bytes again does
    not make a new version.

    Parameters
    ----------
    objects : iterable of StoredObject
        Ordered by the bytes of the keys, as Amazon S3 lists them.

    Raises
    ------
    ListingUnorderedError
        They are in another order, in which the same content would have another digest.
    """
    digest = hashlib.sha256()
    file_count = total_bytes = 0
    before = b""
    for entry in data_objects(objects, prefix):
        here = entry.key.encode("utf-8", "surrogatepass")
        if here <= before:
            raise ListingUnorderedError(
                f"The bucket lists {entry.key[:100]!r} after a key that belongs behind it: use a general "
                "purpose bucket of Amazon S3, whose listings are ordered."
            )
        before = here
        fields = (entry.key.removeprefix(prefix), entry.etag.strip('"'), str(entry.size))
        # Lengths in front, so that no two listings can run together into the same bytes.
        for field in fields:
            encoded = field.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(encoded) + encoded)
        file_count += 1
        total_bytes += entry.size
    return DatasetVersion(digest.hexdigest(), file_count, total_bytes)


def retrain_key(
    dataset: str,
    dataset_version: str,
    holdout_version: str,
    image_uri: str,
    source_s3_uri: str,
    hyperparameters: Iterable[tuple[str, str]],
) -> str:
    """Digest everything that decides how a run ends; the same key means the same run again."""
    parts = [dataset, dataset_version, holdout_version, image_uri, source_s3_uri]
    for name, value in sorted(hyperparameters):
        parts += [name, value]
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()
