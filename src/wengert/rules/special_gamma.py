"""Gamma functions and relatives (DLMF 5), incomplete gamma and beta functions (DLMF 8), and their inverses."""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise, without_gradient
from wengert.protocol import anywhere, everywhere
from wengert.rules import special_shape as shape
from wengert.rules.elementwise import choose, is_complex
from wengert.rules.special_tools import MISSING, define, safe, series

# Polygamma functions ---------------------------------------------------------------------------------------------


def _trigamma(x: Any) -> Any:
    """Of positive numbers, by `SHIFT` steps of the recurrence and the asymptotic series (DLMF 5.15.5 and 5.15.8).

    SciPy's zeta function takes sixty times as long as its digamma.
    """
    y = np.zeros_like(x)
    for k in range(SHIFT):
        step = x + k
        step *= step
        y += np.reciprocal(step, out=step)
    inverse = 1 / (x + SHIFT)
    square = inverse * inverse
    return y + (inverse + 0.5 * square + inverse * square * series(square, TRIGAMMA))


SHIFT = 10
TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""Bernoulli numbers of even order."""


def _complex_polygamma(x: Any, order: int) -> Any:
    """By Euler and Maclaurin's formula for the zeta function (DLMF 25.11.28), which SciPy has of real numbers only."""
    s, steps = order + 1, 16 + order + int(np.ceil(max(0, -np.min(np.real(x), initial=0))))
    z = np.asarray(x, np.clongdouble if x.dtype == np.clongdouble else complex)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = sum((z + k) ** -s for k in range(steps))
    z = z + steps
    term, square = z**-s, 1 / (z * z)
    y = y + z * term / order + 0.5 * term
    term = term * s / z
    for k, bernoulli in enumerate(TRIGAMMA, 1):
        y = y + bernoulli / math.factorial(2 * k) * term
        term = term * ((s + 2 * k - 1) * (s + 2 * k)) * square
    return ((-1) ** (order + 1) * math.factorial(order) * y).astype(x.dtype)[()]


def polygamma_of(x, order=1):
    if is_complex(x):
        return _complex_polygamma(x, order)
    if order == 1 and everywhere(x > 0):
        return shape.computed(_trigamma, x, line=shape.LINE)
    # By the zeta function: scipy.special.polygamma would compute digamma as well.
    return ((-1) ** (order + 1) * math.factorial(order)) * sp.zeta(order + 1, x)


polygamma_of = elementwise(
    polygamma_of, lambda x, order: polygamma_of(x, order=order + 1), name="polygamma", singular=True
)
"""The derivative of that order of digamma."""

define("psi", lambda x: polygamma_of(x, order=1))
define("_zeta", MISSING, lambda a, b: -a * sp.zeta(a + 1, b))


def _psi_rise(a, d):
    def rise(a, d):
        y = sp.psi(a + d) - sp.psi(a)
        # Little cancels there if the rise is steep.
        flat = (a > 0) & (a + d > 0) & ((a > 16) | (np.abs(d) < 0.2 * a))
        if flat.any():
            y[flat] = shape.psi_rise(a[flat], d[flat])
        return y

    return shape.computed(rise, a, d, line=shape.LINE)


psi_rise = elementwise(
    _psi_rise,
    lambda a, d: polygamma_of(a + d) - polygamma_of(a),
    lambda a, d: polygamma_of(a + d),
    name="psi_rise",
    singular=True,
    casts=True,
)

# Gamma functions -------------------------------------------------------------------------------------------------


def _psi_over_gamma(x: Any) -> Any:
    """``psi(x) / gamma(x)``, which is finite where psi is not."""
    if is_complex(x):
        return sp.psi(x) * sp.rgamma(x)
    nearest = np.rint(x)
    pole = np.logical_and(x <= 0, x == nearest)
    if not anywhere(pole):
        return sp.psi(x) * sp.rgamma(x)
    # There by reflection (DLMF 5.5.3), so that its own derivatives are right, too.
    sign, angle, opposite = 1 - 2 * np.remainder(nearest, 2), math.pi * (x - nearest), 1 - np.where(pole, x, 0.0)
    reflected = sign * sp.gamma(opposite) * (sp.psi(opposite) * np.sin(angle) / math.pi - np.cos(angle))
    regular = np.where(pole, 1.0, x)
    return choose(pole, reflected, sp.psi(regular) * sp.rgamma(regular))


define("gamma", lambda x, y: y * sp.psi(x))
define("gammaln", lambda x: sp.psi(x))
define("loggamma", lambda x: sp.psi(x))
define("rgamma", lambda g, x: -(g * _psi_over_gamma(x)))
without_gradient(sp.gammasgn)

