"""AWS::Scheduler::Schedule for stacks; MiniStack's own forgets the time zone, and cannot be updated."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.errors import ScheduleError
from retrain.localcloud.schedules.service import SCHEDULER

TYPE = "AWS::Scheduler::Schedule"
_NAME_LENGTH = 64
_MEMBERS = (
    "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target", "State",
    "Description", "StartDate", "EndDate", "KmsKeyArn", "GroupName",
)  # fmt: skip


class ScheduleResource:
    """Creates, updates and deletes the schedules of stacks; ``Ref`` gives the name."""

    def create(
        self, logical_id: str, properties: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Create a schedule; gives its name and the attributes for ``Fn::GetAtt``."""
        suffix = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).hexdigest()[:12]
        name = properties.get("Name") or f"{stack_name}-{logical_id}"[: _NAME_LENGTH - 13] + f"-{suffix}"
        return self._put("_create_schedule", name, properties)

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Change a schedule; another name or group is another schedule, as in AWS."""
        if any(old.get(name) != new.get(name) for name in ("Name", "GroupName")):
            return self.create(physical_id, new, stack_name)
        return self._put("_update_schedule", physical_id, new)

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Delete a schedule."""
        query = {"groupName": properties.get("GroupName", "default")}
        seams.module(SCHEDULER)._delete_schedule(physical_id, query)

    def _put(self, operation: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        scheduler = seams.module(SCHEDULER)
        body = {member: properties[member] for member in _MEMBERS if member in properties}
        status, _, answer = getattr(scheduler, operation)(name, body)
        if status != 200:
            raise ScheduleError(str(json.loads(answer).get("Message", answer)))
        return name, {"Arn": scheduler._schedule_arn(body.get("GroupName", "default"), name)}
