"""The local cloud's files: who runs (``local.json``), and what it keeps from one start to the next.

MiniStack writes its state when it ends in good order, and S3's objects as they come. After anything else the
two do not fit together; then the data is moved aside and the cloud starts empty, and says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from retrain.localcloud.environment import data_dir

_KEPT = ("ministack", "sagemaker", "states")
"""Folders of state below the state folder; they are kept, moved aside and removed together."""

_CLEAN = "clean.json"
_CRASHED = "crashed"
_PARAMETERS = "parameters.json"


@dataclass(frozen=True)
class Record:
    """What ``local.json`` says about the running server."""

    pid: int
    created: float
    port: int
    marker: str
    started_at: str
    stack_name: str
    project_root: str

    def process(self) -> psutil.Process | None:
        """The server's process, or None once it has ended (another program may have its pid)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def record_path(state_dir: Path) -> Path:
    """Where the record of the running server is."""
    return state_dir / "local.json"


def write_record(state_dir: Path, *, port: int, marker: str, stack_name: str, project_root: Path) -> Path:
    """Write the record of this process, the server."""
    record = Record(
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        port=port,
        marker=marker,
        started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        stack_name=stack_name,
        project_root=str(project_root),
    )
    path = record_path(state_dir)
    _write(path, asdict(record))
    return path


def read_record(state_dir: Path) -> Record | None:
    """The record of the server that runs or ran last without being stopped; None where there is none."""
    try:
        fields = json.loads(record_path(state_dir).read_text())
        return Record(**fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return None  # half-written by a computer that went down: no server of this boot


def prepare(state_dir: Path, port: int) -> list[str]:
    """Make the state folder ready for a start on `port`, and say what people should know about it."""
    ignore = state_dir / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    shutil.rmtree(state_dir / "lambda", ignore_errors=True)  # unpacked code of functions that run no longer
    data = data_dir(state_dir)
    marker = data / _CLEAN
    notes = []
    kept = [folder for name in _KEPT if (folder := state_dir / name).exists()]
    if kept:
        reason = _why_not_usable(marker)
        if reason is None:
            _move_to_port(state_dir, port)
            notes.append("The data of the last run is there again.")
        else:
            aside = _move_aside(state_dir, kept)
            notes.append(f"{reason} Its data was moved to {aside}, and the local cloud starts empty.")
    (data / "state").mkdir(parents=True, exist_ok=True)
    return notes


def mark_in_use(state_dir: Path) -> None:
    """Say that the data on disk is not whole; called when the server begins to serve."""
    (data_dir(state_dir) / _CLEAN).unlink(missing_ok=True)


def mark_clean(state_dir: Path, port: int) -> None:
    """Say that the data on disk is whole; called when the server has ended in good order."""
    _write(data_dir(state_dir) / _CLEAN, {"ministack": version("ministack"), "port": port})


def read_parameters(state_dir: Path) -> dict[str, str]:
    """Parameters of the stack that somebody has set; they hold until the state is removed."""
    try:
        found: dict[str, str] = json.loads((state_dir / _PARAMETERS).read_text())
    except FileNotFoundError:
        return {}
    return found


def write_parameters(state_dir: Path, parameters: Mapping[str, str]) -> None:
    """Keep parameters of the stack for later starts."""
    _write(state_dir / _PARAMETERS, dict(parameters))


def remove(state_dir: Path) -> None:
    """Remove all data, what was moved aside and parameters included; builds and logs stay."""
    (state_dir / _PARAMETERS).unlink(missing_ok=True)
    for name in (*_KEPT, _CRASHED):
        shutil.rmtree(state_dir / name, ignore_errors=True)


def _why_not_usable(marker: Path) -> str | None:
    try:
        written_by = json.loads(marker.read_text())["ministack"]
    except (OSError, ValueError, KeyError):
        return "The last local cloud was not stopped in good order."
    if written_by != version("ministack"):
        return f"The last local cloud ran on another version of MiniStack ({written_by})."
    return None


def _move_to_port(state_dir: Path, port: int) -> None:
    """Let kept data name another port: it has the server's address in it, above all as that of queues."""
    data = data_dir(state_dir)
    marker = data / _CLEAN
    written = json.loads(marker.read_text())
    if written.get("port", port) == port:
        return
    address = re.compile(rf"http://127\.0\.0\.1:{written['port']}(?!\d)")
    for path in state_dir.glob("states/*.sqlite"):
        _move_documents(path, address, f"http://127.0.0.1:{port}")
    for path in (data / "state").glob("*.json"):
        text = path.read_text()
        moved = address.sub(f"http://127.0.0.1:{port}", text)
        if moved != text:
            path.write_text(moved)
    _write(marker, {**written, "port": port})


def _move_documents(path: Path, address: re.Pattern[str], moved: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as documents, documents:
        documents.create_function("moved", 1, lambda text: address.sub(moved, text), deterministic=True)
        documents.execute("UPDATE documents SET document = moved(document) WHERE document <> moved(document)")


def _move_aside(state_dir: Path, folders: list[Path]) -> Path:
    aside = state_dir / _CRASHED
    shutil.rmtree(aside, ignore_errors=True)  # one is enough to look into; more would fill the disk
    aside.mkdir()
    for folder in folders:
        folder.rename(aside / folder.name)
    return aside


def _write(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    temporary.replace(path)
