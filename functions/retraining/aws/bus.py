"""Amazon EventBridge: the default event bus."""

from retraining.aws.clients import client, translated
from retraining.errors import TransientAwsError


class EventBridgeBus:
    """The default event bus of this account and region; implements `retraining.telling.Bus`."""

    def put(self, source: str, detail_type: str, detail: str, resource: str) -> None:
        """Put one event.

        Raises
        ------
        TransientAwsError
            EventBridge took the call, and not the event.
        """
        entry = {"Source": source, "DetailType": detail_type, "Detail": detail, "Resources": [resource]}
        with translated(f"Putting an event {detail_type}"):
            answer = client("events").put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            said = f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}"
            raise TransientAwsError(f"Putting an event {detail_type} failed: {said}")
