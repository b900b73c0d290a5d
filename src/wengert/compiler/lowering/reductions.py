"""Reductions and what is made of them: sums, extrema, moments, norms, running sums."""

import functools
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.lowering.builder import Builder, normal_axes
from wengert.compiler.lowering.elementwise import chosen
from wengert.compiler.lowering.products import summed_over_stack
from wengert.protocol import Spec

__all__ = ["HANDLERS", "logical"]


def _combined(name: str) -> Callable:
    def handler(b: Builder, spec: Spec, x: Value, axis: Any = None, keepdims: bool = False) -> Value | None:
        if name in ("maximum", "minimum") and x.dtype.kind == "b":
            return (b.any_of if name == "maximum" else b.all_of)(x, axis, keepdims)
        x = b.cast(x, spec.dtype)
        if name == "add":
            return _sum(b, x, axis, keepdims)
        if name == "multiply" and x.dtype.kind == "f":
            _check_order(b, x, axis)
        return b.reduced(name, x, axis, keepdims)

    return handler


def _check_order(b: Builder, x: Value, axis: Any) -> None:
    """Factors taken in another order than NumPy's give its product where on no way numbers become too large, or small.

    For that the factors above 1, and those below, are multiplied by themselves. Where only one of the two leaves the
    range, the product does, too, in whatever order, but for a zero among large numbers.
    """
    size = b.map("absolute", x)
    none = b.map("equal", size, 0, dtype=np.bool_)
    large = b.reduced("multiply", b.map("maximum", size, 1.0), axis)
    small = b.reduced("multiply", b.map("minimum", chosen(b, none, 1.0, size), 1.0), axis)
    if large is None or small is None:
        return
    fine = b.map("isfinite", large, dtype=np.bool_)
    above = b.map("greater_equal", small, np.finfo(x.dtype).tiny, dtype=np.bool_)
    only_large = b.map(
        "logical_and", b.map("equal", small, 1, dtype=np.bool_), b.all_of(b.map("logical_not", none), axis)
    )
    only_small = b.map("equal", large, 1, dtype=np.bool_)
    b.check(b.all_of(b.map("logical_or", fine, only_large)))
    b.check(b.all_of(b.map("logical_or", above, only_small)))


def _sum(b: Builder, x: Value, axis: Any, keepdims: bool) -> Value | None:
    """The sum; of negatives it is that of the numbers, negated, and of a stack of products it may be one product."""
    if x.kind == "map" and x.setting == "negative":
        found = _sum(b, b.graph.broadcast(x.operands[0], x.shape), axis, keepdims)
        return found and b.map("subtract", b.graph.literal(0, found.dtype), found)  # which is never -0.0
    axes = normal_axes(axis, len(x.shape))
    product = summed_over_stack(b, x, axes)
    if product is None:
        return b.reduced("add", x, axis, keepdims)
    return b.graph.reshape(
        product, tuple(1 if k in axes else n for k, n in enumerate(x.shape)) if keepdims else product.shape
    )


def _mean(b: Builder, spec: Spec, x: Value, axis: Any = None, keepdims: bool = False) -> Value | None:
    dtype = spec.dtype
    n = prod(x.shape[i] for i in normal_axes(axis, len(x.shape)))
    if not n:
        return None
    return b.map("divide", b.total(b.cast(x, dtype), axis, keepdims), dtype.type(n))


