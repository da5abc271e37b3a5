"""From S3 to folders: prefixes, a cache that instances share by hard links, and archives unpacked safely."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import sys
import threading
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from retrain.localcloud.sagemaker.objects import ObjectStore, S3Uri, StoredObject
from retrain.localcloud.sagemaker.roles import Cache

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # the standard library's knows no filter="data" yet
    from backports import tarfile  # type: ignore[no-redef]


class DownloadError(Exception):
    """What was asked for cannot be laid down in a folder; the text is the reason."""


class ObjectCache:
    """Objects of S3 as files, each fetched once.

    Files are handed out as hard links, so that the instances of a job, and the jobs of a day, share one copy.
    A program that writes into its input would change everybody's; therefore a file whose size or time of
    change is not what it was when it was fetched is fetched anew.

    Parameters
    ----------
    folder
        Where the files are; on the same file system as the folders that they are linked into.
    store
        S3.
    limit_bytes
        How much is kept: when a download begins, the files that were used least recently make room.
    """

    def __init__(self, folder: Path, store: ObjectStore, *, limit_bytes: int = 8 << 30) -> None:
        self._folder = folder
        self._store = store
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        shutil.rmtree(folder, ignore_errors=True)  # what was seen is remembered in memory alone
        folder.mkdir(parents=True)

    def place(self, bucket: str, found: StoredObject, target: Path) -> None:
        """Put an object at `target`, whose folder is made.

        Raises
        ------
        ObjectError
            If S3 does not give it.
        """
        name = hashlib.sha256(f"{bucket}\n{found.key}\n{found.etag}\n{found.size}".encode()).hexdigest()
        path = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:
            if not self._is_whole(name, path):
                path.unlink(missing_ok=True)
                partial = path.with_suffix(".part")
                self._store.fetch(S3Uri(bucket, found.key), partial)
                partial.chmod(0o444)
                partial.replace(path)
                state = path.stat()
                self._seen[name] = (state.st_size, state.st_mtime_ns)
            os.link(path, target)

    def _is_whole(self, name: str, path: Path) -> bool:
        try:
            state = path.stat()
        except FileNotFoundError:
            return False
        return self._seen.get(name) == (state.st_size, state.st_mtime_ns)

    def trim(self) -> None:
        """Forget the files that have been there longest until the rest is within the limit."""
        with self._lock:
            # What another job fetches right now is left alone; it is renamed at any moment.
            whole = (path for path in self._folder.iterdir() if path.suffix != ".part")
            files = sorted(((path.stat(), path) for path in whole), key=lambda item: item[0].st_ctime)
            total = sum(state.st_size for state, _ in files)
            for state, path in files:
                if total <= self._limit:
                    break
                path.unlink(missing_ok=True)
                total -= state.st_size


def relative_path(prefix: str, key: str) -> PurePosixPath | None:
    """Say where an object under a prefix goes below a channel's folder.

    Returns
    -------
    PurePosixPath or None
        None for the empty objects, named like a folder, that consoles create.

    Raises
    ------
    DownloadError
        If the key would lead out of the folder.
    """
    if key.endswith("/"):
        return None
    folder = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    # A prefix need not end at a folder: s3://b/data/tr stands for data/train.csv and data/tree/1.csv alike.
    rest = key[len(folder) :] if key.startswith(folder) else key[prefix.rfind("/") + 1 :]
    path = PurePosixPath(rest)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise DownloadError(f"The S3 key {key!r} cannot be a file below the channel's folder.")
    return path


def place_all(
    cache: Cache, bucket: str, files: Iterable[tuple[StoredObject, PurePosixPath]], folder: Path
) -> None:
    """Put objects into a folder, several at a time.

    Raises
    ------
    ObjectError
        If S3 does not give one of them.
    DownloadError
        If one object's name is another's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def place(item: tuple[StoredObject, PurePosixPath]) -> None:
        found, path = item
        try:
            cache.place(bucket, found, folder / path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise DownloadError(f"{path} cannot be both a file and a folder below {folder.name}.") from error

    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="sagemaker-download") as pool:
        for _ in pool.map(place, files):
            pass


def extract(archive: Path, folder: Path) -> None:
    """Unpack a gzipped tar archive; nothing in it can reach outside of `folder`.

    Raises
    ------
    DownloadError
        If it is no such archive, or something in it would lead outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}") from error
