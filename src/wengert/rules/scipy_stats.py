"""Pieces of log-densities and distribution functions in which ordinary compositions would lose digits.

The densities of the gamma and beta families are differences of terms that grow with the parameters. Where these are
large the terms are taken together in Loader's way (Fast and Accurate Computation of Binomial Probabilities, 2000), on
which `special_shape` is built; elsewhere the usual compositions are as good, and faster.
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.protocol import anywhere
from wengert.rules import special  # noqa: F401  registers the rules of the ufuncs
from wengert.rules import special_shape as shape
from wengert.rules.elementwise import choose
from wengert.rules.special_gamma import psi_rise
from wengert.rules.special_tools import safe

HALF_LOG_TAU = shape.HALF_LOG_TAU
LARGE = 100.0
"""From here on parameters are large."""
TINY = 1e-300
"""Down to here quotients are finite."""


def _ratio(p: Any, x: Any) -> Any:
    """``p / x``, the derivative of ``p * log(x)``, and 0 where both are."""
    return p / safe(np.logical_and(p == 0, x == 0), x)


# Logarithms that start with a power ------------------------------------------------------------------------------


def _log1p_less(x):
    return shape.computed(lambda x: shape._log_less_linear(x, 1 + x, np.ones_like(x)), x)


log1p_less = elementwise(_log1p_less, lambda x: -x / (1 + x), name="log1p_less", singular=True, casts=True)
"""``log(1 + x) - x``."""


def log_rest_of_exp(w: Any) -> Any:
    """``log(1 - exp(-exp(w)))``, accurate on both sides."""
    left = w < 0
    near, far = np.exp(choose(left, w, -1.0)), np.exp(choose(left, 1.0, w))
    return choose(left, w + np.log(sp.exprel(-near)), np.log1p(-np.exp(-far)))


# The gamma family ------------------------------------------------------------------------------------------------


def _log_gamma_density(a, x):
    def value(a, x):
        edge = sp.xlogy(a - 1, x) - x - sp.gammaln(a)
        return np.where(x > TINY * a, shape.log_gamma_power(a, x) + np.log(a / x), edge)

    return shape.computed(value, a, x)


_log_gamma_density = elementwise(
    _log_gamma_density,
    lambda a, x: np.log(x) - sp.psi(a),
    lambda a, x: _ratio(a - 1, x) - 1,
    name="log_gamma_density",
    singular=True,
    casts=True,
)


def log_gamma_density(a: Any, x: Any) -> Any:
    """``log(x**(a - 1) * exp(-x) / gamma(a))``."""
    if anywhere(a > LARGE):
        return _log_gamma_density(a, x)
    return sp.xlogy(a - 1, x) - x - sp.gammaln(a)


# The beta family -------------------------------------------------------------------------------------------------


def _log_beta_density(a, b, u, v):
    def value(a, b, u, v):
        edge = sp.xlogy(a - 1, u) + sp.xlogy(b - 1, v) - sp.betaln(a, b)
        return np.where((u > TINY) & (v > TINY), shape.log_beta_power(a, b, u, v) - np.log(u) - np.log(v), edge)

    return shape.computed(value, a, b, u, v)


_log_beta_density = elementwise(
    _log_beta_density,
    lambda a, b, u: np.log(u) + psi_rise(a, b),
    lambda a, b, v: np.log(v) + psi_rise(b, a),
    lambda a, u: _ratio(a - 1, u),
    lambda b, v: _ratio(b - 1, v),
    name="log_beta_density",
    singular=True,
    casts=True,
)


def log_beta_density(a: Any, b: Any, u: Any, v: Any = None) -> Any:
    """``log(u**(a - 1) * v**(b - 1) / beta(a, b))``; the operand v is 1 - u, given where that would cancel."""
    if anywhere(a + b > LARGE):
        return _log_beta_density(a, b, u, 1 - u if v is None else v)
    rest = sp.xlog1py(b - 1, -u) if v is None else sp.xlogy(b - 1, v)
    return sp.xlogy(a - 1, u) + rest - sp.betaln(a, b)


# Student's distribution ------------------------------------------------------------------------------------------

_HALF_STEP = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224)
_SMALLEST = 15.0


def _log_half_step(a: Any) -> Any:
    """``log(gamma(a + 1/2) / gamma(a)) - log(a) / 2``, from the difference of DLMF 5.11.8's expansions."""
    large = a >= _SMALLEST
    near = choose(large, np.ones_like(a), a)
    direct = sp.gammaln(near + 0.5) - sp.gammaln(near) - 0.5 * np.log(near)
    if not anywhere(large):
        return direct
    inverse = 1 / choose(large, a, np.full_like(a, _SMALLEST))
    square, total = inverse * inverse, _HALF_STEP[-1]
    for c in _HALF_STEP[-2::-1]:
        total = total * square + c
    return choose(large, total * inverse, direct)


def log1p_square(x: Any) -> Any:
    """``log(1 + x**2)``, for large x as well."""
    far = np.abs(x) > 1e8
    if not anywhere(far):
        return np.log1p(x * x)
    near = choose(far, np.zeros_like(x), x)
    return choose(far, 2 * np.log(np.abs(choose(far, x, np.ones_like(x)))), np.log1p(near * near))