define("beta", lambda a, b, y: -y * psi_rise(a, b), lambda a, b, y: -y * psi_rise(b, a))
define("betaln", lambda a, b: -psi_rise(a, b), lambda a, b: -psi_rise(b, a))
define("poch", lambda a, b, y: y * psi_rise(a, b), lambda a, b, y: y * sp.psi(a + b))


def _binom_rule(a, b, y, top):
    """Derivative of gamma(a + 1) / gamma(b + 1) / gamma(a - b + 1) by a (`top`) or b."""
    rest = a - b + 1
    if top:
        regular = y * psi_rise(rest, b)
    else:
        regular = -y * psi_rise(rest, 2 * b - a)
    if not anywhere(y == 0):
        return regular
    # Where the coefficient is zero one of the reciprocal gamma functions is, and its derivative is not.
    over_a = sp.gamma(a + 1)
    by_rest = over_a * sp.rgamma(b + 1) * _psi_over_gamma(rest)
    by_b = over_a * sp.rgamma(rest) * _psi_over_gamma(b + 1)
    return choose(y == 0, -by_rest if top else by_rest - by_b, regular)


define("binom", lambda a, b, y: _binom_rule(a, b, y, True), lambda a, b, y: _binom_rule(a, b, y, False))

# Incomplete gamma functions --------------------------------------------------------------------------------------


def _gamma_density(a, x):
    def density(a, x):
        y = np.exp(shape.log_gamma_power(a, x)) * (a / x)
        return np.where(x == 0, np.where(a < 1, np.inf, np.where(a == 1, 1.0, 0.0)), np.where(x == np.inf, 0.0, y))

    return shape.computed(density, a, x, line=shape.LINE)


def _gammainc_a(a, x):
    return shape.computed(lambda a, x: shape.gamma_shape(a, x, 1), a, x, line=shape.LINE)


def _gammainc_aa(a, x):
    return shape.computed(lambda a, x: shape.gamma_shape(a, x, 2), a, x)


def _log_over_gamma_mean(a, x):
    return np.log(x) - sp.psi(a)


def _times_log_over_mean(density, a, x):
    """The density's derivative by the parameter; where it is 0 the logarithm may be infinite."""
    return density * _log_over_gamma_mean(a, safe(density == 0, x))


def _gamma_density_slope(a, x, y):
    origin = x == 0
    if not anywhere(origin):
        return y * ((a - 1) / x - 1)
    start = np.where(a > 1, gamma_density(a - 1, x), np.where(a == 1, -1.0, -np.inf))
    return choose(origin, start, y * ((a - 1) / safe(origin, x) - 1))


def implicit(g, by_parameter, density):
    """The cotangent of an inverse's parameter: at the ends, where none matters, 0 also where the density is 0."""
    nothing = by_parameter == 0
    return -(g * np.where(nothing, 0.0, by_parameter) / safe(nothing, density))


gamma_density = elementwise(
    _gamma_density,
    lambda a, x, y: _times_log_over_mean(y, a, x),
    lambda a, x, y: _gamma_density_slope(a, x, y),
    name="gamma_density",
    singular=True,
    casts=True,
)
"""``x**(a - 1) * exp(-x) / gamma(a)``."""
gammainc_a = elementwise(
    _gammainc_a,
    lambda a, x: gammainc_aa(a, x),
    lambda a, x: _times_log_over_mean(gamma_density(a, x), a, x),
    name="gammainc_a",
    singular=True,
    casts=True,
)
gammainc_aa = elementwise(
    _gammainc_aa,
    MISSING,
    lambda a, x: gamma_density(a, x) * (np.square(_log_over_gamma_mean(a, x)) - polygamma_of(a)),
    name="gammainc_aa",
    singular=True,
    casts=True,
)

define("gammainc", lambda a, b: gammainc_a(a, b), lambda a, b: gamma_density(a, b))
define("gammaincc", lambda a, b: -gammainc_a(a, b), lambda a, b: -gamma_density(a, b))
define(
    "gammaincinv",
    lambda g, a, y: implicit(g, gammainc_a(a, y), gamma_density(a, y)),
    lambda g, a, y: g / gamma_density(a, y),
)
define(
    "gammainccinv",
    lambda g, a, y: implicit(g, gammainc_a(a, y), gamma_density(a, y)),
    lambda g, a, y: -(g / gamma_density(a, y)),
)

# Incomplete beta functions ---------------------------------------------------------------------------------------


def _beta_density(a, b, x):
    def density(a, b, x):
        y = np.exp(shape.log_beta_power(a, b, x, 1 - x)) / x / (1 - x)
        y = np.where(x == 0, np.where(a < 1, np.inf, np.where(a == 1, b, 0.0)), y)
        return np.where(x == 1, np.where(b < 1, np.inf, np.where(b == 1, a, 0.0)), y)

    return shape.computed(density, a, b, x, line=shape.LINE)


