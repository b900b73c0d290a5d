"""Two facts about tapes that the allocator and the garbage collector cannot know by themselves."""

import contextlib
import ctypes
import gc
import os
from pathlib import Path

__all__ = ["tune_gc"]


LARGEST_KEPT = 32 << 20
"""Larger blocks always go back to the system; glibc allows no more."""
MOST_KEPT = 1 << 30
SHARE_KEPT = 16
"""At most one part in so many of the machine's memory is kept."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Variables by which users tell glibc what to do."""


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for the next array of the same size.

    glibc gives the top of its heap back to the system whenever 128 kB there are free, and takes it again, page fault
    by page fault, for the next array: a gradient of 10^4 to 10^6 elements spends most of its time so. Raised limits
    let it keep up to 1 GiB, or a sixteenth of the machine's memory if that is less, which was in use before. Other
    C libraries have no such limits, and limits that the environment sets stay as they are.
    """
    if os.name != "posix" or any(os.environ.get(name) for name in SETTINGS):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version"):
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        library.mallopt(M_TRIM_THRESHOLD, min(MOST_KEPT, _memory() // SHARE_KEPT))


def _memory() -> int:
    """Bytes of the machine, or as many as its control group may use."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            sizes.append(int(Path("/sys/fs/cgroup", name).read_text()))
    return min(sizes)


def tune_gc(young: int = 50_000) -> tuple[int, int, int]:
    """Have Python look for reference cycles less often, in programs that record long tapes.

    A tape has no cycles and is freed by reference counting alone, yet the collector looks through all its nodes again
    and again while it grows: half of the time of a loop of 10^5 iterations. This is your process, so wengert leaves
    the choice to you.

    Parameters
    ----------
    young : int
        New objects between two looks at the young ones (Python's own choice is 700).

    Returns
    -------
    tuple of int
        The thresholds as they were, for ``gc.set_threshold``.

    Examples
    --------
    >>> import gc
    >>> import wengert as wg
    >>> before = wg.tune_gc()
    >>> gc.get_threshold()
    (50000, 20, 100)
    >>> gc.set_threshold(*before)
    """
    before = gc.get_threshold()
    gc.set_threshold(young, 20, 100)
    return before
