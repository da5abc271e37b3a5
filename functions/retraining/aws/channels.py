"""AWS, as those who tell how runs end see it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from retraining import outcomes, run_metrics, telemetry
from retraining.aws.bus import EventBridgeBus
from retraining.aws.told import DynamoMarks
from retraining.aws.topic import SnsTopic
from retraining.settings import Settings
from retraining.telling import Channels


def connect(settings: Settings) -> Channels:
    """Return whom to tell, and what remembers it."""

    def count(record: Mapping[str, Any]) -> None:
        about = {"run_id": str(record["run_id"]), "dataset": str(record.get("dataset") or "unknown")}
        telemetry.send(run_metrics.of_run(record), settings.stack_name, **about)

    return Channels(
        count=count,
        bus=EventBridgeBus(),
        topic=SnsTopic(settings.topic_arn),
        marks=DynamoMarks(settings.ledger_table),
        clock=lambda: datetime.now(UTC),
    )


def record_uri(settings: Settings, run_id: str) -> str:
    """Return where a run's record lies."""
    return f"s3://{settings.artifacts_bucket}/{outcomes.record_key(run_id)}"
