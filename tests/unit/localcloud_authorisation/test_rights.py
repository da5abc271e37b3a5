"""Each call that the functions and the state machine make is known: which rights it needs, on what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.awsrequest import AWSResponse

from retrain.localcloud import seams
from retrain.localcloud.authorisation import objects, requests, rights
from retrain.localcloud.authorisation.decisions import Check
from retrain.localcloud.authorisation.requests import Call
from retrain.localcloud.authorisation.scene import Facts, Scene
from retrain.localcloud.clients import client
from retrain.localcloud.errors import UnmappedCallError
from retrain.states.model import Task, parse
from retrain.states.tasks import resources, targets
from retrain.workflow import iam
from retrain.workflow.iam.names import actions_of
from tests.audit import sdk_calls
from tests.audit.transformed import PROJECT

ROLE = "arn:aws:iam::000000000000:role/sagemaker"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/digits:1"
HERE = "us-east-1:000000000000"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:prod"

SCENE = Scene(
    Facts(
        key_of=lambda _, table, index: {None: "pk", "ByKind": "kind"}[index] if table == "ledger" else None,
        tags_of=lambda arn: {"retrain:stack": "prod"} if arn.endswith("model/prod-1") else {},
        machine_of_token=lambda token: MACHINE if token == "waiting" * 10 else None,
    )
)

CASES: list[tuple[str, str, dict[str, Any], list[Check]]] = [
    ("s3", "GetObject", {"Bucket": "b", "Key": "a/b c"}, [Check("s3:GetObject", "arn:aws:s3:::b/a/b c")]),
    (
        "s3",
        "GetObject",
        {"Bucket": "b", "Key": "k", "VersionId": "7"},
        [Check("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
    ),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, [Check("s3:GetObject", "arn:aws:s3:::b/k")]),
    (
        "s3",
        "ListObjectsV2",
        {"Bucket": "b", "Prefix": "datasets/x/", "MaxKeys": 5},
        [Check("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "datasets/x/", "s3:max-keys": "5"})],
    ),
    (
        "s3",
        "ListObjectVersions",
        {"Bucket": "b", "Prefix": "runs/"},
        [Check("s3:ListBucketVersions", "arn:aws:s3:::b", {"s3:prefix": "runs/"})],
    ),
    (
        "s3",
        "PutObject",
        {"Bucket": "b", "Key": "k", "Body": b"x", "Tagging": "a=b"},
        [Check("s3:PutObject", "arn:aws:s3:::b/k"), Check("s3:PutObjectTagging", "arn:aws:s3:::b/k")],
    ),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "1", "VersionId": "v"}, {"Key": "2"}]}},
        [
            Check("s3:DeleteObjectVersion", "arn:aws:s3:::b/1"),
            Check("s3:DeleteObject", "arn:aws:s3:::b/2"),
        ],
    ),
    (
        "s3",
        "CopyObject",
        {"Bucket": "b", "Key": "k", "CopySource": "other/old"},
        [Check("s3:PutObject", "arn:aws:s3:::b/k"), Check("s3:GetObject", "arn:aws:s3:::other/old")],
    ),
    (
        "dynamodb",
        "GetItem",
        {"TableName": "ledger", "Key": {"pk": {"S": "RUN#1"}, "sk": {"S": "x"}}},
        [
            Check(
                "dynamodb:GetItem",
                f"arn:aws:dynamodb:{HERE}:table/ledger",
                {"dynamodb:leadingkeys": ["RUN#1"]},
            )
        ],
    ),
    (
        "dynamodb",
        "PutItem",
        {"TableName": f"arn:aws:dynamodb:{HERE}:table/ledger", "Item": {"pk": {"S": "RUN#1"}}},
        [
            Check(
                "dynamodb:PutItem",
                f"arn:aws:dynamodb:{HERE}:table/ledger",
                {"dynamodb:leadingkeys": ["RUN#1"]},
            )
        ],
    ),
    (
        "dynamodb",
        "Query",
        {
            "TableName": "ledger",
            "IndexName": "ByKind",
            "KeyConditionExpression": "started_at < :now AND #kind = :kind",
            "ExpressionAttributeNames": {"#kind": "kind"},
            "ExpressionAttributeValues": {":kind": {"S": "run"}, ":now": {"S": "2026"}},
        },
        [
            Check(
                "dynamodb:Query",
                f"arn:aws:dynamodb:{HERE}:table/ledger/index/ByKind",
                {"dynamodb:leadingkeys": ["run"]},
            )
        ],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "ledger", "Item": {"pk": {"S": "A"}}}},
                {
                    "ConditionCheck": {
                        "TableName": "ledger",
                        "Key": {"pk": {"S": "B"}},
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        },
        [
            Check(
                "dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/ledger", {"dynamodb:leadingkeys": ["A"]}
            ),
            Check(
                "dynamodb:ConditionCheckItem",
                f"arn:aws:dynamodb:{HERE}:table/ledger",
                {"dynamodb:leadingkeys": ["B"]},
            ),
        ],
    ),
    (
        "sqs",
        "SendMessage",
        {"QueueUrl": "http://127.0.0.1:1/000000000000/later", "MessageBody": "x"},
        [Check("sqs:SendMessage", f"arn:aws:sqs:{HERE}:later")],
    ),
    (
        "sqs",
        "SendMessageBatch",
        {
            "QueueUrl": "http://127.0.0.1:1/000000000000/later",
            "Entries": [{"Id": "1", "MessageBody": "x"}],
        },
        [Check("sqs:SendMessage", f"arn:aws:sqs:{HERE}:later")],
    ),
    ("sns", "Publish", {"TopicArn": "arn:t", "Message": "m"}, [Check("sns:Publish", "arn:t")]),
    (
        "events",
        "PutEvents",
        {"Entries": [{"Source": "retrain", "DetailType": "Retrain Finished", "Detail": "{}"}]},
        [
            Check(
                "events:PutEvents",
                f"arn:aws:events:{HERE}:event-bus/default",
                {"events:source": "retrain", "events:detail-type": "Retrain Finished"},
            )
        ],
    ),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": f"{MACHINE}:live", "input": "{}"},
        [Check("states:StartExecution", MACHINE)],
    ),
    (
        "stepfunctions",
        "DescribeExecution",
        {"executionArn": f"arn:aws:states:{HERE}:execution:prod:1"},
        [Check("states:DescribeExecution", f"arn:aws:states:{HERE}:execution:prod:1")],
    ),
    (
        "stepfunctions",
        "SendTaskSuccess",
        {"taskToken": "waiting" * 10, "output": "{}"},
        [Check("states:SendTaskSuccess", MACHINE)],
    ),
    ("stepfunctions", "SendTaskSuccess", {"taskToken": "unknown" * 10, "output": "{}"}, []),
    (
        "ecr",
        "DescribeImages",
        {"registryId": "763104351884", "repositoryName": "pytorch"},
        [Check("ecr:DescribeImages", "arn:aws:ecr:us-east-1:763104351884:repository/pytorch")],
    ),
    (
        "logs",
        "DescribeLogStreams",
        {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "x"},
        [
            Check(
                "logs:DescribeLogStreams",
                f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/TrainingJobs:log-stream:",
            )
        ],
    ),
    (
        "logs",
        "DescribeLogGroups",
        {},
        [Check("logs:DescribeLogGroups", f"arn:aws:logs:{HERE}:log-group::log-stream:")],
    ),
    (
        "cloudwatch",
        "DescribeAlarms",
        {"AlarmNames": ["a", "b"]},
        [Check("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:{name}") for name in "ab"],
    ),
    (
        "cloudwatch",
        "DescribeAlarms",
        {},
        [Check("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:*")],
    ),
    (
        "cloudwatch",
        "PutMetricData",
        {"Namespace": "/aws/sagemaker/x", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
        [Check("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "/aws/sagemaker/x"})],
    ),
    ("codepipeline", "PutJobSuccessResult", {"jobId": "1"}, [Check("codepipeline:PutJobSuccessResult", "*")]),
    (
        "lambda",
        "Invoke",
        {"FunctionName": f"arn:aws:lambda:{HERE}:function:f", "Qualifier": "live", "Payload": b"{}"},
        [Check("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:f:live")],
    ),
    (
        "sagemaker-runtime",
        "InvokeEndpoint",
        {"EndpointName": "prod-digits", "Body": b"x"},
        [Check("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint/prod-digits")],
    ),
    (
        "sagemaker",
        "DeleteModel",
        {"ModelName": "prod-1"},
        [
            Check(
                "sagemaker:DeleteModel",
                f"arn:aws:sagemaker:{HERE}:model/prod-1",
                {"aws:resourcetag/retrain:stack": "prod"},
            )
        ],
    ),
    (
        "sagemaker",
        "CreateModel",
        {"ModelName": "m", "ExecutionRoleArn": ROLE, "Tags": [{"Key": "A", "Value": "b"}]},
        [
            Check(
                action,
                f"arn:aws:sagemaker:{HERE}:model/m",
                {"aws:requesttag/a": "b", "aws:tagkeys": ["A"]},
            )
            for action in ("sagemaker:CreateModel", "sagemaker:AddTags")
        ]
        + [Check("iam:PassRole", ROLE, {"iam:passedtoservice": "sagemaker.amazonaws.com"})],
    ),
    (
        "sagemaker",
        "UpdateEndpoint",
        {
            "EndpointName": "e",
            "EndpointConfigName": "c",
            "DeploymentConfig": {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
                },
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "rings"}]},
            },
        },
        [
            Check("sagemaker:UpdateEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint/e"),
            Check("sagemaker:UpdateEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint-config/c"),
            Check("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:rings"),
        ],
    ),
    (
        "sagemaker",
        "CreateModelPackage",
        {
            "ModelPackageGroupName": "g",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://b/runs/1/model.tar.gz"}]
            },
        },
        [
            Check("sagemaker:CreateModelPackage", f"arn:aws:sagemaker:{HERE}:model-package-group/g"),
            Check("sagemaker:CreateModelPackage", f"arn:aws:sagemaker:{HERE}:model-package/g/*"),
            Check("s3:GetObject", "arn:aws:s3:::b/runs/1/model.tar.gz"),
            Check("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "runs/1/model.tar.gz"}),
            Check("ecr:BatchGetImage", f"arn:aws:ecr:{HERE}:repository/team/digits"),
            Check("ecr:DescribeImages", f"arn:aws:ecr:{HERE}:repository/team/digits"),
        ],
    ),
    ("sagemaker", "ListEndpoints", {}, [Check("sagemaker:ListEndpoints", "*")]),
]


@pytest.fixture(autouse=True)
def known_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the server; otherwise the first request for an unserved service reads every model there is."""
    monkeypatch.setattr(
        seams.module(seams.ROUTER), "_KNOWN_AWS_SERVICE_NAMES", frozenset({"codepipeline", "sagemaker"})
    )


