"""The distributions of `scipy.stats`, recording: densities, distribution functions, quantiles, entropies and moments.

They have SciPy's names, parameters and conventions, and derivatives by the point *and* by every parameter. What is
not here, names and methods, is SciPy's own, which refuses recorded values. Unlike there, float32 stays float32 (and
integers do not promote it).

Examples
--------
>>> import numpy as np, wengert as wg
>>> from wengert.scipy import stats
>>> data = np.array([0.5, 1.0, 3.0])
>>> def loss(a, scale):
...     return -stats.gamma.logpdf(data, a, scale=scale).sum()
>>> a, scale = wg.tensor(2.0, requires_grad=True), wg.tensor(0.75, requires_grad=True)
>>> loss(a, scale).backward()
>>> float(scale.grad)
0.0
>>> float(stats.norm.logcdf(wg.tensor(-40.0)))
-804.608442013753...
"""

from typing import Any

import scipy.stats as _stats

from wengert.scipy.stats.continuous import (
    beta,
    cauchy,
    gennorm,
    gumbel_l,
    gumbel_r,
    laplace,
    logistic,
    norm,
    skewnorm,
    t,
    truncnorm,
    uniform,
    vonmises,
    wrapcauchy,
)
from wengert.scipy.stats.discrete import bernoulli, betabinom, binom, geom, nbinom, poisson
from wengert.scipy.stats.distribution import Continuous, Discrete, Distribution, Frozen
from wengert.scipy.stats.multivariate import dirichlet, multinomial, multivariate_normal
from wengert.scipy.stats.positive import (
    chi2,
    expon,
    f,
    gamma,
    halfnorm,
    invgamma,
    lognorm,
    pareto,
    rayleigh,
    weibull_min,
)

__all__ = [
    "Continuous", "Discrete", "Distribution", "Frozen", "bernoulli", "beta", "betabinom", "binom", "cauchy", "chi2",
    "dirichlet", "expon", "f", "gamma", "gennorm", "geom", "gumbel_l", "gumbel_r", "halfnorm", "invgamma", "laplace",
    "logistic", "lognorm", "multinomial", "multivariate_normal", "nbinom", "norm", "pareto", "poisson", "rayleigh",
    "skewnorm", "t", "truncnorm", "uniform", "vonmises", "weibull_min", "wrapcauchy",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    return getattr(_stats, name)


def __dir__() -> list[str]:
    return sorted({*dir(_stats), *__all__})
