"""The array class of ``mxnet.np``: NumPy's shapes and dtypes, in single precision unless double is asked for."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import creation
from wengert.box import array_from, bare, freeze
from wengert.dialects.family import float32_first
from wengert.dialects.mxnet import graph
from wengert.dialects.mxnet.array import Array, found_arrays, integral
from wengert.dialects.mxnet.context import on_cpu
from wengert.dialects.mxnet.ndarray import NDArray
from wengert.dialects.mxnet.util import default_float, is_np_default_dtype
from wengert.primitive import REGISTRY
from wengert.writes import write

__all__ = ["array", "as_np_ndarray", "boxed", "ndarray"]

FLOAT32 = np.dtype(np.float32)


class ndarray(Array):
    """MXNet's NumPy array: ``mx.np.array`` and its like make them."""

    __slots__ = ()

    def as_nd_ndarray(self) -> NDArray:
        """The same array of the legacy class, with its history; one without axes gets one."""
        whole = self if self.ndim else self.reshape(1)
        return NDArray._box(whole._value, whole._level, whole._node)

    def as_np_ndarray(self) -> "ndarray":
        """The array itself."""
        return self

    def astype(
        self, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Convert to another dtype; the gradient comes back in this one."""
        y = self._table[np.astype](self, np.dtype(dtype), copy=copy)
        return y if isinstance(y, Array) else boxed(y)

    def copy(self, order: str = "C") -> Any:
        """An independent copy, whose gradient comes back here."""
        return self._table[np.copy](self, order)

    def __getitem__(self, index: Any) -> Any:
        if index.__class__ is not int and index.__class__ is not slice:
            index = freeze(integral(index))
        return _getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if index.__class__ is not int and index.__class__ is not slice:
            index = freeze(integral(index))
        if self._node is not None:
            graph.check_write("setitem", self)
        write(self, index, value)

    def take(self, indices: Any, axis: int | None = None, mode: str = "clip") -> Any:
        """Elements at positions along an axis; positions beyond the ends are those of the ends."""
        return self._table[np.take](self, integral(indices), axis, mode=mode)

    def norm(self, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
        """See `numpy.linalg.norm`."""
        return self._table[np.linalg.norm](self, ord, axis, keepdims)

    def __repr__(self) -> str:
        text = repr(self.asnumpy())
        default = np.dtype(np.float64 if is_np_default_dtype() else np.float32)
        if "dtype=" in text:
            return text if self.dtype != default else text[: text.rindex(",")] + ")"
        return text if self.dtype in (default, np.bool_) else f"{text[:-1]}, dtype={self.dtype})"

    def __str__(self) -> str:
        return str(self.asnumpy())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.ndim else format(str(self), spec)


def _reduction(name: str, function: Any) -> Callable:
    """A method of the array: MXNet takes a list of axes as well as a tuple."""
    direct = getattr(REGISTRY[function], "direct", None)

    def method(self: ndarray, axis: Any = None, *args: Any, keepdims: bool = False, **kwargs: Any) -> Any:
        axis = tuple(axis) if axis.__class__ is list else axis
        if direct is not None and not args and not kwargs:
            return self._table[direct](self, axis, bool(keepdims))
        return self._table[function](self, axis, *args, **({"keepdims": True} if keepdims else {}), **kwargs)

    method.__name__, method.__doc__ = name, f"See `numpy.{name}`."
    return method


for _name in ("sum", "mean", "max", "min", "prod", "var", "std", "any", "all"):
    setattr(ndarray, _name, _reduction(_name, getattr(np, _name)))


def boxed(value: Any) -> ndarray:
    """An array around NumPy's, or around a number."""
    return ndarray._box(value)


def single_first(y: Any, operands: tuple) -> Any:
    """Single precision first, unless ``set_np(dtype=True)`` says that promotion is NumPy's."""
    return y if y.dtype is FLOAT32 or is_np_default_dtype() else float32_first(y, operands)


found_arrays(ndarray, single_first, boxed)
_getitem = ndarray._table[operator.getitem]


def as_np_ndarray(array: NDArray) -> ndarray:
    """The same array of the NumPy class, with its history."""
    return ndarray._box(array._value, array._level, array._node)


NDArray.as_np_ndarray = as_np_ndarray
NDArray.as_nd_ndarray = lambda self: self


def array(object: Any, dtype: Any = None, ctx: Any = None, device: Any = None, copy: bool = True) -> ndarray:
    """An array with a copy of numbers: in the default precision, unless they come in an array or `dtype` is given.

    Values that are recorded stay recorded.
    """
    on_cpu("array", ctx or device)
    if _holds_recorded(object):
        joined = _of_class(creation.asarray(object))
        return joined.copy() if dtype is None else joined.astype(dtype)
    if dtype is None:
        dtype = object.dtype if isinstance(object, (Array, np.ndarray, np.generic)) else default_float()
        if dtype == np.float64 and not isinstance(object, Array):
            dtype = default_float()
    return boxed(array_from(_numbers(object)).astype(dtype, copy=False))


def _of_class(recorded: Any) -> ndarray:
    return recorded if isinstance(recorded, ndarray) else as_np_ndarray(recorded)


def _holds_recorded(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(map(_holds_recorded, data))
    return isinstance(data, Array) and data._node is not None and graph.recording(data)


def _numbers(data: Any) -> Any:
    """What arrays inside nested lists hold."""
    if isinstance(data, (list, tuple)):
        return [_numbers(item) for item in data]
    return bare(data)
