"""Continuous distributions of positive numbers, by SciPy's names and parameters."""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.rules.elementwise import choose
from wengert.rules.scipy_stats import (
    HALF_LOG_TAU,
    gamma_entropy,
    log_beta_density,
    log_gamma_density,
    log_normal_density,
    log_rest_of_exp,
)
from wengert.scipy.stats.continuous import LOG_2, beta
from wengert.scipy.stats.distribution import INF, Continuous, beyond

ROOT_2 = math.sqrt(2)
POSITIVE = (0.0, INF)

expon = Continuous.of(
    "expon",
    logpdf=np.negative,
    cdf=lambda x: -np.expm1(-x),
    sf=lambda x: np.exp(-x),
    logcdf=lambda x: log_rest_of_exp(np.log(x)),
    logsf=np.negative,
    ppf=lambda q: -np.log1p(-q),
    isf=lambda q: -np.log(q),
    entropy=lambda: 1.0,
    mean=lambda: 1.0,
    var=lambda: 1.0,
    ends=POSITIVE,
)

gamma = Continuous.of(
    "gamma",
    logpdf=lambda x, a: log_gamma_density(a, x),
    cdf=lambda x, a: sp.gammainc(a, x),
    sf=lambda x, a: sp.gammaincc(a, x),
    ppf=lambda q, a: sp.gammaincinv(a, q),
    isf=lambda q, a: sp.gammainccinv(a, q),
    entropy=gamma_entropy,
    mean=np.positive,
    var=np.positive,
    shapes={"a": 1.0},
    ends=POSITIVE,
)

chi2 = Continuous.of(
    "chi2",
    logpdf=lambda x, df: log_gamma_density(0.5 * df, 0.5 * x) - LOG_2,
    cdf=lambda x, df: sp.gammainc(0.5 * df, 0.5 * x),
    sf=lambda x, df: sp.gammaincc(0.5 * df, 0.5 * x),
    ppf=lambda q, df: 2 * sp.gammaincinv(0.5 * df, q),
    isf=lambda q, df: 2 * sp.gammainccinv(0.5 * df, q),
    entropy=lambda df: gamma_entropy(0.5 * df) + LOG_2,
    mean=np.positive,
    var=lambda df: 2 * df,
    shapes={"df": 1.0},
    ends=POSITIVE,
)

invgamma = Continuous.of(
    "invgamma",
    logpdf=lambda x, a: log_gamma_density(a, np.minimum(1 / x, np.finfo(x.dtype).max)) - 2 * np.log(x),
    cdf=lambda x, a: sp.gammaincc(a, 1 / x),
    sf=lambda x, a: sp.gammainc(a, 1 / x),
    ppf=lambda q, a: 1 / sp.gammainccinv(a, q),
    isf=lambda q, a: 1 / sp.gammaincinv(a, q),
    entropy=lambda a: gamma_entropy(a) - 2 * sp.psi(a),
    mean=lambda a: beyond(1, a, lambda p: 1 / (p - 1)),
    var=lambda a: beyond(2, a, lambda p: 1 / np.square(p - 1) / (p - 2)),
    shapes={"a": 1.0},
    ends=POSITIVE,
    closed=False,
)


def _f_logpdf(x: Any, n: Any, m: Any) -> Any:
    # x = m u / (n (1 - u)), where u has a beta distribution.
    r = n * x / m
    rest = 1 / (1 + r)
    return log_beta_density(0.5 * n, 0.5 * m, r * rest, rest) + np.log(n / m) + 2 * np.log(rest)


def _f_ratio(u: Any, rest: Any, n: Any, m: Any) -> Any:
    return u / rest * (m / n)


def _f_entropy(n: Any, m: Any) -> Any:
    a, b = 0.5 * n, 0.5 * m
    return beta.standard["entropy"](a, b) + np.log(m / n) - 2 * (sp.psi(b) - sp.psi(a + b))


f = Continuous.of(
    "f",
    logpdf=_f_logpdf,
    cdf=lambda x, n, m: sp.fdtr(n, m, x),
    sf=lambda x, n, m: sp.fdtrc(n, m, x),
    ppf=lambda q, n, m: _f_ratio(sp.betaincinv(0.5 * n, 0.5 * m, q), sp.betainccinv(0.5 * m, 0.5 * n, q), n, m),
    isf=lambda q, n, m: _f_ratio(sp.betainccinv(0.5 * n, 0.5 * m, q), sp.betaincinv(0.5 * m, 0.5 * n, q), n, m),
    entropy=_f_entropy,
    mean=lambda n, m: beyond(2, m, lambda p: p / (p - 2)),
    var=lambda n, m: beyond(4, m, lambda p: 2 * np.square(p / (p - 2)) * (1 / n + (1 - 2 / n) / p) * p / (p - 4)),
    shapes={"dfn": 1.0, "dfd": 1.0},
    ends=POSITIVE,
)

