"""The record of an endpoint: its status, and how it is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from retrain.localcloud.sagemaker.hosting.server import ServerSpec
from retrain.localcloud.sagemaker.platform import Platform, now
from retrain.localcloud.sagemaker.store import Record, Store

EVENT = "SageMaker Endpoint State Change"
DEPLOYMENT_EVENT = "SageMaker Endpoint Deployment State Change"

Change = dict[str, Any]
"""Members of a record that are to be set; None removes one. Those of our own begin with an underscore."""


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


def serving(config_name: str, specs: Sequence[ServerSpec]) -> Change:
    """Return the changes to a record when another fleet has taken over."""
    return {
        "EndpointConfigName": config_name,
        "ProductionVariants": [summary(spec) for spec in specs],
        "_serving": list(specs),
    }


def pending(
    config_name: str,
    specs: Sequence[ServerSpec],
    started: float,
    status: str,
    message: str,
    *,
    share: float = 0.0,
) -> Change:
    """Return the changes to a record when the fleet that is to take over has come to another stage.

    Parameters
    ----------
    config_name, specs
        What is being deployed.
    started
        When, in seconds since 1970.
    status
        A VariantStatus: Creating, ActivatingTraffic, Baking or Deleting.
    message
        For StatusMessage; ``{count}`` stands for the number of instances.
    share
        Which share of the instances is active.
    """
    variants = []
    for spec in specs:
        active = active_instances(spec["instances"], share)
        count = active if share else spec["instances"]
        variants.append(
            {
                **summary(spec, active=active),
                "VariantStatus": variant_status(status, message.format(count=count)),
            }
        )
    return {
        "PendingDeploymentSummary": {
            "EndpointConfigName": config_name,
            "ProductionVariants": variants,
            "StartTime": started,
        }
    }


def retiring(specs: Sequence[ServerSpec]) -> Change:
    """Return the changes to a record when the fleet that served is being ended."""
    return {
        "ProductionVariants": [
            {
                **summary(spec),
                "VariantStatus": variant_status("Deleting", f"Terminating {spec['instances']} instance(s)."),
            }
            for spec in specs
        ]
    }


def variant_status(status: str, message: str) -> list[dict[str, Any]]:
    """Return how Describe shows the stage that a variant is in."""
    return [{"Status": status, "StatusMessage": message, "StartTime": now()}]


def active_instances(instances: int, share: float) -> int:
    """Return how many instances of a variant a share is: whole ones."""
    return math.ceil(round(instances * share, 6))


def summary(spec: ServerSpec, *, active: int | None = None) -> dict[str, Any]:
    """Return how Describe shows a production variant.

    Parameters
    ----------
    spec
        What runs, or is to run.
    active
        How many of its instances get requests; by default all.
    """
    current = spec["instances"] if active is None else active
    shown: dict[str, Any] = {
        "VariantName": spec["variant"],
        "DeployedImages": [
            {"SpecifiedImage": spec["image"], "ResolvedImage": spec["image"], "ResolutionTime": now()}
        ],
        "CurrentWeight": spec["weight"] if current else 0.0,
        "DesiredWeight": spec["weight"],
        "CurrentInstanceCount": current,
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
    _tell(platform, EVENT, _change(store, name, {"EndpointStatus": status, **changes}))


def progress(platform: Platform, store: Store, name: str, **changes: Any) -> None:
    """Set members that say how far a deployment has come, and tell EventBridge."""
    _tell(platform, DEPLOYMENT_EVENT, _change(store, name, changes))


def remove(platform: Platform, store: Store, name: str) -> None:
    """Remove an endpoint's record, and tell EventBridge."""
    record = store.endpoints.get(name)
    store.endpoints.delete(name)
    if record is not None:
        record["EndpointStatus"] = "Deleted"
        _tell(platform, EVENT, record)


def _change(store: Store, name: str, changes: Change) -> Record:
    with store.endpoints.edit(name) as record:
        record["LastModifiedTime"] = now()
        for key, value in changes.items():
            if value is None:
                record.pop(key, None)
            else:
                record[key] = value
    return record


def _tell(platform: Platform, event: str, record: Record) -> None:
    status = re.sub(r"(?<!^)([A-Z])", r"_\1", record["EndpointStatus"]).upper()
    detail = {
        "EndpointName": record["EndpointName"],
        "EndpointArn": record["EndpointArn"],
        "EndpointConfigName": record["EndpointConfigName"],
        "ProductionVariants": _variants(record.get("ProductionVariants") or []),
        "EndpointStatus": status,
        "CreationTime": _milliseconds(record["CreationTime"]),
        "LastModifiedTime": _milliseconds(record["LastModifiedTime"]),
        "Tags": {tag["Key"]: tag["Value"] for tag in record.get("Tags") or []},
    }
    if "FailureReason" in record:
        detail["FailureReason"] = record["FailureReason"]
    summary = record.get("PendingDeploymentSummary")
    if event == DEPLOYMENT_EVENT and summary:
        detail["PendingDeploymentSummary"] = {
            **summary,
            "StartTime": _milliseconds(summary["StartTime"]),
            "ProductionVariants": _variants(summary["ProductionVariants"]),
        }
    platform.events.send(event, detail, record["EndpointArn"])


def _variants(variants: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return variants as events show them."""
    shown = []
    for variant in variants:
        kept = {key: value for key, value in variant.items() if key != "DeployedImages"}
        if "VariantStatus" in kept:
            kept["VariantStatus"] = [
                {**status, "StartTime": _milliseconds(status["StartTime"])}
                for status in kept["VariantStatus"]
            ]
        shown.append(kept)
    return shown


def _milliseconds(moment: float) -> int:
    return round(moment * 1000)
