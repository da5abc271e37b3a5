"""`retrain report`: the card of a run, a page with its way, verdict, figures, lineage and cost."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from retrain.cli.options import Cloud, on_a_stack
from retrain.operations import ledger
from retrain.operations import report as cards


@on_a_stack
def report(
    cloud: Cloud,
    run: Annotated[
        str, typer.Argument(help="The run, or a beginning of its id.", metavar="RUN")
    ] = ledger.LATEST,
    *,
    save: Annotated[
        Path | None, typer.Option("--save", help="Save the card here.", metavar="FILE", show_default=False)
    ] = None,
    open_it: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open", help="Open it in the browser; usual on a terminal.", show_default=False
        ),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Write the card again, with what is known now.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Print a link with which anybody can read it for some hours.")
    ] = False,
    hours: Annotated[
        int, typer.Option("--hours", help="How long the link holds at most.", min=1, max=168)
    ] = cards.LINK_HOURS,
) -> None:
    """Open the card of a run: a page with its way, verdict, figures, lineage and cost."""
    output = cloud.output
    stack = cloud.stack()
    record = ledger.run(stack, run)
    run_id = str(record["run_id"])
    content = cards.card(stack, record, anew=anew)
    answer: dict[str, str] = {"run_id": run_id}
    if link:
        answer["link"] = cards.link(stack, run_id, hours=hours)
    opens = open_it if open_it is not None else output.for_people and not link and save is None
    if save is not None or opens or not link:
        answer["file"] = str(cards.save(content, run_id, save))
    if output.as_json:
        output.json(answer)
    else:
        for name in ("file", "link"):
            if name in answer:
                output.print(answer[name])
    if opens and not webbrowser.open(Path(answer["file"]).as_uri()):
        output.say("No browser could be opened: open the file by hand.")
