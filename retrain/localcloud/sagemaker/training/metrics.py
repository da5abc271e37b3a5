"""Metrics read from a job's log lines by the regular expressions of MetricDefinitions."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Sequence
from typing import Any

from retrain.localcloud.sagemaker.platform import now

NAMESPACE = "/aws/sagemaker/TrainingJobs"


class MetricReader:
    """Finds metrics in lines and remembers the last value of each.

    Parameters
    ----------
    definitions
        ``[{"Name": ..., "Regex": ...}]``; the first group of the expression is the value.
    """

    def __init__(self, definitions: Sequence[dict[str, str]]) -> None:
        self._definitions = [(item["Name"], re.compile(item["Regex"])) for item in definitions]
        self._lock = threading.Lock()
        self._last: dict[str, dict[str, Any]] = {}
        self._unsent: list[dict[str, Any]] = []

    def read(self, line: str) -> None:
        """Look for metrics in one line."""
        for name, expression in self._definitions:
            found = expression.search(line)
            if not found or not found.groups():
                continue
            try:
                value = float(found.group(1))
            except (TypeError, ValueError):
                continue  # the expression matched something that is no number: AWS drops it as well
            with self._lock:
                self._last[name] = {"MetricName": name, "Value": value, "Timestamp": now()}
                self._unsent.append(self._last[name])

    def final(self) -> list[dict[str, Any]]:
        """Return what DescribeTrainingJob gives as FinalMetricDataList."""
        with self._lock:
            return list(self._last.values())

    def take_unsent(self, job_name: str) -> list[dict[str, Any]]:
        """Return what PutMetricData takes, of everything read since the last call."""
        with self._lock:
            unsent, self._unsent = self._unsent, []
        return [
            {
                "MetricName": item["MetricName"],
                "Value": item["Value"],
                "Timestamp": datetime.datetime.fromtimestamp(item["Timestamp"], datetime.UTC),
                "Dimensions": [{"Name": "TrainingJobName", "Value": job_name}],
            }
            for item in unsent
        ]
