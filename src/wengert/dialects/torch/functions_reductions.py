"""Sums, means, extrema, norms, orders: functions that run along dimensions."""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import array_of
from wengert.dialects.torch.dtypes import default_dtype
from wengert.dialects.torch.errors import TorchError
from wengert.dialects.torch.making import (
    axes_of,
    axis_of,
    bare,
    cast_first,
    direct,
    entry,
    named,
    spell,
    stored,
    titled,
)
from wengert.dialects.torch.tensor import Tensor
from wengert.rules.nn import log_softmax as _log_softmax
from wengert.rules.nn import logsumexp as _logsumexp
from wengert.rules.nn import softmax as _softmax

_sum, _mean, _prod = direct(np.sum), direct(np.mean), entry(np.prod)
_sum_along, _mean_along = direct(np.sum, "SumBackward1"), direct(np.mean, "MeanBackward1")
_maximum, _minimum = entry(np.maximum), entry(np.minimum)


def _result(name: str) -> Any:
    """The class of a result with values and indices."""
    return namedtuple(name, ["values", "indices"])


MaxResult, MinResult, MedianResult = _result("max"), _result("min"), _result("median")
SortResult, TopkResult, KthResult = _result("sort"), _result("topk"), _result("kthvalue")
ModeResult, CummaxResult, CumminResult = _result("mode"), _result("cummax"), _result("cummin")
for _kind in (
    MaxResult,
    MinResult,
    MedianResult,
    SortResult,
    TopkResult,
    KthResult,
    ModeResult,
    CummaxResult,
    CumminResult,
):
    _kind.__repr__ = lambda self: (
        f"torch.return_types.{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"
    )


# Sums --------------------------------------------------------------------------------------------------------------


def sum(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, out: Any = None,
    keepdims: bool = False,
) -> Tensor:  # fmt: skip
    """The sum, of all elements or along dimensions."""
    if dtype is None and out is None and axis is None and not keepdims:
        if dim is None and not keepdim:
            return _sum(input)
        x = input
    else:
        x, dim, keepdim = cast_first(input, dtype), axis if dim is None else dim, keepdim or keepdims
    if dim.__class__ is int and 0 <= dim < x._spec.ndim:
        result = _sum_along(x, dim, keepdims=keepdim)
    else:
        result = (_sum if dim is None else _sum_along)(x, axes_of("sum", x, dim), keepdims=keepdim)
    return result if out is None else stored(result, out)


def mean(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, out: Any = None,
    keepdims: bool = False,
) -> Tensor:  # fmt: skip
    """The mean, of all elements or along dimensions, of floating-point numbers."""
    x = input if dtype is None else cast_first(input, dtype)
    if not x._spec.inexact:
        raise TorchError(
            f"[mean] mean(): could not infer output dtype. Input dtype must be either a floating point or complex "
            f"dtype; received {x._spec!r}; use x.float()"
        )
    if dim is None and axis is None and not keepdim and not keepdims and out is None:
        return _mean(x)
    dim = axis if dim is None else dim
    result = (_mean if dim is None else _mean_along)(x, axes_of("mean", x, dim), keepdims=keepdim or keepdims)
    return result if out is None else stored(result, out)


