"""Large values that are not computed while a function is recorded.

To record a program only shapes and dtypes are needed, and the values by which it decides. So where operations on large
arrays would take most of the time, each gives a `Later`: what is to be done, and an array of the right shape, dtype and
strides that nobody reads (memory which is never touched is never given by the system). A value is computed when it is
asked for, and all that it needs with it; else it never is, and the compiled program gives the results of the first call
as well.
"""

from collections.abc import Callable, Sequence
from math import prod
from mmap import mmap
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from wengert.compiler.nested import found_in, holds, replaced

__all__ = ["LARGE", "Later", "all_known", "allocated", "elementwise", "known", "later", "looks"]

LARGE = 1 << 15
"""Elements from which on an operation is put off."""
_empty, _ones = np.empty, np.ones
"""NumPy's own, in whose place functions that are being recorded find others (`making`)."""
PUT_OFF = "fdFD?"
"""The dtypes of results that are put off: operations on integers may raise."""


class Later:
    """The result of a call that has not been made."""

    __slots__ = ("args", "call", "kwargs", "looks", "value")

    def __init__(self, call: Callable, args: tuple, kwargs: dict, looks: Any):
        self.call, self.args, self.kwargs, self.looks = call, args, kwargs, looks
        self.value: Any = None

    def waiting(self) -> list["Later"]:
        """What must be computed before."""
        return [x for x in found_in((self.args, self.kwargs), Later) if x.call is not None]

    def compute(self) -> None:
        """Make the call; what it needs is known."""
        self.value = self.call(*replaced(self.args, Later, _value), **replaced(self.kwargs, Later, _value))
        self.call, self.args, self.kwargs, self.looks = None, (), {}, self.value  # type: ignore[assignment]


def known(x: Any) -> Any:
    """A value, computed if it has not been."""
    if x.__class__ is not Later:
        return x
    stack = [x]
    while stack:
        top = stack[-1]
        waiting = top.waiting() if top.call is not None else []
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if top.call is not None:
            top.compute()
    return x.value


def all_known(value: Any) -> Any:
    """Arguments with what has been put off computed."""
    return replaced(value, Later, known)


def looks(x: Any) -> Any:
    """Something with the shape, dtype and strides of a value."""
    return x.looks if x.__class__ is Later else x


def _value(x: Later) -> Any:
    return x.value


_looks: WeakValueDictionary = WeakValueDictionary()
PAGES = 1 << 20
"""Bytes from which on an array that nobody reads has pages of its own."""


def _unread(shape: tuple, dtype: np.dtype) -> Any:
    """An array in the usual order that nobody reads: one for all values that look like it."""
    found = _looks.get((shape, dtype))
    if found is None:
        size = prod(shape) * dtype.itemsize
        # What is large must not lie where results would: they would then lie beyond it, and each time elsewhere.
        found = np.ndarray(shape, dtype, mmap(-1, size)) if size > PAGES else _empty(shape, dtype)
        _looks[shape, dtype] = found
    return found


# Elementwise operations ---------------------------------------------------------------------------------------------


def elementwise(call: Callable, *args: Any) -> Any:
    """The result of an elementwise operation: put off, or as it is where that cannot be."""
    seen = [looks(x) for x in args]
    found = _look_of_elementwise(call, *seen)
    return call(*map(known, args)) if found is None or found.dtype.char not in PUT_OFF else Later(call, args, {}, found)


def _look_of_elementwise(call: Callable, *seen: Any) -> Any:
    dtype = _dtype(call, seen)
    if dtype is None:
        return None
    shapes = {_shape(x) for x in seen} - {()}
    if not shapes:
        return dtype.type(1)
    if len(shapes) == 1 and all(x.flags.c_contiguous for x in seen if x.__class__ is np.ndarray):
        return _unread(shapes.pop(), dtype)
    found = allocated(seen, dtype)
    return _unread(found.shape, dtype) if found is not None and found.flags.c_contiguous else found


def _shape(x: Any) -> tuple[int, ...]:
    return x.shape if x.__class__ is np.ndarray else () if x.__class__ in (float, int) else np.shape(x)


def allocated(seen: Sequence, dtype: np.dtype) -> Any:
    """The array that NumPy would make for the result of an elementwise operation, which decides about its order."""
    ways: Any = [["readonly"]] * len(seen) + [["writeonly", "allocate"]]
    try:
        return np.nditer([*seen, None], ["zerosize_ok"], ways, [None] * len(seen) + [dtype]).operands[-1]
    except ValueError:
        return None


