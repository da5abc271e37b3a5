"""Reading the ledger: runs, champions, and what became of all that arrived."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from retrain.aws import Stack
from retrain.errors import RunNotFoundError

Record = dict[str, Any]
LATEST = "latest"


def runs(stack: Stack, *, dataset: str | None = None, limit: int = 20) -> list[Record]:
    """Return the newest runs.

    Parameters
    ----------
    stack : Stack
        Whose ledger.
    dataset : str, optional
        Only runs of this dataset.
    limit : int
        At most so many.

    Returns
    -------
    list of dict
        Newest first, as the ledger holds them.
    """
    return _newest(stack, "run", dataset, limit)


def triggers(stack: Stack, *, dataset: str | None = None, limit: int = 20) -> list[Record]:
    """Return what arrived last, and for each why it did or did not start a run.

    Parameters
    ----------
    stack : Stack
        Whose ledger.
    dataset : str, optional
        Only what is about this dataset.
    limit : int
        At most so many.

    Returns
    -------
    list of dict
        Newest first, as the ledger holds them.
    """
    return _newest(stack, "trigger", dataset, limit)


def run(stack: Stack, run_id: str = LATEST) -> Record:
    """Return the record of one run.

    Parameters
    ----------
    stack : Stack
        Whose ledger.
    run_id : str
        The run's whole id, a beginning of it that only one of the recent runs has, or `latest`.

    Returns
    -------
    dict
        The record.

    Raises
    ------
    RunNotFoundError
        No run is meant by it, or more than one.
    """
    if run_id == LATEST:
        newest = runs(stack, limit=1)
        if not newest:
            raise RunNotFoundError(
                f"The stack '{stack.name}' has had no run yet: 'retrain upload FOLDER --dataset NAME' "
                "starts one."
            )
        return newest[0]
    exact = find_run(stack, run_id)
    if exact is not None:
        return exact
    similar = [record for record in runs(stack, limit=1000) if str(record["run_id"]).startswith(run_id)]
    if len(similar) == 1:
        return similar[0]
    if similar:
        raise RunNotFoundError(
            f"{len(similar)} runs begin with '{run_id}': give more of the id. 'retrain runs' lists them."
        )
    raise RunNotFoundError(
        f"There is no run '{run_id}' in the stack '{stack.name}': 'retrain runs' lists those there are."
    )


def find_run(stack: Stack, run_id: str) -> Record | None:
    """Return the record of the run with exactly this id, if there is one yet."""
    return _item(stack, f"RUN#{run_id}", "RUN")


def champion(stack: Stack, endpoint_name: str) -> Record | None:
    """Return the record of the endpoint's champion, if it has one."""
    return _item(stack, f"ENDPOINT#{endpoint_name}", "CHAMPION")


def champions(stack: Stack) -> list[Record]:
    """Return the records of the champions of all endpoints."""
    return list(_newest_first(stack, "champion"))


def _item(stack: Stack, pk: str, sk: str) -> Record | None:
    with stack.explained_errors("reading the ledger"):
        answer = stack.client("dynamodb").get_item(
            TableName=stack.output("LedgerTableName"),
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=True,
        )
    return _plain(answer["Item"]) if "Item" in answer else None


def _newest(stack: Stack, kind: str, dataset: str | None, limit: int) -> list[Record]:
    matching = (
        record for record in _newest_first(stack, kind) if dataset is None or record.get("dataset") == dataset
    )
    return list(islice(matching, limit))


def _newest_first(stack: Stack, kind: str) -> Iterator[Record]:
    request: dict[str, Any] = {
        "TableName": stack.output("LedgerTableName"),
        "IndexName": "ByKind",
        "KeyConditionExpression": "#kind = :kind",
        "ExpressionAttributeNames": {"#kind": "kind"},
        "ExpressionAttributeValues": {":kind": {"S": kind}},
        "ScanIndexForward": False,
    }
    while True:
        with stack.explained_errors("reading the ledger"):
            page = stack.client("dynamodb").query(**request)
        for item in page["Items"]:
            yield _plain(item)
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _plain(item: dict[str, Any]) -> Record:
    from boto3.dynamodb.types import TypeDeserializer

    deserializer = TypeDeserializer()
    return {key: _numbers(deserializer.deserialize(value)) for key, value in item.items()}


def _numbers(value: Any) -> Any:
    """Replace boto3's decimals by numbers that JSON knows."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, (list, set)):
        return [_numbers(item) for item in value]
    return value
