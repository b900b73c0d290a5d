"""The legacy array class. It has at least one axis: what has none in NumPy has shape ``(1,)`` here."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import face
from wengert.box import bare, freeze
from wengert.dialects.family import float32_first
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.array import Array, found_arrays, integral
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
        kind = index.__class__
        if kind is int and self._spec.ndim == 1:
            index = _kept(index, self._spec.shape[0])
        elif kind is tuple and set(map(type, index)) <= _BASIC:
            index = _kept_last(self, index)
        elif kind is not int and kind is not slice:
            index = freeze(_keeping_an_axis(self, index))
        return _getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        kind = index.__class__
        if kind is int and value.__class__ not in _NUMBERS and self._spec.ndim == 1:
            index = _kept(index, self._spec.shape[0])
        elif kind is not slice and kind is not int:
            index = freeze(_keeping_an_axis(self, index))
        if self._node is not None:
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
    return y if y.ndim else y[None]  # of a NumPy scalar three times as fast as reshape


def boxed(value: Any) -> NDArray:
    """An array around NumPy's, or around a number; not a copy."""
    return NDArray._box(value if value.__class__ is np.ndarray and value.ndim else np.atleast_1d(value))


found_arrays(NDArray, with_axes, boxed)
TABLE = NDArray._table
_getitem = TABLE[operator.getitem]
_BASIC = {int, slice}
_NUMBERS = {float, int, bool}


# Indexing --------------------------------------------------------------------------------------------------------


def _kept(index: int, n: int) -> slice:
    """A slice for a position."""
    if not -n <= index < n:
        raise IndexError(f"[getitem] an index in [{-n}, {n}) was required; received {index}")
    return slice(index, index + 1 or None)


def _keeping_an_axis(x: NDArray, index: Any) -> Any:
    """An index whose result has an axis, also where each axis of `x` is given a position."""
    index = integral(index)
    return _kept_last(x, index if isinstance(index, tuple) else (index,), index)


def _kept_last(x: NDArray, positions: tuple, otherwise: Any = None) -> Any:
    """The last of the positions as a slice, if there is one for each axis."""
    if len(positions) == x._spec.ndim and all(isinstance(i, (int, np.integer)) for i in positions):
        return (*positions[:-1], _kept(int(positions[-1]), x.shape[-1]))
    return positions if otherwise is None else otherwise


# Comparisons -----------------------------------------------------------------------------------------------------


def compare(ufunc: np.ufunc, a: Any, b: Any) -> NDArray:
    """Zeros and ones in the dtype of the first array."""
    like = (a if isinstance(a, Array) else b)._spec
    x = a._value if a.__class__ is NDArray else bare(a)
    y = ufunc(x, b if b.__class__ in _NUMBERS else bare(b)).astype(like.dtype)
    if y.__class__ is not np.ndarray or y.shape != like.shape:
        return boxed(y)
    t = object.__new__(NDArray)
    t._value, t._spec, t._level, t._node = y, like, NDArray._ground, None
    return t


def _comparison(name: str, ufunc: np.ufunc) -> Callable:
    def method(self: NDArray, other: Any) -> Any:
        if other is None or other.__class__ is str:
            return NotImplemented
        return compare(ufunc, self, other)

    method.__name__, method.__doc__ = name, f"Zeros and ones: see `numpy.{ufunc.__name__}`."
    return method


for _name, _ufunc in face.COMPARISONS.items():
    setattr(NDArray, f"__{_name}__", _comparison(f"__{_name}__", _ufunc))
