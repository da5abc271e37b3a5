"""A promoted challenger waits until somebody decides about it, in the registry and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retrain import cli
from retrain.localcloud import process
from tests.integration.approvals.conftest import Approvers

STACK, HASTY = "approvals", "approvals-hasty"


@pytest.fixture(scope="module")
def approvers(open_approvers: Callable[..., Approvers]) -> Approvers:
    """Those who have three days."""
    return open_approvers(STACK, "decided", "overtaken")


def test_granted_with_awss_own_api_then_refused_with_the_command(
    approvers: Approvers,
    local_cloud: process.LocalCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    approvers.upload("decided", "one")
    first = approvers.asked("decided")
    assert first.subject == "Retrain decided: a challenger waits for approval, accuracy 100.00 %"
    assert "There is no endpoint approvals-decided yet." in first.body
    assert (approvers.record(first.run_id)["reason"] or "").startswith("Waits until ")
    assert approvers.people.serving("approvals-decided") is None, "nothing goes live before somebody decides"
    approvers.decide(first, "Approved", ApprovalDescription="Better on Sundays")
    told = approvers.told(first, "decided")
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    approval = told.run["approval"]
    assert approval["granted"] is True
    assert approval["reason"].endswith("000000000000:root: Better on Sundays.")
    assert approvers.answer(STACK, "decided") == "one"

    approvers.upload("decided", "two")
    second = approvers.asked("decided")
    assert f"serves the model of the run {first.run_id} meanwhile" in second.body
    for name, value in {**process.environment(local_cloud), "RETRAIN_STACK_NAME": STACK}.items():
        monkeypatch.setenv(name, value)
    assert cli.run(["reject", second.run_id, "--reason", "Not in December"]) == 0
    refused = approvers.told(second, "decided")
    assert refused.attributes["outcome"] == "REJECTED", refused.body
    assert "Not in December" in refused.run["reason"]
    assert refused.run["approval"]["granted"] is False
    assert approvers.answer(STACK, "decided") == "one"
    capsys.readouterr()
    assert cli.run(["approve", second.run_id]) == 1
    assert "has ended as REJECTED: it waits for nobody's approval" in capsys.readouterr().err


def test_a_newer_version_does_not_wait_for_an_older_one_and_stays_ahead_of_it(approvers: Approvers) -> None:
    approvers.upload("overtaken", "older")
    older = approvers.asked("overtaken")
    approvers.upload("overtaken", "newer")
    newer = approvers.asked("overtaken")
    assert newer.run_id != older.run_id
    approvers.decide(newer, "Approved")
    deployed = approvers.told(newer, "overtaken")
    assert deployed.attributes["outcome"] == "DEPLOYED", deployed.body

    approvers.decide(older, "Approved")
    skipped = approvers.told(older, "overtaken")
    assert skipped.attributes["outcome"] == "SKIPPED", skipped.body
    assert f"The run {newer.run_id} is of a newer version" in skipped.run["reason"]
    assert approvers.answer(STACK, "overtaken") == "newer"


def test_nobody_decides_or_is_heard(open_approvers: Callable[..., Approvers]) -> None:
    approvers = open_approvers(HASTY, "overdue", "unheard", ApprovalTimeoutHours="0.004")
    events = approvers.people.aws("events")
    (rule,) = [
        found["Name"]
        for found in events.list_rules()["Rules"]
        if "SageMaker Model Package" in found.get("EventPattern", "") and HASTY in found["Name"]
    ]
    assert events.describe_rule(Name=rule)["State"] == "ENABLED"
    events.disable_rule(Name=rule)  # as good as a lost event

    approvers.upload("unheard", "one")
    unheard = approvers.asked("unheard")
    approvers.decide(unheard, "Approved")
    approvers.upload("overdue", "one")
    overdue = approvers.asked("overdue")
    found = approvers.told(unheard, "unheard")
    assert found.attributes["outcome"] == "DEPLOYED", found.body

    told = approvers.told(overdue, "overdue")
    assert told.attributes["outcome"] == "REJECTED", told.body
    assert told.run["reason"].startswith("Nobody approved the challenger within 14 seconds, until ")
    assert told.run["approval"]["by"] == ""
    package = approvers.package(overdue)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert package["ApprovalDescription"] == told.run["reason"]
    assert approvers.people.serving(f"{HASTY}-overdue") is None
