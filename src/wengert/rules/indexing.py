"""Indexing: reading and gathering elements, selecting by conditions, diagonals and triangles."""

import math
import operator
from typing import Any

import numpy as np

from wengert.primitive import composite, is_wrapper, linear, primitive, without_gradient
from wengert.protocol import anywhere, highest, indexable, innermost, lying, without_history
from wengert.rules.elementwise import only
from wengert.rules.reductions import normal_axis, refuse_truth

# Reading ---------------------------------------------------------------------------------------------------------


def _getitem(x, index=()):
    return x[index] if x.__class__ is not np.ndarray else at(x, index)


def at(x, index):
    """``x[index]``, where the index may hold wrappers (integers that a transformation has made a batch of)."""
    parts = index if index.__class__ is tuple else (index,)
    top = highest((x, *parts))
    if top is None or (top is x and any(map(is_wrapper, parts))):
        return x[index]
    return top._table[operator.getitem](x, index)


def _selects_twice(index: Any) -> bool:
    """Whether an index could name an element more than once: integer arrays can, slices and masks cannot."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(i, np.ndarray) and i.dtype.kind != "b" for i in parts)


def _add_at(buffer, g, index):
    """Add the cotangent of ``x[index]`` into that of ``x``: the cost is that of the selected part."""
    simple = index.__class__ in (int, slice)
    if not simple:
        buffer = indexable(buffer, index)
    if buffer.__class__ is np.ndarray and (simple or not _selects_twice(index)):
        buffer[index] += g
    elif not getattr(buffer, "ndim", 0):
        return buffer + np.sum(g)
    elif is_wrapper(buffer):
        buffer._add_at(index, g)
    else:
        _add_each(buffer, g, index)
    return buffer


def _add_each(buffer: np.ndarray, g: np.ndarray, index: Any) -> None:
    """``np.add.at``, which takes a quarter of the time where the index is one of single elements, or of long rows."""
    parts = index if index.__class__ is tuple else (index,)
    whole = all(part.__class__ is np.ndarray and part.dtype.kind in "iu" for part in parts)
    if not whole or buffer.ndim == 1 or g.size < 256 or not buffer.flags.c_contiguous:
        np.add.at(buffer, index, g)
        return
    n = len(parts)
    places = np.ravel_multi_index(np.broadcast_arrays(*parts), buffer.shape[:n], mode="wrap").reshape(-1)
    columns = math.prod(buffer.shape[n:])
    if columns < 256:
        if columns > 1:
            places = (places[:, None] * columns + np.arange(columns)).reshape(-1)
        np.add.at(buffer.reshape(-1), places, g.reshape(-1))
        return
    rows = buffer.reshape(-1, columns)
    for place, row in zip(places.tolist(), g.reshape(-1, columns), strict=True):
        rows[place] += row


_getitem = linear(_getitem, scatter=_add_at, view=True, public=operator.getitem)


def whole_numbers(indices):
    """Indices as an array, or as the batch that a transformation has made of them."""
    while is_wrapper(indices) and not (indices._is_batch or indices._recorded):
        indices = indices._value  # integers have no history
    if isinstance(indices, (list, tuple)) and not len(indices):
        return np.asarray(indices, np.intp)
    return indices if is_wrapper(indices) else np.asarray(indices)


@composite(np.take)
def take(a, indices, axis=None, out=None, mode="raise"):
    indices = whole_numbers(indices)
    indices = np.astype(indices, np.intp) if indices.dtype == bool else indices
    if axis is None or not a.ndim:  # NumPy gives a number one axis
        a, axis = np.ravel(a), axis or 0
    axis = normal_axis(axis, a.ndim)
    taken = at(a, (*(slice(None),) * axis, _in_bounds(indices, a.shape[axis], mode)))
    return lying(taken, "C") if taken.ndim > 1 else taken


def _in_bounds(indices, n, mode):
    """Indices after NumPy's ``mode=``; what is still out of bounds raises where it is used."""
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    if mode == "wrap":
        return indices % n
    return indices if mode == "raise" else np.clip(indices, 0, n - 1)


