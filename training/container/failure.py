"""The failure file: SageMaker makes it the job's FailureReason, with `AlgorithmError: ` before it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from container.errors import ContainerError
from container.layout import Layout

LIMIT = 1024  # bytes that SageMaker shows
_TRACEBACK = "Traceback (most recent call last):"


def write_failure(layout: Layout, error: Exception) -> None:
    """Write `output/failure`, cut to what SageMaker shows; a full disk is told on standard error instead."""
    text = describe(error)
    try:
        layout.output.mkdir(parents=True, exist_ok=True)
        (layout.output / "failure").write_bytes(text.encode()[:LIMIT].decode(errors="ignore").encode())
    except OSError as problem:
        print(f"the failure file cannot be written: {problem}", file=sys.stderr, flush=True)


def describe(error: Exception) -> str:
    """Return the error in the form of the training toolkit: its name, then what it says."""
    separator = ":\n" if "\n" in str(error) and isinstance(error, ContainerError) else ": "
    return f"{type(error).__name__}{separator}{error}"


def last_words(lines: Sequence[str], limit: int = 700) -> str:
    """Pick what a person needs out of the end of a program's standard error.

    Parameters
    ----------
    lines : Sequence[str]
        The last lines.
    limit : int
        The most characters to return.

    Returns
    -------
    str
        The last exception without its traceback's frames, if there is one; else the last lines.
    """
    kept = [line.rstrip() for line in lines if line.strip()]
    starts = [index for index, line in enumerate(kept) if line.strip() == _TRACEBACK]
    if starts:
        after = starts[-1] + 1
        message = next((i for i in range(after, len(kept)) if not kept[i].startswith((" ", "\t"))), None)
        if message is not None:
            return "\n".join(kept[message:])[:limit]
    return "\n".join(kept[-10:])[-limit:]
