"""Continuous distributions on the line, intervals and the circle, by SciPy's names and parameters.

Where a logarithm of a probability stands here it is accurate in tails in which the probability itself underflows.
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.protocol import anywhere
from wengert.rules.elementwise import choose
from wengert.rules.scipy_stats import (
    HALF_LOG_TAU,
    gamma_entropy,
    log1p_square,
    log_beta_density,
    log_normal_density,
    log_normal_mass,
    log_rest_of_exp,
    log_skewed_density,
    log_student_density,
    skewed,
    skewed_quantile,
)
from wengert.scipy.stats.distribution import INF, Continuous, beyond, where

LOG_2, LOG_PI = math.log(2), math.log(math.pi)


# Around a centre -------------------------------------------------------------------------------------------------

norm = Continuous.of(
    "norm",
    logpdf=log_normal_density,
    cdf=sp.ndtr,
    logcdf=sp.log_ndtr,
    ppf=sp.ndtri,
    entropy=lambda: HALF_LOG_TAU + 0.5,
    mean=lambda: 0.0,
    var=lambda: 1.0,
    symmetric=True,
)


def _student_entropy(v: Any) -> Any:
    large = v > 100
    w, near = 1 / choose(large, v, 100.0 * np.ones_like(v)), choose(large, np.ones_like(v), v)
    expansion = w * (1 + w * (1 / 4 + w * (-1 / 6 + w * (-1 / 8 + w * (3 / 10 + w / 4)))))
    half = 0.5 * near
    direct = (half + 0.5) * (sp.psi(half + 0.5) - sp.psi(half)) + 0.5 * np.log(near) + sp.betaln(half, 0.5)
    return choose(large, HALF_LOG_TAU + 0.5 + expansion, direct)


t = Continuous.of(
    "t",
    logpdf=lambda x, df: log_student_density(df, x),
    cdf=lambda x, df: sp.stdtr(df, x),
    ppf=lambda q, df: sp.stdtrit(df, q),
    entropy=_student_entropy,
    mean=lambda df: where(df > 1, 0.0, INF),
    var=lambda df: where(df > 1, beyond(2, df, lambda v: 1 / (1 - 2 / v)), np.nan),
    shapes={"df": 1.0},
    symmetric=True,
)


def _cauchy_quantile(q: Any) -> Any:
    low, high = q < 0.25, q > 0.75
    tail = choose(low, q, choose(high, 1 - q, 0.25))
    middle = np.tan(math.pi * choose(np.logical_or(low, high), 0.0, q - 0.5))
    far = 1 / np.tan(math.pi * tail)
    return choose(low, -far, choose(high, far, middle))


cauchy = Continuous.of(
    "cauchy",
    logpdf=lambda x: -LOG_PI - log1p_square(x),
    cdf=lambda x: np.arctan2(np.ones_like(x), -x) / math.pi,
    ppf=_cauchy_quantile,
    entropy=lambda: math.log(4 * math.pi),
    symmetric=True,
)


def _laplace_tail(x: Any) -> tuple[Any, Any]:
    """On which side x lies, and the probability of the tail there."""
    right = x > 0
    return right, 0.5 * np.exp(choose(right, -x, x))


def _laplace_cdf(x: Any) -> Any:
    right, tail = _laplace_tail(x)
    return choose(right, 1 - tail, tail)


def _laplace_logcdf(x: Any) -> Any:
    right, tail = _laplace_tail(x)
    return choose(right, np.log1p(-tail), x - LOG_2)


def _laplace_quantile(q: Any) -> Any:
    right = q > 0.5
    away = np.log(2 * choose(right, 1 - q, q))
    return choose(right, -away, away)


laplace = Continuous.of(
    "laplace",
    logpdf=lambda x: -np.abs(x) - LOG_2,
    cdf=_laplace_cdf,
    logcdf=_laplace_logcdf,
    ppf=_laplace_quantile,
    entropy=lambda: LOG_2 + 1,
    mean=lambda: 0.0,
    var=lambda: 2.0,
    symmetric=True,
)

logistic = Continuous.of(
    "logistic",
    logpdf=lambda x: 2 * (sp.log_expit(x) - 0.5 * x),
    cdf=sp.expit,
    logcdf=sp.log_expit,
    ppf=sp.logit,
    entropy=lambda: 2.0,
    mean=lambda: 0.0,
    var=lambda: math.pi**2 / 3,
    symmetric=True,
)


def _power(x: Any, beta: Any) -> Any:
    """``abs(x)**beta``, with a derivative of 0 at the cusp that there is at 0 for beta < 1."""
    cusp = np.logical_and(x == 0, beta < 1)
    if not anywhere(cusp):
        return np.power(np.abs(x), beta)
    return where(cusp, 0.0, np.power(np.abs(where(cusp, 1.0, x)), beta))


def _log_gennorm_peak(beta: Any) -> Any:
    return np.log(0.5 * beta) - sp.gammaln(1 / beta)


def _gennorm_cdf(x: Any, beta: Any) -> Any:
    # Next to 0 the density is that at 0; beyond, it is a power of x that is looked up.
    near = np.power(np.abs(x), beta) < 1e-17
    z = where(near, 1.0, x)
    tail = 0.5 * sp.gammaincc(1 / beta, np.power(np.abs(z), beta))
    return where(near, 0.5 + np.exp(_log_gennorm_peak(beta)) * where(near, x, 0.0), where(x > 0, 1 - tail, tail))


def _gennorm_quantile(q: Any, beta: Any) -> Any:
    right = q > 0.5
    middle = q == 0.5
    tail = where(middle, 0.25, choose(right, 1 - q, q))
    away = np.power(sp.gammainccinv(1 / beta, 2 * tail), 1 / beta)
    straight = (q - 0.5) * np.exp(-_log_gennorm_peak(beta))
    return where(middle, straight, where(right, away, -away))


gennorm = Continuous.of(
    "gennorm",
    logpdf=lambda x, beta: _log_gennorm_peak(beta) - _power(x, beta),
    cdf=_gennorm_cdf,
    ppf=_gennorm_quantile,
    entropy=lambda beta: 1 / beta - _log_gennorm_peak(beta),
    mean=np.zeros_like,
    var=lambda beta: np.exp(sp.gammaln(3 / beta) - sp.gammaln(1 / beta)),
    shapes={"beta": 1.0},
    symmetric=True,
)

gumbel_r = Continuous.of(
    "gumbel_r",
    logpdf=lambda x: -x - np.exp(-x),
    cdf=lambda x: np.exp(-np.exp(-x)),
    logcdf=lambda x: -np.exp(-x),
    sf=lambda x: -np.expm1(-np.exp(-x)),
    logsf=lambda x: log_rest_of_exp(-x),
    ppf=lambda q: -np.log(-np.log(q)),
    isf=lambda q: -np.log(-np.log1p(-q)),
    entropy=lambda: np.euler_gamma + 1,
    mean=lambda: np.euler_gamma,
    var=lambda: math.pi**2 / 6,
)

gumbel_l = Continuous.of(
    "gumbel_l",
    logpdf=lambda x: x - np.exp(x),
    cdf=lambda x: -np.expm1(-np.exp(x)),
    sf=lambda x: np.exp(-np.exp(x)),
    logcdf=lambda x: log_rest_of_exp(x),
    logsf=lambda x: -np.exp(x),
    ppf=lambda q: np.log(-np.log1p(-q)),
    isf=lambda q: np.log(-np.log(q)),
    entropy=lambda: np.euler_gamma + 1,
    mean=lambda: -np.euler_gamma,
    var=lambda: math.pi**2 / 6,
)


def _skew(a: Any) -> Any:
    return a / np.hypot(1, a)


skewnorm = Continuous.of(
    "skewnorm",
    logpdf=log_skewed_density,
    cdf=skewed,
    sf=lambda x, a: skewed(-x, -a),
    ppf=skewed_quantile,
    isf=lambda q, a: -skewed_quantile(q, -a),
    mean=lambda a: math.sqrt(2 / math.pi) * _skew(a),
    var=lambda a: 1 - 2 / math.pi * np.square(_skew(a)),
    shapes={"a": 0.0},
    valid=np.isfinite,
)


# Parts of a line, and the circle ---------------------------------------------------------------------------------


def _truncated_log(part: Any, rest: Any) -> Any:
    """The logarithm of a probability near 1 by the other tail's."""
    close = part > -0.1
    return choose(close, np.log1p(-np.exp(choose(close, rest, -1.0))), part)


