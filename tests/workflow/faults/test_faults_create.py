"""Every fault of every state, where an endpoint is created: the promises hold, the table says what comes."""

import pytest

from tests.workflow.faults import table
from tests.workflow.faults.checks import check
from tests.workflow.faults.ways import CREATE, cases, play

CASES = list(enumerate(cases(CREATE)))


@pytest.mark.parametrize(("number", "case"), CASES, ids=lambda part: str(part))
def test_what_happens(theatre, number, case):
    played = play(theatre.stage(), case, number)
    check(played)
    assert played.cell() == table.documented()[case.fault.state, CREATE][case.fault.kind]


def test_the_table_has_these_states_and_no_others():
    listed = {state for state, scenario in table.documented() if scenario == CREATE}
    assert listed == {case.fault.state for _, case in CASES}
