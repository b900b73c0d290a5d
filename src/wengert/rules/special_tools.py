"""How functions of `scipy.special` are declared, and pieces that several families of them use."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import MISSING, composite, elementwise, primitive

__all__ = ["MISSING", "define", "define_together", "safe", "series"]


def define(name: str, *rules: Any, **flags: Any) -> None:
    """Declare a ufunc of `scipy.special` by its partial derivatives; versions of SciPy without it are passed over."""
    function = getattr(sp._ufuncs if name.startswith("_") else sp, name, None)
    if function is not None:
        flags = {"name": f"special.{name.strip('_')}", "singular": True, "casts": True} | flags
        elementwise(function, *rules, **flags)


def define_together(name: str, *rules: Any, **flags: Any) -> None:
    """Declare a ufunc with several results by vector-Jacobian products: `g` and `y` have the results along axis 0."""
    function = getattr(sp, name)
    stacked: Callable
    if function.nin == 1:

        def stacked(x):
            return np.stack(function(x))

        def batched(x):
            return np.moveaxis(stacked(x), 1, 0)
    elif function.nin == 2:

        def stacked(a, b):
            return np.stack(function(a, b))

        def batched(a, b):
            return _batched(stacked, a, b)
    elif function.nin == 3:

        def stacked(a, b, c):
            return np.stack(function(a, b, c))

        def batched(a, b, c):
            return _batched(stacked, a, b, c)
    elif function.nin == 4:

        def stacked(a, b, c, d):
            return np.stack(function(a, b, c, d))

        def batched(a, b, c, d):
            return _batched(stacked, a, b, c, d)
    else:

        def stacked(a, b, c, d, e):
            return np.stack(function(a, b, c, d, e))

        def batched(a, b, c, d, e):
            return _batched(stacked, a, b, c, d, e)

    flags = {"name": f"special.{name}", "singular": True, "broadcasts": True, "batch": batched} | flags
    stacked = primitive(stacked, *rules, **flags)
    if function.nin == 1:
        composite(function)(lambda x: _apart(stacked(x), function.nout))
    else:
        composite(function)(lambda *operands: _apart(stacked(*operands), function.nout))


def _batched(stacked: Callable, *operands: Any) -> Any:
    """Of operands with one axis more in front, which may differ in their number of axes."""
    ndim = max(x.ndim for x in operands)
    operands = tuple(np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in operands)
    return np.moveaxis(stacked(*operands), 1, 0)


def _apart(results: Any, count: int) -> tuple:
    return tuple(results[i] for i in range(count))


def safe(wrong: Any, x: Any) -> Any:
    """`x`, with 1 where it must not be looked at."""
    return np.where(wrong, 1.0, x)[()]


def series(x: Any, coefficients: tuple) -> Any:
    """The polynomial with these coefficients, the constant first."""
    y = coefficients[-1]
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y
