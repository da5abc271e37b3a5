"""Going back: to the model before, to a named one, and every reason why not, before anything happens."""

from dataclasses import replace
from typing import Any

import pytest

from retraining import champions, messages, outcomes, records, requests, rollbacks, settings
from retraining.errors import EndpointBusyError, EndpointUnusableError, RequestError, RollbackError
from retraining.executions import Execution
from tests.unit.functions import stack
from tests.unit.functions.fakes import FakeEndpoints, FakeLedger, FakeStorage, fake_ports

ENDPOINT = "retrain-mnist"
NOW = "2026-02-01T12:00:00.000Z"
METRICS = {"metric": "accuracy", "challenger": {"accuracy": 0.98}, "champion": None}
DECISION = {
    "verdict": "promote",
    "summary": "Better.",
    "checks": [{"name": "value_threshold", "passed": True, "sentence": "Good enough."}],
    "metrics": METRICS,
}


class World:
    """A stack in which the runs a, b and c were deployed one after the other."""

    def __init__(self) -> None:
        self.settings = settings.from_environment(stack.environment("PrepareTrainingFunction"))
        self.ledger, self.endpoints = FakeLedger(), FakeEndpoints()
        self.ports = fake_ports(FakeStorage(), self.ledger)
        self.runs = 0
        previous = None
        for run_id in "abc":
            self.deploy(run_id, previous)
            previous = run_id

    def deploy(self, run_id: str, previous: str | None) -> None:
        config = f"config-{run_id}"
        self.runs += 1
        record = {
            "kind": "run",
            "run_id": run_id,
            "dataset": "mnist",
            "outcome": "DEPLOYED",
            "endpoint_name": ENDPOINT,
            "endpoint_config_name": config,
            "model_name": f"{config}-model",
            "holdout_version": "h",
            "dataset_version": f"v-{run_id}",
            "dataset_order": self.runs,
            "started_at": f"2026-01-0{self.runs}",
            "finished_at": f"2026-01-0{self.runs}",
            "previous_endpoint_config_name": f"config-{previous}" if previous else None,
            "decision": DECISION,
        }
        self.ledger.put_run(record)
        self.ledger.put_champion(champions.succeed(record, {}, self.ledger.get_champion(ENDPOINT)))
        self.endpoints.serve(ENDPOINT, config)

    def prepare(self, to: str | None = None, run_id: str = "r1", **request: Any) -> dict[str, Any]:
        payload = {"dataset": {"name": "mnist"}, "rollback": {"to": to}, **request}
        execution = Execution(f"arn:{run_id}", run_id, NOW)
        return rollbacks.prepare(payload, execution, self.settings, self.ports, self.endpoints)

    def finish(self, state: dict[str, Any]) -> dict[str, Any]:
        """Deploy what was prepared, and record it."""
        run, config = state["run"], state["names"]["endpoint_config"]
        previous = state["run"]["rollback"]["from_endpoint_config_name"]
        self.endpoints.serve(ENDPOINT, config)
        state = {
            **state,
            "claim": {"granted": True, "action": "update", "previous_endpoint_config_name": previous},
        }
        execution = Execution(run["execution_arn"], run["id"], run["started_at"])
        finished = records.finished(state, execution, "DEPLOYED", NOW, stack_name="retrain")
        return outcomes.record(finished, state, self.settings, FakeStorage(), self.endpoints, self.ledger)


@pytest.fixture
def world() -> World:
    return World()


def test_the_model_before_is_gone_back_to_as_it_was(world):
    state = world.prepare()
    assert state["run"]["kind"] == "rollback"
    assert state["run"]["rollback"]["to_run_id"] == "b"
    assert state["run"]["rollback"]["from_run_id"] == "c"
    assert state["run"]["dataset_version"] == "v-b"
    assert state["names"]["endpoint_config"] == "config-b"
    assert state["names"]["model"] == "config-b-model"
    assert state["names"]["endpoint"] == ENDPOINT
    assert state["champion"]["endpoint_config_name"] == "config-c"
    assert state["rollout"]["kind"] == "rollback"
    assert not state["rollout"]["approval"]["required"]
    assert state["rollout"]["verify"]["s3_uri"].endswith("/runs/b/verify.jsonl")
    assert state["decision"] == DECISION
    assert state["job"]["model_data_url"] == "s3://artifacts/config-b/model.tar.gz"
    assert state["skip"]["skipped"] is False


