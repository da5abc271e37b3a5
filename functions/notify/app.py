"""The states Notify..., the queue of untold outcomes, and the stack's alarms: tell people and programs."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import alarm_news, card_links, executions, settings, telling
from retraining.aws import channels
from retraining.aws.ledger import DynamoLedger
from retraining.aws.links import S3Links
from retraining.aws.topic import SnsTopic
from retraining.errors import RetrainError, UnknownEventError
from retraining.settings import Settings
from retraining.telemetry import about_run, observed, run_id

logger = Logger()
metrics = Metrics()


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Tell of one run that has ended, of those that could not be told before, or of an alarm."""
    loaded = settings.load()
    if "Records" in event:
        return _retell(event["Records"], loaded)
    if alarm_news.is_event(event):
        return _tell_alarm(event, loaded)
    return _tell(event, event.get("input"), loaded)


def _tell(payload: Mapping[str, Any], state: object, loaded: Settings) -> dict[str, Any]:
    """Tell of the run that has ended with the payload's ``outcome``."""
    execution = executions.from_payload(payload)
    known = state if isinstance(state, Mapping) else {}
    finished_at, ledger = executions.utc(payload["finished_at"]), DynamoLedger(loaded.ledger_table)
    found = telling.find(known, execution, payload["outcome"], finished_at, ledger, loaded.stack_name)
    links = S3Links()
    where = (
        known
        if state is not None
        else card_links.known(loaded.artifacts_bucket, card_links.card_key(execution.name), links)
    )
    card = card_links.lines(where, execution.name, loaded.report_url_hours, links)
    uri = channels.record_uri(loaded, execution.name)
    told = telling.tell(found, uri, card, channels.connect(loaded))
    for trouble in told.troubles:
        logger.warning(trouble)
    name = "NotificationsSent" if telling.PUBLISHED in told.done else "NotificationsSentBefore"
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    logger.info("Told how a run ended", subject=told.subject, outcome=told.outcome, done=list(told.done))
    return {"subject": told.subject, "outcome": told.outcome, "reason": told.reason}


def _retell(messages: list[dict[str, Any]], loaded: Settings) -> dict[str, Any]:
    """Tell what could not be told before; what still cannot comes again."""
    failures = [message["messageId"] for message in messages if not _retold(message, loaded)]
    metrics.add_metric(name="NotificationsDelayed", unit=MetricUnit.Count, value=len(failures))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _retold(message: Mapping[str, Any], loaded: Settings) -> bool:
    """Tell of one run, or leave it to a later delivery; a failure must not drag the neighbours along."""
    try:
        payload = _payload(message)
    except UnknownEventError as error:
        logger.error(str(error), message_id=message["messageId"])
        return False
    logger.set_correlation_id(run_id(payload))
    with about_run(logger, run_id(payload)):
        try:
            _tell(payload, None, loaded)
        except RetrainError as error:
            logger.error("An outcome cannot be told and will come again: %s", error)
            return False
        except Exception:
            logger.exception("An outcome cannot be told and will come again")
            return False
    return True


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        payload = json.loads(message["body"])
    except ValueError as error:
        raise UnknownEventError(f"The message is not JSON: {error}") from error
    if not isinstance(payload, Mapping) or not {"outcome", "finished_at"} <= payload.keys():
        raise UnknownEventError("The message names no outcome and finished_at of an execution.")
    return payload


def _tell_alarm(event: Mapping[str, Any], loaded: Settings) -> dict[str, Any]:
    """Tell that one of the stack's alarms rings, and what that means."""
    news = alarm_news.read(event, loaded.stack_name)
    if news is None or not _is_ours(news, loaded):
        metrics.add_metric(name="AlarmsIgnored", unit=MetricUnit.Count, value=1)
        logger.info("Ignored an alarm", alarm=str((event.get("detail") or {}).get("alarmName")))
        return {"told": False}
    message = alarm_news.render(news, loaded.stack_name)
    SnsTopic(loaded.topic_arn).publish(message.subject, message.body, message.attributes)
    metrics.add_metric(name="AlarmsTold", unit=MetricUnit.Count, value=1)
    logger.info("Told of an alarm", alarm=news.alarm, subject=message.subject)
    return {"told": True, "subject": message.subject}


def _is_ours(news: alarm_news.News, loaded: Settings) -> bool:
    """Whether an endpoint is this stack's; another stack's name may begin with this one's."""
    return not news.endpoint or DynamoLedger(loaded.ledger_table).get_champion(news.endpoint) is not None
