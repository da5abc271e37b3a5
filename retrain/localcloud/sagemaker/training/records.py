"""The record of a training job: its statuses, and how it is shown."""

from __future__ import annotations

from typing import Any

from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Training Job State Change"
ENDED = ("Completed", "Failed", "Stopped")
MAX_REASON = 1024

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Interrupted": "Training job interrupted: the spot instance was taken away",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job runtime exceeded MaxWaitTimeInSeconds provided",
}


def new(request: dict[str, Any], arn: str) -> Record:
    """Return the record of a job that has just been asked for."""
    created = now()
    return {
        **request,
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "CreationTime": created,
        "LastModifiedTime": created,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": created, "StatusMessage": MESSAGES["Starting"]}
        ],
    }


def move(record: Record, secondary: str, *, status: str | None = None, **fields: Any) -> None:
    """Enter a secondary status.

    Parameters
    ----------
    record
        Changed in place.
    secondary
        E.g. ``Training``.
    status
        The new status, if it changes.
    fields
        Other members to set.
    """
    moment = now()
    transitions = record["SecondaryStatusTransitions"]
    transitions[-1].setdefault("EndTime", moment)
    message = MESSAGES[secondary]
    if secondary == "Failed":
        message = f"{message}: {fields['FailureReason']}"[:MAX_REASON]
    transitions.append({"Status": secondary, "StartTime": moment, "StatusMessage": message})
    record["SecondaryStatus"] = secondary
    record["LastModifiedTime"] = moment
    if status is not None:
        record["TrainingJobStatus"] = status
        if status in ENDED:
            transitions[-1]["EndTime"] = moment
            started = record.get("TrainingStartTime")
            if started is not None:
                record["TrainingEndTime"] = moment
                record["TrainingTimeInSeconds"] = max(1, round(moment - started))
                record["BillableTimeInSeconds"] = record["TrainingTimeInSeconds"]
    record.update(fields)


def update(platform: Platform, store: Store, name: str, secondary: str, **changes: Any) -> None:
    """Enter a secondary status, in the store, and tell EventBridge."""
    with store.training_jobs.edit(name) as record:
        move(record, secondary, **changes)
    platform.events.send(EVENT, event_detail(record), record["TrainingJobArn"])


def describe(record: Record) -> dict[str, Any]:
    """Return what DescribeTrainingJob answers."""
    return {key: value for key, value in record.items() if not key.startswith("_") and key != "Tags"}


def event_detail(record: Record) -> dict[str, Any]:
    """Return what events, and Step Functions' ``.sync``, give: times as milliseconds, and the tags."""
    detail = {
        key: round(value * 1000) if key.endswith("Time") else value for key, value in describe(record).items()
    }
    detail["SecondaryStatusTransitions"] = [
        {key: round(value * 1000) if key.endswith("Time") else value for key, value in item.items()}
        for item in record["SecondaryStatusTransitions"]
    ]
    if "FinalMetricDataList" in record:
        detail["FinalMetricDataList"] = [
            {**item, "Timestamp": round(item["Timestamp"] * 1000)} for item in record["FinalMetricDataList"]
        ]
    detail["Tags"] = {tag["Key"]: tag["Value"] for tag in record.get("Tags") or []}
    return detail