@composite(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    if axis is None:
        return at(np.ravel(arr), whole_numbers(indices))
    return at(arr, along(whole_numbers(indices), axis, arr.shape))


def along(indices: np.ndarray, axis: int, shape: tuple[int, ...]) -> tuple:
    """The index that picks, on each line along `axis`, the elements at `indices`."""
    if indices.ndim != len(shape):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    if indices.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    axis = normal_axis(axis, len(shape))
    grid = []
    for i, n in enumerate(shape):
        lines = [1] * len(shape)
        lines[i] = n
        grid.append(indices if i == axis else np.arange(n).reshape(lines))
    return tuple(grid)


@composite(np.compress)
def compress(condition, a, axis=None, out=None):
    refuse_truth(axis)
    return np.take(a, np.flatnonzero(whole_numbers(condition)), axis=axis)


@composite(np.extract)
def extract(condition, arr):
    return np.take(arr, np.flatnonzero(whole_numbers(condition)))


# Choosing --------------------------------------------------------------------------------------------------------


def _where(c, x, y):
    return np.where(c, x, y)


def _chosen(c, g):
    return only(c, g) if c.__class__ is np.ndarray and c.dtype == bool else np.where(c, g, 0)


_where = primitive(
    _where,
    None,
    lambda g, c: _chosen(c, g),
    lambda g, c: _chosen(np.logical_not(c), g),
    broadcasts=True,
    holomorphic=False,
    batch="elementwise",
)


@composite(np.where, direct=_where, positional=3)
def where(condition, x=None, y=None):
    if x is None and y is None:
        return np.nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    return _where(condition, x, y)


@composite(np.select)
def select(condlist, choicelist, default=0):
    for i, condition in enumerate(condlist):
        if whole_numbers(condition).dtype != bool:
            raise TypeError(f"invalid entry {i} in condlist: should be boolean ndarray")
    result = _of_all(default, (*choicelist, default))
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = np.where(condition, choice, result)
    return lying(result, "C")


def _of_all(value, values):
    """A value in the dtype of several, to which Python's numbers add their kind alone."""
    kind = np.result_type(*(v if is_wrapper(v) or type(v) in (int, float, complex) else np.asarray(v) for v in values))
    return np.astype(value, kind, copy=False) if is_wrapper(value) else np.asarray(value, kind)


@composite(np.choose)
def choose_(a, choices, out=None, mode="raise"):
    n = len(choices)
    a = _in_bounds(whole_numbers(a), n, mode)
    if anywhere((a < 0) | (a >= n)):
        raise ValueError("invalid entry in choice array")
    chosen = _of_all(choices[0], choices)
    for i in range(n):
        chosen = np.where(a == i, choices[i], chosen)
    return lying(chosen, "C")


# Writing ---------------------------------------------------------------------------------------------------------
# Each ends in an assignment, which is recorded, and which refuses recorded values where the target is a plain array.


def _check_cast(values, dtype, casting):
    """Refuse what NumPy refuses to cast; Python's numbers are of any dtype of their kind."""
    given = (values if hasattr(values, "dtype") else np.asarray(values)).dtype
    if np.can_cast(given, dtype, casting):
        return
    if np.ndim(values) or not np.can_cast(np.result_type(dtype, values), dtype, casting):
        raise TypeError(f"Cannot cast array data from {given!r} to {dtype!r} according to the rule {casting!r}")


def _of_array(values, dtype):
    """The values that are written into an array: arrays are cast safely, single numbers and lists in any way."""
    if hasattr(values, "dtype"):
        if np.ndim(values):
            _check_cast(values, dtype, "safe")
        return np.ravel(values)
    return np.ravel(np.array(values, dtype))


@composite(np.copyto)
def copyto(dst, src, casting="same_kind", where=True):
    _check_cast(src, dst.dtype, casting)
    if where is not True:
        src = np.where(where, np.astype(src, dst.dtype) if hasattr(src, "dtype") else src, dst)
    dst[...] = src


def _write(a, index, values):
    """Write values one after the other, from the first again if they are too few, into single elements."""
    values, n = np.ravel(values), len(index[0])
    if n:
        a[index] = values if len(values) == n else values[np.arange(n) % len(values)]


@composite(np.put)
def put(a, ind, v, mode="raise"):
    positions = at(np.arange(a.size), _in_bounds(np.ravel(whole_numbers(ind)), a.size, mode))
    _write(a, np.unravel_index(positions, a.shape), v)


@composite(np.place)
def place(arr, mask, vals):
    if not np.size(vals) and anywhere(mask):
        raise ValueError("Cannot insert from an empty array!")
    mask, vals = np.reshape(np.asarray(mask), arr.shape) != 0, _of_array(vals, arr.dtype)
    n = np.count_nonzero(mask)
    if n:
        arr[mask] = vals[:n] if len(vals) >= n else vals[np.arange(n) % len(vals)]


@composite(np.putmask)
def putmask(a, mask, values):
    values = _of_array(values, a.dtype)
    n = len(values)
    if n not in (0, 1, a.size):
        values = values[np.arange(a.size) % n]
    if n:
        a[...] = np.where(np.reshape(np.asarray(mask), a.shape), values if n == 1 else values.reshape(a.shape), a)


@composite(np.fill_diagonal)
def fill_diagonal(a, val, wrap=False):
    shape = a.shape
    if len(shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(shape) == 2:
        step, end = shape[1] + 1, a.size if wrap else shape[1] * shape[1]
    elif len(set(shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    else:
        step, end = 1 + sum(shape[0] ** i for i in range(1, len(shape))), a.size
    _write(a, np.unravel_index(np.arange(0, min(end, a.size), step), shape), val)


@composite(np.put_along_axis)
def put_along_axis(arr, indices, values, axis):
    if axis is None:
        return _write(arr, np.unravel_index(np.ravel(whole_numbers(indices)), arr.shape), values)
    arr[along(whole_numbers(indices), axis, arr.shape)] = values
    return None


# Diagonals and triangles -----------------------------------------------------------------------------------------


def _further(axis):
    """An axis of an example where the batch axis is in front."""
    return axis + 1 if axis >= 0 else axis


def _diagonal(x, offset=0, axis1=0, axis2=1):
    return np.diagonal(x, offset, axis1, axis2)


def _add_diagonal(buffer, g, offset, axis1, axis2):
    i, j = axis1 % buffer.ndim, axis2 % buffer.ndim
    n = g.shape[-1]
    rows, columns = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    order = [k for k in range(buffer.ndim) if k not in (i, j)] + [i, j]
    np.add.at(buffer.transpose(order), (..., rows, columns), g)
    return buffer


_diagonal = linear(
    _diagonal,
    scatter=_add_diagonal,
    view=True,
    batch=lambda x, offset, axis1, axis2: _diagonal(x, offset=offset, axis1=_further(axis1), axis2=_further(axis2)),
)


@composite(np.diagonal)
def diagonal(a, offset=0, axis1=0, axis2=1):
    return _diagonal(a, offset=offset, axis1=axis1, axis2=axis2)


@composite(np.linalg.diagonal)
def linalg_diagonal(x, /, *, offset=0):
    return _diagonal(x, offset=offset, axis1=-2, axis2=-1)


@composite(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    return np.sum(_diagonal(a, offset=offset, axis1=axis1, axis2=axis2), axis=-1, dtype=dtype)


@composite(np.linalg.trace)
def linalg_trace(x, /, *, offset=0, dtype=None):
    return np.trace(x, offset, -2, -1, dtype)


def _on_diagonal(x, k=0):
    return np.diag(x, k)


def _on_diagonals(x, k):
    rows = np.arange(x.shape[1])
    n = len(rows) + abs(k)
    matrices = np.zeros_like(x, shape=(len(x), n, n))
    matrices[:, rows + max(-k, 0), rows + max(k, 0)] = x
    return matrices


_on_diagonal = linear(_on_diagonal, lambda g, k: np.diagonal(g, k), batch=lambda x, k: _on_diagonals(x, k), moves=True)


@composite(np.diag)
def diag(v, k=0):
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    return _on_diagonal(v, k=k)


@composite(np.diagflat)
def diagflat(v, k=0):
    return np.diag(np.ravel(v), k)


def _tril(x, k=0):
    return np.tril(x, k)


def _triu(x, k=0):
    return np.triu(x, k)


_tril = linear(_tril, lambda g, k: np.tril(g, k), batch="leading", moves=True)
_triu = linear(_triu, lambda g, k: np.triu(g, k), batch="leading", moves=True)


def _matrix(m):
    """Of one axis NumPy makes a matrix of equal rows."""
    return np.broadcast_to(m, m.shape * 2) if m.ndim == 1 else m


@composite(np.tril)
def tril(m, k=0):
    return _tril(_matrix(m), k=k)


@composite(np.triu)
def triu(m, k=0):
    return _triu(_matrix(m), k=k)


def _bincount(weights, places=(), minlength=0):
    return np.bincount(places, weights, minlength)


_bincount = linear(_bincount, lambda g, places: g[places])


@composite(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    places, plain = without_history(x), without_history(weights)
    if places is not x and not hasattr(plain, "_box"):
        found = np.bincount(places, plain, minlength)
        return found if plain is weights else weights._buffer(found)
    x = np.asarray(innermost(x))
    return np.bincount(x, None, minlength) if weights is None else _bincount(weights, places=x, minlength=minlength)


without_gradient(
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.searchsorted,
    np.digitize,
    np.unravel_index,
    np.ravel_multi_index,
    np.lexsort,
)
