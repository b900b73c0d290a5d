"""Whether objects lie in memory as the native code takes them to; asked when it is first needed."""

import ctypes
import functools
import sys
from math import prod
from types import CellType
from typing import Any

import numpy as np

from wengert.compiler.operands import ALIGNED, CELL_CONTENT, COLUMNS, ROWS, SET_SIZE, SIZE, slot_offset

__all__ = ["probe"]

ORDERS = ROWS | COLUMNS | ALIGNED


class _Derived(np.ndarray):
    """A class of arrays, to look at."""


@functools.cache
def probe() -> bool:
    """Whether objects are laid out as the native code takes them to be."""
    if sys.implementation.name != "cpython" or "t" in getattr(sys, "abiflags", ""):  # without the global lock
        return False
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return False
    return _arrays_as_expected() and _others_as_expected()


def _word(obj: Any, offset: int, kind: Any = ctypes.c_uint64) -> Any:
    return kind.from_address(id(obj) + offset).value


def _arrays_as_expected() -> bool:
    a = np.arange(24, dtype=np.float64).reshape(2, 3, 4)[:, ::2]
    derived = np.zeros(3).view(_Derived)
    dims = _word(a, 32)
    return (
        _word(a, 8) == id(np.ndarray)
        and _word(a, 16) == a.ctypes.data
        and _word(derived, 16) == derived.ctypes.data
        and _word(a, 24, ctypes.c_int) == 3
        and [ctypes.c_int64.from_address(dims + 8 * i).value for i in range(3)] == list(a.shape)
        and _word(a, 56) == id(a.dtype)
        and not _word(a, 64, ctypes.c_int) & 1
        and _word(np.zeros((2, 3)), 64, ctypes.c_int) & ORDERS == ROWS | ALIGNED
        and _word(np.zeros((2, 3), order="F"), 64, ctypes.c_int) & ORDERS == COLUMNS | ALIGNED
        and prod(a.shape) == a.size
    )


def _others_as_expected() -> bool:
    numbers = [kind(3) for kind in (np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_)]
    part = object()
    pair, items, dictionary = (part, 1), [part, 1], {"a": part, "b": part}
    cell = CellType(part)
    slotted = _Slotted()
    slotted.second = part
    return (
        _word(1.5, 16, ctypes.c_double) == 1.5
        and all(ctypes.string_at(id(x) + 16, x.dtype.itemsize) == x.tobytes() for x in numbers)
        and _word(pair, tuple.__basicsize__) == id(part)
        and ctypes.c_uint64.from_address(_word(items, 24)).value == id(part)
        and _word(pair, SIZE) == _word(items, SIZE) == _word(dictionary, SIZE) == _word({1, 2}, SET_SIZE) == 2
        and _word(cell, CELL_CONTENT) == id(part)
        and _word(slotted, slot_offset(_Slotted, "second")) == id(part)
    )


class _Slotted:
    """A class with slots, to look at."""

    __slots__ = ("first", "second")
    first: Any
    second: Any
