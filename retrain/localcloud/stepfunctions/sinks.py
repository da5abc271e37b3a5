"""Where the service's events, logs and metrics go: to the local cloud's own services."""

from __future__ import annotations

import contextlib
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.clients import client
from retrain.localcloud.context import LocalCloudContext
from retrain.states.service import Sinks

_MOST_BYTES = 900_000
_OVERHEAD = 26


def sinks(context: LocalCloudContext) -> Sinks:
    """Return the sinks of a local cloud."""
    made: set[str] = set()

    def logs(group: str, stream: str, lines: list[tuple[int, str]]) -> None:
        cloudwatch = client("logs", context.endpoint_url)
        if f"{group} {stream}" not in made:
            with contextlib.suppress(cloudwatch.exceptions.ResourceAlreadyExistsException):
                cloudwatch.create_log_stream(logGroupName=group, logStreamName=stream)
            made.add(f"{group} {stream}")
        for part in _parts(lines):
            cloudwatch.put_log_events(logGroupName=group, logStreamName=stream, logEvents=part)

    def metrics(namespace: str, data: list[dict[str, Any]]) -> None:
        client("cloudwatch", context.endpoint_url).put_metric_data(Namespace=namespace, MetricData=data)

    return Sinks(events=seams.put_aws_event, logs=logs, metrics=metrics)


def _parts(lines: list[tuple[int, str]]) -> list[list[dict[str, Any]]]:
    """Split lines so that no part is larger than one call takes."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for moment, text in lines:
        length = len(text.encode()) + _OVERHEAD
        if parts[-1] and size + length > _MOST_BYTES:
            parts.append([])
            size = 0
        parts[-1].append({"timestamp": moment, "message": text})
        size += length
    return parts
