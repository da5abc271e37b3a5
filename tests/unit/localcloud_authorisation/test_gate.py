"""The gate in front of the local cloud, without a socket: who is let through, what the others are told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.authorisation import callers
from retrain.localcloud.authorisation.decisions import Authority, Caller
from retrain.localcloud.authorisation.gate import Gate
from retrain.localcloud.authorisation.scene import Facts
from tests.unit.localcloud_authorisation.conftest import GiveRole, allow

Answer = tuple[int, dict[str, str], bytes]

BUCKET = "arn:aws:s3:::bucket"
READER = "User: arn:aws:sts::000000000000:assumed-role/reader/function is not authorized to perform: "


class Cloud:
    """What is behind the gate."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"the cloud's answer"})


def ask(
    cloud: Cloud,
    authority: Authority,
    caller: Caller | None,
    service: str,
    target: str = "",
    *,
    method: str = "POST",
    path: str = "/",
    body: bytes = b"{}",
    query: bytes = b"",
    host: str = "127.0.0.1:4566",
) -> Answer:
    """Send a request through the gate."""
    key = callers.credentials(caller)["AWS_ACCESS_KEY_ID"] if caller else "test"
    scope = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, Signature=x"
    headers = {"host": host, "authorization": scope, **({"x-amz-target": target} if target else {})}
    sent: list[Any] = []
    parts = [
        {"type": "http.request", "body": body[:2], "more_body": True},
        {"type": "http.request", "body": body[2:], "more_body": False},
    ]

    async def receive() -> Any:
        return parts.pop(0) if caller else {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    request = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    gate = Gate(authority, Facts(key_of=lambda *_: "pk"))
    asyncio.run(gate.before(cloud)(request, receive, send))
    given = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], given, b"".join(message["body"] for message in sent[1:])


def test_a_person_is_an_administrator(authority: Authority) -> None:
    assert ask(Cloud(), authority, None, "kms", "TrentService.Decrypt")[0] == 200


def test_what_is_allowed_goes_through_with_its_body(give_role: GiveRole, authority: Authority) -> None:
    cloud = Cloud()
    caller = give_role(allow("dynamodb:GetItem"))
    body = json.dumps({"TableName": "t", "Key": {"pk": {"S": "a"}}}).encode()
    status, _, answer = ask(cloud, authority, caller, "dynamodb", "DynamoDB_20120810.GetItem", body=body)
    assert (status, answer, cloud.bodies) == (200, b"the cloud's answer", [body])


def test_json_services_refuse_with_400(give_role: GiveRole, authority: Authority) -> None:
    cloud = Cloud()
    body = json.dumps({"TableName": "t", "Key": {"pk": {"S": "a"}}}).encode()
    status, _, answer = ask(cloud, authority, give_role(), "dynamodb", "DynamoDB_20120810.GetItem", body=body)
    # A role without any policy is one that may do nothing.
    assert (status, cloud.bodies) == (400, [])
    assert json.loads(answer) == {
        "__type": "AccessDeniedException",
        "message": READER
        + "dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/t because no "
        "identity-based policy allows the dynamodb:GetItem action",
    }


