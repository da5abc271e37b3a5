"""Policies that cannot be followed are refused by name, before anything is decided by them."""

from __future__ import annotations

from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.authorisation import creation, policies
from retrain.localcloud.authorisation.decisions import Authority, Check
from retrain.localcloud.errors import UnsupportedPolicyError
from tests.audit import privileges
from tests.audit.resolving import resolved
from tests.audit.transformed import transformed
from tests.unit.localcloud_authorisation.conftest import GiveRole, allow


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "the condition operator IpAddress"),
        ({"Condition": {"StringLikely": {"s3:prefix": "a"}}}, "the condition operator StringLikely"),
        ({"Condition": {"StringEquals": {"s3:authType": "x"}}}, "the condition key s3:authType"),
        ({"Condition": {"StringEquals": {"s3:prefix": "${aws:username}/"}}}, "a policy variable"),
        ({"Resource": "arn:aws:s3:::home/${aws:username}/*"}, "a policy variable"),
        ({"Principal": "*"}, "Principal in a policy of an identity"),
    ],
)
def test_what_is_not_followed_is_named(
    give_role: GiveRole, authority: Authority, more: dict[str, Any], problem: str
) -> None:
    statement = {**allow("s3:*"), "Sid": "Odd", **more}
    with pytest.raises(UnsupportedPolicyError) as refused:
        authority.allows(give_role(statement), Check("s3:GetObject", "k"))
    assert str(refused.value).startswith(f"The policy reader/policy, statement Odd: {problem}")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ({"Effect": "Perhaps", "Action": "*", "Resource": "*"}, "invalid Effect"),
        ({"Effect": "Allow", "Resource": "*"}, "Action or NotAction"),
        (
            {"Effect": "Allow", "Action": "*", "NotAction": "s3:*", "Resource": "*"},
            "both Action and NotAction",
        ),
    ],
)
def test_what_is_no_policy_is_told(statement: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnsupportedPolicyError, match=problem):
        policies.check("p", {"Statement": [statement]})


def test_a_managed_policy_that_is_not_known_is_not_taken_for_an_empty_one(
    give_role: GiveRole, authority: Authority
) -> None:
    caller = give_role(allow("s3:*"))
    role = seams.module(policies.IAM)._roles["reader"]
    role["AttachedPolicies"] = ["arn:aws:iam::aws:policy/NobodyKnowsIt"]
    with pytest.raises(UnsupportedPolicyError, match="NobodyKnowsIt"):
        authority.allows(caller, Check("s3:GetObject", "k"))
    role["AttachedPolicies"] = list(policies.GRANTED_ELSEWHERE)
    assert authority.allows(caller, Check("s3:GetObject", "k"))


def test_a_stack_with_such_a_role_is_refused_when_it_is_deployed(
    restored_handlers: None, authority: Authority
) -> None:
    creation.install(authority)
    make = seams.module(seams.PROVISIONERS)._RESOURCE_HANDLERS["AWS::IAM::Role"]["create"]
    statement = {**allow("s3:*"), "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    properties = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "Policies": [{"PolicyName": "Office", "PolicyDocument": {"Statement": [statement]}}],
    }
    with pytest.raises(UnsupportedPolicyError, match="Office, statement 1: the condition operator IpAddress"):
        make("Role", properties, "stack")


def test_every_policy_of_the_template_is_followed() -> None:
    template = transformed()
    for role in privileges.needs(template):
        statements = resolved(privileges.statements(template, role), template)
        policies.check(role, {"Statement": statements})


def test_a_boundary_bounds(give_role: GiveRole, authority: Authority) -> None:
    iam = seams.module(policies.IAM)
    arn = "arn:aws:iam::000000000000:policy/bound"
    document = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]}
    iam._policies[arn] = {"DefaultVersionId": "v1", "Versions": {"v1": {"Document": document}}}
    try:
        caller = give_role(allow("s3:*"), boundary=arn)
        assert authority.allows(caller, Check("s3:GetObject", "k"))
        assert not authority.allows(caller, Check("s3:PutObject", "k"))
    finally:
        iam._policies.pop(arn)
