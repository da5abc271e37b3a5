"""Holdout rows as a client would send them to the endpoint, so that a deployed model can prove itself.

`verify.jsonl` holds requests and nothing else. What the answers should be is in `predictions.csv`, which the
gate has judged; the two are joined by the row's id.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mnist_data import Digits

VERIFICATION_FILE = "verify.jsonl"
MOST_ROWS = 200
RAW = "application/octet-stream"


def write_verification(holdout: Digits, path: Path) -> int:
    """Write one request per line, for rows spread evenly over the holdout: the same rows every time.

    Parameters
    ----------
    holdout : Digits
        The rows, N of them; a row's id is its index, as in `predictions.csv`.
    path : Path
        The JSON lines file to write: about 1.1 kB a row.

    Returns
    -------
    int
        How many rows were written: N, but 200 at most.
    """
    count = min(len(holdout), MOST_ROWS)
    rows = [number * len(holdout) // count for number in range(count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for row in rows:
            body = base64.b64encode(holdout.images[row].numpy().tobytes()).decode()
            file.write(json.dumps({"id": str(row), "content_type": RAW, "body": body}) + "\n")
    return count
