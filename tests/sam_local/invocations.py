"""Each function with each of its events, built and run in Docker by the SAM CLI: ``make sam-local``.

The functions are those that ``sam deploy`` would upload, with their layer, in Lambda's image; the AWS that
they call is the local cloud. Not collected with the other tests, since it needs Docker.
"""

from __future__ import annotations

import pytest

from tests.sam_local.conftest import Invoke
from tests.samples.checking import check
from tests.samples.expected import EXPECTED
from tests.samples.world import World, function_of

ONE_OF_EACH = sorted({function_of(event): event for event in sorted(EXPECTED, reverse=True)}.values())
"""An event for each function."""


@pytest.mark.parametrize("event", sorted(EXPECTED))
def test_invoking_a_function_with_an_event(event: str, world: World, invoke: Invoke) -> None:
    invoked = invoke(event)
    check(EXPECTED[event], world, answer=invoked.answer, error=invoked.error, log=invoked.log)


@pytest.mark.parametrize("event", ONE_OF_EACH)
def test_sam_local_invoke_with_an_event(event: str, world: World, invoke_once: Invoke) -> None:
    invoked = invoke_once(event)
    check(EXPECTED[event], world, answer=invoked.answer, error=invoked.error, log=invoked.log)
