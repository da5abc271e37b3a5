"""The state CleanUp: remove what earlier runs have left. Nothing depends on it; it goes on the next time."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from retraining import cleaning, executions, names, settings
from retraining.aws.endpoints import SageMakerEndpoints
from retraining.aws.ledger import DynamoLedger
from retraining.aws.remains import AwsRemains
from retraining.aws.state_machine import StepFunctionsMachine
from retraining.errors import UnknownEventError
from retraining.telemetry import observed

logger = Logger()
metrics = Metrics()

SECONDS = 200
"""After so long no further run is begun with; the function has 300."""


@observed(logger, metrics)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Clean up after the payload's ``input`` was deployed, or as somebody asks by ``ask``."""
    asked = event.get("ask")
    if asked is None:
        executions.from_payload(event)
        (found,) = _clean(event["input"]["run"]["dataset"])
        kept = list(found.kept)
        return {
            "removed": {"runs": len(found.runs), **found.removed},
            "kept": kept,
            "warnings": found.warnings,
        }
    dataset, dry_run = _question(asked)
    cleaned = _clean(dataset, dry_run=dry_run)
    return {"dry_run": dry_run, "datasets": [each.document() for each in cleaned]}


def _clean(dataset: str | None, *, dry_run: bool = False) -> list[cleaning.Cleaning]:
    began, loaded = time.monotonic(), settings.load()
    world = cleaning.World(
        settings=loaded,
        ledger=DynamoLedger(loaded.ledger_table),
        endpoints=SageMakerEndpoints(),
        machine=StepFunctionsMachine(loaded.state_machine_arn),
        remains=AwsRemains(),
        now=executions.from_datetime(datetime.now(UTC)),
        has_time=lambda: time.monotonic() - began < SECONDS,
    )
    cleaned = cleaning.clean(dataset, world, dry_run=dry_run)
    for found in cleaned:
        metrics.add_metric(
            name="RunsCleanedUp", unit=MetricUnit.Count, value=0 if dry_run else len(found.runs)
        )
        logger.info(
            "Cleaned up",
            dataset=found.dataset,
            dry_run=dry_run,
            runs=found.runs,
            removed=found.removed,
            remaining=found.remaining,
            warnings=found.warnings,
        )
    return cleaned


def _question(asked: object) -> tuple[str | None, bool]:
    """Read ``{"dataset": NAME or null, "dry_run": true or false}``."""
    if isinstance(asked, Mapping):
        dataset, dry_run = asked.get("dataset"), asked.get("dry_run", False)
        is_name = dataset is None or (
            isinstance(dataset, str) and names.is_name(dataset, names.DATASET_NAME_LIMIT)
        )
        if is_name and isinstance(dry_run, bool):
            return dataset, dry_run
    raise UnknownEventError(
        'The part ask of the event must be {"dataset": "...", "dry_run": false}; without a dataset it is '
        "about all."
    )
