"""Without a statement of a role the run fails, and people are told whose right to what is missing.

Every statement is taken away in turn, without running anything, in unit/audit/test_rights_by_running.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.deployments.conftest import Live


@contextmanager
def without(live: Live, role: str, sid: str) -> Iterator[str]:
    """Take a statement out of a role of the stack for a while; gives the role's name."""
    found = live.people.aws("cloudformation").describe_stack_resource(
        StackName=live.stack_name, LogicalResourceId=role
    )
    name, iam = found["StackResourceDetail"]["PhysicalResourceId"], live.people.aws("iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document: dict[str, Any] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        rest = [each for each in document["Statement"] if each.get("Sid") != sid]
        if len(rest) < len(document["Statement"]):
            break
    else:
        raise AssertionError(f"{role} has no statement {sid}")
    put = {"RoleName": name, "PolicyName": policy}
    iam.put_role_policy(**put, PolicyDocument=json.dumps({**document, "Statement": rest}))
    yield name
    iam.put_role_policy(**put, PolicyDocument=json.dumps(document))


CASES = [
    # Who, without what, acting as what: which action, on what, and what else the reason says.
    (
        *("PrepareTrainingFunctionRole", "ListDatasets", "guarded-PrepareTrainingFunction"),
        *("s3:ListBucket", '"arn:aws:s3:::{DataBucketName}"', "AccessDenied"),
    ),
    (
        *("StateMachineRole", "HandOverSageMakerRole", "StepFunctions"),
        *("iam:PassRole", "{SageMakerRoleArn}", ""),
    ),
    (
        *("SageMakerRole", "ReadData", "SageMaker"),
        *("s3:GetObject", '"arn:aws:s3:::{DataBucketName}/datasets/bare', "Data download failed"),
    ),
]


@pytest.mark.parametrize(
    ("role", "sid", "session", "action", "resource", "said"), CASES, ids=[c[1] for c in CASES]
)
def test_a_missing_right_is_told_with_role_action_and_resource(
    guarded: Callable[[str], Live],
    role: str,
    sid: str,
    session: str,
    action: str,
    resource: str,
    said: str,
) -> None:
    live = guarded("bare")
    with without(live, role, sid) as name:
        told = live.train(sid)
    assert told.run["outcome"] == "FAILED"
    reason = told.run["reason"]
    assert said in reason
    assert f"assumed-role/{name}/{session}" in reason
    assert f"is not authorized to perform: {action} on resource: " in reason
    assert resource.format(**live.people.outputs) in reason
    assert f"because no identity-based policy allows the {action} action" in reason
    # And so are people.
    assert f"not authorized to perform: {action} on resource" in " ".join(told.body.split())
