"""The states Notify...: tell people how a run ended."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import card_links, executions, outcomes, settings
from retraining.aws.links import S3Links
from retraining.aws.topic import SnsTopic
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Send the notification of the run that has ended with the payload's ``outcome``."""
    execution, loaded = executions.from_payload(event), settings.load()
    now = executions.utc(event["finished_at"])
    topic = SnsTopic(loaded.topic_arn)
    card = card_links.lines(event["input"], execution.name, loaded.report_url_hours, S3Links())
    told = outcomes.tell(event["input"], execution, event["outcome"], now, loaded.stack_name, topic, card)
    metrics.add_metric(name="NotificationsSent", unit=MetricUnit.Count, value=1)
    logger.info("Sent a notification", subject=told["subject"])
    return told