lognorm = Continuous.of(
    "lognorm",
    logpdf=lambda x, s: log_normal_density(np.log(x) / s) - np.log(x) - np.log(s),
    cdf=lambda x, s: sp.ndtr(np.log(x) / s),
    sf=lambda x, s: sp.ndtr(-np.log(x) / s),
    logcdf=lambda x, s: sp.log_ndtr(np.log(x) / s),
    logsf=lambda x, s: sp.log_ndtr(-np.log(x) / s),
    ppf=lambda q, s: np.exp(s * sp.ndtri(q)),
    isf=lambda q, s: np.exp(-s * sp.ndtri(q)),
    entropy=lambda s: HALF_LOG_TAU + 0.5 + np.log(s),
    mean=lambda s: np.exp(0.5 * s * s),
    var=lambda s: np.expm1(s * s) * np.exp(s * s),
    shapes={"s": 1.0},
    ends=POSITIVE,
    closed=False,
)

pareto = Continuous.of(
    "pareto",
    logpdf=lambda x, b: np.log(b) - (b + 1) * np.log(x),
    cdf=lambda x, b: -np.expm1(-b * np.log(x)),
    sf=lambda x, b: np.power(x, -b),
    logsf=lambda x, b: -b * np.log(x),
    ppf=lambda q, b: np.exp(-np.log1p(-q) / b),
    isf=lambda q, b: np.power(q, -1 / b),
    entropy=lambda b: 1 + 1 / b - np.log(b),
    mean=lambda b: beyond(1, b, lambda p: p / (p - 1)),
    var=lambda b: beyond(2, b, lambda p: p / np.square(p - 1) / (p - 2)),
    shapes={"b": 1.0},
    ends=(1.0, INF),
    ordinary=2.0,
)


def _weibull_var(c: Any) -> Any:
    return sp.gamma(1 + 2 / c) - np.square(sp.gamma(1 + 1 / c))


weibull_min = Continuous.of(
    "weibull_min",
    logpdf=lambda x, c: np.log(c) + sp.xlogy(c - 1, x) - np.power(x, c),
    cdf=lambda x, c: -np.expm1(-np.power(x, c)),
    sf=lambda x, c: np.exp(-np.power(x, c)),
    logcdf=lambda x, c: log_rest_of_exp(c * np.log(x)),
    logsf=lambda x, c: -np.power(x, c),
    ppf=lambda q, c: np.power(-np.log1p(-q), 1 / c),
    isf=lambda q, c: np.power(-np.log(q), 1 / c),
    entropy=lambda c: np.euler_gamma * (1 - 1 / c) - np.log(c) + 1,
    mean=lambda c: sp.gamma(1 + 1 / c),
    var=_weibull_var,
    shapes={"c": 1.0},
    ends=POSITIVE,
)

rayleigh = Continuous.of(
    "rayleigh",
    logpdf=lambda x: np.log(x) - 0.5 * x * x,
    cdf=lambda x: -np.expm1(-0.5 * x * x),
    sf=lambda x: np.exp(-0.5 * x * x),
    logcdf=lambda x: log_rest_of_exp(2 * np.log(x) - LOG_2),
    logsf=lambda x: -0.5 * x * x,
    ppf=lambda q: np.sqrt(-2 * np.log1p(-q)),
    isf=lambda q: np.sqrt(-2 * np.log(q)),
    entropy=lambda: np.euler_gamma / 2 + 1 - LOG_2 / 2,
    mean=lambda: math.sqrt(math.pi / 2),
    var=lambda: 2 - math.pi / 2,
    ends=POSITIVE,
    closed=False,
)


def _halfnorm_logsf(x: Any) -> Any:
    near = x < 1
    return choose(near, np.log1p(-sp.erf(choose(near, x, 0.0) / ROOT_2)), sp.log_ndtr(-x) + LOG_2)


halfnorm = Continuous.of(
    "halfnorm",
    logpdf=lambda x: log_normal_density(x) + LOG_2,
    cdf=lambda x: sp.erf(x / ROOT_2),
    sf=lambda x: sp.erfc(x / ROOT_2),
    logsf=_halfnorm_logsf,
    ppf=lambda q: ROOT_2 * sp.erfinv(q),
    isf=lambda q: ROOT_2 * sp.erfcinv(q),
    entropy=lambda: HALF_LOG_TAU + 0.5 - LOG_2,
    mean=lambda: math.sqrt(2 / math.pi),
    var=lambda: 1 - 2 / math.pi,
    ends=POSITIVE,
)
