"""Executions through the API: starting, stopping, describing, listing, histories, redrives, Express."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import botocore.parsers
import botocore.session
import pytest

from retrain.states.service import ServiceError, Store
from tests.unit.states.service.cloud import FAIL, PASS, WAIT, Cloud, drive
from tests.unit.states.tasks.services import Services, refused

PREFIX = "arn:aws:states:us-east-1:123456789012"
ARN = f"{PREFIX}:stateMachine:m"
TASK = {
    "StartAt": "Before",
    "States": {
        "Before": {"Type": "Pass", "Next": "Call"},
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
            "Parameters": {},
            "End": True,
        },
    },
}


async def code_of(cloud: Cloud, operation: str, **request: Any) -> str:
    with pytest.raises(ServiceError) as raised:
        await cloud.call(operation, **request)
    return raised.value.code


class TestStarting:
    def test_the_same_name_and_input_while_running_is_the_same_execution(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(WAIT)
            request = {"stateMachineArn": ARN, "name": "one", "input": '{"a": 1}'}
            first = await cloud.call("StartExecution", **request)
            assert first == {"executionArn": f"{PREFIX}:execution:m:one", "startDate": 0.0}
            await asyncio.sleep(5)
            assert await cloud.call("StartExecution", **request) == first
            assert (
                await code_of(cloud, "StartExecution", **{**request, "input": "{}"})
                == "ExecutionAlreadyExists"
            )
            await cloud.end(first["executionArn"])
            assert await code_of(cloud, "StartExecution", **request) == "ExecutionAlreadyExists"

        drive(scenario)

    @pytest.mark.parametrize(
        ("request_fields", "code"),
        [
            ({"name": "a/b"}, "InvalidName"),
            ({"name": ""}, "InvalidName"),
            ({"input": "{"}, "InvalidExecutionInput"),
            ({"input": "NaN"}, "InvalidExecutionInput"),
            ({"input": '"' + "ü" * 131_073 + '"'}, "InvalidExecutionInput"),
            ({"input": '"' + "x" * 262_144 + '"'}, "ValidationException"),
            ({"stateMachineArn": "m"}, "InvalidArn"),
            ({"stateMachineArn": f"{PREFIX}:activity:m"}, "InvalidArn"),
            ({"stateMachineArn": f"{ARN}-none"}, "StateMachineDoesNotExist"),
            ({"stateMachineArn": f"{ARN}:9"}, "StateMachineDoesNotExist"),
            ({"traceHeader": "ü"}, "ValidationException"),
        ],
    )
    def test_bad_requests(self, request_fields: dict[str, Any], code: str) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine()
            assert (
                await code_of(cloud, "StartExecution", **{"stateMachineArn": ARN, **request_fields}) == code
            )
            assert (await cloud.call("ListExecutions", stateMachineArn=ARN))["executions"] == []

        drive(scenario)

    def test_the_description_has_the_input_as_it_was_given(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine()
            answer = await cloud.call("StartExecution", stateMachineArn=ARN, name="x", input='{"a":  1}')
            described = await cloud.end(answer["executionArn"])
            assert described == {
                "executionArn": f"{PREFIX}:execution:m:x",
                "stateMachineArn": ARN,
                "name": "x",
                "status": "SUCCEEDED",
                "startDate": 0.0,
                "stopDate": 0.0,
                "input": '{"a":  1}',
                "inputDetails": {"included": True},
                "output": '{"a":1}',
                "outputDetails": {"included": True},
                "redriveCount": 0,
                "redriveStatus": "NOT_REDRIVABLE",
                "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
            }
            short = await cloud.call(
                "DescribeExecution", executionArn=described["executionArn"], includedData="METADATA_ONLY"
            )
            assert "input" not in short
            assert "output" not in short
            assert short["inputDetails"] == {"included": False}

        drive(scenario)


class TestStopping:
    def test_it_ends_at_once_and_only_once(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(WAIT))
            await asyncio.sleep(10)
            stopped = await cloud.call("StopExecution", executionArn=arn, error="Enough", cause="a test")
            assert stopped == {"stopDate": 10.0}
            described = await cloud.call("DescribeExecution", executionArn=arn)
            assert (described["status"], described["error"], described["cause"]) == (
                "ABORTED",
                "Enough",
                "a test",
            )
            await asyncio.sleep(5)
            assert await cloud.call("StopExecution", executionArn=arn) == stopped
            events = (await cloud.call("GetExecutionHistory", executionArn=arn))["events"]
            assert [event["type"] for event in events][-1] == "ExecutionAborted"

        drive(scenario)

    def test_what_is_not_there(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = f"{PREFIX}:execution:m:none"
            for operation in (
                "StopExecution",
                "DescribeExecution",
                "GetExecutionHistory",
                "RedriveExecution",
            ):
                assert await code_of(cloud, operation, executionArn=arn) == "ExecutionDoesNotExist"
                assert await code_of(cloud, operation, executionArn="nonsense") == "InvalidArn"

        drive(scenario)


class TestLists:
    def test_filters_order_and_pages(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(WAIT)
            await cloud.machine(name="other")
            await cloud.end(await cloud.start(ARN.replace("stateMachine:m", "stateMachine:other")))
            arns = []
            for number in range(7):
                arns.append(await cloud.start(ARN, name=f"e{number}"))
                await asyncio.sleep(10)
            listed = await cloud.call("ListExecutions", stateMachineArn=ARN)
            assert [each["name"] for each in listed["executions"]] == [f"e{n}" for n in range(6, -1, -1)]
            running = await cloud.call("ListExecutions", stateMachineArn=ARN, statusFilter="RUNNING")
            assert [each["name"] for each in running["executions"]] == [f"e{n}" for n in range(6, 1, -1)]
            page = await cloud.call("ListExecutions", stateMachineArn=ARN, maxResults=3)
            await cloud.start(ARN, name="new")
            rest = await cloud.call(
                "ListExecutions", stateMachineArn=ARN, maxResults=10, nextToken=page["nextToken"]
            )
            assert [each["name"] for each in rest["executions"]] == ["e3", "e2", "e1", "e0"]
            assert await code_of(cloud, "ListExecutions") == "ValidationException"
            assert (
                await code_of(cloud, "ListExecutions", stateMachineArn=f"{ARN}2")
                == "StateMachineDoesNotExist"
            )

        drive(scenario)


class TestHistory:
    def test_pages_show_what_there_was_at_the_first(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(WAIT), {"secret": 1})
            await asyncio.sleep(1)
            page = await cloud.call("GetExecutionHistory", executionArn=arn, maxResults=1, reverseOrder=True)
            assert [event["id"] for event in page["events"]] == [2]
            await cloud.end(arn)
            rest = await cloud.call(
                "GetExecutionHistory",
                executionArn=arn,
                maxResults=1,
                reverseOrder=True,
                nextToken=page["nextToken"],
            )
            assert [event["id"] for event in rest["events"]] == [1]
            assert "nextToken" not in rest
            everything = await cloud.call("GetExecutionHistory", executionArn=arn)
            assert [event["id"] for event in everything["events"]] == [1, 2, 3, 4]
            bare = await cloud.call("GetExecutionHistory", executionArn=arn, includeExecutionData=False)
            assert "secret" not in json.dumps(bare)
            wrong = {"executionArn": arn, "nextToken": page["nextToken"]}  # not in reverse
            assert await code_of(cloud, "GetExecutionHistory", **wrong) == "InvalidToken"

        drive(scenario)

    def test_boto3_reads_every_event_without_loss(self) -> None:
        async def scenario(cloud: Cloud) -> list[Any]:
            arn = (await cloud.run(TASK))["executionArn"]
            answer = await cloud.call("GetExecutionHistory", executionArn=arn)
            return list(answer["events"])

        events = drive(scenario, Services(ListQueues={"QueueUrls": ["q"]}))
        model = botocore.session.get_session().get_service_model("stepfunctions")
        parser = botocore.parsers.create_parser("json")
        shape = model.operation_model("GetExecutionHistory").output_shape
        body = json.dumps({"events": events}).encode()
        parsed = parser.parse({"body": body, "headers": {}, "status_code": 200}, shape)["events"]
        for event, found in zip(events, parsed, strict=True):
            assert found.pop("timestamp").timestamp() == event.pop("timestamp")
            assert found == event


class TestRedrive:
    def test_it_goes_on_at_the_state_that_failed(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            described = await cloud.run(TASK)
            arn = described["executionArn"]
            assert (described["status"], described["redriveStatus"]) == ("FAILED", "REDRIVABLE")
            await asyncio.sleep(100)
            answer = await cloud.call("RedriveExecution", executionArn=arn, clientToken="t")
            assert answer == {"redriveDate": 100.0}
            again = await cloud.end(arn)
            assert (again["status"], again["redriveCount"], again["redriveDate"]) == ("SUCCEEDED", 1, 100.0)
            assert "error" not in again
            assert await cloud.call("RedriveExecution", executionArn=arn, clientToken="t") == answer
            events = (await cloud.call("GetExecutionHistory", executionArn=arn))["events"]
            assert [event["type"] for event in events].count("PassStateEntered") == 1
            listed = await cloud.call("ListExecutions", stateMachineArn=ARN, redriveFilter="REDRIVEN")
            assert len(listed["executions"]) == 1
            statuses = [event[2]["status"] for event in cloud.told("event")]
            assert statuses == ["RUNNING", "FAILED", "RUNNING", "SUCCEEDED"]

        drive(scenario, Services(ListQueues=[refused("Broken"), {"QueueUrls": []}]))

    def test_not_after_a_success_nor_after_a_fortnight(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            fine = await cloud.run()
            assert await code_of(cloud, "RedriveExecution", executionArn=fine["executionArn"]) == (
                "ExecutionNotRedrivable"
            )
            failed = await cloud.run(FAIL, name="fails")
            await asyncio.sleep(15 * 86_400)
            assert await code_of(cloud, "RedriveExecution", executionArn=failed["executionArn"]) == (
                "ExecutionNotRedrivable"
            )

        drive(scenario)


class TestExpress:
    def test_it_answers_with_what_came_of_it(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(type="EXPRESS")
            request = {"stateMachineArn": ARN, "input": '{"a":1}', "name": "n", "traceHeader": "t"}
            answer = await cloud.call("StartSyncExecution", **request)
            assert answer.pop("executionArn").startswith(f"{PREFIX}:express:m:n:")
            assert answer == {
                "stateMachineArn": ARN,
                "name": "n",
                "startDate": 0.0,
                "stopDate": 0.0,
                "status": "SUCCEEDED",
                "input": '{"a":1}',
                "inputDetails": {"included": True},
                "output": '{"a":1}',
                "outputDetails": {"included": True},
                "traceHeader": "t",
                "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100},
            }

        drive(scenario)

    def test_failures_and_the_longest_time(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(FAIL, type="EXPRESS")
            failed = await cloud.call("StartSyncExecution", stateMachineArn=ARN)
            assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "E", "C")
            long = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 900, "End": True}}}
            await cloud.machine(long, name="long", type="EXPRESS")
            answer = await cloud.call("StartSyncExecution", stateMachineArn=f"{PREFIX}:stateMachine:long")
            assert (answer["status"], answer["stopDate"]) == ("TIMED_OUT", 300.0)

        drive(scenario)

    def test_what_express_machines_do_not_have(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(WAIT, type="EXPRESS")
            arn = await cloud.start(ARN, name="again")
            assert await cloud.start(ARN, name="again") != arn
            assert await code_of(cloud, "DescribeExecution", executionArn=arn) == "InvalidArn"
            assert await code_of(cloud, "StopExecution", executionArn=arn) == "StateMachineTypeNotSupported"
            assert (
                await code_of(cloud, "ListExecutions", stateMachineArn=ARN) == "StateMachineTypeNotSupported"
            )
            standard = await cloud.machine(PASS, name="standard")
            assert await code_of(cloud, "StartSyncExecution", stateMachineArn=standard) == (
                "StateMachineTypeNotSupported"
            )
            assert cloud.told("event") == []

        drive(scenario)


ASK = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
            "HeartbeatSeconds": 10,
            "End": True,
        }
    },
}


class TestCallbacks:
    def test_an_answer_a_heartbeat_and_a_token_that_is_used_up(self) -> None:
        services = Services(SendMessage={})

        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(ASK))
            await asyncio.sleep(8)
            token = services.calls[0][2]["MessageBody"]
            for _ in range(3):
                await cloud.call("SendTaskHeartbeat", taskToken=token)
                await asyncio.sleep(8)
            assert await code_of(cloud, "SendTaskSuccess", taskToken=token, output="{") == "InvalidOutput"
            await cloud.call("SendTaskSuccess", taskToken=token, output='{"yes": true}')
            assert (await cloud.end(arn))["output"] == '{"yes":true}'
            assert await code_of(cloud, "SendTaskSuccess", taskToken=token, output="{}") == "TaskTimedOut"
            assert await code_of(cloud, "SendTaskFailure", taskToken="no token") == "InvalidToken"

        drive(scenario, services)

    def test_a_failure_and_silence(self) -> None:
        services = Services(SendMessage={})

        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(ASK))
            await asyncio.sleep(1)
            token = services.calls[0][2]["MessageBody"]
            await cloud.call("SendTaskFailure", taskToken=token, error="Refused", cause="by hand")
            described = await cloud.end(arn)
            assert (described["error"], described["cause"]) == ("Refused", "by hand")
            silent = await cloud.end(await cloud.start(ARN))
            assert (silent["error"], silent["stopDate"] - silent["startDate"]) == ("States.Timeout", 10.0)

        drive(scenario, services)


MAP = {
    "StartAt": "Fan",
    "States": {
        "Fan": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "W",
                "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}},
            },
            "MaxConcurrency": 2,
            "End": True,
        }
    },
}


class TestMapRuns:
    def test_a_run_and_its_executions_are_described(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(MAP), [1, 2, 3, 4])
            await asyncio.sleep(70)
            (run,) = (await cloud.call("ListMapRuns", executionArn=arn))["mapRuns"]
            described = await cloud.call("DescribeMapRun", mapRunArn=run["mapRunArn"])
            assert described["status"] == "RUNNING"
            assert (described["maxConcurrency"], described["executionCounts"]["succeeded"]) == (2, 2)
            listed = await cloud.call("ListExecutions", mapRunArn=run["mapRunArn"], statusFilter="SUCCEEDED")
            child = listed["executions"][0]["executionArn"]
            found = await cloud.call("DescribeExecution", executionArn=child)
            assert found["mapRunArn"] == run["mapRunArn"]
            machine = await cloud.call("DescribeStateMachineForExecution", executionArn=child)
            assert machine["mapRunArn"] == run["mapRunArn"]
            await cloud.call("UpdateMapRun", mapRunArn=run["mapRunArn"], toleratedFailureCount=1)
            assert (await cloud.end(arn))["status"] == "SUCCEEDED"
            assert await code_of(cloud, "UpdateMapRun", mapRunArn=run["mapRunArn"], maxConcurrency=1) == (
                "ValidationException"
            )
            assert (
                await code_of(cloud, "DescribeMapRun", mapRunArn=run["mapRunArn"] + "x") == "ResourceNotFound"
            )

        drive(scenario)


class TestRestarts:
    def test_what_runs_goes_on_and_what_has_ended_is_there(self, tmp_path: Any) -> None:
        path = tmp_path / "states.sqlite"

        async def before(cloud: Cloud) -> list[str]:
            ended = (await cloud.run(FAIL, name="fails"))["executionArn"]
            running = await cloud.start(
                await cloud.machine(WAIT, tags=[{"key": "a", "value": "b"}]), {"n": 1}
            )
            await asyncio.sleep(20)
            return [ended, running]

        async def after(cloud: Cloud) -> None:
            # Virtual time begins anew, at 0: the wait's end is at 60 still.
            assert (await cloud.call("DescribeExecution", executionArn=ended))["error"] == "E"
            assert (await cloud.call("DescribeExecution", executionArn=running))["status"] == "RUNNING"
            described = await cloud.end(running)
            assert (described["stopDate"], described["input"]) == (60.0, '{"n": 1}')
            assert (await cloud.call("ListTagsForResource", resourceArn=ARN))["tags"]
            assert len((await cloud.call("ListStateMachines"))["stateMachines"]) == 2
            assert len(cloud.told("event")) == 1  # of the end; the beginning was told before

        ended, running = drive(before, store=Store(path))
        drive(after, store=Store(path))

    def test_after_a_sudden_end_it_goes_on_from_what_was_written(self, tmp_path: Any) -> None:
        path = tmp_path / "states.sqlite"

        async def before(cloud: Cloud) -> str:
            arn = await cloud.start(await cloud.machine(WAIT))
            await asyncio.sleep(20)
            # Whoever is killed writes nothing more.
            copy.write_bytes(path.read_bytes())
            wal = path.with_name(path.name + "-wal")
            copy.with_name(copy.name + "-wal").write_bytes(wal.read_bytes())
            return arn

        copy = tmp_path / "copy.sqlite"
        arn = drive(before, store=Store(path))

        async def after(cloud: Cloud) -> None:
            assert (await cloud.end(arn))["status"] == "SUCCEEDED"

        drive(after, store=Store(copy))

    def test_executions_that_have_ended_do_not_fill_the_memory(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("retrain.states.service.entries.IN_MEMORY", 5)

        async def scenario(cloud: Cloud) -> None:
            await cloud.machine()
            arns = [await cloud.start(ARN, {"n": number}) for number in range(20)]
            for arn in arns:
                entry = cloud.service.entries.find(arn)
                assert entry is not None
                await entry.ended.wait()
            kept = [entry for entry in cloud.service.entries if entry.execution is not None]
            assert len(kept) == 5
            for number, arn in enumerate(arns):
                described = await cloud.call("DescribeExecution", executionArn=arn)
                assert json.loads(described["output"]) == {"n": number}

        drive(scenario, store=Store(tmp_path / "states.sqlite"))


EVERYTHING = {
    "StartAt": "Before",
    "TimeoutSeconds": 5000,
    "States": {
        "Before": {"Type": "Wait", "Seconds": 10, "Next": "Call"},
        "Call": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
            "Parameters": {},
            "ResultPath": "$.found",
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10}],
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "ResultPath": "$.both",
            "Branches": [
                {"StartAt": "W1", "States": {"W1": {"Type": "Wait", "Seconds": 60, "End": True}}},
                {
                    "StartAt": "Each",
                    "States": {
                        "Each": {
                            "Type": "Map",
                            "ItemsPath": "$.items",
                            "MaxConcurrency": 1,
                            "ItemProcessor": {
                                "StartAt": "W2",
                                "States": {"W2": {"Type": "Wait", "Seconds": 15, "End": True}},
                            },
                            "End": True,
                        }
                    },
                },
            ],
            "Next": "Fan",
        },
        "Fan": {
            **MAP["States"]["Fan"],
            "ItemsPath": "$.items",
            "ResultPath": "$.fan",
        },
    },
}


def test_killed_at_any_moment_it_ends_after_the_restart_with_the_same_output(tmp_path: Any) -> None:
    path = tmp_path / "states.sqlite"
    moments = (0, 5, 12, 15, 25, 40, 47, 70, 81, 100, 150, 199)

    async def before(cloud: Cloud) -> str:
        arn = await cloud.start(await cloud.machine(EVERYTHING), {"items": [1, 2, 3]})
        now = 0
        for moment in moments:
            await asyncio.sleep(moment - now + 0.5)
            now = moment
            # What is on disk when the program is killed.
            for suffix in ("", "-wal"):
                source = path.with_name(path.name + suffix)
                (tmp_path / f"at-{moment}.sqlite{suffix}").write_bytes(source.read_bytes())
        assert (await cloud.end(arn))["status"] == "SUCCEEDED"
        return arn

    async def after(cloud: Cloud) -> dict[str, Any]:
        return await cloud.end(arn)

    def services() -> Services:
        return Services(ListQueues=[refused("Busy"), 5, {"QueueUrls": ["q"]}])

    arn = drive(before, services(), Store(path))
    for moment in moments:
        described = drive(after, services(), Store(tmp_path / f"at-{moment}.sqlite"))
        assert described["status"] == "SUCCEEDED", (moment, described)
        assert json.loads(described["output"]) == {
            "items": [1, 2, 3],
            "found": {"QueueUrls": ["q"]},
            "both": [{"found": {"QueueUrls": ["q"]}, "items": [1, 2, 3]}, [1, 2, 3]],
            "fan": [1, 2, 3],
        }
