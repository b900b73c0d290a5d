"""Quantiles and medians: an element of the sorted line, or a point between two of them.

Which elements, and where between them, depends on positions only: it is the same quantile of the numbers 0, 1, 2 …
So NumPy itself says where, for each of its methods. What is left is to pick elements, in linear time.
"""

import warnings
from typing import Any

import numpy as np

from wengert.primitive import composite, is_wrapper
from wengert.protocol import anywhere, constant, innermost, look, lying, lying_as
from wengert.rules.reductions import _along, normal_axes, normal_axis

SLOPES = {
    "linear": -1,
    "hazen": 0,
    "interpolated_inverted_cdf": 0,
    "weibull": 1,
    "median_unbiased": 1 / 3,
    "normal_unbiased": 1 / 4,
}
"""The derivative of the place by q, less n, of the methods in which it is continuous (Hyndman and Fan, 1996).

By the other methods quantiles are steps: their derivative by q is zero."""


def _lines(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The axes as one, the last; and the shape with 1 in their places."""
    axes = tuple(range(a.ndim)) if axis is None else normal_axes(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    n = int(np.prod([a.shape[i] for i in axes], dtype=int))
    rows = np.reshape(np.transpose(a, [*kept, *axes]), (*[a.shape[i] for i in kept], n))
    return rows, tuple(1 if i in axes else m for i, m in enumerate(a.shape))


def _lying_as_rest(result: Any, a: Any, axis: Any) -> Any:
    """A result for each line along one axis, in the order that the other axes of the array have in memory."""
    seen = look(a)
    if seen.ndim != a.ndim or a.ndim < 3 or np.ndim(axis) or axis is None:
        return result
    return lying_as(result, seen[(*(slice(None),) * normal_axis(axis, a.ndim), 0)])


def _places(plain: np.ndarray, q: Any, method: str, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where quantiles lie on lines, as real-numbered positions (..., q); and an order in which these are sorted."""
    dtype = np.result_type(np.asarray(q).dtype, float)
    each, line = np.unique(lengths, return_inverse=True)
    table = [
        np.ravel(np.quantile(np.arange(m, dtype=dtype), q, method=method)) if m else np.ravel(q) * np.nan for m in each
    ]
    places = np.stack(table)[line.reshape(plain.shape[:-1])]
    return places, _partly_sorted(plain, np.floor(places), np.minimum(np.floor(places) + 1, lengths[..., None] - 1))


def _partly_sorted(plain: np.ndarray, *places: np.ndarray) -> np.ndarray:
    """Indices that sort each line as far as elements at some places are concerned; NaNs come last."""
    ends = np.unique(np.concatenate([p[~np.isnan(p)].ravel() for p in places])).astype(int)
    return np.argpartition(plain, ends, axis=-1) if len(ends) else np.argsort(plain, axis=-1)


def _weighted_places(
    plain: np.ndarray, q: Any, method: str, weights: Any, skips: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The same where elements have weights: the quantiles of their ranks."""
    order = np.argsort(plain, axis=-1)
    ranks = np.argsort(order, axis=-1).astype(float)
    if skips:
        ranks[np.isnan(plain)] = np.nan
    places = (np.nanquantile if skips else np.quantile)(ranks, q, axis=-1, method=method, weights=weights)
    return np.moveaxis(places.reshape(-1, *plain.shape[:-1]), 0, -1), order


def _quantiles(numpys, a, q, axis, method, keepdims, weights):
    percent, skips = "percent" in numpys.__name__, "nan" in numpys.__name__
    a = a if is_wrapper(a) else np.asarray(a)
    given, plain_weights = innermost(q), None if weights is None else np.asarray(innermost(weights))
    slope = SLOPES.get(method) if is_wrapper(q) and q.dtype.kind == "f" and q._carries_gradient() else None
    if a.dtype.kind != "f" or not a.size:
        if slope is None or a.dtype.kind == "c" or not a.size:
            return numpys(innermost(a), given, axis, method=method, keepdims=keepdims, weights=plain_weights)
        a = innermost(a).astype(float)
    dtype = numpys(np.zeros(1, a.dtype), given, method=method).dtype
    at = np.true_divide(given, 100) if percent else given
    rows, kept_shape = _lines(a, axis)
    # Where NaNs or weights move the places, these are other ones in each line.
    plain = constant(rows) if weights is None and not skips else innermost(rows)
    missing = np.isnan(plain)
    n = np.sum(~missing, axis=-1, keepdims=True) if skips else np.full((*plain.shape[:-1], 1), plain.shape[-1])
    if weights is None:
        places, order = _places(plain, at, method, n[..., 0])
    else:
        if method != "inverted_cdf":
            raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
        along = _lines(np.broadcast_to(_along(a, axis, plain_weights), a.shape), axis)[0]
        places, order = _weighted_places(plain, at, method, along, skips)
    lost = n == 0 if skips else np.any(missing, axis=-1, keepdims=True)
    if skips and anywhere(lost):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)

    where = np.where(np.isnan(places), 0, places)
    below = np.floor(where).astype(int)
    portion = (where - below).astype(dtype)
    result = _picked(rows, order, below)
    # NumPy adds nothing of the next element, too, which gives NaN if that is infinite.
    is_element = method == "linear" and np.asarray(at).dtype.kind != "f"
    reaches_next = slope is not None or (method in {*SLOPES, "midpoint"} and not is_element)
    if reaches_next or anywhere(portion):
        above = np.minimum(below + 1, n - 1) if reaches_next else below + (portion > 0)
        other = _picked(rows, order, above)
        if slope is not None:
            # Adds nothing, but knows how the place moves with q; beyond the ends it does not.
            speed = np.where((where > 0) & (where < n - 1), n + slope, 0) / (100 if percent else 1)
            portion = portion + (np.ravel(q - given) * speed).astype(dtype)
        result = _between(result, other, portion)
    result = result if result.dtype == dtype else np.astype(result, dtype)
    result = np.where(lost, np.nan, result) if anywhere(lost) else result
    kept = kept_shape if keepdims else rows.shape[:-1]
    return lying(np.reshape(np.moveaxis(result, -1, 0), np.shape(given) + kept), "C")


def _picked(rows: Any, order: np.ndarray, index: np.ndarray) -> Any:
    """Of each line the elements that would be at `index` if it were sorted."""
    return np.take_along_axis(rows, np.take_along_axis(order, index, -1), -1)


def _between(low: Any, high: Any, portion: Any) -> Any:
    """From the nearer one: exact at both, and where one is infinite what NumPy makes of that."""
    return np.where(portion < 0.5, low + (high - low) * portion, high - (high - low) * (1 - portion))


@composite(np.quantile)
def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.quantile, a, q, axis, method, keepdims, weights)


@composite(np.percentile)
def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.percentile, a, q, axis, method, keepdims, weights)


@composite(np.nanquantile)
def nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.nanquantile, a, q, axis, method, keepdims is True, weights)


@composite(np.nanpercentile)
def nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.nanpercentile, a, q, axis, method, keepdims is True, weights)


# Medians ---------------------------------------------------------------------------------------------------------


@composite(np.median)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The element in the middle, or the mean of the two in the middle."""
    if not a.size or a.dtype.kind not in "fc":
        return np.median(innermost(a), axis=axis, keepdims=keepdims)
    rows, kept_shape = _lines(a, axis)
    plain = constant(rows)
    n = rows.shape[-1]
    middle = slice((n - 1) // 2, n // 2 + 1)
    order = np.argpartition(plain, [middle.start, middle.stop - 1], axis=-1)
    result = np.mean(np.take_along_axis(rows, order[..., middle], -1), axis=-1)
    lost = np.any(np.isnan(plain), axis=-1)
    if anywhere(lost):  # the last one in order, of which in complex numbers one part may be a number
        result = np.where(lost, np.partition(plain, n - 1, axis=-1)[..., -1], result)
    result = _lying_as_rest(result, a, axis)
    return np.reshape(result, kept_shape) if keepdims else result


@composite(np.nanmedian)
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    keepdims = keepdims is True
    if not a.size or a.dtype.kind not in "fc":
        return np.nanmedian(innermost(a), axis=axis, keepdims=keepdims)
    rows, kept_shape = _lines(a, axis)
    plain = innermost(rows)
    n = np.sum(~np.isnan(plain), axis=-1, keepdims=True)
    middle = np.maximum((n - 1) // 2, 0), n // 2
    order = _partly_sorted(plain, *middle)
    low, high = (_picked(rows, order, i)[..., 0] for i in middle)
    result = np.where(low == high, low, 0.5 * (low + high)) if anywhere(np.isinf(low)) else 0.5 * (low + high)
    lost = n[..., 0] == 0
    if anywhere(lost):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
        result = np.where(lost, np.nan, result)
    result = _lying_as_rest(result, a, axis)
    return np.reshape(result, kept_shape) if keepdims else result
