"""Reductions and orderings of ``mx.nd``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet import selecting
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.naming import named
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, boxed
from wengert.dialects.mxnet.ndarray.operation import METHODS, operation, put
from wengert.dialects.mxnet.selecting import order
from wengert.primitive import REGISTRY
from wengert.rules.reductions import normal_axes

REDUCTIONS: dict[str, Callable] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod,
}  # fmt: skip


def _axes(data: Any, axis: Any, exclude: bool) -> Any:
    """Axes as NumPy's functions want them: all of them for none, and the others where they are excluded."""
    if axis is None or axis == ():
        return () if exclude else None
    if exclude:
        named = normal_axes(axis, data.ndim)
        return tuple(i for i in range(data.ndim) if i not in named)
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(label: str, function: Callable) -> Callable:
    def entry(*args: Any) -> Any:  # until the first use, since making the function takes a millisecond
        nonlocal entry
        entry = TABLE[REGISTRY[REGISTRY[function].direct]]
        return entry(*args)

    def call(
        data: Any, axis: Any = None, keepdims: bool = False, exclude: bool = False, out: Any = None,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        if axis is not None:
            axis = _axes(data, axis, exclude)
        return entry(data, axis, bool(keepdims)) if out is None else put(out, entry(data, axis, bool(keepdims)))

    METHODS[label] = call
    return named(call, label, f"See `numpy.{function.__name__}`; with `exclude`, over the axes that are not named.")


FUNCTIONS: dict[str, Callable] = {name: _reduction(name, function) for name, function in REDUCTIONS.items()}
FUNCTIONS |= {f"{name}_axis": FUNCTIONS[name] for name in ("sum", "max", "min")}


@operation
def nansum(data: Any, axis: Any = None, keepdims: bool = False, exclude: bool = False) -> Any:
    """The sum of what is a number."""
    return FUNCTIONS["sum"](_without_nan(data, 0.0), axis, keepdims, exclude)


@operation
def nanprod(data: Any, axis: Any = None, keepdims: bool = False, exclude: bool = False) -> Any:
    """The product of what is a number."""
    return FUNCTIONS["prod"](_without_nan(data, 1.0), axis, keepdims, exclude)


def _without_nan(data: Any, other: float) -> Any:
    return TABLE[np.where](np.isnan(bare(data)), other, data)


def norm(
    data: Any, ord: int = 2, axis: Any = None, out_dtype: Any = None, keepdims: bool = False, out: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """The 1- or 2-norm of all elements, or of those along one axis or two."""
    if ord not in (1, 2):
        raise MXNetError(f"[norm] ord 1 or 2 was required; received {ord!r}; write it with abs, power and sum")
    axis = None if axis is None else _axes(data, axis, False)
    if ord == 1:
        y = FUNCTIONS["sum"](TABLE[np.absolute](data), axis, keepdims)
    else:
        y = TABLE[np.linalg.norm](data, None, axis, keepdims)
    y = y if out_dtype is None else y.astype(out_dtype)
    return y if out is None else put(out, y)


METHODS["norm"] = norm


@operation(method=False)
def moments(data: Any, axes: Any = None, keepdims: bool = False) -> list:
    """Mean and biased variance."""
    axes = _axes(data, axes, False)
    return [np.mean(data, axis=axes, keepdims=keepdims), np.var(data, axis=axes, keepdims=keepdims)]


@operation
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """See `numpy.cumsum`."""
    return TABLE[np.cumsum](a, axis=axis, dtype=dtype)


# Orderings -------------------------------------------------------------------------------------------------------


def _position(function: Callable) -> Callable:
    def call(data: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return boxed(function(bare(data), axis=axis, keepdims=keepdims).astype(np.float32))

    return operation(named(call, function.__name__, f"See `numpy.{function.__name__}`; the positions are floats."))


argmax, argmin = _position(np.argmax), _position(np.argmin)


@operation
def argmax_channel(data: Any) -> Any:
    """Positions of the largest elements along axis 1."""
    return argmax(data, axis=1)


@operation
def argsort(data: Any, axis: int | None = -1, is_ascend: bool = True, dtype: Any = "float32") -> Any:
    """Positions of the elements in order."""
    return boxed(order(data, axis, is_ascend).astype(dtype))


@operation
def sort(data: Any, axis: int | None = -1, is_ascend: bool = True) -> Any:
    """The elements in order."""
    return TABLE[np.take_along_axis](data, order(data, axis, is_ascend), axis)


topk = operation(selecting.topk)
FUNCTIONS |= {
    "argmax": argmax, "argmax_channel": argmax_channel, "argmin": argmin, "argsort": argsort, "cumsum": cumsum,
    "moments": moments, "nanprod": nanprod, "nansum": nansum, "norm": norm, "sort": sort, "topk": topk,
}  # fmt: skip
