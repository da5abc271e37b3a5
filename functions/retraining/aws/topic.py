"""Amazon SNS: the notification topic."""

from retraining.aws.clients import client, translated


class SnsTopic:
    """The notification topic; implements `retraining.ports.Topic`.

    Parameters
    ----------
    arn : str
        Its ARN.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        """Send one message to all subscribers."""
        with translated(f"Publishing to {self._arn}"):
            client("sns").publish(
                TopicArn=self._arn,
                Subject=subject,
                Message=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