def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product, of all elements or along a dimension."""
    x = cast_first(input, dtype)
    if dim is None:
        return _prod(x)
    return named(_prod(x, axes_of("prod", x, dim), keepdims=keepdim), "ProdBackward1")


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of what is not NaN."""
    zero = Tensor._box(np.zeros((), input._spec.dtype))
    kept = entry(np.where)(entry(np.isnan)(input), zero, input)
    return named(sum(kept, dim, keepdim, dtype=dtype), "NansumBackward0")


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of what is not NaN."""
    counted = entry(np.logical_not)(entry(np.isnan)(input))
    return nansum(input, dim, keepdim, dtype=dtype) / sum(counted, dim, keepdim)


def _cumulative(name: str, function: Any) -> Callable:
    forward = entry(function)

    def applied(input: Tensor, dim: int, *, dtype: Any = None, out: Any = None) -> Tensor:
        x = cast_first(input, dtype)
        if not x._spec.ndim:
            return x.clone()
        return stored(forward(x, axis_of(name, x, dim)), out)

    return titled(applied, name, f"See `numpy.{function.__name__}`: along a dimension.")


cumsum, cumprod = _cumulative("cumsum", np.cumsum), _cumulative("cumprod", np.cumprod)


# Moments -----------------------------------------------------------------------------------------------------------


def _moment(name: str, function: Any) -> Callable:
    forward = entry(function)

    def applied(
        input: Tensor, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None,
        axis: Any = None,
    ) -> Tensor:  # fmt: skip
        if isinstance(dim, bool):  # std(unbiased)
            dim, unbiased = None, dim
        if not input._spec.inexact:
            raise TorchError(f"[{name}] std and var only support floating point and complex dtypes: {input._spec!r}")
        ddof = (1 if unbiased else 0) if correction is None else correction
        dims = axes_of(name, input, axis if dim is None else dim)
        with np.errstate(invalid="ignore", divide="ignore"):
            result = forward(input, dims, ddof=ddof, keepdims=keepdim)
        return named(result, f"{name.capitalize()}Backward0")

    return titled(applied, name, f"See `numpy.{name}`: divided by the number of elements less `correction` (1).")


std, var = _moment("std", np.std), _moment("var", np.var)


def var_mean(input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """Variance and mean."""
    return var(input, dim, unbiased, keepdim, **options), mean(input, dim, keepdim)


def std_mean(input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any) -> tuple:
    """Standard deviation and mean."""
    return std(input, dim, unbiased, keepdim, **options), mean(input, dim, keepdim)


def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The norm of all elements, or along dimensions, as of one vector."""
    x = cast_first(input, dtype)
    if not x._spec.inexact:
        raise TorchError(
            f"[norm] linalg.vector_norm: Expected a floating point or complex tensor as input; received {x._spec!r}"
        )
    axes = axes_of("norm", x, dim)
    order = {"fro": 2, "nuc": None}.get(p, p)
    if order is None:
        raise TorchError("[norm] the nuclear norm needs singular values, which have no rule here yet")
    if isinstance(axes, tuple):
        rest = tuple(i for i in range(x._spec.ndim) if i not in axes)
        kept = tuple(1 if i in axes else n for i, n in enumerate(x._spec.shape))
        flat = x.permute(*rest, *axes).reshape(*(x._spec.shape[i] for i in rest), -1)
        result = entry(np.linalg.norm)(flat, order, -1)
        result = result.reshape(kept) if keepdim else result
    elif axes is None:
        result = entry(np.linalg.norm)(x.reshape(-1), order, 0)
        result = result.reshape((1,) * x._spec.ndim) if keepdim else result
    else:
        result = entry(np.linalg.norm)(x, order, axes, keepdim)
    return named(result, "LinalgVectorNormBackward0")


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The norm of the difference."""
    return norm(input - other, p)


# Extrema -----------------------------------------------------------------------------------------------------------


def picked(input: Tensor, indices: np.ndarray, axis: int) -> Tensor:
    """The elements at positions along an axis, which keep their gradients."""
    return entry(np.take_along_axis)(input, indices, axis)


def _extremum(name: str, function: Any, find: Any, pairwise: Any, kind: Any) -> Callable:
    forward = direct(function)

    def applied(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
        if dim is None and other is None and input._spec.size:
            return forward(input)
        if isinstance(dim, Tensor) or other is not None:
            return pairwise(input, dim if other is None else other)
        if not input._spec.size and dim is None:
            raise TorchError(f"[{name}] {name}(): Expected reduction dim to be specified for input.numel() == 0")
        if not input._spec.ndim:
            return kind(input.clone(), Tensor._box(np.int64(0)))
        axis = axis_of(name, input, dim)
        where = np.expand_dims(find(bare(input), axis), axis)
        values = picked(input, where, axis)
        if not keepdim:
            values, where = values.squeeze(axis), where.squeeze(axis)
        return kind(named(values, f"{name.capitalize()}Backward0"), Tensor._box(where))

    return titled(applied, name, f"The {name}imum: of all elements; along `dim` with its indices; or of two tensors.")


max = _extremum("max", np.max, np.argmax, _maximum, MaxResult)
min = _extremum("min", np.min, np.argmin, _minimum, MinResult)


def amax(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The maximum along dimensions; elements that are equal share the gradient."""
    return named(entry(np.max)(input, axes_of("amax", input, dim), keepdims=keepdim), "AmaxBackward0")