def log_student_density(v: Any, t: Any) -> Any:
    """The log-density with v degrees of freedom; infinitely many are the normal distribution."""
    v = np.minimum(v, np.finfo(v.dtype).max / 8)
    constant = _log_half_step(0.5 * v) - HALF_LOG_TAU
    s = t / np.sqrt(v)
    power = -0.5 * (v + 1) * log1p_square(s)
    close = np.logical_and(v > LARGE, np.abs(s) < 0.5)
    if not anywhere(close):
        return constant + power
    # log1p(u) = u + log1p_less(u): of the first term nothing is left to cancel by v.
    u, w = choose(close, t, np.zeros_like(s)), choose(close, v, np.ones_like(s))
    less = -0.5 * u * u * (1 + 1 / w) - 0.5 * (w + 1) * log1p_less(u / w * u)
    return constant + choose(close, less, power)


# The normal distribution -----------------------------------------------------------------------------------------


def log_normal_density(x: Any) -> Any:
    return -0.5 * x * x - HALF_LOG_TAU


def _mass(low, high):
    """One tail is subtracted from another on the side where they are small, or, of narrow intervals, integrated."""
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    tail = sp.log_ndtr(high)
    apart = tail + np.log(-np.expm1(sp.log_ndtr(low) - tail))
    around = 0.5 * (sp.erf(high * math.sqrt(0.5)) - sp.erf(low * math.sqrt(0.5)))
    around = np.where(around < 0.5, np.log(around), np.log1p(-sp.ndtr(low) - sp.ndtr(-high)))
    width = high - low
    narrow = width * (np.abs(high) + width) < 1
    s = np.where(narrow, width, 0) * shape.NODES
    integral = np.sum(shape.WEIGHTS * np.exp(s * (np.where(narrow, high, 0) - 0.5 * s)), axis=0)
    slim = log_normal_density(high) + np.log(np.where(narrow, width, 1) * integral)
    return np.where(narrow, slim, np.where(high > 0, around, apart))


def _share(x: Any, log_mass: Any) -> Any:
    """The density divided by the mass; infinite ends have none."""
    far = np.isinf(x)
    x = choose(far, np.ones_like(x), x)
    return choose(far, np.zeros_like(x), np.exp(log_normal_density(x) - log_mass))


log_normal_mass = elementwise(
    lambda a, b: shape.computed(_mass, a, b),
    lambda a, y: -_share(a, y),
    lambda b, y: _share(b, y),
    name="log_normal_mass",
    singular=True,
    casts=True,
)
"""``log(ndtr(b) - ndtr(a))`` for a < b."""


def log_skewed_density(x: Any, a: Any) -> Any:
    return math.log(2) + log_normal_density(x) + sp.log_ndtr(a * x)


def _skewed_by_shape(x: Any, a: Any) -> Any:
    square = 1 + a * a
    return np.exp(-0.5 * x * x * square) / square * (-1 / math.pi)


def _skewed(x, a):
    return shape.computed(_skewed_probability, x, a)


def _skewed_probability(x: Any, a: Any) -> Any:
    """``ndtr(x) - 2 owens_t(x, a)``; for positive a, where that would cancel, in ways that do not.

    By Owen's equation (Annals of Mathematical Statistics 27, 1956, 2.3) T(h, a) is exchanged for T(a h, 1 / a); and
    where that cancels as well the integral is T's from a to infinity.
    """
    s, h = np.where(a > 0, a, 1.0), np.minimum(np.abs(x), 1e100)
    core, other = sp.erf(h * math.sqrt(0.5)), 2 * sp.owens_t(s * h, 1 / s)
    right, left = core * sp.ndtr(s * h) + other, other - core * sp.ndtr(-s * h)
    far = (s * h > 1) & (x < 0)
    h = np.where(far, h, 1.0)
    reach = 80 / (h * h)
    v = shape.NODES * (end := reach / (s + np.sqrt(s * s + reach)))
    falls = np.exp(-0.5 * h * h * v * (2 * s + v)) / (1 + (s + v) * (s + v))
    tail = np.exp(-0.5 * h * h * (1 + s * s)) / math.pi * end * np.sum(shape.WEIGHTS * falls, axis=0)
    positive = np.where(x >= 0, right, np.where(far, tail, left))
    direct = (a <= 0) | ((a <= 1) & (x < 0) & ~far)
    return np.where(direct, sp.ndtr(x) - 2 * sp.owens_t(x, a), positive)


def _skewed_quantile(q, a):
    from scipy.stats import skewnorm

    return np.asarray(skewnorm.ppf(q, a), np.result_type(q, a))[()]


skewed = elementwise(
    _skewed,
    lambda x, a: np.exp(log_skewed_density(x, a)),
    lambda x, a: _skewed_by_shape(x, a),
    name="skewed_normal",
    casts=True,
)
"""The distribution function of the skewed normal distribution."""
skewed_quantile = elementwise(
    _skewed_quantile,
    lambda g, a, y: g / np.exp(log_skewed_density(y, a)),
    lambda g, a, y: -(g * _skewed_by_shape(y, a) / np.exp(log_skewed_density(y, a))),
    name="skewed_normal_quantile",
    singular=True,
    casts=True,
)


# Entropies -------------------------------------------------------------------------------------------------------

_GAMMA_ENTROPY = (-1 / 3, -1 / 12, -1 / 90, 1 / 120, 1 / 210, -1 / 252)


def gamma_entropy(a: Any) -> Any:
    """``a + gammaln(a) + (1 - a) * psi(a)``, for large a by the expansions DLMF 5.11.1 and 5.11.2."""
    large = a > LARGE
    near = choose(large, np.ones_like(a), a)
    direct = near + sp.gammaln(near) + (1 - near) * sp.psi(near)
    if not anywhere(large):
        return direct
    far = choose(large, a, np.full_like(a, LARGE))
    total = 0.0
    for c in _GAMMA_ENTROPY[::-1]:
        total = (total + c) / far
    return choose(large, 0.5 * np.log(far) + (HALF_LOG_TAU + 0.5) + total, direct)
