"""Bessel functions and relatives (DLMF 9 to 11), in their arguments; by the order SciPy has no derivatives."""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import composite, elementwise, primitive
from wengert.protocol import anywhere
from wengert.rules.elementwise import choose, is_complex
from wengert.rules.special_struve import modified_struve0, struve0
from wengert.rules.special_tools import MISSING, define, define_together, safe, series

# Bessel functions of given order: DLMF 10.6.2 and 10.29.1 without divisions, which would cancel at 0 -------------

define("jv", MISSING, lambda a, b: 0.5 * (sp.jv(a - 1, b) - sp.jv(a + 1, b)))
define("yv", MISSING, lambda a, b: 0.5 * (sp.yv(a - 1, b) - sp.yv(a + 1, b)))
define("yn", MISSING, lambda a, b: 0.5 * (sp.yn(np.trunc(a) - 1, b) - sp.yn(np.trunc(a) + 1, b)))
define("iv", MISSING, lambda a, b: 0.5 * (sp.iv(a - 1, b) + sp.iv(a + 1, b)))
define("kv", MISSING, lambda a, b: -0.5 * (sp.kv(a - 1, b) + sp.kv(a + 1, b)))
define("kn", MISSING, lambda a, b: -0.5 * (sp.kv(np.trunc(a) - 1, b) + sp.kv(np.trunc(a) + 1, b)))
define("hankel1", MISSING, lambda a, b: 0.5 * (sp.hankel1(a - 1, b) - sp.hankel1(a + 1, b)))
define("hankel2", MISSING, lambda a, b: 0.5 * (sp.hankel2(a - 1, b) - sp.hankel2(a + 1, b)))
define("hankel1e", MISSING, lambda a, b, y: 0.5 * (sp.hankel1e(a - 1, b) - sp.hankel1e(a + 1, b)) - 1j * y)
define("hankel2e", MISSING, lambda a, b, y: 0.5 * (sp.hankel2e(a - 1, b) - sp.hankel2e(a + 1, b)) + 1j * y)
define("struve", MISSING, lambda a, b, y: _struve_slope(sp.struve, -1, a, b, y))
define("modstruve", MISSING, lambda a, b, y: _struve_slope(sp.modstruve, 1, a, b, y))


def _struve_slope(struve: Any, sign: int, a: Any, b: Any, y: Any) -> Any:
    """DLMF 11.4.23 and 11.4.25, of which the first cancels at 0 and the second far from there."""
    near = np.abs(b) < 1
    if not anywhere(near):
        return struve(a - 1, b) - a * y / b
    small = np.where(near, b, 0.5)
    power = np.power(0.5 * small, a) * sp.rgamma(a + 1.5) / math.sqrt(math.pi)
    return choose(
        near,
        0.5 * (struve(a - 1, small) + sign * struve(a + 1, small) + power),
        struve(a - 1, b) - a * y / safe(near, b),
    )


# Scaled ones -----------------------------------------------------------------------------------------------------
# The factor exp(-|Re z|) or exp(-|Im z|) is no holomorphic function: its part of the cotangent goes by itself.


def _scaled(g: Any, y: Any, slope: Any, steepest: Any) -> Any:
    """`slope` is the scaled derivative of the function alone, `steepest` the factor's gradient divided by it."""
    if is_complex(y):
        return g * np.conjugate(slope) + steepest * np.real(np.conjugate(y) * g)
    return g * (slope + np.real(steepest) * y)


def _along_imaginary(z: Any) -> Any:
    return -1j * np.sign(np.imag(z))


define(
    "jve",
    MISSING,
    lambda g, a, b, y: _scaled(g, y, 0.5 * (sp.jve(a - 1, b) - sp.jve(a + 1, b)), _along_imaginary(b)),
    holomorphic=False,
)
define(
    "yve",
    MISSING,
    lambda g, a, b, y: _scaled(g, y, 0.5 * (sp.yve(a - 1, b) - sp.yve(a + 1, b)), _along_imaginary(b)),
    holomorphic=False,
)

_TERMS = 14


def _far_slope(order: Any, x: Any, sign: int) -> Any:
    """Derivative of the asymptotic series of ``x**-0.5`` and powers of ``sign / x`` (DLMF 10.40.1 and 10.40.2)."""
    square, coefficient, total = 4 * order * order, 1.0, 0.5
    for k in range(1, _TERMS):
        coefficient = coefficient * (square - (2 * k - 1) ** 2) / (8 * k) * sign / x
        total = total + (k + 0.5) * coefficient
    return -total / (x * np.sqrt(x))


