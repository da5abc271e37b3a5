"""What programs are told: one event ``Retrain Finished`` per outcome, with the whole record of the run."""

import json
from collections.abc import Mapping
from typing import Any

SOURCE = "retrain"
DETAIL_TYPE = "Retrain Finished"

DETAIL_LIMIT = 250_000
"""Bytes of an event's detail; EventBridge takes 256 KB with everything around it."""

_LONG = (
    ("hyperparameters",),
    ("error", "cause"),
    ("decision", "metrics"),
    ("decision", "checks"),
    ("cleanup",),
)
"""Parts of a record that may be long, those first that are missed least."""


def detail(record: Mapping[str, Any], record_s3_uri: str) -> str:
    """Write the detail of a run's event.

    Parameters
    ----------
    record : mapping
        The run's record.
    record_s3_uri : str
        Where it lies whole.

    Returns
    -------
    str
        The record as JSON, with ``record_s3_uri``. What would make it too long is None instead, and named in
        ``left_out``.
    """
    found: dict[str, Any] = {**record, "record_s3_uri": record_s3_uri, "left_out": []}
    for path in _LONG:
        text = json.dumps(found, sort_keys=True)
        if len(text.encode()) <= DETAIL_LIMIT:
            return text
        found = _without(found, path)
    return json.dumps(found, sort_keys=True)


def _without(found: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the same without a part, as far as it has that."""
    whole = found.get(path[0])
    if not whole or (len(path) > 1 and not isinstance(whole, Mapping)):
        return found
    part = None if len(path) == 1 else {**whole, path[1]: None}
    return {**found, path[0]: part, "left_out": [*found["left_out"], ".".join(path)]}
