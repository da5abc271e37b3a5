"""Tags of state machines and activities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrain.states.service import arns
from retrain.states.service.errors import ServiceError, not_found
from retrain.states.service.store import Table

MOST = 50

Request = dict[str, Any]


class Tags:
    """The operations on tags.

    Parameters
    ----------
    table
        Where they are kept, by the ARN of what they belong to.
    exists
        Whether there is a resource of an ARN.
    """

    def __init__(self, table: Table, exists: Callable[[str], bool]) -> None:
        self._table = table
        self._exists = exists

    def tag(self, request: Request) -> Request:
        """Answer TagResource."""
        arn = self._known(request["resourceArn"])
        self.put(arn, request["tags"])
        return {}

    def untag(self, request: Request) -> Request:
        """Answer UntagResource."""
        arn = self._known(request["resourceArn"])
        kept = [tag for tag in self.of(arn) if tag["key"] not in request["tagKeys"]]
        self._table.put(arn, {"tags": kept})
        return {}

    def list_all(self, request: Request) -> Request:
        """Answer ListTagsForResource."""
        return {"tags": self.of(self._known(request["resourceArn"]))}

    def of(self, arn: str) -> list[dict[str, str]]:
        """Return the tags of a resource."""
        return list((self._table.get(arn) or {}).get("tags", []))

    def check(self, tags: list[dict[str, str]], arn: str) -> None:
        """Refuse more tags than a resource can have."""
        merged = {tag.get("key", ""): tag for tag in [*self.of(arn), *tags]}
        if len(merged) > MOST:
            raise ServiceError("TooManyTags", f"A resource can have {MOST} tags at most: '{arn}'")

    def put(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Add tags, over those with the same keys."""
        if not tags:
            return
        self.check(tags, arn)
        merged = {tag["key"]: tag for tag in self.of(arn)}
        merged |= {
            tag.get("key", ""): {"key": tag.get("key", ""), "value": tag.get("value", "")} for tag in tags
        }
        self._table.put(arn, {"tags": list(merged.values())})

    def drop(self, arn: str) -> None:
        """Forget the tags of something that is deleted."""
        self._table.delete(arn)

    def _known(self, arn: str) -> str:
        if not self._exists(arns.check_taggable(arn)):
            raise not_found(arn)
        return arn
