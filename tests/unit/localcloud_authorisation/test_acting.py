"""Those who act in a role without a request: tasks of state machines, event sources, SageMaker, schedules."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from retrain.localcloud import seams
from retrain.localcloud.authorisation import creation
from retrain.localcloud.authorisation.decisions import Authority
from retrain.localcloud.authorisation.scene import Facts
from retrain.localcloud.authorisation.tasks import HeldCaller, machine_guard
from retrain.localcloud.errors import AuthorisationError
from retrain.localcloud.sagemaker.objects import ObjectError, S3Uri, StoredObject
from retrain.localcloud.sagemaker.roles import ExecutionRole, HeldObjects
from retrain.states.service import ServiceError
from tests.unit.localcloud_authorisation.conftest import GiveRole, allow

HERE = "us-east-1:000000000000"
FUNCTION = f"arn:aws:lambda:{HERE}:function:f"
QUEUE = f"arn:aws:sqs:{HERE}:q"
FACTS = Facts(key_of=lambda *_: None)


class Called:
    """Takes calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str | None]] = []

    async def call(self, service: str, operation: str, request: Any, *, role: str | None = None) -> Any:
        del request
        self.calls.append((service, operation, role))
        return {}

    async def blocking(self, function: Any, *args: Any) -> Any:
        return function(*args)


def call(
    called: Called, authority: Authority, role: str | None, service: str, name: str, **request: Any
) -> Any:
    """Call as a task does."""
    held = HeldCaller(called, authority, FACTS, {"lambda", "sagemaker"})
    return asyncio.run(held.call(service, name, request, role=role))


class TestTasks:
    def test_what_the_machines_role_allows(self, give_role: GiveRole, authority: Authority) -> None:
        called, role = Called(), give_role(allow("lambda:InvokeFunction", FUNCTION)).role_arn
        call(called, authority, role, "lambda", "Invoke", FunctionName=FUNCTION)
        assert called.calls == [("lambda", "Invoke", role)]

    def test_what_it_does_not_allow_is_the_services_own_error(
        self, give_role: GiveRole, authority: Authority
    ) -> None:
        called, role = Called(), give_role(allow("lambda:InvokeFunction", f"{FUNCTION}2")).role_arn
        with pytest.raises(ClientError) as refused:
            call(called, authority, role, "lambda", "Invoke", FunctionName=FUNCTION)
        assert refused.value.response["Error"] == {
            "Code": "AccessDeniedException",
            "Message": "User: arn:aws:sts::000000000000:assumed-role/reader/StepFunctions is not authorized "
            f"to perform: lambda:InvokeFunction on resource: {FUNCTION} because no identity-based policy "
            "allows the lambda:InvokeFunction action",
        }
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert not called.calls

    def test_a_role_is_handed_on_only_to_the_service_that_may_have_it(
        self, give_role: GiveRole, authority: Authority
    ) -> None:
        training = "arn:aws:iam::000000000000:role/training"
        create = allow(["sagemaker:CreateModel"])
        for service, allowed in (("sagemaker.amazonaws.com", True), ("ec2.amazonaws.com", False)):
            condition = {"StringEquals": {"iam:PassedToService": service}}
            role = give_role(create, allow("iam:PassRole", training, Condition=condition)).role_arn
            request = {"ModelName": "m", "ExecutionRoleArn": training}
            if allowed:
                call(Called(), authority, role, "sagemaker", "CreateModel", **request)
                continue
            with pytest.raises(ClientError, match=f"iam:PassRole on resource: {training}"):
                call(Called(), authority, role, "sagemaker", "CreateModel", **request)

    def test_what_is_not_known_is_not_implemented(self, give_role: GiveRole, authority: Authority) -> None:
        with pytest.raises(ClientError, match=r"NotImplementedException.*sagemaker:CreateApp needs"):
            call(Called(), authority, give_role(allow("*")).role_arn, "sagemaker", "CreateApp")

    def test_what_goes_by_http_is_left_to_the_gate(self, give_role: GiveRole, authority: Authority) -> None:
        called, role = Called(), give_role().role_arn
        call(called, authority, role, "sns", "Publish", TopicArn="t")
        assert called.calls == [("sns", "Publish", role)]


SYNC = json.dumps(
    {
        "StartAt": "Train",
        "States": {
            "Train": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
                "Parameters": {
                    "TrainingJobName.$": "$.name",
                    "RoleArn": "arn:aws:iam::000000000000:role/training",
                    "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
                },
                "End": True,
            }
        },
    }
)
RULE = f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"


class TestMachines:
    def test_sync_needs_the_rule_by_which_it_hears_of_the_end(
        self, give_role: GiveRole, authority: Authority
    ) -> None:
        guard = machine_guard(authority)
        actions = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
        guard("CreateStateMachine", {"roleArn": give_role(allow(actions, RULE)).role_arn, "definition": SYNC})
        role = give_role(allow(actions[:2], RULE)).role_arn
        with pytest.raises(
            ServiceError, match=f"'{role}' is not authorized to create managed-rule"
        ) as refused:
            guard("CreateStateMachine", {"roleArn": role, "definition": SYNC})
        assert refused.value.code == "AccessDeniedException"
        assert f"(events:DescribeRule on {RULE})" in refused.value.message

    def test_logging_needs_deliveries(self, give_role: GiveRole, authority: Authority) -> None:
        plain = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
        request = {"roleArn": give_role().role_arn, "definition": plain}
        guard = machine_guard(authority)
        guard("CreateStateMachine", {**request, "loggingConfiguration": {"level": "OFF"}})
        with pytest.raises(ServiceError, match="is not authorized to access the Log Destination"):
            guard("CreateStateMachine", {**request, "loggingConfiguration": {"level": "ALL"}})

    def test_a_broken_definition_is_for_the_service_to_refuse(
        self, give_role: GiveRole, authority: Authority
    ) -> None:
        for broken in ("{", "{}", "[]", '{"StartAt": 1, "States": []}'):
            machine_guard(authority)(
                "UpdateStateMachine", {"roleArn": give_role().role_arn, "definition": broken}
            )


