"""Checkpoints: brought to every host before it starts, and sent to S3 as they change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from retrain.localcloud.sagemaker.downloads import DownloadError, relative_path
from retrain.localcloud.sagemaker.errors import JobError
from retrain.localcloud.sagemaker.objects import ObjectError, ObjectStore, S3Uri


class CheckpointSync:
    """Keeps the hosts' checkpoint folders and a prefix of S3 alike.

    Parameters
    ----------
    uri
        The prefix.
    objects
        S3.
    scratch
        A folder for copies on their way.
    """

    def __init__(self, uri: str, objects: ObjectStore, scratch: Path) -> None:
        self._uri = S3Uri.parse(uri.rstrip("/") + "/")
        self._objects = objects
        self._scratch = scratch
        self._sent: dict[Path, tuple[int, int]] = {}

    def restore(self, folders: Iterable[Path]) -> None:
        """Put what S3 has into the hosts' folders.

        Raises
        ------
        JobError
            If S3 does not give it.
        """
        try:
            listing = list(self._objects.list_objects(self._uri))
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
                for found in listing:
                    path = relative_path(self._uri.key, found.key)
                    if path is None:
                        continue
                    target = folder / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._objects.fetch(S3Uri(self._uri.bucket, found.key), target)
                    self._sent[target] = _state(target)
        except (ObjectError, DownloadError, OSError) as error:
            raise JobError(f"ClientError: Checkpoint download failed:{self._uri}: {error}") from error

    def send(self, folders: Iterable[Path]) -> None:
        """Send the files that have changed since they were sent.

        Raises
        ------
        JobError
            If S3 does not take them.
        """
        for folder in folders:
            for parent, _, names in os.walk(folder):
                for name in names:
                    self._send(Path(parent, name), folder)

    def _send(self, path: Path, folder: Path) -> None:
        copy = self._scratch / "checkpoint.copy"
        try:
            before = _state(path)
            if self._sent.get(path) == before:
                return
            # Sent from a copy, and only if it did not change meanwhile: half a checkpoint is worse than none.
            shutil.copyfile(path, copy)
            if _state(path) != before:
                return
            key = path.relative_to(folder).as_posix()
            self._objects.store(copy, S3Uri(self._uri.bucket, self._uri.key + key))
            self._sent[path] = before
        except FileNotFoundError:
            return  # replaced or removed while it was looked at: the next round sees what there is then
        except (ObjectError, OSError) as error:
            raise JobError(f"ClientError: Checkpoint upload failed:{self._uri}: {error}") from error
        finally:
            copy.unlink(missing_ok=True)


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns
