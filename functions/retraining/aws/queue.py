"""Amazon SQS: the delay queue."""

import json
from collections.abc import Mapping
from typing import Any

from retraining.aws.clients import client, translated


class SqsDelays:
    """The delay queue; implements `retraining.ports.Delays`.

    Parameters
    ----------
    url : str
        Its URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Mapping[str, Any], seconds: int) -> None:
        """Send a message that arrives after at least so many seconds, at most 900."""
        with translated(f"Sending a message to {self._url}"):
            client("sqs").send_message(
                QueueUrl=self._url, MessageBody=json.dumps(message), DelaySeconds=seconds
            )
