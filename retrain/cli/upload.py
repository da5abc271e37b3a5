"""`retrain upload`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retrain.aws import Stack
from retrain.cli import watch as watching
from retrain.cli.options import Cloud, Dataset, on_a_stack
from retrain.cli.output import Output
from retrain.errors import UsageError
from retrain.operations import upload as operations
from retrain.operations.follow import known_runs, known_triggers


@on_a_stack
def upload(
    cloud: Cloud,
    path: Annotated[
        Path,
        typer.Argument(help="A folder, with all its folders, or a file.", metavar="PATH", show_default=False),
    ],
    *,
    dataset: Dataset,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="Into the evaluation set; it starts no run.")
    ] = False,
    no_marker: Annotated[
        bool,
        typer.Option("--no-marker", help="Leave the batch open; it closes after the stack's quiet period."),
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on to watch the run that it starts.")] = False,
) -> None:
    """Upload a dataset; a marker at the end closes the batch, and a run begins."""
    if watch and holdout:
        raise UsageError("--watch has nothing to watch with --holdout: a holdout starts no run.")
    output = cloud.output
    stack = cloud.stack()
    plan = operations.plan(stack, path, dataset, holdout=holdout)
    known = known_runs(stack) if watch else set()
    triggers = known_triggers(stack) if watch else set()
    with output.bytes_progress(f"Uploading {_files(plan)}", plan.total_bytes) as advance:
        operations.send(stack, plan, on_bytes=advance)
    marker = None if holdout or no_marker else operations.close_batch(stack, plan)
    _tell(output, stack, plan, marker, holdout=holdout)
    if watch:
        watching.watch_new_run(output, stack, known, triggers, dataset)


def _tell(output: Output, stack: Stack, plan: operations.Plan, marker: str | None, *, holdout: bool) -> None:
    if output.as_json:
        sizes = {"files": len(plan.files), "bytes": plan.total_bytes}
        output.json_line({"uri": plan.uri, **sizes, "marker": marker, "skipped": list(plan.skipped)})
        return
    output.print(f"{_files(plan)}, {_count(plan.total_bytes, 'byte')}, in {plan.uri}")
    if plan.skipped:
        names = ", ".join(str(file) for file in plan.skipped)
        output.say(f"Left out: {names} (hidden files, and the marker, which is written last)")
    if holdout:
        output.say("The next run is judged on it; no run begins now.")
        if not operations.has_labels(stack, plan):
            output.say(
                f"It has no labels.csv (id,label) yet, and without it the gate rejects: add it to {plan.uri}",
                "yellow",
            )
    elif marker:
        output.say(
            "The batch is closed: 'retrain watch' shows the run, 'retrain triggers' why there is none."
        )
    else:
        output.say(
            "A run begins once no file has come for the stack's quiet period: 'retrain watch' shows it."
        )


def _files(plan: operations.Plan) -> str:
    return _count(len(plan.files), "file")


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
