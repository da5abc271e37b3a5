"""Step Functions in the local cloud, as far as it needs no server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retrain.localcloud import seams
from retrain.localcloud.stepfunctions import cloudformation, functions
from retrain.localcloud.stepfunctions.api import Api
from retrain.localcloud.stepfunctions.clock import ScaledClock
from retrain.localcloud.stepfunctions.sinks import _parts
from retrain.states.errors import StatesLanguageError
from retrain.states.service import LoopThread, StepFunctionsService
from tests.unit.localcloud.conftest import Restored
from tests.unit.states.tasks.services import Services

ROLE = "arn:aws:iam::000000000000:role/test"
ARN = "arn:aws:states:us-east-1:000000000000:stateMachine"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


@pytest.fixture
def api() -> Any:
    loop = LoopThread()
    made = Api(loop)

    async def make() -> StepFunctionsService:
        return StepFunctionsService(Services())

    made.service = loop.call(make())
    yield made
    loop.call(made.service.close())
    loop.close()


def ask(api: Api, operation: str, body: bytes | dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-amz-target": f"AWSStepFunctions.{operation}"}
    status, given, answer = asyncio.run(api.handle("POST", "/", headers, content, {}))
    return status, given, json.loads(answer)


class TestApi:
    @pytest.mark.parametrize(
        ("operation", "body", "code"),
        [
            ("ListStateMachines", b"{", "SerializationException"),
            ("ListStateMachines", b"[]", "SerializationException"),
            ("MakeCoffee", b"{}", "UnknownOperationException"),
            ("DescribeStateMachine", b"{}", "ValidationException"),
            ("DescribeStateMachine", {"stateMachineArn": f"{ARN}:m"}, "StateMachineDoesNotExist"),
        ],
    )
    def test_errors_are_in_the_protocol(self, api: Api, operation: str, body: Any, code: str) -> None:
        status, headers, answer = ask(api, operation, body)
        assert (status, answer["__type"], headers["x-amzn-ErrorType"]) == (400, code, code)
        assert headers["Content-Type"] == "application/x-amz-json-1.0"

    def test_an_error_of_ours_is_an_answer_too(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setitem(api.service._operations, "ListActivities", lambda _: {}[1])
        status, _, answer = ask(api, "ListActivities", b"{}")
        assert (status, answer["__type"]) == (500, "InternalFailure")
        assert "ListActivities failed" in caplog.text

    def test_other_services_start_executions(self, api: Api) -> None:
        request = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE, "publish": True}
        assert ask(api, "CreateStateMachine", request)[0] == 200
        assert api.machine_of(f"{ARN}:m") == api.machine_of(f"{ARN}:m:1") == f"{ARN}:m"
        assert api.machine_of(f"{ARN}:none") is None
        assert api.machine_of("nonsense") is None
        status, _, body = api.start({"stateMachineArn": f"{ARN}:m:1", "input": "{}"})
        assert status == 200
        assert json.loads(body)["executionArn"].startswith(
            "arn:aws:states:us-east-1:000000000000:execution:m:"
        )
        assert api.start({"stateMachineArn": f"{ARN}:none"})[0] == 400

    def test_the_loop_does_not_wait_for_itself(self, api: Api) -> None:
        async def inside() -> None:
            api.call("ListActivities")

        with pytest.raises(StatesLanguageError, match="own thread"):
            api._loop.call(inside())


class TestFunctions:
    def invoke(self, restored: Restored, response: seams.Response, **request: Any) -> Any:
        restored.remember("ministack.app", "SERVICE_HANDLERS")
        seen: list[Any] = []

        async def handle(*call: Any) -> seams.Response:
            seen.append(call)
            return response

        seams.module("ministack.app").SERVICE_HANDLERS["lambda"] = handle
        return asyncio.run(functions.invoke("Invoke", {"FunctionName": "f", **request})), seen[0]

    def test_the_answer_is_boto3s(self, restored: Restored) -> None:
        response = (200, {"X-Amz-Executed-Version": "3", "X-Amz-Function-Error": "Unhandled"}, b"{}")
        arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
        answer, (_, path, headers, body, query) = self.invoke(
            restored, response, FunctionName=arn, Payload=b"[1]", Qualifier="3", InvocationType="Event"
        )
        assert (answer["ExecutedVersion"], answer["FunctionError"], answer["Payload"]) == (
            "3",
            "Unhandled",
            b"{}",
        )
        assert path == f"/2015-03-31/functions/{arn}/invocations"
        assert (body, query, headers["x-amz-invocation-type"]) == (b"[1]", {"Qualifier": ["3"]}, "Event")

    def test_a_refusal_has_its_code(self, restored: Restored) -> None:
        body = json.dumps({"__type": "TooManyRequestsException", "message": "slow down"}).encode()
        with pytest.raises(ClientError) as raised:
            self.invoke(restored, (429, {}, body))
        assert raised.value.response["Error"] == {"Code": "TooManyRequestsException", "Message": "slow down"}
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429

    def test_other_operations_go_their_usual_way(self) -> None:
        assert asyncio.run(functions.invoke("GetFunction", {})) is None


class TestStacks:
    def test_properties_become_members(self) -> None:
        group = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:1:log-group:g"}}
        given = {"Level": "ALL", "IncludeExecutionData": "true", "Destinations": [group]}
        assert cloudformation._camel(given) == {
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [
                {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:1:log-group:g:*"}}
            ],
        }

    def test_a_definition_in_yaml_becomes_json(self) -> None:
        text = cloudformation._as_json("StartAt: A\nStates:\n  A: {Type: Succeed}\n")
        assert json.loads(text) == {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
        assert cloudformation._as_json("{") == "{"

    def test_what_is_not_there_is_refused(self, api: Api) -> None:
        machines, aliases = cloudformation.MachineResource(api), cloudformation.AliasResource(api)
        with pytest.raises(cloudformation.HandlerError, match="unsupported property Defnition"):
            machines.create("M", {"Defnition": "{}"}, "stack")
        preference = {"Type": "CANARY", "StateMachineVersionArn": f"{ARN}:m:1"}
        with pytest.raises(cloudformation.HandlerError, match="CANARY is not implemented"):
            aliases.create("A", {"Name": "a", "DeploymentPreference": preference}, "stack")

    def test_logging_that_a_template_drops_is_reset(self, api: Api) -> None:
        group = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:1:log-group:g:*"}}
        before = {
            "StateMachineName": "m",
            "DefinitionString": json.dumps(PASS),
            "RoleArn": ROLE,
            "LoggingConfiguration": {"Level": "ALL", "Destinations": [group]},
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        }
        machines = cloudformation.MachineResource(api)
        arn, attributes = machines.create("M", before, "stack")
        assert attributes["Name"] == "m"
        after = {name: value for name, value in before.items() if name != "LoggingConfiguration"}
        after["Tags"] = [{"Key": "b", "Value": "3"}]
        _, changed = machines.update(arn, before, after, "stack")
        assert changed["StateMachineRevisionId"] != attributes["StateMachineRevisionId"]
        described = api.call("DescribeStateMachine", stateMachineArn=arn)
        assert described["loggingConfiguration"]["level"] == "OFF"
        tags = api.call("ListTagsForResource", resourceArn=arn)["tags"]
        assert tags == [{"key": "b", "value": "3"}]
        machines.delete(arn, after)
        assert api.machine_of(arn) is None


def test_waits_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock = ScaledClock(0.01)
    clock.now = lambda: 1000.0  # type: ignore[method-assign]
    asyncio.run(clock.sleep_until(1200.0))
    asyncio.run(clock.sleep_until(900.0))
    assert slept == [2.0, 0.0]


def test_lines_are_split_for_cloudwatch_logs() -> None:
    parts = _parts([(moment, "x" * 400_000) for moment in range(5)])
    assert [[line["timestamp"] for line in part] for part in parts] == [[0, 1], [2, 3], [4]]
