"""A subscriber of the stack's notifications: an SQS queue of its own."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from retrain.aws import Stack
from retrain.errors import WaitTimeoutError


@dataclass(frozen=True)
class Notification:
    """One message, as the subscriber received it."""

    subject: str
    message: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Subscriber:
    """Receives what the topic publishes."""

    stack: Stack
    queue_url: str

    def receive(self, *, seconds: float = 30.0) -> Notification:
        """Wait for the next notification, and take it off the queue.

        Raises
        ------
        WaitTimeoutError
            None came in time.
        """
        deadline = time.monotonic() + seconds
        sqs = self.stack.client("sqs")
        while time.monotonic() < deadline:
            with self.stack.explained_errors("receiving notifications"):
                answer = sqs.receive_message(
                    QueueUrl=self.queue_url, WaitTimeSeconds=2, MaxNumberOfMessages=1
                )
                for message in answer.get("Messages", []):
                    sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                    return _notification(json.loads(message["Body"]))
        raise WaitTimeoutError(
            f"No notification came within {seconds:.0f} s, although the subscription stands."
        )


def subscribe(stack: Stack, queue_name: str) -> Subscriber:
    """Make a queue and subscribe it to the stack's topic.

    Parameters
    ----------
    stack : Stack
        Whose topic.
    queue_name : str
        The queue's name.

    Returns
    -------
    Subscriber
        From now on it gets every notification.
    """
    topic = stack.output("NotificationTopicArn")
    with stack.explained_errors("subscribing to the notifications"):
        sqs = stack.client("sqs")
        url = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_policy(arn, topic))})
        stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Subscriber(stack, url)


def _policy(queue_arn: str, topic_arn: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }


def _notification(body: dict[str, Any]) -> Notification:
    attributes = {
        name: str(item.get("Value", "")) for name, item in body.get("MessageAttributes", {}).items()
    }
    return Notification(str(body.get("Subject") or ""), str(body["Message"]), attributes)
