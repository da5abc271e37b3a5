"""Which error is retried or caught, and after how long."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.localcloud.repairs.tasks import error_matches, retry_delay


@pytest.mark.parametrize(
    ("names", "error", "matches"),
    [
        (["Custom"], "Custom", True),
        (["Custom"], "Other", False),
        (["States.ALL"], "Custom", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "Custom", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.HeartbeatTimeout", True),
    ],
)
def test_error_matches(names: list[str], error: str, matches: bool) -> None:
    assert error_matches(names, error) is matches


@pytest.mark.parametrize(
    ("retrier", "delays"),
    [
        ({}, [1, 2, 4, 8]),
        ({"IntervalSeconds": 3, "BackoffRate": 1.5}, [3, 4.5, 6.75]),
        ({"IntervalSeconds": 60, "BackoffRate": 2}, [60, 120, 240]),
        ({"IntervalSeconds": 1, "MaxDelaySeconds": 3}, [1, 2, 3, 3]),
    ],
)
def test_retry_delay(retrier: dict[str, Any], delays: list[float]) -> None:
    assert [retry_delay(retrier, retries) for retries in range(len(delays))] == delays


def test_jitter_stays_below_the_delay() -> None:
    found = [retry_delay({"IntervalSeconds": 8, "JitterStrategy": "FULL"}, 0) for _ in range(200)]
    assert 0 <= min(found) < 2
    assert 6 < max(found) <= 8
