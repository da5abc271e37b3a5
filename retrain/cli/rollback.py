"""`retrain rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from retrain.cli import watch
from retrain.cli.options import Cloud, on_a_stack
from retrain.operations import rollback as operations


@on_a_stack
def rollback(
    cloud: Cloud,
    *,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Whose endpoint; not needed if there is one.", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="The run whose model is to serve again; by default the one before.",
            metavar="RUN",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Stop watching after so many seconds.", min=0)] = None,
) -> None:
    """Go back to an earlier model, as carefully as a new one goes live, and watch it happen.

    Training runs that began before it do not go live after it.

    Exit code 0 if the earlier model serves again, 1 if it does not.
    """
    output = cloud.output
    stack = cloud.stack()
    dataset = dataset or operations.dataset(stack)
    target = operations.check(stack, dataset, to)
    run_id = operations.start(stack, dataset, target if to is not None else None)
    if target:
        output.say(f"Going back to the model of the run {target}.")
    watch.finish(watch.show(output, stack, run_id, timeout=timeout))
