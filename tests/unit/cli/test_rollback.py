"""`retrain rollback`: what it refuses before anything starts, what it asks for, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.fakes import OUTPUTS, FakeStack, history, refusal

SERVING = "config-c"


class Endpoints:
    """SageMaker, with one endpoint or none."""

    def __init__(self) -> None:
        self.config: str | None = SERVING

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if self.config is None:
            raise refusal(
                "ValidationException", "DescribeEndpoint", f"Could not find endpoint {EndpointName}"
            )
        return {"EndpointConfigName": self.config}


def run(run_id: str, outcome: str = "DEPLOYED", dataset: str = "mnist", **fields: Any) -> dict[str, Any]:
    return {
        "pk": f"RUN#{run_id}", "sk": "RUN", "kind": "run", "run_id": run_id, "dataset": dataset,
        "outcome": outcome, "started_at": "2026-08-01T12:00:00.000Z", **fields,
    }  # fmt: skip


def champion(dataset: str = "mnist", earlier: str = "ba") -> dict[str, Any]:
    return {
        "pk": f"ENDPOINT#retrain-{dataset}", "sk": "CHAMPION", "kind": "champion", "run_id": "c",
        "endpoint_name": f"retrain-{dataset}", "endpoint_config_name": SERVING,
        "started_at": "2026-08-01T12:00:00.000Z",
        "predecessors": [{"run_id": each, "endpoint_config_name": f"config-{each}"} for each in earlier],
    }  # fmt: skip


@pytest.fixture
def asked(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the state machine is started with; a run that begins ends at once, as DEPLOYED."""
    inputs: list[dict[str, Any]] = []

    def start(*, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803 - boto3's
        assert stateMachineArn == OUTPUTS["StateMachineArn"]
        inputs.append(json.loads(input) | {"name": name})
        prepared = {"rollout": {"kind": "rollback"}, "decision": {"verdict": "promote"}}
        steps = history(("Prepare", "Task", prepared), ("Deployed", "Succeed", {}))
        stack.states.begin(name, steps)
        stack.ledger.records.append(run(name, reason="The model of the run b serves again."))
        return {"executionArn": name}

    monkeypatch.setattr(stack.states, "start_execution", start, raising=False)
    stack._clients["sagemaker"] = Endpoints()
    stack.ledger.records = [run("a"), run("b"), run("c"), champion()]
    return inputs


def test_the_model_before_serves_again(retrain, asked):
    ended = retrain("rollback")
    assert ended.code == 0
    assert "Going back to the model of the run b." in ended.err
    assert ended.out.splitlines()[-1].startswith("DEPLOYED after")
    assert "The model of the run b serves again." in ended.out
    assert "verdict" not in ended.out
    (request,) = asked
    assert request["dataset"] == {"name": "mnist"}
    assert request["rollback"] == {"to": None, "from_endpoint_config_name": SERVING}
    assert request["trigger"]["kind"] == "manual"
    assert request["name"].startswith("mnist-rollback-20")


def test_a_named_run_may_be_abbreviated(retrain, asked, stack):
    stack.ledger.records.append(run("mnist-0123456789ab-1"))
    assert retrain("rollback", "--to", "mnist-0123").code == 0
    assert asked[0]["rollback"] == {"to": "mnist-0123456789ab-1"}


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("zzz", "There is no run 'zzz'"),
        ("c", "The model of the run c serves already. Models that served before are those of b, a."),
        ("back-to-c", "The model of the run c serves already."),
        ("rejected", "has never served: the run is REJECTED."),
        ("faces-1", "is of the dataset faces, not of mnist."),
        ("gone", "has been removed; the stack's parameter KeepModels says how many are kept."),
    ],
)
def test_what_cannot_be_gone_back_to_starts_nothing(retrain, asked, stack, to, said):
    stack.ledger.records += [
        run("rejected", "REJECTED"),
        run("faces-1", dataset="faces"),
        run("gone", removing_at="2026-08-02T12:00:00.000Z"),
        run("back-to-c", rollback={"to_run_id": "c"}),
    ]
    ended = retrain("rollback", "--to", to)
    assert ended.code == 1
    assert said in ended.err
    assert asked == []


def test_nothing_to_go_back_to(retrain, asked, stack):
    stack.ledger.records = [champion(earlier="")]
    ended = retrain("rollback")
    assert (ended.code, asked) == (1, [])
    assert "There is nothing to go back to: the model of the run c is the first one" in ended.err


def test_a_model_that_could_not_be_written_down_can_be_gone_back_from(retrain, asked, stack):
    stack.ledger.records = [champion(earlier="")]
    stack._clients["sagemaker"].config = "config-d"
    assert retrain("rollback").code == 0
    assert asked[0]["rollback"] == {"to": None, "from_endpoint_config_name": "config-d"}


def test_nothing_was_deployed_yet(retrain, asked, stack):
    stack.ledger.records = []
    assert "No endpoint of the stack 'retrain' has a champion" in retrain("rollback").err
    assert "No model of mnist has been deployed yet" in retrain("rollback", "--dataset", "mnist").err
    assert asked == []


def test_several_endpoints_have_to_be_told_apart(retrain, asked, stack):
    stack.ledger.records.append(champion("faces"))
    ended = retrain("rollback")
    assert (ended.code, asked) == (1, [])
    assert "Which dataset? The stack 'retrain' serves models of faces, mnist." in ended.err
    assert retrain("rollback", "--dataset", "mnist").code == 0


def test_a_rollback_that_fails_says_so_with_its_exit_code(retrain, asked, stack, monkeypatch):
    monkeypatch.setattr("tests.unit.cli.test_rollback.run", lambda name, **_: run_failed(name))
    ended = retrain("rollback")
    assert ended.code == 1
    assert "ROLLED_BACK after" in ended.out


def run_failed(name: str) -> dict[str, Any]:
    return {
        "pk": f"RUN#{name}",
        "sk": "RUN",
        "kind": "run",
        "run_id": name,
        "outcome": "ROLLED_BACK",
        "reason": "No.",
    }


def test_a_model_before_that_was_removed_starts_nothing(retrain, asked, stack):
    stack.ledger.records[1]["removing_at"] = "2026-08-02T12:00:00.000Z"
    ended = retrain("rollback")
    assert (ended.code, asked) == (1, [])
    assert "The model of the run b has been removed" in ended.err
    assert "Models that served before are those of a." in ended.err
