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

from wengert.box import unbox
from wengert.compiler.program import Program
from wengert.compiler.trace import Trace, recorded
from wengert.protocol import Wrapper
from wengert.reading import calls
from wengert.tensor import Tensor

__all__ = ["buffers_made_recordable"]

BUFFERS = ("zeros", "ones", "empty", "full")
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
            setattr(np, name, _copy(before[name], is_new=name == "array"))
        yield
    finally:
        for name, function in before.items():
            setattr(np, name, function)


def _for_us(function: Callable) -> Callable:
    """What takes a function's place where this thread calls it from outside of the libraries."""
    thread = threading.get_ident()

    def decorate(ours: Callable) -> Callable:
        @functools.wraps(function)
        def choose(*args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            caller = frame.f_globals.get("__name__", "").partition(".")[0]
            # What is written in C has no frame: it would be taken for the function that calls it, and needs an array.
            mine = threading.get_ident() == thread and caller not in LIBRARIES and calls(frame, choose)
            return (ours if mine else function)(*args, **kwargs)

        return choose

    return decorate


def _buffer(function: Callable, program: Program) -> Callable:
    @_for_us(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        if function is _FULL and len(args) > 1 and _is_recorded(args[1]):
            return _full_of(program, *args, **kwargs)
        array = function(*args, **kwargs)
        if type(array) is not np.ndarray or array.dtype.char not in "fdFD":
            return array
        if function is _EMPTY:
            array[...] = 0
        return _boxed(_traced(array, program))

    return make


def _full_of(program: Program, shape: Any, value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    buffer = _boxed(_traced(_ZEROS(shape, dtype or value.dtype), program))
    buffer[...] = value
    return buffer


_ZEROS, _EMPTY, _FULL = np.zeros, np.empty, np.full


def _traced(array: np.ndarray, program: Program) -> Trace:
    """The array as a value of the program; one number stands for many."""
    if array.size <= SMALL:
        return Trace._of(array, program.constant(array), program)
    zeros = recorded(program, _ZEROS, "zeros", (array.shape, array.dtype), {})
    return zeros if not array.any() else zeros + array.reshape(-1)[0]


def _boxed(value: Trace) -> Tensor:
    buffer = Tensor._box(value)
    buffer._mutable = True  # also where it has no axes
    return buffer


SMALL = 512
"""Elements up to which an array is written down as it is."""


def _copy(function: Callable, is_new: bool) -> Callable:
    @_for_us(function)
    def make(data: Any, dtype: Any = None, **kwargs: Any) -> Any:
        if kwargs or not _is_recorded(data):
            return function(data, dtype, **kwargs)
        joined = _joined(data, dtype)
        return joined.copy() if is_new and joined is data else joined

    return make


def _is_recorded(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(map(_is_recorded, data))
    return isinstance(data, Wrapper) and isinstance(unbox(data), Trace)


def _joined(data: Any, dtype: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return np.stack([_joined(part, dtype) for part in data])
    if dtype is None or not isinstance(data, Wrapper):
        return data if dtype is None else np.asarray(data, dtype)
    array: Any = data
    return array if array.dtype == np.dtype(dtype) else array.astype(dtype)
