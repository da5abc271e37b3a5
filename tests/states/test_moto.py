"""Where moto's interpreter does what is expected, ours and moto's give the same."""

import json

import pytest

from tests.states import casefiles, moto_interpreter
from tests.states.conformance import execute, same
from tests.states.moto_interpreter import AGREES, Outcome

CASES = {case.name: case for case in casefiles.read()}
NAMES = json.loads(AGREES.read_text())


@pytest.fixture(scope="module")
def moto():
    with moto_interpreter.interpreter() as client:
        yield client


def _ours(case):
    if case.refused:
        return Outcome("REFUSED")
    execution, _ = execute(case)
    return Outcome(execution.status, execution.output, execution.error)


@pytest.mark.parametrize("name", NAMES)
def test_moto_and_the_engine_give_the_same(name, moto):
    case = CASES[name]
    theirs, ours = moto_interpreter.ask(moto, case), _ours(case)
    assert ours.status == theirs.status
    assert same(ours.output, theirs.output)
    if "error" in case.expect:
        assert ours.error == theirs.error


def test_moto_is_asked_often_enough_to_mean_something():
    assert len(NAMES) >= 250
    assert set(NAMES) <= CASES.keys()