def test_s3_refuses_in_xml_and_a_head_without_a_word(give_role: GiveRole, authority: Authority) -> None:
    caller = give_role(allow("s3:PutObject"))
    status, headers, answer = ask(Cloud(), authority, caller, "s3", method="GET", path="/bucket/a/b")
    assert (status, headers["content-type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code>" in answer
    assert f's3:GetObject on resource: "{BUCKET}/a/b" because'.encode() in answer.replace(b"&quot;", b'"')
    assert ask(Cloud(), authority, caller, "s3", method="HEAD", path="/bucket/a/b")[::2] == (403, b"")


def test_sns_and_sqs_refuse_in_their_own_ways(give_role: GiveRole, authority: Authority) -> None:
    caller = give_role(allow("s3:PutObject"))
    form = b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3At&Message=m"
    status, _, answer = ask(Cloud(), authority, caller, "sns", body=form)
    assert status == 403
    assert b"<Code>AuthorizationError</Code>" in answer
    assert b"SNS:Publish on resource: arn:aws:sns:us-east-1:000000000000:t because" in answer
    queue = json.dumps({"QueueUrl": "http://h/000000000000/q", "MessageBody": "m"}).encode()
    status, headers, answer = ask(Cloud(), authority, caller, "sqs", "AmazonSQS.SendMessage", body=queue)
    assert (status, headers["x-amzn-query-error"]) == (403, "AccessDenied;Sender")
    assert b"sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:q because" in answer


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([allow("s3:GetObject")], 403),
        ([allow("s3:GetObject"), allow("s3:ListBucket", BUCKET)], 404),
        (
            [
                allow("s3:GetObject"),
                # Asking for an object carries no prefix.
                allow("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": "a/*"}}),
            ],
            403,
        ),
    ],
)
def test_only_who_may_list_is_told_that_an_object_is_missing(
    give_role: GiveRole, authority: Authority, statements: list[Any], status: int
) -> None:
    cloud = Cloud(404)
    caller = give_role(*statements)
    found = ask(cloud, authority, caller, "s3", method="GET", path="/bucket/a/b")
    assert found[0] == status
    assert (b"s3:ListBucket" in found[2]) is (status == 403)
    assert (found[2] == b"the cloud's answer") is (status == 404)


def test_a_link_allows_what_its_signer_may(give_role: GiveRole, authority: Authority) -> None:
    signer = give_role(allow("s3:GetObject", f"{BUCKET}/runs/*"))
    key = callers.credentials(signer)["AWS_ACCESS_KEY_ID"]
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    )
    for path, status in (("/bucket/runs/card.html", 200), ("/bucket/secret", 403)):
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        request = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"127.0.0.1:1")],
        }
        gate = Gate(authority, Facts(key_of=lambda *_: None))
        asyncio.run(gate.before(Cloud())(request, receive, send))
        assert sent[0]["status"] == status


@pytest.mark.parametrize(
    ("service", "target", "path", "host", "said"),
    [
        ("dynamodb", "DynamoDB_20120810.DeleteTable", "/", "127.0.0.1:1", "dynamodb:DeleteTable needs"),
        ("s3", "", "/key", "bucket.s3.amazonaws.com", "ask for a bucket in the path"),
    ],
)
def test_what_is_not_understood_is_refused_loudly(
    give_role: GiveRole,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    service: str,
    target: str,
    path: str,
    host: str,
    said: str,
) -> None:
    cloud = Cloud()
    caller = give_role(allow("*"))
    status, _, answer = ask(
        cloud, authority, caller, service, target, method="POST" if target else "GET", path=path, host=host
    )
    assert status >= 400
    assert not cloud.bodies
    assert b"NotImplementedException" in answer
    assert said in answer.decode()
    assert said in caplog.text


def test_a_role_that_iam_does_not_know_goes_through(authority: Authority) -> None:
    nobody = Caller("arn:aws:iam::000000000000:role/nobody", "x")
    assert ask(Cloud(), authority, nobody, "kms", "TrentService.Decrypt")[0] == 200


def test_credentials_of_a_function_are_known_again_after_a_restart(
    give_role: GiveRole, authority: Authority
) -> None:
    caller = give_role(allow("s3:GetObject"))
    config = {"Role": caller.role_arn, "FunctionName": "function"}
    functions = seams.module(seams.LAMBDA)._functions
    functions["function"] = {"config": config}
    try:
        first = callers.credentials(callers.of_function(config))
        seams.module(callers.STS)._sessions.clear()
        headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={first['AWS_ACCESS_KEY_ID']}/x/y/z/w"}
        assert callers.of_request(headers, {}) == caller
        assert callers.credentials(caller) == first
    finally:
        functions.pop("function")
