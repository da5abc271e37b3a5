"""Questions about the gate: the policy in force, and past verdicts under other policies."""

import json

import pytest

from retraining import replays
from retraining.errors import HoldoutChangedError, PolicyError, RunNotJudgedError, UnknownEventError
from tests.unit.functions.fakes import labels_csv
from tests.unit.functions.test_evaluation import ARTIFACTS, DATA, LABELS, OUTPUT, World, guesses

RUN_ID = "mnist-0123456789ab-1"
KEY = f"runs/{RUN_ID}/evaluation.json"


@pytest.fixture
def judged(configured, execution):
    """A run that was rejected, because it is worse than the champion."""
    world = World(configured, execution)
    world.endpoints.serve("retrain-mnist", "config-7")
    decision = world.evaluate(predictions=guesses(4), champion_predictions=guesses(2))
    assert decision["verdict"] == "reject"
    return world


def ask(world, event):
    return replays.answer(event, world.settings, world.storage, world.ledger)


def replay(world, **gate):
    return ask(world, {"replay": {"run_id": RUN_ID, "gate": gate}})


def test_a_replay_may_flip_the_verdict_and_writes_nothing(judged):
    before = dict(judged.storage.objects)
    answer = replay(judged, change_threshold=-0.05)
    assert (answer["verdict"], answer["recorded"]["verdict"]) == ("promote", "reject")
    assert answer["gate"]["change_threshold"] == -0.05
    assert answer["recorded"]["gate"]["change_threshold"] == 0.0
    assert judged.storage.objects == before


def test_a_replay_under_the_same_policy_gives_the_same_verdict(judged):
    recorded = json.loads(judged.storage.read(ARTIFACTS, KEY))
    answer = replay(judged)
    for name in ("verdict", "summary", "checks", "metrics", "groups", "confusion", "gate"):
        assert answer[name] == recorded[name]


def test_a_replay_may_ask_for_another_metric(judged):
    answer = replay(judged, metric="macro_f1", value_threshold=0.5, change_threshold=-0.5)
    assert answer["verdict"] == "promote"
    assert answer["metrics"]["metric"] == "macro_f1"


def test_a_replay_refuses_a_wrong_policy(judged):
    with pytest.raises(
        PolicyError, match=r"The field gate\.alpha is 7; it must be a number from 0\.001 to 0\.5\."
    ):
        replay(judged, alpha=7)


@pytest.mark.parametrize("run_id", ["mnist-9-1", "../secrets", "", 7, None])
def test_a_run_that_was_not_judged(judged, run_id):
    with pytest.raises(RunNotJudgedError):
        ask(judged, {"replay": {"run_id": run_id}})


def test_a_run_whose_predictions_were_removed_is_not_judged_by_their_absence(judged):
    judged.storage.delete(ARTIFACTS, OUTPUT)
    with pytest.raises(RunNotJudgedError, match=r"has been removed, .* KeepModels"):
        replay(judged)


def test_a_holdout_that_changed_since(judged):
    judged.storage.put(DATA, "holdout/mnist/labels.csv", labels_csv(LABELS[:-1]))
    with pytest.raises(HoldoutChangedError, match="changed while the challenger trained, or since"):
        replay(judged)


def test_an_evaluation_that_says_too_little(judged):
    judged.storage.put(ARTIFACTS, KEY, b'{"gate": {}}')
    with pytest.raises(RunNotJudgedError, match="does not say what it was about"):
        replay(judged)


def test_the_policy_in_force(judged):
    judged.ledger.policies["mnist"] = {"value_threshold": 0.9}
    answer = ask(judged, {"policy": {"dataset": "mnist"}})
    assert answer["stack"]["value_threshold"] == 0.95
    assert answer["overrides"] == {"value_threshold": 0.9}
    assert answer["gate"]["value_threshold"] == 0.9
    assert ask(judged, {"policy": {}})["gate"] == answer["stack"]


def test_a_proposed_policy_is_tried_without_being_kept(judged):
    answer = ask(judged, {"policy": {"dataset": "mnist", "gate": {"alpha": 0.01}}})
    assert answer["gate"]["alpha"] == 0.01
    assert not judged.ledger.policies
    with pytest.raises(PolicyError, match=r"POLICY#mnist\.alpha is 1"):
        ask(judged, {"policy": {"dataset": "mnist", "gate": {"alpha": 1}}})


def test_events_that_ask_nothing(judged):
    assert ask(judged, {"execution": {}, "input": {}}) is None
    with pytest.raises(UnknownEventError):
        ask(judged, {"replay": "everything"})
