"""What approvals rest on in AWS: the ledger's records (as the fake's), packages, tokens, rule and rights."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

import request_approval.app
import resolve_approval.app
from retraining import errors
from retraining.aws.clients import client
from retraining.aws.ledger import DynamoLedger
from retraining.aws.model_packages import SageMakerPackages
from retraining.aws.task_tokens import StepFunctionsTokens
from retraining.ports import PackageState
from tests.unit.functions import stack
from tests.unit.functions.approval_fakes import FakeApprovalLedger
from tests.unit.functions.stack import RESOURCES
from tests.unit.functions.states import RUN_ID
from tests.unit.functions.test_aws import client_error
from tests.unit.functions.test_template import matches, statements
from tests.unit.functions.test_template_ways import holds

T1, T2, T3 = (f"2026-01-31T12:00:0{second}.000Z" for second in (1, 2, 3))
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/group/1"
CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
GRANTED = {"granted": True, "reason": "Approved.", "decided_at": T3, "by": ""}


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeApprovalLedger()
    request.getfixturevalue("aws")
    return DynamoLedger(stack.NAMES["LedgerTable"])


def question(token: str) -> dict[str, Any]:
    return {"model_package_arn": PACKAGE, "task_token": token, "run_id": "r1", "asked_at": T1}


class TestLedger:
    def test_the_latest_look_keeps_its_token(self, ledger):
        assert ledger.get_approval(PACKAGE) is None
        assert ledger.keep_approval(question("a"), T1)["task_token"] == "a"
        assert ledger.keep_approval(question("b"), T3)["task_token"] == "b"
        assert ledger.keep_approval(question("c"), T2) is None
        assert ledger.get_approval(PACKAGE)["task_token"] == "b"

    def test_that_people_were_told_survives_further_looks(self, ledger):
        assert "told_for" not in ledger.keep_approval(question("a"), T1)
        ledger.approval_told(PACKAGE, T1)
        assert ledger.keep_approval(question("b"), T2)["told_for"] == T1

    def test_a_decision_takes_the_token_away(self, ledger):
        ledger.keep_approval(question("a"), T1)
        ledger.decide_approval(PACKAGE, "a", GRANTED)
        assert ledger.get_approval(PACKAGE)["decision"] == GRANTED
        assert ledger.get_approval(PACKAGE)["task_token"] == ""

    def test_the_decision_about_an_older_token_leaves_the_newer_one(self, ledger):
        ledger.keep_approval(question("a"), T1)
        ledger.keep_approval(question("b"), T2)
        ledger.decide_approval(PACKAGE, "a", GRANTED)
        assert ledger.get_approval(PACKAGE)["task_token"] == "b"
        assert ledger.get_approval(PACKAGE)["decision"] is None

    def test_only_the_record_of_a_run_under_way_tells_of_it(self, ledger):
        ledger.note_approval("r1", PACKAGE, {"granted": None}, "Waits.")
        assert ledger.get_run("r1") is None
        ledger.put_run({"run_id": "r1", "outcome": "RUNNING", "dataset": "mnist"})
        ledger.note_approval("r1", PACKAGE, {"granted": None}, "Waits.")
        assert ledger.get_run("r1") == {
            "run_id": "r1",
            "outcome": "RUNNING",
            "dataset": "mnist",
            "approval": {"granted": None},
            "reason": "Waits.",
            "model_package_arn": PACKAGE,
        }
        ledger.put_run({"run_id": "r1", "outcome": "REJECTED", "reason": "Too late."})
        ledger.note_approval("r1", PACKAGE, GRANTED, "Approved.")
        assert ledger.get_run("r1")["reason"] == "Too late."


class FakeSageMaker:
    """Describes one package as it is told, or refuses."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def describe_model_package(self, **request: str) -> Any:
        assert request == {"ModelPackageName": PACKAGE}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def described(monkeypatch: pytest.MonkeyPatch, answer: Any) -> PackageState | None:
    monkeypatch.setattr("retraining.aws.model_packages.client", lambda _: FakeSageMaker(answer))
    return SageMakerPackages().describe(PACKAGE)


class TestPackages:
    def test_a_package_is_rejected_with_a_reason(self, aws):
        client("sagemaker").create_model_package_group(ModelPackageGroupName="group")
        client("sagemaker").create_model_package(
            ModelPackageGroupName="group", ModelApprovalStatus="PendingManualApproval"
        )
        assert SageMakerPackages().describe(PACKAGE) == PackageState("PendingManualApproval")
        SageMakerPackages().reject(PACKAGE, "Nobody approved it.")
        package = SageMakerPackages().describe(PACKAGE)
        assert package is not None
        assert (package.status, package.description) == ("Rejected", "Nobody approved it.")
        assert package.changed_at.endswith("Z")

    def test_a_package_that_is_gone(self, aws):
        assert SageMakerPackages().describe(PACKAGE) is None

    @pytest.mark.parametrize(
        ("user", "who"),
        [
            (None, ""),
            ({}, ""),
            ({"UserProfileName": "ann", "IamIdentity": {"Arn": "arn:role"}}, "ann"),
            (
                {"IamIdentity": {"Arn": "arn:aws:iam::1:user/ann", "PrincipalId": "x"}},
                "arn:aws:iam::1:user/ann",
            ),
        ],
    )
    def test_who_changed_it(self, monkeypatch, user, who):
        package = described(monkeypatch, {"ModelApprovalStatus": "Approved", "LastModifiedBy": user})
        assert package is not None
        assert package.changed_by == who

    @pytest.mark.parametrize(
        ("refusal", "error"),
        [
            (client_error("AccessDeniedException"), errors.AccessRefusedError),
            (client_error("ThrottlingException"), errors.TransientAwsError),
            (client_error("ValidationException", message="1 validation error detected"), errors.AwsError),
        ],
    )
    def test_not_to_be_allowed_to_look_is_not_to_find_nothing(self, monkeypatch, refusal, error):
        with pytest.raises(error, match="Describing the model package"):
            described(monkeypatch, refusal)


