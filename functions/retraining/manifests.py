"""``manifest.json``: which files a batch consists of.

Read generously, because people have such files already. All of these name files:

- ``{"files": ["a.csv", {"key": "b.csv", "size": 1024, "etag": "..."}]}``; the list may also be called
  ``entries``, ``objects``, ``keys`` or ``paths``, or be the whole document;
- SageMaker's manifest, ``[{"prefix": "s3://bucket/datasets/name/"}, "a.csv", "b.csv"]``;
- Redshift's, ``{"entries": [{"url": "s3://bucket/datasets/name/a.csv", "mandatory": true}]}``;
- SageMaker's augmented manifest, one JSON object per line with a ``source-ref``.

A file is named by its key relative to the dataset's folder, by its whole key, or by its S3 URI. Size and
entity tag, where given, tell a new version of a file from one that lay there before.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from retraining import s3_uris
from retraining.datasets import MARKERS, StoredObject
from retraining.errors import ManifestError

MANIFEST = "manifest.json"

MOST_BYTES = 32 * 1024 * 1024
"""A hundred thousand files with keys of three hundred characters."""

MOST_SEPARATORS = 1_000_000
"""Memory goes by entries, not by bytes."""

_LISTS = ("files", "entries", "objects", "keys", "paths")
_NAMES = ("key", "Key", "name", "path", "file", "uri", "url", "s3_uri", "source-ref")
_TAGS = ("etag", "ETag", "e_tag", "md5")
_SIZES = ("size", "Size", "bytes", "content_length")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a manifest names; size and entity tag are None where the manifest does not say."""

    key: str
    size: int | None = None
    etag: str | None = None

    def is_met_by(self, entry: StoredObject) -> bool:
        """Whether an object of this key is the file that is meant."""
        return (self.size is None or self.size == entry.size) and (
            self.etag is None or self.etag == entry.etag
        )


def parse(content: bytes, bucket: str, prefix: str) -> dict[str, NamedFile]:
    """Read a manifest.

    Parameters
    ----------
    content : bytes
        The file.
    bucket, prefix : str
        Where the dataset lies.

    Returns
    -------
    dict
        The files by their whole keys.

    Raises
    ------
    ManifestError
        It is no manifest, or names a file outside of the dataset.
    """
    if len(content) > MOST_BYTES:
        raise _refused(f"is larger than {MOST_BYTES // 1024 // 1024} MiB")
    if content.count(b",") + content.count(b"\n") > MOST_SEPARATORS:
        raise _refused(f"has more than {MOST_SEPARATORS:,} commas and lines, too many to read at once")
    base, named = "", {}
    for entry in _entries(content):
        if isinstance(entry, Mapping) and "prefix" in entry:
            base = str(entry["prefix"])
            continue
        file = _file(entry, base, bucket, prefix)
        if file.key.removeprefix(prefix) not in MARKERS:
            named[file.key] = file
    return named


def missing(named: Mapping[str, NamedFile], listing: Iterable[StoredObject]) -> list[str]:
    """Return the keys that a listing lacks, in order."""
    left = dict(named)
    for entry in listing:
        file = left.get(entry.key)
        if file is not None and file.is_met_by(entry):
            del left[entry.key]
    return sorted(left)


def _entries(content: bytes) -> Iterator[Any]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("is not in UTF-8") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield from _lines(text, error)
        return
    if isinstance(document, Mapping):
        lists = [document[name] for name in _LISTS if isinstance(document.get(name), list)]
        if len(lists) != 1 and any(name in document for name in _NAMES):
            lists = [[document]]  # an augmented manifest of one line
        if len(lists) != 1:
            raise _refused('has no list of files; the least is {"files": ["a.csv"]}')
        document = lists[0]
    if not isinstance(document, list):
        raise _refused('is no list of files; the least is {"files": ["a.csv"]}')
    yield from document


def _lines(text: str, problem: Exception) -> Iterator[Any]:
    """Read an augmented manifest; what is none is told as the JSON that it is not."""
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, Mapping):
            raise _refused(f"is not JSON ({problem})")
        yield entry


def _file(entry: Any, base: str, bucket: str, prefix: str) -> NamedFile:
    if isinstance(entry, str):
        return NamedFile(_key(entry, base, bucket, prefix))
    names = [entry[name] for name in _NAMES if name in entry] if isinstance(entry, Mapping) else []
    if not names or not isinstance(names[0], str):
        raise _refused(f"has an entry that names no file: {str(entry)[:100]!r}")
    sizes = [entry[name] for name in _SIZES if name in entry]
    tags = [entry[name] for name in _TAGS if name in entry]
    size = sizes[0] if sizes and isinstance(sizes[0], int) else None
    etag = tags[0].strip('"').lower() if tags and isinstance(tags[0], str) else None
    return NamedFile(_key(names[0], base, bucket, prefix), size, etag)


def _key(name: str, base: str, bucket: str, prefix: str) -> str:
    """Return the whole key of a file, however it was named."""
    full = f"{base}{name}" if base and not name.startswith("s3://") else name
    if full.startswith("s3://"):
        uri = s3_uris.parse(full)
        if uri is None or uri.bucket != bucket or not uri.key.startswith(prefix):
            raise _refused(f"names {full[:200]!r}, which is not under s3://{bucket}/{prefix}")
        full = uri.key
    elif not full.startswith(prefix):
        full = f"{prefix}{full.removeprefix('./')}"
    if full == prefix or full.endswith("/"):
        raise _refused(f"names {name[:200]!r}, which is a folder and not a file")
    return full


def _refused(what: str) -> ManifestError:
    return ManifestError(
        f"The batch's manifest.json {what}. Upload a right one, or _SUCCESS in its place; or delete it, and "
        "the quiet period closes the batch."
    )
