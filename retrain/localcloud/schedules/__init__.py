"""EventBridge Scheduler of the local cloud: schedules fire in their time zone, and when they are told to.

MiniStack fires by UTC whatever the time zone, and knows neither context attributes nor a schedule's
dead-letter queue.
"""

from __future__ import annotations

from retrain.localcloud import control, seams
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.schedules.cloudformation import TYPE, ScheduleResource
from retrain.localcloud.schedules.firing import Firing
from retrain.localcloud.schedules.service import PATH, SCHEDULER, Schedules


def install(context: LocalCloudContext, authority: Authority) -> None:
    """Fire schedules as AWS does, each in its role. Called once, before serving."""

    def require(role_arn: str, action: str, resource: str) -> None:
        authority.require(Caller(role_arn, "scheduler"), Check(action, resource))

    schedules = Schedules(Firing(context.endpoint_url, require=require))
    seams.replace(SCHEDULER, "_tick_schedules", schedules.tick)
    seams.wrap(SCHEDULER, "_create_schedule", schedules.checked)
    seams.wrap(SCHEDULER, "_update_schedule", schedules.checked)
    resource = ScheduleResource()
    seams.register_cloudformation_type(TYPE, resource.create, resource.delete, resource.update)
    control.register(PATH, schedules.answer)
