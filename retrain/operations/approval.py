"""A person's approval of a promoted challenger: deciding means changing its package in the model registry.

The stack hears of the change, whoever makes it, here, with the AWS CLI or in SageMaker Studio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retrain.aws import Stack
from retrain.errors import ApprovalError, ApprovalReasonError
from retrain.operations import executions, ledger

MOST_REASON = 1024
"""The longest ApprovalDescription, in characters."""

_PENDING = "PendingManualApproval"
_SAID = {True: "approved", False: "rejected"}


@dataclass(frozen=True)
class Decided:
    """What was decided about which run's package."""

    run_id: str
    granted: bool
    model_package_arn: str
    reason: str | None


def is_waiting(record: ledger.Record) -> bool:
    """Say whether a run waits for somebody's approval, as far as its record knows."""
    approval = record.get("approval")
    return (
        record.get("outcome") == executions.RUNNING
        and isinstance(approval, dict)
        and approval.get("granted") is None
    )


def decide(stack: Stack, run_id: str, *, granted: bool, reason: str | None = None) -> Decided:
    """Approve or reject the model package of a run that waits for it.

    Parameters
    ----------
    stack : Stack
        Whose run it is.
    run_id : str
        The run, as `ledger.run` takes it.
    granted : bool
        Whether its challenger may go live.
    reason : str, optional
        Why; it is kept with the package, in the run's record, and in what people are told.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    ApprovalError
        It does not wait for an approval, or has its answer already.
    ApprovalReasonError
        The reason is too long.
    """
    if reason is not None and len(reason) > MOST_REASON:
        raise ApprovalReasonError(
            f"The reason has {len(reason):,} characters; the registry takes at most {MOST_REASON:,}."
        )
    record = ledger.run(stack, run_id)
    whole_id = str(record["run_id"])
    _check_waits(stack, record, whole_id)
    package_arn = str(record["model_package_arn"])
    _check_pending(stack, package_arn, whole_id)
    request: dict[str, Any] = {
        "ModelPackageArn": package_arn,
        "ModelApprovalStatus": "Approved" if granted else "Rejected",
    }
    if reason:
        request["ApprovalDescription"] = reason
    with stack.explained_errors(f"updating the model package {package_arn}"):
        stack.client("sagemaker").update_model_package(**request)
    return Decided(whole_id, granted, package_arn, reason or None)


def _check_waits(stack: Stack, record: ledger.Record, run_id: str) -> None:
    outcome, approval = record.get("outcome"), record.get("approval")
    if outcome != executions.RUNNING:
        raise ApprovalError(f"The run {run_id} has ended as {outcome}: it waits for nobody's approval.")
    status = executions.describe(stack, run_id).status
    if status != executions.RUNNING:  # it ended before it could write down how
        raise ApprovalError(f"The run {run_id} has ended as {status}: it waits for nobody's approval.")
    if not isinstance(approval, dict):
        raise ApprovalError(
            f"The run {run_id} does not wait for an approval: it has not come so far, or its stack's "
            f"parameter RequireApproval is false. 'retrain watch {run_id}' shows where it is."
        )
    if not is_waiting(record):
        raise _decided_already(run_id, granted=bool(approval["granted"]), said=str(approval.get("reason")))


def _check_pending(stack: Stack, package_arn: str, run_id: str) -> None:
    """Ask the registry, which may know of a decision that the run has not heard of yet."""
    with stack.explained_errors(f"reading the model package {package_arn}"):
        package = stack.client("sagemaker").describe_model_package(ModelPackageName=package_arn)
    status = package.get("ModelApprovalStatus")
    if status != _PENDING:
        raise _decided_already(
            run_id, granted=status == "Approved", said=f"The model package {package_arn} is {status}."
        )


def _decided_already(run_id: str, *, granted: bool, said: str) -> ApprovalError:
    return ApprovalError(
        f"The challenger of the run {run_id} is {_SAID[granted]} already. {said} 'retrain show {run_id}' has "
        "the details."
    )
