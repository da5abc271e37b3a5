"""Files without copies, where the file system allows it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path


def link_or_copy(source: Path, target: Path) -> None:
    """Put the file's content at another name, too: a hard link within one file system, a copy across two."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".link-", dir=target.parent) as folder:
        fresh = Path(folder, target.name)
        try:
            os.link(source, fresh)
        except OSError:
            shutil.copyfile(source, fresh)
        fresh.replace(target)


def cache_folder() -> Path:
    """Return the folder for what can be fetched again: below `$XDG_CACHE_HOME`, or the system's own."""
    told = os.environ.get("XDG_CACHE_HOME")
    if told:
        return Path(told) / "retrain"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "retrain"
    return Path.home() / ".cache" / "retrain"