def _is_far(order: Any, x: Any) -> Any:
    return np.real(x) > 40 + 2 * order * order


def _scaled_slope(order: Any, x: Any, direct: Any, factor: float, sign: int) -> Any:
    """`direct`, or far out, where it is a difference of nearly equal numbers, the derivative of the series."""
    far = _is_far(order, x)
    return choose(far, factor * _far_slope(order, choose(far, x, np.full_like(x, 1e3)), sign), direct)


def _ive(g, a, b, y):
    neighbours = 0.5 * (sp.ive(a - 1, b) + sp.ive(a + 1, b))
    if is_complex(b):
        return _scaled(g, y, neighbours, -np.sign(np.real(b)))
    mirrored = neighbours - np.sign(b) * y
    return g * _scaled_slope(a, b, mirrored, 1 / math.sqrt(2 * math.pi), -1)


def _kve(a, b, y):
    direct = y - 0.5 * (sp.kve(a - 1, b) + sp.kve(a + 1, b))
    return _scaled_slope(a, b, direct, math.sqrt(math.pi / 2), 1)


define("ive", MISSING, _ive, holomorphic=False)
define("kve", MISSING, _kve)

# Of orders 0 and 1 -----------------------------------------------------------------------------------------------


def _j1_slope(x):
    return np.where(x == 0, 0.5, sp.j0(x) - sp.j1(x) / safe(x == 0, x)).astype(x.dtype)[()]


def _i1_slope(x):
    return np.where(x == 0, 0.5, sp.i0(x) - sp.i1(x) / safe(x == 0, x)).astype(x.dtype)[()]


def _i0e_slope(x):
    direct = sp.i1e(x) - np.sign(x) * sp.i0e(x)
    return (np.sign(x) * _scaled_slope(0, np.abs(x), np.sign(x) * direct, 1 / math.sqrt(2 * math.pi), -1))[()]


def _i1e_slope(x):
    direct = sp.i0e(x) - sp.i1e(x) / safe(x == 0, x) - np.abs(sp.i1e(x))
    direct = choose(x == 0, 0.5, direct)
    return _scaled_slope(1, np.abs(x), direct, 1 / math.sqrt(2 * math.pi), -1)


# Primitives, whose own derivatives need no division by x.
j1_slope = elementwise(_j1_slope, lambda x: 0.25 * (sp.jv(3, x) - 3 * sp.j1(x)), name="j1_slope")
i1_slope = elementwise(_i1_slope, lambda x: 0.25 * (sp.iv(3, x) + 3 * sp.i1(x)), name="i1_slope", singular=True)

define("j0", lambda g, x: -(g * sp.j1(x)))
define("j1", lambda x: j1_slope(x))
define("y0", lambda g, x: -(g * sp.y1(x)))
define("y1", lambda x, y: sp.y0(x) - y / x)
define("i0", lambda x: sp.i1(x))
define("i1", lambda x: i1_slope(x))
define("k0", lambda g, x: -(g * sp.k1(x)))
define("k1", lambda x, y: -sp.k0(x) - y / x)
define("i0e", lambda x: _i0e_slope(x))
define("i1e", lambda x: _i1e_slope(x))
define("k0e", lambda x, y: _scaled_slope(0, x, y - sp.k1e(x), math.sqrt(math.pi / 2), 1))
define("k1e", lambda x, y: _scaled_slope(1, x, y - sp.k0e(x) - y / x, math.sqrt(math.pi / 2), 1))

# Spherical Bessel functions: DLMF 10.51.2 ------------------------------------------------------------------------
# The ufuncs behind `scipy.special.spherical_jn` and its likes, of real arguments not negative.


def _spherical(name: str, below: int, above: int) -> None:
    """``(2n + 1) f_n' = below * n * f_(n-1) + above * (n + 1) * f_(n+1)``, and the same for the derivative's ufunc."""
    function, derivative = getattr(sp._ufuncs, name), getattr(sp._ufuncs, f"{name}_d")

    def slope(of: Any, a: Any, b: Any) -> Any:
        return (below * a * of(np.maximum(a - 1, 0), b) + above * (a + 1) * of(a + 1, b)) / (2 * a + 1)

    define(name, None, lambda a, b: slope(function, a, b))
    define(f"{name}_d", None, lambda a, b: slope(derivative, a, b))


_spherical("_spherical_jn", 1, -1)
_spherical("_spherical_yn", 1, -1)
_spherical("_spherical_in", 1, 1)
_spherical("_spherical_kn", -1, -1)

