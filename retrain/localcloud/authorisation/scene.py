"""What has to be known beside a call to say which rights it needs: where things are, what they are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from retrain.localcloud import seams
from retrain.localcloud.environment import ACCOUNT, REGION

DYNAMODB = "ministack.services.dynamodb"

seams.expect(DYNAMODB, "_tables", None)

KeyOf = Callable[[str, str, str | None], str | None]
"""``(account, table, index or None) -> name of the partition key``; None if there is no such table."""


@dataclass(frozen=True)
class Facts:
    """What services know of their resources.

    Attributes
    ----------
    key_of
        The partition key of a table or index of DynamoDB.
    tags_of
        A resource's tags, by its ARN.
    machine_of_token
        The state machine that waits with a task token; None if none does.
    """

    key_of: KeyOf
    tags_of: Callable[[str], Mapping[str, str]] = field(default=lambda _: {})
    machine_of_token: Callable[[str], str | None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a call is made, and the facts.

    Attributes
    ----------
    facts
        What services know.
    account, region
        The caller's.
    """

    facts: Facts
    account: str = ACCOUNT
    region: str = REGION

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def key_of(account: str, table: str, index: str | None) -> str | None:
    """Return the partition key of a table of the local cloud's DynamoDB, or of one of its indexes."""
    found = seams.module(DYNAMODB)._tables.get_scoped(account, REGION, table)
    if found is None:
        return None
    schema = found["KeySchema"]
    if index is not None:
        indexes = [
            *(found.get("GlobalSecondaryIndexes") or []),
            *(found.get("LocalSecondaryIndexes") or []),
        ]
        schema = next((each["KeySchema"] for each in indexes if each["IndexName"] == index), [])
    return next((str(each["AttributeName"]) for each in schema if each["KeyType"] == "HASH"), None)
