"""Settings as template.yaml hands them over."""

import pytest

from retraining import plans, settings
from retraining.errors import SettingsError
from retraining.requests import RetrainRequest, TrainingRequest, Trigger
from tests.unit.functions import stack

FUNCTIONS = [name for name, body in stack.RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"]
REQUEST = RetrainRequest("mnist", "datasets/mnist/", Trigger(), TrainingRequest(), {}, force=False)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_gets_all_settings(function):
    loaded = settings.from_environment(stack.environment(function))
    assert loaded.stack_name == "retrain"
    assert loaded.training.image_uri == stack.IMAGE
    assert loaded.training.allowed_repositories == ()
    assert loaded.training.hyperparameters == {"epochs": "3"}
    assert loaded.gate["value_threshold"] == "0.95"


def test_start_retraining_knows_its_machine_and_queue():
    loaded = settings.from_environment(stack.environment("StartRetrainingFunction"))
    assert loaded.state_machine_arn == stack.NAMES["StateMachine"]
    assert loaded.arrival.delay_queue_arn == stack.arn("DelayQueue")
    assert loaded.arrival.delay_queue_url
    assert (loaded.guards.max_runs_per_day, loaded.guards.max_concurrent_runs) == (24, 1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATA_BUCKET", "", "DATA_BUCKET is not set"),
        ("STACK_NAME", "Retrain", "lower-case"),
        ("STACK_NAME", "a" * 31, "at most 30"),
        ("TRAINING_INSTANCE_COUNT", "two", "must be a whole number"),
        ("TRAINING_HYPERPARAMETERS", "{", "must be a JSON object"),
        ("TRAINING_HYPERPARAMETERS", "[]", "must be a JSON object"),
    ],
)
def test_unusable_settings_are_named(name, value, said):
    with pytest.raises(SettingsError, match=said):
        settings.from_environment(stack.environment("NotifyFunction") | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRAINING_IMAGE_URI", "not an image", "TrainingImageUri"),
        ("TRAINING_SOURCE_S3_URI", "s3://elsewhere/sources/x.tar.gz", "TrainingSourceS3Uri"),
    ],
)
def test_a_plan_refuses_unusable_parameters(name, value, said):
    loaded = settings.from_environment(stack.environment("NotifyFunction") | {name: value})
    with pytest.raises(SettingsError, match=said):
        plans.training_plan(REQUEST, loaded)


def test_the_environment_is_read_once(monkeypatch):
    settings.load.cache_clear()
    for name, value in stack.environment("NotifyFunction").items():
        monkeypatch.setenv(name, value)
    first = settings.load()
    monkeypatch.setenv("STACK_NAME", "other")
    assert settings.load() is first
    settings.load.cache_clear()
