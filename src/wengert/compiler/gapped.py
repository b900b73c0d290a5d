"""Calls that write into arguments with gaps (some columns of a matrix): by a shortcut, of copies without.

Native code that writes arrays takes such as lie in one piece. What has gaps is copied, and copied back if it is written
when the shortcut has returned, which costs a tenth of looking at the call from Python. A short function does with less:
its time is taken in some of the calls, and where it is the better one, calls like these are its own business.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from wengert.compiler.attached import shortcuts
from wengert.compiler.capture import overlaps_itself
from wengert.compiler.worth import TOO_LONG, Account

__all__ = ["MISSED", "Gapped", "have_gaps"]

MISSED: Any = object()
"""Instead of a result: there is no shortcut for the call."""
LOOKS = 256
"""Calls after which it is asked for the first time whether they are worth it."""
LONG = 1e-4
"""Seconds that a call counts at most: where one took longer, another thread may have."""
MOST_MISSED = 8
"""Calls without a shortcut, less those that had one, after which none is tried."""
PLAIN = frozenset({np.ndarray, float, int, bool, str, type(None), complex})
"""Classes of arguments; what others hold might share its memory with an array."""


class Missed(Exception):
    """Raised by shortcuts that have no program for copies: these are not to be given to the function."""


def have_gaps(args: tuple) -> bool:
    """Whether some of the arguments are arrays with gaps, and all are plain arrays and numbers."""
    return PLAIN.issuperset(map(type, args)) and any(
        x.__class__ is np.ndarray and not x.flags.c_contiguous for x in args
    )


def is_plain(path: Any) -> bool:
    """Whether a path does nothing but write arrays, wherever these lie, and compute results."""
    others = path.exchanged or path.cleared or path.remade or path.filled or path.twins or path.draws
    return not (others or path.by_layout or any(kind != "array" for kind, _ in path.places))


def _missed(*_: Any, **__: Any) -> Any:
    raise Missed


class Gapped:
    """The calls of a function that write arguments with gaps; it uses no arrays but its arguments."""

    def __init__(self, function: Callable):
        self.function = function
        self.shortcuts: Any = shortcuts(_missed)
        self._account = Account(LOOKS, TOO_LONG)
        self._missed, self._is_over = 0, False
        self.calls = self.eager = 0
        """Calls; those that were left to the function."""
        self.written: set[int] = set()
        """The positions of the arguments that a path writes."""
        self._known: tuple | None = None
        """The shape and strides of an array that is known not to overlap itself."""

    def add(self, path: Any, args: tuple, call: Any, captured: Any) -> None:
        """Make a shortcut of a call that took a path, if one can be made."""
        if not is_plain(path):
            return
        arrays = [captured.arrays[k][0] for _, k in path.places]
        self.written |= {i for i, x in enumerate(args) if any(x is array for array in arrays)}
        before = path.has_shortcut, path.no_shortcut
        self.shortcuts.add(path, args, {}, call, captured.found, captured)
        path.has_shortcut, path.no_shortcut = before  # calls still come the usual way, too

    def run(self, args: tuple) -> Any:
        """The result, or `MISSED`."""
        if self._is_over and have_gaps(args):
            self.calls += 1
            self.eager += 1
            return self.function(*args)
        shortcut = self.shortcuts.function
        if shortcut is None or self._missed >= MOST_MISSED or not have_gaps(args):
            return MISSED
        began = perf_counter()
        copies = self._copies(args)
        if copies is not None and self._account.is_sample():
            return self._sampled(args)
        try:
            result = MISSED if copies is None else self._shortened(shortcut, args, copies)
        finally:
            self._account.seconds += min(perf_counter() - began, LONG)
            self._is_over = self._account.is_over(self.calls + 1)
        self.calls += result is not MISSED
        self._missed = self._missed + 1 if result is MISSED else max(self._missed - 1, 0)
        return result

    def _sampled(self, args: tuple) -> Any:
        """What the function itself gives, and how long that takes."""
        self.calls += 1
        self.eager += 1
        began = perf_counter()
        try:
            return self.function(*args)
        finally:
            self._account.alone += perf_counter() - began
            self._account.samples += 1

    def _shortened(self, shortcut: Callable, args: tuple, copies: dict[int, np.ndarray]) -> Any:
        """What a shortcut gives of copies; those that it may have written are copied back."""
        try:
            result = shortcut(*[copies.get(i, x) for i, x in enumerate(args)])
        except Missed:
            return MISSED
        for i in copies.keys() & self.written:
            args[i][...] = copies[i]
        return result

    def _copies(self, args: tuple) -> dict[int, np.ndarray] | None:
        """Copies of the arguments with gaps, by their positions; `None` where these might not do the same."""
        arrays = {i: x for i, x in enumerate(args) if x.__class__ is np.ndarray}
        for i in self.written:
            x = arrays.get(i)
            if x is None or not self._may_be_written(x):
                return None
            if any(np.may_share_memory(x, other) for k, other in arrays.items() if k != i):
                return None
        return {i: x.copy() for i, x in arrays.items() if not x.flags.c_contiguous}

    def _may_be_written(self, x: np.ndarray) -> bool:
        """Whether an array can be written, and has each of its elements in memory of its own."""
        if not x.flags.writeable or x.dtype.kind not in "biufc":
            return False
        if self._known != (x.shape, x.strides):
            if overlaps_itself(x):
                return False
            self._known = x.shape, x.strides
        return True
