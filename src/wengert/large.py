"""Elementwise operations on large arrays, by kernels of the compiler's where it is installed.

An operation starts with NumPy. When it has worked on so many elements that the time for making a kernel does not count
(`WARM`), one is made for it, and from then on does it on arrays from a certain size on, which follows from what the
kernel computes (`Kernel.least`). Counts and sizes alone decide, no clock: the same calls always give the same bits.
Kernels do a backward step in one pass (``g * cos(x)``, or that plus what waits at the operand) and share long loops
among threads (`wengert.compiler.threads`). A result that is not finite throughout is done again by NumPy, which knows
what to warn of; only warnings of underflow are lost. Operands that are broadcast go to `wengert.planned`.

The environment variable ``WENGERT_EAGER=numpy`` leaves everything to NumPy.
"""

import importlib
import os
import sys
from collections.abc import Callable
from sys import getrefcount
from typing import Any, ClassVar

import numpy as np

__all__ = ["LEAST", "NEVER", "adding", "forget", "forward", "guarded", "kernels", "note", "stepping"]

LEAST = 2000
"""Up to so many elements NumPy does everything."""
WARM = 2_000_000
"""Elements that an operation must have worked on before a kernel is made."""
WARM_IMPORT = 20_000_000
"""The same, all operations together, before the compiler is imported."""
NEVER = sys.maxsize
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


def note(size: int) -> None:
    """Count elements that NumPy has worked on, by which it is decided when the compiler is imported."""
    global _total
    _total += size


class _Choice:
    """A kernel, and from how many elements on it is used; for backward steps a second one, which adds."""

    __slots__ = ("add", "least", "least_add", "run")
    run: Any
    add: Any
    least: int
    least_add: int

    def __init__(self, kernel: Any = None, adding: Any = None):
        self.run, self.least = (None, NEVER) if kernel is None else (kernel.run, kernel.least)
        self.add, self.least_add = (None, NEVER) if adding is None else (adding.run, adding.least)


_NUMPY = _Choice()


class _Table(dict):
    """The choices of an operation for each dtype; until one is made, NumPy's."""

    made: ClassVar[list["_Table"]] = []

    def __init__(self) -> None:
        super().__init__()
        self.worked = 0
        self.kernels: dict[np.dtype, Any] = {}
        self.made.append(self)

    def kernel(self, dtype: np.dtype, make: Callable) -> Any:
        """What `make` makes for a dtype; made once."""
        if dtype not in self.kernels:
            self.kernels[dtype] = make(dtype.char)
        return self.kernels[dtype]

    def wants(self, x: np.ndarray) -> Any:
        """The module that makes kernels, if it is time to make one for arrays like this one."""
        if _absent:
            self[x.dtype] = _NUMPY
            return None
        self.worked += x.size
        note(x.size)
        return kernels() if self.worked > WARM else None


def forget() -> None:
    """Leave everything to NumPy again, until operations are warm anew."""
    for table in _Table.made:
        table.clear()
        table.kernels.clear()
        table.worked = 0


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


def forward(function: Callable, operands: int, broadcasting: Callable | None = None) -> Callable:
    """A function that does the same as `function` on large arrays of one shape and dtype, and Python numbers.

    Where the shapes differ, that is for `broadcasting`.
    """
    choices = _Table()
    numbered = _Numbered(lambda xs: _forward_with(function, _numbers_only(xs)))

    def chosen(*xs: Any) -> Any:
        x = xs[0]
        if _is_number(xs[-1]) or _is_number(x):
            with_number = numbered.of(xs)
            return function(*xs) if with_number is None else with_number(x if _is_number(xs[-1]) else xs[-1])
        if broadcasting is not None and not _alike(x, xs[1]):
            return broadcasting(*xs)
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


def _alike(x: Any, y: Any) -> bool:
    """Whether both are arrays of one shape."""
    return x.__class__ is np.ndarray is y.__class__ and x.shape == y.shape


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
    choices[x.dtype] = choice = _Choice(kernel)
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


def guarded(step: Callable, guard: Callable | None) -> Callable:
    """A backward step, ``step(g, *saved)``, in which a zero cotangent wins, if there is what lets it win (`guard`)."""
    if guard is None:
        return step
    return lambda g, *values: guard(step(g, *values), g)


def stepping(
    step: Callable, singular: bool, plain: Callable, broadcasting: Callable, last: bool, partial: Callable | None = None
) -> Callable:
    """A function that sends a large cotangent on: ``step(g, *saved)``, added to what waits under a number.

    Parameters
    ----------
    step : callable
        The operand's cotangent from that of the result and what was saved, by NumPy.
    singular : bool
        Whether a zero cotangent wins over what is not finite.
    plain : callable
        The step with that (`guarded`).
    broadcasting : callable
        The same where what was saved has other shapes than `g`, or `g` is one number, seen as many.
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

    def with_numbers(g: np.ndarray, values: tuple, arrays: tuple) -> _Choice:
        found = numbered.of(values)
        if found is None:
            return _NUMPY
        numbers, table = found
        choice = table.get(g.dtype)
        return _bound_step(step, singular, table, (g, *arrays), numbers) if choice is None else choice

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
                    choice = _make_step(step, singular, choices, (g, *values))
        s = waiting.pop(order, None)
        if s is None and g.size >= choice.least:
            out = g if last and getrefcount(g) <= _OURS and _writable(g) else np.empty(g.shape, g.dtype)
            if not choice.run(g.size, id(out), id(g), *map(id, arrays)):
                return out
        elif s is not None and g.size >= choice.least_add:
            out = s if getrefcount(s) <= _MINE and _writable(s) else np.empty(g.shape, g.dtype)
            if not choice.add(g.size, id(out), id(s), id(g), *map(id, arrays)):
                waiting[order] = out
                return None
        if not values and _is_one_number(g):
            c = np.broadcast_to(plain(g[(0,) * g.ndim]), g.shape)
        elif g.__class__ is np.ndarray and not (g.flags.c_contiguous and all(_alike(g, v) for v in arrays)):
            c = broadcasting(g, *values)
        elif partial is not None and last and getrefcount(g) <= _OURS and _writable(g):
            slope = partial(*values)
            fits = slope.__class__ is np.ndarray and slope.dtype is g.dtype and slope.shape == g.shape
            c = np.multiply(g, slope, out=g) if fits else g * slope
        else:
            c = plain(g, *values)
        if c.dtype is not g.dtype:
            c = c.astype(g.dtype, copy=False)
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

    def bound(g: Any, *xs: Any) -> Any:
        return step(g, *_filled(numbers, xs))

    return _make_step(bound, singular, choices, call)


def _make_step(step: Callable, singular: bool, choices: _Table, call: tuple) -> _Choice:
    g, *values = call
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
    choices[g.dtype] = choice = _Choice(fresh, added)
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
