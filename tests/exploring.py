"""With how many examples a property is tried: `make test` has the same ones each time, `make explore` not."""

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "retrain")
"""``retrain`` or ``explore``."""

FACTOR = 10
"""How many times as many examples `make explore` tries."""


def examples(number: int) -> int:
    """Give how many examples the profile tries where `make test` tries so many."""
    return number * FACTOR if PROFILE == "explore" else number
