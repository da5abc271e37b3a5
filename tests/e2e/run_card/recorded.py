"""Runs as they were recorded, as a card takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retraining.cards.facts import Facts, LogLine

RUNS = Path(__file__).with_name("runs")
OUTCOMES = ("deployed", "rejected", "failed", "rolled_back")


def facts(name: str, change: Callable[[str], str] = str) -> Facts:
    """Return the facts of a recorded run.

    Parameters
    ----------
    name : str
        One of `OUTCOMES`.
    change : callable
        Alters every text of them.
    """
    found = altered(json.loads((RUNS / f"{name}.json").read_text()), change)
    return Facts(
        record=found["record"],
        written_at="2026-11-22T20:15:00.000Z",
        evaluation=found["evaluation"],
        events=found["events"],
        definition=altered(json.loads((RUNS / "definition.json").read_text()), change),
        log=[LogLine(host, text) for host, text in found["log"]],
    )


def altered(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with all its texts altered, but for those that its meaning hangs on."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [altered(item, change) for item in value]
    if isinstance(value, dict):
        return {
            name: item if name in {"type", "timestamp", "Type"} else altered(item, change)
            for name, item in value.items()
        }
    return value
