"""Error functions and relatives (DLMF 7), and the normal distribution."""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.rules.elementwise import choose, is_complex
from wengert.rules.special_tools import define, define_together, series

_TWO = 2 / math.sqrt(math.pi)
_FAR = 10.0
_DOUBLE_FACTORIALS = tuple(float(math.prod(range(1, 2 * k, 2))) for k in range(14))


def _tail(w: Any) -> Any:
    """Sum of ``(2k - 1)!! w**k`` from k = 1: what asymptotic series of error functions (DLMF 7.12.1) leave of 1."""
    return w * series(w, _DOUBLE_FACTORIALS[1:])


def _with_tail(x: Any, far: Any, near: Any, factor: float, sign: int) -> Any:
    """`near`, or where the operand is `far` the same by its asymptotic series: there `near` would cancel."""
    z = choose(far, x, np.full_like(x, _FAR))
    return choose(far, factor * _tail(sign / (2 * z * z)), near)


def _erfcx(x, y):
    return _with_tail(x, np.real(x) > _FAR, 2 * x * y - _TWO, _TWO, -1)


def _dawsn(x, y):
    # Of complex numbers, where exp(-x * x), which the series leaves out, is nothing.
    far = np.logical_and(np.abs(x) > _FAR, np.real(x * x) > 40)
    return _with_tail(x, far, 1 - 2 * x * y, -1, 1)


def _wofz(x, y):
    far = np.logical_and(np.abs(x) > _FAR, np.imag(x) >= 0)
    return _with_tail(x, far, 2j / math.sqrt(math.pi) - 2 * x * y, -1j * _TWO, 1)


define("erf", lambda x: _TWO * np.exp(-x * x))
define("erfc", lambda x: -_TWO * np.exp(-x * x))
define("erfcx", _erfcx)
define("erfi", lambda x: _TWO * np.exp(x * x))
define("dawsn", _dawsn)
define("wofz", _wofz)
define("erfinv", lambda y: np.exp(y * y) / _TWO)
define("erfcinv", lambda y: -np.exp(y * y) / _TWO)

# Outputs S and C.
define_together("fresnel", lambda g, x: g[0] * np.sin((math.pi / 2) * x * x) + g[1] * np.cos((math.pi / 2) * x * x))


def _voigt_plane(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """Where the profile takes the Faddeeva function w, and w there."""
    z = (x + 1j * gamma) / (sigma * math.sqrt(2))
    return z, sp.wofz(z)


def _voigt_slope(x: Any, sigma: Any, gamma: Any) -> Any:
    """The derivative of the profile by x + i gamma."""
    z, w = _voigt_plane(x, sigma, gamma)
    return _wofz(z, w) / (sigma * sigma * (2 * math.sqrt(math.pi)))


def _voigt_width(a: Any, b: Any, c: Any) -> Any:
    """By the heat equation the derivative by sigma is sigma times the second derivative by x; w'' = -2 (w + z w')."""
    z, w = _voigt_plane(a, b, c)
    far = np.abs(z) > 2 * _FAR
    far_z = choose(far, z, np.full_like(z, 2 * _FAR))
    bends = tuple(c * (2 * k + 1) * (2 * k + 2) for k, c in enumerate(_DOUBLE_FACTORIALS))
    asymptotic = (1j / math.sqrt(math.pi)) / (far_z * far_z * far_z) * series(1 / (2 * far_z * far_z), bends)
    curve = choose(far, asymptotic, -2 * (w + z * _wofz(z, w)))
    return np.real(curve) / (b * b * (2 * math.sqrt(2 * math.pi)))


define(
    "voigt_profile",
    lambda a, b, c: np.real(_voigt_slope(a, b, c)),
    _voigt_width,
    lambda a, b, c: -np.imag(_voigt_slope(a, b, c)),
)

# The normal distribution -----------------------------------------------------------------------------------------

_ROOT_TAU = math.sqrt(2 * math.pi)


def _mills(x: Any) -> Any:
    """The distribution function divided by the density, without underflow."""
    return math.sqrt(math.pi / 2) * sp.erfcx(x * -math.sqrt(0.5))


def _over_mills(x):
    return 1 / _mills(x)


_over_mills = elementwise(_over_mills, lambda x, y: -y * (x + y), name="log_ndtr_slope", casts=True)


def _log_ndtr_slope(x: Any) -> Any:
    """Its own derivative cancels on the left, and that of Mills' ratio is infinite far on the right."""
    if is_complex(x):
        return 1 / _mills(x)
    right = x > 0
    return choose(right, _over_mills(np.where(right, x, 0.0)[()]), 1 / _mills(np.where(right, 0.0, x)[()]))


def _quantile_slope(z: Any) -> Any:
    return _ROOT_TAU * np.exp(0.5 * z * z)


define("ndtr", lambda x: np.exp(-0.5 * x * x) / _ROOT_TAU)
define("log_ndtr", lambda x: _log_ndtr_slope(x))
define("ndtri", lambda y: _quantile_slope(y))
define("ndtri_exp", lambda y: _mills(y))
define(
    "owens_t",
    lambda a, b: np.exp(-0.5 * a * a) * sp.erf(a * b * math.sqrt(0.5)) * (-0.5 / _ROOT_TAU),
    lambda a, b: np.exp(-0.5 * a * a * (1 + b * b)) / (1 + b * b) / (2 * math.pi),
)
define("nrdtrimn", lambda a, b: -b * _quantile_slope(sp.ndtri(a)), lambda a: -sp.ndtri(a), lambda: 1)
define(
    "nrdtrisd",
    lambda b: -1 / sp.ndtri(b),
    lambda b, y: -y * _quantile_slope(sp.ndtri(b)) / sp.ndtri(b),
    lambda b: 1 / sp.ndtri(b),
)
