"""Verify: whether a live endpoint answers as the gate has seen its model answer.

Between the gate and the first request lie an archive, an image and the code that reads requests: what was
judged is a file of predictions, what serves is a program. Here the two meet.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities import jmespath_utils

from retraining import s3_uris, verification_rows
from retraining.errors import ObjectMissingError, VerificationRowsInvalidError
from retraining.labels import canonical, number, readable
from retraining.ports import EndpointAnswer, EndpointRuntime, Storage
from retraining.verification_rows import Row

BUDGET_SECONDS = 160.0
"""Then no further row is asked about: the function's time must last for the slowest answer, tried twice."""

NEAR_ZERO = 1e-3
"""With what share of the tolerance, relative to the largest quantity, quantities near zero may be off."""

_NOTHING_AT = "the answer has nothing at"

_NAMED = 3
"""How many differing rows are named."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an answer is held against what was expected.

    Attributes
    ----------
    path : str
        Where in the JSON answer the prediction is, such as ``predictions[0].label``; a row may say otherwise.
    tolerance : float
        How far a quantity may be off, relative to it.
    leeway : float
        How far it may be off in any case; relative to 0, everything is far.
    """

    path: str
    tolerance: float
    leeway: float = 0.0

    def difference(self, row: Row, answer: EndpointAnswer) -> str:
        """Return how an answer differs, as the end of a sentence; empty if it does not."""
        if answer.fault:
            return answer.fault
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            return "the answer is not JSON"
        path = row.answer_path or self.path
        found = jmespath_utils.query(data=document, envelope=path)
        if found is None:
            return f"{_NOTHING_AT} {path}"
        if isinstance(row.expected, str):
            return self._of_labels(row.expected, found)
        return self._of_quantities(row.expected, found)

    @staticmethod
    def _of_labels(expected: str, found: object) -> str:
        if isinstance(found, bool):
            # JSON writes true, Python and pandas True.
            matches = expected.lower() == str(found).lower()
        elif isinstance(found, str | int | float):
            matches = canonical(str(found)) == expected
        else:
            return f"{_shown(found)} is no label"
        return "" if matches else f"{_shown(found)} instead of {readable(expected)}"

    def _of_quantities(self, expected: float, found: object) -> str:
        value = None if isinstance(found, bool | list | dict) else number(str(found))
        if value is None:
            return f"{_shown(found)} is no number"
        bound = max(self.tolerance * abs(expected), self.leeway)
        return "" if abs(value - expected) <= bound else f"{value:.6g} instead of {expected:.6g}"


def verify(
    state: Mapping[str, Any],
    storage: Storage,
    runtime: EndpointRuntime,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Ask the live endpoint about rows of the holdout.

    Parameters
    ----------
    state : mapping
        The state machine's data with the endpoint in service.
    clock : callable
        Seconds; bounds the whole verification.

    Returns
    -------
    dict
        ``agrees``; ``verified``, whether anything was asked; ``rows`` that were asked about, and how many of
        them are ``differing``; ``sentence``, for people. Where there is nothing to ask, the endpoint agrees
        unverified, and the sentence says why.

    Raises
    ------
    VerificationRowsInvalidError
        The rows that Evaluate has kept were changed since.
    AwsError
        Nothing can be said about the endpoint.
    """
    wanted = state["rollout"]["verify"]
    if int(wanted["rows"]) <= 0:
        return _unverified("the stack's parameter VerifyRows is 0")
    try:
        kept, note = _kept(str(wanted["s3_uri"]), storage)
    except ObjectMissingError:
        return _unverified(f"there is no {wanted['s3_uri']}")
    if not kept:
        return _unverified(note)
    rows = verification_rows.spread(kept, int(wanted["rows"]))
    tolerance = float(wanted["tolerance"])
    largest = max((abs(row.expected) for row in rows if not isinstance(row.expected, str)), default=0.0)
    comparison = Comparison(str(wanted["answer_path"]), tolerance, tolerance * NEAR_ZERO * largest)
    endpoint, deadline = state["names"]["endpoint"], clock() + BUDGET_SECONDS

    def ask(row: Row) -> str | None:
        """Return how the answer about a row differs, empty if it does not, None without time to ask."""
        if clock() > deadline:
            return None
        return comparison.difference(row, runtime.invoke(endpoint, row.content_type, row.body))

    with ThreadPoolExecutor(int(wanted["at_a_time"])) as pool:
        found = list(pool.map(ask, rows))
    return _told(rows, found, note)


def _kept(uri: str, storage: Storage) -> tuple[list[Row], str]:
    location = s3_uris.parse(uri)
    if location is None:
        raise ValueError(f"not an S3 URI: {uri}")
    content = storage.read(location.bucket, location.key)
    try:
        return verification_rows.read(content)
    except ValueError as error:
        raise VerificationRowsInvalidError(
            f"{uri} is not as Evaluate writes it ({error}), so the endpoint cannot be verified: start the "
            "run again with force."
        ) from error


def _told(rows: Sequence[Row], found: Sequence[str | None], note: str) -> dict[str, Any]:
    """Sum up what was found, row by row."""
    asked = [(row, difference) for row, difference in zip(rows, found, strict=True) if difference is not None]
    differing = [(row, difference) for row, difference in asked if difference]
    count = f"{len(asked)} row{'' if len(asked) == 1 else 's'} of the holdout"
    if differing:
        named = "; ".join(f"row {readable(row.identifier)}: {what}" for row, what in differing[:_NAMED])
        sentence = (
            f"The live endpoint does not answer as the gate has seen this model answer: {len(differing)} of "
            f"{count} differ. {'The first: ' if len(differing) > _NAMED else ''}{named}."
        )
        if any(what.startswith(_NOTHING_AT) for _, what in differing):
            sentence += (
                " Where in an answer the prediction is, say the rows of verify.jsonl (answer_path), else the "
                "stack's parameter VerifyAnswerPath."
            )
    else:
        sentence = f"The live endpoint answers {count} as the gate has seen this model answer."
    if len(asked) < len(rows):
        sentence += f" There was no time for {len(rows) - len(asked)} more."
    if note:
        sentence += f" Note: {note}."
    return {
        "agrees": not differing,
        "verified": True,
        "rows": len(asked),
        "differing": len(differing),
        "sentence": sentence,
    }


def _unverified(why: str) -> dict[str, Any]:
    sentence = f"The live endpoint was not verified: {why}."
    return {"agrees": True, "verified": False, "rows": 0, "differing": 0, "sentence": sentence}


def _shown(value: object) -> str:
    return readable(value if isinstance(value, str) else json.dumps(value))
