"""`retrain triggers`: what arrived, and what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from retrain.cli import render
from retrain.cli.options import Cloud, on_a_stack
from retrain.operations import ledger


@on_a_stack
def triggers(
    cloud: Cloud,
    *,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Only what is about this dataset.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1)] = 20,
) -> None:
    """List what arrived, newest first, and for each why it did or did not start a run.

    A batch of uploads counts as one; while it says waiting, its files are still arriving.
    """
    output = cloud.output
    stack = cloud.stack()
    found = ledger.triggers(stack, dataset=dataset, limit=limit)
    if output.as_json:
        output.json(found)
        return
    if not found:
        output.say("Nothing has arrived yet: 'retrain upload FOLDER --dataset NAME' sends a dataset.")
        return
    output.table(render.TRIGGER_COLUMNS, [render.trigger_row(record) for record in found])
