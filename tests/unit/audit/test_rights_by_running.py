"""Each statement of each role is there because something fails without it.

What whole runs were allowed is recorded (tests/audit/recorded_rights.json); here it is replayed, with each
statement taken away in turn. The runs themselves are the integration tests, with enforcement on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from retrain.localcloud import seams
from retrain.localcloud.authorisation.decisions import Authority, Caller, Check
from retrain.localcloud.authorisation.policies import IAM
from retrain.localcloud.errors import AccessDeniedError
from tests.audit import privileges
from tests.audit.recorded_rights import FILE
from tests.audit.resolving import resolved
from tests.audit.transformed import transformed

TEMPLATE = transformed()
RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
ROLES = {
    role: resolved(privileges.statements(TEMPLATE, role), TEMPLATE) for role in privileges.needs(TEMPLATE)
}
STATEMENTS = [(role, number) for role, found in ROLES.items() for number in range(len(found))]

_FOREIGN = "the registry of another account lets images be pulled and not described"
_TRACES = "nobody takes traces in the local cloud"
NOT_RUN: dict[tuple[str, str, str], str] = {
    ("StartRetrainingFunctionRole", "PinImages", "ecr:BatchGetImage"): _FOREIGN,
    ("PrepareTrainingFunctionRole", "PinImages", "ecr:BatchGetImage"): _FOREIGN,
    ("CodePipelineJobFunctionRole", "PinImages", "ecr:BatchGetImage"): _FOREIGN,
    ("ClaimEndpointFunctionRole", "LookAtOtherRuns", "states:DescribeExecution"): "another run has the claim",
    ("VerifyEndpointFunctionRole", "ListRuns", "s3:ListBucket"): "rows vanish after the gate has seen them",
    ("NotifyFunctionRole", "ListRuns", "s3:ListBucket"): "a card vanishes that was written a moment ago",
    ("ReportInterruptionFunctionRole", "QueueUntoldOutcomes", "sqs:SendMessage"): "SNS is broken",
    ("StateMachineRole", "RunTrainingJobs", "sagemaker:StopTrainingJob"): "somebody stops a run that trains",
    ("StateMachineRole", "ListEndpoints", "sagemaker:ListEndpoints"): "a failed endpoint is waited for to go",
    ("StateMachineRole", "DeliverLogsAndTraces", "xray:PutTraceSegments"): _TRACES,
    ("StateMachineRole", "DeliverLogsAndTraces", "xray:PutTelemetryRecords"): _TRACES,
    ("StateMachineRole", "DeliverLogsAndTraces", "xray:GetSamplingRules"): _TRACES,
    ("StateMachineRole", "DeliverLogsAndTraces", "xray:GetSamplingTargets"): _TRACES,
    ("SageMakerRole", "WriteRuns", "s3:AbortMultipartUpload"): "an upload breaks off",
}
"""Actions that no run needed, by role and statement, with when they are needed.

That code or definition need them is shown by the static comparison: tests/unit/audit/test_privileges.py.
"""


def name(role: str, number: int) -> str:
    """A statement's name; what SAM writes has none."""
    return str(ROLES[role][number].get("Sid", f"of SAM, {number}"))


def calls_of(role: str) -> Iterator[Check]:
    """What was allowed to a role."""
    for each in RECORDED:
        if each["role"] == role:
            for example in each["examples"]:
                yield Check(each["action"], example["resource"], example["context"])


@pytest.fixture
def acting() -> Iterator[Any]:
    """Let a role have some statements; gives somebody who acts in it."""
    roles = seams.module(IAM)._roles

    def act(role: str, statements: list[dict[str, Any]]) -> Caller:
        document = {"Version": "2012-10-17", "Statement": statements}
        roles[role] = {"InlinePolicies": {"all": json.dumps(document)} if statements else {}}
        return Caller(f"arn:aws:iam::000000000000:role/{role}", "session")

    yield act
    for role in ROLES:
        roles.pop(role, None)


@pytest.mark.parametrize("role", ROLES)
def test_what_runs_were_allowed_is_allowed(role: str, acting: Any) -> None:
    caller, authority = acting(role, ROLES[role]), Authority()
    calls = list(calls_of(role))
    assert calls, f"nothing was recorded for {role}: see tests/audit/recorded_rights.py"
    for check in calls:
        authority.require(caller, check)


@pytest.mark.parametrize(("role", "number"), STATEMENTS, ids=[f"{r}-{name(r, n)}" for r, n in STATEMENTS])
def test_without_a_statement_something_fails_and_names_it(role: str, number: int, acting: Any) -> None:
    statement = ROLES[role][number]
    rest = [each for place, each in enumerate(ROLES[role]) if place != number]
    caller, authority = acting(role, rest), Authority()
    refused = [check for check in calls_of(role) if not authority.allows(caller, check)]
    for check in refused:
        with pytest.raises(AccessDeniedError) as error:
            authority.require(caller, check)
        assert f"assumed-role/{role}/session" in str(error.value)
        assert check.resource in str(error.value)
        assert check.action.partition(":")[2].lower() in str(error.value).lower()
    actions = privileges.listed(statement["Action"])
    wanted = {action for action in actions if (role, name(role, number), action) not in NOT_RUN}
    assert {check.action for check in refused} == wanted


def test_what_is_listed_as_not_run_is_granted() -> None:
    granted = {
        (role, name(role, number), action)
        for role, number in STATEMENTS
        for action in privileges.listed(ROLES[role][number]["Action"])
    }
    assert NOT_RUN.keys() <= granted
