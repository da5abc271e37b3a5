"""What EventBridge, CloudWatch Logs and CloudWatch hear of executions."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from typing import Any

import pytest

from retrain.states.service.notices import is_logged, status_detail
from retrain.states.service.outbox import Outbox, Sinks
from tests.unit.states.service.cloud import FAIL, WAIT, Cloud, drive
from tests.unit.states.tasks.services import Services, refused

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
LIST = {
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
            "Parameters": {},
            "End": True,
        }
    },
}


def logging(level: str, *, data: bool = False) -> dict[str, Any]:
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/m:*"
    return {
        "level": level,
        "includeExecutionData": data,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
    }


class TestEvents:
    def test_each_change_of_status_once_in_awss_shape(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = (await cloud.run(FAIL, {"a": 1}))["executionArn"]
            began, ended = cloud.told("event")
            assert began[:2] == ("aws.states", "Step Functions Execution Status Change")
            assert began[3] == [arn]
            assert began[2] == {
                "executionArn": arn,
                "stateMachineArn": ARN,
                "name": arn.rsplit(":", 1)[1],
                "status": "RUNNING",
                "startDate": 0,
                "stopDate": None,
                "input": '{"a":1}',
                "output": None,
                "inputDetails": {"included": True},
                "outputDetails": None,
                "error": None,
                "cause": None,
                "stateMachineVersionArn": None,
                "stateMachineAliasArn": None,
                "redriveCount": 0,
                "redriveDate": None,
                "redriveStatus": "NOT_REDRIVABLE",
                "redriveStatusReason": "Execution is RUNNING and cannot be redriven",
            }
            assert (ended[2]["status"], ended[2]["error"], ended[2]["cause"]) == ("FAILED", "E", "C")
            assert (ended[2]["redriveStatus"], ended[2]["redriveStatusReason"]) == ("REDRIVABLE", None)

        drive(scenario)

    @pytest.mark.parametrize(("status", "seconds"), [("TIMED_OUT", 5), ("ABORTED", None)])
    def test_other_ends(self, status: str, seconds: int | None) -> None:
        async def scenario(cloud: Cloud) -> None:
            definition = WAIT if seconds is None else {**WAIT, "TimeoutSeconds": seconds}
            arn = await cloud.start(await cloud.machine(definition))
            await asyncio.sleep(2)
            if seconds is None:
                await cloud.call("StopExecution", executionArn=arn)
            await cloud.end(arn)
            assert [event[2]["status"] for event in cloud.told("event")] == ["RUNNING", status]

        drive(scenario)

    def test_what_is_too_long_for_an_event_is_left_out(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = (await cloud.run(given='"' * 130_000))["executionArn"]
            entry = cloud.service.entries.find(arn)
            assert entry is not None
            assert entry.execution is not None
            detail = status_detail(entry.execution, 0.0)
            assert (detail["input"], detail["inputDetails"]) == (None, {"included": False})
            assert (detail["output"], detail["outputDetails"]) == (None, {"included": False})

        drive(scenario)


class TestLogs:
    def test_lines_are_awss(self) -> None:
        async def scenario(cloud: Cloud) -> list[Any]:
            await cloud.machine(FAIL, loggingConfiguration=logging("ALL", data=True))
            await cloud.end(await cloud.start(ARN, {"a": 1}, name="one"))
            return cloud.told("log")

        lines = drive(scenario)
        group, stream, moment, text = lines[0]
        assert group == "/aws/vendedlogs/states/m"
        assert stream.startswith("states/m/1970-01-01-00-00/")
        assert moment == 0
        assert json.loads(text) == {
            "id": "1",
            "type": "ExecutionStarted",
            "details": {
                "input": '{"a":1}',
                "inputDetails": {"truncated": False},
                "roleArn": "arn:aws:iam::123456789012:role/r",
            },
            "redrive_count": "0",
            "previous_event_id": "0",
            "event_timestamp": "0",
            "execution_arn": ARN.replace("stateMachine", "execution") + ":one",
        }
        assert [json.loads(line[3])["type"] for line in lines] == [
            *("ExecutionStarted", "FailStateEntered", "ExecutionFailed"),
        ]

    def test_data_only_if_asked_for(self) -> None:
        async def scenario(cloud: Cloud) -> str:
            await cloud.machine(FAIL, loggingConfiguration=logging("ALL"), type="EXPRESS")
            await cloud.call("StartSyncExecution", stateMachineArn=ARN, input='{"secret": 1}')
            return json.dumps(cloud.told("log"))

        text = drive(scenario)
        assert "secret" not in text
        assert "ExecutionFailed" in text

    @pytest.mark.parametrize(
        ("event", "levels"),
        [
            ("PassStateEntered", {"ALL"}),
            ("TaskFailed", {"ALL", "ERROR"}),
            ("FailStateEntered", {"ALL", "ERROR"}),
            ("ActivityTimedOut", {"ALL", "ERROR"}),
            ("MapIterationAborted", {"ALL", "ERROR"}),
            ("ExecutionFailed", {"ALL", "ERROR", "FATAL"}),
            ("ExecutionTimedOut", {"ALL", "ERROR", "FATAL"}),
            ("ExecutionAborted", {"ALL", "ERROR", "FATAL"}),
        ],
    )
    def test_levels(self, event: str, levels: set[str]) -> None:
        assert {level for level in ("ALL", "ERROR", "FATAL", "OFF") if is_logged(event, level)} == levels


class TestMetrics:
    def test_of_executions_and_of_what_they_call(self) -> None:
        services = Services(ListQueues=[refused("Broken"), 2.5, {"QueueUrls": []}])

        async def scenario(cloud: Cloud) -> list[Any]:
            await cloud.run(LIST)
            await cloud.end(await cloud.start(ARN))
            return cloud.told("metric")

        found = drive(scenario, services)
        counts = Counter(datum["MetricName"] for datum in found if datum["Unit"] == "Count")
        assert counts == {
            "ExecutionsStarted": 2,
            "ExecutionsFailed": 1,
            "ExecutionsSucceeded": 1,
            "ServiceIntegrationsScheduled": 2,
            "ServiceIntegrationsStarted": 2,
            "ServiceIntegrationsFailed": 1,
            "ServiceIntegrationsSucceeded": 1,
        }
        times = {datum["MetricName"]: datum["Value"] for datum in found if datum["Unit"] == "Milliseconds"}
        assert times == {"ExecutionTime": 2500.0, "ServiceIntegrationTime": 2500.0}
        dimensions = {tuple(datum["Dimensions"][0].values()) for datum in found}
        assert dimensions == {
            ("StateMachineArn", ARN),
            ("ServiceIntegrationResourceArn", "arn:aws:states:::aws-sdk:sqs:listQueues"),
        }

    def test_versions_and_aliases_have_their_own(self) -> None:
        async def scenario(cloud: Cloud) -> list[Any]:
            await cloud.machine(publish=True)
            await cloud.end(await cloud.start(f"{ARN}:1"))
            return cloud.told("metric")

        started = [datum for datum in drive(scenario) if datum["MetricName"] == "ExecutionsStarted"]
        assert [datum["Dimensions"][0]["Value"] for datum in started] == [ARN, f"{ARN}:1"]


class TestOutbox:
    def test_a_sink_that_fails_does_not_end_the_telling(self, caplog: pytest.LogCaptureFixture) -> None:
        told: list[Any] = []

        def fail(*event: Any) -> None:
            told.append(event[1])
            raise OSError("nobody there")

        outbox = Outbox(Sinks(events=fail))
        for name in ("first", "second"):
            outbox.event("s", name, {}, [])
        assert outbox.flush()
        outbox.close()
        assert told == ["first", "second"]
        assert "was not told" in caplog.text

    def test_lines_and_metrics_go_together(self) -> None:
        calls: list[Any] = []
        outbox = Outbox(
            Sinks(logs=lambda *line: calls.append(line), metrics=lambda *data: calls.append(data))
        )
        for number in range(3):
            outbox.line("g", "s", number, f"line {number}")
            outbox.metrics([{"n": number}])
        outbox.close()
        assert calls == [
            ("g", "s", [(0, "line 0"), (1, "line 1"), (2, "line 2")]),
            ("AWS/States", [{"n": 0}, {"n": 1}, {"n": 2}]),
        ]

    def test_closing_waits_for_what_is_left(self) -> None:
        release, told = threading.Event(), []

        def slow(*event: Any) -> None:
            release.wait(10)
            told.append(event)

        outbox = Outbox(Sinks(events=slow))
        outbox.event("s", "t", {}, [])
        threading.Timer(0.05, release.set).start()
        outbox.close()
        assert len(told) == 1
