"""Locks that all compiled functions share; no process is copied while another thread holds one."""

import os
import threading

__all__ = ["BOOKS", "RECORDING"]

RECORDING = threading.RLock()
"""Held while a function is recorded, as what it uses holds traces meanwhile."""
BOOKS = threading.RLock()
"""Held while kinds and paths are looked up and kept; never while a program runs."""


def _no_one_records() -> None:
    """Let a process be copied only where no other thread records: its child could never go on from there."""
    RECORDING.acquire()
    BOOKS.acquire()


def _recording_goes_on() -> None:
    BOOKS.release()
    RECORDING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_no_one_records, after_in_parent=_recording_goes_on, after_in_child=_recording_goes_on)
