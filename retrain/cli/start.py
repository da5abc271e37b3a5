"""`retrain start`."""

from __future__ import annotations

from typing import Annotated

import typer

from retrain.cli import watch as watching
from retrain.cli.options import Cloud, Dataset, on_a_stack
from retrain.cli.program import Hyperparameters
from retrain.operations import program
from retrain.operations import start as operations
from retrain.operations.upload import check_dataset_name


@on_a_stack
def start(
    cloud: Cloud,
    *,
    dataset: Dataset,
    force: Annotated[bool, typer.Option("--force", help="Also if the same has run before.")] = False,
    hyperparameter: Hyperparameters = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on to watch the run to its end.")] = False,
) -> None:
    """Start a run on the data that is there, without an upload."""
    output = cloud.output
    check_dataset_name(dataset)
    hyperparameters = program.parse_hyperparameters(hyperparameter or [])
    stack = cloud.stack()
    run_id = operations.start(stack, dataset, force=force, hyperparameters=hyperparameters)
    if output.as_json:
        output.json_line({"run_id": run_id})
    elif not watch:
        output.print(f"run {run_id}")
        output.say(f"'retrain watch {run_id}' shows it.")
    if watch:
        watching.finish(watching.show(output, stack, run_id))
