"""Which rights calls of DynamoDB need: on which tables, and with which leading keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from retrain.localcloud.authorisation.decisions import Check
from retrain.localcloud.authorisation.requests import Call
from retrain.localcloud.authorisation.scene import Scene
from retrain.localcloud.errors import UnmappedCallError

_BY_KEY = frozenset({"GetItem", "UpdateItem", "DeleteItem"})
_PLAIN = frozenset({"DescribeTable", "Scan"})
_TRANSACTIONS = frozenset({"TransactWriteItems", "TransactGetItems"})
_PARTS = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
}
_EQUALS = re.compile(r"(?P<name>#?[A-Za-z0-9_.-]+)\s*=\s*(?P<value>:[A-Za-z0-9_]+)")

OPERATIONS = frozenset({*_BY_KEY, *_PLAIN, *_TRANSACTIONS, "PutItem", "Query"})


def checks(call: Call, scene: Scene) -> Iterator[Check]:
    """Yield what has to be allowed for a call.

    Raises
    ------
    UnmappedCallError
        Which keys it is about cannot be told.
    """
    members = call.members
    if call.operation in _TRANSACTIONS:
        for item in members.get("TransactItems") or []:
            for part, details in item.items():
                yield _of_item(_PARTS[part], details, scene)
    elif call.operation in _PLAIN:
        yield Check(f"dynamodb:{call.operation}", _arn(members, scene))
    elif call.operation == "Query":
        key = _partition_key(members, scene)
        context = {} if key is None else {"dynamodb:leadingkeys": [_queried(members, key)]}
        yield Check("dynamodb:Query", _arn(members, scene), context)
    else:
        yield _of_item(call.operation, members, scene)


def _of_item(action: str, members: Mapping[str, Any], scene: Scene) -> Check:
    key = _partition_key(members, scene)
    given = members.get("Item" if action == "PutItem" else "Key") or {}
    context = {"dynamodb:leadingkeys": [_text(given[key])]} if key in given else {}
    return Check(f"dynamodb:{action}", _arn(members, scene), context)


def _name(members: Mapping[str, Any]) -> str:
    return str(members.get("TableName", "")).rpartition("/")[2]


def _arn(members: Mapping[str, Any], scene: Scene) -> str:
    index = members.get("IndexName")
    return scene.arn("dynamodb", f"table/{_name(members)}" + (f"/index/{index}" if index else ""))


def _partition_key(members: Mapping[str, Any], scene: Scene) -> str | None:
    return scene.facts.key_of(scene.account, _name(members), members.get("IndexName"))


def _queried(members: Mapping[str, Any], key: str) -> str:
    """Return the partition key's value that a query is for."""
    names = members.get("ExpressionAttributeNames") or {}
    values = members.get("ExpressionAttributeValues") or {}
    for term in _EQUALS.finditer(str(members.get("KeyConditionExpression", ""))):
        if names.get(term["name"], term["name"]) == key and term["value"] in values:
            return _text(values[term["value"]])
    raise UnmappedCallError(
        f"It is not known which {key} a query of {_name(members)} is for: give it as {key} = :value in "
        "KeyConditionExpression."
    )


def _text(value: Any) -> str:
    """Return a value of DynamoDB's as conditions compare it."""
    if isinstance(value, dict):
        return str(next(iter(value.values())))
    return str(value)