def amin(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """The minimum along dimensions; elements that are equal share the gradient."""
    return named(entry(np.min)(input, axes_of("amin", input, dim), keepdims=keepdim), "AminBackward0")


def aminmax(input: Tensor, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Minimum and maximum."""
    aminmax = namedtuple("aminmax", ["min", "max"])
    return aminmax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _position(name: str, find: Any) -> Callable:
    def applied(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        value = bare(input)
        if dim is None:
            found = np.asarray(find(value))
            return Tensor._box(found.reshape((1,) * input._spec.ndim) if keepdim else found)
        if not input._spec.ndim:
            return Tensor._box(np.int64(0))
        return Tensor._box(find(value, axis_of(name, input, dim), keepdims=keepdim))

    return titled(applied, name, f"See `numpy.{name}`: an int64 tensor.")


argmax, argmin = _position("argmax", np.argmax), _position("argmin", np.argmin)


def _truth(name: str, function: Any) -> Callable:
    def applied(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        return Tensor._box(function(bare(input), axis=axes_of(name, input, dim), keepdims=keepdim))

    return titled(applied, name, f"See `numpy.{name}`: a bool tensor.")


any, all = _truth("any", np.any), _truth("all", np.all)


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero."""
    return Tensor._box(np.asarray(np.count_nonzero(bare(input), axis=axes_of("count_nonzero", input, dim))))


# Order -------------------------------------------------------------------------------------------------------------


def _order(value: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """Positions that sort along an axis; equal elements stay in their order."""
    if not descending:
        return np.argsort(value, axis, kind="stable")
    backwards = np.argsort(np.flip(value, axis), axis, kind="stable")
    return value.shape[axis] - 1 - np.flip(backwards, axis)


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Positions that sort along a dimension."""
    if not input._spec.ndim:
        return Tensor._box(np.int64(0))
    return Tensor._box(_order(bare(input), axis_of("argsort", input, dim), descending))


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Elements in order along a dimension, and where they were."""
    if not input._spec.ndim:
        return SortResult(input.clone(), Tensor._box(np.int64(0)))
    axis = axis_of("sort", input, dim)
    order = _order(bare(input), axis, descending)
    return SortResult(named(picked(input, order, axis), "SortBackward0"), Tensor._box(order))


def _running(name: str, function: Any, kind: Any) -> Callable:
    def applied(input: Tensor, dim: int) -> Any:
        if not input._spec.ndim:
            return kind(input.clone(), Tensor._box(np.int64(0)))
        value, axis = array_of(input), axis_of(name, input, dim)
        reached = value == function.accumulate(value, axis)  # where an extremum is reached, for the first time or again
        places = np.arange(value.shape[axis]).reshape((-1,) + (1,) * (value.ndim - 1 - axis))
        where = np.maximum.accumulate(np.where(reached, places, 0), axis)
        return kind(named(picked(input, where, axis), f"{name.capitalize()}Backward0"), Tensor._box(where))

    return titled(applied, name, f"The {name[3:]}imum of the elements so far along a dimension, and where it is last.")


cummax, cummin = _running("cummax", np.maximum, CummaxResult), _running("cummin", np.minimum, CumminResult)


def msort(input: Tensor) -> Tensor:
    """Elements in order along the first dimension."""
    return sort(input, 0).values


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along a dimension, and where they are."""
    axis = axis_of("topk", input, dim)
    if not 0 <= k <= (input._spec.shape[axis] if input._spec.ndim else 1):
        raise TorchError(f"[topk] selected index k out of range: k={k} of {input._spec!r} along dimension {dim}")
    order = np.take(_order(bare(input), axis, largest), range(k), axis)
    return TopkResult(named(picked(input, order, axis), "TopkBackward0"), Tensor._box(order))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along a dimension, and where it is."""
    axis = axis_of("kthvalue", input, dim)
    if not 1 <= k <= input._spec.shape[axis]:
        raise TorchError(f"[kthvalue] selected number k out of range: k={k} of {input._spec!r} along dimension {dim}")
    order = np.take(_order(bare(input), axis, False), [k - 1], axis)
    values = picked(input, order, axis)
    if not keepdim:
        values, order = values.squeeze(axis), order.squeeze(axis)
    return KthResult(named(values, "KthvalueBackward0"), Tensor._box(order))


def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, the lower one of two: of all, or along `dim` with its index."""
    if dim is None:
        flat = input.reshape(-1)
        return named(flat[int(_order(bare(flat), 0, False)[(flat._spec.size - 1) // 2])], "MedianBackward0")
    values, indices = kthvalue(input, (input._spec.shape[axis_of("median", input, dim)] + 1) // 2, dim, keepdim)
    return MedianResult(named(values, "MedianBackward1"), indices)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along a dimension, and where it is last."""
    axis = axis_of("mode", input, dim)
    moved = np.moveaxis(bare(input), axis, -1)

    def last_of_most_frequent(row: np.ndarray) -> int:
        values, counts = np.unique(row, return_counts=True)
        return int(np.nonzero(row == values[np.argmax(counts)])[0][-1])

    where = np.expand_dims(np.apply_along_axis(last_of_most_frequent, -1, moved), axis)
    values = picked(input, where, axis)
    if not keepdim:
        values, where = values.squeeze(axis), where.squeeze(axis)
    return ModeResult(values, Tensor._box(where))


# Exponential sums --------------------------------------------------------------------------------------------------


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` along dimensions, without overflow."""
    x = input if input._spec.inexact else input.to(default_dtype())
    return named(_logsumexp(x, axes_of("logsumexp", x, dim), keepdim), "LogsumexpBackward0")


def _along(name: str, function: Any) -> Callable:
    def applied(input: Tensor, dim: Any = None, dtype: Any = None, *, _stacklevel: int = 3) -> Tensor:
        x = cast_first(input, dtype)
        if not x._spec.inexact:
            raise TorchError(f'[{name}] "{name}_lastdim_kernel_impl" not implemented for {x.dtype}; use x.float()')
        if dim is None:
            dim = 0 if x._spec.ndim in (0, 1, 3) else 1
        axis = axis_of(name, x, dim)
        return function(x, axis) if x._spec.ndim else function(x.reshape(1), 0).reshape(())

    return titled(applied, name, f"See `wengert.{name}`: along a dimension.")


softmax, log_softmax = _along("softmax", _softmax), _along("log_softmax", _log_softmax)


_NAMES = (
        "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "count_nonzero", "cummax",
        "cummin", "cumprod",

        "cumsum", "dist", "kthvalue", "log_softmax", "logsumexp", "max", "mean", "median", "min", "mode",
        "msort", "nanmean", "nansum", "norm", "prod", "softmax", "sort", "std", "sum", "topk",
        "var",
    )  # fmt: skip
spell(globals(), _NAMES)
METHODS = {name: globals()[name] for name in _NAMES}
__all__ = [*METHODS, "std_mean", "var_mean"]
