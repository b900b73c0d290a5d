"""Joining arrays and splitting them."""

import itertools

import numpy as np

from wengert.primitive import composite, linear
from wengert.rules.reductions import normal_axis

# Joining ---------------------------------------------------------------------------------------------------------


def _concatenate(*arrays, axis=0):
    return np.concatenate(arrays, axis)


def _parts(g, likes, axis):
    axis %= g.ndim
    edges = itertools.accumulate([like.shape[axis] for like in likes], initial=0)
    return [g[(*(slice(None),) * axis, slice(a, b))] for a, b in itertools.pairwise(edges)]


def _stack(*arrays, axis=0):
    return np.stack(arrays, axis)


_concatenate = linear(_concatenate, lambda g, likes, axis: _parts(g, likes, axis), batch="axis", moves=True)
_stack = linear(
    _stack,
    lambda g, axis: np.moveaxis(g, axis, 0),
    batch=lambda xs, axis: np.stack(xs, axis + 1 if axis >= 0 else axis),
    moves=True,
)


@composite(np.concatenate, np.concat)
def concatenate(arrays, axis=0, out=None, dtype=None, casting="same_kind"):
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    joined = _concatenate(*arrays, axis=axis)
    return joined if dtype is None else joined.astype(dtype)


@composite(np.stack)
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    stacked = _stack(*arrays, axis=axis)
    return stacked if dtype is None else stacked.astype(dtype)


@composite(np.vstack)
def vstack(tup, *, dtype=None, casting="same_kind"):
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0, dtype=dtype)


@composite(np.hstack)
def hstack(tup, *, dtype=None, casting="same_kind"):
    arrays = [np.atleast_1d(a) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, dtype=dtype)


@composite(np.dstack)
def dstack(tup):
    return np.concatenate([np.atleast_3d(a) for a in tup], axis=2)


@composite(np.column_stack)
def column_stack(tup):
    columns = [a if hasattr(a, "ndim") else np.asarray(a) for a in tup]
    return np.concatenate([np.reshape(a, (-1, 1)) if a.ndim < 2 else a for a in columns], axis=1)


@composite(np.append)
def append(arr, values, axis=None):
    if axis is None:
        return np.concatenate([np.ravel(arr), np.ravel(values)])
    return np.concatenate([arr, values], axis=axis)


@composite(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    grids = [np.reshape(x, (1,) * i + (-1,) + (1,) * (n - 1 - i)) for i, x in enumerate(xi)]
    if indexing == "xy" and n > 1:
        grids = [np.swapaxes(g, 0, 1) for g in grids]
    if not sparse:
        grids = np.broadcast_arrays(*grids)
    if copy:
        return tuple(np.copy(g, "C") for g in grids)
    return list(grids) if sparse else tuple(grids)  # as in NumPy


# Splitting -------------------------------------------------------------------------------------------------------


@composite(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    axis = normal_axis(axis, ary.ndim)
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        edges = [0, *map(int, np.asarray(indices_or_sections)), n]
    else:
        edges = [0, *itertools.accumulate(map(len, np.array_split(np.arange(n), int(indices_or_sections))))]
    return [ary[(*(slice(None),) * axis, slice(a, b))] for a, b in itertools.pairwise(edges)]


@composite(np.split)
def split(ary, indices_or_sections, axis=0):
    if not np.ndim(indices_or_sections) and ary.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return np.array_split(ary, indices_or_sections, axis)


@composite(np.hsplit)
def hsplit(ary, indices_or_sections):
    if not ary.ndim:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return np.split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@composite(np.vsplit)
def vsplit(ary, indices_or_sections):
    if ary.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return np.split(ary, indices_or_sections, 0)


@composite(np.dsplit)
def dsplit(ary, indices_or_sections):
    if ary.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return np.split(ary, indices_or_sections, 2)


@composite(np.unstack)
def unstack(x, /, *, axis=0):
    return tuple(x if axis.__class__ is int and axis == 0 and x.ndim else np.moveaxis(x, axis, 0))
