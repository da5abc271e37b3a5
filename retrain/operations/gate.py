"""Asking the gate: its policy, why it decided as it did, and what it would decide under another policy.

The gate's rules live in the stack's own function, which answers these questions by being invoked; nothing of
them is repeated here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from retrain.aws import Stack
from retrain.errors import AwsCallError, GateError, PolicyArgumentError

Document = dict[str, Any]


def policy(stack: Stack, dataset: str | None = None, *, proposed: Document | None = None) -> Document:
    """Return the policy that a run of the dataset would be judged by now.

    Parameters
    ----------
    stack : Stack
        Whose gate.
    dataset : str, optional
        Without one, the policy of the stack's parameters.
    proposed : dict, optional
        Overrides to try in place of the dataset's own; nothing is kept.

    Returns
    -------
    dict
        `gate`, the whole policy; `stack`, that of the parameters; `overrides`, the dataset's own.

    Raises
    ------
    GateError
        The policy is wrong; the message names fields and bounds.
    """
    question: Document = {"dataset": dataset}
    if proposed is not None:
        question["gate"] = proposed
    return _ask(stack, {"policy": question})


def change_policy(stack: Stack, dataset: str, changes: Document) -> Document:
    """Change the dataset's own policy in the ledger, once the gate has found it right.

    Parameters
    ----------
    stack, dataset
        Whose.
    changes : dict
        Values by field; None removes an override.

    Returns
    -------
    dict
        As `policy`.
    """
    before = policy(stack, dataset, proposed={})["overrides"]
    wanted = {name: value for name, value in (before | changes).items() if value is not None}
    after = policy(stack, dataset, proposed=wanted)
    from boto3.dynamodb.types import TypeSerializer

    record = {
        "pk": f"POLICY#{dataset}",
        "sk": "POLICY",
        "kind": "policy",
        "dataset": dataset,
        "gate": wanted,
        "changed_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    serializer = TypeSerializer()
    item = {name: serializer.serialize(_decimals(value)) for name, value in record.items()}
    with stack.explained_errors("writing the policy to the ledger"):
        stack.client("dynamodb").put_item(TableName=stack.output("LedgerTableName"), Item=item)
    return {**after, "overrides": wanted}


def replay(stack: Stack, run_id: str, overrides: Document) -> Document:
    """Return what the verdict of a past run would be under an altered policy; nothing is trained or kept.

    Parameters
    ----------
    stack : Stack
        Whose gate.
    run_id : str
        The run's whole id.
    overrides : dict
        Values by field of the policy.

    Returns
    -------
    dict
        The decision, with `recorded`: verdict, summary and policy as they were.

    Raises
    ------
    GateError
        The run was never judged, its holdout has changed, or the policy is wrong.
    """
    return _ask(stack, {"replay": {"run_id": run_id, "gate": overrides}})


def evaluation(stack: Stack, run_id: str) -> Document:
    """Return a run's evaluation as the gate kept it.

    Raises
    ------
    GateError
        The run was never judged.
    """
    try:
        with stack.explained_errors("reading the evaluation"):
            answer = stack.client("s3").get_object(
                Bucket=stack.output("ArtifactsBucketName"), Key=f"runs/{run_id}/evaluation.json"
            )
            document: Document = json.load(answer["Body"])
    except AwsCallError as error:
        if error.code != "NoSuchKey":
            raise
        raise GateError(
            f"The run {run_id} was never judged: it runs still, or it failed before the gate. 'retrain show "
            f"{run_id}' tells."
        ) from error
    return document


def parse_settings(texts: Iterable[str]) -> Document:
    """Read `field=value` arguments; a value is a number if it looks like one, and nothing removes a field.

    Raises
    ------
    PolicyArgumentError
        An argument is not of that form.
    """
    settings: Document = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise PolicyArgumentError(
                f"'{text}' sets nothing: write field=value, such as value_threshold=0.9. 'retrain gate show' "
                "lists the fields."
            )
        settings[name.strip()] = _value(value.strip())
    return settings


def _value(text: str) -> Any:
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _ask(stack: Stack, event: Document) -> Document:
    with stack.explained_errors("asking the gate"):
        answer = stack.client("lambda").invoke(
            FunctionName=stack.output("EvaluateChallengerFunctionName"), Payload=json.dumps(event).encode()
        )
        content = answer["Payload"].read()
    document: Document = json.loads(content)
    if answer.get("FunctionError"):
        raise GateError(str(document.get("errorMessage") or "The gate failed without saying why."))
    return document


def _decimals(value: Any) -> Any:
    """Replace floats, which boto3 refuses, by decimals."""
    from decimal import Decimal

    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: _decimals(item) for name, item in value.items()}
    return value
