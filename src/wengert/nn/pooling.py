"""Pooling: the maximum or the mean of windows that slide over the last axes."""

import itertools
from collections.abc import Iterable
from math import prod

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, describe
from wengert.nn._windows import Numbers, per_axis, reach, require_windows
from wengert.protocol import spec_of
from wengert.rules import windows as rules

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]


def max_pool1d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    ceil_mode: bool = False,
) -> Array:
    """Maximum of windows along the last axis; see `max_pool2d`.

    Examples
    --------
    >>> max_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[3., 2.]])
    """
    return _max_pool("max_pool1d", 1, x, window, stride, padding, dilation, ceil_mode)


def max_pool2d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    ceil_mode: bool = False,
) -> Array:
    """Maximum of windows that slide over the last two axes.

    Elements equal to the maximum share its gradient evenly, as for `numpy.max`.

    Parameters
    ----------
    x : array or tensor of shape (..., height, width)
    window : int, or one per axis
    stride : int, or one per axis, optional
        From one window to the next. Without it windows lie side by side.
    padding : int, or one per axis
        How far the first and the last window may begin before `x` and reach beyond it, at most half a window; there is
        nothing there that could be the maximum.
    dilation : int, or one per axis
        From one element of a window to the next.
    ceil_mode : bool
        Whether there is one more window where one begins inside of `x` (or before it), but reaches too far.

    Returns
    -------
    array or tensor of shape (..., rows of windows, columns of windows)

    Raises
    ------
    ShapeError
        The window is larger than `x` with its padding, or `x` has too few axes.
    ArgumentError
        An option has a value that makes no sense.

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(4, 4), 2)
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return _max_pool("max_pool2d", 2, x, window, stride, padding, dilation, ceil_mode)


def max_pool3d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    dilation: Numbers = 1,
    ceil_mode: bool = False,
) -> Array:
    """Maximum of windows that slide over the last three axes; see `max_pool2d`.

    Examples
    --------
    >>> max_pool3d(np.zeros((2, 3, 4, 4, 4)), 2).shape
    (2, 3, 2, 2, 2)
    """
    return _max_pool("max_pool3d", 3, x, window, stride, padding, dilation, ceil_mode)


def avg_pool1d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of windows along the last axis; see `avg_pool2d`.

    Examples
    --------
    >>> avg_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[2., 1.]])
    """
    return _avg_pool("avg_pool1d", 1, x, window, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of windows that slide over the last two axes.

    Parameters
    ----------
    x : array or tensor of shape (..., height, width)
    window, stride, padding, ceil_mode
        As for `max_pool2d`; the padding is zeros.
    count_include_pad : bool
        Whether these zeros are counted in the mean. What lies beyond the padding never is.

    Returns
    -------
    array or tensor of shape (..., rows of windows, columns of windows)

    Raises
    ------
    ShapeError
        The window is larger than `x` with its padding, or `x` has too few axes.
    ArgumentError
        An option has a value that makes no sense.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(4, 4), 2)
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    >>> avg_pool2d(np.ones((2, 2)), 2, padding=1, count_include_pad=False)
    array([[1., 1.],
           [1., 1.]])
    """
    return _avg_pool("avg_pool2d", 2, x, window, stride, padding, ceil_mode, count_include_pad)


def avg_pool3d(
    x: Array,
    window: Numbers,
    stride: Numbers | None = None,
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of windows that slide over the last three axes; see `avg_pool2d`.

    Examples
    --------
    >>> avg_pool3d(np.zeros((2, 3, 4, 4, 4)), 2).shape
    (2, 3, 2, 2, 2)
    """
    return _avg_pool("avg_pool3d", 3, x, window, stride, padding, ceil_mode, count_include_pad)


def adaptive_avg_pool1d(x: Array, output_size: Numbers) -> Array:
    """Means of `output_size` parts of the last axis; see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_avg_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[2., 1.]])
    """
    return _adaptive("adaptive_avg_pool1d", 1, np.mean, avg_pool1d, x, output_size)


def adaptive_avg_pool2d(x: Array, output_size: Numbers | Iterable[int | None]) -> Array:
    """Means of so many parts of the last two axes as the result is to have.

    Part ``i`` of ``n`` goes from element ``floor(i * size / n)`` up to ``ceil((i + 1) * size / n)`` and overlaps its
    neighbours where `n` does not divide the size.

    Parameters
    ----------
    x : array or tensor of shape (..., height, width)
    output_size : int, or one per axis
        None for an axis that stays as it is.

    Returns
    -------
    array or tensor of shape (..., *output_size)

    Raises
    ------
    ShapeError
        `x` has too few axes, or one of no length.
    ArgumentError
        `output_size` makes no sense.

    Examples
    --------
    >>> adaptive_avg_pool2d(np.arange(9.0).reshape(3, 3), 2)
    array([[2., 3.],
           [5., 6.]])
    """
    return _adaptive("adaptive_avg_pool2d", 2, np.mean, avg_pool2d, x, output_size)


