"""Which rights a call needs, from AWS's Service Authorization Reference: one function for each service.

Nothing is guessed: a call that is not here is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from retrain.localcloud.authorisation import models, tables
from retrain.localcloud.authorisation.decisions import Check, Context
from retrain.localcloud.authorisation.requests import Call
from retrain.localcloud.authorisation.scene import Scene
from retrain.localcloud.errors import UnmappedCallError

Rule = Callable[[Call, Scene], Iterator[Check]]

ALWAYS = frozenset({("sts", "GetCallerIdentity")})
"""Calls that nobody can be refused."""


_PREFIXES = {"sagemaker-runtime": "sagemaker", "stepfunctions": "states"}
"""IAM's name of a service, where boto3's is another."""

_ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
}
"""IAM's name of an operation, where the API's is another."""


def checks(call: Call, scene: Scene) -> list[Check]:
    """Return what has to be allowed for a call; S3's are in `retrain.localcloud.authorisation.objects`.

    Raises
    ------
    UnmappedCallError
        It is not known.
    """
    if (call.service, call.operation) in ALWAYS:
        return []
    rule = _RULES.get(call.service, {}).get(call.operation)
    if rule is None:
        raise UnmappedCallError(
            f"It is not known which rights {call.service}:{call.operation} needs, so that nobody who acts in "
            "a role can be allowed it in the local cloud: add it to retrain.localcloud.authorisation.rights."
        )
    return list(rule(call, scene))


def knows(service: str, operation: str) -> bool:
    """Whether it is known which rights an operation needs, by boto3's name of the service."""
    return service == "s3" or (service, operation) in ALWAYS or operation in _RULES.get(service, {})


def _named(call: Call, resource: str, context: Context | None = None) -> Iterator[Check]:
    prefix = _PREFIXES.get(call.service, call.service)
    action = _ACTIONS.get((call.service, call.operation), call.operation)
    yield Check(f"{prefix}:{action}", resource, context or {})


def _member(call: Call, *names: str) -> str:
    for name in names:
        if call.members.get(name):
            return str(call.members[name])
    raise UnmappedCallError(f"{call.service}:{call.operation} lacks {' or '.join(names)}.")


def _queue(call: Call, scene: Scene) -> Iterator[Check]:
    account, name = _member(call, "QueueUrl").rstrip("/").split("/")[-2:]
    yield from _named(call, f"arn:aws:sqs:{scene.region}:{account}:{name}")


def _topic(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    resource = "*" if "PhoneNumber" in call.members else _member(call, "TopicArn", "TargetArn")
    yield from _named(call, resource)


def _repository(call: Call, scene: Scene) -> Iterator[Check]:
    registry = call.members.get("registryId") or scene.account
    name = _member(call, "repositoryName")
    yield from _named(call, f"arn:aws:ecr:{scene.region}:{registry}:repository/{name}")


def _anything(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    yield from _named(call, "*")


def _execution(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    yield from _named(call, _member(call, "executionArn"))


def _machine(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    # A version or an alias is of its machine.
    yield from _named(call, ":".join(_member(call, "stateMachineArn").split(":")[:7]))


def _token(call: Call, scene: Scene) -> Iterator[Check]:
    machine = scene.facts.machine_of_token(_member(call, "taskToken"))
    # Nobody waits with it: Step Functions itself says so.
    if machine is not None:
        yield from _named(call, machine)


def _log_group(call: Call, scene: Scene) -> Iterator[Check]:
    # AWS asks for the streams of a group where none is named, and of none where no group is.
    group = call.members.get("logGroupName") or ""
    stream = call.members.get("logStreamName") or ""
    yield from _named(call, scene.arn("logs", f"log-group:{group}:log-stream:{stream}"))


def _events(call: Call, scene: Scene) -> Iterator[Check]:
    for entry in call.members.get("Entries") or []:
        bus = entry.get("EventBusName") or "default"
        resource = bus if bus.startswith("arn:") else scene.arn("events", f"event-bus/{bus}")
        told = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
        yield from _named(call, resource, {key: str(value) for key, value in told.items() if value})


def _rule(call: Call, scene: Scene) -> Iterator[Check]:
    yield from _named(call, scene.arn("events", f"rule/{_member(call, 'Name', 'Rule')}"))


def _alarm(call: Call, scene: Scene) -> Iterator[Check]:
    yield from _named(call, scene.arn("cloudwatch", f"alarm:{_member(call, 'AlarmName')}"))


def _alarms(call: Call, scene: Scene) -> Iterator[Check]:
    for name in call.members.get("AlarmNames") or ["*"]:
        yield from _named(call, scene.arn("cloudwatch", f"alarm:{name}"))


def _metrics(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    yield from _named(call, "*", {"cloudwatch:namespace": _member(call, "Namespace")})


def _function(call: Call, scene: Scene) -> Iterator[Check]:
    name = _member(call, "FunctionName")
    resource = name if name.startswith("arn:") else scene.arn("lambda", f"function:{name}")
    qualifier = call.members.get("Qualifier")
    yield from _named(call, f"{resource}:{qualifier}" if qualifier else resource)


def _role(call: Call, scene: Scene) -> Iterator[Check]:
    del scene
    yield from _named(call, _member(call, "RoleArn"))


def _all(rule: Rule, *operations: str) -> dict[str, Rule]:
    return dict.fromkeys(operations, rule)


_RULES: dict[str, dict[str, Rule]] = {
    "cloudwatch": {
        "DescribeAlarms": _alarms,
        "PutMetricAlarm": _alarm,
        "PutMetricData": _metrics,
    },
    "codepipeline": _all(_anything, "PutJobSuccessResult", "PutJobFailureResult"),
    "dynamodb": _all(tables.checks, *tables.OPERATIONS),
    "ecr": {
        **_all(_repository, "DescribeImages", "BatchGetImage", "GetDownloadUrlForLayer"),
        **_all(_repository, "BatchCheckLayerAvailability"),
        "GetAuthorizationToken": _anything,
    },
    "events": {"PutEvents": _events, **_all(_rule, "PutRule", "PutTargets", "DescribeRule")},
    "lambda": {"Invoke": _function},
    "logs": _all(
        _log_group,
        *("CreateLogGroup", "CreateLogStream", "DeleteLogStream", "DescribeLogGroups", "DescribeLogStreams"),
        *("FilterLogEvents", "GetLogEvents", "PutLogEvents", "PutRetentionPolicy"),
    ),
    "sagemaker": _all(models.checks, *models.OPERATIONS),
    "sagemaker-runtime": {
        "InvokeEndpoint": lambda call, scene: _named(
            call, scene.arn("sagemaker", f"endpoint/{_member(call, 'EndpointName')}")
        )
    },
    "sns": {"Publish": _topic},
    "sqs": _all(
        _queue,
        *("ChangeMessageVisibility", "DeleteMessage", "DeleteMessageBatch", "GetQueueAttributes"),
        *("ReceiveMessage", "SendMessage", "SendMessageBatch"),
    ),
    "stepfunctions": {
        "StartExecution": _machine,
        **_all(_execution, "DescribeExecution", "StopExecution", "GetExecutionHistory"),
        "DescribeStateMachineForExecution": _execution,
        **_all(_token, "SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"),
    },
    "sts": {"AssumeRole": _role},
}
"""By boto3's name of the service, and operation."""
