"""What the tests of the functions share: settings, an execution, and AWS as moto plays it."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from retraining import settings
from retraining.aws import clients
from retraining.executions import Execution
from retraining.settings import Settings
from tests.unit.functions import stack

# Powertools reads these when a handler's module is loaded, as Lambda has set them by then.
os.environ |= {
    name: value
    for name, value in stack.environment("NotifyFunction").items()
    if name.startswith("POWERTOOLS_")
}


@pytest.fixture
def configured() -> Settings:
    """The settings that template.yaml gives the function with the most of them."""
    variables = stack.environment("PrepareTrainingFunction") | stack.environment("StartRetrainingFunction")
    return settings.from_environment(variables)


@pytest.fixture
def execution() -> Execution:
    """An execution started by an upload."""
    arn = f"arn:aws:states:{stack.REGION}:{stack.ACCOUNT}:execution:retrain:mnist-0123456789ab-1"
    return Execution(arn, "mnist-0123456789ab-1", "2026-01-31T12:00:00.000Z")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stack of template.yaml in moto, and this process configured as its functions are."""
    own = stack.environment("PrepareTrainingFunction") | stack.environment("StartRetrainingFunction")
    variables = own | {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": stack.REGION,
        "MOTO_ACCOUNT_ID": stack.ACCOUNT,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    settings.load.cache_clear()
    # Clients are kept from test to test, as from one invocation to the next: moto plays for them all.
    with mock_aws():
        stack.create(clients.client)
        yield
    settings.load.cache_clear()
