"""Policy documents: of whole machines, in CloudFormation's terms or as they are."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrain.states.model import build, parse
from retrain.workflow.iam import Scope, fill, needs, policy, restore
from tests.exploring import examples
from tests.states.machines import specimens
from tests.unit.workflow_drawing.pictures import DEFINITIONS
from tests.unit.workflow_iam.machines import SCOPE, allowed, task

ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+")
SID = re.compile(r"[A-Za-z0-9]+")
CONFIG = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
READER = "arn:aws:states:::s3:getObject"
LISTING = "arn:aws:states:::s3:listObjectsV2"


def chain(*tasks):
    names = [f"T{number}" for number in range(len(tasks))]
    states = dict(zip(names, tasks, strict=True))
    return build({"StartAt": "T0", "States": states})


def distributed(**fields):
    inner = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}, "ProcessorConfig": CONFIG}
    state = {"Type": "Map", "ItemProcessor": inner, "End": True, **fields}
    return build({"StartAt": "Each", "States": {"Each": state}})


def test_alike_needs_become_one_statement():
    machine = chain(
        *(task("dynamodb:getItem", {"TableName": name}) for name in ("a", "b", "a")),
        task("sqs:sendMessage", {"QueueUrl.$": "$.q"}),
    )
    assert policy(machine, SCOPE) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GetItem",
                "Effect": "Allow",
                "Action": "dynamodb:GetItem",
                "Resource": [f"arn:aws:dynamodb:eu-west-1:123456789012:table/{name}" for name in "ab"],
            },
            {
                "Sid": "SendMessage",
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": "arn:aws:sqs:eu-west-1:123456789012:*",
            },
        ],
    }


def test_needs_say_which_states_they_are_of():
    machine = chain(task("sns:publish", {"TopicArn.$": "$.t"}), task("sns:publish", {"TopicArn.$": "$.t"}))
    assert [need.states for need in needs(machine).needs] == [("T0",), ("T1",)]


def test_tokens_stay_tokens():
    text = json.dumps(
        {
            "StartAt": "A",
            "States": {
                "A": {**task("lambda:invoke", {"FunctionName": "${WorkFunction.Arn}"}), "Next": "B"},
                "B": {**task("dynamodb:getItem", {"TableName": "${Table}", "Key": {}}), "Next": "C"},
                "C": {**task("lambda:invoke", {"FunctionName": "${Name}"}), "Next": "D"},
                "D": {"Type": "Task", "Resource": "${OtherFunctionArn}", "End": True},
            },
        }
    ).replace('"End": true, "Next"', '"Next"')
    found = allowed(needs(parse(fill(text))))
    place = "${AWS::Partition}:{}:${AWS::Region}:${AWS::AccountId}:{}"
    assert found == {
        "lambda:InvokeFunction": [
            "${WorkFunction.Arn}",
            "arn:" + place.replace("{}", "lambda", 1).replace("{}", "function:${Name}"),
            "${OtherFunctionArn}",
        ],
        "dynamodb:GetItem": ["arn:" + place.replace("{}", "dynamodb", 1).replace("{}", "table/${Table}")],
    }


def test_tokens_that_have_values_and_numbers_without_quotes():
    wait = '{"Type": "Wait", "Seconds": ${S}, "End": true}'
    text = f'{{"StartAt": "A", "TimeoutSeconds": ${{Most}}, "States": {{"A": {wait}}}}}'
    machine = parse(fill(text, {"Most": "60"}))
    assert machine.timeout_seconds == 60
    assert restore(fill('{"a": "${X}", "b": ["x${Y}"]}')) == '{"a": "${X}", "b": ["x${Y}"]}'


def test_a_distributed_map_starts_follows_and_redrives_its_children():
    found = allowed(needs(distributed(Label="rows"), SCOPE))
    executions = "arn:aws:states:eu-west-1:123456789012:execution:machine"
    assert found == {
        "states:StartExecution": ["arn:aws:states:eu-west-1:123456789012:stateMachine:machine"],
        "states:DescribeExecution": [f"{executions}:*", f"{executions}/rows:*"],
        "states:StopExecution": [f"{executions}:*", f"{executions}/rows:*"],
        "states:RedriveExecution": [f"{executions}/rows:*"],
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"ItemReader": {"Resource": READER, "Parameters": {"Bucket": "b", "Key": "k.csv"}}},
            {"s3:GetObject": ["arn:aws:s3:::b/k.csv"]},
        ),
        (
            {
                "ItemReader": {
                    "Resource": READER,
                    "ReaderConfig": {"InputType": "MANIFEST"},
                    "Parameters": {"Bucket": "b", "Key": "manifest.json"},
                }
            },
            {"s3:GetObject": ["arn:aws:s3:::b/manifest.json", "arn:aws:s3:::*/*"]},
        ),
        (
            {"ItemReader": {"Resource": LISTING, "Parameters": {"Bucket": "b", "Prefix": "p/"}}},
            {"s3:ListBucket": ["arn:aws:s3:::b"]},
        ),
        (
            {
                "ItemReader": {
                    "Resource": LISTING,
                    "ReaderConfig": {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"},
                    "Parameters": {"Bucket": "b", "Prefix.$": "$.p"},
                }
            },
            {"s3:ListBucket": ["arn:aws:s3:::b"], "s3:GetObject": ["arn:aws:s3:::b/*"]},
        ),
        (
            {
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Parameters": {"Bucket": "b", "Prefix": "out"},
                }
            },
            {
                f"s3:{name}": ["arn:aws:s3:::b/out/*"]
                for name in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload")
            },
        ),
        ({"ResultWriter": {"WriterConfig": {"Transformation": "NONE"}}}, {}),
    ],
)
def test_what_a_distributed_map_reads_and_writes(fields, expected):
    found = allowed(needs(distributed(**fields), SCOPE))
    assert {action: where for action, where in found.items() if action.startswith("s3:")} == expected


def test_a_listing_is_limited_to_its_prefix():
    reader = {"Resource": LISTING, "Parameters": {"Bucket": "b", "Prefix": "p/"}}
    (listing,) = (
        need for need in needs(distributed(ItemReader=reader)).needs if "s3:ListBucket" in need.actions
    )
    assert listing.condition == {"StringLike": {"s3:prefix": ["p/*"]}}


def test_an_inline_map_needs_only_what_is_inside():
    inner = {"StartAt": "I", "States": {"I": task("sns:publish", {"TopicArn.$": "$"})}}
    branch = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    machine = build(
        {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [branch], "End": True}}}
    )
    assert needs(machine).actions == {"sns:Publish"}


def test_logging_and_tracing_only_if_asked_for():
    machine = chain({"Type": "Succeed"})
    assert needs(machine).needs == ()
    assert {each.partition(":")[0] for each in needs(machine, logging=True, tracing=True).actions} == {
        "logs",
        "xray",
    }
    assert policy(machine, logging=True)["Statement"][0]["Resource"] == "*"


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.stem)
def test_a_policy_for_every_definition(file):
    document = policy(parse(file.read_text(encoding="utf-8")), SCOPE, logging=True, tracing=True)
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(sids) == len(set(sids))
    for statement in document["Statement"]:
        assert SID.fullmatch(statement["Sid"])
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(ACTION.fullmatch(action) for action in actions)
        where = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert all(arn == "*" or (arn.count(":") >= 5 and "{" not in arn) for arn in where)
    json.dumps(document)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(specimens(), st.sampled_from(["aws", "aws-cn"]))
def test_any_machine_has_a_policy(specimen, partition):
    document = policy(parse(specimen.definition), Scope(partition))
    assert document["Version"] == "2012-10-17"
