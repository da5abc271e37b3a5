"""`retrain approve` and `retrain reject`: let a promoted challenger go live, or not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from retrain.cli import watch as watching
from retrain.cli.options import Cloud, on_a_stack
from retrain.operations import approval

Run = Annotated[
    str,
    typer.Argument(help="The run, or a beginning of its id; 'latest'.", metavar="RUN", show_default=False),
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", help="Why; it is kept and told.", metavar="TEXT", show_default=False),
]
Watch = Annotated[bool, typer.Option("--watch", help="Go on to watch the run to its end.")]


@on_a_stack
def approve(cloud: Cloud, run: Run, *, reason: Reason = None, watch: Watch = False) -> None:
    """Approve the challenger of a run that waits for it: the run goes on, and deploys it."""
    _decide(cloud, run, granted=True, reason=reason, watch=watch)


@on_a_stack
def reject(cloud: Cloud, run: Run, *, reason: Reason = None, watch: Watch = False) -> None:
    """Reject the challenger of a run that waits for approval: the run ends, and the champion stays."""
    _decide(cloud, run, granted=False, reason=reason, watch=watch)


def _decide(cloud: Cloud, run: str, *, granted: bool, reason: str | None, watch: bool) -> None:
    output = cloud.output
    stack = cloud.stack()
    decided = approval.decide(stack, run, granted=granted, reason=reason)
    if output.as_json:
        output.json_line(asdict(decided))
    else:
        word = "approved" if granted else "rejected"
        output.print(f"The challenger of the run {decided.run_id} is {word}.")
    if watch:
        watching.finish(watching.show(output, stack, decided.run_id))
    then = "goes on, and deploys it" if granted else "ends"
    output.say(f"The run {then}: 'retrain watch {decided.run_id}' shows it.")
