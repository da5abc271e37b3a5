"""`retrain local schedule`: firing a schedule without waiting for its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from retrain.cli.options import AsJson
from retrain.cli.output import Output
from retrain.errors import UsageError
from retrain.operations import schedules
from retrain.project import state_dir

if TYPE_CHECKING:
    from retrain.aws import Stack

app = typer.Typer(help="Schedules of the local cloud.", no_args_is_help=True)


@app.command("fire")
def fire(
    name: Annotated[
        str | None, typer.Argument(help="NAME or GROUP/NAME; the stack's own by default.", metavar="SCHEDULE")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fire a schedule now, as if its time had come."""
    output = Output(as_json=as_json)
    stack = _stack()
    name = name or schedules.stacks_own(stack)
    fired = schedules.fire(stack, name)
    if as_json:
        output.json({"schedule": name, **fired})
        return
    output.print(f"Fired {name} for {fired['scheduled_time']}.")
    output.say("'retrain triggers' shows what came of it.")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the schedules of the local cloud."""
    output = Output(as_json=as_json)
    found = schedules.schedules(_stack())
    rows = [
        {
            "name": f"{schedule['GroupName']}/{schedule['Name']}",
            "state": schedule["State"],
            "expression": schedule["ScheduleExpression"],
            "time zone": schedule.get("ScheduleExpressionTimezone", "UTC"),
            "target": schedule["Target"]["Arn"],
        }
        for schedule in found
    ]
    if as_json:
        output.json(rows)
        return
    if not rows:
        output.say("There is no schedule: the stack's parameter ScheduleExpression makes one.")
        return
    output.table(list(rows[0]), [list(row.values()) for row in rows])


def _stack() -> Stack:
    """The stack of the local cloud that runs here."""
    from retrain.aws import Stack, Target
    from retrain.localcloud import process

    cloud = process.status(state_dir())
    if cloud is None:
        raise UsageError("No local cloud is running: 'retrain local up' starts it.")
    target = Target(cloud.endpoint_url, process.environment(cloud), local_cloud=True)
    return Stack(cloud.stack_name, target)