def _betainc_a(a, b, x):
    return shape.computed(lambda a, b, x: shape.beta_shape(a, b, x, 1 - x, "a"), a, b, x, line=shape.LINE)


def _betainc_b(a, b, x):
    return shape.computed(lambda a, b, x: -shape.beta_shape(b, a, 1 - x, x, "a"), a, b, x, line=shape.LINE)


def _betainc_aa(a, b, x):
    return shape.computed(lambda a, b, x: shape.beta_shape(a, b, x, 1 - x, "aa"), a, b, x)


def _betainc_ab(a, b, x):
    return shape.computed(lambda a, b, x: shape.beta_shape(a, b, x, 1 - x, "ab"), a, b, x)


def _betainc_bb(a, b, x):
    return shape.computed(lambda a, b, x: -shape.beta_shape(b, a, 1 - x, x, "aa"), a, b, x)


def _of_a(a, b, x):
    return np.log(x) + psi_rise(a, b)


def _of_b(a, b, x):
    return sp.log1p(-x) + psi_rise(b, a)


def _inside(density, x):
    """Where the density is 0 the logarithms may be infinite: anything else between 0 and 1."""
    return np.where(density == 0, 0.5, x)


def _beta_density_slope(a, b, x, y):
    left, right = x == 0, x == 1
    if not anywhere(left | right):
        return y * ((a - 1) / x - (b - 1) / (1 - x))
    inner = np.where(left | right, 0.5, x)
    slope = y * ((a - 1) / inner - (b - 1) / (1 - inner))
    n = a + b - 1
    start = np.where(a > 1, n * beta_density(a - 1, b, x), np.where(a == 1, (1 - b) * b, -np.inf))
    end = np.where(b > 1, -n * beta_density(a, b - 1, x), np.where(b == 1, (a - 1) * a, np.inf))
    return choose(left, start, choose(right, end, slope))


beta_density = elementwise(
    _beta_density,
    lambda a, b, x, y: y * _of_a(a, b, _inside(y, x)),
    lambda a, b, x, y: y * _of_b(a, b, _inside(y, x)),
    lambda a, b, x, y: _beta_density_slope(a, b, x, y),
    name="beta_density",
    singular=True,
    casts=True,
)
"""``x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)``."""


def _density_times(factor, a, b, x):
    density = beta_density(a, b, x)
    return density * factor(a, b, _inside(density, x))


betainc_a = elementwise(
    _betainc_a,
    lambda a, b, x: betainc_aa(a, b, x),
    lambda a, b, x: betainc_ab(a, b, x),
    lambda a, b, x: _density_times(_of_a, a, b, x),
    name="betainc_a",
    singular=True,
    casts=True,
)
betainc_b = elementwise(
    _betainc_b,
    lambda a, b, x: betainc_ab(a, b, x),
    lambda a, b, x: betainc_bb(a, b, x),
    lambda a, b, x: _density_times(_of_b, a, b, x),
    name="betainc_b",
    singular=True,
    casts=True,
)


def _second(function: Any, name: str, factor: Any) -> Any:
    """A second derivative by parameters, of which derivatives by x are left, but none by parameters."""
    return elementwise(
        function,
        MISSING,
        MISSING,
        lambda a, b, x: beta_density(a, b, x) * factor(_of_a(a, b, x), _of_b(a, b, x), a, b),
        name=name,
        singular=True,
        casts=True,
    )


betainc_aa = _second(_betainc_aa, "betainc_aa", lambda p, q, a, b: p * p - polygamma_of(a) + polygamma_of(a + b))
betainc_ab = _second(_betainc_ab, "betainc_ab", lambda p, q, a, b: p * q + polygamma_of(a + b))
betainc_bb = _second(_betainc_bb, "betainc_bb", lambda p, q, a, b: q * q - polygamma_of(b) + polygamma_of(a + b))

define(
    "betainc",
    lambda a, b, c: betainc_a(a, b, c),
    lambda a, b, c: betainc_b(a, b, c),
    lambda a, b, c: beta_density(a, b, c),
)
define(
    "betaincc",
    lambda a, b, c: -betainc_a(a, b, c),
    lambda a, b, c: -betainc_b(a, b, c),
    lambda a, b, c: -beta_density(a, b, c),
)
define(
    "betaincinv",
    lambda g, a, b, y: implicit(g, betainc_a(a, b, y), beta_density(a, b, y)),
    lambda g, a, b, y: implicit(g, betainc_b(a, b, y), beta_density(a, b, y)),
    lambda g, a, b, y: g / beta_density(a, b, y),
)
define(
    "betainccinv",
    lambda g, a, b, y: implicit(g, betainc_a(a, b, y), beta_density(a, b, y)),
    lambda g, a, b, y: implicit(g, betainc_b(a, b, y), beta_density(a, b, y)),
    lambda g, a, b, y: -(g / beta_density(a, b, y)),
)