_dtypes: dict[tuple, np.dtype | None] = {}


def _dtype(call: Callable, seen: Sequence) -> np.dtype | None:
    """The dtype of an elementwise result, which operands of one element have, too."""
    key = (call, *[x.dtype if isinstance(x, (np.ndarray, np.generic)) else x.__class__ for x in seen])
    if key not in _dtypes:
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(call(*map(_one, seen))).dtype
        except (TypeError, ValueError, OverflowError):
            found = None
        _dtypes[key] = found
    return _dtypes[key]


def _one(x: Any) -> Any:
    return _ones(1, x.dtype) if isinstance(x, (np.ndarray, np.generic)) else x


# Other functions ----------------------------------------------------------------------------------------------------


def later(call: Callable, name: str, is_view: bool, args: tuple, kwargs: dict) -> Any:
    """The result of a call, of which arguments may be values that have been put off.

    Put off itself if it is large or depends on such, and if it can be told what it will look like.
    """
    pending = holds(args, Later) or holds(kwargs.values(), Later)
    if pending or (not is_view and any(x.__class__ is np.ndarray and x.size >= LARGE for x in args)):
        if isinstance(call, np.ufunc) and call.nout == 1 and call.signature is None and not kwargs:
            return elementwise(call, *args)
        seen = replaced(args, Later, looks)
        found = _looked(call, name, is_view, seen, kwargs)
        if found is not None and found.dtype.char in PUT_OFF:
            return Later(call, args, kwargs, found)
    if pending:
        args, kwargs = all_known(args), all_known(kwargs)
    return call(*args, **kwargs)


def _looked(call: Callable, name: str, is_view: bool, seen: tuple, kwargs: dict) -> Any:
    """Something that looks like the result; `None` if only the call can tell."""
    if holds(kwargs.values(), Later):
        return None
    look = LOOKS.get(name)
    if look is None:
        return call(*seen, **kwargs) if is_view else None  # what a view looks like depends on no value
    try:
        return look(call, *seen, **kwargs)
    except (TypeError, ValueError, IndexError, np.exceptions.AxisError):
        return None  # the call itself will say what is wrong


def _look_of_reduction(call: Callable, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = np.lib.array_utils.normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if not x.size:
        return None
    dtype = call(_ones((1,) * x.ndim, x.dtype), axis=axis).dtype
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes)
    return _unread(shape, dtype) if shape else dtype.type(1)


def _look_of_product(call: Callable, a: Any, b: Any) -> Any:
    if min(a.ndim, b.ndim) < 1 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        return None
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*batch, *(a.shape[-2:-1]), *(b.shape[-1:] if b.ndim > 1 else ()))
    dtype = np.result_type(a.dtype, b.dtype)
    return _unread(shape, dtype) if shape else dtype.type(1)


def _look_of_reshaped(call: Callable, x: Any, shape: Any = (), order: str = "C") -> Any:
    if order != "C":
        return call(x, shape, order)
    try:
        return np.reshape(x, shape, copy=False)
    except ValueError:  # it is a copy, of what nobody reads
        return _unread(call(np.broadcast_to(x.dtype.type(0), x.shape), shape).shape, x.dtype)


def _look_of_written(call: Callable, x: Any, value: Any, index: Any) -> Any:
    part = x[index]  # raises if there is none
    np.broadcast_shapes(np.shape(value), part.shape)
    fits = np.ndim(value) <= part.ndim and prod(np.shape(value)) <= max(part.size, 1)
    plain = value.__class__ in (int, float) or np.can_cast(value.dtype, x.dtype)
    if not (x.ndim and fits and plain):
        return None
    return _unread(x.shape, x.dtype) if x.flags.c_contiguous else x


LOOKS = {
    **dict.fromkeys(("sum", "mean", "max", "min", "prod"), _look_of_reduction),
    "where": _look_of_elementwise,
    "guarded": _look_of_elementwise,
    "sech_squared": _look_of_elementwise,
    "matmul": _look_of_product,
    "reshape": _look_of_reshaped,
    "added": _look_of_written,
    "assigned": _look_of_written,
}
"""What the results of functions look like, by the names of the primitives."""