def test_a_serverless_model_goes_back_to_a_serverless_one(world):
    for config in ("config-b", "config-c"):
        world.endpoints.models[config] = replace(world.endpoints.models[config], serving_mode="serverless")
    rollout = world.prepare()["rollout"]
    assert (rollout["guardable"], rollout["strategy"]) == (False, "all_at_once")


def test_a_model_that_was_served_another_way_is_not_gone_back_to(world):
    world.endpoints.models["config-b"] = replace(
        world.endpoints.models["config-b"], serving_mode="serverless"
    )
    with pytest.raises(
        RollbackError, match="is realtime now, and the model of the run b was served serverless"
    ):
        world.prepare()


def test_it_has_what_the_state_machine_takes_from_prepare(world):
    definition = stack.ROOT / "statemachine/retrain.asl.json"
    wanted = {
        line.split('"')[1].removesuffix(".$")
        for line in definition.read_text().split('"ResultSelector": {', 1)[1].split("}", 1)[0].splitlines()
        if '"' in line
    }
    assert wanted == set(world.prepare())


def test_it_is_written_down_as_a_run_of_its_own(world):
    world.prepare()
    record = world.ledger.runs["r1"]
    assert record["outcome"] == "RUNNING"
    assert record["rollback"]["to_run_id"] == "b"
    assert record["training_job_name"] is None
    assert world.ledger.slots == {}
    assert world.ledger.days == {}


def test_what_it_goes_back_to_is_kept_meanwhile(world):
    world.prepare()
    assert world.ledger.runs["b"]["pinned_by"] == "r1"


def test_back_and_back_again_and_then_there_is_nothing(world):
    first = world.finish(world.prepare(run_id="r1"))
    assert (first["outcome"], first["reason"]) == (
        "DEPLOYED",
        "The model of the run b serves again instead of that of the run c.",
    )
    assert first["model_name"] == "config-b-model"
    assert first["serving"]["run_id"] == "b"
    assert first["cost_estimate"]["usd"] == 0
    second = world.finish(world.prepare(run_id="r2"))
    assert second["serving"]["run_id"] == "a"
    champion = world.ledger.get_champion(ENDPOINT)
    assert (champion["accuracy"], champion["dataset_order"]) == (0.98, 1)
    with pytest.raises(RollbackError, match="There is nothing to go back to"):
        world.prepare(run_id="r3")


def test_a_named_run_is_gone_back_to(world):
    assert world.prepare("a")["run"]["rollback"]["to_run_id"] == "a"


def test_a_named_rollback_means_the_run_that_it_went_back_to(world):
    world.finish(world.prepare("a", run_id="r1"))
    world.finish(world.prepare("c", run_id="r2"))
    assert world.prepare("r1", run_id="r3")["run"]["rollback"]["to_run_id"] == "a"


def test_what_the_ledger_missed_is_gone_back_from_to_what_it_knows(world):
    """The deployment of d could not be written down."""
    world.endpoints.serve(ENDPOINT, "retrain-d")
    world.ledger.put_run({"run_id": "d", "dataset": "mnist", "outcome": "RUNNING"})
    rollback = world.prepare()["run"]["rollback"]
    assert (rollback["to_run_id"], rollback["from_run_id"]) == ("c", "d")


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("nowhere", "The ledger knows no run nowhere: 'retrain runs' lists those there are."),
        ("c", "serves the model of the run c already. Models that served before are those of b, a."),
        ("other", "is of the dataset faces, not of mnist"),
        ("rejected", "has never served: the run is REJECTED. Models that served before are those of b, a."),
        ("alarmed", "has never served: the run is ROLLED_BACK"),
    ],
)
def test_what_cannot_be_gone_back_to(world, to, said):
    world.ledger.put_run({"run_id": "other", "dataset": "faces", "outcome": "DEPLOYED"})
    world.ledger.put_run({"run_id": "rejected", "dataset": "mnist", "outcome": "REJECTED"})
    alarmed = {"outcome": "ROLLED_BACK", "endpoint_config_name": "config-x", "model_name": "x"}
    world.ledger.put_run({"run_id": "alarmed", "dataset": "mnist", **alarmed})
    with pytest.raises(RollbackError) as raised:
        world.prepare(to)
    assert said in str(raised.value)
    assert "r1" not in world.ledger.runs


