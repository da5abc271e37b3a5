"""Goes through a state machine and gathers what its role must be allowed to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from retrain.states.errors import StatesError
from retrain.states.model import Machine, Map, Parallel, StateMachine, Task
from retrain.states.tasks import naming
from retrain.states.tasks.resources import Resource, parse
from retrain.workflow.iam import names, sdk
from retrain.workflow.iam.maps import map_needs
from retrain.workflow.iam.requests import given, members, s3_object, texts
from retrain.workflow.iam.roles import passed
from retrain.workflow.iam.scope import Scope
from retrain.workflow.iam.statement import Need
from retrain.workflow.iam.tables import RIGHTS, Right, Rights
from retrain.workflow.iam.tokens import restore

_LOGGING: Final = (
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
    "logs:DescribeLogGroups",
)
_TRACING: Final = (
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules"),
    "xray:GetSamplingTargets",
)
_CALL: Final = "makes the call"
_TAGS: Final = "tags what is made"
_RULE: Final = ("events:PutTargets", "events:PutRule", "events:DescribeRule")


@dataclass(frozen=True, slots=True)
class Needs:
    """All that a role must be allowed, and what the definition could not tell.

    Attributes
    ----------
    needs
        In the order of the definition; alike ones are not yet put together.
    notes
        Sentences for whoever writes the role.
    """

    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()

    @property
    def actions(self) -> frozenset[str]:
        """Every action, as IAM writes it."""
        return frozenset(action for need in self.needs for action in need.actions)


def needs(
    machine: StateMachine, scope: Scope | None = None, *, logging: bool = False, tracing: bool = False
) -> Needs:
    """Return what the role of a state machine must be allowed to do.

    Parameters
    ----------
    machine
        As `retrain.states.model.parse` gives it; if its text has `${Name}` tokens, `fill` keeps them.
    scope
        Where its resources are; by default, wherever CloudFormation makes the stack.
    logging
        It logs to CloudWatch Logs.
    tracing
        It is traced by X-Ray.
    """
    gatherer = _Gatherer(scope or Scope())
    found = list(gatherer.machine(machine))
    if logging:
        found.append(
            Need(_LOGGING, ("*",), "delivers the execution log; log deliveries have no ARN", "DeliverLogs")
        )
    if tracing:
        found.append(Need(_TRACING, ("*",), "sends traces to X-Ray; traces have no ARN", "SendTraces"))
    return Needs(tuple(found), tuple(dict.fromkeys(gatherer.notes)))


class _Gatherer:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.notes: list[str] = []

    def machine(self, machine: Machine) -> Iterator[Need]:
        for state in machine.states.values():
            if isinstance(state, Task):
                yield from self._task(state)
            elif isinstance(state, Parallel):
                for branch in state.branches:
                    yield from self.machine(branch)
            elif isinstance(state, Map):
                yield from map_needs(state, self._scope)
                yield from self.machine(state.item_processor)

    def _task(self, task: Task) -> Iterator[Need]:
        credentials = given(task.credentials)
        if credentials:
            role = credentials.get("RoleArn")
            arn = role if isinstance(role, str) else self._scope.arn("iam::{account}:role/*", {})
            yield Need(
                ("sts:AssumeRole",), (arn,), "runs the task as another role", "AssumeRoles", (task.name,)
            )
            self.notes.append(
                f"{task.name}: the rights for the task itself belong to the role in Credentials."
            )
            return
        try:
            resource = parse(task.resource)
        except StatesError as error:
            self.notes.append(f"{task.name}: {error.cause}")
            return
        if resource.kind == "function":
            arn = restore(task.resource)
            yield Need(
                ("lambda:InvokeFunction",), (arn,), "invokes the function", "InvokeFunctions", (task.name,)
            )
        elif resource.kind == "optimised":
            yield from self._optimised(task, resource)
        elif resource.kind == "aws-sdk":
            yield from self._sdk(task, resource)

    def _optimised(self, task: Task, resource: Resource) -> Iterator[Need]:
        rights = RIGHTS.get((resource.service, resource.action))
        if rights is None:
            self.notes.append(
                f"{task.name}: nothing is known of what {resource.service}:{resource.action} needs."
            )
            return
        request = given(task.parameters, task.arguments)
        known = texts(request)
        if (resource.service, resource.action) == ("sns", "publish") and "PhoneNumber" in request:
            yield Need(
                ("sns:Publish",),
                ("*",),
                "sends text messages; telephones have no ARN",
                "Publish",
                (task.name,),
            )
            return
        job = rights.job if resource.pattern.startswith("sync") else ()
        for right, why in (
            *((each, "") for each in rights.call),
            *((each, "follows and stops the job") for each in job),
        ):
            if not right.when or right.when in request:
                yield self._need(right, known, resource.action, task.name, why)
        if job and rights.rule:
            rule = self._scope.arn(f"events:{{region}}:{{account}}:rule/{rights.rule}", {})
            why = "hears of the job's end, by a rule that Step Functions makes itself"
            yield Need(_RULE, (rule,), why, "HearOfJobs", (task.name,))
        yield from self._passes(rights, request, task.name)
        if rights.note:
            self.notes.append(f"{task.name}: {rights.note}")

    def _need(self, right: Right, known: dict[str, str], action: str, state: str, why: str) -> Need:
        resources = tuple(dict.fromkeys(self._scope.arn(each, known) for each in right.resources))
        tagging = any("Tag" in each for each in right.actions)
        sid = "TagWhatIsMade" if tagging else f"{action[:1].upper()}{action[1:]}"
        said = why or (_TAGS if right.when else "looks at tags" if tagging else _CALL)
        return Need(
            right.actions, resources, said, sid, (state,), self._scope.condition(right.condition, known)
        )

    def _passes(self, rights: Rights, request: dict[str, Any], state: str) -> Iterator[Need]:
        for member, principal in rights.passes.items():
            for role in members(request, member):
                yield self._pass(role, principal, state)

    def _pass(self, role: str | None, principal: str, state: str) -> Need:
        arn = self._scope.arn("iam::{account}:role/{Role}", {"Role": role} if role else {})
        return Need(
            ("iam:PassRole",),
            (arn,),
            f"hands the role to {principal}",
            "HandOverRoles",
            (state,),
            {"StringEquals": {"iam:PassedToService": principal}},
        )

    def _sdk(self, task: Task, resource: Resource) -> Iterator[Need]:
        service = naming.service_of(resource.service)
        operation = naming.operation_of(service, resource.action) if service else None
        if service is None or operation is None:
            self.notes.append(f"{task.name}: botocore does not know {resource.service}:{resource.action}.")
            return
        request = given(task.parameters, task.arguments)
        known = texts(request)
        prefix = names.prefix_of(service)
        sid = f"{resource.action[:1].upper()}{resource.action[1:]}"
        for action in names.actions_of(service, operation.name):
            places = sdk.resource_of(service, operation.name, action.partition(":")[2], request)
            resources = tuple(self._scope.arn(each, known) for each in places)
            yield Need((action,), resources, _CALL, sid, (task.name,))
            if "Tags" in request and prefix in sdk.TAGGING:
                tag = (f"{prefix}:{sdk.TAGGING[prefix]}",)
                yield Need(tag, resources, _TAGS, "TagWhatIsMade", (task.name,))
        for role, principal in passed(prefix, operation.name, request):
            yield self._pass(role, principal, task.name)
        if (service, operation.name) in sdk.CALLER:
            yield from self._as_caller(request, task.name, sdk.CALLER[service, operation.name])

    def _as_caller(self, request: dict[str, Any], state: str, why: str) -> Iterator[Need]:
        """Yield what a service does in the caller's name: fetch the model's artifact, look at its image.

        And look at the alarms that a deployment rolls back at.
        """
        if "DeploymentConfig" in request:
            alarms = self._scope.arn("cloudwatch:{region}:{account}:alarm:*", {})
            yield Need(("cloudwatch:DescribeAlarms",), (alarms,), why, "WatchAlarms", (state,))
        buckets, objects = [], []
        for url in members(request, "ModelDataUrl"):
            place = s3_object(url) if url else None
            bucket, key = place or ("*", "*")
            buckets.append(self._scope.arn("s3:::{Bucket}", {"Bucket": bucket}))
            objects.append(self._scope.arn("s3:::{Bucket}/{Key}", {"Bucket": bucket, "Key": key}))
        if objects:
            yield Need(("s3:GetObject",), tuple(objects), why, "ShowArtifacts", (state,))
            yield Need(("s3:ListBucket",), tuple(buckets), why, "FindArtifacts", (state,))
        if any(True for _ in members(request, "Image")):
            images = self._scope.arn("ecr:{region}:{account}:repository/*", {})
            yield Need(("ecr:BatchGetImage", "ecr:DescribeImages"), (images,), why, "ShowImages", (state,))
