"""One theatre for each module: stages are dear, and many cases share one."""

from collections.abc import Iterator

import pytest

from tests.workflow.faults.stage import Theatre


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    opened = Theatre()
    yield opened
    opened.close()
