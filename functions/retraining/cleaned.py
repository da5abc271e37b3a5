"""What a clean-up has removed, in words."""

from collections.abc import Mapping
from typing import Any

_KINDS = {
    "models": ("model", "models"),
    "endpoint_configs": ("endpoint config", "endpoint configs"),
    "packages": ("model package rejected", "model packages rejected"),
    "objects": ("file", "files"),
    "log_streams": ("log stream", "log streams"),
}


def sentence(cleanup: Mapping[str, Any]) -> str:
    """Tell what was removed; empty if nothing was.

    Parameters
    ----------
    cleanup : mapping
        What the function clean_up has answered to a run: ``removed`` has counts by kind, and of ``runs``.
    """
    removed = cleanup.get("removed")
    if not isinstance(removed, Mapping):
        return ""
    runs = _whole(removed.get("runs"))
    if not runs:
        return ""
    what = [_counted(_whole(removed.get(kind)), *words) for kind, words in _KINDS.items()]
    listed = ", ".join(part for part in what if part)
    left = "What an earlier run had left" if runs == 1 else f"What {runs} earlier runs had left"
    return f"{left} is removed: {listed}." if listed else f"{left} is removed."


def kept(cleanup: Mapping[str, Any]) -> int:
    """Return the number of runs whose models are kept."""
    found = cleanup.get("kept")
    return len(found) if isinstance(found, list) else 0


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _counted(number: int, one: str, many: str) -> str:
    return "" if not number else f"{number} {one if number == 1 else many}"
