"""The contract with MiniStack: an upgrade that breaks a seam fails here, and says which."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
from typing import Any

import pytest

from retrain.localcloud import repairs, seams
from retrain.localcloud.errors import SeamBrokenError
from tests.unit.localcloud.conftest import Restored

APP = "ministack.app"


def test_ministack_is_as_expected() -> None:
    for module in pkgutil.iter_modules(repairs.__path__):  # importing a repair adds what it relies on
        importlib.import_module(f"{repairs.__name__}.{module.name}")
    seams.check()


def test_a_name_that_is_gone_or_changed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        seams, "_EXPECTED", {seams.STATES: {"_gone": None, "_start_execution": "other names"}}
    )
    with pytest.raises(SeamBrokenError) as raised:
        seams.check()
    assert "stepfunctions._gone is missing" in str(raised.value)
    assert "_start_execution takes (data), not (other names)" in str(raised.value)
    assert f"pip install 'ministack=={seams.MINISTACK_VERSION}'" in str(raised.value)


def test_another_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "MINISTACK_VERSION", "0.1")
    with pytest.raises(SeamBrokenError, match=r"written for MiniStack 0\.1, .* version 1\."):
        seams.check()


def test_only_listed_names_are_replaced() -> None:
    with pytest.raises(SeamBrokenError, match="without being listed"):
        seams.replace(seams.STATES, "_start_sync_execution", None)


async def answer(method: str, path: str, headers: Any, body: bytes, query: Any) -> seams.Response:
    target = headers.get("x-amz-target", "none")
    return 200, {"Content-Type": "application/json"}, json.dumps({"target": target, "path": path}).encode()


async def request(path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send a request through MiniStack's application without a socket."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await seams.module(APP).app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("path", "headers", "target"),
    [
        ("/", {"x-amz-target": "SageMaker.ListModels"}, "SageMaker.ListModels"),
        ("/endpoints/mnist/invocations", {}, "none"),
    ],
)
def test_a_service_gets_its_requests(
    restored: Restored, path: str, headers: dict[str, str], target: str
) -> None:
    restored.remember(APP, "SERVICE_HANDLERS")
    restored.remember(seams.ROUTER, "SERVICE_PATTERNS")
    seams.register_service("sagemaker", answer, target_prefixes=("SageMaker.",))
    scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request, Signature=x"
    status, body = asyncio.run(
        request(path, {"host": "127.0.0.1:4566", "content-length": "2", "authorization": scope, **headers})
    )
    assert (status, json.loads(body)) == (200, {"target": target, "path": path})


def test_a_resource_type(restored: Restored) -> None:
    restored.remember(seams.PROVISIONERS, "_RESOURCE_HANDLERS")
    provisioners = seams.module(seams.PROVISIONERS)
    calls: list[tuple[Any, ...]] = []
    seams.register_cloudformation_type(
        "AWS::SageMaker::ModelPackageGroup",
        lambda *call: calls.append(call) or ("group", {"Arn": "arn"}),  # type: ignore[func-returns-value]
        lambda *call: calls.append(call),
        lambda *call: calls.append(call) or ("group", {"Arn": "arn"}),  # type: ignore[func-returns-value]
    )
    made = provisioners._provision_resource("AWS::SageMaker::ModelPackageGroup", "Group", {"a": 1}, "stack")
    assert made == ("group", {"Arn": "arn"})
    provisioners._update_resource(
        "AWS::SageMaker::ModelPackageGroup", "group", {"a": 1}, {"a": 2}, "stack", "Group"
    )
    provisioners._delete_resource("AWS::SageMaker::ModelPackageGroup", "group", {"a": 2})
    assert calls == [
        ("Group", {"a": 1}, "stack"),
        ("group", {"a": 1}, {"a": 2}, "stack"),
        ("group", {"a": 2}),
    ]


def test_an_event_of_aws_is_taken(restored: Restored) -> None:
    events = seams.module("ministack.services.eventbridge")
    seams.put_aws_event("aws.sagemaker", "SageMaker Training Job State Change", {"name": "x"}, ["arn"])
    sent = events._events_log_list()[-1]
    assert (sent["Source"], json.loads(sent["Detail"]), sent["Resources"]) == (
        "aws.sagemaker",
        {"name": "x"},
        ["arn"],
    )


def test_account_and_region() -> None:
    assert (seams.account_id(), seams.region()) == ("000000000000", "us-east-1")


def test_targets_of_rules_and_pipes_start_executions_where_they_are_led(restored: Restored) -> None:
    restored.remember(seams.STATES, "_start_execution", "_resolve_state_machine_arn")
    restored.remember(seams.DRIFT, "_DRIFT_READERS")
    started: list[dict[str, Any]] = []

    def start(request: dict[str, Any]) -> seams.Response:
        started.append(request)
        return 200, {}, b"{}"

    known = "arn:aws:states:us-east-1:000000000000:stateMachine:known"
    seams.redirect_states(start, lambda arn: arn if arn == known else None)
    events = seams.module("ministack.services.eventbridge")
    for arn in (known, f"{known}-not"):
        events._dispatch_to_stepfunctions(arn, '{"a": 1}')
    pipes = seams.module("ministack.services.pipes")
    assert pipes._start_state_machine_from_records(known, {"Name": "p"}, [{"b": 2}])
    assert started == [
        {"stateMachineArn": known, "input": '{"a": 1}'},
        {"stateMachineArn": known, "input": '[{"b": 2}]'},
    ]
    read, _ = seams.module(seams.DRIFT)._DRIFT_READERS["AWS::StepFunctions::StateMachine"]
    assert (read(known, {}), read(f"{known}-not", {})) == ({}, None)


def test_a_service_is_called_without_http(restored: Restored) -> None:
    restored.remember(APP, "SERVICE_HANDLERS")
    restored.remember(seams.ROUTER, "SERVICE_PATTERNS")
    seams.register_service("sagemaker", answer)
    given = asyncio.run(seams.call_service("sagemaker", "POST", "/x", {"x-amz-target": "T"}, b"", {}))
    assert json.loads(given[2]) == {"target": "T", "path": "/x"}


def test_definitions_and_names_of_stacks() -> None:
    properties = {
        "DefinitionString": '{"StartAt": "${First}"}',
        "DefinitionSubstitutions": {"First": "A"},
    }
    assert seams.states_definition(properties) == '{"StartAt": "A"}'
    name = seams.physical_name("stack", "Machine" * 20, 80)
    assert name.startswith("stack-Machine")
    assert len(name) <= 80
