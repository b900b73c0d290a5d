"""Shapes: reshaping, transposing, broadcasting, copying, rolling, repeating."""

import math
from typing import Any

import numpy as np

from wengert.arrays import sum_first, sum_last
from wengert.primitive import composite, is_wrapper, linear
from wengert.protocol import constant, everything, in_memory
from wengert.rules.reductions import UNSET, normal_axes, normal_axis, part, refuse_truth

# Views -----------------------------------------------------------------------------------------------------------


def _reshape(x, shape=(), order="C"):
    return x.reshape(shape, order=order)


def _ravel(x, order="C"):
    return x.ravel(order)


def _transpose(x, axes=None):
    return x.transpose(axes)


def _transpose_back(g, axes):
    return g.transpose() if axes is None else g.transpose(sorted(range(len(axes)), key=axes.__getitem__))


def _broadcast_to(x, shape=()):
    return np.broadcast_to(x, shape)


def _sum_to(g, like):
    """Adjoint of broadcasting: sum over the axes that were stretched or added."""
    extra = g.ndim - like.ndim
    if extra:
        g = sum_first(g, extra)
    stretched = tuple(i for i, n in enumerate(like.shape) if n != g.shape[i])
    if stretched == (g.ndim - 1,):
        return sum_last(g)[..., None]
    return np.sum(g, axis=stretched, keepdims=True) if stretched else g


def _flip(x, axis=()):
    return x[tuple(slice(None, None, -1) if i in axis else slice(None) for i in range(x.ndim))]


_reshape = linear(
    _reshape,
    lambda g, like, order: g.reshape(like.shape, order="F" if order == "F" else "C"),
    view=True,
    batch=lambda x, shape, order: _reshape_each(x, shape, order),
)
_ravel = linear(
    _ravel,
    lambda g, like, order: g.reshape(like.shape, order="F" if order == "F" else "C"),
    view=True,
    batch=lambda x, order: _reshape_each(x, (-1,), order),
)
_transpose = linear(
    _transpose, lambda g, axes: _transpose_back(g, axes), view=True, batch=lambda x, axes: _transpose_each(x, axes)
)
_broadcast_to = linear(
    _broadcast_to, lambda g, like: _sum_to(g, like), view=True, batch=lambda x, shape: _broadcast_each(x, shape)
)
_flip = linear(_flip, lambda g, axis: _flip(g, axis=axis), view=True, batch="axis")


# Each example of a batch, whose axis is in front.