def _truncated_logcdf(x: Any, a: Any, b: Any) -> Any:
    whole = log_normal_mass(a, b)
    return _truncated_log(log_normal_mass(a, x) - whole, log_normal_mass(x, b) - whole)


def _truncated_logsf(x: Any, a: Any, b: Any) -> Any:
    whole = log_normal_mass(a, b)
    return _truncated_log(log_normal_mass(x, b) - whole, log_normal_mass(a, x) - whole)


def _truncated_quantile(log_q: Any, log_p: Any, a: Any, b: Any) -> Any:
    """From whichever end lies where the normal distribution is small; `log_q` belongs to the part from a."""
    whole, left = log_normal_mass(a, b), a < 0
    tail = np.logaddexp(sp.log_ndtr(choose(left, a, -b)), choose(left, log_q, log_p) + whole)
    x = sp.ndtri_exp(tail)
    return choose(left, x, -x)


truncnorm = Continuous.of(
    "truncnorm",
    logpdf=lambda x, a, b: log_normal_density(x) - log_normal_mass(a, b),
    cdf=lambda x, a, b: np.exp(_truncated_logcdf(x, a, b)),
    sf=lambda x, a, b: np.exp(_truncated_logsf(x, a, b)),
    logcdf=_truncated_logcdf,
    logsf=_truncated_logsf,
    ppf=lambda q, a, b: _truncated_quantile(np.log(q), np.log1p(-q), a, b),
    isf=lambda q, a, b: _truncated_quantile(np.log1p(-q), np.log(q), a, b),
    shapes={"a": -1.0, "b": 1.0},
    ends=lambda a, b: (a, b),
    ordinary=lambda a, b: np.minimum(np.maximum(a, 0), b),
    valid=np.less,
)

