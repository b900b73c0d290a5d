"""Machine code made by a thread of the system while the next kernels are written.

LLVM takes about as long as the writing of its text. A thread of Python's would ask for the GIL between any two of
LLVM's functions; the one here knows nothing of Python, and calls them by address (`assembly/ahead.ll`).
"""

import ctypes
import functools
import weakref
from dataclasses import dataclass
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite.binding import ffi

from wengert.compiler import threads
from wengert.compiler.assembly import filled, index, spelled
from wengert.compiler.code import Code, bind, new_machine, object_code
from wengert.compiler.locks import made_once

__all__ = ["Ahead"]

STEPS = {
    "parse": "LLVMPY_ParseAssembly",
    "verify": "LLVMPY_VerifyModule",
    "emit": "LLVMPY_TargetMachineEmitToMemory",
    "dispose": "LLVMPY_DisposeModule",
}
"""The functions that make an object of a text."""


@dataclass(slots=True)
class _Job:
    """A module, and what the thread reads that compiles it if nobody else has begun to."""

    text: str
    source: bytes
    record: np.ndarray

    def is_ours(self) -> bool:
        """Whether it is left to who asks."""
        return bool(_claim()(self.record.ctypes.data))

    def take(self) -> bytes | None:
        """The object that a thread has made, if one has; to be asked for once, and when that thread has ended."""
        found = int(self.record[0, index("job.object")])
        if not found:
            return None
        buffer = ctypes.cast(found, ffi.LLVMMemoryBufferRef)
        self.record[0, index("job.object")] = 0
        try:
            return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer))
        finally:
            ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


class Ahead:
    """Modules that are compiled while others are written, one after another.

    Parameters
    ----------
    level : int
        The level of LLVM's code generator.
    """

    def __init__(self, level: int):
        self.level = level
        self._jobs: list[_Job] = []
        self._last = ctypes.c_size_t()
        self._tools: list[Any] = []
        weakref.finalize(self, _ended, self._jobs, self._last, self._tools)

    @staticmethod
    @functools.cache
    def is_possible() -> bool:
        """Whether there is a core for it, and a way to it; if so, the native code of the threads is ready."""
        if threads.cores() == 1 or threads.pthreads() is None:
            return False
        _helper()
        return True

    def begin(self, text: str) -> None:
        """Have a module compiled."""
        if not self._tools:
            self._tools += new_machine(self.level), llvm.create_context()
        machine, context = map(_address, self._tools)
        source = text.encode()
        record = filled("job", [_steps() | {
            "before": self._last.value, "machine": machine, "context": context,
            "text": ctypes.cast(ctypes.c_char_p(source), ctypes.c_void_p).value,
        }])  # fmt: skip
        run, before = ctypes.c_void_p(_helper().address("compile")), self._last.value
        # Noted before there is a thread, whose name the call itself notes: no interruption lets go what it reads.
        self._jobs.append(_Job(text, source, record))
        given = ctypes.c_void_p(record.ctypes.data)
        if threads.pthreads().pthread_create(ctypes.byref(self._last), None, run, given):
            self._last.value = before

    def finished(self, last: str = "") -> list[bytes]:
        """The object code of all, and of one more; what no thread has begun with is compiled here.

        Raises
        ------
        RuntimeError
            If LLVM does not take a text.
        """
        made = [object_code(last, self.level)] if last else []
        theirs = []
        for job in reversed(self._jobs):
            if job.is_ours():
                made.append(object_code(job.text, self.level))
            else:
                theirs.append(job)
        _join(self._last)
        return made + [job.take() or object_code(job.text, self.level) for job in theirs]


def _ended(jobs: list[_Job], last: ctypes.c_size_t, tools: list) -> None:
    """Wait for what still runs, before what it uses is let go, and drop what it has made; whatever interrupts that."""
    try:
        _join(last)
    finally:
        _join(last)
    for job in jobs:
        job.take()
    tools.clear()


def _join(last: ctypes.c_size_t) -> None:
    """Wait for the last thread, which waits for all others."""
    if last.value:
        threads.pthreads().pthread_join(last, ctypes.byref(last))  # what it gives is 0: there is none any more


def _address(reference: Any) -> int:
    """Where an object of LLVM's is."""
    return ctypes.cast(reference._ptr, ctypes.c_void_p).value or 0


@functools.cache
def _steps() -> dict[str, int]:
    """The addresses of LLVM's functions."""
    library = ctypes.CDLL(ffi.lib._name, handle=ffi.lib._handle)  # without llvmlite's lock around each
    return {step: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for step, name in STEPS.items()}


@made_once
def _helper() -> Code:
    """The native code of the threads."""
    bind("pthread_join", ctypes.cast(threads.pthreads().pthread_join, ctypes.c_void_p).value or 0)
    return Code(spelled("ahead"))


@functools.cache
def _claim() -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(_helper().address("claim"))
