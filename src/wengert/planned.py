"""What is no elementwise operation on arrays of one shape, on large arrays, by compiled programs.

That is reductions and running sums, `np.where` and `np.clip`, arithmetic that broadcasts, and the backward steps of
all of these. An operation starts with NumPy. When it has worked on a certain number of elements (`WARM`) in arrays of
one shape, what it does is recorded and compiled, and the program does it from then on. Counts and sizes alone decide,
so the same calls always give the same bits. What decides by values, or is not native altogether, stays with NumPy;
and where a result is not finite throughout, or a decision comes out otherwise, NumPy does it again.

Arrays in C order are passed on as they are, transposed ones as what they are transposes of, and stretched ones (the
cotangent of a sum is one number, seen as many) as what they repeat.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import large

__all__ = ["folds", "forget", "whole"]

LEAST = 1 << 13
"""Up to so many elements NumPy does everything."""
WARM = 16_000_000
"""Elements that an operation must have worked on, in arrays of one shape, before it is compiled."""
MOST = 64
"""So many shapes, and settings, of an operation have programs."""
MOST_MEMORY = 4 << 20
"""What a program may need to hold what lies between."""
KINDS = "df?"
"""The dtypes that programs are made for."""
_made: list[dict] = []


class _Work:
    """What an operation has done on arrays of one shape, and the program that does it, if there is one."""

    __slots__ = ("elements", "program", "settled")

    def __init__(self) -> None:
        self.elements, self.settled = 0, False
        self.program: Any = None


def forget() -> None:
    """Leave everything to NumPy again, until operations are warm anew."""
    for works in _made:
        works.clear()


def whole(function: Callable, backward: bool = False) -> Callable:
    """A function that does the same as `function` on large arrays.

    Parameters
    ----------
    function : callable
        Takes arrays, numbers and settings by position, and gives an array.
    backward : bool
        Whether it is a backward step: of its results nobody wants NumPy's warnings, nor NumPy's memory order.
    """
    works: dict[tuple, _Work] = {}
    _made.append(works)

    def chosen(*args: Any) -> Any:
        size = 0
        for a in args:
            if a.__class__ is np.ndarray and a.size > size:
                size = a.size
        if size < LEAST:
            return function(*args)
        key, inputs = _taken_apart(args)
        work = works.get(key) if key is not None else None
        if work is None:
            if key is None or not _room(works):
                return function(*args)
            work = works[key] = _Work()
        if work.program is None:
            if not work.settled:
                work.elements += size
                large.note(size)
                if work.elements >= WARM:
                    _compile(work, function, args, inputs, backward)
            return function(*args)
        y = work.program(*inputs)
        return function(*args) if y is None else y

    return chosen


def folds(name: str) -> Callable[[Callable], Callable]:
    """Declare what a function of an array and an axis computes, so that a kernel of that name can do it.

    Parameters
    ----------
    name : str
        ``"sum"``, ``"mean"``, ``"max"``, ``"min"`` of whole arrays; ``"running sum"``, ``"running sum from the end"``.
    """

    def declare(function: Callable) -> Callable:
        function.fold = name  # type: ignore[attr-defined]
        return function

    return declare


def _room(works: dict) -> bool:
    """Whether one more shape may be counted; the oldest that has not come to a program makes room."""
    if len(works) < MOST:
        return True
    oldest = next((key for key, work in works.items() if not work.settled), None)
    works.pop(oldest, None)
    return oldest is not None


def _taken_apart(args: tuple) -> tuple[tuple | None, list]:
    """What calls must have in common to share a program, and what this one's is given; `None`: it has none."""
    key: list[Any] = []
    inputs: list[Any] = []
    for a in args:
        cls = a.__class__
        if cls is np.ndarray:
            kind = a.dtype.char
            form, base = (None, a) if a.flags.c_contiguous else _seen_through(a)
            if kind not in KINDS or base is None:
                return None, inputs
            key.append((form, a.shape, kind))
            inputs.append(base)
        elif cls is float or (isinstance(a, np.generic) and a.dtype.char in KINDS):
            key.append(cls)
            inputs.append(a)
        elif hasattr(a, "__array_ufunc__"):  # a value of another transformation
            return None, inputs
        else:
            key.append((cls, a))
    try:
        hash(parts := tuple(key))
    except TypeError:
        return None, inputs
    return parts, inputs


def _seen_through(a: np.ndarray) -> tuple[Any, np.ndarray | None]:
    """How an array comes from one in C order, and that one; no array if it does in no way that is known here."""
    if a.flags.f_contiguous:
        return "transposed", a.T
    if 0 in a.strides:
        base = a[tuple([slice(0, 1) if s == 0 else slice(None) for s in a.strides])]
        if base.size == 1:
            return "one", base.reshape(())
        if base.flags.c_contiguous:
            return ("stretched", base.shape), base
    return None, None


def _put_together(args: tuple, inputs: tuple, key: tuple) -> list:
    """The arguments of a call, with stand-ins for what its program is given."""
    rest = iter(inputs)
    found = []
    for a, part in zip(args, key, strict=True):
        is_input = a.__class__ is np.ndarray or not isinstance(part, tuple)
        x = next(rest) if is_input else a
        if a.__class__ is np.ndarray and part[0] == "transposed":
            x = np.transpose(x)
        elif a.__class__ is np.ndarray and part[0] is not None:
            x = np.broadcast_to(x, a.shape)
        found.append(x)
    return found


def _compile(work: _Work, function: Callable, args: tuple, inputs: list, backward: bool) -> None:
    """Make a program of what an operation does, if that can be."""
    maker = large.kernels()
    if maker is None:
        return
    work.settled = True
    order = _memory_order(function(*args), args)
    if backward and order == "other":
        order = "C"
    key, _ = _taken_apart(args)
    if order in ("window", "other") or key is None:
        return
    program = None
    if hasattr(function, "fold"):
        program = importlib.import_module("wengert.compiler.folds").fold_of(function.fold, args)
    if program is None:

        def recorded(*xs: Any) -> Any:
            y = function(*_put_together(args, xs, key))
            return y if order == "C" else np.transpose(y)

        program = maker.program_of(recorded, inputs, not backward, MOST_MEMORY)
    if program is not None and program(*inputs) is not None:
        work.program = program if order == "C" else lambda *xs: _turned(program(*xs))


def _memory_order(y: Any, args: tuple) -> str:
    """The order of NumPy's result in memory, by which a later reshape is a view or not; or that it is a window."""
    if y.__class__ is not np.ndarray:
        return "C"
    if any(a.__class__ is np.ndarray and np.may_share_memory(y, a) for a in args):
        return "window"
    return "C" if y.flags.c_contiguous else "F" if y.flags.f_contiguous else "other"


def _turned(y: Any) -> Any:
    return None if y is None else y.T
