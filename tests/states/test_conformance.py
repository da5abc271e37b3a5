"""Every conformance case is a test of its name."""

import pytest

from tests.states import casefiles
from tests.states.conformance import differences

CASES = casefiles.read()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.subject}: {case.name}")
def test_conformance(case):
    assert list(differences(case)) == []


def test_the_cases_are_in_form():
    assert list(casefiles.faults(CASES)) == []


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) >= 300
    assert sum(case.refused for case in CASES) >= 60
