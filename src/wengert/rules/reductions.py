"""Reductions and cumulations: sums, products, extrema, moments."""

from typing import Any

import numpy as np

from wengert.errors import DTypeError
from wengert.planned import folds
from wengert.primitive import composite, is_wrapper, linear, primitive, without_gradient
from wengert.protocol import anywhere
from wengert.rules.elementwise import choose, is_complex, only
from wengert.rules.recurrences import recurrence_back

UNSET: Any = np._NoValue


def normal_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes as a tuple of non-negative integers."""
    return np.lib.array_utils.normalize_axis_tuple(axis.tolist() if isinstance(axis, np.ndarray) else axis, ndim)


def normal_axis(axis: Any, ndim: int) -> int:
    """A single axis as a non-negative integer."""
    return np.lib.array_utils.normalize_axis_index(axis, ndim)


def refuse_truth(axis: Any) -> None:
    """Raise for a truth value as an axis, where NumPy does not take one."""
    if isinstance(axis, (bool, np.bool_)):
        raise TypeError("an integer is required for the axis")


# Broadcasting back -----------------------------------------------------------------------------------------------


def broadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """`g` stretched to `shape`, without copying.

    For plain arrays this makes a window in a tenth of the time that `numpy.broadcast_to` takes.
    """
    if g.__class__ is np.ndarray:
        if g.size == 1:
            return np.ndarray(shape, g.dtype, g, 0, (0,) * len(shape))
        if not g.flags.c_contiguous or len(shape) != g.ndim:
            return np.broadcast_to(g, shape)
        strides = tuple([0 if n != m else s for n, m, s in zip(g.shape, shape, g.strides, strict=True)])
        return np.ndarray(shape, g.dtype, g, 0, strides)
    if isinstance(g, np.generic):
        return np.ndarray(shape, g.dtype, g, 0, (0,) * len(shape)) if shape else g
    return np.broadcast_to(g, shape)


def kept_shape(like: Any, axis: Any) -> tuple[int, ...]:
    """The shape with 1 in the place of the reduced axes."""
    if axis is None:
        return (1,) * like.ndim
    axes = (axis,) if not isinstance(axis, tuple) else axis
    axes = {i % like.ndim for i in axes}
    return tuple([1 if i in axes else n for i, n in enumerate(like.shape)])


def spread(g: Any, like: Any, axis: Any, keepdims: bool) -> Any:
    """The result of a reduction, or its cotangent, along the axes that were reduced."""
    if g.ndim and not keepdims and axis is not None:  # without axes there is one element, which fits as it is
        g = g.reshape(kept_shape(like, axis))
    return broadcast(g, like.shape)


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements each element of a reduction comes from."""
    axes = range(len(shape)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    total = 1
    for i in axes:
        total *= shape[i]
    return total


# Sums ------------------------------------------------------------------------------------------------------------


_add_reduce = np.add.reduce


@folds("sum")
def _sum(x, axis=None, keepdims=False):
    return _add_reduce(x, axis, None, None, keepdims)


@folds("mean")
def _mean(x, axis=None, keepdims=False):
    if x.__class__ is np.ndarray and x.dtype.char in "df":
        total = _add_reduce(x, axis, None, None, keepdims)
        n = x.size if axis is None else count(x.shape, axis)
        if n:
            return total / n
    return np.mean(x, axis=axis, keepdims=keepdims)


_sum = linear(_sum, lambda g, like, axis, keepdims: spread(g, like, axis, keepdims), batch="axis")
_mean = linear(
    _mean, lambda g, like, axis, keepdims: spread(g / count(like.shape, axis), like, axis, keepdims), batch="axis"
)


def _prepared(a: Any, axis: Any, dtype: Any, where: Any, neutral: Any) -> Any:
    """The operand of a reduction with the keywords `dtype` and `where` already applied."""
    if dtype is not None and a.dtype != np.dtype(dtype):
        a = np.astype(a, np.dtype(dtype))
    return a if where is UNSET or where is True else _chosen(where, a, neutral)


def _chosen(where: Any, a: Any, neutral: Any) -> Any:
    """What takes part in a reduction with ``where=``, and in the place of all else what changes nothing."""
    if np.broadcast_shapes(np.shape(where), a.shape) != a.shape:
        raise ValueError(f"where= of shape {np.shape(where)} cannot be broadcast to the operand's shape {a.shape}")
    return np.where(where, a, neutral)


def _narrowed(result: Any, dtype: Any) -> Any:
    """Integers in the dtype that was asked for, which are added up in a wider one; they wrap around alike."""
    return result if dtype is None or result.dtype == np.dtype(dtype) else np.astype(result, np.dtype(dtype))


def _of_dtype(initial: Any, dtype: Any) -> Any:
    """The value to start a reduction from, which never changes the dtype of the result."""
    return np.astype(initial, dtype) if is_wrapper(initial) else np.array(initial, dtype)[()]


def _start(initial: Any, a: Any, axis: Any, where: Any) -> Any:
    """What a reduction starts from: nothing, if it is told so, and then there must be elements to begin with."""
    if initial is not None:
        return initial
    if where is not UNSET and where is not True:
        raise ValueError("a reduction with where= and without initial= has no identity to begin with")
    if not count(a.shape, axis):
        raise ValueError("a reduction of no elements and without initial= has no identity to begin with")
    return UNSET


@composite(np.sum, direct=_sum, positional=2, keywords=("axis", "keepdims"))
def sum_(a, axis=None, dtype=None, out=None, keepdims=False, initial=UNSET, where=UNSET):
    if dtype is None and where is UNSET and initial is UNSET:
        return _sum(a, axis, keepdims)
    total = _narrowed(_sum(_prepared(a, axis, dtype, where, 0), axis=axis, keepdims=keepdims), dtype)
    initial = _start(initial, a, axis, where)
    return total if initial is UNSET else total + _of_dtype(initial, total.dtype)


@composite(np.mean, direct=_mean, positional=2, keywords=("axis", "keepdims"))
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=UNSET):
    if dtype is None and where is UNSET:
        return _mean(a, axis, keepdims)
    if dtype is not None and np.dtype(dtype).kind in "biu":  # it is added up, and wraps around, in this dtype
        members = _members(a, axis, keepdims, True if where is UNSET else where)
        return np.astype(sum_(a, axis, dtype, keepdims=keepdims, where=where) / members, np.dtype(dtype))
    a = _prepared(a, axis, dtype, UNSET, 0)
    if where is UNSET or where is True:
        result = _mean(a, axis=axis, keepdims=keepdims)
    else:
        a = np.astype(a, float) if a.dtype.kind in "biu" else a
        result = _sum(_chosen(where, a, 0), axis=axis, keepdims=keepdims) / _members(a, axis, keepdims, where)
    return result if dtype is None else np.astype(result, np.dtype(dtype), copy=False)


