"""An alarm that changes its state is an event, as in AWS: on the default bus, for whoever has a rule on it.

MiniStack publishes to the alarm's topics only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from retrain.localcloud import seams

CLOUDWATCH = "ministack.services.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"

seams.expect(CLOUDWATCH, "_dispatch_alarm_actions", "alarm old_state new_state reason")


def detail(
    alarm: dict[str, Any], old_state: str, new_state: str, reason: str, at: datetime
) -> dict[str, Any]:
    """What the event says of an alarm that went from one state to another."""
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
    state = {"value": new_state, "reason": reason, "timestamp": moment}
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    configuration: dict[str, Any] = {"description": alarm.get("AlarmDescription") or ""}
    if alarm.get("AlarmRule"):
        configuration["alarmRule"] = alarm["AlarmRule"]
    else:
        configuration["metrics"] = [_metric(alarm)]
    return {
        "alarmName": alarm["AlarmName"],
        "state": state,
        "previousState": {"value": old_state},
        "configuration": configuration,
    }


def _metric(alarm: dict[str, Any]) -> dict[str, Any]:
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions") or []}
    return {
        "id": "m1",
        "metricStat": {
            "metric": {
                "namespace": alarm.get("Namespace", ""),
                "name": alarm.get("MetricName", ""),
                "dimensions": dimensions,
            },
            "period": alarm.get("Period"),
            "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
        },
        "returnData": True,
    }


def _dispatch(original: Any, alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
    original(alarm, old_state, new_state, reason)
    told = detail(alarm, old_state, new_state, reason, datetime.now(UTC))
    seams.put_aws_event("aws.cloudwatch", DETAIL_TYPE, told, [alarm["AlarmArn"]])


def install() -> None:
    """Tell of every change of an alarm's state."""
    seams.wrap(CLOUDWATCH, "_dispatch_alarm_actions", _dispatch)
