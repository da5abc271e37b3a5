"""MiniStack in this very process, without serving anything."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from retrain.localcloud import seams


class Restored:
    """Replaces names of MiniStack's for one test, through the seams."""

    def __init__(self) -> None:
        self._originals: list[tuple[ModuleType, str, Any]] = []

    def remember(self, module_name: str, *attributes: str) -> None:
        module = seams.module(module_name)
        for attribute in attributes:
            value = getattr(module, attribute)
            kept = dict(value) if isinstance(value, dict) else value
            self._originals.append((module, attribute, (value, kept)))

    def undo(self) -> None:
        for module, attribute, (value, kept) in reversed(self._originals):
            if isinstance(value, dict):
                value.clear()
                value.update(kept)
            setattr(module, attribute, value)


@pytest.fixture
def restored() -> Iterator[Restored]:
    keeper = Restored()
    yield keeper
    keeper.undo()
