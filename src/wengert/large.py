"""Elementwise operations on large arrays, by kernels of the compiler's where it is installed and they are faster.

An operation starts with NumPy. When it has worked on so many elements that the time for making a kernel does not count
(`WARM`), one is made for it and timed against NumPy on the operands at hand; from then on the faster of the two does
it, depending on the size. Kernels do a backward step in one pass (``g * cos(x)``, or that plus what waits at the
operand) and share long loops among threads (`wengert.compiler.threads`). A result that is not finite throughout is done
again by NumPy, which knows what to warn of; only warnings of underflow are lost.

The environment variable ``WENGERT_EAGER=numpy`` leaves everything to NumPy.
"""

import importlib
import os
import sys
from collections.abc import Callable
from sys import getrefcount
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

__all__ = ["LEAST", "TRIALS", "adding", "forget", "forward", "kernels", "ratio", "stepping"]

LEAST = 2000
"""Up to so many elements NumPy does everything."""
WARM = 2_000_000
"""Elements that an operation must have worked on before a kernel is made."""
WARM_IMPORT = 20_000_000
"""The same, all operations together, before the compiler is imported."""
SMALL = 1 << 14
"""So many elements are timed where there are more."""
SHARED = 1 << 16
"""Kernels share loops of so many elements among threads, and gain on NumPy even where they are a little slower."""
NEVER = sys.maxsize
AGAIN = 40_000_000
"""Elements after which a kernel that was slower than NumPy is timed once more: something may have been in its way."""
TRIALS = 3
MOST_NUMBERS = 16
"""So many Python numbers, as in ``x ** 3``, an operation has kernels for."""
REFUSED = 2
"""What a kernel answers that has done nothing; 1 if it has, and not all of the result is finite."""
_total = 0
_absent = False
"""Whether there are no kernels in this process."""


def kernels() -> Any:
    """The module that makes kernels, or `None`: not installed, not wanted, or not worth it yet."""
    global _absent
    name = "wengert.compiler.eager"
    if _absent or (_total < WARM_IMPORT and name not in sys.modules):
        return None
    try:
        if os.environ.get("WENGERT_EAGER") != "numpy":
            return importlib.import_module(name)
    except ImportError:
        pass
    _absent = True
    return None


class _Choice:
    """A kernel, and from how many elements on it is faster than NumPy."""

    __slots__ = ("least", "run")
    run: Any
    """A function; for backward steps one that gives the cotangent, and one that adds it; `None` if there is none."""

    def __init__(self, run: Any = None, least: int = NEVER):
        self.run, self.least = run, least


_NUMPY = _Choice()


def _fastest(run: Callable, plain: Callable, arrays: list[np.ndarray]) -> _Choice:
    """The choice between a kernel and NumPy, functions of contiguous arrays of one size, by the clock."""
    times = ratio(run, plain, [a.reshape(-1)[:SMALL] for a in arrays])
    if times < 1:
        return _Choice(least=LEAST)
    # With more threads it may be faster; what cannot be seen on these arrays is guessed.
    times = times / 1.5 if arrays[0].size < SHARED else ratio(run, plain, arrays)
    return _Choice(least=SHARED if times < 1 else NEVER)


def ratio(run: Callable, plain: Callable, arrays: list[np.ndarray]) -> float:
    """The time of a kernel divided by that of NumPy."""
    times: dict[Callable, list[float]] = {run: [], plain: []}
    for _ in range(4):
        for function, taken in times.items():
            start = perf_counter()
            function(*arrays)
            taken.append(perf_counter() - start)
    return min(times[run]) / min(times[plain])


class _Table(dict):
    """The choices of an operation for each dtype; until one is made, NumPy's."""

    made: ClassVar[list["_Table"]] = []

    def __init__(self) -> None:
        super().__init__()
        self.worked, self.trials = 0, 0
        self.kernels: dict[np.dtype, Any] = {}
        self.made.append(self)

    def settle(self, dtype: np.dtype, choice: _Choice) -> None:
        """Keep a choice; against a kernel only if it has been made a few times."""
        self.trials += 1
        if choice.least == NEVER and self.trials < TRIALS:
            self.worked = WARM - AGAIN
        else:
            self[dtype] = choice

    def kernel(self, dtype: np.dtype, make: Callable) -> Any:
        """What `make` makes for a dtype; made once."""
        if dtype not in self.kernels:
            self.kernels[dtype] = make(dtype.char)
        return self.kernels[dtype]

    def wants(self, x: np.ndarray) -> Any:
        """The module that makes kernels, if it is time to make one for arrays like this one."""
        global _total
        if _absent:
            self[x.dtype] = _NUMPY
            return None
        self.worked += x.size
        _total += x.size
        return kernels() if self.worked > WARM else None


