"""The policies of roles: read from the local cloud's IAM, and refused where they cannot be followed.

MiniStack's evaluator takes a condition operator that it does not know for one that does not match, and a key
that a request lacks for one that AWS leaves out. Either would decide something by accident; so what a policy
may use here is listed, and everything else is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.errors import UnsupportedPolicyError

IAM = "ministack.services.iam"
EVALUATOR = "ministack.core.iam_evaluator"

Statement = Any
"""MiniStack's `ParsedStatement`, with a `sid` that names role, policy and statement."""

_OPERATORS = frozenset(
    {
        *("stringequals", "stringnotequals", "stringequalsignorecase", "stringnotequalsignorecase"),
        *("stringlike", "stringnotlike", "bool"),
    }
)
_SETS = ("forallvalues:", "foranyvalue:")

KEYS = frozenset(
    {
        *("s3:prefix", "s3:delimiter", "s3:max-keys", "dynamodb:leadingkeys", "iam:passedtoservice"),
        *("events:source", "events:detail-type", "cloudwatch:namespace"),
        *("aws:tagkeys", "aws:securetransport", "aws:principalarn", "aws:principalaccount"),
        *("aws:principaltype", "aws:requestedregion", "aws:resourceaccount", "s3:resourceaccount"),
    }
)
"""Condition keys that requests are given here, in lower case; those of tags besides."""

_TAGS = ("aws:resourcetag/", "aws:requesttag/")

GRANTED_ELSEWHERE = frozenset(
    {
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
        "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
    }
)
"""AWS's policies for what Lambda does beside functions: log and traces, which no request is made for here."""

for _name, _parameters in {
    "parse_policy_document": "doc",
    "validate_policy_document": "doc",
    "evaluate": "ctx policies limits",
    "EvalContext": (
        "principal_arn principal_type principal_account action resource_arn region source_ip "
        "secure_transport request_tags tag_keys service_context principal_keys"
    ),
    "_resolve_managed_policy_document": "policy_arn account_id",
}.items():
    seams.expect(EVALUATOR, _name, _parameters)
seams.expect(IAM, "_roles", None)


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What a role may do.

    Attributes
    ----------
    statements
        Of all its policies.
    boundary
        The statements of its permissions boundary; None without one.
    """

    statements: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None


def of_role(role_arn: str) -> RolePolicies | None:
    """Return the policies of a role; None if IAM has no such role.

    Raises
    ------
    UnsupportedPolicyError
        One of them uses what is not followed here.
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = seams.module(IAM)._roles.get_scoped(account, None, name)
    if role is None:
        return None
    found: list[Statement] = []
    for title, document in (role.get("InlinePolicies") or {}).items():
        found += _statements(f"{name}/{title}", _text(document))
    for arn in role.get("AttachedPolicies") or []:
        if arn not in GRANTED_ELSEWHERE:
            found += _statements(f"{name}/{arn.rsplit('/', 1)[-1]}", _managed(arn, account))
    boundary = role.get("PermissionsBoundary")
    return RolePolicies(
        tuple(found),
        tuple(_statements(f"{name}/boundary", _managed(boundary, account))) if boundary else None,
    )


def _managed(arn: str, account: str) -> str:
    document = seams.module(EVALUATOR)._resolve_managed_policy_document(arn, account)
    if document is None:
        raise UnsupportedPolicyError(
            f"The local cloud does not know what {arn} allows: name the actions in a policy of your own."
        )
    return _text(document)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, sort_keys=True)


@lru_cache(maxsize=1024)
def _statements(title: str, text: str) -> tuple[Statement, ...]:
    """Return the statements of a policy document, each named by its place."""
    check(title, json.loads(text))
    found = seams.module(EVALUATOR).parse_policy_document(text)
    for number, statement in enumerate(found, 1):
        statement.sid = f"{title}:{statement.sid or number}"
    return tuple(found)


def check(title: str, document: dict[str, Any]) -> None:
    """Refuse a policy document of an identity that cannot be followed here.

    Raises
    ------
    UnsupportedPolicyError
        Naming the policy, the statement, and what is not followed.
    """
    wrong = seams.module(EVALUATOR).validate_policy_document(document)
    if wrong:
        raise UnsupportedPolicyError(f"The policy {title} is none: {wrong}.")
    statements = document["Statement"]
    for number, statement in enumerate([statements] if isinstance(statements, dict) else statements, 1):
        for problem in _problems(statement):
            raise UnsupportedPolicyError(
                f"The policy {title}, statement {statement.get('Sid', number)}: {problem} is not implemented "
                "in the local cloud, which enforces policies and does not guess. Write it otherwise, or "
                "teach retrain.localcloud.authorisation."
            )


def _problems(statement: dict[str, Any]) -> Iterator[str]:
    for member in ("Principal", "NotPrincipal"):
        if member in statement:
            yield f"{member} in a policy of an identity"
    for operator, tests in (statement.get("Condition") or {}).items():
        if not _known_operator(operator):
            yield f"the condition operator {operator}"
        for key in tests:
            if key.lower() not in KEYS and not key.lower().startswith(_TAGS):
                yield f"the condition key {key}"
    resources = [statement.get(member) or [] for member in ("Resource", "NotResource")]
    if "${" in json.dumps([*resources, statement.get("Condition") or {}]):
        yield "a policy variable (${...})"


def _known_operator(operator: str) -> bool:
    name = operator.lower()
    if name == "null":
        return True
    for prefix in _SETS:
        name = name.removeprefix(prefix)
    return name.removesuffix("ifexists") in _OPERATORS
