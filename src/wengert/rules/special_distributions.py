"""Distribution functions of probability and their inverses, by the incomplete gamma and beta functions.

Inverses are differentiated implicitly: where F(y, p) = q, the derivative by q is 1 / F_y, and by p it is -F_p / F_y.
"""

from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.rules import special_shape as shape
from wengert.rules.special_gamma import (
    beta_density,
    betainc_a,
    betainc_b,
    gamma_density,
    gammainc_a,
    implicit,
    psi_rise,
)
from wengert.rules.special_tools import MISSING, define

# Of the gamma family ---------------------------------------------------------------------------------------------


def _chi_density(v: Any, x: Any) -> Any:
    return 0.5 * gamma_density(0.5 * v, 0.5 * x)


def _chi_shape(v: Any, x: Any) -> Any:
    return 0.5 * gammainc_a(0.5 * v, 0.5 * x)


define("chdtr", lambda a, b: _chi_shape(a, b), lambda a, b: _chi_density(a, b))
define("chdtrc", lambda a, b: -_chi_shape(a, b), lambda a, b: -_chi_density(a, b))
define(
    "chdtri",
    lambda g, a, y: implicit(g, _chi_shape(a, y), _chi_density(a, y)),
    lambda g, a, y: -(g / _chi_density(a, y)),
)
define("chdtriv", lambda g, b, y: g / _chi_shape(y, b), lambda g, b, y: -(g * _chi_density(y, b) / _chi_shape(y, b)))

# Operands: rate, shape, and where.
define(
    "gdtr",
    lambda a, b, c: gamma_density(b, a * c) * c,
    lambda a, b, c: gammainc_a(b, a * c),
    lambda a, b, c: gamma_density(b, a * c) * a,
)
define(
    "gdtrc",
    lambda a, b, c: -gamma_density(b, a * c) * c,
    lambda a, b, c: -gammainc_a(b, a * c),
    lambda a, b, c: -gamma_density(b, a * c) * a,
)
define(
    "gdtrix",
    lambda g, a, y: -(g * y / a),
    lambda g, a, b, y: implicit(g, gammainc_a(b, a * y), gamma_density(b, a * y) * a),
    lambda g, a, b, y: g / (gamma_density(b, a * y) * a),
)
define(
    "gdtria",
    lambda g, b, c, y: g / (gamma_density(b, y * c) * c),
    lambda g, b, c, y: -(g * gammainc_a(b, y * c) / gamma_density(b, y * c) / c),
    lambda g, c, y: -(g * y / c),
)
define(
    "gdtrib",
    lambda g, a, c, y: -(g * gamma_density(y, a * c) * c / gammainc_a(y, a * c)),
    lambda g, a, c, y: g / gammainc_a(y, a * c),
    lambda g, a, c, y: -(g * gamma_density(y, a * c) * a / gammainc_a(y, a * c)),
)

# Counts are rounded down, so that the functions are constant between integers.
define("pdtr", lambda: 0, lambda a, b: -gamma_density(np.floor(a) + 1, b))
define("pdtrc", lambda: 0, lambda a, b: gamma_density(np.floor(a) + 1, b))
define("pdtri", None, lambda g, a, y: -(g / gamma_density(np.trunc(a) + 1, y)))
define(
    "pdtrik",
    lambda g, b, y: -(g * (y != 0) / gammainc_a(y + 1, b)),  # what would be less than 0 is 0
    lambda g, b, y: -(g * (y != 0) * gamma_density(y + 1, b) / gammainc_a(y + 1, b)),
)

# Of the beta family ----------------------------------------------------------------------------------------------

define("bdtr", lambda: 0, lambda: 0, lambda a, b, c: -beta_density(np.floor(a) + 1, np.floor(b) - np.floor(a), c))
define("bdtrc", lambda: 0, lambda: 0, lambda a, b, c: beta_density(np.floor(a) + 1, np.floor(b) - np.floor(a), c))
define(
    "bdtri",
    lambda: 0,
    lambda: 0,
    lambda g, a, b, y: -(g / beta_density(np.floor(a) + 1, np.floor(b) - np.floor(a), y)),
)
define("nbdtr", lambda: 0, lambda: 0, lambda a, b, c: beta_density(np.trunc(b), np.trunc(a) + 1, c))
define("nbdtrc", lambda: 0, lambda: 0, lambda a, b, c: -beta_density(np.trunc(b), np.trunc(a) + 1, c))
define("nbdtri", lambda: 0, lambda: 0, lambda g, a, b, y: g / beta_density(np.trunc(b), np.trunc(a) + 1, y))
define(
    "btdtria",
    lambda g, b, c, y: g / betainc_a(y, b, c),
    lambda g, b, c, y: -(g * betainc_b(y, b, c) / betainc_a(y, b, c)),
    lambda g, b, c, y: -(g * beta_density(y, b, c) / betainc_a(y, b, c)),
)
define(
    "btdtrib",
    lambda g, a, c, y: -(g * betainc_a(a, y, c) / betainc_b(a, y, c)),
    lambda g, a, c, y: g / betainc_b(a, y, c),
    lambda g, a, c, y: -(g * beta_density(a, y, c) / betainc_b(a, y, c)),
)


def _f_portion(a: Any, b: Any, x: Any) -> Any:
    return a * x / (a * x + b)


def _f_density(a: Any, b: Any, x: Any) -> Any:
    n = a * x + b
    return beta_density(0.5 * a, 0.5 * b, a * x / n) * (a * b / (n * n))