class TestTokens:
    def answer(self, monkeypatch: pytest.MonkeyPatch, refusal: Exception | None = None) -> tuple[bool, Any]:
        sent: dict[str, str] = {}

        def send(**request: str) -> None:
            if refusal:
                raise refusal
            sent.update(request)

        monkeypatch.setattr(
            "retraining.aws.task_tokens.client", lambda _: SimpleNamespace(send_task_success=send)
        )
        return StepFunctionsTokens().succeed("a secret", GRANTED), sent

    def test_an_answer_is_json(self, monkeypatch):
        taken, sent = self.answer(monkeypatch)
        assert taken
        assert sent["taskToken"] == "a secret"
        assert json.loads(sent["output"]) == GRANTED

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_nobody_waits_any_more(self, monkeypatch, code):
        assert self.answer(monkeypatch, client_error(code)) == (False, {})

    def test_the_token_is_in_no_message(self, monkeypatch):
        with pytest.raises(errors.TransientAwsError) as caught:
            self.answer(monkeypatch, client_error("ThrottlingException"))
        assert "a secret" not in str(caught.value)


class TestHandlers:
    @pytest.fixture
    def log(self, aws: None, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
        """What both functions log, with one package in the registry."""
        group = stack.arn("ModelPackageGroup").rpartition("/")[2]
        client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        client("sagemaker").create_model_package(
            ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval"
        )
        log = io.StringIO()
        for app in (request_approval.app, resolve_approval.app):
            monkeypatch.setattr(app.logger.registered_handler, "stream", log)
        return log

    def sample(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((stack.ROOT / "events" / f"{name}.json").read_text())
        return loaded

    def test_logs_carry_the_run_and_never_the_token(self, log):
        asked = self.sample("ask_approval_pending")
        assert request_approval.app.handler(asked, CONTEXT)["result"] == "waits"
        heard = self.sample("approve_package_approved")
        heard["detail"]["ModelPackageArn"] = asked["input"]["package"]["arn"]
        assert resolve_approval.app.handler(heard, CONTEXT)["result"] == "waits"
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        assert [line["correlation_id"] for line in lines] == [RUN_ID, RUN_ID]
        assert asked["task_token"] not in log.getvalue()

    def test_a_topic_that_refuses_fails_no_run(self, log):
        client("sns").delete_topic(TopicArn=stack.NAMES["NotificationTopic"])
        assert request_approval.app.handler(self.sample("ask_approval_pending"), CONTEXT)["result"] == "waits"
        assert "People could not be told; the next look tries again" in log.getvalue()


class TestTemplate:
    @pytest.mark.parametrize(
        ("status", "heard"), [("Approved", True), ("Rejected", True), ("PendingManualApproval", False)]
    )
    def test_the_rule_hears_decisions_about_this_stacks_packages(self, status, heard):
        pattern = stack.properties("ModelApprovalRule")["EventPattern"]
        event = json.loads((stack.ROOT / "events" / "approve_package_approved.json").read_text())
        event["detail"]["ModelApprovalStatus"] = status
        assert matches(pattern, event) == heard
        event["detail"]["ModelPackageGroupName"] = "of-somebody-else"
        assert not matches(pattern, event)

    def test_the_rule_listens_only_where_approval_is_required(self):
        condition, *states = RESOURCES["ModelApprovalRule"]["Properties"]["State"]["If"]
        assert states == ["ENABLED", "DISABLED"]
        assert not holds({"Condition": condition}, {})
        assert holds({"Condition": condition}, {"RequireApproval": "true"})

    def test_what_it_hears_reaches_its_function_or_is_buried(self):
        (target,) = stack.properties("ModelApprovalRule")["Targets"]
        assert target["Arn"] == stack.arn("ResolveApprovalFunction")
        assert target["DeadLetterConfig"] == {"Arn": stack.arn("ArrivalDeadLetterQueue")}
        permission = stack.properties("ModelApprovalPermission")
        assert permission["SourceArn"] == stack.arn("ModelApprovalRule")
        assert permission["Principal"] == "events.amazonaws.com"

    def test_deciding_is_left_to_people_but_for_rejecting_what_is_overdue(self):
        updating = [name for name, found in statements() if "sagemaker:UpdateModelPackage" in found["Action"]]
        answering = [name for name, found in statements() if found["Action"] == "states:SendTaskSuccess"]
        # And for rejecting what was cleaned up, so that nobody deploys it.
        assert updating == ["RequestApprovalFunction", "CleanUpFunction"]
        assert answering == ["RequestApprovalFunction", "ResolveApprovalFunction"]
