"""Reductions, running sums and what else is no elementwise operation, on large arrays, by compiled programs.

As in `wengert.large` an operation starts with NumPy. When it has worked long enough on arrays of one shape, what it
does is recorded, compiled, and timed against NumPy on the operands at hand; the faster of the two does it from then
on. The rules of backward steps are compiled in the same way. What decides by values, or is not native altogether, stays
with NumPy; and where a result is not finite throughout, or a decision comes out otherwise, NumPy does it again.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import large

__all__ = ["forget", "whole"]

LEAST = 1 << 13
"""Up to so many elements NumPy does everything."""
WARM = 60_000_000
"""Elements that an operation must have worked on, in arrays of one shape, before it is compiled."""
MOST = 12
"""So many shapes, and settings, of an operation have programs."""
MOST_MEMORY = 4 << 20
"""What a program may need to hold what lies between."""
KINDS = "df?"
"""The dtypes that programs are made for."""
_made: list[dict] = []


class _Work:
    """What an operation has done on arrays of one shape, and the program that does it, if there is one."""

    __slots__ = ("elements", "program", "trials")

    def __init__(self) -> None:
        self.elements, self.trials = 0, 0
        self.program: Any = None


def forget() -> None:
    """Leave everything to NumPy again, until operations are warm anew."""
    for works in _made:
        works.clear()


def whole(function: Callable, warns: bool = True) -> Callable:
    """A function that does the same as `function` on large arrays.

    Parameters
    ----------
    function : callable
        Takes arrays and settings by position, and gives an array.
    warns : bool
        Whether NumPy's warnings are wanted.
    """
    works: dict[tuple, _Work] = {}
    _made.append(works)

    def chosen(*args: Any) -> Any:
        x = args[0]
        if x.__class__ is not np.ndarray or x.size < LEAST:
            return function(*args)
        key = _key(args)
        work = works.get(key) if key is not None else None
        if work is None:
            if key is None or len(works) >= MOST:
                return function(*args)
            work = works[key] = _Work()
        if work.program is None:
            if work.trials < large.TRIALS:
                _warm(work, function, args, warns)
            return function(*args)
        y = work.program(*[a for a in args if a.__class__ is np.ndarray])
        return function(*args) if y is None else y

    return chosen


def _key(args: tuple) -> tuple | None:
    """The shapes and settings of a call; `None` of one that is none for programs."""
    parts: list[Any] = []
    for a in args:
        if a.__class__ is np.ndarray:
            kind = a.dtype.char
            if kind not in KINDS or not a.flags.c_contiguous:
                return None
            parts.append((a.shape, kind))
        elif a.__class__ is float or hasattr(a, "__array_ufunc__"):  # numbers, and values of other transformations
            return None
        else:
            parts.append((a.__class__, a))
    try:
        hash(key := tuple(parts))
    except TypeError:
        return None
    return key


def _warm(work: _Work, function: Callable, args: tuple, warns: bool) -> None:
    """Count a call, and compile the operation if it is time."""
    arrays = [a for a in args if a.__class__ is np.ndarray]
    work.elements += max(a.size for a in arrays)
    if work.elements < WARM:
        return
    maker = large.kernels()
    if maker is None:
        return
    work.elements, work.trials = 0, work.trials + 1
    program = maker.program_of(function, args, warns, MOST_MEMORY)
    if program is None or program(*arrays) is None:
        work.trials = large.TRIALS
    elif large.ratio(lambda *xs: program(*xs), lambda *xs: function(*args), arrays) < 1:
        work.program = program