def _variance(b: Builder, spec: Spec, x: Value, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    n = prod(x.shape[i] for i in normal_axes(axis, len(x.shape)))
    x = b.cast(x, spec.dtype) if x.dtype.kind in "biu" else x
    if spec.dtype != x.dtype or n - ddof <= 0 or not x.size:
        return None
    mean = b.map("divide", b.total(x, axis, True), x.dtype.type(n))
    centred = b.map("subtract", x, mean)
    return b.map("divide", b.total(b.map("multiply", centred, centred), axis, keepdims), x.dtype.type(n - ddof))


def _deviation(b: Builder, spec: Spec, *args: Any, **kwargs: Any) -> Value | None:
    variance = _variance(b, spec, *args, **kwargs)
    return variance and b.map("sqrt", variance)


def _norm(b: Builder, spec: Spec, x: Value, axis: Any = None, keepdims: bool = False) -> Value | None:
    """The root of the sum of squares, which overflows where NumPy's does."""
    if x.dtype != spec.dtype:
        return None
    return b.map("sqrt", b.total(b.map("multiply", x, x), axis, keepdims))


def _cumsum(b: Builder, spec: Spec, x: Value, axis: int = 0) -> Value | None:
    x, axis = b.cast(x, spec.dtype), axis % len(x.shape)
    if x.shape[axis] <= 1 or not x.size:
        return x
    return (
        _few_sums(b, x, axis) if x.shape[axis] <= FEW else b.graph.make("scan", (x,), ("add", axis), x.shape, x.dtype)
    )


FEW = 8
"""Up to so many elements are summed one by one."""


def _few_sums(b: Builder, x: Value, axis: int, name: str = "add") -> Value:
    sums = [b.part(x, axis, slice(0, 1))]
    for k in range(1, x.shape[axis]):
        sums.append(b.map(name, sums[-1], b.part(x, axis, slice(k, k + 1))))
    return b.joined(sums, axis)


def _pooled(b: Builder, spec: Spec, x: Value, ufunc: Any, axis: Any = None, keepdims: bool = False) -> Value | None:
    """What an operation makes of few elements, one after the other."""
    axes = normal_axes(axis, len(x.shape))
    if len(axes) != 1 or not 0 < x.shape[axes[0]] <= FEW or x.dtype != spec.dtype:
        return None
    parts = [b.part(x, axes[0], slice(k, k + 1)) for k in range(x.shape[axes[0]])]
    if len(parts) == 1 and ufunc is np.hypot:  # NumPy begins with 0.0, and the result has no sign
        parts = [b.map("absolute", parts[0])]
    found = functools.reduce(functools.partial(b.map, ufunc.__name__), parts)
    return found if keepdims else b.graph.reshape(found, spec.shape)


def _cumprod(b: Builder, spec: Spec, x: Value, axis: int = 0) -> Value | None:
    x, axis = b.cast(x, spec.dtype), axis % len(x.shape)
    if x.shape[axis] <= 1 or not x.size:
        return x
    if x.shape[axis] <= FEW:
        return _few_sums(b, x, axis, "multiply")
    return b.graph.make("scan", (x,), ("multiply", axis), x.shape, x.dtype)


def logical(name: str) -> Callable:
    """``any`` or ``all`` as NumPy spells them."""

    def handler(
        b: Builder, spec: Spec, x: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
    ) -> Any:
        if not isinstance(x, Value) or out is not None or not isinstance(keepdims, bool):
            return None
        x = b.cast(x, np.bool_)
        if where is not True:
            if np.broadcast_shapes(np.shape(where), x.shape) != x.shape:
                return None
            where = b.graph.broadcast(b.value(where, np.bool_), x.shape)
            x = chosen(b, where, x, b.filled(name == "all", x.shape, np.bool_))
        return b.any_of(x, axis, keepdims) if name == "any" else b.all_of(x, axis, keepdims)

    return handler


def count_nonzero(b: Builder, spec: Spec, x: Any, axis: Any = None, *, keepdims: bool = False) -> Value | None:
    """How many elements are not 0."""
    if not isinstance(x, Value):
        return None
    return b.total(b.cast(b.cast(x, np.bool_), np.int64), axis, keepdims)


def _cross(b: Builder, spec: Spec, x: Value, y: Value) -> Value | None:
    """The product of vectors of three elements along the last axis."""
    dtype, shape = spec.dtype, spec.shape
    x, y = (b.graph.broadcast(b.cast(v, dtype), shape) for v in (x, y))

    def product(v: Value, w: Value, i: int, k: int) -> Value:
        return b.map("multiply", b.part(v, -1, slice(i, i + 1)), b.part(w, -1, slice(k, k + 1)))

    parts = [b.map("subtract", product(x, y, i, k), product(x, y, k, i)) for i, k in ((1, 2), (2, 0), (0, 1))]
    return b.joined(parts, len(shape) - 1)


def _present(name: str, missing: float) -> Callable:
    """The extremum of what is not NaN; NaN where nothing else is."""

    def handler(b: Builder, spec: Spec, x: Value, axis: Any = None, keepdims: bool = False) -> Value | None:
        if x.dtype.kind != "f" or not x.size:
            return None
        nothing = b.map("isnan", x, dtype=np.bool_)
        found = b.reduced(name, chosen(b, nothing, missing, x), axis, keepdims)
        return found and chosen(b, b.all_of(nothing, axis, keepdims), np.nan, found)

    return handler


HANDLERS: dict[str, Callable] = {
    "sum": _combined("add"),
    "prod": _combined("multiply"),
    "max": _combined("maximum"),
    "min": _combined("minimum"),
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
    "norm": _norm,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
    "cross": _cross,
    "pooled": _pooled,
    "largest_present": _present("maximum", -np.inf),
    "least_present": _present("minimum", np.inf),
}
