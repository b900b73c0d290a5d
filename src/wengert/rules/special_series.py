"""Derivatives of the incomplete gamma and beta functions by their shape parameters, for moderate arguments: by series.

With each term of DLMF 8.7.1 and of DLMF 8.17.7, in its form with the factor ``x**a * (1 - x)**b``, its logarithm's
derivative by the parameter is summed, both by recurrence. All terms are of one sign in the tail that `special_shape`
takes, whose quadrature does the rest of the domain in ten times the time.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln, psi

CHECK = 6
"""After so many terms it is asked whether there are enough."""


def is_gamma_near(a: Any, x: Any) -> Any:
    """Where the function below has nearly all digits: what cancels beyond the mean is as large as ``exp(x)``."""
    return (x > 0) & (a >= 0) & (x < 4) & (a < 12)


def gamma_near(a: Any, x: Any) -> Any:
    """The derivative of P(a, x) by a."""
    log = np.log(x)
    slope = log - psi(a + 1)
    term, place = np.ones_like(x), a + 1
    total = np.array(slope)
    for k in range(1, 200):
        less = 1 / place
        slope -= less
        less *= x
        term *= less
        total += term * slope
        place += 1
        if k % CHECK == 0 and not np.any(term * np.abs(slope) > 1e-17 * np.abs(total)):
            break
    log *= a
    return np.exp(log - x - gammaln(a + 1)) * total


def beta_tail(a: Any, b: Any, x: Any, y: Any) -> tuple:
    """Where the function below has nearly all digits, and whether it takes the left tail.

    On its side of the mean the terms of a tail have one sign. For parameters near 1 the other tail is as good, if its
    series is the shorter one: little cancels there.
    """
    moderate = (x > 0) & (y > 0) & (a > 0) & (b > 0.02) & (a < 20) & (b < 20)
    left = x * b < y * a
    within = np.where(left, x, y)
    other = (within > 0.5) & (np.maximum(a, b) < 5) & (np.minimum(a, b) > 0.1)
    return moderate & ((within < 0.6) | other), left ^ other


def beta_near(a: Any, b: Any, x: Any, y: Any, left: Any) -> Any:
    """The derivative of I_x(a, b) by a, from the left tail or, with the other sign, from the right one."""
    p, z, falls = np.where(left, a, b), np.where(left, x, y), left.astype(float)
    whole, log = a + b, np.log(x)
    above, place = np.array(whole), p + 1
    slope = log + (psi(whole) - psi(a + falls))
    term, total = np.ones_like(x), np.array(slope)
    for k in range(1, 400):
        less = 1 / place
        more = z * above
        more *= less
        term *= more
        less *= falls
        slope -= less
        np.reciprocal(above, out=less)
        slope += less
        np.multiply(term, slope, out=less)
        total += less
        place += 1
        above += 1
        if k % CHECK == 0 and not np.any(np.abs(less) > 1e-17 * np.abs(total)):
            break
    power = np.exp(a * log + b * np.log(y) + gammaln(whole) - gammaln(a) - gammaln(b)) / p
    return np.where(left, power, -power) * total