def _members(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    """How many elements each element of a reduction with ``where=`` comes from, in the dtype of floats."""
    members = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    return members.astype(a.dtype) if a.dtype.kind in "fc" else members


def _ufunc_reduce(function):
    """``ufunc.reduce`` is the function, but along axis 0 unless told otherwise."""

    def reduce(a, axis=0, dtype=None, out=None, keepdims=False, initial=UNSET, where=UNSET):
        initial, where = _start(initial, a, axis, where), UNSET if where is True else where
        keywords = {"dtype": dtype, "initial": initial, "where": where}
        keywords = {k: v for k, v in keywords.items() if v is not None and v is not UNSET}
        return function(a, axis=axis, keepdims=keepdims, **keywords)

    return reduce


for _ufunc, _function in (
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
    (np.logical_and, np.all),
    (np.logical_or, np.any),
):
    composite((_ufunc, "reduce"))(_ufunc_reduce(_function))


# Products --------------------------------------------------------------------------------------------------------


def _prod(x, axis=None, keepdims=False):
    return np.multiply.reduce(x, axis=axis, keepdims=keepdims)


def _prod_rule(g, x, y, like, axis, keepdims):
    if not anywhere(x == 0):
        return spread(g * y, like, axis, keepdims) / x
    return spread(g, like, axis, keepdims) * _product_of_others(x, axis)


def _product_of_others(x: Any, axis: Any) -> Any:
    """For each element the product of all others along the axes, from cumulative products on both sides."""
    axes = range(x.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = [i % x.ndim for i in axes if x.ndim]  # NumPy gives a number the axes 0 and -1
    order = [i for i in range(x.ndim) if i not in axes] + axes
    moved = np.transpose(x, order)
    shape = moved.shape
    rows = np.reshape(moved, (*shape[: x.ndim - len(axes)], -1))
    one = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([one, rows[..., :-1]], axis=-1), axis=-1)
    after = np.flip(np.cumprod(np.concatenate([one, np.flip(rows, -1)[..., :-1]], axis=-1), axis=-1), -1)
    return np.transpose(np.reshape(before * after, shape), np.argsort(order))


def _prod_tangent(g, x, y, axis, keepdims):
    if not anywhere(x == 0):
        return y * np.sum(g / x, axis=axis, keepdims=keepdims)
    return np.sum(g * _product_of_others(x, axis), axis=axis, keepdims=keepdims)


_prod = primitive(_prod, _prod_rule, tangents=(_prod_tangent,), batch="axis")


@composite(np.prod, direct=_prod, positional=2, keywords=("axis", "keepdims"))
def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=UNSET, where=UNSET):
    product = _narrowed(_prod(_prepared(a, axis, dtype, where, 1), axis=axis, keepdims=keepdims), dtype)
    initial = _start(initial, a, axis, where)
    return product if initial is UNSET else product * _of_dtype(initial, product.dtype)