def forget() -> None:
    """Leave everything to NumPy again, until operations are warm anew."""
    for table in _Table.made:
        table.clear()
        table.kernels.clear()
        table.worked, table.trials = 0, 0


def _is_number(x: Any) -> bool:
    return x.__class__ is float or x.__class__ is int


class _Numbered(dict):
    """Tables, or functions, for Python numbers among the arguments of an operation, which kernels have built in."""

    def __init__(self, make: Callable):
        super().__init__()
        self.make = make

    def of(self, arguments: tuple) -> Any:
        """What there is for these numbers, with their places; `None` if an operation has met too many."""
        key = tuple((x.__class__, x or repr(x)) if _is_number(x) else None for x in arguments)  # 0.0 and -0.0 differ
        found = self.get(key)
        if found is None and len(self) < MOST_NUMBERS:
            found = self[key] = self.make(arguments)
        return found


def _filled(arguments: tuple, arrays: tuple) -> list:
    """The arguments, with other arrays in the places of those in it."""
    rest = iter(arrays)
    return [x if _is_number(x) else next(rest) for x in arguments]


def _numbers_only(arguments: tuple) -> tuple:
    """The arguments without the arrays, which nobody is to hold on to."""
    return tuple(x if _is_number(x) else None for x in arguments)


def forward(function: Callable, operands: int) -> Callable:
    """A function that does the same as `function` on large arrays of one shape and dtype, and Python numbers."""
    choices = _Table()
    numbered = _Numbered(lambda xs: _forward_with(function, _numbers_only(xs)))

    def chosen(*xs: Any) -> Any:
        x = xs[0]
        if _is_number(xs[-1]) or _is_number(x):
            with_number = numbered.of(xs)
            return function(*xs) if with_number is None else with_number(x if _is_number(xs[-1]) else xs[-1])
        if x.__class__ is not np.ndarray:
            return function(*xs)
        choice = choices.get(x.dtype)
        if choice is None:
            choice = _make_forward(function, operands, choices, xs)
        if x.size < choice.least:
            return function(*xs)
        y = np.empty(x.shape, x.dtype)
        return function(*xs) if choice.run(x.size, id(y), *map(id, xs)) else y

    return chosen


def _forward_with(function: Callable, numbers: tuple) -> Callable:
    """The same for a function of one array, in whose other places there are numbers."""
    return forward(lambda x: function(*_filled(numbers, (x,))), 1)


def _make_forward(function: Callable, operands: int, choices: _Table, xs: tuple) -> _Choice:
    x = xs[0]
    maker = choices.wants(x)
    if maker is None:
        return _NUMPY
    kernel = choices.kernel(x.dtype, lambda char: maker.forward_kernel(function, operands, char))
    if kernel is None or function(*xs).dtype != x.dtype:
        choices[x.dtype] = _NUMPY
        return _NUMPY
    y = np.empty(x.shape, x.dtype)
    if kernel.run(x.size, id(y), *map(id, xs)):
        return _NUMPY  # not with these operands: try again with the next

    def run(y: np.ndarray, *xs: np.ndarray) -> None:
        kernel.run(y.size, id(y), *map(id, xs))

    choice = _fastest(run, lambda y, *xs: function(*xs), [y, *xs])
    choice.run = kernel.run
    choices.settle(x.dtype, choice)
    return choice


def _calibrate() -> int:
    """What `getrefcount` says of a cotangent that a backward rule, and here the caller's parameter, hold."""
    only = object()
    return _count(only)


def _count(g: Any, *saved: Any) -> int:
    return getrefcount(g)