def sent(service: str, operation: str, members: dict[str, Any]) -> Any:
    """The HTTP request that boto3 makes of a call."""
    made = client(service, "http://127.0.0.1:1")
    kept: list[Any] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        kept.append(request)
        return AWSResponse(request.url, 200, {}, _Raw())

    made.meta.events.register_first("before-send", keep, "keep")
    try:
        made._make_api_call(operation, members)
    except Exception:  # noqa: BLE001  (what it makes of the empty answer does not matter)
        pass
    finally:
        made.meta.events.unregister("before-send", keep, "keep")
    return kept[0]


class _Raw:
    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [b""]


def checked(service: str, operation: str, members: dict[str, Any]) -> list[Check]:
    """What the gate checks for a call as boto3 sends it."""
    request = sent(service, operation, members)
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    query = parse_qs(url.query, keep_blank_values=True)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    path = unquote(url.path)
    detected = seams.module(seams.ROUTER).detect_service(request.method, path, headers, query)
    if detected == "s3":
        return list(objects.checks(request.method, path, headers, query, body))
    return rights.checks(requests.read(detected, path, headers, query, body), SCENE)


@pytest.mark.parametrize(
    ("service", "operation", "members", "expected"),
    CASES,
    ids=[f"{s}-{o}-{n}" for n, (s, o, *_) in enumerate(CASES)],
)
def test_what_boto3_sends_is_understood(
    service: str, operation: str, members: dict[str, Any], expected: list[Check]
) -> None:
    assert checked(service, operation, members) == expected


