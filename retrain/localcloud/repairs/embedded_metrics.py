"""Metrics that functions write into their logs, in the embedded metric format, are metrics in CloudWatch.

MiniStack keeps such a line as a line of the log and nothing more, so that no alarm on it could ever ring.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrain.localcloud import seams

log = logging.getLogger("retrain.localcloud")

CLOUDWATCH = "ministack.services.cloudwatch"

seams.expect(seams.LAMBDA, "_emit_lambda_logs", "func request_id log_text error duration_ms log_source")
seams.expect(CLOUDWATCH, "record_metric", "namespace metric_name value unit dimensions")


@dataclass(frozen=True)
class Datum:
    """One value of one metric."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str] = field(default_factory=dict)


def read(text: str) -> Iterator[Datum]:
    """Yield the metrics in a log; what only looks like one is passed over, as CloudWatch does."""
    for line in text.splitlines():
        if '"_aws"' not in line or not line.lstrip().startswith("{"):
            continue
        try:
            yield from list(_of_document(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            log.warning("A line of a log is no embedded metric after all: %r", problem)


def _of_document(document: dict[str, Any]) -> Iterator[Datum]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            found = document[metric["Name"]]
            for value in found if isinstance(found, list) else [found]:
                for names in directive["Dimensions"] or [[]]:
                    yield Datum(
                        str(directive["Namespace"]),
                        str(metric["Name"]),
                        float(value),
                        str(metric.get("Unit") or "None"),
                        {name: str(document[name]) for name in names},
                    )


def _emit(original: Any, func: Any, request_id: str, log_text: str, *rest: Any, **more: Any) -> None:
    original(func, request_id, log_text, *rest, **more)
    record = seams.module(CLOUDWATCH).record_metric
    for datum in read(log_text or ""):
        record(datum.namespace, datum.name, datum.value, datum.unit, datum.dimensions)


def install() -> None:
    """Read every function's log for metrics."""
    seams.wrap(seams.LAMBDA, "_emit_lambda_logs", _emit)