def test_a_model_that_was_removed_is_named_with_those_that_are_left(world):
    del world.endpoints.models["config-b"]
    with pytest.raises(RollbackError, match=r"of the run b .* has been removed.*KeepModels.*those of a\."):
        world.prepare()


def test_a_model_that_is_being_removed_is_gone_already(world):
    world.ledger.runs["b"]["removing_at"] = NOW
    with pytest.raises(RollbackError, match="has been removed"):
        world.prepare()


def test_an_endpoint_that_is_being_updated_is_waited_for(world):
    world.endpoints.serve(ENDPOINT, "config-c", "Updating")
    with pytest.raises(EndpointBusyError):
        world.prepare()


def test_an_endpoint_that_failed_is_made_anew_with_the_model_before(world):
    world.endpoints.serve(ENDPOINT, "config-c", "Failed")
    state = world.prepare()
    assert state["run"]["rollback"]["to_run_id"] == "b"
    assert state["champion"] is None


def test_an_endpoint_that_needs_a_person_says_so(world):
    world.endpoints.serve(ENDPOINT, "config-c", "UpdateRollbackFailed")
    with pytest.raises(EndpointUnusableError):
        world.prepare()


def test_without_an_endpoint_there_is_nothing_to_go_back_from(world):
    del world.endpoints.endpoints[ENDPOINT]
    with pytest.raises(RollbackError, match="There is no endpoint retrain-mnist"):
        world.prepare()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"rollback": {"to": 7}}, "The field rollback.to is 7; it must be a text."),
        ({"rollback": {"to": "../x"}}, "The field rollback.to is '../x'; it must be the id of a run."),
        (
            {"rollback": {"too": "a"}},
            "The field rollback.too is unknown here; known are from_",
        ),
        ({"rollback": True}, "The field rollback is True; it must be a JSON object."),
        ({"rollback": {}, "gate": {"metric": "accuracy"}}, "The field gate means nothing beside rollback"),
        ({"rollback": {}, "training": {}}, "The field training means nothing beside rollback"),
        ({"rollback": {}, "force": True}, "The field force means nothing beside rollback"),
    ],
)
def test_requests_that_are_none(world, request_, said):
    with pytest.raises(RequestError) as raised:
        world.prepare(**request_)
    assert said in str(raised.value)


def test_of_two_who_go_back_at_once_one_does(world):
    wish = {"to": None, "from_endpoint_config_name": "config-c"}
    world.finish(world.prepare(rollback=wish))
    with pytest.raises(RollbackError) as raised:
        world.prepare(run_id="r2", rollback=wish)
    assert "has changed since this was asked for: it serves the model of b now" in str(raised.value)


def test_no_event_goes_back(world):
    policy = requests.RequestPolicy("data", "artifacts", stack.IMAGE, ())
    with pytest.raises(RequestError, match="which no event may: 'retrain rollback' does it"):
        requests.parse({"dataset": {"name": "mnist"}, "rollback": {"to": None}}, policy)
    assert requests.parse({"dataset": {"name": "mnist"}, "rollback": None}, policy).rollback is None


def test_people_read_what_serves_again_and_why(world):
    message = messages.render(world.finish(world.prepare()))
    assert message.subject == "Retrain mnist: an earlier model serves again, accuracy 98.00 %"
    assert "To go back to the model of the run b, from that of c; by hand." in message.body
    assert "The model of the run b serves again instead of that of the run c." in message.body
    assert "[passed] Good enough." in message.body
    assert "The endpoint retrain-mnist serves the model of the run b, accuracy 98.00 %." in message.body
