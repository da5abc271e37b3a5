"""The rules hold for both templates, and each of them finds a template that was spoiled for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.audit import rules
from tests.audit.resources import of_type
from tests.audit.rules import rights, running
from tests.audit.transformed import MAIN, PIPELINE, PROJECT, transformed

Properties = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("name", [MAIN, PIPELINE])
def test_the_templates_break_no_rule(name):
    assert rules.findings(transformed(name)) == []
    assert rules.unexplained((PROJECT / name).read_text(encoding="utf-8")) == []


def test_there_is_something_to_check():
    template = transformed()
    assert len(list(rights.statements(template))) > 50
    for kind in (
        "S3::Bucket",
        "SQS::Queue",
        "SNS::Topic",
        "DynamoDB::Table",
        "Logs::LogGroup",
        "Events::Rule",
    ):
        assert any(True for _ in of_type(template, f"AWS::{kind}")), kind


def remove(name: str, *path: str) -> Callable[[Properties], object]:
    """Take a property away."""

    def change(properties: Properties) -> object:
        place = properties(name)
        for part in path[:-1]:
            place = place[part]
        return place.pop(path[-1])

    return change


def put(name: str, *path: str | int, value: Any) -> Callable[[Properties], object]:
    """Give a property a value."""

    def change(properties: Properties) -> object:
        place: Any = properties(name)
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        return place

    return change


RULE = "ReportInterruptionFunctionExecutionInterrupted"
STATEMENT = ("PolicyDocument", "Statement", 0)
ROLE_STATEMENT = ("Policies", 0, *STATEMENT)
TRUST = ("AssumeRolePolicyDocument", "Statement", 0)
SPOILED = [
    (remove("DataBucket", "PublicAccessBlockConfiguration"), "DataBucket: is not wholly private"),
    (
        put("DataBucket", "PublicAccessBlockConfiguration", "BlockPublicPolicy", value=False),
        "DataBucket: is not wholly private",
    ),
    (
        put("DataBucket", "VersioningConfiguration", "Status", value="Suspended"),
        "DataBucket: is not versioned",
    ),
    (remove("ArtifactsBucket", "BucketEncryption"), "ArtifactsBucket: is not encrypted"),
    (remove("DataBucket", "OwnershipControls"), "DataBucket: has access control lists"),
    (
        put("DataBucketPolicy", "Bucket", value={"Ref": "ArtifactsBucket"}),
        "DataBucket: may be used without TLS",
    ),
    (put("DataBucketPolicy", *STATEMENT, "Effect", value="Allow"), "DataBucket: may be used without TLS"),
    (
        put("DataBucketPolicy", *STATEMENT, "Action", value="s3:GetObject"),
        "DataBucket: may be used without TLS",
    ),
    (
        put("DataBucketPolicy", *STATEMENT, "Condition", "Bool", "aws:SecureTransport", value="true"),
        "DataBucket: may be used without TLS",
    ),
    (remove("LedgerTable", "SSESpecification"), "LedgerTable: is not encrypted"),
    (remove("LedgerTable", "PointInTimeRecoverySpecification"), "LedgerTable: cannot be brought back"),
    (remove("DelayQueue", "SqsManagedSseEnabled"), "DelayQueue: is not encrypted"),
    (remove("DelayQueue", "RedrivePolicy"), "DelayQueue: loses what cannot be handled"),
    (remove("ArrivalQueue", "MessageRetentionPeriod"), "ArrivalQueue: forgets messages"),
    (put("ArrivalQueue", "VisibilityTimeout", value=899), "ArrivalQueue: shows messages again"),
    (remove("ArrivalEventSource", "FunctionResponseTypes"), "ArrivalQueue: one bad message drags"),
    (remove("NotificationTopic", "KmsMasterKeyId"), "NotificationTopic: is not encrypted"),
    (remove("StateMachineLogGroup", "RetentionInDays"), "StateMachineLogGroup: keeps logs for ever"),
    (remove("NotifyFunction", "LoggingConfig"), "NotifyFunction: has no log group"),
    (
        put("NotifyFunction", "LoggingConfig", "LogGroup", value="/aws/lambda/elsewhere"),
        "NotifyFunction: has no log group",
    ),
    (remove("WriteReportFunction", "Timeout"), "WriteReportFunction: has no timeout"),
    (remove("NotifyFunction", "TracingConfig"), "NotifyFunction: is not traced"),
    (
        remove("ReportInterruptionFunctionEventInvokeConfig", "DestinationConfig"),
        "ReportInterruptionFunction: is called asynchronously, and loses",
    ),
    (
        put("UploadRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["WriteReportFunction", "Arn"]}),
        "WriteReportFunction: is",
    ),
    (
        put("CodePipelineJobFunctionEventInvokeConfig", "FunctionName", value={"Ref": "NotifyFunction"}),
        "CodePipelineJobFunction: is not called asynchronously any more",
    ),
    (put("StateMachine", "LoggingConfiguration", "Level", value="ERROR"), "StateMachine: leaves no log"),
    (
        put("StateMachine", "LoggingConfiguration", "IncludeExecutionData", value=True),
        "StateMachine: logs what goes through it",
    ),
    (
        put("UploadRule", "Targets", 0, "DeadLetterConfig", value=None),
        "UploadRule: loses what cannot be delivered",
    ),
    (
        put("UploadRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["DelayQueue", "Arn"]}),
        "UploadRule: may not deliver to DelayQueue",
    ),
    (
        put("UploadRule", "Targets", 0, "Arn", value={"Fn::GetAtt": ["StateMachine", "Name"]}),
        "UploadRule: may not deliver to StateMachine",
    ),
    (
        put("UploadRule", "Targets", 0, "Arn", value={"Ref": "NotificationTopic"}),
        "UploadRule: nothing here knows how NotificationTopic",
    ),
    (
        put("ArrivalDeadLetterQueuePolicy", *STATEMENT, "Condition", "ArnEquals", "aws:SourceArn", value=[]),
        "AlarmRule: may not deliver to ArrivalDeadLetterQueue",
    ),
    (put(f"{RULE}Permission", "Principal", value="s3.amazonaws.com"), f"{RULE}: may not deliver to Report"),
    (
        remove(f"{RULE}Permission", "SourceArn"),
        f"{RULE}Permission: lets anything of events.amazonaws.com call",
    ),
    (remove("Schedule", "Target", "DeadLetterConfig"), "Schedule: loses what cannot be delivered"),
    (
        put("SageMakerRole", *ROLE_STATEMENT, "Action", value=["s3:Get*"]),
        "SageMakerRole: allows every action of a kind (s3:Get* in ReadData)",
    ),
    (put("SageMakerRole", *ROLE_STATEMENT, "Action", value="*"), "SageMakerRole: allows every action"),
    (
        put("SageMakerRole", *ROLE_STATEMENT, "NotAction", value="s3:DeleteObject"),
        "SageMakerRole: allows what it does not name (NotAction in ReadData)",
    ),
    (
        put("ArrivalQueuePolicy", *STATEMENT, "Principal", value={"AWS": "*"}),
        "ArrivalQueuePolicy: lets anybody in (Rules)",
    ),
    (
        put("ArrivalQueuePolicy", *STATEMENT, "Principal", value="*"),
        "ArrivalQueuePolicy: lets anybody in (Rules)",
    ),
    (
        put("ScheduleRole", *ROLE_STATEMENT, "Action", value="iam:PassRole"),
        "ScheduleRole: hands roles to any service (DeliverOrBury)",
    ),
    (remove("StateMachineRole", *TRUST, "Condition"), "StateMachineRole: is taken for other accounts"),
]


@pytest.mark.parametrize(("spoil", "expected"), SPOILED, ids=[expected for _, expected in SPOILED])
def test_a_rule_finds_what_it_is_for(spoil, expected):
    template = transformed()
    spoil(lambda name: template["Resources"][name]["Properties"])
    found = rules.findings(template)
    assert [line for line in found if line.startswith(expected)] != [], found


@pytest.mark.parametrize("name", ["DataBucket", "LedgerTable", "ModelPackageGroup"])
@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_what_holds_data_outlives_its_stack(name, policy):
    template = transformed()
    template["Resources"][name][policy] = "Delete"
    assert rules.findings(template) == [f"{name}: holds data, and has no {policy} Retain"]


def test_statements_under_a_condition_count():
    template = transformed(PIPELINE)
    policies = template["Resources"]["PipelineRole"]["Properties"]["Policies"]
    (condition,) = (each for each in policies if "Fn::If" in each)
    condition["Fn::If"][2]["PolicyDocument"]["Statement"][0]["Action"] = "states:*"
    (found,) = rules.findings(template)
    assert found.startswith("PipelineRole: allows every action of a kind (states:*")


def test_a_key_is_left_to_the_iam_of_its_own_account_only():
    template = transformed(PIPELINE)
    (statement,) = template["Resources"]["ArtifactKey"]["Properties"]["KeyPolicy"]["Statement"]
    statement["Principal"] = {"AWS": "arn:aws:iam::210987654321:root"}
    assert rules.findings(template) == ["ArtifactKey: allows every action of a kind (kms:* in LeaveItToIam)"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('Statement:\n  - Action: a:B\n    # Because.\n    Resource: "*"\n', []),
        ('Statement:\n  - Action: a:B\n    Resource: "*"\n', [3]),
        ("Statement:\n  - Action: a:B\n    Resource: '*'\n", [3]),
        ('Statement:\n  - Action: a:B\n    Resource: ["*"]\n', [3]),
        ('Statement:\n  - { Action: a:B, Resource: "*" }\n', [2]),
        ('Statement:\n  - Action: a:B\n    Resource:\n      - !GetAtt Queue.Arn\n      - "*"\n', [5]),
        ('Statement:\n  - Resource: !Sub "${Queue.Arn}/*"\n', []),
    ],
)
def test_everything_as_a_resource_wants_a_reason(text, lines):
    assert [line.partition(":")[0] for line in rules.unexplained(text)] == [f"line {each}" for each in lines]


def test_exceptions_have_reasons():
    assert all(running.KEEPS_NO_EVENTS.values())
