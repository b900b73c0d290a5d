"""Norms of vectors and matrices."""

from typing import Any

import numpy as np

from wengert.planned import folds
from wengert.primitive import composite, primitive
from wengert.protocol import anywhere, constant
from wengert.rules.elementwise import choose
from wengert.rules.reductions import spread


@folds("norm")
def _norm(x, axis=None, keepdims=False):
    """Square root of the sum of squares over the axes."""
    if axis is None and x.__class__ is np.ndarray:
        value = np.linalg.norm(x)
        return value.reshape((1,) * x.ndim) if keepdims else value
    if isinstance(axis, tuple) and len(axis) > 2:
        return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))
    if axis == ():
        return np.abs(x)
    return np.linalg.norm(x, axis=axis, keepdims=keepdims)


def _norm_rule(g, x, y, like, axis, keepdims):
    # At the origin, where the direction is not defined, the derivative is 0 by convention.
    x, y = _in_range(_norm, x, y, 2, axis=axis, keepdims=keepdims)
    g = choose(y == 0, np.zeros_like(g), g / choose(y == 0, np.ones_like(y), y))
    return spread(g, like, axis, keepdims) * x


def _p_norm(x, ord=3, axis=None, keepdims=False):
    return np.linalg.norm(x, ord, axis, keepdims)


def _p_norm_rule(g, x, y, like, ord, axis, keepdims):
    """The same at the origin, and an element of zero, which has no sign, has the derivative 0 as well."""
    x, y = _in_range(_p_norm, x, y, ord, ord=ord, axis=axis, keepdims=keepdims)
    zero = y == 0
    g, y = choose(zero, np.zeros_like(g), g), choose(zero, np.ones_like(y), y)
    size = np.abs(x)
    ratio = size / spread(y, like, axis, keepdims)
    ratio = choose((size == 0) | spread(zero, like, axis, keepdims), np.ones_like(size), ratio)
    return spread(g, like, axis, keepdims) * np.sign(x) * ratio ** (ord - 1)


def _in_range(norm: Any, x: Any, y: Any, p: float, axis: Any, **keywords: Any) -> tuple[Any, Any]:
    """Multiples of the operand and of its norm that do not overflow on the way, or lose digits as they underflow."""
    limits = np.finfo(y.dtype)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        power = constant(y) ** abs(p)
    outside = (power < limits.tiny / limits.eps) | (power > limits.max * limits.eps)
    if not anywhere(outside):
        return x, y
    size = np.abs(constant(x))
    scale = (np.max if p > 0 else np.min)(size, axis=axis, keepdims=True, initial=0 if p > 0 else np.inf)
    x = x / choose((scale > 0) & np.isfinite(scale), scale, np.ones_like(scale))
    return x, norm(x, axis=axis, **keywords)


_norm = primitive(_norm, _norm_rule, holomorphic=False, batch="axis")
_p_norm = primitive(_p_norm, _p_norm_rule, holomorphic=False, batch="axis")


@composite(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """All vector norms, and the matrix norms that are sums (orders 1, -1, inf, -inf, 'fro')."""
    x = x if x.dtype.kind in "fc" else np.astype(x, float)
    axes = tuple(range(x.ndim)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    if ord is None and (axis is None or len(axes) <= 2):
        return _norm(x, axis=axis, keepdims=keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    return _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(x, ord, axis, keepdims):
    if ord in (None, 2):
        return _norm(x, axis=axis, keepdims=keepdims)
    size = np.abs(x)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum((size != 0).astype(size.dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    return _p_norm(x, ord=float(ord), axis=axis, keepdims=keepdims)


def _matrix_norm(x, ord, axes, keepdims):
    rows, columns = axes
    if ord == "fro":
        return _norm(x, axis=axes, keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        value = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
        return np.expand_dims(value, axes) if keepdims else value
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = np.sum(np.abs(x), axis=inner, keepdims=True)
    pick = np.max if ord > 0 else np.min
    return pick(sums, axis=(inner, outer), keepdims=keepdims)