@pytest.fixture
def function(give_role: GiveRole) -> Any:
    functions = seams.module(seams.LAMBDA)._functions

    def make(*statements: dict[str, Any]) -> None:
        role = give_role(*statements, name="f-role").role_arn
        functions["f"] = {"config": {"Role": role, "FunctionName": "f"}}

    yield make
    functions.pop("f", None)


class TestCreation:
    @pytest.fixture(autouse=True)
    def installed(self, restored_handlers: None, authority: Authority) -> None:
        handlers = seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS
        for kind in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
            handlers[kind].update(dict.fromkeys(("create", "update"), lambda *_: ("made", {})))
        creation.install(authority)

    def make(self, kind: str, properties: dict[str, Any]) -> Any:
        return seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS[kind]["create"]("Id", properties, "stack")

    @pytest.mark.parametrize("missing", ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"])
    def test_an_event_source_needs_the_functions_role_to_receive(self, function: Any, missing: str) -> None:
        actions = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
        properties = {"FunctionName": "f", "EventSourceArn": QUEUE}
        function(allow(sorted(actions), QUEUE))
        assert self.make("AWS::Lambda::EventSourceMapping", properties) == ("made", {})
        function(allow(sorted(actions - {f"sqs:{missing}"}), QUEUE))
        said = f"does not have permissions to call {missing} on SQS: .*role/f-role on {QUEUE}"
        with pytest.raises(ValueError, match=said):
            self.make("AWS::Lambda::EventSourceMapping", properties)

    def test_a_destination_needs_the_functions_role_to_send(self, function: Any) -> None:
        properties = {
            "FunctionName": FUNCTION,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        }
        function(allow("sqs:SendMessage", QUEUE))
        assert self.make("AWS::Lambda::EventInvokeConfig", properties) == ("made", {})
        function(allow("sqs:SendMessage", f"{QUEUE}2"))
        with pytest.raises(ValueError, match=f"SendMessage on SQS, for OnFailure: .*role/f-role on {QUEUE}"):
            self.make("AWS::Lambda::EventInvokeConfig", properties)


class Store:
    """S3 and its cache."""

    def list_objects(self, prefix: S3Uri) -> Any:
        yield StoredObject(prefix.key + "x", 1, "e")

    def fetch(self, source: S3Uri, target: Path) -> None:
        target.write_text(source.key)

    def store(self, source: Path, target: S3Uri) -> None:
        raise AssertionError("nobody may write")

    def place(self, bucket: str, found: StoredObject, target: Path) -> None:
        target.write_text(found.key)


class TestExecutionRoles:
    def test_reading_and_writing_is_done_in_the_roles_name(
        self, give_role: GiveRole, authority: Authority, tmp_path: Path
    ) -> None:
        bucket = "arn:aws:s3:::b"
        caller = give_role(
            allow("s3:GetObject", f"{bucket}/data/*"),
            allow("s3:ListBucket", bucket, Condition={"StringLike": {"s3:prefix": "data/*"}}),
        )
        store = Store()
        held = HeldObjects(ExecutionRole(authority, caller.role_arn), store, store)
        (found,) = held.list_objects(S3Uri("b", "data/"))
        held.fetch(S3Uri("b", "data/x"), tmp_path / "x")
        held.place("b", found, tmp_path / "y")
        assert (tmp_path / "x").read_text() == (tmp_path / "y").read_text() == "data/x"
        refused = {
            "ListBucket": lambda: list(held.list_objects(S3Uri("b", "secret/"))),
            "GetObject": lambda: held.fetch(S3Uri("b", "secret/x"), tmp_path / "z"),
            "PutObject": lambda: held.store(tmp_path / "x", S3Uri("b", "data/x")),
        }
        for action, act in refused.items():
            said = (
                rf"AccessDenied\).*assumed-role/reader/SageMaker is not authorized to perform: s3:{action} on"
            )
            with pytest.raises(ObjectError, match=said):
                act()
        with pytest.raises(ObjectError, match="s3:GetObject"):  # even what is in the cache already
            held.place("b", StoredObject("secret/x", 1, "e"), tmp_path / "z")

    def test_images_metrics_and_logs(self, give_role: GiveRole, authority: Authority) -> None:
        role = ExecutionRole(authority, give_role(allow("s3:*")).role_arn)
        image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/x@sha256:0"
        with pytest.raises(AuthorisationError, match="ecr:GetAuthorizationToken"):
            role.require_image(image)
        with pytest.raises(AuthorisationError, match="cloudwatch:PutMetricData"):
            role.require_metrics("/aws/sagemaker/TrainingJobs")
        assert not role.may_log("/aws/sagemaker/TrainingJobs", "s")
        allowed = ExecutionRole(authority, give_role(allow(["ecr:*", "cloudwatch:*", "logs:*"])).role_arn)
        allowed.require_image(image)
        allowed.require_metrics("/aws/sagemaker/TrainingJobs")
        assert allowed.may_log("/aws/sagemaker/TrainingJobs", "s")

    def test_a_program_has_the_roles_credentials(self, give_role: GiveRole, authority: Authority) -> None:
        role = give_role().role_arn
        assert ExecutionRole(authority, role).credentials()["AWS_ACCESS_KEY_ID"].startswith("ASIA")
        assert ExecutionRole(None, role).credentials() == {}
