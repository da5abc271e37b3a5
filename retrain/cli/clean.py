"""`retrain clean`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from retrain.cli.options import Cloud, on_a_stack
from retrain.cli.output import Output
from retrain.operations import clean as operations

_KINDS = {
    "models": "models",
    "endpoint_configs": "endpoint configs",
    "packages": "packages rejected",
    "objects": "files",
    "log_streams": "log streams",
}


@on_a_stack
def clean(
    cloud: Cloud,
    *,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Only what belongs to this dataset.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
) -> None:
    """Remove models, endpoint configs, training output and logs that the stack does not keep.

    The stack does it by itself after each deployment. It keeps the last KeepModels models (a parameter of the
    stack) and as many runs that did not go live, and never touches the live model or the one before. Records,
    evaluations and run cards stay.
    """
    output = cloud.output
    found = operations.clean(cloud.stack(), dataset, dry_run=dry_run)
    if output.as_json:
        output.json({"dry_run": dry_run, "datasets": found})
    else:
        _tell(output, found, dry_run=dry_run)
    if any(each["warnings"] for each in found):
        raise typer.Exit(1)


def _tell(output: Output, found: list[dict[str, Any]], *, dry_run: bool) -> None:
    gone = "would be removed" if dry_run else "removed"
    rows = []
    for each in found:
        rows += [[each["dataset"], kept["run_id"], "kept", str(kept["why"])] for kept in each["kept"]]
        rows += [[each["dataset"], run_id, gone, ""] for run_id in each["runs"]]
    if not rows:
        output.say("There is nothing to remove.")
    else:
        output.table(("DATASET", "RUN", "WHAT", "WHY"), rows)
    for each in found:
        counted = [
            f"{each['removed'][kind]} {name}" for kind, name in _KINDS.items() if kind in each["removed"]
        ]
        if counted:
            output.say(f"{each['dataset']}: {', '.join(counted)}.")
        for warning in each["warnings"]:
            output.say(f"{each['dataset']}: {warning}", "yellow")
