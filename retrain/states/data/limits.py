"""How large the data of a state may be."""

from __future__ import annotations

from typing import Final

from retrain.states.data.values import text_of
from retrain.states.errors import DATA_LIMIT_EXCEEDED, StatesError
from retrain.states.model.values import Json

MAXIMUM_BYTES: Final = 262_144
"""256 KiB of UTF-8 JSON.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-task-executions
"""


def size(value: Json) -> int:
    """Return how many bytes a value is as compact JSON in UTF-8."""
    return len(text_of(value).encode("utf-8", "surrogatepass"))


def check(value: Json, what: str) -> None:
    """Refuse a value that is too large.

    Parameters
    ----------
    value : Json
        A state's input, output or result, or all variables that one state assigns.
    what : str
        What it is, to begin the cause with, such as `The state/task 'Train' returned a result`.

    Raises
    ------
    StatesError
        States.DataLimitExceeded.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return
    text = text_of(value)
    if len(text) * 4 <= MAXIMUM_BYTES:  # no letter takes more than four bytes
        return
    if len(text) > MAXIMUM_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
        raise StatesError(
            DATA_LIMIT_EXCEEDED,
            f"{what} with a size exceeding the maximum number of bytes service limit.",
        )
