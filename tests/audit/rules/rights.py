"""Policies name their actions, and let nobody in by the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.audit.resources import alternatives, listed, of_type

_RESOURCE_POLICIES = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")


def findings(template: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with policies and with who takes roles."""
    for name, statement in statements(template):
        sid = statement.get("Sid", "without Sid")
        if excluding := sorted({"NotAction", "NotResource", "NotPrincipal"} & set(statement)):
            yield f"{name}: allows what it does not name ({excluding[0]} in {sid})"
        if statement["Effect"] != "Allow":
            continue
        for action in listed(statement.get("Action", [])):
            if "*" in action and not _is_left_to_iam(statement):
                yield f"{name}: allows every action of a kind ({action} in {sid})"
        if "*" in listed(_anybody(statement.get("Principal"))):
            yield f"{name}: lets anybody in ({sid})"
        if "iam:PassRole" in listed(statement.get("Action", [])):
            if not statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService"):
                yield f"{name}: hands roles to any service ({sid})"
            if statement["Resource"] == "*":
                yield f"{name}: hands over any role ({sid})"
    for name, role in of_type(template, "AWS::IAM::Role"):
        for trust in role["AssumeRolePolicyDocument"]["Statement"]:
            condition = trust.get("Condition", {}).get("StringEquals", {})
            # SAM makes the roles of functions; who makes a function must be allowed to pass its role.
            if listed(trust["Principal"].get("Service")) != ["lambda.amazonaws.com"] and (
                condition.get("aws:SourceAccount") != {"Ref": "AWS::AccountId"}
            ):
                yield f"{name}: is taken for other accounts as well (aws:SourceAccount)"
    for name, permission in of_type(template, "AWS::Lambda::Permission"):
        if not permission.get("SourceArn"):
            yield f"{name}: lets anything of {permission['Principal']} call the function (SourceArn)"


def statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of every policy, with the resource that has it."""
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in alternatives(role.get("Policies", [])):
            for statement in alternatives(policy["PolicyDocument"]["Statement"]):
                yield name, statement
    for kind in _RESOURCE_POLICIES:
        for name, body in of_type(template, kind):
            yield from ((name, each) for each in alternatives(body["PolicyDocument"]["Statement"]))
    for name, key in of_type(template, "AWS::KMS::Key"):
        yield from ((name, each) for each in alternatives(key["KeyPolicy"]["Statement"]))


def _anybody(principal: Any) -> Any:
    return principal.get("AWS", []) if isinstance(principal, dict) else principal


def _is_left_to_iam(statement: dict[str, Any]) -> bool:
    """Tell whether a key's policy leaves to the account's IAM who may use it, without which nobody could."""
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    return statement.get("Principal") == root and statement["Action"] == "kms:*"
