"""Two facts about tapes that the allocator and the garbage collector cannot know by themselves."""

import gc

import numpy as np

__all__ = ["tune_gc"]


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for the next array of the same size.

    glibc gives the top of its heap back to the system whenever 128 kB there are free, and takes it again, page fault
    by page fault, for the next array: at 10^4 elements a gradient spends three quarters of its time so. Freeing one
    large block (of at most 32 MiB, beyond which glibc does not learn) raises that limit to twice its size. The block
    is never touched, so it costs no memory.
    """
    np.empty(30 << 20, np.uint8)


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
