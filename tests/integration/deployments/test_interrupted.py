"""A run that is stopped cannot tell its own end: that is done for it, and with rights of its own."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.deployments.conftest import Live


def test_a_run_that_is_stopped_is_recorded_and_told(guarded: Callable[[str], Live]) -> None:
    live = guarded("stopped")
    execution = live.people.start({"dataset": {"name": "stopped"}})
    live.people.aws("stepfunctions").stop_execution(executionArn=execution, cause="Enough.")
    told = live.people.told("stopped")
    assert told.run["outcome"] == "FAILED"
    assert told.run["run_id"] == execution.rpartition(":")[2]
    assert "Enough." in told.run["reason"]
