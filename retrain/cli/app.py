"""All commands, in the order in which a newcomer needs them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from retrain.cli import (
    approval,
    clean,
    console,
    data,
    demo,
    gate,
    local,
    predict,
    program,
    report,
    rollback,
    runs,
    start,
    states,
    triggers,
    upload,
    watch,
    workflow,
)

app = typer.Typer(
    help="New data in a bucket becomes a trained, judged and safely deployed model, on AWS or on a laptop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 (typer's signature for callbacks)
    if value:
        from importlib.metadata import version

        typer.echo(f"retrain {version('retrain')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version  # the callback has printed it


app.command("demo")(demo.demo)
app.add_typer(local.app, name="local")
app.add_typer(data.app, name="data")
app.command("upload")(upload.upload)
app.add_typer(program.app, name="program")
app.command("start")(start.start)
app.command("watch")(watch.watch)
app.command("runs")(runs.runs)
app.command("triggers")(triggers.triggers)
app.command("show")(runs.show)
app.command("logs")(runs.logs)
app.command("report")(report.report)
app.command("approve")(approval.approve)
app.command("reject")(approval.reject)
app.add_typer(gate.app, name="gate")
app.command("predict")(predict.predict)
app.command("rollback")(rollback.rollback)
app.command("clean")(clean.clean)
app.command("console")(console.console)
app.add_typer(states.app, name="states")
app.add_typer(workflow.app, name="workflow")