@pytest.mark.parametrize(
    ("service", "operation"),
    sorted({(c.service, c.operation) for cs in sdk_calls.calls().values() for c in cs}),
)
def test_every_call_of_the_functions_is_known(service: str, operation: str) -> None:
    assert rights.knows(service, operation)
    if service != "s3":
        examples = [members for s, o, members, _ in CASES if (s, o) == (service, operation)]
        found = {check.action for members in examples for check in checked(service, operation, members)}
        assert not examples or set(actions_of(service, operation)) & found


def tasks() -> Mapping[str, tuple[str, str]]:
    """What each task of the definition calls."""
    text = (PROJECT / "statemachine" / "retrain.asl.json").read_text(encoding="utf-8")
    found = {}
    for state in parse(iam.fill(text)).states.values():
        if isinstance(state, Task):
            target = targets.target_of(resources.parse(state.resource))
            found[state.name] = target.service, target.operation.name
    return found


@pytest.mark.parametrize("state", tasks())
def test_every_call_of_the_state_machine_is_known(state: str) -> None:
    service, operation = tasks()[state]
    assert rights.knows(service, operation)


def test_what_sync_calls_besides_is_known() -> None:
    assert all(
        rights.knows("sagemaker", operation)
        for operation in ("DescribeTrainingJob", "StopTrainingJob", "ListTags")
    )


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("kms", "Decrypt", {"CiphertextBlob": b"x"}),
        ("dynamodb", "DeleteTable", {"TableName": "ledger"}),
        ("lambda", "ListFunctions", {}),
        ("sns", "CreateTopic", {"Name": "x"}),
    ],
)
def test_what_is_not_known_is_refused_by_name(service: str, operation: str, members: dict[str, Any]) -> None:
    assert not rights.knows(service, operation)
    with pytest.raises(UnmappedCallError, match=rf"{service}(:{operation}| at )"):
        checked(service, operation, members)


def test_a_query_whose_key_cannot_be_told_is_refused() -> None:
    members = {"TableName": "ledger", "KeyConditionExpression": "sk = :a", "ExpressionAttributeValues": {}}
    with pytest.raises(UnmappedCallError, match="which pk a query of ledger is for"):
        rights.checks(Call("dynamodb", "Query", members), SCENE)


def test_requests_that_are_none() -> None:
    headers = {"x-amz-target": "DynamoDB_20120810.GetItem"}
    with pytest.raises(UnmappedCallError, match="cannot be read"):
        requests.read("dynamodb", "/", headers, {}, b"{")
    assert json.loads("{}") == {}
