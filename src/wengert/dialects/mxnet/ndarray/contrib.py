"""``mx.nd.contrib``: loops and choices written with functions, and a few operators."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet import selecting
from wengert.dialects.mxnet.ndarray.indexing import boolean_mask, index_copy
from wengert.dialects.mxnet.ndarray.ndarray import boxed
from wengert.dialects.mxnet.ndarray.operation import operation
from wengert.dialects.mxnet.ndarray.shaping import stack

__all__ = [
    "arange_like", "boolean_mask", "cond", "div_sqrt_dim", "foreach", "index_copy", "isfinite", "isinf", "isnan",
    "quadratic", "while_loop",
]  # fmt: skip


def _listed(value: Any) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _like(values: list, model: Any) -> Any:
    return values if isinstance(model, (list, tuple)) else values[0]


def foreach(body: Callable, data: Any, init_states: Any) -> tuple:
    """``output, states = body(item, states)`` for the items along the first axis; outputs stacked, last states."""
    states, output = init_states, None
    collected: list[list] = []
    for i in range(_listed(data)[0].shape[0]):
        item = [d[i] for d in data] if isinstance(data, (list, tuple)) else data[i]
        output, states = body(item, states)
        collected.append(_listed(output))
    stacked = [stack(*parts, axis=0) for parts in zip(*collected, strict=True)]
    return _like(stacked, output), states


def while_loop(cond: Callable, func: Callable, loop_vars: Any, max_iterations: int | None = None) -> tuple:
    """``output, loop_vars = func(*loop_vars)`` while ``cond(*loop_vars)``; outputs stacked, last variables."""
    if max_iterations is None:
        raise ValueError("[while_loop] max_iterations was required; received None")
    variables, output = _listed(loop_vars), None
    collected: list[list] = []
    while len(collected) < max_iterations and bool(cond(*variables)):
        output, fresh = func(*variables)
        variables = _listed(fresh)
        collected.append(_listed(output) if output is not None else [])
    stacked = [_padded(stack(*parts, axis=0), max_iterations) for parts in zip(*collected, strict=True)]
    return _like(stacked, output) if stacked else [], _like(variables, loop_vars)


def _padded(x: Any, n: int) -> Any:
    """Zeros behind, to the length that the loop could have had."""
    missing = n - x.shape[0]
    return x if not missing else np.concatenate([x, np.zeros((missing, *x.shape[1:]), x.dtype)])


def cond(pred: Any, then_func: Callable, else_func: Callable) -> Any:
    """One function or the other."""
    return then_func() if bool(pred) else else_func()


arange_like = operation(selecting.arange_like, method=False)


@operation(method=False)
def div_sqrt_dim(data: Any) -> Any:
    """Divided by the square root of the last axis's length."""
    return data / float(np.sqrt(data.shape[-1]))


@operation(method=False)
def quadratic(data: Any, a: float = 0.0, b: float = 0.0, c: float = 0.0) -> Any:
    """``a * x**2 + b * x + c``."""
    return a * np.square(data) + b * data + c


@operation(method=False)
def isnan(data: Any) -> Any:
    """Ones where there is no number."""
    return boxed(np.isnan(bare(data)).astype(data.dtype))


@operation(method=False)
def isinf(data: Any) -> Any:
    """Ones where there is an infinity."""
    return boxed(np.isinf(bare(data)).astype(data.dtype))


@operation(method=False)
def isfinite(data: Any) -> Any:
    """Ones where there is a finite number."""
    return boxed(np.isfinite(bare(data)).astype(data.dtype))
