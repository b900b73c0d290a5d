"""Rounding to decimals, which is constant but for steps."""

import numpy as np

from wengert.arrays import power_of_ten
from wengert.errors import DTypeError
from wengert.primitive import composite, elementwise
from wengert.protocol import lying, spec_of, usual_order


@composite(np.round, np.around)
def round_(a, decimals=0, out=None):
    """Piecewise constant: the derivative is zero."""
    if decimals == 0 or (decimals > 0 and a.dtype.kind in "iu"):
        return np.positive(a) if a.dtype.kind in "iu" else np.rint(a)
    if a.dtype.kind == "b":
        raise DTypeError(
            f"[round] numbers were required, or decimals=0; received truth values, {spec_of(a)!r}, and "
            f"decimals={decimals}; pass a.astype(float)"
        )
    rounded = _rounded_complex(a, decimals=decimals) if a.dtype.kind == "c" else _rounded(a, decimals)
    return lying(rounded, usual_order(a)) if a.ndim > 1 else rounded


def _rounded(x, decimals):
    power = power_of_ten(abs(decimals))
    if decimals > 0:
        return np.rint(x * power) / power
    return np.astype(np.rint(x / power) * power, x.dtype)


def _rounded_complex(x, decimals=0):
    """Each part by itself."""
    return np.round(x, decimals)


_rounded_complex = elementwise(_rounded_complex, None)


@composite(np.fix)
def fix(x, out=None):
    return np.trunc(x)
