"""Amazon DynamoDB: the ledger's one table."""

import math
from typing import Any

from retraining.aws.clients import client, translated

_LEAST_NUMBER, _GREATEST_NUMBER = 1e-130, 9.999999999999999e125
"""The positive numbers that DynamoDB holds; it refuses an item with one beyond them."""


class DynamoLedger:
    """The ledger; implements `retraining.ports.Ledger`.

    Runs lie under ``RUN#<run id>`` / ``RUN``, champions under ``ENDPOINT#<endpoint>`` / ``CHAMPION``,
    policies of the gate under ``POLICY#<dataset>`` / ``POLICY``; the index ``ByKind`` lists runs or
    champions, ordered by ``started_at``.

    Parameters
    ----------
    table : str
        Name of the table.
    """

    def __init__(self, table: str) -> None:
        self._table = table

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run."""
        return self._get(f"RUN#{run_id}", "RUN")

    def put_run(self, record: dict[str, Any]) -> None:
        """Write the record of a run."""
        self._put(f"RUN#{record['run_id']}", "RUN", record)

    def get_champion(self, endpoint_name: str) -> dict[str, Any] | None:
        """Return the record of an endpoint's champion."""
        return self._get(f"ENDPOINT#{endpoint_name}", "CHAMPION")

    def put_champion(self, record: dict[str, Any]) -> None:
        """Write the record of an endpoint's champion."""
        self._put(f"ENDPOINT#{record['endpoint_name']}", "CHAMPION", record)

    def get_policy(self, dataset: str) -> dict[str, Any] | None:
        """Return a dataset's overrides of the gate's policy."""
        record = self._get(f"POLICY#{dataset}", "POLICY")
        return record.get("gate") if record else None

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with translated(f"Reading {pk} from the ledger {self._table}"):
            answer = client("dynamodb").get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        item = answer.get("Item")
        if item is None:
            return None
        return {name: from_attribute(value) for name, value in item.items() if name not in {"pk", "sk"}}

    def _put(self, pk: str, sk: str, record: dict[str, Any]) -> None:
        item = {name: to_attribute(value) for name, value in record.items()}
        with translated(f"Writing {pk} to the ledger {self._table}"):
            client("dynamodb").put_item(
                TableName=self._table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **item}
            )


def to_attribute(value: Any) -> dict[str, Any]:
    """Turn a JSON value into an attribute of DynamoDB.

    Raises
    ------
    TypeError
        The value is none of JSON's.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": repr(_within_range(value))}
    if isinstance(value, dict):
        return {"M": {str(name): to_attribute(item) for name, item in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"The ledger cannot hold a {type(value).__name__}.")


def _within_range(value: float) -> float:
    """Return the nearest number that DynamoDB holds: a p-value may be smaller than its least number."""
    if abs(value) < _LEAST_NUMBER:
        return 0
    if abs(value) > _GREATEST_NUMBER:
        return math.copysign(_GREATEST_NUMBER, value)
    return value


def from_attribute(attribute: dict[str, Any]) -> Any:
    """Turn an attribute of DynamoDB into a JSON value."""
    ((kind, value),) = attribute.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return float(value) if set(value) & set(".eE") else int(value)
    if kind == "M":
        return {name: from_attribute(item) for name, item in value.items()}
    if kind == "L":
        return [from_attribute(item) for item in value]
    return value