# Cumulations -----------------------------------------------------------------------------------------------------


@folds("running sum")
def _cumsum(x, axis=0):
    return np.add.accumulate(x, axis=axis)


def _cumprod(x, axis=0):
    return np.multiply.accumulate(x, axis=axis)


@folds("running sum from the end")
def _sum_from_here(g: Any, axis: int) -> Any:
    return np.flip(_cumsum(np.flip(g, axis), axis=axis), axis)


def part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """The slice ``start:stop`` along an axis."""
    return x[(*(slice(None),) * (axis % x.ndim), slice(start, stop))]


def _cumprod_rule(g, x, y, axis):
    if not anywhere(x == 0):
        return _sum_from_here(g * y, axis) / x
    one = np.ones_like(part(x, axis, None, 1))
    before = np.concatenate([one, part(y, axis, None, -1)], axis=axis)
    return before * recurrence_back(x, g, axis)


_cumsum = linear(_cumsum, _sum_from_here, batch="axis")
_cumprod = primitive(_cumprod, _cumprod_rule, batch="axis")


def _accumulation(function):
    def cumulate(a, axis=None, dtype=None, out=None):
        refuse_truth(axis)
        a = _prepared(a, axis, dtype, UNSET, 0)
        if axis is None or not a.ndim:
            a, axis = np.ravel(a), axis or 0
        return _narrowed(function(a, axis=normal_axis(axis, a.ndim)), dtype)

    return cumulate


def _along_first(function):
    def accumulate(a, axis=0, dtype=None, out=None):
        return _narrowed(function(_prepared(a, axis, dtype, UNSET, 0), axis=axis), dtype)

    return accumulate


composite(np.cumsum)(_accumulation(_cumsum))
composite(np.cumprod)(_accumulation(_cumprod))
composite((np.add, "accumulate"))(_along_first(_cumsum))
composite((np.multiply, "accumulate"))(_along_first(_cumprod))


# Extrema ---------------------------------------------------------------------------------------------------------


@folds("max")
def _max(x, axis=None, keepdims=False):
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


@folds("min")
def _min(x, axis=None, keepdims=False):
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)


