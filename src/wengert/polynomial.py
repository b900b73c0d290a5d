"""The series of `numpy.polynomial`, recording: values and Vandermonde matrices, by points and by coefficients.

NumPy's own functions take recorded points, and refuse recorded coefficients, of which they make a plain array. These
have NumPy's names and parameters, and take both.

Examples
--------
>>> import numpy as np, wengert as wg
>>> from wengert.polynomial import chebval
>>> c, x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True), wg.tensor(0.5, requires_grad=True)
>>> chebval(x, c).backward()  # 1 + 2 x + 3 (2 x**2 - 1)
>>> c.grad, x.grad
(tensor([ 1. ,  0.5, -0.5]), tensor(8.))
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.protocol import Wrapper

__all__ = [
    "chebval", "chebvander", "hermeval", "hermevander", "hermval", "hermvander", "lagval", "lagvander", "legval",
    "legvander", "polyval", "polyvander",
]  # fmt: skip

Recurrence = Callable[[int, Any], tuple[Any, float]]
"""``(k, x) -> (s, t)`` of the three-term recurrence ``P[k+1] = s P[k] + t P[k-1]`` (DLMF 18.9.1)."""

_RECURRENCES: dict[str, Recurrence] = {
    "poly": lambda k, x: (x, 0.0),
    "cheb": lambda k, x: (x if k == 0 else 2 * x, -1.0),
    "leg": lambda k, x: ((2 * k + 1) / (k + 1) * x, -k / (k + 1)),
    "herm": lambda k, x: (2 * x, -2.0 * k),
    "herme": lambda k, x: (x, -1.0 * k),
    "lag": lambda k, x: ((2 * k + 1 - x) / (k + 1), -k / (k + 1)),
}


def _array(x: Any) -> Any:
    """A wrapper as it is, anything else as an array of inexact numbers."""
    x = x if isinstance(x, Wrapper) else np.asarray(x)
    return x if x.dtype.kind in "fc" else np.asarray(x, float)


def _values(family: str) -> Callable:
    recurrence = _RECURRENCES[family]

    def value(x: Any, c: Any, tensor: bool = True) -> Any:
        x, c = _array(x), _array(c)
        c = c if c.ndim else np.reshape(c, (1,))
        if not c.shape[0]:
            raise ShapeError(f"[{family}val] coefficients were required; received shape {c.shape}; pass at least one")
        if tensor:
            c = np.reshape(c, c.shape + (1,) * x.ndim)
        # Clenshaw's summation: what would be the next two sums starts from zero.
        y, after = c[-1] + 0 * x, 0.0
        for k in range(c.shape[0] - 2, -1, -1):
            s, t = recurrence(k, x)[0], recurrence(k + 1, x)[1]
            y, after = (c[k] + s * y + t * after) if t else (c[k] + s * y), y
        return y

    return _named(value, f"{family}val", "Values at `x` of the series with coefficients `c`")


def _vanders(family: str) -> Callable:
    recurrence = _RECURRENCES[family]

    def vander(x: Any, deg: int) -> Any:
        x = np.atleast_1d(_array(x))
        columns, before = [np.ones_like(x)], 0.0
        for k in range(deg):
            s, t = recurrence(k, x)
            columns.append(s * columns[-1] + t * before if k and t else s * columns[-1])
            before = columns[-2]
        return np.stack(columns, axis=-1)

    return _named(vander, f"{family}vander", "The polynomials up to degree `deg` at `x`, along a last axis")


def _named(function: Callable, name: str, what: str) -> Callable:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{what}; as `numpy.polynomial` has it, with gradients."
    return function


polyval, chebval, legval, hermval, hermeval, lagval = map(_values, ("poly", "cheb", "leg", "herm", "herme", "lag"))
polyvander, chebvander, legvander, hermvander, hermevander, lagvander = map(
    _vanders, ("poly", "cheb", "leg", "herm", "herme", "lag")
)