_OURS = _calibrate()
_MINE = _OURS - 1
_COUNTS = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Without the GIL counts are estimates."""


def stepping(step: Callable, guard: Callable | None, last: bool, partial: Callable | None = None) -> Callable:
    """A function that sends a large cotangent on: ``step(g, *saved)``, added to what waits under a number.

    Parameters
    ----------
    step : callable
        The operand's cotangent from that of the result and what was saved, by NumPy.
    guard : callable, optional
        Lets zero cotangents win over what is not finite.
    last : bool
        Whether `g` is not used again, so that its buffer may be.
    partial : callable, optional
        What `step` multiplies `g` by, from what was saved.

    Returns
    -------
    callable
        Called with the waiting cotangents, the number, `g` and the saved values. It gives the cotangent where nothing
        was waiting, and `None` where it has been added.
    """
    choices = _Table()
    numbered = _Numbered(lambda values: (_numbers_only(values), _Table()))

    def plain(g: Any, *values: Any) -> Any:
        c = step(g, *values) if values or not _is_one_number(g) else np.broadcast_to(step(g[(0,) * g.ndim]), g.shape)
        c = c if guard is None else guard(c, g)
        return c if c.dtype is g.dtype else c.astype(g.dtype, copy=False)

    def with_numbers(g: np.ndarray, values: tuple, arrays: tuple) -> _Choice:
        found = numbered.of(values)
        if found is None:
            return _NUMPY
        numbers, table = found
        choice = table.get(g.dtype)
        return _bound_step(step, guard is not None, table, (plain, g, *arrays), numbers) if choice is None else choice

    def send(waiting: dict, order: int, g: Any, *values: Any) -> Any:
        arrays = values
        choice: Any = _NUMPY
        if g.__class__ is np.ndarray:
            if any(map(_is_number, values)):
                arrays = tuple(v for v in values if not _is_number(v))
                choice = with_numbers(g, values, arrays)
            else:
                choice = choices.get(g.dtype)
                if choice is None:
                    choice = _make_step(step, guard is not None, choices, (plain, g, *values))
        s = waiting.pop(order, None)
        if choice.run is not None and g.size >= choice.least:
            if s is None:
                out = g if last and getrefcount(g) <= _OURS and _writable(g) else np.empty(g.shape, g.dtype)
                if not choice.run[0](g.size, id(out), id(g), *map(id, arrays)):
                    return out
            else:
                out = s if getrefcount(s) <= _MINE and _writable(s) else np.empty(g.shape, g.dtype)
                if not choice.run[1](g.size, id(out), id(s), id(g), *map(id, arrays)):
                    waiting[order] = out
                    return None
        if partial is not None and last and getrefcount(g) <= _OURS and _writable(g):
            slope = partial(*values)
            fits = slope.__class__ is np.ndarray and slope.dtype is g.dtype and slope.shape == g.shape
            c = np.multiply(g, slope, out=g) if fits else g * slope
        else:
            c = plain(g, *values)
        if s is None:
            return c
        mine = getrefcount(s) <= _MINE and _writable(s) and c.__class__ is np.ndarray
        waiting[order] = np.add(s, c, out=s) if mine else s + c
        return None

    return send


def _is_one_number(g: Any) -> bool:
    """Whether a cotangent is one number everywhere, and takes no memory, such as what a sum sends back."""
    return g.__class__ is np.ndarray and g.size > 1 and not any(g.strides)


def _writable(c: Any) -> bool:
    """Whether an array that nobody else holds may be written into."""
    return bool(_COUNTS) and c.__class__ is np.ndarray and c.base is None and c.flags.writeable


def _bound_step(step: Callable, singular: bool, choices: _Table, call: tuple, numbers: tuple) -> _Choice:
    """The same for a step with Python numbers among what was saved; the call has the arrays only."""
    plain, *arrays = call

    def bound(g: Any, *xs: Any) -> Any:
        return step(g, *_filled(numbers, xs))

    def plainly(g: Any, *xs: Any) -> Any:
        return plain(g, *_filled(numbers, xs))

    return _make_step(bound, singular, choices, (plainly, *arrays))


def _make_step(step: Callable, singular: bool, choices: _Table, call: tuple) -> _Choice:
    plain, g, *values = call
    maker = choices.wants(g)
    if maker is None:
        return _NUMPY
    kernels = choices.kernel(g.dtype, lambda char: maker.backward_kernels(step, len(values), char, singular))
    if kernels is None:
        choices[g.dtype] = _NUMPY
        return _NUMPY
    fresh, added = kernels
    out = np.empty(g.shape, g.dtype)
    if fresh.run(g.size, id(out), id(g), *map(id, values)):
        return _NUMPY

    def run(out: np.ndarray, *arrays: np.ndarray) -> None:
        fresh.run(out.size, id(out), *map(id, arrays))

    choice = _fastest(run, lambda out, *arrays: plain(*arrays), [out, g, *values])
    choice.run = (fresh.run, added.run)
    choices.settle(g.dtype, choice)
    return choice


def _sum() -> Callable:
    """Adds a cotangent to a waiting one."""
    choices = _Table()

    def add(s: np.ndarray, c: np.ndarray) -> np.ndarray:
        """The sum, in the buffer of the first."""
        choice = choices.get(s.dtype)
        if choice is None:
            choice = _make_forward(np.add, 2, choices, (s, c))
        if s.size < choice.least or choice.run(s.size, id(s), id(s), id(c)) == REFUSED:
            np.add(s, c, out=s)
        return s

    return add


adding = _sum()
