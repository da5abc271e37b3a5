"""A dataset's own training program: packed, uploaded, and written to the ledger, where every run looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrain.aws import Stack
from retrain.errors import ProgramArgumentError
from retrain.operations.upload import check_dataset_name

SOURCES = "sources"
"""The folder of the artifacts bucket from which the stack runs programs."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Packed:
    """A program as it is uploaded: an archive, whose name says what is in it."""

    entry_point: str
    key: str
    content: bytes


def pack(dataset: str, folder: Path, entry_point: str) -> Packed:
    """Pack a program's folder; the same files make the same archive, and others another name.

    So a model that serves keeps the program that it was trained with, and a changed program is a new one to
    the stack, which trains again.

    Raises
    ------
    DatasetNameError, ProgramArgumentError
        There is no such folder, or no such file in it.
    """
    from retrain.workflow.errors import EstimatorError
    from retrain.workflow.estimators.source import Source

    check_dataset_name(dataset)
    if not folder.is_dir():
        raise ProgramArgumentError(f"{folder} is no folder: name the one that holds {entry_point}.")
    if not entry_point.endswith(".py") or not (folder / entry_point).is_file():
        raise ProgramArgumentError(
            f"{folder} holds no Python file {entry_point}: --entry-point says what the program is called."
        )
    source = Source(entry_point, str(folder), prefix=f"{SOURCES}/{dataset}")
    try:
        return Packed(entry_point, source.key, source.content)
    except EstimatorError as error:
        raise ProgramArgumentError(str(error)) from error


def change(stack: Stack, dataset: str, packed: Packed, further: Mapping[str, Any]) -> Document:
    """Upload a program, and have every later run of the dataset train with it.

    Parameters
    ----------
    stack, dataset, packed
        Whose, and what.
    further : mapping
        Other fields of a request's `training`, such as `hyperparameters`.

    Returns
    -------
    dict
        What the ledger has now.
    """
    bucket = stack.output("ArtifactsBucketName")
    with stack.explained_errors("uploading the program"):
        stack.client("s3").put_object(Bucket=bucket, Key=packed.key, Body=packed.content)
    training = {
        "source_s3_uri": f"s3://{bucket}/{packed.key}",
        "entry_point": packed.entry_point,
        **{name: value for name, value in further.items() if value},
    }
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {**_key(dataset), "kind": "program", "dataset": dataset, "training": training}
    from boto3.dynamodb.types import TypeSerializer

    serializer = TypeSerializer()
    item = {name: serializer.serialize(value) for name, value in (record | {"changed_at": moment}).items()}
    with stack.explained_errors("writing the program to the ledger"):
        stack.client("dynamodb").put_item(TableName=stack.output("LedgerTableName"), Item=item)
    return training


def of(stack: Stack, dataset: str) -> Document | None:
    """Return what a dataset is trained with; None if by the stack's parameters."""
    from boto3.dynamodb.types import TypeDeserializer

    with stack.explained_errors("reading the program from the ledger"):
        answer = stack.client("dynamodb").get_item(
            TableName=stack.output("LedgerTableName"), Key=_attributes(dataset), ConsistentRead=True
        )
    if "Item" not in answer:
        return None
    training: Document = TypeDeserializer().deserialize(answer["Item"]["training"])
    if "instance_count" in training:
        training["instance_count"] = int(training["instance_count"])
    return training


def remove(stack: Stack, dataset: str) -> None:
    """Have a dataset trained by the stack's parameters again; the archive stays, models are served by it."""
    with stack.explained_errors("taking the program out of the ledger"):
        stack.client("dynamodb").delete_item(
            TableName=stack.output("LedgerTableName"), Key=_attributes(dataset)
        )


def parse_hyperparameters(texts: Iterable[str]) -> dict[str, str]:
    """Read `name=value` arguments.

    Raises
    ------
    ProgramArgumentError
        An argument is not of that form.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ProgramArgumentError(f"'{text}' is no hyperparameter: write name=value, such as epochs=3.")
        found[name.strip()] = value
    return found


def _key(dataset: str) -> dict[str, str]:
    return {"pk": f"PROGRAM#{dataset}", "sk": "PROGRAM"}


def _attributes(dataset: str) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in _key(dataset).items()}
