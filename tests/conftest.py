"""What holds for all tests."""

import functools
import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore import loaders
from hypothesis import settings

from tests import quick_moto
from tests.exploring import PROFILE, examples

TESTS = Path(__file__).parent

LONG = ("e2e", "integration", "unit/training", "workflow/faults")
"""Where the tests are that wait for other processes, seconds each."""

# How long an example takes says how busy the machine is, not whether it is right. Every change is judged by
# the same examples; `make explore` looks for new ones.
settings.register_profile("retrain", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=examples(100), print_blob=True)
settings.load_profile(PROFILE)

# Networks as small as those of the tests take longer on two threads than on one, and two wait by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell's background jobs ignore Ctrl-C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long tests first, so that none of them is all that is left to do in the end."""
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """Shorten what the tests that were found have imported, and let the garbage collector leave it alone."""
    quick_moto.shorten()
    gc.collect()
    gc.freeze()


def _place(item: pytest.Item) -> int:
    if not item.path.is_relative_to(TESTS):
        return len(LONG)
    path = item.path.relative_to(TESTS).as_posix()
    return next((place for place, folder in enumerate(LONG) if path.startswith(f"{folder}/")), len(LONG))


def _share_models() -> None:
    """Let boto3's sessions share what botocore reads of its services, which takes longer than most tests."""
    make = loaders.Loader.__init__

    @functools.wraps(make)
    def shared(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self._cache = _read.setdefault(tuple(self.search_paths), {})

    loaders.Loader.__init__ = shared


_read: dict[tuple[str, ...], dict[Any, Any]] = {}
_share_models()
