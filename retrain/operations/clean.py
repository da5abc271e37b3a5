"""Asking the stack to remove what earlier runs have left."""

from __future__ import annotations

import json
from typing import Any

from retrain.aws import Stack
from retrain.errors import CleaningError

Document = dict[str, Any]


def clean(stack: Stack, dataset: str | None = None, *, dry_run: bool = False) -> list[Document]:
    """Remove the models, endpoint configs, artifacts and logs that the stack does not keep.

    Parameters
    ----------
    stack : Stack
        Whose.
    dataset : str, optional
        Only what belongs to this dataset.
    dry_run : bool
        Only find out what would be removed.

    Returns
    -------
    list of dict
        For each dataset what is `kept` (`run_id` and `why`), of which `runs` everything was removed, how much
        was `removed` by kind, how many runs are `remaining`, and `warnings`.

    Raises
    ------
    CleaningError
        The stack's function failed.
    """
    found = _ask(stack, dataset, dry_run=dry_run)
    # One call removes things of so many runs only.
    last = found
    while not dry_run and any(each["remaining"] and each["runs"] for each in last.values()):
        last = _ask(stack, dataset, dry_run=False)
        found = {name: _together(found.get(name), each) for name, each in last.items()}
    return list(found.values())


def _ask(stack: Stack, dataset: str | None, *, dry_run: bool) -> dict[str, Document]:
    with stack.explained_errors("asking the stack to clean up"):
        answer = stack.client("lambda").invoke(
            FunctionName=stack.output("CleanUpFunctionName"),
            Payload=json.dumps({"ask": {"dataset": dataset, "dry_run": dry_run}}).encode(),
        )
        document: Document = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        reason = document.get("errorMessage") or "The function failed without saying why."
        raise CleaningError(f"The stack '{stack.name}' could not clean up: {reason}")
    return {str(each["dataset"]): each for each in document["datasets"]}


def _together(first: Document | None, second: Document) -> Document:
    if first is None:
        return second
    kinds = {*first["removed"], *second["removed"]}
    removed = {kind: first["removed"].get(kind, 0) + second["removed"].get(kind, 0) for kind in sorted(kinds)}
    return {**second, "runs": [*first["runs"], *second["runs"]], "removed": removed}
