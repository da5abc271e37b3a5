"""What policies decide: the rules of IAM, against a second reading of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.errors import AccessDeniedError
from tests.unit.localcloud_authorisation.conftest import GiveRole, allow, deny

KEY = "arn:aws:s3:::bucket/runs/1/model.tar.gz"
own_role = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@cache
def matches(text: str, pattern: str) -> bool:
    """The oracle: `*` is any characters, `?` is one, everything else is itself."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches(text, pattern[1:]) or (bool(text) and matches(text[1:], pattern))
    return bool(text) and pattern[0] in (text[0], "?") and matches(text[1:], pattern[1:])


pieces = st.text("ab/.+[]()-", max_size=8)
patterns = st.text("ab/.+[]()-*?", max_size=8)


@own_role
@given(key=pieces, pattern=patterns)
@example(key="a.b", pattern="a?b")
@example(key="ab", pattern="a.b")
def test_resources_match_as_their_wildcards_say(
    give_role: GiveRole, authority: Authority, key: str, pattern: str
) -> None:
    caller = give_role(allow("s3:GetObject", f"arn:aws:s3:::b/{pattern}"))
    check = Check("s3:GetObject", f"arn:aws:s3:::b/{key}")
    assert authority.allows(caller, check) == matches(key, pattern)


@pytest.mark.parametrize(
    ("pattern", "action", "allowed"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:GetObject", "s3:GetObjectVersion", False),
        ("s3:*", "sns:Publish", False),
        ("*", "sns:Publish", True),
    ],
)
def test_actions_match_whatever_their_case(
    give_role: GiveRole, authority: Authority, pattern: str, action: str, allowed: bool
) -> None:
    assert authority.allows(give_role(allow(pattern)), Check(action, KEY)) is allowed


def test_not_action_and_not_resource_mean_all_others(give_role: GiveRole, authority: Authority) -> None:
    caller = give_role(
        {"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:sns:*:*:secret"},
    )
    assert authority.allows(caller, Check("sns:Publish", "arn:aws:sns:us-east-1:1:open"))
    assert not authority.allows(caller, Check("sns:Publish", "arn:aws:sns:us-east-1:1:secret"))
    assert not authority.allows(caller, Check("s3:GetObject", KEY))


statements = st.builds(
    lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["s3:GetObject", "s3:Get*", "s3:PutObject", "*", "sns:Publish"]),
    st.sampled_from([KEY, "arn:aws:s3:::bucket/*", "arn:aws:s3:::other/*", "*"]),
)


@own_role
@given(found=st.lists(statements, max_size=6))
def test_one_deny_beats_every_allow_and_nothing_is_allowed_by_nobody(
    give_role: GiveRole, authority: Authority, found: list[dict[str, Any]]
) -> None:
    applying = [
        each["Effect"]
        for each in found
        if matches("s3:GetObject", each["Action"]) and matches(KEY, each["Resource"])
    ]
    expected = "Allow" in applying and "Deny" not in applying
    assert authority.allows(give_role(*found), Check("s3:GetObject", KEY)) == expected


