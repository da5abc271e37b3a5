"""What bad training does to a model, what the gate says of it, and would say under other policies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from retrain import cli
from retrain.localcloud import process
from tests.integration.outcomes.conftest import People, Told
from tests.unit.training.digits import idx_bytes

TRAINING = 1000
Digits = np.ndarray[Any, np.dtype[np.uint8]]


def handwritten() -> tuple[Digits, Digits]:
    """The 1,797 handwritten digits that scikit-learn brings along, 8x8 pixels, drawn on MNIST's 28x28."""
    found = load_digits()
    large = np.kron(found.images * 15.9375, np.ones((3, 3)))
    return np.pad(large, ((0, 0), (2, 2), (2, 2))).astype(np.uint8), found.target.astype(np.uint8)


IMAGES, LABELS = handwritten()


def files(images: Digits, labels: Digits) -> dict[str, bytes]:
    return {"train-images-idx3-ubyte": idx_bytes(images), "train-labels-idx1-ubyte": idx_bytes(labels)}


def holdout() -> dict[str, bytes]:
    images, labels = IMAGES[TRAINING:], LABELS[TRAINING:]
    rows = "\n".join(f"{row},{label}" for row, label in enumerate(labels))
    return {
        "t10k-images-idx3-ubyte": idx_bytes(images),
        "t10k-labels-idx1-ubyte": idx_bytes(labels),
        "labels.csv": f"id,label\n{rows}\n".encode(),
    }


def failed(told: Told) -> dict[str, str]:
    return {
        check["name"]: check["sentence"] for check in told.run["decision"]["checks"] if not check["passed"]
    }


@pytest.fixture(scope="module")
def gatekeepers(open_stack: Callable[..., People]) -> People:
    """A stack whose gate tolerates small losses, with a champion that has seen half of the digits."""
    people = open_stack(
        "gatekeepers",
        GateValueThreshold="0.8",
        GateChangeThreshold="-0.02",
        GateSliceMinRows="50",
        GateSliceMaxDrop="0.2",
        # So few digits need small steps and all of them to be learnt well, whatever suits the 60,000.
        TrainingHyperparameters=json.dumps(
            {
                "network": "three-convolutions",
                "epochs": 15,
                "hardest": 1,
                "batch_size": 32,
                "learning_rate": 0.05,
            }
        ),
    )
    people.put_holdout("digits", holdout())
    first = people.upload("digits", files(IMAGES[:TRAINING], LABELS[:TRAINING]))
    assert first.attributes["outcome"] == "DEPLOYED", first.body
    return people


def rejected(people: People, images: Digits, labels: Digits) -> dict[str, str]:
    serving = people.serving("gatekeepers-digits")
    told = people.upload("digits", files(images, labels))
    assert told.attributes["outcome"] == "REJECTED", told.body
    assert people.serving("gatekeepers-digits") == serving
    return failed(told)


def test_a_third_of_wrong_labels(gatekeepers: People) -> None:
    labels, generator = LABELS[:TRAINING], np.random.default_rng(3)
    spoiled = generator.random(TRAINING) < 1 / 3
    wrong = (labels + generator.integers(1, 10, TRAINING)) % 10
    checks = rejected(gatekeepers, IMAGES[:TRAINING], np.where(spoiled, wrong, labels).astype(np.uint8))
    assert "value_threshold" not in checks  # it would do by itself: only the champion shows what is wrong
    assert "points worse than the champion's" in checks["change_threshold"]
    assert "The challenger is significantly worse than the champion" in checks["significance"]


def test_without_the_digit_7(gatekeepers: People) -> None:
    seen = LABELS[:TRAINING] != 7
    checks = rejected(gatekeepers, IMAGES[:TRAINING][seen], LABELS[:TRAINING][seen])
    assert "value_threshold" not in checks
    assert checks["slice_floor"] == (
        "1 of 10 classes and slices is beyond the floor of 50.00 %: class 7 with 0.00 % of 80 rows right."
    )
    assert re.search(r"class 7 from (9|100)", checks["slice_max_drop"])


def test_one_digit_in_a_hundred(gatekeepers: People) -> None:
    checks = rejected(gatekeepers, IMAGES[:TRAINING:100], LABELS[:TRAINING:100])
    assert "is below the required 80.00 %." in checks["value_threshold"]


def test_a_good_challenger_is_promoted(gatekeepers: People) -> None:
    told = gatekeepers.upload("digits", files(IMAGES[1:TRAINING], LABELS[1:TRAINING]))
    assert told.attributes["outcome"] == "DEPLOYED", told.body
    assert "not significantly different" in told.body or "significantly better" in told.body


@pytest.fixture
def retrain(
    local_cloud: process.LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The command, against this stack."""
    for name, value in {**process.environment(local_cloud), "RETRAIN_STACK_NAME": "gatekeepers"}.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, code: int = 0) -> str:
        ended = cli.run(list(arguments))
        captured = capsys.readouterr()
        assert ended == code, captured
        return captured.err if code else captured.out

    return call


def test_a_replay_flips_a_verdict_without_training(gatekeepers: People, retrain: Callable[..., str]) -> None:
    told = gatekeepers.upload("digits", files(IMAGES[:TRAINING:3], LABELS[:TRAINING:3]))
    assert told.attributes["outcome"] == "REJECTED", told.body
    run_id = told.run["run_id"]
    sagemaker = gatekeepers.aws("sagemaker")
    jobs = len(sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"])

    assert json.loads(retrain("gate", "explain", run_id, "--json"))["verdict"] == "reject"
    tolerant = (
        "change_threshold=-1",
        "significance=off",
        "slice_max_drop=off",
        "value_threshold=0.1",
        "slice_floor=0",
    )
    settings = [part for setting in tolerant for part in ("--set", setting)]
    answer = json.loads(retrain("gate", "replay", run_id, *settings, "--json"))
    assert (answer["verdict"], answer["recorded"]["verdict"]) == ("promote", "reject")
    assert "the verdict becomes promote; it was reject" in retrain("gate", "replay", run_id, *settings)
    assert "the verdict stays reject" in retrain("gate", "replay", run_id)
    assert "The field gate.alpha is 7" in retrain("gate", "replay", run_id, "--set", "alpha=7", code=1)

    assert len(sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]) == jobs
    assert gatekeepers.run_record(run_id)["decision"]["verdict"] == "reject"


def test_a_dataset_gets_a_policy_of_its_own(retrain: Callable[..., str]) -> None:
    shown = retrain("gate", "show")
    assert "value_threshold\t0.8\tstack" in shown
    changed = retrain("gate", "set", "other", "value_threshold=0.7", "slice_floor=off", "min_holdout_rows=5")
    assert "value_threshold\t0.7\tdataset other" in changed
    assert "slice_floor\toff\tdataset other" in retrain("gate", "show", "--dataset", "other")
    assert "slice_floor\t0.5\tstack" in retrain("gate", "set", "other", "slice_floor=")
    assert "POLICY#other.metric is 'auc'" in retrain("gate", "set", "other", "metric=auc", code=1)
    assert "value_threshold\t0.7\tdataset other" in retrain("gate", "show", "--dataset", "other")
