"""What each role of the stack needs, derived from code and definitions, against what it is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from retrain.states.model import parse
from retrain.states.tasks.naming import service_model
from retrain.workflow import iam
from retrain.workflow.iam.names import actions_of, prefix_of
from retrain.workflow.iam.roles import passed
from tests.audit import program, reach, sdk_calls
from tests.audit.program import PROJECT
from tests.audit.resources import listed, of_type, referred

MANAGED = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
}
"""What SAM attaches to each function's role: writing its log, and its traces."""

# SageMaker's documentation, IAM execution roles: what training jobs and endpoints do in their role's name.
_SAGEMAKER = dict.fromkeys(
    (
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"),
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        *("ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"),
    ),
    "SageMaker's training jobs and endpoints do it",
)
_RECEIVING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_DELIVERING = {
    "AWS::SQS::Queue": "sqs:SendMessage",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::Lambda::Function": "lambda:InvokeFunction",
    "AWS::StepFunctions::StateMachine": "states:StartExecution",
}

NEVER_CALLED = {
    ("CodePipelineJobFunction", "sqs:SendMessage"): (
        "starting.ask puts a wish into the delay queue unless its asker asks again, as CodePipeline does"
    ),
}
"""Calls that the code of a function leads to and its data never does, and why."""

INSTEAD = {
    ("CleanUpFunction", "s3:DeleteObject"): ("s3:DeleteObjectVersion", "it names the version of each object"),
}
"""Calls that need another right than their name says, by what they are called with, and why."""

Needed = dict[str, str]
"""Actions with the reason for each."""


class UnderivedRoleError(Exception):
    """What a role is for cannot be derived."""


def findings(template: dict[str, Any]) -> list[str]:
    """Return, sorted, what is missing and what is superfluous in the roles of a transformed template."""
    found = []
    for role, needed in needs(template).items():
        allowed = statements(template, role)
        granted = {
            action
            for statement in allowed
            if statement["Effect"] == "Allow"
            for action in listed(statement["Action"])
        }
        found += [f"{role}: {action} is missing: {needed[action]}" for action in needed.keys() - granted]
        found += [
            f"{role}: {action} is superfluous: nothing needs it (statement {statement.get('Sid', 'of SAM')})"
            for statement in allowed
            for action in listed(statement["Action"])
            if action not in needed
        ]
        extra = set(template["Resources"][role]["Properties"].get("ManagedPolicyArns", ())) - MANAGED
        found += [f"{role}: the managed policy {arn} is superfluous: name the actions" for arn in extra]
    return sorted(found)


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policies."""
    policies = template["Resources"][role]["Properties"].get("Policies", [])
    return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


def needs(template: dict[str, Any]) -> dict[str, Needed]:
    """Return what each role needs.

    Raises
    ------
    UnderivedRoleError
        There is a role that nothing is known to use, or what is written here is out of date.
    """
    found: dict[str, Needed] = {}
    for name, function in of_type(template, "AWS::Lambda::Function"):
        found.setdefault(referred(function["Role"]), {}).update(_function(template, name, function))
    for _, machine in of_type(template, "AWS::StepFunctions::StateMachine"):
        found.setdefault(referred(machine["RoleArn"]), {}).update(_machine(machine))
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule"):
        target = schedule["Target"]
        for arn in (target["Arn"], target["DeadLetterConfig"]["Arn"]):
            action = _DELIVERING[template["Resources"][referred(arn)]["Type"]]
            found.setdefault(referred(target["RoleArn"]), {})[action] = f"{name} delivers to {referred(arn)}"
    for name, role in of_type(template, "AWS::IAM::Role"):
        trusted = {
            each["Principal"].get("Service")
            for each in role["AssumeRolePolicyDocument"]["Statement"]
            if isinstance(each["Principal"].get("Service"), str)
        }
        if trusted == {"sagemaker.amazonaws.com"}:
            found[name] = dict(_SAGEMAKER)
        elif name not in found:
            raise UnderivedRoleError(f"{name}: say in {__name__} what is done in the name of this role.")
    return found


def _function(template: dict[str, Any], name: str, function: dict[str, Any]) -> Needed:
    found = dict(code_needs(function["Handler"]))
    for _, source in of_type(template, "AWS::Lambda::EventSourceMapping"):
        if referred(source["FunctionName"]) == name:
            queue = referred(source["EventSourceArn"])
            found |= dict.fromkeys(_RECEIVING, f"Lambda receives from {queue} for it")
    for _, config in of_type(template, "AWS::Lambda::EventInvokeConfig"):
        if referred(config["FunctionName"]) == name:
            for kind, destination in config.get("DestinationConfig", {}).items():
                target = referred(destination["Destination"])
                action = _DELIVERING[template["Resources"][target]["Type"]]
                found[action] = f"Lambda delivers to {target} {kind}"
    for (other, action), (instead, why) in INSTEAD.items():
        if other == name:
            if action not in found:
                raise UnderivedRoleError(
                    f"{name}: its code leads to {action} no more, so INSTEAD is out of date."
                )
            found[instead] = f"{found.pop(action)}: {why}"
    for other, action in NEVER_CALLED:
        if other == name:
            if action not in found:
                raise UnderivedRoleError(
                    f"{name}: its code leads to {action} no more, so NEVER_CALLED is out of date."
                )
            del found[action]
    return found


@cache
def code_needs(handler: str) -> Needed:
    """Return the actions that a handler's code needs, each with the place that needs it."""
    return dict(_code_needs(handler))


def _code_needs(handler: str) -> Iterator[tuple[str, str]]:
    calls = sdk_calls.calls()
    for owner in sorted(reach.reached(program.load(), handler)):
        for call in calls.get(owner, ()):
            why = f"{owner} calls {call.operation}"
            for action in actions_of(call.service, call.operation):
                yield action, why
            if (
                call.service == "s3"
                and call.operation in ("GetObject", "HeadObject")
                and not call.is_signed_only
            ):
                yield (
                    "s3:ListBucket",
                    f"{owner} must be told what is missing, and S3 tells those who may list",
                )
            members = service_model(call.service).operation_model(call.operation).input_shape.members
            if any(True for _ in passed(prefix_of(call.service), call.operation, dict.fromkeys(members))):
                yield "iam:PassRole", why


def _machine(machine: dict[str, Any]) -> Needed:
    tracing = bool(machine.get("TracingConfiguration", {}).get("Enabled"))
    return _definition(logging="LoggingConfiguration" in machine, tracing=tracing)


@cache
def _definition(*, logging: bool, tracing: bool) -> Needed:
    """Return what the one definition in statemachine/ needs."""
    text = (PROJECT / "statemachine" / "retrain.asl.json").read_text(encoding="utf-8")
    found = iam.needs(parse(iam.fill(text)), logging=logging, tracing=tracing)
    if found.notes:
        raise UnderivedRoleError(" ".join(found.notes))
    return {
        action: f"{', '.join(need.states) or 'the state machine'} {need.why}"
        for need in found.needs
        for action in need.actions
    }
