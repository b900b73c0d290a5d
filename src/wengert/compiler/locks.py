"""Locks that all compiled functions share; no process is copied while another thread holds one."""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

from wengert.passes import DEPOSITING

__all__ = ["BOOKS", "OF_LIBRARIES", "RECORDING", "made_once"]

RECORDING = threading.RLock()
"""Held while a function is recorded, as what it uses holds traces meanwhile."""
BOOKS = threading.RLock()
"""Held while kinds and paths are looked up and kept; never while a program runs."""
OF_LIBRARIES: list[Any] = []
"""Locks of libraries that the compiler uses, which are held for a short time only, and by who asks for no other."""


def _no_one_records() -> None:
    """Let a process be copied only where no other thread records: its child could never go on from there."""
    RECORDING.acquire()
    DEPOSITING.acquire()
    BOOKS.acquire()
    for lock in OF_LIBRARIES:
        lock.__enter__()


def _recording_goes_on() -> None:
    for lock in OF_LIBRARIES:
        lock.__exit__(None, None, None)
    BOOKS.release()
    DEPOSITING.release()
    RECORDING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_no_one_records, after_in_parent=_recording_goes_on, after_in_child=_recording_goes_on)


def made_once(make: Callable) -> Callable:
    """Decorator: like `functools.cache`, but however many threads ask at the same time, what they get is one object.

    Others of machine code or of memory would be let go, while their addresses are in use.
    """
    made: dict[tuple, Any] = {}

    @functools.wraps(make)
    def found(*key: Any) -> Any:
        if key not in made:
            with BOOKS:
                if key not in made:
                    made[key] = make(*key)
        return made[key]

    return found