# Airy functions, Kelvin functions, parabolic cylinder functions: by their differential equations -----------------

define_together("airy", lambda g, x, y: g[0] * y[1] + g[1] * (x * y[0]) + g[2] * y[3] + g[3] * (x * y[2]))

define("ber", lambda x: sp.berp(x))
define("bei", lambda x: sp.beip(x))
define("ker", lambda x: sp.kerp(x))
define("kei", lambda x: sp.keip(x))
define("berp", lambda x, y: -sp.bei(x) - choose(x == 0, 0.0, y / safe(x == 0, x)))
define("beip", lambda x, y: sp.ber(x) - choose(x == 0, 0.5, y / safe(x == 0, x)))
define("kerp", lambda x, y: -sp.kei(x) - y / x)
define("keip", lambda x, y: sp.ker(x) - y / x)


def _kelvin(x):
    return np.stack([part for z in sp.kelvin(x) for part in (z.real, z.imag)])


def _kelvin_rule(g, x, y):
    """From ``ber, bei, ker, kei`` and their derivatives all second derivatives follow."""
    still = x == 0
    ratios = y[4:] / safe(still, x)
    if anywhere(still):
        at_zero = np.reshape(np.array([0.0, 0.5, np.nan, np.nan], x.dtype), (4, *(1,) * x.ndim))
        ratios = np.where(still, at_zero, ratios)
    slopes = np.sum(g[:4] * y[4:], axis=0) - np.sum(g[4:] * ratios, axis=0)
    return slopes - g[4] * y[1] + g[5] * y[0] - g[6] * y[3] + g[7] * y[2]


_kelvin = primitive(
    _kelvin, _kelvin_rule, name="special.kelvin", singular=True, batch=lambda x: np.moveaxis(_kelvin(x), 1, 0)
)


@composite(sp.kelvin)
def kelvin(x):
    """``Be, Ke`` and their derivatives."""
    parts = _kelvin(x)
    return tuple(parts[i] + 1j * parts[i + 1] for i in range(0, 8, 2))


define_together("pbdv", MISSING, lambda g, a, b, y: g[0] * y[1] + g[1] * ((0.25 * b * b - a - 0.5) * y[0]))
define_together("pbvv", MISSING, lambda g, a, b, y: g[0] * y[1] + g[1] * ((0.25 * b * b - a - 0.5) * y[0]))
define_together("pbwa", MISSING, lambda g, a, b, y: g[0] * y[1] + g[1] * ((a - 0.25 * b * b) * y[0]))

# Integrals -------------------------------------------------------------------------------------------------------

define_together("itj0y0", lambda g, x: g[0] * sp.j0(x) + g[1] * sp.y0(x))
define_together("iti0k0", lambda g, x: g[0] * sp.i0(x) + g[1] * sp.k0(x))
define_together("it2j0y0", lambda g, x: g[0] * _less_one(sp.j0, -1, x) - g[1] * (sp.y0(x) / x))
define_together("it2i0k0", lambda g, x: g[0] * _less_one(sp.i0, 1, x) - g[1] * (sp.k0(x) / x))
define_together("itairy", lambda g, x: _itairy(g, sp.airy(x), sp.airy(-x)))
define("itstruve0", lambda x: struve0(x))
define("itmodstruve0", lambda x: modified_struve0(x))
define("it2struve0", lambda x: -struve0(x) / x)


def _less_one(of: Any, sign: int, x: Any) -> Any:
    """``(1 - J0(x)) / x`` or ``(I0(x) - 1) / x``; by the series where the difference would cancel (DLMF 10.2.2)."""
    near = np.abs(x) < 1
    small, far = choose(near, x, np.zeros_like(x)), safe(near, x)
    terms = tuple(sign**k / (4 ** (k + 1) * math.factorial(k + 1) ** 2) for k in range(10))
    return choose(near, small * series(small * small, terms), sign * (of(far) - 1) / far)


def _itairy(g: Any, right: tuple, left: tuple) -> Any:
    return g[0] * right[0] + g[1] * right[2] + g[2] * left[0] + g[3] * left[2]


# Wright's function -----------------------------------------------------------------------------------------------

define("wright_bessel", MISSING, MISSING, lambda a, b, c: sp.wright_bessel(a, a + b, c))
define("log_wright_bessel", MISSING, MISSING, lambda a, b, c, y: np.exp(sp.log_wright_bessel(a, a + b, c) - y))
