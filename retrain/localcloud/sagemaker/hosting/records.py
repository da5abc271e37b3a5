"""The record of an endpoint: its status, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from retrain.localcloud.sagemaker.hosting.server import ServerSpec
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Endpoint State Change"


def new(parameters: dict[str, Any], arn: str, specs: Sequence[ServerSpec]) -> Record:
    """Return the record of an endpoint that has just been asked for."""
    created = now()
    record = {
        "EndpointName": parameters["EndpointName"],
        "EndpointArn": arn,
        "EndpointConfigName": parameters["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": created,
        "LastModifiedTime": created,
        "Tags": parameters.get("Tags") or [],
        "_target": list(specs),
    }
    if parameters.get("DeploymentConfig"):
        record["LastDeploymentConfig"] = parameters["DeploymentConfig"]
    return record


def serving(config_name: str, specs: Sequence[ServerSpec]) -> dict[str, Any]:
    """Return the changes to a record when another fleet has taken over."""
    return {
        "EndpointConfigName": config_name,
        "ProductionVariants": [summary(spec) for spec in specs],
        "_serving": list(specs),
    }


def summary(spec: ServerSpec, *, pending: bool = False) -> dict[str, Any]:
    """Return how Describe shows a production variant.

    Parameters
    ----------
    spec
        What runs, or is to run.
    pending
        Whether it is still to come.
    """
    shown: dict[str, Any] = {
        "VariantName": spec["variant"],
        "DeployedImages": [
            {"SpecifiedImage": spec["image"], "ResolvedImage": spec["image"], "ResolutionTime": now()}
        ],
        "CurrentWeight": 0.0 if pending else spec["weight"],
        "DesiredWeight": spec["weight"],
        "CurrentInstanceCount": 0 if pending else spec["instances"],
        "DesiredInstanceCount": spec["instances"],
    }
    if spec["serverless"]:
        shown["CurrentServerlessConfig"] = shown["DesiredServerlessConfig"] = spec["serverless"]
    return shown


def describe(record: Record) -> dict[str, Any]:
    """Return what DescribeEndpoint answers."""
    return {key: value for key, value in record.items() if not key.startswith("_") and key != "Tags"}


def update(platform: Platform, store: Store, name: str, status: str, **changes: Any) -> None:
    """Set an endpoint's status and other members (None removes one), and tell EventBridge."""
    with store.endpoints.edit(name) as record:
        record["EndpointStatus"] = status
        record["LastModifiedTime"] = now()
        for key, value in changes.items():
            if value is None:
                record.pop(key, None)
            else:
                record[key] = value
    _tell(platform, record)


def remove(platform: Platform, store: Store, name: str) -> None:
    """Remove an endpoint's record, and tell EventBridge."""
    record = store.endpoints.get(name)
    store.endpoints.delete(name)
    if record is not None:
        record["EndpointStatus"] = "Deleted"
        _tell(platform, record)


def _tell(platform: Platform, record: Record) -> None:
    status = re.sub(r"(?<!^)([A-Z])", r"_\1", record["EndpointStatus"]).upper()
    detail = {
        "EndpointName": record["EndpointName"],
        "EndpointArn": record["EndpointArn"],
        "EndpointConfigName": record["EndpointConfigName"],
        "ProductionVariants": [
            {key: value for key, value in variant.items() if key != "DeployedImages"}
            for variant in record.get("ProductionVariants") or []
        ],
        "EndpointStatus": status,
        "CreationTime": round(record["CreationTime"] * 1000),
        "LastModifiedTime": round(record["LastModifiedTime"] * 1000),
        "Tags": {tag["Key"]: tag["Value"] for tag in record.get("Tags") or []},
    }
    if "FailureReason" in record:
        detail["FailureReason"] = record["FailureReason"]
    platform.events.send(EVENT, detail, record["EndpointArn"])