def _f_shape_a(a: Any, b: Any, x: Any) -> Any:
    return 0.5 * betainc_a(0.5 * a, 0.5 * b, _f_portion(a, b, x)) + _f_density(a, b, x) * x / a


def _f_shape_b(a: Any, b: Any, x: Any) -> Any:
    return 0.5 * betainc_b(0.5 * a, 0.5 * b, _f_portion(a, b, x)) - _f_density(a, b, x) * x / b


define(
    "fdtr",
    lambda a, b, c: _f_shape_a(a, b, c),
    lambda a, b, c: _f_shape_b(a, b, c),
    lambda a, b, c: _f_density(a, b, c),
)
define(
    "fdtrc",
    lambda a, b, c: -_f_shape_a(a, b, c),
    lambda a, b, c: -_f_shape_b(a, b, c),
    lambda a, b, c: -_f_density(a, b, c),
)
define(
    "fdtri",
    lambda g, a, b, y: implicit(g, _f_shape_a(a, b, y), _f_density(a, b, y)),
    lambda g, a, b, y: implicit(g, _f_shape_b(a, b, y), _f_density(a, b, y)),
    lambda g, a, b, y: g / _f_density(a, b, y),
)
define(
    "fdtridfd",
    lambda g, a, c, y: -(g * _f_shape_a(a, y, c) / _f_shape_b(a, y, c)),
    lambda g, a, c, y: g / _f_shape_b(a, y, c),
    lambda g, a, c, y: -(g * _f_density(a, y, c) / _f_shape_b(a, y, c)),
)

# Student's distribution ------------------------------------------------------------------------------------------


def _student_parts(v: Any, t: Any) -> tuple[Any, Any, Any, Any]:
    """Density, and x, 1 - x for x = v / (v + t**2), of which the distribution is an incomplete beta function."""
    t = np.where(t == 0, 1e-100, np.abs(t))
    n = v + t * t
    x, y = v / n, t * t / n
    power = np.exp(shape.log_beta_power(0.5 * v, np.full_like(v, 0.5), x, y))
    return power, t, x, y


def _student_density(v, t):
    def density(v, t):
        power, distance, _, _ = _student_parts(v, t)
        return power / distance

    return shape.computed(density, v, t, line=shape.LINE)


def _stdtr_df(v, t):
    def derivative(v, t):
        power, _, x, y = _student_parts(v, t)
        by_a = shape.beta_shape(0.5 * v, np.full_like(v, 0.5), x, y, "a")
        return -0.5 * np.sign(t) * (0.5 * by_a + power / v)

    return shape.computed(derivative, v, t, line=shape.LINE)


def _stdtr_dfdf(v, t):
    def derivative(v, t):
        half = np.full_like(v, 0.5)
        power, _, x, y = _student_parts(v, t)
        above = shape.log_over_mean(0.5 * v, half, x, y)
        total = 0.25 * shape.beta_shape(0.5 * v, half, x, y, "aa")
        return -0.5 * np.sign(t) * (total + power / v * (above + 0.5 * y - 0.5 * x / v - 1 / v))

    return shape.computed(derivative, v, t)


def _student_score(v: Any, t: Any) -> Any:
    """Derivative of the density's logarithm by the degrees of freedom."""
    square = t * t
    gammas = psi_rise(0.5 * v, 0.5) - 1 / v
    return 0.5 * (gammas - np.log1p(square / v) + (v + 1) * square / (v * (v + square)))


student_density = elementwise(
    _student_density,
    lambda v, t, y: y * _student_score(v, t),
    lambda v, t, y: -y * (v + 1) * t / (v + t * t),
    name="student_density",
    singular=True,
    casts=True,
)
stdtr_dfdf = elementwise(_stdtr_dfdf, MISSING, MISSING, name="stdtr_dfdf")
stdtr_df = elementwise(
    _stdtr_df,
    lambda v, t: stdtr_dfdf(v, t),
    lambda v, t: student_density(v, t) * _student_score(v, t),
    name="stdtr_df",
    singular=True,
    casts=True,
)

define("stdtr", lambda a, b: stdtr_df(a, b), lambda a, b: student_density(a, b))
define(
    "stdtrit",
    lambda g, a, y: -(g * stdtr_df(a, y) / student_density(a, y)),
    lambda g, a, y: g / student_density(a, y),
)
define(
    "stdtridf",
    lambda g, b, y: g / stdtr_df(y, b),
    lambda g, b, y: -(g * student_density(y, b) / stdtr_df(y, b)),
)

# The noncentral chi-squared distribution -------------------------------------------------------------------------


def _noncentral_density(x: Any, v: Any, shift: Any) -> Any:
    half = 0.5 * v - 1
    root = np.sqrt(shift * x)
    falls = np.exp(-0.5 * np.square(np.sqrt(x) - np.sqrt(shift)))
    return 0.5 * falls * np.power(x / shift, 0.5 * half) * sp.ive(half, root)


define(
    "chndtr",
    lambda a, b, c: _noncentral_density(a, b, c),
    MISSING,
    lambda a, b, c: -_noncentral_density(a, b + 2, c),
)
define(
    "chndtrix",
    lambda g, b, c, y: g / _noncentral_density(y, b, c),
    MISSING,
    lambda g, b, c, y: g * _noncentral_density(y, b + 2, c) / _noncentral_density(y, b, c),
)
define(
    "chndtrinc",
    lambda g, a, b, y: g * _noncentral_density(a, b, y) / _noncentral_density(a, b + 2, y),
    MISSING,
    lambda g, a, b, y: -(g / _noncentral_density(a, b + 2, y)),
)
