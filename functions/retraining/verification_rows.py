"""Rows to verify an endpoint with: requests from the training program, answers from what the gate has judged.

A training program may write ``verify.jsonl``: one JSON object per line with ``id``, ``content_type``,
``body`` (base64) and, where the stack's parameter does not fit its answers, ``answer_path``. What the answer
should be is never taken from there, but from the predictions that the gate has joined with the truth.
Kept is, for a model that is promoted, one JSON object per line with ``expected`` besides: a text for a class,
a number for a quantity; and before them, if something was ignored, a line with ``note``.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from retraining.labels import readable
from retraining.predictions import Joined

ROWS_FILE = "verify.jsonl"

MOST_ROWS = 200
"""Rows that are kept, the first ones."""

MOST_BYTES = 1024 * 1024
"""Of the whole file; a larger one is ignored."""

_CONTENT_TYPE = re.compile(r"[!-~][ -~]{0,1023}")
"""What InvokeEndpoint takes; it goes into a header."""

ANSWER_PATH = re.compile(r"(?=.{1,200}\Z)(?:[A-Za-z_]\w*|\[[0-9]+\])(?:\.[A-Za-z_]\w*|\[[0-9]+\])*", re.ASCII)
"""As VerifyAnswerPath; no whole expression of JMESPath, because that could hold the answer itself."""

_FIRST_OFFENDERS = 3

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """A request to the endpoint, and what the gate has seen the model answer.

    ``expected`` is a canonical label, or a number for a quantity; ``answer_path`` is where in the answer the
    prediction is, empty if that is where the stack's parameter says.
    """

    identifier: str
    content_type: str
    body: bytes
    expected: str | float
    answer_path: str = ""


def extract(data: bytes | None, joined: Joined) -> bytes:
    """Join a training program's requests with the predictions that were judged.

    Parameters
    ----------
    data : bytes or None
        ``verify.jsonl`` as the program wrote it; None if it did not.
    joined : Joined
        The challenger's predictions on the holdout.

    Returns
    -------
    bytes
        What is kept; `read` reads it. It is never empty of a reason: without rows it has a note.
    """
    if data is None:
        return _document([], f"the training program left no {ROWS_FILE}")
    if len(data) > MOST_BYTES:
        return _document([], f"{ROWS_FILE} has more than {MOST_BYTES:,} bytes")
    lines = [line for line in data.splitlines() if line.strip()]
    if not lines:
        return _document([], f"{ROWS_FILE} is empty")
    ignored = _Ignored()
    rows: list[Row] = []
    for number, line in enumerate(lines[:MOST_ROWS], start=1):
        row = _request(line, number, joined, ignored)
        if row is not None:
            rows.append(row)
    return _document(rows, ignored.note(len(lines) - MOST_ROWS))


def read(document: bytes) -> tuple[list[Row], str]:
    """Return the rows that were kept, and the note; empty if nothing was ignored.

    Raises
    ------
    ValueError
        Somebody else wrote it.
    """
    rows: list[Row] = []
    note = ""
    try:
        for line in document.splitlines():
            part = json.loads(line)
            if "note" in part:
                note = str(part["note"])
                continue
            body, expected = base64.b64decode(part["body"], validate=True), part["expected"]
            rows.append(Row(part["id"], part["content_type"], body, expected, part.get("answer_path", "")))
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return rows, note


def spread(rows: Sequence[Item], count: int) -> list[Item]:
    """Choose so many rows, spread evenly over all."""
    count = min(count, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def _document(rows: Sequence[Row], note: str) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in _lines(rows, note)).encode()


def _lines(rows: Sequence[Row], note: str) -> Iterator[dict[str, Any]]:
    if note:
        yield {"note": note}
    for row in rows:
        yield {
            "id": row.identifier,
            "content_type": row.content_type,
            "body": base64.b64encode(row.body).decode(),
            "expected": row.expected,
            **({"answer_path": row.answer_path} if row.answer_path else {}),
        }


def _request(line: bytes, number: int, joined: Joined, ignored: "_Ignored") -> Row | None:
    """Read one line; what is wrong with it goes to the ignored ones."""
    where = f"line {number}"
    try:
        part = json.loads(line)
    except (ValueError, RecursionError):
        ignored.add("not JSON", where)
        return None
    if not isinstance(part, dict):
        ignored.add("not a JSON object", where)
        return None
    identifier = part.get("id")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if not isinstance(identifier, str) or not identifier.strip():
        ignored.add("without an id", where)
        return None
    identifier = identifier.strip()
    position = joined.truth.positions.get(identifier)
    if position is None:
        ignored.add("unknown to the holdout", identifier)
        return None
    content_type, text = part.get("content_type"), part.get("body")
    if not isinstance(content_type, str) or not _CONTENT_TYPE.fullmatch(content_type):
        ignored.add("without a content_type", identifier)
        return None
    body = _decoded(text) if isinstance(text, str) else None
    if body is None:
        ignored.add("without a body in base64", identifier)
        return None
    path = part.get("answer_path") or ""
    if path and not (isinstance(path, str) and ANSWER_PATH.fullmatch(path)):
        ignored.add("with an answer_path unlike predictions[0].label", identifier)
        return None
    expected = joined.values[position] if joined.truth.numeric else joined.predicted[position]
    return Row(identifier, content_type, body, expected, path)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


class _Ignored:
    """Collects which lines were ignored, by reason."""

    def __init__(self) -> None:
        self._by_reason: dict[str, list[str]] = {}

    def add(self, reason: str, what: str) -> None:
        """Note one."""
        self._by_reason.setdefault(reason, []).append(readable(what))

    def note(self, beyond: int) -> str:
        """Return what was ignored, as the end of a sentence; empty if nothing was."""
        reasons = [
            f"{len(found):,} {reason} ({', '.join(found[:_FIRST_OFFENDERS])}"
            f"{' and more' if len(found) > _FIRST_OFFENDERS else ''})"
            for reason, found in self._by_reason.items()
        ]
        if beyond > 0:
            reasons.append(f"{beyond:,} beyond the first {MOST_ROWS}")
        return f"of {ROWS_FILE}, these rows were ignored: {', '.join(reasons)}" if reasons else ""
