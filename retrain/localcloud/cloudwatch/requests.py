"""PutMetricAlarm refuses what would be kept and never looked at: such an alarm guards nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrain.localcloud import seams

CLOUDWATCH = "ministack.services.cloudwatch"

_UNSUPPORTED = ("Metrics", "ThresholdMetricId", "EvaluationCriteria")
"""Metric math, anomaly detection, and PromQL."""

seams.expect(CLOUDWATCH, "_put_metric_alarm", "params cbor_data is_cbor is_json")
seams.expect(CLOUDWATCH, "_error", "code message status use_json use_cbor")


def unsupported(params: dict[str, Any], data: dict[str, Any]) -> str | None:
    """Return the first member of a request that the local cloud does not act upon, None if there is none.

    Parameters
    ----------
    params
        Of a request in the query protocol: ``Metrics.member.1.Id`` and so on.
    data
        Of a request in JSON or CBOR.
    """
    given = {name.split(".")[0] for name in params} | {name for name, value in data.items() if value}
    return next((name for name in _UNSUPPORTED if name in given), None)


def _put_metric_alarm(
    original: Callable[..., Any],
    params: dict[str, Any],
    cbor_data: dict[str, Any],
    is_cbor: bool,  # noqa: FBT001  (MiniStack's signature)
    is_json: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    name = unsupported(params, cbor_data)
    if name is None:
        return original(params, cbor_data, is_cbor, is_json)
    message = f"PutMetricAlarm: {name} is not implemented in the local cloud. Give MetricName and Namespace."
    error = seams.module(CLOUDWATCH)._error
    return error("UnsupportedOperation", message, 400, use_json=is_json, use_cbor=is_cbor)


def install() -> None:
    """Refuse alarms that could never go off."""
    seams.wrap(CLOUDWATCH, "_put_metric_alarm", _put_metric_alarm)