def _extremum_rule(g, x, y, like, axis, keepdims):
    """Elements equal to the extremum share its cotangent evenly; where it is NaN, the NaNs do."""
    return shared_among(_at_extremum(x, y, like, axis, keepdims), g, like, axis, keepdims)


def _at_extremum(x, y, like, axis, keepdims):
    taken = x == spread(y, like, axis, keepdims)
    return np.logical_or(taken, x != x) if anywhere(y != y) else taken


def shared_among(taken: Any, g: Any, like: Any, axis: Any, keepdims: bool) -> Any:
    """The cotangent of a reduction, in even shares for those that were taken along the axes."""
    if taken.__class__ is not np.ndarray:
        ties = np.sum(taken, axis=axis, keepdims=keepdims)
        return only(taken, spread((g / ties).astype(like.dtype), like, axis, keepdims))
    total = np.count_nonzero(taken)
    if total != g.size:
        ties = total if g.size == 1 else np.sum(taken, axis=axis, keepdims=keepdims)
        g = (g / ties).astype(like.dtype)
    g = spread(g, like, axis, keepdims)
    return only(taken, g) if is_wrapper(g) or 64 * total > taken.size else _few(taken, total, g)


def _few(taken: np.ndarray, total: int, g: np.ndarray) -> np.ndarray:
    """``np.where(taken, g, 0)`` where nearly all of it is zero."""
    if taken.flags.fnc:
        return _few(taken.T, total, g.T).T
    places = np.argmax(taken) if total == 1 else np.flatnonzero(taken)
    few = np.zeros(taken.size, g.dtype)
    few[places] = g[np.unravel_index(places, g.shape)]
    return few.reshape(taken.shape)


def _extremum_tangent(g, x, y, like, axis, keepdims):
    taken = _at_extremum(x, y, like, axis, keepdims)
    ties = np.sum(taken, axis=axis, keepdims=keepdims)
    return np.sum(only(taken, g), axis=axis, keepdims=keepdims) / np.astype(ties, like.dtype)


_max = primitive(_max, _extremum_rule, tangents=(_extremum_tangent,), batch="axis")
_min = primitive(_min, _extremum_rule, tangents=(_extremum_tangent,), batch="axis")


def _extremum(reduce, pick):
    def extremum(a, axis=None, out=None, keepdims=False, initial=UNSET, where=UNSET):
        initial = _start(initial, a, axis, where)
        if where is not UNSET and where is not True:
            if initial is UNSET:
                raise ValueError("reduction operation with where= needs initial=, as it has no identity")
            a = _chosen(where, a, _of_dtype(initial, a.dtype))
        if initial is UNSET:
            return reduce(a, axis=axis, keepdims=keepdims)
        if not np.size(a):
            shape = np.sum(np.empty(a.shape), axis=axis, keepdims=keepdims).shape
            return np.full(shape, _of_dtype(initial, a.dtype))[()]
        return pick(reduce(a, axis=axis, keepdims=keepdims), _of_dtype(initial, a.dtype))

    return extremum


composite(np.max, np.amax, direct=_max, positional=2, keywords=("axis", "keepdims"))(_extremum(_max, np.maximum))
composite(np.min, np.amin, direct=_min, positional=2, keywords=("axis", "keepdims"))(_extremum(_min, np.minimum))


@composite(np.ptp)
def ptp(a, axis=None, out=None, keepdims=False):
    return _max(a, axis=axis, keepdims=keepdims) - _min(a, axis=axis, keepdims=keepdims)


# Moments ---------------------------------------------------------------------------------------------------------


def _centred(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


def _var(x, axis=None, ddof=0, keepdims=False):
    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)


def _std(x, axis=None, ddof=0, keepdims=False):
    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)


def _var_rule(g, x, like, axis, ddof, keepdims):
    freedom = count(like.shape, axis) - ddof
    # Without degrees of freedom nothing is defined, and yet a zero cotangent wins.
    g = g * (2 / freedom) if freedom > 0 else choose(g == 0, g, np.full_like(g, np.nan))
    return spread(g, like, axis, keepdims) * _centred(x, axis)


