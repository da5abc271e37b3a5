"""What runs leaves a log, ends in time, and loses nothing; what is sent may arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.audit.resources import alternatives, listed, of_type, referred

KEEPS_NO_EVENTS = {
    "CodePipelineJobFunction": "its event holds credentials, and the pipeline tells of failures"
}
"""Functions that are called asynchronously and have no dead letters, and why."""


def findings(template: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with functions, state machines, rules and schedules."""
    groups = dict(of_type(template, "AWS::Logs::LogGroup"))
    asynchronous = set(_asynchronous(template))
    for name, function in of_type(template, "AWS::Lambda::Function"):
        if referred(function.get("LoggingConfig", {}).get("LogGroup")) not in groups:
            yield f"{name}: has no log group of the stack's (LoggingConfig)"
        if not 0 < function.get("Timeout", 0) <= 900:
            yield f"{name}: has no timeout"
        if function.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name}: is not traced (Tracing)"
        if name in asynchronous and name not in KEEPS_NO_EVENTS and not _buries(template, name, function):
            yield f"{name}: is called asynchronously, and loses what it cannot handle (OnFailure)"
    for name in (
        KEEPS_NO_EVENTS.keys() & dict(of_type(template, "AWS::Lambda::Function")).keys() - asynchronous
    ):
        yield f"{name}: is not called asynchronously any more: it needs no exception here"
    for name, machine in of_type(template, "AWS::StepFunctions::StateMachine"):
        logging = machine.get("LoggingConfiguration", {})
        if not logging.get("Destinations") or logging.get("Level") != "ALL":
            yield f"{name}: leaves no log (Logging)"
        if logging.get("IncludeExecutionData") is not False:
            yield f"{name}: logs what goes through it (IncludeExecutionData)"
    for name, rule in of_type(template, "AWS::Events::Rule"):
        for target in rule["Targets"]:
            yield from _delivered(template, name, target)
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule"):
        if not schedule["Target"].get("DeadLetterConfig"):
            yield f"{name}: loses what cannot be delivered (DeadLetterConfig)"


def _asynchronous(template: dict[str, Any]) -> Iterator[str]:
    """Yield the functions that somebody calls without waiting for their answer."""
    for kind in ("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"):
        yield from (referred(body["FunctionName"]) for _, body in of_type(template, kind))
    for _, rule in of_type(template, "AWS::Events::Rule"):
        yield from (referred(target["Arn"]) for target in rule["Targets"])


def _buries(template: dict[str, Any], name: str, function: dict[str, Any]) -> bool:
    return bool(function.get("DeadLetterConfig")) or any(
        referred(config["FunctionName"]) == name and config.get("DestinationConfig", {}).get("OnFailure")
        for _, config in of_type(template, "AWS::Lambda::EventInvokeConfig")
    )


def _delivered(template: dict[str, Any], rule: str, target: dict[str, Any]) -> Iterator[str]:
    """Yield what keeps a rule's events from arriving, or from being buried where they cannot arrive."""
    places = [referred(target["Arn"])]
    if dead_letters := target.get("DeadLetterConfig"):
        places.append(referred(dead_letters["Arn"]))
    else:
        yield f"{rule}: loses what cannot be delivered (DeadLetterConfig)"
    for place in places:
        kind = template["Resources"][place]["Type"]
        allowed = {
            "AWS::SQS::Queue": lambda place=place: _queue_lets_in(template, place, rule),
            "AWS::Lambda::Function": lambda place=place: _function_lets_in(template, place, rule),
            "AWS::StepFunctions::StateMachine": lambda: "RoleArn" in target,
        }
        if kind not in allowed:
            yield f"{rule}: nothing here knows how {place} ({kind}) lets a rule in"
        elif not allowed[kind]():
            yield f"{rule}: may not deliver to {place}"


def _queue_lets_in(template: dict[str, Any], queue: str, rule: str) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "events.amazonaws.com"}
        and "sqs:SendMessage" in listed(statement["Action"])
        and queue in map(referred, listed(statement["Resource"]))
        and rule in map(referred, listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"]))
        for _, policy in of_type(template, "AWS::SQS::QueuePolicy")
        if queue in map(referred, policy["Queues"])
        for statement in alternatives(policy["PolicyDocument"]["Statement"])
    )


def _function_lets_in(template: dict[str, Any], function: str, rule: str) -> bool:
    return any(
        referred(permission["FunctionName"]) == function
        and permission["Principal"] == "events.amazonaws.com"
        and referred(permission.get("SourceArn")) == rule
        for _, permission in of_type(template, "AWS::Lambda::Permission")
    )
