"""Schedules of a local cloud: which there are, and firing one now.

Listing is Scheduler's own API. AWS has none for firing: the local cloud answers that itself.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from retrain.aws import Stack
from retrain.errors import CloudUnreachableError, StackNotFoundError
from retrain.localcloud.errors import ScheduleError, TargetError

Document = dict[str, Any]

_ANSWER_SECONDS = 30.0


def schedules(stack: Stack) -> list[Document]:
    """Return all schedules as GetSchedule describes them, by name."""
    scheduler = stack.client("scheduler")
    with stack.explained_errors("listing the schedules"):
        found = [
            scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
            for page in scheduler.get_paginator("list_schedules").paginate()
            for entry in page["Schedules"]
        ]
    return sorted(found, key=lambda schedule: str(schedule["Name"]))


def stacks_own(stack: Stack) -> str:
    """Return the name of the stack's schedule.

    Raises
    ------
    ScheduleError
        It has none.
    """
    try:
        return stack.output("ScheduleName")
    except StackNotFoundError as error:
        if "StateMachineArn" not in stack.outputs:
            raise
        raise ScheduleError(
            f"The stack '{stack.name}' has no schedule: give its parameter ScheduleExpression a value in "
            "samconfig.toml, under [local.deploy.parameters], and start the local cloud again."
        ) from error


def fire(stack: Stack, name: str) -> Document:
    """Fire a schedule now, enabled or not.

    Parameters
    ----------
    stack : Stack
        In a local cloud.
    name : str
        ``NAME``, or ``GROUP/NAME``.

    Returns
    -------
    dict
        `execution_id` and `scheduled_time` of this firing.

    Raises
    ------
    ScheduleError
        There is no such schedule.
    TargetError
        Its target did not take what it says.
    """
    group, _, short = name.rpartition("/")
    path = f"/_retrain/schedules/{quote(group or 'default', safe='')}/{quote(short, safe='')}/fire"
    url = f"{stack.target.endpoint_url}{path}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, data=b"", timeout=_ANSWER_SECONDS) as answer:  # data makes it a POST
            fired: Document = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            said = json.loads(error.read()).get("message", "")
        raise ScheduleError(f"{said} 'retrain local schedule list' shows those there are.") from error
    except OSError as error:
        raise CloudUnreachableError(
            f"The local cloud at {stack.target.endpoint_url} does not answer: {error}."
        ) from error
    if fired["problem"]:
        end = (
            "what it says lies in the dead-letter queue." if fired["dead_letter"] else "what it says is lost."
        )
        raise TargetError(f"The schedule {name} could not invoke its target, and {end} {fired['problem']}")
    return fired
