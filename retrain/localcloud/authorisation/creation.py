"""What AWS looks at when something is made that will act in a role: it fails then, not when it is used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.authorisation import callers, policies
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.errors import AccessDeniedError
from retrain.states.model import parse
from retrain.workflow.iam import needs

_POLLING = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_DELIVERING = {
    "sqs": ("sqs:SendMessage", "SQS"),
    "sns": ("sns:Publish", "SNS"),
    "lambda": ("lambda:InvokeFunction", "Lambda"),
    "events": ("events:PutEvents", "EventBridge"),
}

Properties = dict[str, Any]


class _NotAllowedError(ValueError):
    """Why a resource of a stack failed, in the words of the service."""


def install(authority: Authority) -> None:
    """Look at policies, event sources and destinations before CloudFormation makes them."""
    _before("AWS::IAM::Role", _check_role)
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        _before(kind, _check_policy)
    _before("AWS::Lambda::EventSourceMapping", functools.partial(_check_source, authority))
    _before("AWS::Lambda::EventInvokeConfig", functools.partial(_check_destinations, authority))


def _before(kind: str, look: Callable[[Properties], None]) -> None:
    handlers = seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS[kind]
    for verb in ("create", "update"):
        handlers[verb] = _looking(handlers[verb], look)


def _looking(handler: Callable[..., Any], look: Callable[[Properties], None]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def looked(*arguments: Any, **named: Any) -> Any:
        # The last properties are those that are to be: an update is given the old ones before them.
        look([each for each in (*arguments, *named.values()) if isinstance(each, dict)][-1])
        return handler(*arguments, **named)

    return looked


def _check_role(properties: Properties) -> None:
    for policy in properties.get("Policies") or []:
        policies.check(str(policy.get("PolicyName")), policy["PolicyDocument"])


def _check_policy(properties: Properties) -> None:
    policies.check(str(properties.get("PolicyName") or "policy"), properties["PolicyDocument"])


def _check_source(authority: Authority, properties: Properties) -> None:
    source = str(properties.get("EventSourceArn", ""))
    caller = _function(str(properties.get("FunctionName", "")))
    if caller is None or source.split(":")[2:3] != ["sqs"]:
        return
    for action in _POLLING:
        if not authority.allows(caller, Check(f"sqs:{action}", source)):
            raise _NotAllowedError(
                f"The function execution role does not have permissions to call {action} on SQS: "
                f"{caller.role_arn} on {source}"
            )


def _check_destinations(authority: Authority, properties: Properties) -> None:
    caller = _function(str(properties.get("FunctionName", "")))
    for kind, destination in _destinations(properties):
        action, service = _DELIVERING.get(destination.split(":")[2], ("", ""))
        if caller is None or not action:
            continue
        if not authority.allows(caller, Check(action, destination)):
            raise _NotAllowedError(
                "The function execution role does not have permissions to call "
                f"{action.partition(':')[2]} on {service}, for {kind}: {caller.role_arn} on {destination}"
            )


def _destinations(properties: Properties) -> Iterator[tuple[str, str]]:
    for kind, destination in (properties.get("DestinationConfig") or {}).items():
        if destination.get("Destination"):
            yield kind, str(destination["Destination"])


def _function(name: str) -> Caller | None:
    """Return as whom a function acts, by its name or ARN."""
    plain = name.split(":")[6] if name.startswith("arn:") else name.partition(":")[0]
    record = seams.module(seams.LAMBDA)._functions.get(plain)
    return None if record is None else callers.of_function(record["config"])


def check_machine(authority: Authority, role_arn: str, definition: str, *, logs: bool) -> None:
    """Refuse a state machine whose role lacks what Step Functions itself needs.

    Raises
    ------
    AccessDeniedError
        In its words: the rule by which it hears of jobs, or the deliveries of the log.
    """
    caller = Caller(role_arn, "StepFunctions")
    for need in needs(parse(definition), logging=logs).needs:
        managed = need.sid == "HearOfJobs"
        if not managed and need.sid != "DeliverLogs":
            continue
        for action in need.actions:
            resource = need.resources[0].replace("${AWS::Partition}", "aws")
            resource = resource.replace("${AWS::Region}", seams.region())
            resource = resource.replace("${AWS::AccountId}", caller.account)
            if not authority.allows(caller, Check(action, resource)):
                why = (
                    f"'{role_arn}' is not authorized to create managed-rule."
                    if managed
                    else f"The state machine IAM Role {role_arn} is not authorized to access the Log "
                    "Destination"
                )
                raise AccessDeniedError(f"{why} ({action} on {resource})", action, resource)
