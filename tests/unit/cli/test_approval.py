"""`retrain approve` and `retrain reject`: the registry is told, if a run really waits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.fakes import DECISION, history, run_record

RUN = "mnist-0123456789ab-1"
WAITING = {
    "granted": None,
    "reason": "Waits until 2026-08-04 12:00 UTC for somebody's approval.",
    "asked_at": "2026-08-01T12:00:00.000Z",
    "deadline": "2026-08-04T12:00:00.000Z",
}
ROLLOUT = {"rollout": {"approval": {"required": True, "timeout_seconds": 259200}}}


@pytest.fixture
def package(stack: Any) -> Any:
    """A package that waits, made by moto; gives what the registry says of it."""
    sagemaker = stack.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="group", ModelApprovalStatus="PendingManualApproval"
    )["ModelPackageArn"]
    stack.ledger.records = [
        run_record(
            RUN,
            outcome="RUNNING",
            finished_at=None,
            decision=None,
            reason=WAITING["reason"],
            approval=WAITING,
            model_package_arn=arn,
        )
    ]
    events = history(("Evaluate", "Task", {"decision": DECISION, **ROLLOUT}), ("AwaitApproval", "Task", {}))
    looks = [{**events[0], "id": 90 + number, "type": "TaskScheduled"} for number in range(9)]
    stack.states.begin(RUN, [*events[:4], *looks], seen=4)
    return lambda: sagemaker.describe_model_package(ModelPackageName=arn)


def test_approving(retrain, package):
    ended = retrain("approve", RUN, "--reason", "Looks good.")
    assert (ended.code, ended.out) == (0, f"The challenger of the run {RUN} is approved.\n")
    assert f"The run goes on, and deploys it: 'retrain watch {RUN}' shows it." in ended.err
    assert package()["ModelApprovalStatus"] == "Approved"
    assert package()["ApprovalDescription"] == "Looks good."


def test_rejecting_by_a_beginning_of_the_id(retrain, package):
    ended = retrain("reject", "mnist-01", "--json")
    assert ended.json == {
        "run_id": RUN,
        "granted": False,
        "model_package_arn": package()["ModelPackageArn"],
        "reason": None,
    }
    assert package()["ModelApprovalStatus"] == "Rejected"


def test_a_run_must_be_named(retrain, package):
    assert retrain("approve").code == 2
    assert package()["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_run_that_is_not_there(retrain, package):
    ended = retrain("approve", "nonsense")
    assert ended.code == 1
    assert "There is no run 'nonsense'" in ended.err


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"outcome": "DEPLOYED"}, "has ended as DEPLOYED: it waits for nobody's approval."),
        ({"approval": None}, "does not wait for an approval: it has not come so far"),
        (
            {"approval": {**WAITING, "granted": False, "reason": "Too slow."}},
            f"The challenger of the run {RUN} is rejected already. Too slow. 'retrain show {RUN}' has",
        ),
    ],
)
def test_a_run_that_does_not_wait(retrain, stack, package, fields, said):
    stack.ledger.records[0] |= fields
    ended = retrain("approve", RUN)
    assert ended.code == 1
    assert said in ended.err
    assert package()["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_run_that_was_stopped_while_it_waited(retrain, stack, package):
    stack.states.begin(RUN, history(end="ExecutionAborted"), status="ABORTED", seen=2)
    assert "has ended as ABORTED: it waits for nobody's approval." in retrain("approve", RUN).err


def test_a_decision_that_the_run_has_not_heard_of_yet(retrain, stack, package):
    arn = package()["ModelPackageArn"]
    stack.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    ended = retrain("reject", RUN)
    assert ended.code == 1
    assert f"is approved already. The model package {arn} is Approved." in ended.err
    assert package()["ModelApprovalStatus"] == "Approved"


def test_a_reason_that_the_registry_has_no_room_for(retrain, package):
    ended = retrain("reject", RUN, "--reason", "x" * 1025)
    assert ended.code == 2
    assert "The reason has 1,025 characters; the registry takes at most 1,024." in ended.err
    assert package()["ModelApprovalStatus"] == "PendingManualApproval"


def test_watching_the_rest(retrain, stack, package):
    original = stack.client("sagemaker").update_model_package

    def update(**request: Any) -> Any:
        stack.ledger.records[0] |= {"outcome": "REJECTED", "reason": "Not today."}
        stack.states.begin(RUN, history(("AwaitApproval", "Task", {}), ("Rejected", "Succeed", {})))
        return original(**request)

    stack.client("sagemaker").update_model_package = update
    ended = retrain("reject", RUN, "--watch")
    assert ended.code == 3
    assert ended.out.splitlines()[-1].startswith("REJECTED after")


def test_watch_says_what_a_run_waits_for(retrain, stack, package):
    ended = retrain("watch", RUN, "--timeout", 0)
    assert f"'retrain approve {RUN}' or 'retrain reject {RUN}'" in ended.out
    assert "  waits for approval until 2026-08-04 " in ended.out


def test_what_was_waited_for_is_not_asked_again(retrain, stack, package):
    stack.ledger.records[0] |= {"outcome": "DEPLOYED"}
    stack.states.begin(RUN, history(("AwaitApproval", "Task", {}), ("Deployed", "Succeed", {})), seen=9)
    assert "waits for approval" not in retrain("watch", RUN).out


def test_runs_and_show_say_it_too(retrain, package):
    assert WAITING["reason"] in retrain("runs").out
    assert WAITING["reason"] in retrain("show", RUN).out
    assert json.loads(retrain("show", RUN, "--json").out)["approval"]["granted"] is None
