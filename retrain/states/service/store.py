"""Where the service keeps what it must not forget: in memory, and in a file of SQLite if one is given."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """Documents by kind and key.

    Every change is in the file before the function returns; the file survives the program's sudden end.

    Parameters
    ----------
    path
        The file, made where it is not there; None keeps everything in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.persistent = path is not None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        if path is not None:
            # What the operating system has is enough: the program may be killed, the computer is not.
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS documents "
            "(kind TEXT, key TEXT, document TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def table(self, kind: str) -> Table:
        """Return the documents of one kind, held in memory beside the file."""
        return Table(self, kind)

    def put(self, kind: str, key: str, document: Document) -> None:
        """Write a document, over the one with the same key."""
        text = json.dumps(document, separators=(",", ":"))
        with self._lock:
            self._file.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, text))

    def get(self, kind: str, key: str) -> Document | None:
        """Read a document."""
        with self._lock:
            row = self._file.execute(
                "SELECT document FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def delete(self, kind: str, key: str) -> None:
        """Remove a document, if it is there."""
        with self._lock:
            self._file.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def items(self, kind: str) -> Iterator[tuple[str, Document]]:
        """Read all documents of a kind."""
        with self._lock:
            rows = self._file.execute(
                "SELECT key, document FROM documents WHERE kind = ?", (kind,)
            ).fetchall()
        for key, text in rows:
            yield key, json.loads(text)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


class Table:
    """The documents of one kind, read once and kept in memory."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind
        self._documents = dict(store.items(kind))

    def get(self, key: str) -> Document | None:
        """Return a document; not to be changed."""
        return self._documents.get(key)

    def put(self, key: str, document: Document) -> None:
        """Write a document."""
        self._documents[key] = document
        self._store.put(self._kind, key, document)

    def delete(self, key: str) -> None:
        """Remove a document, if it is there."""
        if self._documents.pop(key, None) is not None:
            self._store.delete(self._kind, key)

    def items(self) -> list[tuple[str, Document]]:
        """Return all documents."""
        return list(self._documents.items())
