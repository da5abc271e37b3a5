"""A challenger waits for somebody: who asks, who is told, who answers, and what if nothing comes."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings as profile
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from retraining import approvals, executions, records
from retraining.approvals import ApprovalPorts, Result
from retraining.errors import UnknownEventError
from tests.exploring import examples
from tests.unit.functions import stack
from tests.unit.functions.approval_fakes import (
    FakeApprovalLedger,
    FakeMutableTopic,
    FakePackages,
    FakeTokens,
)
from tests.unit.functions.fakes import NOON, FakeClock
from tests.unit.functions.states import EXECUTION, RUN_ID, evaluated_state

PACKAGE = f"arn:aws:sagemaker:{stack.REGION}:{stack.ACCOUNT}:model-package/retrain-a1b2c3d4e5f6/7"
HOUR = 3600


@dataclass
class Waiting:
    """A run that has come to AwaitApproval, with three days to decide."""

    state: dict[str, Any] = field(default_factory=dict)
    ledger: FakeApprovalLedger = field(default_factory=FakeApprovalLedger)
    packages: FakePackages = field(default_factory=FakePackages)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    topic: FakeMutableTopic = field(default_factory=FakeMutableTopic)
    clock: FakeClock = field(default_factory=FakeClock)
    asked_at: str = executions.from_datetime(NOON)
    looks: int = 0

    def __post_init__(self) -> None:
        self.state = self.state or evaluated_state("promote")
        self.state["package"] = {"arn": PACKAGE}
        self.state["rollout"]["approval"] |= {"required": True, "timeout_seconds": 72 * HOUR}
        run, names = self.state["run"], self.state["names"]
        self.ledger.put_run(records.running(run, names["endpoint"], names["training_job"]))
        self.ledger.slots["mnist"] = {RUN_ID}

    @property
    def ports(self) -> ApprovalPorts:
        return ApprovalPorts(self.ledger, self.packages, self.tokens, self.topic, self.clock)

    def look(self) -> Result:
        """Enter the state, or miss a heartbeat: either way there is a new token."""
        self.looks += 1
        token = f"token-{self.looks}"
        self.tokens.waiting = {token}
        payload = {"task_token": token, "asked_at": self.asked_at, "input": self.state}
        asked = approvals.question(payload, EXECUTION)
        return approvals.ask(asked, self.state, EXECUTION, "retrain", self.ports)

    def hear(self) -> Result:
        """Deliver an event of the registry."""
        return approvals.resolve(PACKAGE, self.ports)

    @property
    def run(self) -> dict[str, Any]:
        return self.ledger.runs[RUN_ID]

    @property
    def answer(self) -> dict[str, Any]:
        ((_, answer),) = self.tokens.answers
        return answer


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


class TestWaiting:
    def test_people_are_told_once_however_often_the_registry_is_looked_at(self, waiting):
        results = [waiting.look() for _ in range(3)]
        assert [(result.what, result.told) for result in results] == [
            ("waits", True),
            ("waits", False),
            ("waits", False),
        ]
        assert len(waiting.topic.messages) == 1

    def test_a_redrive_asks_anew_and_tells_anew(self, waiting):
        waiting.look()
        waiting.clock.pass_by(HOUR)
        waiting.asked_at = executions.from_datetime(waiting.clock())
        assert waiting.look().told
        assert len(waiting.topic.messages) == 2

    def test_people_who_could_not_be_told_are_told_at_the_next_look(self, waiting):
        waiting.topic.broken = True
        assert waiting.look().untold == "SNS refuses."
        waiting.topic.broken = False
        assert waiting.look().told

    def test_a_newer_version_need_not_wait_for_it(self, waiting):
        waiting.look()
        assert waiting.ledger.slots["mnist"] == set()

    def test_the_runs_record_says_what_it_waits_for(self, waiting):
        waiting.look()
        assert waiting.run["reason"] == "Waits until 2026-02-03 12:00 UTC for somebody's approval."
        assert waiting.run["model_package_arn"] == PACKAGE
        assert waiting.run["approval"]["granted"] is None
        assert waiting.run["approval"]["deadline"] == "2026-02-03T12:00:00.000Z"

    def test_an_earlier_look_that_is_late_does_not_bring_its_token_back(self, waiting):
        waiting.clock.pass_by(1)
        waiting.look()
        waiting.clock.pass_by(-1)
        assert waiting.look().what == "stale"
        assert waiting.ledger.approvals[PACKAGE]["task_token"] == "token-1"


class TestTold:
    def told(self, waiting: Waiting) -> tuple[str, str, dict[str, str]]:
        waiting.look()
        (message,) = waiting.topic.messages
        return message

    def test_what_and_until_when(self, waiting):
        subject, body, attributes = self.told(waiting)
        assert subject == "Retrain mnist: a challenger waits for approval, accuracy 98.00 %"
        assert attributes == {"outcome": "AWAITING_APPROVAL", "dataset": "mnist"}
        assert "somebody's approval until 2026-02-03 12:00 UTC" in body
        assert "[passed] Accuracy 98.00 %" in body
        assert "There is no endpoint retrain-mnist yet." in body

    def test_how_to_decide(self, waiting):
        _, body, _ = self.told(waiting)
        assert f"retrain approve {RUN_ID} --stack-name retrain" in body
        assert f"retrain reject {RUN_ID}" in body
        assert "aws sagemaker update-model-package --region us-east-1" in body
        assert f"--model-package-arn {PACKAGE}" in body
        assert "in the model group retrain-a1b2c3d4e5f6: the approval status of version 7" in body

    def test_no_token_and_nothing_to_click_on(self, waiting):
        _, body, _ = self.told(waiting)
        assert "token-1" not in body
        assert "://" not in body

    def test_who_serves_meanwhile(self, waiting):
        waiting.state["champion"] = {"run_id": "mnist-1", "endpoint_config_name": "retrain-mnist-1"}
        assert "serves the model of the run mnist-1 meanwhile." in self.told(waiting)[1]

    def test_a_champion_that_no_run_is_known_of(self, waiting):
        waiting.state["champion"] = {"run_id": "", "endpoint_config_name": "by-hand"}
        assert "serves by-hand meanwhile." in self.told(waiting)[1]

    def test_figures_that_are_not_known_are_left_out(self, waiting):
        waiting.state["decision"]["metrics"] = {}
        assert self.told(waiting)[0] == "Retrain mnist: a challenger waits for approval"


class TestDecided:
    def test_an_approval_that_is_heard(self, waiting):
        waiting.look()
        waiting.packages.decide("Approved", "Looks good", by="arn:aws:iam::1:user/ann")
        assert waiting.hear().what == "answered"
        assert waiting.answer == {
            "granted": True,
            "reason": (
                "The challenger was approved in the model registry by arn:aws:iam::1:user/ann: Looks good."
            ),
            "decided_at": "2026-01-31T12:00:00.000Z",
            "by": "arn:aws:iam::1:user/ann",
        }
        assert waiting.run["approval"]["granted"] is True

    def test_a_refusal_that_is_heard(self, waiting):
        waiting.look()
        waiting.packages.decide("Rejected")
        assert waiting.hear().metric == "ApprovalsRefused"
        assert waiting.answer["granted"] is False
        assert waiting.answer["reason"] == "The challenger was rejected in the model registry."

    def test_an_event_that_was_lost_is_made_good_by_the_next_look(self, waiting):
        waiting.look()
        waiting.packages.decide("Approved")
        assert waiting.look().what == "answered"
        assert waiting.tokens.answers[0][0] == "token-2"

    def test_a_decision_before_anybody_asked(self, waiting):
        waiting.packages.decide("Approved")
        assert waiting.hear().what == "unknown"
        assert waiting.look().what == "answered"
        assert waiting.topic.messages == []

    def test_an_event_twice(self, waiting):
        waiting.look()
        waiting.packages.decide("Approved")
        assert [waiting.hear().what for _ in range(2)] == ["answered", "decided"]
        assert len(waiting.tokens.answers) == 1
        assert waiting.ledger.approvals[PACKAGE]["task_token"] == "", "nobody can answer with it any more"

    def test_events_out_of_order_count_for_nothing_the_registry_does(self, waiting):
        waiting.look()
        waiting.packages.decide("Approved")
        waiting.packages.decide("PendingManualApproval")
        assert waiting.hear().what == "waits"
        assert waiting.tokens.answers == []

    def test_an_event_between_a_missed_heartbeat_and_the_next_look(self, waiting):
        waiting.look()
        waiting.tokens.waiting = set()
        waiting.packages.decide("Approved")
        assert waiting.hear().what == "stale"
        assert waiting.look().what == "answered"

    def test_a_run_that_has_ended_keeps_its_record(self, waiting):
        waiting.look()
        waiting.ledger.runs[RUN_ID] |= {"outcome": "FAILED", "reason": "It was stopped.", "approval": None}
        waiting.tokens.waiting = set()
        waiting.packages.decide("Approved")
        assert waiting.hear().what == "stale"
        assert waiting.run["reason"] == "It was stopped."
        assert waiting.run["approval"] is None

    def test_a_package_that_was_deleted_is_no_approval(self, waiting):
        waiting.look()
        waiting.packages.package = None
        waiting.look()
        assert waiting.answer["granted"] is False
        assert "was deleted from the registry" in waiting.answer["reason"]


EXPIRED = "Nobody approved the challenger within 72 hours, until 2026-02-03 12:00 UTC."


class TestOverdue:
    def test_nobody_decides(self, waiting):
        waiting.look()
        waiting.clock.pass_by(72 * HOUR)
        assert waiting.look().metric == "ApprovalsRefused"
        assert (waiting.answer["granted"], waiting.answer["reason"]) == (False, EXPIRED)
        assert waiting.packages.package.status == "Rejected"
        assert waiting.packages.package.description == EXPIRED

    def test_shortly_before_it_still_waits(self, waiting):
        waiting.look()
        waiting.clock.pass_by(72 * HOUR - 1)
        assert waiting.look().what == "waits"

    def test_who_decides_late_but_before_the_look_is_heard(self, waiting):
        waiting.look()
        waiting.packages.decide("Approved")
        waiting.clock.pass_by(73 * HOUR)
        waiting.look()
        assert waiting.answer["granted"] is True

    def test_the_event_of_its_own_refusal_says_the_same(self, waiting):
        waiting.look()
        waiting.packages.reject(PACKAGE, EXPIRED)
        waiting.hear()
        assert (waiting.answer["reason"], waiting.answer["by"]) == (EXPIRED, "")


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(72 * HOUR, "72 hours"), (HOUR, "1 hour"), (5400, "1.5 hours"), (120, "2 minutes"), (4, "4 seconds")],
)
def test_how_long_somebody_had(waiting, seconds, span):
    waiting.state["rollout"]["approval"]["timeout_seconds"] = seconds
    waiting.clock.pass_by(seconds)
    waiting.look()
    assert f"within {span}, until" in waiting.answer["reason"]


@pytest.mark.parametrize("missing", ["task_token", "asked_at", "input"])
def test_only_the_state_machine_asks(missing):
    payload = {"task_token": "t", "asked_at": "2026-01-31T12:00:00Z", "input": Waiting().state}
    del payload[missing]
    with pytest.raises(UnknownEventError, match="only the state machine"):
        approvals.question(payload, EXECUTION)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change"},
        {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change", "detail": None},
        {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"ModelPackageArn": PACKAGE}},
    ],
)
def test_what_is_no_change_of_a_package(event):
    with pytest.raises(UnknownEventError, match="no change of a model package"):
        approvals.package_of(event)


class Orders(RuleBasedStateMachine):
    """Decisions, their events, lost or repeated, and looks in any order: one answer, and a right one."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting()
        self.waiting.look()
        self.decided: set[str] = set()

    @property
    def open(self) -> bool:
        return not self.waiting.tokens.answers

    @precondition(lambda self: self.open)
    @rule()
    def miss_a_heartbeat(self) -> None:
        self.waiting.clock.pass_by(HOUR)
        self.waiting.look()

    @precondition(lambda self: self.open)
    @rule()
    def lose_the_token(self) -> None:
        self.waiting.tokens.waiting = set()

    @rule()
    def approve(self) -> None:
        self.decided.add("Approved")
        self.waiting.packages.decide("Approved")

    @rule()
    def reject(self) -> None:
        self.decided.add("Rejected")
        self.waiting.packages.decide("Rejected")

    @rule()
    def hear(self) -> None:
        self.waiting.hear()

    @invariant()
    def one_answer_that_somebody_gave(self) -> None:
        answers = self.waiting.tokens.answers
        assert len(answers) <= 1
        assert len(self.waiting.topic.messages) == 1
        if answers and not answers[0][1]["reason"].startswith("Nobody"):
            assert {True: "Approved", False: "Rejected"}[answers[0][1]["granted"]] in self.decided

    def teardown(self) -> None:
        if self.open:
            self.waiting.clock.pass_by(72 * HOUR)
            self.waiting.look()
            assert len(self.waiting.tokens.answers) == 1, "a run never waits for ever"


TestOrders = Orders.TestCase
TestOrders.settings = profile(max_examples=examples(50), stateful_step_count=12, deadline=None)