def adaptive_avg_pool3d(x: Array, output_size: Numbers | Iterable[int | None]) -> Array:
    """Means of parts of the last three axes; see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_avg_pool3d(np.zeros((2, 3, 4, 5, 6)), (1, 2, 3)).shape
    (2, 3, 1, 2, 3)
    """
    return _adaptive("adaptive_avg_pool3d", 3, np.mean, avg_pool3d, x, output_size)


def adaptive_max_pool1d(x: Array, output_size: Numbers) -> Array:
    """Maxima of `output_size` parts of the last axis; see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool1d(np.array([[1.0, 3.0, 2.0, 0.0]]), 2)
    array([[3., 2.]])
    """
    return _adaptive("adaptive_max_pool1d", 1, np.max, max_pool1d, x, output_size)


def adaptive_max_pool2d(x: Array, output_size: Numbers | Iterable[int | None]) -> Array:
    """Maxima of parts of the last two axes; see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool2d(np.arange(9.0).reshape(3, 3), 2)
    array([[4., 5.],
           [7., 8.]])
    """
    return _adaptive("adaptive_max_pool2d", 2, np.max, max_pool2d, x, output_size)


def adaptive_max_pool3d(x: Array, output_size: Numbers | Iterable[int | None]) -> Array:
    """Maxima of parts of the last three axes; see `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool3d(np.zeros((2, 3, 4, 5, 6)), (1, 2, 3)).shape
    (2, 3, 1, 2, 3)
    """
    return _adaptive("adaptive_max_pool3d", 3, np.max, max_pool3d, x, output_size)


def _max_pool(operation, ndim, x, window, stride, padding, dilation, ceil_mode):
    x = as_array(x)
    return rules.window_max(x, windows=_windows(operation, ndim, x, window, stride, padding, dilation, ceil_mode))


def _avg_pool(operation, ndim, x, window, stride, padding, ceil_mode, count_include_pad):
    x = as_array(x)
    x = x if spec_of(x).inexact else np.astype(x, float)
    at = _windows(operation, ndim, x, window, stride, padding, 1, ceil_mode)
    sums = rules.window_sum(x, windows=at)
    if not at.padded:
        return sums * (1 / prod(at.window))
    margin = at.padding if count_include_pad else (0,) * ndim
    axes = zip(at.size, at.count, at.window, at.stride, at.padding, margin, strict=True)
    shares = [1 / _counted(*axis) for axis in axes]
    grid = np.ix_(*shares)
    return sums * np.asarray(prod(grid[1:], start=grid[0]), spec_of(x).dtype)


def _counted(size, count, window, stride, padding, margin):
    """How many elements each window has along one axis, those of a margin around the array included."""
    begin = np.arange(count) * stride - padding
    return np.minimum(begin + window, size + margin) - np.maximum(begin, -margin)


def _adaptive(operation, ndim, reduce, pool, x, output_size):
    x = as_array(x)
    _require_axes(operation, ndim, x)
    size = x.shape[x.ndim - ndim :]
    if np.iterable(output_size):
        output_size = tuple(size[i] if k is None and i < ndim else k for i, k in enumerate(output_size))
    counts = per_axis(operation, "output_size", output_size, ndim, 1)
    if not min(size):
        raise ShapeError(f"[{operation}] axes of some length were required; got x with {describe(x)}.")
    if not any(n % k for n, k in zip(size, counts, strict=True)):
        return pool(x, tuple(n // k for n, k in zip(size, counts, strict=True)))
    edges = [[slice(i * n // k, -(-(i + 1) * n // k)) for i in range(k)] for n, k in zip(size, counts, strict=True)]
    last = tuple(range(-ndim, 0))
    parts = [reduce(x[..., *part], axis=last) for part in itertools.product(*edges)]
    return np.reshape(np.stack(parts, axis=-1), (*x.shape[: x.ndim - ndim], *counts))


def _require_axes(operation: str, ndim: int, x: Array) -> None:
    if x.ndim < ndim:
        raise ShapeError(f"[{operation}] x must have at least {ndim} axes; got x with {describe(x)}; reshape it.")


def _windows(operation, ndim, x, window, stride, padding, dilation, ceil_mode):
    window = per_axis(operation, "window", window, ndim, 1)
    stride = window if stride is None else per_axis(operation, "stride", stride, ndim, 1)
    padding = per_axis(operation, "padding", padding, ndim, 0)
    dilation = per_axis(operation, "dilation", dilation, ndim, 1)
    _require_axes(operation, ndim, x)
    if any(2 * p > k for p, k in zip(padding, window, strict=True)):
        raise ArgumentError(
            f"[{operation}] padding must be at most half of the window; got padding {padding} and window {window}; "
            f"other windows would hold nothing but padding."
        )
    size, reaches = x.shape[x.ndim - ndim :], reach(window, dilation)
    axes = zip(size, reaches, stride, padding, strict=True)
    count = tuple(_how_many(*axis, ceil_mode) for axis in axes)
    require_windows(operation, x, count, reaches, padding)
    return rules.windows(size, count, window, stride, padding, dilation)


def _how_many(size, reach, stride, padding, ceil_mode):
    """How many windows there are along an axis; each begins in the array or before it."""
    room = size + 2 * padding - reach
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count
