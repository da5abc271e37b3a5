"""The tour: what it refuses to call a success."""

# ruff: noqa: N803 (the arguments of fakes are named as boto3 names them)

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from retrain.cli.output import Output
from retrain.datasets import idx, mnist
from retrain.demo import tour
from retrain.errors import DemoError
from retrain.operations.follow import RunEnded
from retrain.operations.predict import Answer
from tests.unit.cli.fakes import DECISION


@pytest.fixture
def data(tmp_path):
    """Twenty test images: image n is bright in column n % 10, and of class n % 10."""
    images = np.zeros((20, 28, 28), np.uint8)
    for row in range(20):
        images[row, :, row % 10] = 255
    labels = np.arange(20, dtype=np.uint8) % 10
    for name, array in (
        (mnist.TRAIN_IMAGES, images),
        (mnist.TRAIN_LABELS, labels),
        (mnist.TEST_IMAGES, images),
        (mnist.TEST_LABELS, labels),
    ):
        idx.write_idx(tmp_path / "mnist" / name, array)
    return mnist.Mnist(tmp_path / "mnist", "a test", 60_000, 10_000)


@pytest.fixture
def told():
    """What the tour has printed."""
    return io.StringIO()


@pytest.fixture
def given(stack, told, tmp_path):
    """A tour, its stack, and an endpoint that answers right."""
    stack.runtime.answer = classify
    stack.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "config-1"}
    stack._clients["sagemaker"] = SimpleNamespace(describe_endpoint=lambda EndpointName: stack.endpoint)
    stack.ledger.records = [
        {"pk": "ENDPOINT#retrain-mnist", "sk": "CHAMPION", "kind": "champion", "run_id": "mnist-1"}
    ]
    output = Output()
    output.out = Console(file=told, width=80)
    return tour._Tour(output, tmp_path, tmp_path / "state", tmp_path)


def classify(body, content_type):
    npy = content_type == "application/x-npy"
    images = np.load(io.BytesIO(body)) if npy else np.frombuffer(body, np.uint8).reshape(1, 28, 28)
    labels = images[:, 0].argmax(axis=1)
    answers = zip(labels.tolist(), np.eye(10)[labels].tolist(), strict=True)
    return {"predictions": [{"label": label, "probabilities": row} for label, row in answers]}


def ended(outcome, accuracy=0.98):
    metrics = {"challenger": {"accuracy": accuracy}}
    return RunEnded("mnist-1", outcome, "because", 1.0, {"decision": {**DECISION, "metrics": metrics}})


def test_answers_that_are_right(given, stack, data, told):
    questions, answers = given.ask(stack, data)
    assert [truth for _, truth in questions] == list(range(10)) == [answer.label for answer in answers]
    out = told.getvalue()
    assert "1. Ask the endpoint retrain-mnist through sagemaker-runtime" in out
    assert "   10 of 10 right" in out
    assert "   Of the first 20 test images, sent in one request, it gets 20 right." in out


def test_an_answer_that_is_wrong(given, stack, data):
    def wrong_about_three(body, content_type):
        answer = classify(body, content_type)
        for item in answer["predictions"]:
            item["label"] = {3: 8}.get(item["label"], item["label"])
        return answer

    stack.runtime.answer = wrong_about_three
    with pytest.raises(DemoError, match="The endpoint's answer for the shown 3 is wrong"):
        given.ask(stack, data)


def test_a_model_that_is_not_deployed_or_not_good_enough(given, stack, data, monkeypatch):
    monkeypatch.setattr(given, "upload_and_watch", lambda *_: ended("FAILED"))
    with pytest.raises(DemoError, match="ended as FAILED, not DEPLOYED: because"):
        given.first_run(stack, data, None)
    monkeypatch.setattr(given, "upload_and_watch", lambda *_: ended("DEPLOYED", 0.9769))
    with pytest.raises(DemoError, match=r"on the 10,000 test images is 97\.69 %, below 97\.7 %"):
        given.first_run(stack, data, None)


def test_less_is_asked_of_a_model_with_less_data(given, stack, data, monkeypatch, told):
    monkeypatch.setattr(given, "upload_and_watch", lambda *_: ended("DEPLOYED", 0.951))
    monkeypatch.setattr(tour.accounts, "add_endpoint", lambda *_: None)
    redeployed = []
    monkeypatch.setattr(tour.stage, "redeploy", lambda *arguments: redeployed.append(arguments[-1]))
    small = mnist.Mnist(data.folder, "a test", 4000, 1000)
    given.adapt(stack, data)
    assert redeployed == []
    given.adapt(stack, small)
    assert redeployed == [tour.SMALL_PARAMETERS]
    given.first_run(stack, small, None)
    out = told.getvalue()
    assert "A model learns less from them: this demo asks for 95.0 %, not 97.7 %." in out
    assert "The accuracy on the 1,000 test images is 95.10 %; this demo asks for 95.0 %." in out


def test_spoiled_data_must_be_rejected(given, stack, data, monkeypatch, told):
    monkeypatch.setattr(given, "upload_and_watch", lambda *_: ended("REJECTED"))
    given.spoiled_run(stack, data, None)
    assert "7 of 20 labels are replaced by wrong ones." in told.getvalue()
    monkeypatch.setattr(given, "upload_and_watch", lambda *_: ended("DEPLOYED"))
    with pytest.raises(DemoError, match="trained on wrong labels ended as DEPLOYED, not REJECTED"):
        given.spoiled_run(stack, data, None)


def test_the_champion_must_be_the_same(given, stack, data, told):
    questions, answers = given.ask(stack, data)
    before = dict(stack.endpoint)
    given.same_champion(stack, "mnist-1", before, questions, answers)
    assert "It is InService with the same endpoint config, config-1." in told.getvalue()
    other = [Answer(answers[0].label, 0.5, answers[0].probabilities), *answers[1:]]
    with pytest.raises(DemoError, match="answers otherwise than before"):
        given.same_champion(stack, "mnist-1", before, questions, other)
    with pytest.raises(DemoError, match="the ledger's champion is mnist-1"):
        given.same_champion(stack, "mnist-0", before, questions, answers)
    stack.endpoint["EndpointConfigName"] = "config-2"
    with pytest.raises(DemoError, match="config-2"):
        given.same_champion(stack, "mnist-1", before, questions, answers)


def test_an_early_end_says_that_nothing_is_left(monkeypatch, capsys):
    def fail(_):
        raise DemoError("no")

    monkeypatch.setattr(tour._Tour, "give", fail)
    with pytest.raises(DemoError):
        tour.run(Output())
    assert "The demo ended early. Nothing of it runs any more; its log is" in capsys.readouterr().err
