"""Arrays that a function makes while it is recorded, and fills with what it computes.

A program writes into ``np.zeros(n)`` what it computes from its arguments. NumPy's own arrays ask what is written into
them for its number, and that would be a decision by the value. So a function that is being recorded gets buffers that
take recorded values; and nested lists of such values, which ``np.array`` would read in the same way, are joined.
"""

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.compiler.program import Program
from wengert.compiler.trace import Trace, recorded
from wengert.protocol import Wrapper, is_recorded
from wengert.reading import calls
from wengert.tensor import Tensor

__all__ = ["buffers_made_recordable"]

UNIFORM = ("zeros", "ones", "empty", "full")
BUFFERS = (*UNIFORM, "eye", "identity", "tri")
COPIES = ("array", "asarray", "ascontiguousarray")
LIBRARIES = {"numpy", "scipy", "wengert"}
"""Packages whose own arrays stay as they are."""


@contextmanager
def buffers_made_recordable(program: Program) -> Iterator[None]:
    """Inside, what this thread's functions make by these names can hold recorded values."""
    before = {name: getattr(np, name) for name in (*BUFFERS, *COPIES)}
    try:
        for name in BUFFERS:
            setattr(np, name, _buffer(before[name], program))
        for name in COPIES:
            setattr(np, name, _copy(before[name], program, is_new=name == "array"))
        yield
    finally:
        for name, function in before.items():
            setattr(np, name, function)


def _for_us(function: Callable, program: Program) -> Callable:
    """What takes a function's place where this thread calls it from outside of the libraries, until all is recorded.

    An interruption may come while functions get their places back; what then stays does nothing.
    """
    thread = threading.get_ident()

    def decorate(ours: Callable) -> Callable:
        @functools.wraps(function)
        def choose(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            caller = frame.f_globals.get("__name__", "").partition(".")[0]
            # What is written in C has no frame: it would be taken for the function that calls it, and needs an array.
            mine = threading.get_ident() == thread and caller not in LIBRARIES and not program.closed
            mine = mine and calls(frame, choose)
            return (ours if mine else function)(*args, **kwargs)

        return choose

    return decorate


def _buffer(function: Callable, program: Program) -> Callable:
    is_uniform = function.__name__ in UNIFORM

    @_for_us(function, program)
    def make(*args: Any, **kwargs: Any) -> Any:
        if function is _FULL and len(args) > 1 and _is_recorded(args[1]):
            return _full_of(program, *args, **kwargs)
        array = function(*args, **kwargs)
        if type(array) is not np.ndarray or array.dtype.char not in "fdFD":
            return array
        if function is _EMPTY:
            array[...] = 0
        return _boxed(_traced(array, program, is_uniform))

    return make


def _full_of(program: Program, shape: Any, value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    buffer = _boxed(_traced(_ZEROS(shape, dtype or value.dtype), program))
    buffer[...] = value
    return buffer


_ZEROS, _EMPTY, _FULL = np.zeros, np.empty, np.full


def _traced(array: np.ndarray, program: Program, is_uniform: bool = False) -> Trace:
    """The array as a value of the program; in a large one that is uniform, one number stands for many."""
    number = array.flat[0] if is_uniform and array.size > SMALL else None
    if number is None or (not number and any(number.tobytes())):  # a sum with -0.0 would lose its sign
        return Trace._of(array, program.constant(array), program)
    zeros = recorded(program, _ZEROS, "zeros", (array.shape, array.dtype), {})
    return zeros + number if number else zeros


def _boxed(value: Trace) -> Tensor:
    buffer = Tensor._box(value)
    buffer._mutable = True  # also where it has no axes
    return buffer


SMALL = 512
"""Elements up to which a uniform array is written down as it is."""


def _copy(function: Callable, program: Program, is_new: bool) -> Callable:
    @_for_us(function, program)
    def make(data: Any, dtype: Any = None, **kwargs: Any) -> Any:
        if kwargs:
            return function(data, dtype, **kwargs)
        if not _is_recorded(data):
            array = function(data, dtype)
            is_filled_later = isinstance(data, list) and array.dtype.char in "fdFD" and array.size <= SMALL
            return _boxed(_traced(array, program)) if is_filled_later else array
        joined = _joined(data, dtype)
        if isinstance(joined, Trace):
            return _boxed(joined)
        return joined.copy() if is_new and joined is data else joined

    return make


def _is_recorded(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(map(_is_recorded, data))
    while isinstance(data, Wrapper) and not data._recorded:
        data = data._value
    return is_recorded(data)


def _joined(data: Any, dtype: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return np.stack([_joined(part, dtype) for part in data])
    if dtype is None or not isinstance(data, Wrapper):
        return data if dtype is None else np.asarray(data, dtype)
    array: Any = data
    return array if array.dtype == np.dtype(dtype) else array.astype(dtype)
