"""The records of everything that the local SageMaker knows, kept in files.

One JSON file per record, written to a temporary file and renamed, so that a server killed in between leaves
the record as it was. Everything is held in memory as well; readers get copies.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger("retrain.localcloud.sagemaker")

Record = dict[str, Any]
"""What Describe answers, and members of our own, whose names start with an underscore."""


class Collection:
    """The records of one kind, by name.

    Parameters
    ----------
    folder
        Where the files are.
    lock
        Held while records are read or changed; shared by all collections, so that a check and the change that
        rests on it are one step.
    """

    def __init__(self, folder: Path, lock: threading.RLock) -> None:
        self._folder = folder
        self._lock = lock
        self._records: dict[str, Record] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.tmp"):
            leftover.unlink()
        for path in sorted(folder.glob("*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                self._records[entry["name"]] = entry["record"]
            except (ValueError, KeyError, TypeError) as error:
                # A computer that went down may leave such a file; the other records are still good.
                path.replace(path.with_suffix(".broken"))
                log.error("The record %s cannot be read and was put aside: %s", path, error)

    def get(self, name: str) -> Record | None:
        """Return a copy of a record, None if there is none."""
        with self._lock:
            return copy.deepcopy(self._records.get(name))

    def put(self, name: str, record: Record) -> None:
        """Store a record, replacing the one of that name."""
        with self._lock:
            self._records[name] = copy.deepcopy(record)
            self._write(name)

    def delete(self, name: str) -> None:
        """Remove a record; nothing happens if there is none."""
        with self._lock:
            if self._records.pop(name, None) is not None:
                self._path(name).unlink(missing_ok=True)

    @contextmanager
    def edit(self, name: str) -> Iterator[Record]:
        """Give a record to be changed in place; it is written when the block ends without an exception.

        Raises
        ------
        KeyError
            If there is no such record.
        """
        with self._lock:
            record = copy.deepcopy(self._records[name])
            yield record
            self._records[name] = record
            self._write(name)

    def names(self) -> list[str]:
        """List the names of all records."""
        with self._lock:
            return list(self._records)

    def all(self) -> list[Record]:
        """List copies of all records."""
        with self._lock:
            return [copy.deepcopy(record) for record in self._records.values()]

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._records

    def _path(self, name: str) -> Path:
        # Names are letters, digits and hyphens; a version of a model package is GROUP/NUMBER.
        return self._folder / f"{name.replace('/', '~')}.json"

    def _write(self, name: str) -> None:
        path = self._path(name)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"name": name, "record": self._records[name]}), encoding="utf-8")
        temporary.replace(path)


class Store:
    """All records.

    Parameters
    ----------
    folder
        SageMaker's own folder in the local cloud's state.

    Attributes
    ----------
    lock
        Held over a check and the change that rests on it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()

        def collection(kind: str) -> Collection:
            return Collection(folder / "records" / kind, self.lock)

        self.training_jobs = collection("training-job")
        self.models = collection("model")
        self.endpoint_configs = collection("endpoint-config")
        self.endpoints = collection("endpoint")
        self.model_package_groups = collection("model-package-group")
        self.model_packages = collection("model-package")

    def by_kind(self) -> dict[str, Collection]:
        """Return the collections by the word that stands for their kind in ARNs."""
        return {
            "training-job": self.training_jobs,
            "model": self.models,
            "endpoint-config": self.endpoint_configs,
            "endpoint": self.endpoints,
            "model-package-group": self.model_package_groups,
            "model-package": self.model_packages,
        }
