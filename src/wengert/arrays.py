"""What NumPy does slowly with plain arrays of awkward shapes, faster."""

from math import gcd, prod
from typing import Any

import numpy as np

from wengert import large, planned

SHORT = 32
"""Up to so many elements along an axis NumPy's reductions take most of their time for the turns of the loop."""
_copied = large.forward(np.positive, 1)
"""A copy of a large array, by several threads."""
_unstretched = planned.whole(lambda x: np.copy(x, "C"), backward=True)
"""The same of one number, or row, seen as many: of such are cotangents of sums."""


def copied_like(x: np.ndarray, like: Any) -> np.ndarray:
    """A copy in the order of another array: Fortran's if it is in that, or C's."""
    if like.__class__ is np.ndarray and like.ndim > 1 and like.flags.fnc:
        return in_order(x.T).T
    return in_order(x)


def in_order(x: np.ndarray) -> np.ndarray:
    """A copy in C order. Of an array whose lines lie far apart it is made in strips, which the caches can hold."""
    if x.size < 32_768:
        return x.copy()
    if x.flags.c_contiguous and x.dtype.kind == "f":
        return _copied(x)
    if not all(x.strides):
        return _unstretched(x)
    if x.ndim < 2 or abs(x.strides[-1]) <= x.itemsize:
        return x.copy()
    n = x.shape[-1]
    # Of elements that are a multiple of a large power of two apart caches keep few.
    if n * gcd(x.strides[-1], 65_536) < 131_072 or x.size < 128 * n:
        return x.copy()
    copied = np.empty(x.shape, x.dtype)
    width = max(64 // x.itemsize, 8)
    for start in range(0, n, width):
        copied[..., start : start + width] = x[..., start : start + width]
    return copied


class Memory(np.ndarray):
    """The bytes that an array with gaps lies in, which nobody else has.

    As they are of another class, views of the array have it as their base, and not these.
    """


def copied(x: np.ndarray) -> np.ndarray:
    """A copy that lies in memory as an array does, gaps included: by that NumPy decides what is a view of it."""
    y = np.array(x)
    if _lies_as(y, x):
        return y
    lying = _with_gaps(x)
    lying[...] = y
    return lying


def empty_as(x: Any) -> np.ndarray:
    """An array that lies in memory as another one does, of numbers that nobody reads."""
    y = np.empty_like(x)
    return y if _lies_as(y, x) else _with_gaps(x)


def _lies_as(y: np.ndarray, x: Any) -> bool:
    """Whether a copy lies as the array that it is of, or there are no gaps to keep: it is empty, or repeats itself."""
    if x.__class__ is not np.ndarray or x.flags.c_contiguous:
        return True
    strides = _strides(x)
    return _strides(y) == strides or not y.size or 0 in strides


def _with_gaps(x: np.ndarray) -> np.ndarray:
    """The same of an array with gaps; those of one that is a small part of its memory are narrower."""
    low, high = np.lib.array_utils.byte_bounds(x)
    size, start, strides = high - low, x.__array_interface__["data"][0] - low, x.strides
    if size > 4 * x.nbytes:
        strides = _narrowed(x)
        ends = [stride * (n - 1) for stride, n in zip(strides, x.shape, strict=True)]
        start = -sum(end for end in ends if end < 0)
        size = start + sum(end for end in ends if end > 0) + x.itemsize
    return np.ndarray(x.shape, x.dtype, Memory(size, np.uint8), start, strides)


def _narrowed(x: np.ndarray) -> tuple[int, ...]:
    """Strides with gaps of one element where an array has gaps of any size."""
    strides, dense, step = [x.itemsize] * x.ndim, x.itemsize, x.itemsize
    for axis in sorted(range(x.ndim), key=lambda i: abs(x.strides[i])):
        stride, n = x.strides[axis], x.shape[axis]
        if n > 1:
            step += x.itemsize if abs(stride) != dense else 0
            strides[axis] = step if stride > 0 else -step
            dense, step = abs(stride) * n, step * n
    return tuple(strides)


def _strides(x: np.ndarray) -> list[int]:
    """Bytes from one element to the next along the axes that have more than one."""
    return [stride for stride, n in zip(x.strides, x.shape, strict=True) if n > 1]


def sum_last(x: Any) -> Any:
    """The sum along the last axis. Of a plain array with a short one it is a product with ones, in BLAS."""
    n = x.shape[-1]
    if 1 < n <= SHORT and _in_lines(x):
        return np.matmul(x.reshape(-1, n), np.ones(n, x.dtype)).reshape(x.shape[:-1])
    if 1 < n <= 8 and x.__class__ is np.ndarray and x.size > 1024:  # complex, or not contiguous
        total = x[..., 0] + x[..., 1]
        for i in range(2, n):
            total += x[..., i]
        return total
    return np.sum(x, axis=-1)


def sum_first(x: Any, axes: int) -> Any:
    """The sum over so many axes in front. Of a plain array with few elements behind them it is a product, too."""
    if _in_lines(x):
        shape = x.shape[axes:]
        columns = prod(shape)
        rows = x.size // columns
        if 1 < columns <= 2 * SHORT < rows:
            return np.matmul(np.ones(rows, x.dtype), x.reshape(rows, columns)).reshape(shape)
    return np.sum(x, axis=tuple(range(axes)))


def power_of_ten(n: int) -> float:
    """What NumPy rounds with, which multiplies from the ninth power on."""
    return prod([10.0] * (n - 9), start=10.0 ** min(n, 9))


def _in_lines(x: Any) -> bool:
    return x.__class__ is np.ndarray and x.size > 1024 and x.dtype.char in "df" and x.flags.c_contiguous
