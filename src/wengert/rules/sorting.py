"""Sorting: permutations of elements, whose gradient is permuted back."""

import numpy as np

from wengert.primitive import composite, without_gradient
from wengert.rules.reductions import normal_axes


@composite(np.sort)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


@composite(np.partition)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argpartition(a, kth, axis=axis), axis)


@composite(np.median)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle of the sorted elements, or the mean of the two in the middle."""
    ndim = a.ndim
    axes = tuple(range(ndim)) if axis is None else normal_axes(axis, ndim)
    kept = [i for i in range(ndim) if i not in axes]
    rows = np.reshape(np.transpose(a, [*kept, *axes]), (*(a.shape[i] for i in kept), -1))
    n = rows.shape[-1]
    ordered = np.sort(rows, axis=-1)
    middle = np.mean(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)
    missing = np.any(np.isnan(rows), axis=-1)
    middle = np.where(missing, np.nan, middle) if np.any(missing) else middle
    return np.reshape(middle, tuple(1 if i in axes else m for i, m in enumerate(a.shape))) if keepdims else middle


without_gradient(np.argsort, np.argpartition)
