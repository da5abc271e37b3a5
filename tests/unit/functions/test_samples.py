"""Every file in ``events/`` is fed to its handler, and comes out as `tests.samples.expected` says.

Those of CodePipeline are fed to theirs in test_codepipeline_job, because moto does not play that service.
"""

import importlib
import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from retraining import settings
from retraining.aws import clients
from tests.samples.checking import check, differences
from tests.samples.expected import EXPECTED
from tests.samples.world import World, environment, function_of
from tests.unit.functions import stack

EVENTS = stack.ROOT / "events"
NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """What the events speak of, in moto."""
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    place = {"AWS_DEFAULT_REGION": stack.REGION, "MOTO_ACCOUNT_ID": stack.ACCOUNT}
    for variable, value in (credentials | place).items():
        monkeypatch.setenv(variable, value)
    with mock_aws():
        made = World(clients.client)
        made.create()
        yield made
    settings.load.cache_clear()


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("codepipeline_")])
def test_what_comes_of_an_event(name, world, monkeypatch, capsys):
    function = function_of(name)
    for variable, value in environment(function).items():
        monkeypatch.setenv(variable, value)
    settings.load.cache_clear()
    module, _, attribute = stack.properties(function)["Handler"].rpartition(".")
    app: Any = importlib.import_module(module)
    log = io.StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", log)
    answer = error = None
    try:
        answer = getattr(app, attribute)(
            json.loads((EVENTS / f"{name}.json").read_text()), SimpleNamespace(aws_request_id="1")
        )
    except Exception as raised:  # noqa: BLE001 - whatever a function raises, Lambda tells
        error = (type(raised).__name__, str(raised))
    check(EXPECTED[name], world, answer=answer, error=error, log=log.getvalue())


def test_every_event_has_an_expectation_and_a_function():
    assert sorted(EXPECTED) == NAMES
    for name in NAMES:
        assert stack.RESOURCES[function_of(name)]["Type"] == "AWS::Serverless::Function"


def test_every_function_has_an_event():
    functions = {
        name for name, body in stack.RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"
    }
    assert {function_of(name) for name in NAMES} == functions


@pytest.mark.parametrize(
    ("expected", "actual", "count"),
    [
        ({"a": {"b": "part"}}, {"a": {"b": "a part of it", "c": 1}}, 0),
        ({"a": {"b": "part"}}, {"a": {"b": "nothing"}}, 1),
        ({"a": {"b": 1}}, {"a": None}, 1),
        ({"a": [], "b": True}, {"a": [1], "b": False}, 2),
        ({"a": "x"}, None, 1),
    ],
)
def test_differences(expected, actual, count):
    assert len(differences(expected, actual)) == count
