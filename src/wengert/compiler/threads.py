"""Threads that help with long loops.

The threads are the system's, unknown to Python: what they run, native code that waits for work and takes it in chunks,
never needs the GIL (`assembly/pool.ll`). Handing a loop to ``concurrent.futures`` instead costs 20 to 40 µs and needs
the GIL on both sides; waking a helper here costs 5.

There are as many as the process may use cores: by its affinity, its control group's share of time, and
``WENGERT_THREADS``. A loop takes fewer where NumPy's BLAS is limited to fewer, as by `threadpoolctl`.
"""

import atexit
import ctypes
import functools
import math
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from wengert.compiler.assembly import FIELDS, index
from wengert.compiler.locks import made_once

__all__ = ["cores", "new_mutex", "pool", "pthreads", "renew_mutex", "start", "symbols"]

NAMES = ("pthread_mutex_lock", "pthread_mutex_unlock", "pthread_cond_wait", "pthread_cond_signal", "clock_gettime")
"""What the native code calls."""
ROOM = 16
"""Words for a mutex or condition; the largest known take 8."""
PATIENCE = 50_000
"""Nanoseconds for which a thread looks for more work, or for the end of others', before it sleeps."""
_threads: list[ctypes.c_size_t] = []
_lock = threading.Lock()
_kept: list[np.ndarray] = []


@functools.cache
def pthreads() -> Any:
    """The C library with its threads; `None` where there is none (Windows)."""
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None)
    wanted = (*NAMES, *(f"pthread_{name}" for name in ("mutex_init", "cond_init", "cond_broadcast", "create", "join")))
    return library if all(hasattr(library, name) for name in wanted) else None


def symbols() -> dict[str, int | None]:
    """Addresses of the functions that the native code calls; any, where it will not."""
    library = pthreads() or ctypes.pythonapi
    names = NAMES if pthreads() is not None else ["Py_IsInitialized"] * len(NAMES)
    return {
        known: ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        for known, name in zip(NAMES, names, strict=True)
    }


def new_mutex() -> np.ndarray:
    """Memory with a mutex in it, never freed."""
    return _new("pthread_mutex_init")


def renew_mutex(address: int) -> None:
    """Make a mutex as new, whoever held it: in a child process they are gone."""
    _renew("pthread_mutex_init", address)


def _new(initialise: str) -> np.ndarray:
    memory = np.zeros(ROOM, np.uint64)
    _kept.append(memory)
    _renew(initialise, memory.ctypes.data)
    return memory


def _renew(initialise: str, address: int) -> None:
    ctypes.memset(address, 0, 8 * ROOM)
    getattr(pthreads(), initialise)(ctypes.c_void_p(address), None)


@made_once
def pool() -> np.ndarray | None:
    """The record that callers and helpers share."""
    if pthreads() is None:
        return None
    record = np.zeros(len(FIELDS["pool"]), np.uint64)
    record[index("pool.mutex")] = new_mutex().ctypes.data
    record[index("pool.work")] = _new("pthread_cond_init").ctypes.data
    record[index("pool.done")] = _new("pthread_cond_init").ctypes.data
    record[index("pool.clock")] = time.CLOCK_MONOTONIC
    os.register_at_fork(after_in_child=_after_fork)
    return record


def start(serve: int, limit: int, blas: int = 0) -> None:
    """Have the helpers ready.

    Parameters
    ----------
    serve : int
        The address of the native code that they run.
    limit : int
        The address of a function that tells how many threads may be used at most; 0 if there is none.
    blas : int
        The address of the table by which BLAS is limited meanwhile, which does not count.
    """
    record = pool()
    with _lock:
        if record is None or _threads:
            return
        record[index("pool.limit")], record[index("pool.blas")] = limit, blas
        record[index("pool.stop")] = 0
        record[index("pool.patience")] = PATIENCE if has_cores_to_itself() else 0
        for _ in range(cores() - 1):
            helper, nothing = ctypes.c_size_t(), ctypes.c_void_p()
            memory = ctypes.c_void_p(record.ctypes.data)
            if pthreads().pthread_create(ctypes.byref(helper), nothing, ctypes.c_void_p(serve), memory):
                break  # the system gives no more
            _threads.append(helper)
        record[index("pool.helpers")] = len(_threads)
        atexit.register(_stop)


def _stop() -> None:
    """Let the helpers go home, before the code that they run is freed."""
    record, library = pool(), pthreads()
    if record is None or not _threads:
        return
    mutex = ctypes.c_void_p(int(record[index("pool.mutex")]))
    library.pthread_mutex_lock(mutex)
    record[index("pool.helpers")] = 0
    record[index("pool.stop")] = 1
    library.pthread_cond_broadcast(ctypes.c_void_p(int(record[index("pool.work")])))
    library.pthread_mutex_unlock(mutex)
    for helper in _threads:
        library.pthread_join(helper, None)
    _threads.clear()


def _after_fork() -> None:
    """A child has no helpers; loops that it shares run alone until it compiles one of its own."""
    record = pool()
    if record is None:
        return
    _threads.clear()
    for name in ("busy", "tickets", "active", "helpers", "stop", "rest"):
        record[index(f"pool.{name}")] = 0
    renew_mutex(int(record[index("pool.mutex")]))
    for name in ("work", "done"):
        _renew("pthread_cond_init", int(record[index(f"pool.{name}")]))


# How many ---------------------------------------------------------------------------------------------------------


@functools.cache
def cores() -> int:
    """How many threads this process should use."""
    wish = os.environ.get("WENGERT_THREADS", "")
    if wish.isdecimal() and int(wish) > 0:
        return min(int(wish), 4 * _affinity())
    return max(1, math.ceil(_processors()))


def _affinity() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_cores_to_itself() -> bool:
    """Whether each thread may have a core all the time, so that looking around takes nothing from anybody."""
    return cores() <= _processors()


@functools.cache
def _processors() -> float:
    """How many processors this process may use, by its affinity and its share of their time."""
    return min(_affinity(), _share_of_time(Path("/")))


def _share_of_time(root: Path) -> float:
    """The processors' time that the control groups of this process allow, in processors."""
    share = math.inf
    for group in _groups(root):
        share = min(share, _quota(group))
    return share


def _groups(root: Path) -> list[Path]:
    """The folders of the control groups that this process is in, with those around them."""
    base = root / "sys/fs/cgroup"
    found = [base, base / "cpu"]
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers or "cpu" in controllers.split(","):
            start = base / controllers if controllers else base
            place = start / path.lstrip("/")
            found += [place, *[p for p in place.parents if p.is_relative_to(base)]]
    return list(dict.fromkeys(found))


def _quota(group: Path) -> float:
    quota, _, period = _read(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    try:
        return float(quota) / float(period) if float(quota) > 0 and float(period) > 0 else math.inf
    except ValueError:
        return math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
