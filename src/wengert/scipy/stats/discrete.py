"""Discrete distributions, by SciPy's names and parameters."""

from typing import Any

import numpy as np
import scipy.special as sp

from wengert.protocol import anywhere
from wengert.rules.scipy_stats import LARGE, log_beta_density, log_gamma_density
from wengert.scipy.stats.distribution import INF, Discrete


def _portion(p: Any) -> Any:
    return np.logical_and(p >= 0, p <= 1)


def _chance(p: Any) -> Any:
    return np.logical_and(p > 0, p <= 1)


def _count(n: Any) -> Any:
    return np.logical_and(n >= 0, n == np.floor(n))


def _log_binomial(k: Any, n: Any, p: Any) -> Any:
    if anywhere(n > LARGE):
        return log_beta_density(k + 1, n - k + 1, p) - np.log1p(n)
    ways = sp.gammaln(n + 1) - sp.gammaln(k + 1) - sp.gammaln(n - k + 1)
    return ways + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)


bernoulli = Discrete.of(
    "bernoulli",
    logpmf=lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p),
    cdf=lambda k, p: 1 - p,
    sf=lambda k, p: p,
    entropy=lambda p: sp.entr(p) + sp.entr(1 - p),
    mean=np.positive,
    var=lambda p: p * (1 - p),
    shapes={"p": 0.5},
    ends=(0, 1),
    ordinary=0,
    valid=_portion,
)

binom = Discrete.of(
    "binom",
    logpmf=_log_binomial,
    cdf=lambda k, n, p: sp.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: sp.betainc(k + 1, n - k, p),
    mean=lambda n, p: n * p,
    var=lambda n, p: n * p * (1 - p),
    shapes={"n": 1, "p": 0.5},
    ends=lambda n, p: (0, n),
    ordinary=0,
    valid=lambda n, p: np.logical_and(_count(n), _portion(p)),
    counts=("n",),
)


def _betabinom_var(n: Any, a: Any, b: Any) -> Any:
    whole = a + b
    return n * (a / whole) * (b / whole) * ((whole + n) / (whole + 1))


betabinom = Discrete.of(
    "betabinom",
    logpmf=lambda k, n, a, b: sp.betaln(k + a, n - k + b) - sp.betaln(a, b) - np.log1p(n) - sp.betaln(n - k + 1, k + 1),
    mean=lambda n, a, b: n * (a / (a + b)),
    var=_betabinom_var,
    shapes={"n": 1, "a": 1.0, "b": 1.0},
    ends=lambda n, a, b: (0, n),
    ordinary=0,
    valid=lambda n, a, b: np.logical_and(_count(n), np.logical_and(a > 0, b > 0)),
    counts=("n",),
)

geom = Discrete.of(
    "geom",
    logpmf=lambda k, p: sp.xlog1py(k - 1, -p) + np.log(p),
    cdf=lambda k, p: -np.expm1(sp.xlog1py(k, -p)),
    sf=lambda k, p: np.exp(sp.xlog1py(k, -p)),
    logsf=lambda k, p: sp.xlog1py(k, -p),
    entropy=lambda p: -np.log(p) - sp.xlog1py(1 - p, -p) / p,
    mean=lambda p: 1 / p,
    var=lambda p: (1 - p) / p / p,
    shapes={"p": 0.5},
    ends=(1, INF),
    ordinary=1,
    valid=_chance,
)


def _log_negative_binomial(k: Any, n: Any, p: Any) -> Any:
    # The density of a beta distribution, of which p / (n + k) is taken.
    return log_beta_density(n, k + 1, p) + np.log(p) - np.log(n + k)


nbinom = Discrete.of(
    "nbinom",
    logpmf=_log_negative_binomial,
    cdf=lambda k, n, p: sp.betainc(n, k + 1, p),
    sf=lambda k, n, p: sp.betaincc(n, k + 1, p),
    mean=lambda n, p: n * (1 - p) / p,
    var=lambda n, p: n * (1 - p) / p / p,
    shapes={"n": 1.0, "p": 0.5},
    ends=(0, INF),
    ordinary=0,
    valid=lambda n, p: np.logical_and(n > 0, _chance(p)),
)

poisson = Discrete.of(
    "poisson",
    logpmf=lambda k, mu: log_gamma_density(k + 1, mu),
    cdf=lambda k, mu: sp.gammaincc(k + 1, mu),
    sf=lambda k, mu: sp.gammainc(k + 1, mu),
    mean=np.positive,
    var=np.positive,
    shapes={"mu": 1.0},
    ends=(0, INF),
    ordinary=0,
    valid=lambda mu: mu >= 0,
)
