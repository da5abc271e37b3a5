"""Filters, order and pages of the List operations."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Sequence
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError
from retrain.localcloud.sagemaker.store import Record

_DEFAULT_PAGE = 10


def seconds(value: float | str) -> float:
    """Read a timestamp of a request: seconds, or ISO 8601."""
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise InvalidRequestError(f"{value!r} is no timestamp.") from error
    return float(value)


def select(
    records: Sequence[Record],
    parameters: dict[str, Any],
    *,
    name: str,
    status: str | None = None,
    order: str = "Descending",
) -> list[Record]:
    """Return the records that a List request asks for, in its order.

    Parameters
    ----------
    records
        Of one kind.
    parameters
        The request: NameContains, StatusEquals, CreationTimeAfter and the like, SortBy, SortOrder.
    name, status
        The members that hold the name and the status.
    order
        Where the request names none.
    """
    chosen = list(records)
    if parameters.get("NameContains"):
        part = parameters["NameContains"].lower()
        chosen = [item for item in chosen if part in item.get(name, "").lower()]
    if parameters.get("StatusEquals") and status:
        chosen = [item for item in chosen if item[status] == parameters["StatusEquals"]]
    for member in ("CreationTime", "LastModifiedTime"):
        after, before = parameters.get(f"{member}After"), parameters.get(f"{member}Before")
        if after is not None:
            chosen = [item for item in chosen if item[member] > seconds(after)]
        if before is not None:
            chosen = [item for item in chosen if item[member] < seconds(before)]
    keys = {"Name": name, "Status": status or name, "CreationTime": "CreationTime"}
    key = keys.get(parameters.get("SortBy") or "CreationTime", "CreationTime")
    descending = (parameters.get("SortOrder") or order) == "Descending"
    return sorted(chosen, key=lambda item: (item.get(key, ""), item.get(name, "")), reverse=descending)


def listed(
    chosen: Sequence[Record], parameters: dict[str, Any], member: str, fields: Sequence[str]
) -> dict[str, Any]:
    """Return one page of a List operation's answer.

    Parameters
    ----------
    chosen
        What `select` gave.
    parameters
        The request: MaxResults and NextToken.
    member
        The name of the list in the answer.
    fields
        The members of each element.
    """
    size = parameters.get("MaxResults") or _DEFAULT_PAGE
    start = _position(parameters.get("NextToken"))
    page = chosen[start : start + size]
    answer: dict[str, Any] = {member: [{key: item[key] for key in fields if key in item} for item in page]}
    if start + size < len(chosen):
        answer["NextToken"] = base64.urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestError("Invalid NextToken.") from error
