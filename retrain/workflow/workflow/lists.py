"""Lists that a notebook shows as tables."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrain.workflow.workflow.execution import Execution


class _Table(list[Any], ABC):
    """A list whose items are the rows of a table."""

    columns: Sequence[str] = ()

    @abstractmethod
    def row(self, item: Any) -> Sequence[Any]:
        """Return the cells of an item."""

    def to_html(self) -> str:
        """Return the list as an HTML table."""
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_text(cell))}</td>" for cell in self.row(item)) + "</tr>"
            for item in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    _repr_html_ = to_html


class WorkflowList(_Table):
    """State machines, as ListStateMachines gives them."""

    columns = ("Name", "Created", "ARN")

    def row(self, item: dict[str, Any]) -> Sequence[Any]:
        """Return the cells of a state machine."""
        return item["name"], item["creationDate"], item["stateMachineArn"]


class ExecutionsList(_Table):
    """Executions."""

    columns = ("Name", "Status", "Started", "Ended")

    def row(self, item: Execution) -> Sequence[Any]:
        """Return the cells of an execution."""
        status = getattr(item.status, "value", item.status)
        return item.name, status, item.start_date, item.stop_date


class EventsList(_Table):
    """The events of an execution, as GetExecutionHistory gives them."""

    columns = ("Id", "Type", "Time", "Details")

    def row(self, item: dict[str, Any]) -> Sequence[Any]:
        """Return the cells of an event."""
        details = [value for name, value in item.items() if name.endswith("EventDetails")]
        names = [each.get("name") or each.get("error") or each.get("resource") or "" for each in details]
        return item["id"], item["type"], item["timestamp"], " ".join(names)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.isoformat(sep=" ", timespec="milliseconds") if isinstance(cell, datetime) else str(cell)
