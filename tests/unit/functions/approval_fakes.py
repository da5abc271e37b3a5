"""Approvals in memory: the ledger's part, the registry, and a state that waits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from retraining import executions
from retraining.errors import AwsError
from retraining.ports import PackageState
from tests.unit.functions.fake_ledger import FakeLedger
from tests.unit.functions.fakes import NOON


class FakeApprovalLedger(FakeLedger):
    """The ledger with the records of approvals."""

    def __init__(self) -> None:
        super().__init__()
        self.approvals: dict[str, dict[str, Any]] = {}

    def keep_approval(self, question: Mapping[str, Any], seen_at: str) -> dict[str, Any] | None:
        package_arn = str(question["model_package_arn"])
        known = self.approvals.get(package_arn, {})
        if known.get("seen_at", "") > seen_at:
            return None
        self.approvals[package_arn] = {**known, **question, "seen_at": seen_at, "decision": None}
        return dict(self.approvals[package_arn])

    def get_approval(self, package_arn: str) -> dict[str, Any] | None:
        return self.approvals.get(package_arn)

    def approval_told(self, package_arn: str, asked_at: str) -> None:
        self.approvals[package_arn]["told_for"] = asked_at

    def decide_approval(self, package_arn: str, token: str, decision: Mapping[str, Any]) -> None:
        if self.approvals[package_arn]["task_token"] == token:
            self.approvals[package_arn] |= {"decision": dict(decision), "task_token": ""}

    def note_approval(self, run_id: str, package_arn: str, approval: Mapping[str, Any], reason: str) -> None:
        if self.runs.get(run_id, {}).get("outcome") == "RUNNING":
            self.runs[run_id] |= {
                "approval": dict(approval),
                "reason": reason,
                "model_package_arn": package_arn,
            }


class FakePackages:
    """A registry with one package, which somebody may decide about."""

    def __init__(self) -> None:
        self.package: PackageState | None = PackageState("PendingManualApproval")

    def describe(self, arn: str) -> PackageState | None:
        return self.package

    def reject(self, arn: str, description: str) -> None:
        self.decide("Rejected", description, by="arn:aws:iam::123456789012:role/retrain-RequestApproval")

    def decide(self, status: str, description: str = "", by: str = "") -> None:
        assert self.package is not None
        self.package = replace(
            self.package,
            status=status,
            description=description,
            changed_at=executions.from_datetime(NOON),
            changed_by=by,
        )


class FakeTokens:
    """States that wait, by their tokens, and what they were answered."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.answers: list[tuple[str, dict[str, Any]]] = []

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        if token not in self.waiting:
            return False
        self.waiting.remove(token)
        self.answers.append((token, dict(output)))
        return True


class FakeMutableTopic:
    """Remembers what was published, and can be out of order."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, dict[str, str]]] = []
        self.broken = False

    def publish(self, subject: str, body: str, attributes: dict[str, str]) -> None:
        if self.broken:
            raise AwsError("SNS refuses.")
        self.messages.append((subject, body, attributes))
