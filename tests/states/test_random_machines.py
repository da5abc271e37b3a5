"""Whatever a well-formed machine does, it ends, keeps to the limits, and does the same when run again."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings

from retrain.states.data import jsonataengine
from retrain.states.errors import DefinitionError
from retrain.states.execution import Engine, FunctionRunner, SeededEntropy, VirtualClock
from retrain.states.model import parse, to_definition
from retrain.states.timeline import read
from retrain.states.validation import validate
from tests.exploring import examples
from tests.states.conformance import Answers, Objects
from tests.states.histories import Onlooker, losses, misnumbered
from tests.states.machines import Specimen, damaged, specimens

LIMIT = 262_144
assert jsonataengine  # imported first: it raises Python's recursion limit, and Hypothesis watches over that


class _Troubles(logging.Handler):
    """Keeps what the engine reports as its own fault."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.heard = []

    def emit(self, record):
        self.heard.append(self.format(record))


@pytest.fixture(scope="module")
def troubles():
    handler = _Troubles()
    logger = logging.getLogger("retrain.states")
    logger.addHandler(handler)
    yield handler.heard
    logger.removeHandler(handler)


def _run(specimen: Specimen, on_change=None):
    clock = VirtualClock()
    answers = Answers(specimen.tasks, clock)
    engine = Engine(answers, clock=clock, entropy=SeededEntropy(), items=Objects({}), on_change=on_change)
    answers.tokens = engine.tokens
    execution = engine.create(parse(specimen.definition), specimen.given, name="random")
    clock.run(lambda: engine.run(execution))
    return execution


def _outcome(execution):
    return execution.status, execution.output, execution.error, execution.cause, list(execution.history)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(specimen=specimens())
def test_a_random_machine(specimen, troubles):
    assert [each for each in validate(specimen.definition) if each.severity == "ERROR"] == []
    assert to_definition(parse(specimen.definition)) == specimen.definition
    onlooker = Onlooker()
    execution = _run(specimen, onlooker)
    assert troubles == []
    assert execution.status in {"SUCCEEDED", "FAILED", "TIMED_OUT"}
    events = list(execution.history)
    assert len(events) <= 25_000
    for event in events:
        for details in (value for key, value in event.items() if key.endswith("EventDetails")):
            for what in ("input", "output"):
                assert len(details.get(what, "").encode()) <= LIMIT
    assert [*losses(events), *misnumbered(events)] == []
    assert list(onlooker.faults(read(events))) == []
    journal = json.loads(json.dumps(execution.journal()))
    assert _outcome(Engine().restore(parse(specimen.definition), journal)) == _outcome(execution)
    assert _outcome(_run(specimen)) == _outcome(execution)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(specimen=damaged())
def test_a_damaged_machine_is_refused_or_runs(specimen, troubles):
    errors = [each for each in validate(specimen.definition) if each.severity == "ERROR"]
    if errors:
        with pytest.raises(DefinitionError):
            parse(specimen.definition)
        return
    execution = _run(specimen)
    assert troubles == []
    assert execution.status in {"SUCCEEDED", "FAILED", "TIMED_OUT"}
    assert list(losses(list(execution.history))) == []


def test_data_that_doubles_ends_at_the_limit():
    doubled = {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}}
    states = {f"S{n}": {**doubled, "Next": f"S{n + 1}"} for n in range(40)} | {"S40": {"Type": "Succeed"}}
    execution = _run(Specimen({"StartAt": "S0", "States": states}, "x" * 1000, {}))
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_machine_that_never_ends_is_ended_by_its_history():
    never = {"Variable": "$.n", "NumericEquals": 1, "Next": "End"}
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [never], "Default": "A"},
        "End": {"Type": "Succeed"},
    }
    execution = _run(Specimen({"StartAt": "A", "States": states}, {"n": 0}, {}))
    assert execution.status == "FAILED"
    assert len(execution.history) == 25_000
    assert execution.history[-1]["type"] == "ExecutionFailed"


def test_a_task_that_is_broken_fails_its_state_and_not_the_engine(caplog):
    def broken(call):
        raise KeyError("nobody thought of this")

    machine = parse(
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Task",
                    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
                    "End": True,
                }
            },
        }
    )
    execution = Engine(FunctionRunner(broken), clock=VirtualClock()).run_to_end(machine, {})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "nobody thought of this" in execution.cause
    assert "failed unexpectedly" in caplog.text
