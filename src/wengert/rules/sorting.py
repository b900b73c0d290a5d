"""Sorting, sets and trimming: selections of elements, to which the gradient goes back.

Of equal elements a set holds the first, which then has all of the gradient.
"""

from typing import Any

import numpy as np

from wengert.primitive import composite, without_gradient
from wengert.protocol import innermost, is_recorded, lying_as, without_history
from wengert.rules.reductions import normal_axes
from wengert.rules.ufunc_methods import array

# Sorting ---------------------------------------------------------------------------------------------------------


@composite(np.sort, numpys=True)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    if axis is None:
        a, axis = np.ravel(a), 0
    return lying_as(np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis), a)


@composite(np.partition, numpys=True)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    if axis is None:
        a, axis = np.ravel(a), 0
    return lying_as(np.take_along_axis(a, np.argpartition(a, kth, axis=axis), axis), a)


@composite(np.sort_complex)
def sort_complex(a):
    a = np.sort(a)
    return a if a.dtype.kind == "c" else np.astype(a, np.sort_complex(np.empty(0, a.dtype)).dtype)


# Sets ------------------------------------------------------------------------------------------------------------


def _first_of_each(plain: np.ndarray, axis: Any, equal_nan: bool, values: np.ndarray) -> np.ndarray:
    """Where each of the distinct values is found first, in the order of `values`."""
    index = np.unique(plain, return_index=True, axis=axis, equal_nan=equal_nan)[1]
    if axis is not None or values.ndim != 1:
        return index
    return index[np.argsort(np.argsort(values, kind="stable"), kind="stable")]


def _distinct(ar: Any, values: np.ndarray, axis: Any = None, equal_nan: bool = True) -> Any:
    inside = without_history(ar)
    if is_recorded(inside):  # all elements have been read; which of 0.0 and -0.0 it is NumPy knows
        return inside._buffer(values)
    index = _first_of_each(innermost(ar), axis, equal_nan, values)
    return np.take(np.ravel(ar) if axis is None else ar, index, axis=0 if axis is None else axis)


@composite(np.unique)
def unique(
    ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, sorted=True
):
    found = np.unique(
        innermost(ar), return_index, return_inverse, return_counts, axis=axis, equal_nan=equal_nan, sorted=sorted
    )
    if not isinstance(found, tuple):
        return _distinct(ar, found, axis, equal_nan)
    return (_distinct(ar, found[0], axis, equal_nan), *found[1:])


@composite(np.unique_values)
def unique_values(x):
    return _distinct(x, np.unique_values(innermost(x)), equal_nan=False)


def _unique_with(function):
    def unique_with(x):
        found = function(innermost(x))
        return found._replace(values=_distinct(x, found.values, equal_nan=False))

    composite(function)(unique_with)


for _function in (np.unique_all, np.unique_counts, np.unique_inverse):
    _unique_with(_function)


@composite(np.union1d)
def union1d(ar1, ar2):
    return np.unique(np.concatenate((ar1, ar2), axis=None))


@composite(np.intersect1d)
def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    """The values are those of the first array."""
    _, first, second = np.intersect1d(innermost(ar1), innermost(ar2), assume_unique, return_indices=True)
    ar1, ar2 = array(ar1), array(ar2)
    values = np.astype(np.ravel(ar1)[first], np.result_type(ar1.dtype, ar2.dtype), copy=False)
    return (values, first, second) if return_indices else values


@composite(np.setdiff1d)
def setdiff1d(ar1, ar2, assume_unique=False):
    ar1 = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return ar1[np.isin(ar1, ar2, assume_unique=True, invert=True)]


@composite(np.setxor1d)
def setxor1d(ar1, ar2, assume_unique=False):
    if not assume_unique:
        ar1, ar2 = np.unique(ar1), np.unique(ar2)
    both = np.sort(np.concatenate((ar1, ar2), axis=None))
    differs = np.concatenate([[True], innermost(both[1:] != both[:-1]), [True]])
    return both[differs[1:] & differs[:-1]] if both.size else both


# Trimming --------------------------------------------------------------------------------------------------------


@composite(np.trim_zeros)
def trim_zeros(filt, trim="fb", axis=None):
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    axes = range(filt.ndim) if axis is None else normal_axes(axis, filt.ndim)
    places = np.nonzero(innermost(filt))
    window = [slice(None)] * filt.ndim
    for i in axes:
        start, stop = (places[i].min(), places[i].max() + 1) if len(places[i]) else (0, 0)
        front, back = len(places[i]) == 0 or "f" in trim.lower(), len(places[i]) == 0 or "b" in trim.lower()
        window[i] = slice(int(start) if front else None, int(stop) if back else None)
    return filt[tuple(window)]


without_gradient(np.argsort, np.argpartition)