def _reshape_each(x, shape, order):
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if order != "F":
        size = math.prod(x.shape[1:])
        known = -math.prod(shape) if -1 in shape else 1
        return x.reshape((x.shape[0], *(size // max(known, 1) if n == -1 else n for n in shape)))
    last = (*range(1, x.ndim), 0)
    joined = x.transpose(last).reshape((*shape, x.shape[0]), order="F")
    return joined.transpose((joined.ndim - 1, *range(joined.ndim - 1)))


def _transpose_each(x, axes):
    axes = range(x.ndim - 2, -1, -1) if axes is None else axes
    return x.transpose((0, *(i + 1 if i >= 0 else i for i in axes)))


def _broadcast_each(x, shape):
    padded = x.reshape((x.shape[0], *(1,) * (len(shape) + 1 - x.ndim), *x.shape[1:]))
    return np.broadcast_to(padded, (x.shape[0], *shape))


@composite(np.reshape, direct=_reshape, positional=2)
def reshape(a, shape=None, order="C", *, newshape=None, copy=None):
    shape = newshape if shape is None else shape
    shape = tuple(map(int, shape)) if isinstance(shape, (tuple, list, np.ndarray)) else (int(shape),)
    reshaped = _reshape(a, shape=shape, order=_order_in_memory(a) if order == "A" else order)
    if copy is False and a.ndim and not reshaped._is_view:
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return np.copy(reshaped) if copy else reshaped


@composite(np.ravel, direct=_ravel)
def ravel(a, order="C"):
    if order == "K":
        strides = np.asarray(in_memory(a)).strides
        a, order = _transpose(a, axes=tuple(sorted(range(a.ndim), key=lambda i: -abs(strides[i])))), "C"
    return _ravel(a, order=_order_in_memory(a) if order == "A" else order)


def _order_in_memory(a):
    flags = np.asarray(in_memory(a)).flags
    return "F" if flags.f_contiguous and not flags.c_contiguous else "C"


@composite(np.transpose, np.permute_dims, direct=_transpose)
def transpose(a, axes=None):
    return _transpose(a, axes=None if axes is None else normal_axes(axes, a.ndim))


@composite(np.swapaxes)
def swapaxes(a, axis1, axis2):
    order = list(range(a.ndim))
    i, j = normal_axis(axis1, a.ndim), normal_axis(axis2, a.ndim)
    order[i], order[j] = order[j], order[i]
    return _transpose(a, axes=tuple(order))


@composite(np.moveaxis)
def moveaxis(a, source, destination):
    source, destination = normal_axes(source, a.ndim), normal_axes(destination, a.ndim)
    if len(source) != len(destination):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [i for i in range(a.ndim) if i not in source]
    for target, i in sorted(zip(destination, source, strict=True)):
        order.insert(target, i)
    return _transpose(a, axes=tuple(order))


@composite(np.rollaxis)
def rollaxis(a, axis, start=0):
    axis = normal_axis(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    order = [i for i in range(a.ndim) if i != axis]
    order.insert(start - 1 if axis < start else start, axis)
    return _transpose(a, axes=tuple(order))


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x):
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return np.swapaxes(x, -1, -2)


@composite(np.squeeze)
def squeeze(a, axis=None):
    if not a.ndim and axis in (0, -1):
        return a  # NumPy gives a number these axes
    refuse_truth(axis)
    axes = [i for i, n in enumerate(a.shape) if n == 1] if axis is None else normal_axes(axis, a.ndim)
    if any(a.shape[i] != 1 for i in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return _reshape(a, shape=tuple(n for i, n in enumerate(a.shape) if i not in axes))


@composite(np.expand_dims)
def expand_dims(a, axis):
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = normal_axes(axes, a.ndim + len(axes))
    rest = iter(a.shape)
    return _reshape(a, shape=tuple(1 if i in axes else next(rest) for i in range(a.ndim + len(axes))))


@composite(np.broadcast_to)
def broadcast_to(array, shape, subok=False):
    return _broadcast_to(array, shape=tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))


@composite(np.broadcast_arrays)
def broadcast_arrays(*args, subok=False):
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@composite(np.flip)
def flip(m, axis=None):
    return _flip(m, axis=tuple(range(m.ndim)) if axis is None else normal_axes(axis, m.ndim))


@composite(np.fliplr)
def fliplr(m):
    if m.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return _flip(m, axis=(1,))


@composite(np.flipud)
def flipud(m):
    if m.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return _flip(m, axis=(0,))


@composite(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    axes = tuple(axes)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = normal_axes(axes, m.ndim)
    k %= 4
    if k in (0, 2):
        return _flip(m, axis=(first, second)) if k else m[...]
    if k == 1:
        return np.swapaxes(_flip(m, axis=(second,)), first, second)
    return _flip(np.swapaxes(m, first, second), axis=(second,))


def _at_least(ndim, grow):
    def at_least(*arrays):
        grown = tuple(grow(a if hasattr(a, "ndim") else np.asarray(a)) for a in arrays)
        return grown[0] if len(grown) == 1 else grown

    at_least.__name__ = f"atleast_{ndim}d"
    return at_least


def _grow_2d(a):
    return np.reshape(a, (1, -1)) if a.ndim < 2 else a


def _grow_3d(a):
    if a.ndim == 2:
        return np.expand_dims(a, 2)
    return np.reshape(a, (1, -1, 1)) if a.ndim < 2 else a


composite(np.atleast_1d)(_at_least(1, lambda a: np.reshape(a, (1,)) if not a.ndim else a))
composite(np.atleast_2d)(_at_least(2, _grow_2d))
composite(np.atleast_3d)(_at_least(3, _grow_3d))


# Copies ----------------------------------------------------------------------------------------------------------


def _copy(x, order="K"):
    return x.copy(order)


def _astype(x, dtype=None):
    return x.astype(dtype)


_copy = linear(_copy, lambda g: g, batch="leading", moves=True)
_astype = linear(_astype, lambda g: g, batch="leading", moves=True)


@composite(np.copy, direct=_copy, positional=2)
def copy(a, order="K", subok=False):
    return _copy(a, order=order)


@composite(np.astype)
def astype(x, dtype, /, *, copy=True, device=None):
    dtype = np.dtype(dtype)
    if x.dtype == dtype and not copy:
        return x
    if dtype.kind not in "fc":
        # Integers and booleans carry no gradient: a plain value, as from a comparison.
        return _astype(constant(x), dtype=dtype)
    return _astype(x, dtype=dtype)


def _template(a):
    """An array of the shape and dtype of `a`, and of its memory order where that is known."""
    array = everything(a)
    return array if array.shape == a.shape else np.broadcast_to(np.zeros((), a.dtype), a.shape)


def _like(function):
    """NumPy's ``*_like`` functions give tensors for tensors: buffers that recorded values can be written into."""

    def like(a, *args, **kwargs):
        return a._buffer(function(_template(a), *args, **kwargs))

    composite(function)(like)


for _function in (np.zeros_like, np.ones_like, np.empty_like):
    _like(_function)


@composite(np.full_like)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None):
    wrapper = next(v for v in (a, fill_value) if hasattr(v, "_buffer"))
    filled = np.zeros_like(a if is_wrapper(a) else wrapper._buffer(a), dtype=dtype, order=order, shape=shape)
    filled[...] = fill_value
    return filled


@composite(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    start, stop = (x if is_wrapper(x) or type(x) in (int, float, complex) else np.asarray(x) for x in (start, stop))
    kind = np.result_type(start, stop, 0.0)
    start, stop = (np.astype(x if is_wrapper(x) else np.asarray(x), kind, copy=False) for x in (start, stop))
    span = stop - start
    steps = num - 1 if endpoint else num
    points = start + _strides(span, np.arange(num), steps)
    if endpoint and num > 1:
        points = np.concatenate([points[:-1], np.broadcast_to(stop, span.shape)[None]])
    points = np.moveaxis(points, 0, axis)
    if dtype is not None:
        points = np.astype(np.floor(points) if np.dtype(dtype).kind in "iu" else points, dtype)
    return (points, span / steps if steps > 0 else np.nan) if retstep else points


def _strides(span: Any, counts: np.ndarray, steps: int) -> Any:
    """How far each point is from the first one, in NumPy's order of operations."""
    counts = counts.astype(span.dtype).reshape(-1, *(1,) * span.ndim)
    if steps <= 0:
        return counts * span
    step = span / steps
    # Steps that are too small to be told from zero.
    return np.where(step == 0, counts / steps * span, counts * step)


# Rolling and repeating -------------------------------------------------------------------------------------------


def _roll(x, shift=0, axis=None):
    return np.roll(x, shift, axis)


def _roll_each(x, shift, axis):
    if axis is None:
        return np.roll(x.reshape((x.shape[0], -1)), shift, 1).reshape(x.shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return np.roll(x, shift, tuple(i + 1 if i >= 0 else i for i in axes))


def _roll_back(g, shift, axis):
    return np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis)


_roll = linear(
    _roll,
    lambda g, shift, axis: _roll_back(g, shift, axis),
    batch=lambda x, shift, axis: _roll_each(x, shift, axis),
    moves=True,
)


@composite(np.roll)
def roll(a, shift, axis=None):
    return _roll(
        a,
        shift=tuple(shift) if isinstance(shift, list) else shift,
        axis=tuple(axis) if isinstance(axis, list) else axis,
    )


def _repeat(x, repeats=1, axis=0):
    return np.repeat(x, repeats, axis)


def _repeat_back(g, like, repeats, axis):
    axis %= like.ndim
    if isinstance(repeats, int):
        parts = g.reshape((*like.shape[: axis + 1], repeats, *like.shape[axis + 1 :]))
        return sum_last(parts) if axis + 1 == like.ndim else np.sum(parts, axis=axis + 1)
    repeated = np.broadcast_to(repeats, like.shape[axis])
    there = np.flatnonzero(repeated)
    starts = (np.cumsum(repeated) - repeated)[there]
    sums = np.add.reduceat(g, starts, axis=axis) if len(there) else g
    if len(there) == like.shape[axis]:
        return sums
    gathered = np.zeros_like(g, shape=like.shape)
    gathered[(*(slice(None),) * axis, there)] = sums
    return gathered


_repeat = linear(_repeat, lambda g, like, repeats, axis: _repeat_back(g, like, repeats, axis), batch="axis", moves=True)


@composite(np.repeat)
def repeat(a, repeats, axis=None):
    repeats = np.array(repeats) if np.size(repeats) else np.zeros(0, int)
    a = np.ravel(a) if axis is None else a
    return _repeat(a, repeats=int(repeats.ravel()[0]) if repeats.size == 1 else repeats, axis=axis or 0)


@composite(np.tile)
def tile(A, reps):
    """By broadcasting: each axis gets one in front that is stretched, and both are joined."""
    reps = tuple(reps) if isinstance(reps, (tuple, list, np.ndarray)) else (reps,)
    ndim = max(A.ndim, len(reps))
    shape, reps = (1,) * (ndim - A.ndim) + A.shape, (1,) * (ndim - len(reps)) + reps
    split = np.reshape(A, tuple(m for n in shape for m in (1, n)))
    stretched = np.broadcast_to(split, tuple(m for pair in zip(reps, shape, strict=True) for m in pair))
    tiled = np.reshape(stretched, tuple(r * n for r, n in zip(reps, shape, strict=True)))
    return np.copy(tiled, "K" if all(r == 1 for r in reps) else "C")


# Differences -----------------------------------------------------------------------------------------------------


def _differences(x, axis=-1):
    later, earlier = part(x, axis, 1, None), part(x, axis, None, -1)
    return later != earlier if x.dtype == bool else later - earlier


def _differences_back(g, like, axis):
    if like.shape[axis] < 2:
        return np.zeros_like(g, shape=like.shape)
    inner = part(g, axis, None, -1) - part(g, axis, 1, None)
    return np.concatenate([-part(g, axis, None, 1), inner, part(g, axis, -1, None)], axis=axis)


_differences = linear(_differences, lambda g, like, axis: _differences_back(g, like, axis), batch="axis")


@composite(np.diff)
def diff(a, n=1, axis=-1, prepend=UNSET, append=UNSET):
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if not n:
        return a
    a = a if is_wrapper(a) else np.asarray(a)
    axis = normal_axis(axis, a.ndim)
    edges = [
        np.broadcast_to(e, (*a.shape[:axis], 1, *a.shape[axis + 1 :])) if e is not UNSET and not np.ndim(e) else e
        for e in (prepend, append)
    ]
    parts = [p for p in (edges[0], a, edges[1]) if p is not UNSET]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        a = _differences(a, axis=axis)
    return a
