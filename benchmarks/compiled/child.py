"""The process in which one system runs."""

import gc
from collections.abc import Mapping
from statistics import median
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import memory, worker
from . import systems
from .catalogue import WORKLOADS

EARLY = 3  # calls in which a system may still prepare something
LATER = 5  # calls after those, which say what a call takes, and how much memory


class Child(worker.Child):
    """What a worker can be asked for, beside `time` and `drop`."""

    def prepare(self, index: int, small: bool) -> tuple[list[np.ndarray], float, list[str]]:
        """Build the program of this number; gives its results, the seconds of one call, and what else is to be told.

        Those of a second call, in which ours runs native code, and where what was left over from the first would show.
        """
        self.peer = self.peer or systems.load(self.name)
        self.build(index, small)
        self.run()
        start = perf_counter()
        result = self.run()
        seconds = perf_counter() - start
        return [np.array(self.peer.read(x)) for x in leaves(result)], seconds, self.peer.notes()

    def build(self, index: int, small: bool, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
        workload = WORKLOADS[index]
        self.run = workload.make(self.peer, **{**(workload.small if small else workload.size), **changes})

    def fresh(self, index: int, small: bool) -> dict[str, float]:
        """Return seconds and peaks of memory in bytes; asked once, of a fresh process.

        The first call is one call and whatever the early ones take more than later ones do: nothing is hidden in the
        second. The peaks are counted from before the first call, so what stays from it (code, buffers) is in the later
        ones.
        """
        self.peer = systems.load(self.name)
        self.build(index, small, WORKLOADS[index].changes_for_first_call)
        gc.collect()
        is_known = memory.is_known()
        before = memory.baseline() if is_known else 0
        early = [self.seconds() for _ in range(EARLY)]
        early_peak = memory.peak() - before if is_known else 0
        gc.collect()
        if is_known:
            memory.baseline()
        later = median(self.seconds() for _ in range(LATER))
        numbers = {"first call": early[0] + sum(max(0.0, seconds - later) for seconds in early[1:])}
        if is_known:
            numbers["memory, first calls"] = early_peak
            numbers["memory, later calls"] = memory.peak() - before
        return numbers

    def seconds(self) -> float:
        """Of one call."""
        start = perf_counter()
        self.run()
        return perf_counter() - start


def leaves(result: Any) -> list:
    """Return what is in nested sequences."""
    if isinstance(result, (list, tuple)):
        return [x for item in result for x in leaves(item)]
    return [result]
