"""Distribution functions behind tests: noncentral t and F, Smirnov's, and counts solved for; with their inverses.

Inverses are differentiated implicitly: where F(y, p) = q, the derivative by q is 1 / F_y, and by p it is -F_p / F_y.
"""

from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.rules.special_gamma import beta_density, betainc_a, betainc_b
from wengert.rules.special_tools import MISSING, define

# The noncentral t distribution -----------------------------------------------------------------------------------
# With S the root of chi-squared over its degrees of freedom and M(k) the mean of ``S**k * phi(t * S - shift)``, the
# density is M(1), the derivative by the shift is -M(0), and those of M(k) are of the same form. M(2) is the density
# of one more degree of freedom; the others follow by partial integration: with a = t**2 + v,
# ``a * M(k + 2) = (v + k) * M(k) + shift * t * M(k + 1)``.


def _t_density(v, shift, t):
    return sp._ufuncs._nct_pdf(t, v, shift)


def _t_mean2(v: Any, shift: Any, t: Any) -> Any:
    grows = np.sqrt((v + 1) / v)
    return np.sqrt(2 / v) * sp.poch(0.5 * v, 0.5) * grows * nct_density(v + 1, shift, t * grows)


def _t_density_slope(v: Any, shift: Any, t: Any, y: Any) -> Any:
    mean2 = _t_mean2(v, shift, t)
    mean3 = ((v + 1) * y + t * shift * mean2) / (v + t * t)
    return shift * mean2 - t * mean3


nct_density = elementwise(
    _t_density,
    MISSING,
    lambda v, shift, t, y: t * _t_mean2(v, shift, t) - shift * y,
    lambda v, shift, t, y: _t_density_slope(v, shift, t, y),
    name="nct_density",
    singular=True,
    casts=True,
)


def _t_shift(v: Any, shift: Any, t: Any) -> Any:
    return (t * shift * nct_density(v, shift, t) - (v + t * t) * _t_mean2(v, shift, t)) / v


if hasattr(sp._ufuncs, "_nct_pdf"):
    define("nctdtr", MISSING, lambda a, b, c: _t_shift(a, b, c), lambda a, b, c: nct_density(a, b, c))
    define(
        "nctdtrit",
        MISSING,
        lambda g, a, b, y: -(g * _t_shift(a, b, y) / nct_density(a, b, y)),
        lambda g, a, b, y: g / nct_density(a, b, y),
    )
    define(
        "nctdtrinc",
        MISSING,
        lambda g, a, c, y: g / _t_shift(a, y, c),
        lambda g, a, c, y: -(g * nct_density(a, y, c) / _t_shift(a, y, c)),
    )

# The noncentral F distribution -----------------------------------------------------------------------------------
# A mean of beta distributions of ``x = m * f / (m * f + n)`` with a first parameter ``m / 2 + j``, j of a Poisson
# distribution with mean shift / 2, so that the derivative by the shift is half the step to ``m + 2``.


def _f_density(m, n, shift, f):
    return sp._ufuncs._ncf_pdf(f, m, n, shift)


def _f_next(m: Any, n: Any, shift: Any, f: Any) -> Any:
    """The density in f of the distribution with m + 2, at the same x."""
    shrinks = m / (m + 2)
    return shrinks * ncf_density(m + 2, n, shift, f * shrinks)


def _f_density_slope(m: Any, n: Any, shift: Any, f: Any, y: Any) -> Any:
    above = m * f + n
    own = (0.5 * m - 1) / f - (0.5 * n + 1 + 0.5 * m - 1) * m / above
    return y * own + _f_next(m, n, shift, f) * (0.5 * shift * n / (f * above))


ncf_density = elementwise(
    _f_density,
    MISSING,
    MISSING,
    lambda m, n, shift, f, y: 0.5 * (_f_next(m, n, shift, f) - y),
    lambda m, n, shift, f, y: _f_density_slope(m, n, shift, f, y),
    name="ncf_density",
    singular=True,
    casts=True,
)


def _f_shift(m: Any, n: Any, shift: Any, f: Any) -> Any:
    return 0.5 * (sp.ncfdtr(m + 2, n, shift, f * (m / (m + 2))) - sp.ncfdtr(m, n, shift, f))


if hasattr(sp._ufuncs, "_ncf_pdf"):
    define(
        "ncfdtr",
        MISSING,
        MISSING,
        lambda a, b, c, d: _f_shift(a, b, c, d),
        lambda a, b, c, d: ncf_density(a, b, c, d),
    )
    define(
        "ncfdtri",
        MISSING,
        MISSING,
        lambda g, a, b, c, y: -(g * _f_shift(a, b, c, y) / ncf_density(a, b, c, y)),
        lambda g, a, b, c, y: g / ncf_density(a, b, c, y),
    )
    define(
        "ncfdtrinc",
        MISSING,
        MISSING,
        lambda g, a, b, d, y: g / _f_shift(a, b, y, d),
        lambda g, a, b, d, y: -(g * ncf_density(a, b, y, d) / _f_shift(a, b, y, d)),
    )

