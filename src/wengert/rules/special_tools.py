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


def define_together(name: str, *rules: Any) -> None:
    """Declare a ufunc with several results by vector-Jacobian products: `g` and `y` have the results along axis 0."""
    function = getattr(sp, name)
    stacked: Callable
    if function.nin == 1:

        def stacked(x):
            return np.stack(function(x))

        def batched(x):
            return np.moveaxis(stacked(x), 1, 0)
    else:

        def stacked(a, b):
            return np.stack(function(a, b))

        def batched(a, b):
            ndim = max(a.ndim, b.ndim)
            a, b = (np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in (a, b))
            return np.moveaxis(stacked(a, b), 1, 0)

    stacked = primitive(stacked, *rules, name=f"special.{name}", singular=True, broadcasts=True, batch=batched)
    if function.nin == 1:
        composite(function)(lambda x: _apart(stacked(x), function.nout))
    else:
        composite(function)(lambda a, b: _apart(stacked(a, b), function.nout))


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