def _std_rule(g, x, y, like, axis, ddof, keepdims):
    # Of equal elements the deviation is 0 and has no direction: derivative 0, as for a norm.
    g = choose(y == 0, np.zeros_like(g), 0.5 * g / choose(y > 0, y, np.ones_like(y)))
    return _var_rule(g, x, like, axis, ddof, keepdims)


_var = primitive(_var, _var_rule, holomorphic=False, batch="axis")
_std = primitive(_std, _std_rule, holomorphic=False, batch="axis")


def _root(v):
    """The square root, with the derivative 0 at 0, where equal elements have a deviation without direction."""
    return np.where(v == 0, v, np.sqrt(np.where(v == 0, 1, v)))


def _moment(function, plain):
    def moment(
        a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=UNSET, mean=UNSET, correction=UNSET
    ):
        if correction is not UNSET:
            if ddof != 0:
                raise ValueError("ddof and correction can't be provided simultaneously.")
            ddof = correction
        if dtype is not None and is_complex(a) and np.dtype(dtype).kind != "c":
            raise DTypeError(f"[{function.__name__}] a complex dtype= was required for {a.dtype}; received {dtype}")
        where = True if where is UNSET else where
        if dtype is not None and np.dtype(dtype).kind in "biu":
            return _whole_deviation(a, axis, np.dtype(dtype), ddof, keepdims, where, mean)
        a = _prepared(a, axis, dtype, UNSET, 0)
        result = _deviation(a, axis, ddof, keepdims, where, mean)
        return result if dtype is None else np.astype(result, np.dtype(dtype), copy=False)

    def _whole_deviation(a, axis, dtype, ddof, keepdims, where, mean):
        """The same of whole numbers: the mean, and the sum of the squares, are of that dtype and wrap around."""
        centre = np.mean(a, axis=axis, dtype=dtype, keepdims=True, where=where) if mean is UNSET else mean
        centred = a - centre
        total = sum_(centred * centred, axis, dtype, keepdims=keepdims, where=where)
        freedom = np.maximum(_members(a, axis, keepdims, where) - ddof, 0)
        return np.astype(plain(np.astype(total / freedom, dtype)), dtype)

    def _deviation(a, axis, ddof, keepdims, where, mean):
        if where is True and mean is UNSET:
            return function(a, axis=axis, ddof=ddof, keepdims=keepdims)
        centre = np.mean(a, axis=axis, keepdims=True, where=where) if mean is UNSET else mean
        centred = _chosen(where, a - centre, 0)
        squares = np.real(centred * np.conjugate(centred)) if is_complex(centred) else centred * centred
        freedom = np.maximum(_members(squares, axis, keepdims, where) - ddof, 0)
        return plain(np.sum(squares, axis=axis, keepdims=keepdims) / freedom)

    return moment


composite(np.var)(_moment(_var, lambda v: v))
composite(np.std)(_moment(_std, _root))


@composite(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a, weights = (x if x is None or is_wrapper(x) else np.asarray(x) for x in (a, weights))
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        total = result.dtype.type(a.size / result.size)  # of no results NumPy makes an error, too
    else:
        weights = _along(a, axis, weights)
        dtype = np.result_type(a.dtype, weights.dtype, *([np.float64] if a.dtype.kind in "iub" else []))
        total = np.sum(weights, axis=axis, dtype=dtype, keepdims=keepdims)
        if anywhere(total == 0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        a, weights = (np.astype(x, dtype, copy=False) for x in (a, weights))
        result = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    if not returned:
        return result
    return result, total if np.shape(total) == result.shape else np.copy(np.broadcast_to(total, result.shape))


def _along(a: Any, axis: Any, weights: Any) -> Any:
    """Weights given for some axes, in a shape that broadcasts with the array."""
    if weights.shape == a.shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = normal_axes(axis, a.ndim)
    if weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    weights = np.transpose(weights, np.argsort(axes))
    return np.reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))


without_gradient(np.argmax, np.argmin, np.any, np.all, np.count_nonzero, np.nanargmax, np.nanargmin)
