"""Each role of the stack may do what its code or definition does, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.audit import privileges
from tests.audit.resources import listed
from tests.audit.transformed import transformed

TEMPLATE = transformed()
# What they need is found out when the first test runs: to read the functions takes seconds, and every process
# of the tests imports this module.
ROLES = sorted(name for name, body in TEMPLATE["Resources"].items() if body["Type"] == "AWS::IAM::Role")
STATEMENTS = [(role, place) for role in ROLES for place in range(len(privileges.statements(TEMPLATE, role)))]


def findings_with(role: str, change: Any) -> list[str]:
    """What is found once the policies of a role have been changed."""
    spoiled = copy.deepcopy(TEMPLATE)
    change(spoiled["Resources"][role]["Properties"]["Policies"])
    return privileges.findings(spoiled)


def without(place: int) -> Any:
    def change(policies: list[dict[str, Any]]) -> None:
        for policy in policies:
            nonlocal place
            statements = policy["PolicyDocument"]["Statement"]
            if 0 <= place < len(statements):
                del statements[place]
                place = -1
            else:
                place -= len(statements)

    return change


def test_nothing_is_missing_and_nothing_is_superfluous():
    assert privileges.findings(TEMPLATE) == []


def test_every_role_has_something_to_do():
    assert sorted(privileges.needs(TEMPLATE)) == ROLES
    assert all(privileges.needs(TEMPLATE).values())


@pytest.mark.parametrize(("role", "place"), STATEMENTS)
def test_a_statement_that_is_taken_away_is_missed_by_name(role, place):
    others = privileges.statements(TEMPLATE, role)
    statement = others.pop(place)
    elsewhere = {action for other in others for action in listed(other["Action"])}
    own = set(listed(statement["Action"])) - elsewhere
    found = findings_with(role, without(place))
    assert {line.partition(" is missing: ")[0] for line in found} == {f"{role}: {action}" for action in own}
    # What two statements allow must be two things: the one could not stand in for the other.
    assert own or all(other["Resource"] != statement["Resource"] for other in others)


@pytest.mark.parametrize("role", ROLES)
def test_a_statement_that_is_added_is_named_as_superfluous(role):
    added = {"Sid": "Whatever", "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}
    found = findings_with(role, lambda policies: policies[0]["PolicyDocument"]["Statement"].append(added))
    assert found == [f"{role}: s3:DeleteObject is superfluous: nothing needs it (statement Whatever)"]


def test_a_managed_policy_of_somebody_else_is_superfluous():
    spoiled = copy.deepcopy(TEMPLATE)
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    spoiled["Resources"]["StateMachineRole"]["Properties"]["ManagedPolicyArns"] = [arn]
    assert privileges.findings(spoiled) == [
        f"StateMachineRole: the managed policy {arn} is superfluous: name the actions"
    ]


def test_a_role_that_nothing_uses_is_noticed():
    spoiled = copy.deepcopy(TEMPLATE)
    spoiled["Resources"]["Forgotten"] = copy.deepcopy(spoiled["Resources"]["ScheduleRole"])
    with pytest.raises(privileges.UnderivedRoleError, match="Forgotten"):
        privileges.findings(spoiled)


def test_an_action_counts_only_if_it_is_allowed():
    spoiled = copy.deepcopy(TEMPLATE)
    (statement,) = privileges.statements(spoiled, "ScheduleRole")
    statement["Effect"] = "Deny"
    assert privileges.findings(spoiled) == [
        "ScheduleRole: sqs:SendMessage is missing: Schedule delivers to ArrivalDeadLetterQueue"
    ]


def test_the_reason_names_the_place_in_the_code():
    needed = privileges.needs(TEMPLATE)["NotifyFunctionRole"]
    told = {
        "events:PutEvents": "retraining.aws.bus.EventBridgeBus.put calls PutEvents",
        "sns:Publish": "retraining.aws.topic.SnsTopic.publish calls Publish",
    }
    assert told.items() <= needed.items()
