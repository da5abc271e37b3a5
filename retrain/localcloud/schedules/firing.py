"""Firing a schedule: its input, context attributes filled in, to its target or its dead-letter queue."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from retrain.localcloud.clients import client
from retrain.localcloud.errors import AuthorisationError, TargetError

log = logging.getLogger("retrain.localcloud")

_MOST_RETRIES = 2
"""AWS goes on for a day. Here a target that is missing stays missing, and somebody waits."""

_RETRY_SECONDS = 0.2

_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
}
"""What a target's role has to allow, by the target's service."""


@dataclass(frozen=True)
class Fired:
    """What came of firing a schedule.

    Attributes
    ----------
    execution_id
        Scheduler's id of this firing.
    scheduled_time
        For when it was due, ISO 8601 in UTC, to the second.
    problem
        Why the target did not take it; empty if it did.
    dead_letter
        Whether the input lies in the dead-letter queue instead.
    """

    execution_id: str
    scheduled_time: str
    problem: str = ""
    dead_letter: bool = False


class Firing:
    """Delivers what schedules have to say.

    Parameters
    ----------
    endpoint_url
        The local cloud.
    clients
        Makes a boto3 client of a service; called on threads other than the event loop's.
    pause
        Waits some seconds between two attempts.
    require
        Refuses what a role does not allow, by its ARN, the action and the resource.
    """

    def __init__(
        self,
        endpoint_url: str,
        clients: Callable[[str, str], Any] = client,
        pause: Callable[[float], None] = time.sleep,
        require: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._clients = clients
        self._pause = pause
        self._require = require

    def fire(self, schedule: Mapping[str, Any], scheduled_at: datetime) -> Fired:
        """Invoke a schedule's target, as often as its retry policy allows; then its dead-letter queue.

        Parameters
        ----------
        schedule
            As GetSchedule describes it.
        scheduled_at
            When it was due.
        """
        target = schedule["Target"]
        execution_id = uuid.uuid4().hex[:16]
        moment = scheduled_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        retries = min(int((target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", 185)), _MOST_RETRIES)
        for attempt in range(1, retries + 2):
            payload = _payload(schedule, target, execution_id, moment, attempt)
            try:
                self._invoke(target, payload)
            except (BotoCoreError, ClientError, TargetError, AuthorisationError) as error:
                code = "AccessDenied" if isinstance(error, AuthorisationError) else "TargetError"
                if isinstance(error, ClientError):
                    code = str(error.response.get("Error", {}).get("Code", ""))
                problem = str(error)
                if attempt <= retries:
                    self._pause(_RETRY_SECONDS)
            else:
                return Fired(execution_id, moment)
        log.warning("The schedule %s could not invoke its target: %s", schedule["Arn"], problem)
        attributes = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": problem,
            "EXECUTION_ID": execution_id,
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(retries),
            "SCHEDULED_TIME": moment,
            "SCHEDULE_ARN": schedule["Arn"],
            "TARGET_ARN": target["Arn"],
        }
        return Fired(execution_id, moment, problem, self._bury(target, payload, attributes))

    def _invoke(self, target: Mapping[str, Any], payload: str) -> None:
        arn = str(target["Arn"])
        service = arn.split(":")[2]
        if service in _ACTIONS and target.get("RoleArn"):
            self._require(str(target["RoleArn"]), _ACTIONS[service], arn)
        if service == "sqs":
            self._send(arn, payload, {}, **(target.get("SqsParameters") or {}))
        elif service == "lambda":
            self._client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=payload)
        elif service == "states":
            self._client("stepfunctions").start_execution(stateMachineArn=arn, input=payload)
        else:
            raise TargetError(
                f"The local cloud's schedules can invoke queues, functions and state machines, not {arn}."
            )

    def _bury(self, target: Mapping[str, Any], payload: str, attributes: Mapping[str, str]) -> bool:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return False
        try:
            if target.get("RoleArn"):
                self._require(str(target["RoleArn"]), _ACTIONS["sqs"], queue)
            self._send(queue, payload, attributes)
        except (BotoCoreError, ClientError, AuthorisationError) as error:
            log.error("The dead-letter queue %s did not take it either: %s", queue, error)
            return False
        return True

    def _send(self, queue_arn: str, body: str, attributes: Mapping[str, str], **parameters: Any) -> None:
        queue = self._client("sqs").get_queue_url(QueueName=queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self._client("sqs").send_message(
            QueueUrl=queue, MessageBody=body, MessageAttributes=named, **parameters
        )

    def _client(self, service: str) -> Any:
        return self._clients(service, self._endpoint_url)


def _payload(
    schedule: Mapping[str, Any], target: Mapping[str, Any], execution_id: str, moment: str, attempt: int
) -> str:
    """The target's input, or the event that AWS sends where there is none."""
    arn = str(schedule["Arn"])
    if not target.get("Input"):
        _, _, _, region, account, _ = arn.split(":", 5)
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account,
                "time": moment,
                "region": region,
                "resources": [arn],
                "detail": "{}",
            }
        )
    payload = str(target["Input"])
    attributes = {
        "<aws.scheduler.schedule-arn>": arn,
        "<aws.scheduler.scheduled-time>": moment,
        "<aws.scheduler.execution-id>": execution_id,
        "<aws.scheduler.attempt-number>": str(attempt),
    }
    for name, value in attributes.items():
        payload = payload.replace(name, value)
    return payload
