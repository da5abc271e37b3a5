"""Arguments by the names that they had in version 1 of the SageMaker SDK."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection
from typing import Any, Final

from retrain.states.validation.report import did_you_mean
from retrain.workflow.errors import UnknownFieldError

RENAMED: Final = {
    "train_instance_count": "instance_count",
    "train_instance_type": "instance_type",
    "train_volume_size": "volume_size",
    "train_volume_kms_key": "volume_kms_key",
    "train_max_run": "max_run",
    "train_use_spot_instances": "use_spot_instances",
    "train_max_run_wait": "max_wait",
    "train_max_wait": "max_wait",
    "distributions": "distribution",
    "image_name": "image_uri",
    "image": "image_uri",
}
"""Old name to new."""
_LIBRARY: Final = "retrain.workflow."


def renamed(what: str, given: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return keyword arguments by the names that they have now.

    Parameters
    ----------
    what
        Whose arguments they are.
    given
        The arguments; old names among them get a DeprecationWarning.
    known
        The names that can be given.

    Raises
    ------
    UnknownFieldError
        A name is neither known nor old, or something was given by both of its names.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        new = RENAMED.get(name, name) if name not in known else name
        if new not in known:
            raise UnknownFieldError(f"{what} has no argument '{name}'{did_you_mean(name, known) or '.'}")
        if new != name:
            if new in given:
                raise UnknownFieldError(f"{what}: '{name}' is the old name of '{new}'; give only the latter.")
            warnings.warn(
                f"{what}: the argument '{name}' is called '{new}' now.",
                DeprecationWarning,
                stacklevel=_caller(),
            )
        found[new] = value
    return found


def _caller() -> int:
    """Return how far up from `renamed` the first caller is that is not of this library."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_LIBRARY):
        level, frame = level + 1, frame.f_back
    return level
