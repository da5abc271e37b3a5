"""Amazon CloudWatch: which alarms ring."""

from collections.abc import Sequence

from retraining.aws.clients import client, translated


class CloudWatchAlarms:
    """Alarms in CloudWatch; implements `retraining.ports.Alarms`."""

    def ringing(self, names: Sequence[str]) -> list[str]:
        """Return those of the alarms that are in ALARM, at most 100 names; one that does not exist is not."""
        with translated(f"Describing the alarms {', '.join(names)}"):
            answer = client("cloudwatch").describe_alarms(AlarmNames=list(names), StateValue="ALARM")
        return [alarm["AlarmName"] for alarm in answer.get("MetricAlarms", [])]
