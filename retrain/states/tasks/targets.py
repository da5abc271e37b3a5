"""What a Task's Resource stands for: an operation of a service, its request, and its answer."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from retrain.states.errors import RUNTIME, StatesError
from retrain.states.execution.protocols import TaskCall
from retrain.states.model import Json
from retrain.states.tasks import failures, functions
from retrain.states.tasks.calls import Answer
from retrain.states.tasks.jobs import JOBS
from retrain.states.tasks.naming import operation_of, service_model, service_of
from retrain.states.tasks.optimised import INTEGRATIONS, KNOWN_ELSEWHERE, Integration
from retrain.states.tasks.resources import Resource
from retrain.states.tasks.shapes import (
    Spelling,
    UnusableParametersError,
    epoch_milliseconds,
    iso_instant,
    optimised_spelling,
    sdk_spelling,
    to_request,
    to_result,
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a resource of a service stands for."""

    resource: Resource
    service: str
    operation: OperationModel
    spelling: Spelling
    integration: Integration | None

    def failure(self, error: Exception) -> StatesError:
        """Return a refused call as the state machine sees it."""
        if self.integration is not None:
            return failures.of_optimised(error, self.integration, self.resource.arn)
        return failures.of_sdk(error, self.service, self.resource.arn)


def target_of(resource: Resource) -> Target:
    """Find out what a resource stands for, or say why it cannot be carried out."""
    if resource.kind == "aws-sdk":
        service = service_of(resource.service)
        if service is None:
            raise StatesError(RUNTIME, f"The AWS SDK has no service '{resource.service}': {resource.arn}")
        operation = operation_of(service, resource.action)
        if operation is None:
            name = service_model(service).service_id
            raise StatesError(RUNTIME, f"{name} has no operation '{resource.action}': {resource.arn}")
        if resource.pattern in ("sync", "sync:2"):
            raise StatesError(RUNTIME, f"{resource.arn}: tasks of the AWS SDK cannot be waited for by .sync.")
        return Target(resource, service, operation, sdk_spelling, None)
    integration = INTEGRATIONS.get(resource.service)
    if integration is None:
        if resource.service in KNOWN_ELSEWHERE:
            raise failures.not_implemented(resource.arn)
        raise StatesError(RUNTIME, f"There is no optimised integration of '{resource.service}'.")
    action = integration.actions.get(resource.action)
    if action is None:
        raise failures.not_implemented(resource.arn, f"Try aws-sdk:{resource.service}:{resource.action}.")
    if resource.pattern and resource.pattern not in action.patterns:
        raise StatesError(RUNTIME, f"{resource.arn}: {resource.action} has no .{resource.pattern}.")
    if resource.pattern in ("sync", "sync:2") and (resource.service, resource.action) not in JOBS:
        raise failures.not_implemented(resource.arn)
    operation = operation_of(integration.service, resource.action)
    assert operation is not None  # noqa: S101  (a test goes through all of them)
    return Target(resource, integration.service, operation, optimised_spelling, integration)


def request_of(call: TaskCall, target: Target) -> dict[str, Any]:
    """Return the request that a task's arguments are."""
    arguments: Any = call.arguments
    if target.integration is not None and isinstance(arguments, dict):
        arguments = _as_integration_takes_it(arguments, target)
    try:
        if target.service == "lambda" and target.operation.name == "Invoke":
            functions.check_arguments(arguments)
            return _invocation(arguments, target)
        return to_request(arguments, target.operation, target.spelling)
    except UnusableParametersError as error:
        raise failures.unusable(str(error)) from error


def _as_integration_takes_it(arguments: dict[str, Any], target: Target) -> dict[str, Any]:
    assert target.integration is not None  # noqa: S101
    action = target.integration.actions[target.resource.action]
    for name in arguments:
        if action.fields is not None and name not in action.fields:
            sdk = target.resource.arn.replace(f":{target.resource.service}:", ":aws-sdk:…:", 1)
            raise failures.unusable(
                f'The field "{name}" is not supported by Step Functions; {sdk} may take it'
            )
    arguments = {
        name: json_text(value) if name in action.json_fields and not isinstance(value, str) else value
        for name, value in arguments.items()
    }
    if target.service == "events":
        entries = arguments.get("Entries")
        if isinstance(entries, list):
            arguments["Entries"] = [_with_text_detail(entry) for entry in entries]
    if target.service == "stepfunctions":
        arguments.setdefault("Input", "{}")
    return arguments


def _with_text_detail(entry: Any) -> Any:
    if isinstance(entry, dict) and "Detail" in entry and not isinstance(entry["Detail"], str):
        return {**entry, "Detail": json_text(entry["Detail"])}
    return entry


def _invocation(arguments: Any, target: Target) -> dict[str, Any]:
    """Return the request of a function's invocation: any JSON can be its payload."""
    if not isinstance(arguments, dict) or "Payload" not in arguments:
        return to_request(arguments, target.operation, target.spelling)
    rest = {name: value for name, value in arguments.items() if name != "Payload"}
    request = to_request(rest, target.operation, target.spelling)
    return {**request, "Payload": functions.compact(arguments["Payload"])}


def converted(answer: Answer, target: Target) -> dict[str, Any]:
    """Return an answer as the state machine sees it."""
    times = iso_instant if target.integration is None else epoch_milliseconds
    result = to_result(answer, target.operation.output_shape, target.spelling, times)
    return result if isinstance(result, dict) else {}


def metadata_of(answer: Answer) -> dict[str, Json]:
    """Return what the optimised integrations tell of the HTTP response."""
    metadata = answer.get("ResponseMetadata", {})
    headers = {str(name): str(value) for name, value in metadata.get("HTTPHeaders", {}).items()}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(headers),
            "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId") or str(uuid.uuid4())},
    }


def json_text(value: Json) -> str:
    """Return JSON as text without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
