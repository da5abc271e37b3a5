"""Where the card of a run lies, and where people find it: the lines that a notification ends with."""

from collections.abc import Mapping
from typing import Any, Protocol

from retraining.errors import AwsError
from retraining.s3_uris import parse

CARD_FILE = "report.html"


class Links(Protocol):
    """Links to objects, for people who have no other way in."""

    def link(self, bucket: str, key: str, hours: int) -> str:
        """Return a link that holds for at most so many hours."""

    def exists(self, bucket: str, key: str) -> bool:
        """Whether a link would lead to something."""


def card_key(run_id: str) -> str:
    """Return where in the artifacts bucket a run's card lies."""
    return f"runs/{run_id}/{CARD_FILE}"


def known(bucket: str, key: str, links: Links) -> dict[str, Any]:
    """Return what of a state machine's data tells where a card is, if there is one under a key.

    For those who tell of a run without knowing these data.
    """
    try:
        there = links.exists(bucket, key)
    except AwsError:
        there = False
    return {"report": {"s3_uri": f"s3://{bucket}/{key}"}} if there else {}


def lines(state: Mapping[str, Any], run_id: str, hours: int, links: Links) -> list[str]:
    """Return what a notification says about the card of its run.

    Parameters
    ----------
    state : mapping
        The state machine's data; ``report`` tells where the card is, if it could be written.
    run_id : str
        The run.
    hours : int
        How long a link shall hold; 0 for none.
    links : Links
        Signs it. Where that fails, people are told so.
    """
    report = state.get("report")
    uri = parse(str(report.get("s3_uri"))) if isinstance(report, Mapping) else None
    if uri is None or hours == 0:
        return without_link(run_id)
    try:
        link = links.link(uri.bucket, uri.key, hours)
    except AwsError as error:
        return [*without_link(run_id), f"             It has no link: {error}"]
    ends = "1 hour" if hours == 1 else f"{hours} hours"
    return [
        f"  run card   {link}",
        f"             It opens for at most {ends}; afterwards: {_command(run_id)}",
    ]


def without_link(run_id: str) -> list[str]:
    """Return what a notification says about a card that may have yet to be written: how to ask for it."""
    return [f"  run card   {_command(run_id)}"]


def _command(run_id: str) -> str:
    return f"retrain report {run_id}"
