"""The legacy array class. It has at least one axis: what has none in NumPy has shape ``(1,)`` here."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import face
from wengert.box import bare, freeze
from wengert.dialects.family import float32_first
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.array import Array, found_arrays
from wengert.writes import write

__all__ = ["NDArray"]

FLOAT32 = np.dtype(np.float32)


class NDArray(Array):
    """MXNet's legacy array: ``mx.nd.array`` and its like make them.

    The functions of ``mx.nd`` that take an array first are its methods, too.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"\n{self.asnumpy()}\n<{type(self).__name__} {'x'.join(map(str, self.shape))} @{self.context}>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is int and self._spec.ndim == 1:
            index = _kept(index, self._spec.shape[0])
        elif index.__class__ is not int and index.__class__ is not slice:
            index = freeze(_keeping_an_axis(self, index))
        return TABLE[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if index.__class__ is not slice and (index.__class__ is not int or self._spec.ndim == 1):
            index = freeze(_keeping_an_axis(self, index))
        graph.check_write("setitem", self)
        write(self, index, value)

    def slice_assign(self, rhs: Any, begin: tuple, end: tuple, step: tuple | None = None) -> Any:
        """Write into a slice."""
        self[tuple(map(slice, begin, end, step or (None,) * len(begin)))] = rhs
        return self

    slice_assign_scalar = slice_assign


def with_axes(y: Any, operands: tuple) -> Any:
    """Single precision first, and an axis where there is none."""
    if y.dtype is not FLOAT32:
        y = float32_first(y, operands)
    return y if y.ndim else y.reshape(1)


def boxed(value: Any) -> NDArray:
    """An array around NumPy's, or around a number; not a copy."""
    return NDArray._box(value if value.__class__ is np.ndarray and value.ndim else np.atleast_1d(value))


found_arrays(NDArray, with_axes, boxed)
TABLE = NDArray._table


# Indexing --------------------------------------------------------------------------------------------------------


def _kept(index: int, n: int) -> slice:
    """A slice for a position."""
    if not -n <= index < n:
        raise IndexError(f"[getitem] an index in [{-n}, {n}) was required; received {index}")
    return slice(index, index + 1 or None)


def _integral(index: Any) -> Any:
    """An index with arrays of whole numbers, where MXNet has them in floats."""
    if isinstance(index, tuple):
        return tuple(map(_integral, index))
    if isinstance(index, Array):
        index = bare(index)
        return index if index.dtype.kind in "biu" else index.astype(np.int64)
    return index


def _keeping_an_axis(x: NDArray, index: Any) -> Any:
    """An index whose result has an axis, also where each axis of `x` is given a position."""
    index = _integral(index)
    positions = index if isinstance(index, tuple) else (index,)
    if len(positions) == x.ndim and all(isinstance(i, (int, np.integer)) for i in positions):
        return (*positions[:-1], _kept(int(positions[-1]), x.shape[-1]))
    return index


# Comparisons -----------------------------------------------------------------------------------------------------


def compare(ufunc: np.ufunc, a: Any, b: Any) -> NDArray:
    """Zeros and ones in the dtype of the first array."""
    like = a if isinstance(a, Array) else b
    return boxed(ufunc(bare(a), bare(b)).astype(like._spec.dtype))


def _comparison(name: str, ufunc: np.ufunc) -> Callable:
    def method(self: NDArray, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        return compare(ufunc, self, other)

    method.__name__, method.__doc__ = name, f"Zeros and ones: see `numpy.{ufunc.__name__}`."
    return method


for _name, _ufunc in face.COMPARISONS.items():
    setattr(NDArray, f"__{_name}__", _comparison(f"__{_name}__", _ufunc))
