"""Mends of Lambda, seen from outside: each test fails without its mend."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from retrain.localcloud.repairs.lambda_pool import MAX_IDLE
from tests.integration.definitions import Aws, Run, call, cause_of, machine


class TestLambdaErrors:
    def test_the_exceptions_own_name_reaches_catch(self, mends: dict[str, str], run: Run) -> None:
        task = call(
            mends["FunctionArn"],
            Catch=[{"ErrorEquals": ["UploadTornError"], "ResultPath": "$.error", "Next": "Caught"}],
        )
        described = run(
            machine(("Call", task), ("Caught", {"Type": "Pass"})), {"raise": "half of it is missing"}
        )
        assert described["status"] == "SUCCEEDED"
        error = json.loads(described["output"])["error"]
        assert error["Error"] == "UploadTornError"
        cause = json.loads(error["Cause"])
        assert (cause["errorType"], cause["errorMessage"]) == ("UploadTornError", "half of it is missing")
        assert "in handler" in cause["stackTrace"][0]

    def test_the_exceptions_own_name_reaches_retry(self, mends: dict[str, str], run: Run) -> None:
        task = call(
            mends["FunctionArn"],
            {"count": f"{uuid.uuid4().hex}:3"},
            Retry=[{"ErrorEquals": ["UploadTornError"], "IntervalSeconds": 1, "MaxDelaySeconds": 2}],
            OutputPath="$.Payload",
        )
        described = run(machine(("Call", task)))
        assert json.loads(described["output"]) == 3

    @pytest.mark.parametrize(
        ("event", "name", "words"),
        [
            ({"sleep": 30}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
            ({"exit": 3}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
            ({"unserializable": True}, "Runtime.MarshalError", "not JSON serializable"),
            ({"import": "numpy"}, "ModuleNotFoundError", "No module named 'numpy'"),
            ({"import": "retrain"}, "ModuleNotFoundError", "No module named 'retrain'"),
        ],
    )
    def test_what_ends_a_function_has_lambdas_name(
        self, mends: dict[str, str], run: Run, event: dict[str, Any], name: str, words: str
    ) -> None:
        described = run(mends["Machine"], event)
        assert (described["status"], described["error"]) == ("FAILED", name)
        assert words in cause_of(described)["errorMessage"]

    def test_the_layer_and_the_runtimes_boto3_are_there(self, mends: dict[str, str], run: Run) -> None:
        assert "/lambda/layers/" in run(mends["Machine"], {"import": "mends_layer"})["output"]
        assert "/lambda/runtime/" in run(mends["Machine"], {"import": "boto3"})["output"]

    def test_the_environment_is_lambdas(self, mends: dict[str, str], run: Run) -> None:
        seen = json.loads(run(mends["Machine"], {})["output"])
        assert seen["greeting"] == "hello"
        assert 0 < seen["remaining"] <= 2000
        assert seen["environment"]["AWS_LAMBDA_FUNCTION_NAME"] == mends["FunctionName"]
        assert not {"HOME", "VIRTUAL_ENV", "PERSIST_STATE", "BIND_HOST"} & set(seen["environment"])

    def test_all_that_is_printed_is_in_the_log(self, mends: dict[str, str], run: Run, aws: Aws) -> None:
        word = uuid.uuid4().hex
        run(mends["Machine"], {"print": word})
        found = aws("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{mends['FunctionName']}", filterPattern=f'"{word}"'
        )["events"]
        assert [event["message"] for event in found] == [word, f"from a program: {word}"]

    def test_a_handler_that_is_not_there(self, mends: dict[str, str], aws: Aws) -> None:
        functions = aws("lambda")
        functions.update_function_configuration(FunctionName=mends["FunctionName"], Handler="app.nobody")
        try:
            answer = functions.invoke(FunctionName=mends["FunctionName"], Payload=b"{}")
            assert answer["FunctionError"] == "Unhandled"
            assert json.load(answer["Payload"])["errorType"] == "Runtime.HandlerNotFound"
        finally:
            functions.update_function_configuration(FunctionName=mends["FunctionName"], Handler="app.handler")


class TestConcurrency:
    def test_many_executions_at_once_keep_few_processes(
        self, mends: dict[str, str], start: Callable[..., str], outcome: Run, local_cloud: Any
    ) -> None:
        arns = [start(mends["Machine"], {"sleep": 0.2}) for _ in range(24)]
        assert {outcome(arn)["status"] for arn in arns} == {"SUCCEEDED"}
        children = psutil.Process(local_cloud.pid).children()
        functions = [child for child in children if "lambda_bootstrap.py" in " ".join(child.cmdline())]
        servers = [child for child in children if "lambda_forkserver.py" in " ".join(child.cmdline())]
        forked = [process for server in servers for process in server.children()]
        assert 1 <= len([*functions, *forked]) <= MAX_IDLE
        assert bool(forked) == (sys.platform == "linux")
