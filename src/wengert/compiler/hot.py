"""Kernels that take much time are compiled once more, with more care, while the program goes on.

A program is compiled as fast as possible when it is recorded: values stay in memory, as they were written down. With
the values in registers and instructions combined many kernels take half of the time, and give the same bits; but making
them takes several times as long. So a thread looks at the programs now and then. A kernel in which much more time has
been spent than it takes to compile it is made anew, and its address put into the table of launches.
"""

import atexit
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.compiler.alone import module
from wengert.compiler.assembly import index
from wengert.compiler.code import Code
from wengert.compiler.native import hasten

__all__ = ["Kernel", "kernels_of", "watch"]

FIRST, LONGEST, PATIENCE = 0.5, 1.0, 300.0
"""Seconds between looks: at first, and at most when nothing happens; after so many a program is looked at no more."""
MOST_PROGRAMS = 256
"""How many are looked at; of more the last ones."""
LINE = 60_000.0
"""About how many nanoseconds a line of a kernel takes to compile with care."""
WORTH = 2.0
"""How many times the time for compiling a kernel must have taken."""
MANY_RUNS = 50_000
"""Runs of one program from which on what all programs share is made anew, too."""
MOST_LINES = 2000
"""Longer kernels are straight-line code, which takes long to compile and gains little."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel: where it is, its text, and about how many nanoseconds it takes in one run of its program."""

    address: int
    name: str
    text: str
    work: float

    @property
    def cost(self) -> float:
        """About how many nanoseconds it takes to compile it with care."""
        return LINE * (20 + self.text.count("\n"))


def watch(record: np.ndarray, launches: np.ndarray, work: float, kernels: Callable[[], Iterable[Kernel]]) -> None:
    """Have an eye on a program.

    Parameters
    ----------
    record : ndarray
        The program as the native code knows it: it counts the runs, lives as long as the program, and has a list
        ``keeps`` of what else has to.
    launches : ndarray
        The table of launches.
    work : float
        About how many nanoseconds one run takes.
    kernels : callable
        Gives the kernels that may be worth it, once the program has run long enough for any to be.
    """
    if work and os.environ.get("WENGERT_REBUILD", "") != "off":
        _watcher.add(_Program(weakref.ref(record), launches, work, kernels))


@dataclass(eq=False)
class _Program:
    """A program that is looked at."""

    record: Any
    launches: np.ndarray
    work: float
    kernels: Callable[[], Iterable[Kernel]] | None
    """What gives the kernels, until they are asked for."""
    waiting: list[Kernel] = field(default_factory=list)
    age: float = 0.0
    """Seconds since something was done about it."""

    def look(self, stopped: threading.Event) -> bool:
        """Make anew what is worth it; whether there was something."""
        busy = False
        while not stopped.is_set() and (kernel := self.due()) is not None:
            busy = True
            self.waiting.remove(kernel)
            with suppress(Exception):  # the kernel that there is goes on serving
                self.rebuild(kernel)
        return busy

    def due(self) -> Kernel | None:
        """The kernel in which most time has been spent, if it is worth it."""
        record = self.record()
        if record is None:
            self.kernels, self.waiting = None, []
            return None
        runs = int(record[index("record.runs")])
        if runs > MANY_RUNS:
            with suppress(Exception):
                hasten()
        if self.kernels is not None:
            if self.work * runs < WORTH * 20 * LINE:
                return None
            found, self.kernels = self.kernels(), None
            self.waiting = [k for k in found if k.work and k.text.count("\n") <= MOST_LINES]
        worst = max(self.waiting, key=lambda k: k.work * runs - WORTH * k.cost, default=None)
        return worst if worst is not None and worst.work * runs > WORTH * worst.cost else None

    def rebuild(self, kernel: Kernel) -> None:
        """Put a better kernel in the place of one."""
        code = Code(module(kernel.text), level=1, passes=True)
        record = self.record()
        if record is not None:
            record.keeps.append(code)
            column = self.launches[:, index("launch.function")]
            column[column == kernel.address] = code.address(kernel.name)


class _Watcher:
    """The thread that looks at the programs; it ends when there is none left."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.programs: list[_Program] = []
        self.renew()

    def renew(self) -> None:
        """Be without a thread, as in a child process."""
        self.lock = threading.Lock()
        self.compiling = threading.Lock()
        """Held while the compiler is at work: a fork waits for it."""
        self.thread: threading.Thread | None = None
        self.pause = FIRST

    def add(self, program: _Program) -> None:
        """Look at one more."""
        with self.lock:
            self.programs = [*self.programs[1 - MOST_PROGRAMS :], program]
            self.pause = FIRST
            if self.thread is None and not self.stopped.is_set():
                self.thread = threading.Thread(target=self.run, name="wengert-rebuild", daemon=True)
                self.thread.start()

    def run(self) -> None:
        """Look, pause, and look again."""
        while not self.stopped.wait(self.pause):
            pause, self.pause = self.pause, min(1.5 * self.pause, LONGEST)
            done = [program for program in list(self.programs) if not self.goes_on(program, pause)]
            with self.lock:
                self.programs = [program for program in self.programs if program not in done]
                if not self.programs:
                    self.thread = None
                    return

    def goes_on(self, program: _Program, pause: float) -> bool:
        """Look at a program; whether it may be worth it to look again."""
        with self.compiling:
            busy = program.look(self.stopped)
        program.age = 0.0 if busy else program.age + pause
        if busy:
            self.pause = FIRST
        return (program.kernels is not None or bool(program.waiting)) and program.age < PATIENCE

    def stop(self) -> None:
        """End, before the interpreter does."""
        self.stopped.set()
        thread = self.thread
        if thread is not None:
            thread.join()


_watcher = _Watcher()
atexit.register(_watcher.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _watcher.compiling.acquire(),
        after_in_parent=lambda: _watcher.compiling.release(),
        after_in_child=_watcher.renew,
    )


def kernels_of(text: str, work: dict[str, float], addresses: dict[str, int]) -> Iterator[Kernel]:
    """The kernels of a module that have an address; their work is that of one run of the program."""
    for found in re.finditer(r"^define void @(\w+)\(.*?^}", text, re.M | re.S):
        name = found[1]
        if name in addresses:
            yield Kernel(addresses[name], name, found[0], work.get(name, 0.0))
