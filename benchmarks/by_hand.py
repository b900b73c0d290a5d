"""What the way back takes at least: gradients written down in NumPy by hand, for functions that are beyond the limit.

Each takes the arguments of a call and gives a function without arguments, which computes the gradients from cotangents
that are there already.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def of_broadcast(*xs: np.ndarray) -> Callable:
    """Sums over the axes that were stretched."""
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    g = np.ones(shape)
    padded = [(1,) * (len(shape) - x.ndim) + x.shape for x in xs]
    axes = [tuple(i for i, (n, m) in enumerate(zip(p, shape, strict=True)) if n != m) for p in padded]
    return lambda: [np.sum(g, axis=k).reshape(x.shape) for x, k in zip(xs, axes, strict=True)]


def of_unstack(x: np.ndarray) -> Callable:
    """All cotangents in one array."""
    g = [np.ones(x.shape[1:]) for _ in x]
    return lambda: np.stack(g)


def reordered(function: Callable, back: Callable) -> Callable:
    """A copy of the cotangent in the order of the operand."""

    def of(x: np.ndarray, *args: Any) -> Callable:
        g = np.ones(function(x, *args).shape)
        return lambda: np.ascontiguousarray(back(g, *args))

    return of


def of_larger(a: np.ndarray, b: np.ndarray) -> Callable:
    """For each operand what it won, if no two are equal."""
    g = np.ones(np.broadcast_shapes(a.shape, b.shape))

    def back():
        wins = a > b
        return g * wins, g * ~wins

    return back


def of_largest(x: np.ndarray, axis: Any = None) -> Callable:
    """The cotangent where the largest element is, in equal parts if there are several."""
    y = np.max(x, axis=axis, keepdims=True)
    g = np.ones_like(y)

    def back():
        taken = x == y
        return taken * (g / np.sum(taken, axis=axis, keepdims=True))

    return back


BY_HAND: dict[str, Callable] = {
    "numpy.broadcast_arrays": of_broadcast,
    "numpy.unstack": of_unstack,
    "numpy.transpose": reordered(np.transpose, np.transpose),
    "numpy.matrix_transpose": reordered(np.matrix_transpose, np.matrix_transpose),
    "numpy.linalg.matrix_transpose": reordered(np.matrix_transpose, np.matrix_transpose),
    "numpy.rollaxis": reordered(np.rollaxis, lambda g, axis: np.moveaxis(g, 0, axis)),
    "numpy.rot90": reordered(np.rot90, lambda g: np.rot90(g, -1)),
    "numpy.maximum": of_larger,
    "numpy.fmax": of_larger,
    "numpy.minimum": lambda a, b: of_larger(-a, -b),
    "numpy.fmin": lambda a, b: of_larger(-a, -b),
    **{f"numpy.{name}": of_largest for name in ("max", "amax", "nanmax", "maximum.reduce", "fmax.reduce")},
}
"""By the names that the table has."""