@pytest.mark.parametrize(
    ("condition", "context", "allowed"),
    [
        ({"StringEquals": {"events:source": "retrain"}}, {"events:source": "retrain"}, True),
        ({"StringEquals": {"events:source": "retrain"}}, {"events:source": "Retrain"}, False),
        ({"StringEquals": {"events:source": "retrain"}}, {}, False),
        ({"StringLike": {"s3:prefix": ["datasets/*", "holdout/*"]}}, {"s3:prefix": "holdout/x/"}, True),
        ({"StringLike": {"s3:prefix": ["datasets/*"]}}, {"s3:prefix": "runs/"}, False),
        ({"StringLike": {"s3:prefix": ["datasets/*"]}}, {}, False),
        ({"StringNotLike": {"s3:prefix": ["a*", "b*"]}}, {"s3:prefix": "cd"}, True),
        ({"StringNotLike": {"s3:prefix": ["a*", "b*"]}}, {"s3:prefix": "bd"}, False),
        ({"StringEqualsIfExists": {"events:source": "retrain"}}, {}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, {}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {}, False),
        ({"Null": {"s3:prefix": "true"}}, {}, True),
        (
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]}},
            {"dynamodb:leadingkeys": ["RUN#1", "RUN#2"]},
            True,
        ),
        (
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*"]}},
            {"dynamodb:leadingkeys": ["RUN#1", "ENDPOINT#2"]},
            False,
        ),
        (
            {"StringEquals": {"aws:ResourceTag/retrain:stack": "prod"}},
            {"aws:resourcetag/retrain:stack": "prod"},
            True,
        ),
        ({"StringEquals": {"aws:ResourceTag/retrain:stack": "prod"}}, {}, False),
        (
            {"StringEquals": {"events:source": "a", "events:detail-type": "b"}},
            {"events:source": "a", "events:detail-type": "c"},
            False,
        ),
    ],
)
def test_conditions(
    give_role: GiveRole, authority: Authority, condition: Any, context: Any, allowed: bool
) -> None:
    caller = give_role(allow("events:PutEvents", "*", Condition=condition))
    assert authority.allows(caller, Check("events:PutEvents", "bus", context)) is allowed


def test_a_refusal_names_the_role_the_action_and_the_resource(
    give_role: GiveRole, authority: Authority
) -> None:
    caller = give_role(allow("s3:PutObject"))
    with pytest.raises(AccessDeniedError) as refused:
        authority.require(caller, Check("s3:GetObject", KEY))
    assert str(refused.value) == (
        "User: arn:aws:sts::000000000000:assumed-role/reader/function is not authorized to perform: "
        f's3:GetObject on resource: "{KEY}" because no identity-based policy allows the s3:GetObject action'
    )
    assert (refused.value.action, refused.value.resource) == ("s3:GetObject", KEY)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (
            Check("sqs:SendMessage", "arn:aws:sqs:r:1:q"),
            "sqs:sendmessage on resource: arn:aws:sqs:r:1:q because",
        ),
        (Check("sns:Publish", "arn:aws:sns:r:1:t"), "SNS:Publish on resource: arn:aws:sns:r:1:t because"),
    ],
)
def test_some_services_write_actions_in_their_own_way(
    give_role: GiveRole, authority: Authority, check: Check, said: str
) -> None:
    with pytest.raises(AccessDeniedError, match=said):
        authority.require(give_role(), check)


def test_an_explicit_deny_is_told_as_one(give_role: GiveRole, authority: Authority) -> None:
    with pytest.raises(AccessDeniedError, match="with an explicit deny in an identity-based policy"):
        authority.require(give_role(allow("*"), deny("s3:*")), Check("s3:GetObject", KEY))


def test_a_role_that_iam_does_not_know_is_held_to_nothing_and_that_is_logged_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Caller("arn:aws:iam::000000000000:role/nobody", "x")
    assert not authority.is_held(nobody)
    assert not authority.is_held(nobody)
    assert authority.allows(nobody, Check("s3:GetObject", KEY))
    assert [record.message for record in caplog.records] == [
        f"There is no role {nobody.role_arn}. AWS would refuse it; here it may do anything."
    ]


def test_what_allowed_something_is_remembered_with_few_examples(
    give_role: GiveRole, authority: Authority
) -> None:
    caller = give_role(allow("s3:GetObject", Sid="Read"), allow("s3:PutObject"))
    for number in range(100):
        assert authority.allows(caller, Check("s3:GetObject", f"arn:aws:s3:::b/{number}"))
    assert not authority.allows(caller, Check("sns:Publish", "t"))
    (used,) = authority.used()
    assert (used["role"], used["statement"], used["action"]) == (
        caller.role_arn,
        "reader/policy:Read",
        "s3:GetObject",
    )
    assert 0 < len(used["examples"]) < 100
