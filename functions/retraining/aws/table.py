"""Amazon DynamoDB: reading, writing and updating items of one table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.attributes import from_attribute, to_attribute
from retraining.aws.clients import client, code, translated

_KEYS = frozenset({"pk", "sk"})


class Table:
    """One table with the keys ``pk`` and ``sk``.

    Parameters
    ----------
    name : str
        Its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Return an item as it is now, None if there is none."""
        with translated(f"Reading {pk} from the ledger {self._name}"):
            answer = client("dynamodb").get_item(TableName=self._name, Key=_key(pk, sk), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else _plain(item)

    def query_kind(
        self, kind: str, attributes: Sequence[str], condition: str, **values: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield some attributes of all items of a kind that fulfil a condition, newest first.

        Read from an index, which may be seconds behind.
        """
        parts = _expressions(
            KeyConditionExpression="#kind = :kind",
            FilterExpression=condition,
            ProjectionExpression=", ".join(f"#{name}" for name in attributes),
            values={"kind": kind, **values},
        )
        pages = client("dynamodb").get_paginator("query")
        with translated(f"Listing what the ledger {self._name} has of the kind {kind}"):
            for page in pages.paginate(
                TableName=self._name, IndexName="ByKind", ScanIndexForward=False, **parts
            ):
                for item in page["Items"]:
                    yield _plain(item)

    def put(self, pk: str, sk: str, record: Mapping[str, Any], condition: str = "", **values: Any) -> bool:
        """Write an item whole; False if a condition forbids it.

        Parameters
        ----------
        condition : str
            Of DynamoDB's kind, its values named as ``:name`` and its attributes as ``#name``.
        **values
            The condition's values.
        """
        item = {name: to_attribute(value) for name, value in record.items()}
        request = {"TableName": self._name, "Item": {**_key(pk, sk), **item}}
        with translated(f"Writing {pk} to the ledger {self._name}"):
            try:
                client("dynamodb").put_item(
                    **request, **_expressions(ConditionExpression=condition, values=values)
                )
            except ClientError as error:
                if code(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def delete(self, pk: str, sk: str, condition: str, **values: Any) -> None:
        """Delete an item, unless a condition forbids it."""
        parts = _expressions(ConditionExpression=condition, values=values)
        with translated(f"Deleting {pk} from the ledger {self._name}"):
            try:
                client("dynamodb").delete_item(TableName=self._name, Key=_key(pk, sk), **parts)
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise

    def update(
        self, pk: str, sk: str, expression: str, condition: str = "", **values: Any
    ) -> dict[str, Any] | None:
        """Change an item, or make it; return it as it is then, or None if a condition forbids it.

        Parameters
        ----------
        expression, condition : str
            Of DynamoDB's kind, their values named as ``:name`` and their attributes as ``#name``.
        **values
            Their values; a frozenset is a set of texts.
        """
        parts = _expressions(UpdateExpression=expression, ConditionExpression=condition, values=values)
        with translated(f"Updating {pk} in the ledger {self._name}"):
            try:
                answer = client("dynamodb").update_item(
                    TableName=self._name, Key=_key(pk, sk), ReturnValues="ALL_NEW", **parts
                )
            except ClientError as error:
                if code(error) == "ConditionalCheckFailedException":
                    return None
                raise
        return _plain(answer["Attributes"])


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: from_attribute(value) for name, value in item.items() if name not in _KEYS}


def _expressions(values: Mapping[str, Any], **expressions: str) -> dict[str, Any]:
    """Return the parameters for expressions; every ``#name`` in them stands for the attribute ``name``."""
    parts: dict[str, Any] = {name: text for name, text in expressions.items() if text}
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", " ".join(expressions.values()))}
    if names:
        parts["ExpressionAttributeNames"] = names
    if values:
        parts["ExpressionAttributeValues"] = {
            f":{name}": to_attribute(value) for name, value in values.items()
        }
    return parts
