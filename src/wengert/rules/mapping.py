"""Functions of the user's that are applied to parts of arrays: lines, axes, the elements of a mask."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.primitive import composite
from wengert.protocol import anywhere, innermost
from wengert.rules.reductions import normal_axis
from wengert.rules.ufunc_methods import array


@composite(np.apply_along_axis)
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    axis = normal_axis(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    places = list(np.ndindex(rows.shape[:-1]))
    if not places:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [array(func1d(rows[place], *args, **kwargs)) for place in places]
    joined = np.stack(results, axis=0)
    shape = results[0].shape
    joined = np.reshape(joined, rows.shape[:-1] + shape)
    kept = arr.ndim - 1
    order = [*range(axis), *range(kept, kept + len(shape)), *range(axis, kept)]
    return np.transpose(joined, order)


@composite(np.apply_over_axes)
def apply_over_axes(func, a, axes):
    result, ndim = a, a.ndim
    for axis in np.atleast_1d(innermost(axes)).tolist():
        axis = axis + ndim if axis < 0 else axis
        reduced = func(result, axis)
        if np.ndim(reduced) != ndim:
            reduced = np.expand_dims(reduced, axis)
            if np.ndim(reduced) != ndim:
                raise ValueError("function is not returning an array of the correct shape")
        result = reduced
    return result


@composite(np.piecewise)
def piecewise(x, condlist, funclist, *args, **kw):
    """Each function sees the elements of its mask only; the last one may be for all that no mask has."""
    x = array(x)
    conditions = _conditions(condlist, x.ndim)
    if len(funclist) == len(conditions) + 1:
        conditions = [*conditions, ~np.any(conditions, axis=0)]
    elif len(funclist) != len(conditions):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if not isinstance(function, Callable):
            y[condition] = function
        elif anywhere(condition):
            y[condition] = function(x[condition], *args, **kw)
    return y if y.ndim else y[()]


def _conditions(given: Any, ndim: int) -> list:
    """A list of masks; a single one stands for a list of one."""
    given = innermost(given)
    if np.isscalar(given) or (not isinstance(given[0], (list, np.ndarray)) and np.ndim(given[0]) == 0 and ndim != 0):
        given = [given]
    return [np.asarray(innermost(c), bool) for c in given]