uniform = Continuous.of(
    "uniform",
    logpdf=np.zeros_like,
    cdf=np.positive,
    sf=lambda x: 1 - x,
    ppf=np.positive,
    isf=lambda q: 1 - q,
    entropy=lambda: 0.0,
    mean=lambda: 0.5,
    var=lambda: 1 / 12,
    ends=(0.0, 1.0),
)

beta = Continuous.of(
    "beta",
    logpdf=lambda x, a, b: log_beta_density(a, b, x),
    cdf=lambda x, a, b: sp.betainc(a, b, x),
    sf=lambda x, a, b: sp.betaincc(a, b, x),
    ppf=lambda q, a, b: sp.betaincinv(a, b, q),
    isf=lambda q, a, b: sp.betainccinv(a, b, q),
    entropy=lambda a, b: gamma_entropy(a) + gamma_entropy(b) - gamma_entropy(a + b) - sp.psi(a + b),
    mean=lambda a, b: a / (a + b),
    var=lambda a, b: a / (a + b) * (b / (a + b)) / (a + b + 1),
    shapes={"a": 1.0, "b": 1.0},
    ends=(0.0, 1.0),
)

vonmises = Continuous.of(
    "vonmises",
    logpdf=lambda x, kappa: kappa * sp.cosm1(x) - 2 * HALF_LOG_TAU - np.log(sp.i0e(kappa)),
    entropy=lambda kappa: 2 * HALF_LOG_TAU + np.log(sp.i0e(kappa)) + kappa * (1 - sp.i1e(kappa) / sp.i0e(kappa)),
    shapes={"kappa": 1.0},
    valid=lambda kappa: kappa >= 0,
)


def _wrapcauchy_logpdf(x: Any, c: Any) -> Any:
    # 1 + c**2 - 2 c cos(x), in squares.
    distance = np.square(1 - c) + 4 * c * np.square(np.sin(0.5 * x))
    return np.log1p(c) + np.log1p(-c) - 2 * HALF_LOG_TAU - np.log(distance)


def _wrapcauchy_angle(sine: Any, cosine: Any, c: Any) -> Any:
    return np.arctan2((1 + c) * sine, (1 - c) * cosine)


def _wrapcauchy_quantile(q: Any, c: Any, sign: int) -> Any:
    # The sine and cosine of pi q, without what rounding pi q would lose.
    sine = np.sin(math.pi * choose(q < 0.5, q, 1 - q))
    return 2 * _wrapcauchy_angle(sine, sign * np.sin(math.pi * (0.5 - q)), -c)


wrapcauchy = Continuous.of(
    "wrapcauchy",
    logpdf=_wrapcauchy_logpdf,
    cdf=lambda x, c: _wrapcauchy_angle(np.sin(0.5 * x), np.cos(0.5 * x), c) / math.pi,
    sf=lambda x, c: _wrapcauchy_angle(np.sin(0.5 * x), -np.cos(0.5 * x), c) / math.pi,
    ppf=lambda q, c: _wrapcauchy_quantile(q, c, 1),
    isf=lambda q, c: _wrapcauchy_quantile(q, c, -1),
    entropy=lambda c: 2 * HALF_LOG_TAU + np.log1p(-c) + np.log1p(c),
    shapes={"c": 0.5},
    ends=(0.0, 2 * math.pi),
    valid=lambda c: np.logical_and(c > 0, c < 1),
)
