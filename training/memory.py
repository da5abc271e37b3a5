"""Tells the C library to keep memory that is freed: training frees and takes the same megabytes at each step.

glibc gives large blocks back to the system when they are freed. The next ones come as pages that the system
has to find, clear and map again: a quarter of a small network's training time on a CPU.
"""

from __future__ import annotations

import ctypes

# glibc's malloc.h, "mallopt options"; other C libraries have no such function, or other numbers.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_BLOCK = 32 * 2**20  # glibc takes no more; larger blocks come from the system each time, as before
LARGEST_REST = 2**30


def keep_freed_memory() -> bool:
    """Let this process reuse the memory that it frees, up to 1 GiB; tell whether that is possible here."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK) and library.mallopt(M_TRIM_THRESHOLD, LARGEST_REST)
    )
