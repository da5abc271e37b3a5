"""Memory that is freed and taken again is the same memory, not new pages of the system."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import memory

# Takes 24 MB, writes and frees them, as a training does; prints how many pages the system had to give.
PROGRAM = """
import ctypes, resource, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "keep":
    import memory
    assert memory.keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
def use():
    block = library.malloc(24 << 20)
    ctypes.memset(block, 1, 24 << 20)
    library.free(block)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
FOLDER = Path(memory.__file__).parent


def pages_given(how: str) -> int:
    command = [sys.executable, "-c", PROGRAM, str(FOLDER), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="not the GNU C library")
def test_freed_memory_is_used_again() -> None:
    pages = 24 * 2**20 // resource.getpagesize()

    assert pages_given("keep") < pages / 10


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())

    assert memory.keep_freed_memory() is False