# Counts of the binomial distributions, solved for: k + 1 and n - k are parameters of the beta distribution --------
# bdtrik(p, n, x) has I(1 - x; n - k, k + 1) = p, nbdtrik(p, n, x) has I(x; n, k + 1) = p.


def _at_least(y: Any) -> Any:
    """0 where the result is one that is not solved for."""
    return np.where(y > 0, 1.0, 0.0)


define(
    "nbdtrik",
    lambda g, b, c, y: g * _at_least(y) / betainc_b(b, y + 1, c),
    lambda g, b, c, y: -(g * _at_least(y) * betainc_a(b, y + 1, c) / betainc_b(b, y + 1, c)),
    lambda g, b, c, y: -(g * _at_least(y) * beta_density(b, y + 1, c) / betainc_b(b, y + 1, c)),
)
define(
    "nbdtrin",
    lambda g, a, c, y: -(g * betainc_b(y, a + 1, c) / betainc_a(y, a + 1, c)),
    lambda g, a, c, y: g / betainc_a(y, a + 1, c),
    lambda g, a, c, y: -(g * beta_density(y, a + 1, c) / betainc_a(y, a + 1, c)),
)


def _binomial_n(k: Any, n: Any, x: Any) -> Any:
    return betainc_a(n - k, k + 1, 1 - x)


def _binomial_k(k: Any, n: Any, x: Any) -> Any:
    return betainc_b(n - k, k + 1, 1 - x) - betainc_a(n - k, k + 1, 1 - x)


define(
    "bdtrik",
    lambda g, b, c, y: g * _at_least(y) / _binomial_k(y, b, c),
    lambda g, b, c, y: -(g * _at_least(y) * _binomial_n(y, b, c) / _binomial_k(y, b, c)),
    lambda g, b, c, y: g * _at_least(y) * beta_density(b - y, y + 1, 1 - c) / _binomial_k(y, b, c),
)
define(
    "bdtrin",
    lambda g, a, c, y: -(g * _binomial_k(a, y, c) / _binomial_n(a, y, c)),
    lambda g, a, c, y: g / _binomial_n(a, y, c),
    lambda g, a, c, y: g * beta_density(y - a, a + 1, 1 - c) / _binomial_n(a, y, c),
)

# Smirnov's distribution of the largest deviation, by the number of points (rounded down) and the deviation --------


def _smirnov_slope(n, d):
    return sp._ufuncs._smirnovp(n, d)


def _falling(x: Any, count: int) -> Any:
    """``x * (x - 1) ...``, so many factors."""
    product = 1.0
    for i in range(count):
        product = product * (x - i)
    return product


def _smirnov_high(n, d, order=2):
    """A derivative of ``d * sum(binom(n, j) * (d + j / n)**(j - 1) * (1 - d - j / n)**(n - j))``, by Leibniz' rule."""
    n, d = np.broadcast_arrays(np.trunc(n), np.asarray(d, float))
    total = np.zeros(d.shape)
    for j in range(int(np.max(n, initial=0)) + 1):
        a, b = d + j / n, 1 - d - j / n
        used = (b > 0) & (n >= j)
        a, b, p, q = np.where(used, a, 1.0), np.where(used, b, 1.0), j - 1, np.where(used, n - j, 0.0)

        def derivative(of, a=a, b=b, p=p, q=q):
            parts = (
                sp.binom(of, i) * _falling(p, of - i) * a ** (p - of + i) * (-1) ** i * _falling(q, i) * b ** (q - i)
                for i in range(of + 1)
            )
            return sum(parts)

        weight = np.exp(sp.gammaln(n + 1) - sp.gammaln(j + 1) - sp.gammaln(q + 1))
        total += np.where(used, weight * (d * derivative(order) + order * derivative(order - 1)), 0.0)
    return total[()]


smirnov_high = elementwise(
    _smirnov_high,
    None,
    lambda n, d, order: smirnov_high(n, d, order=order + 1),
    name="smirnov_high",
    singular=True,
    casts=True,
)
smirnov_slope = elementwise(
    _smirnov_slope, None, lambda n, d: smirnov_high(n, d, order=2), name="smirnov_slope", singular=True, casts=True
)
define("smirnov", None, lambda a, b: smirnov_slope(a, b))
define("smirnovi", None, lambda g, a, y: g / smirnov_slope(a, y))
