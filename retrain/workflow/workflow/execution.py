"""Executions: what runs, or ran, of a state machine."""

from __future__ import annotations

import json
import time
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from retrain.workflow.workflow.client import explained
from retrain.workflow.workflow.lists import EventsList
from retrain.workflow.workflow.pictures import Picture, draw

if TYPE_CHECKING:
    from retrain.workflow.workflow.workflow import Workflow

_LONGEST_PAUSE = 2.0
_PAGE = 1000


class ExecutionStatus(Enum):
    """What an execution's status can be."""

    Running = "RUNNING"
    Succeeded = "SUCCEEDED"
    Failed = "FAILED"
    TimedOut = "TIMED_OUT"
    Aborted = "ABORTED"
    PendingRedrive = "PENDING_REDRIVE"


class Execution:
    """One execution of a workflow; `Workflow.execute` and `Workflow.list_executions` make them.

    Parameters
    ----------
    workflow : Workflow
        What is run.
    execution_arn : str
        The execution's ARN.
    start_date : datetime
        When it began.
    status : ExecutionStatus or str
        How it was when this was made; `describe()` says how it is.
    client : SFN.Client, optional
        The boto3 client; that of the workflow if not given.
    name : str, optional
        Its name.
    stop_date : datetime, optional
        When it ended.
    """

    def __init__(
        self,
        workflow: Workflow,
        execution_arn: str,
        start_date: datetime,
        status: ExecutionStatus | str,
        client: Any = None,
        name: str | None = None,
        stop_date: datetime | None = None,
    ) -> None:
        self.workflow = workflow
        self.execution_arn = execution_arn
        self.start_date = start_date
        self.stop_date = stop_date
        self.status = ExecutionStatus(status) if isinstance(status, str) else status
        self.name = name or execution_arn.rsplit(":", 1)[-1]
        self.client = client or workflow.client

    def describe(self) -> dict[str, Any]:
        """Return what DescribeExecution says of it now."""
        with explained("describing the execution"):
            description: dict[str, Any] = self.client.describe_execution(executionArn=self.execution_arn)
        self.status = ExecutionStatus(description["status"])
        self.stop_date = description.get("stopDate")
        return description

    def stop(self, cause: str | None = None, error: str | None = None) -> dict[str, Any]:
        """Stop the execution, and say why.

        Parameters
        ----------
        cause, error : str, optional
            What the execution's description will say of it.

        Returns
        -------
        dict
            With `stopDate`.
        """
        words = {name: value for name, value in (("cause", cause), ("error", error)) if value is not None}
        with explained("stopping the execution"):
            answer: dict[str, Any] = self.client.stop_execution(executionArn=self.execution_arn, **words)
        return answer

    def list_events(
        self,
        max_items: int = 100,
        reverse_order: bool = False,  # noqa: FBT001, FBT002 (as its users call it)
        html: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> EventsList:
        """Return the execution's events, as GetExecutionHistory gives them.

        Parameters
        ----------
        max_items : int
            No more than so many.
        reverse_order : bool
            The latest first.
        html : bool
            Has no effect: a notebook shows the list as a table by itself.
        """
        with explained("reading the execution's history"):
            pages = self.client.get_paginator("get_execution_history").paginate(
                executionArn=self.execution_arn,
                reverseOrder=reverse_order,
                PaginationConfig={"MaxItems": max_items, "PageSize": min(_PAGE, max_items)},
            )
            return EventsList(event for page in pages for event in page["events"])

    def get_input(self) -> Any:
        """Return the execution's input."""
        return _parsed(self.describe().get("input"))

    def get_output(self, wait: bool = False) -> Any:  # noqa: FBT001, FBT002 (as its users call it)
        """Return the execution's output; None as long as there is none, and if it fails.

        Parameters
        ----------
        wait : bool
            Whether to wait for the execution's end.
        """
        description = self.describe()
        pause = 0.05
        while wait and description["status"] == ExecutionStatus.Running.value:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            description = self.describe()
        return _parsed(description.get("output"))

    def render_progress(
        self,
        portrait: bool = False,  # noqa: ARG002, FBT001, FBT002 (as its users call it)
        max_events: int = 25_000,
    ) -> Picture:
        """Return the graph with its states coloured by what became of them.

        Parameters
        ----------
        portrait : bool
            Has no effect: graphs are drawn from top to bottom.
        max_events : int
            No more events than so many are looked at.

        Returns
        -------
        Picture
            A notebook shows it; `str` of it is text for a terminal.
        """
        return draw(self.workflow.definition.machine, self.list_events(max_items=max_events))

    def __repr__(self) -> str:
        """Return what identifies the execution."""
        return (
            f"Execution(execution_arn={self.execution_arn!r}, name={self.name!r}, "
            f"status={self.status.value!r}, start_date={self.start_date!r})"
        )


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
