"""Exponentials, logarithms, powers, entropies, and integrals of elementary functions (DLMF 4, 6, 25.12)."""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import without_gradient
from wengert.rules.elementwise import choose
from wengert.rules.special_tools import define, define_together, safe, series

# Exponentials and logarithms -------------------------------------------------------------------------------------

define("exp2", lambda y: math.log(2) * y)
define("exp10", lambda y: math.log(10) * y)
define("expm1", lambda x: np.exp(x))
define("log1p", lambda g, x: g / (1 + x))
define("cosm1", lambda g, x: -(g * np.sin(x)))
define("cbrt", lambda g, y: g / (3 * y * y))
define("expit", lambda x, y: y * sp.expit(-x))
define("log_expit", lambda x: sp.expit(-x))
define("logit", lambda g, x: g / (x * (1 - x)))
define("xlogy", lambda b: np.log(b), lambda g, a, b: _ratio(g, a, b))
define("xlog1py", lambda b: sp.log1p(b), lambda g, a, b: _ratio(g, a, 1 + b))
define("powm1", lambda a, b: b * np.power(a, b - 1), lambda a, b: np.power(a, b) * np.log(a))


def _ratio(g: Any, a: Any, b: Any) -> Any:
    """``g * a / b``, and 0 where both a and b are."""
    nothing = np.logical_and(a == 0, b == 0)
    return choose(nothing, np.zeros_like(g), g * (a / safe(nothing, b)))


def _exprel_slope(x: Any) -> Any:
    """Derivative of ``(exp(x) - 1) / x``; by its series where the difference would cancel."""
    near = np.abs(x) < 0.5
    small, far = choose(near, x, np.zeros_like(x)), safe(near, x)
    powers = series(small, tuple((k + 1) / math.factorial(k + 2) for k in range(15)))
    return choose(near, powers, (np.exp(far) - sp.exprel(far)) / far)


def _log1prel_slope(u: Any) -> Any:
    """Derivative of ``log(1 + u) / u``; by its series where the difference would cancel."""
    near = np.abs(u) < 0.1
    small, far = choose(near, u, np.zeros_like(u)), safe(near, u)
    powers = series(small, tuple((-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(18)))
    return choose(near, powers, (far / (1 + far) - sp.log1p(far)) / (far * far))


define("exprel", _exprel_slope)
define("boxcox", lambda a, b: np.power(a, b - 1), lambda a, b: _boxcox_power(a, np.log, b))
define("boxcox1p", lambda a, b: np.exp((b - 1) * sp.log1p(a)), lambda a, b: _boxcox_power(a, sp.log1p, b))
define("inv_boxcox", lambda a, b, y: y / (1 + a * b), lambda a, b, y: y * a * a * _log1prel_slope(a * b))
define("inv_boxcox1p", lambda a, b, y: (1 + y) / (1 + a * b), lambda a, b, y: (1 + y) * a * a * _log1prel_slope(a * b))


def _boxcox_power(x: Any, logarithm: Any, power: Any) -> Any:
    """Where the logarithm is infinite the value is -1 / power."""
    end = (x == (0 if logarithm is np.log else -1)) & (power > 0)
    log = logarithm(safe(end, x))
    return choose(end, 1 / (power * power), log * log * _exprel_slope(power * log))


# Degrees ---------------------------------------------------------------------------------------------------------

_DEGREE = math.pi / 180

define("sindg", lambda x: _DEGREE * sp.cosdg(x))
define("cosdg", lambda x: -_DEGREE * sp.sindg(x))
define("tandg", lambda y: _DEGREE * (1 + y * y))
define("cotdg", lambda y: -_DEGREE * (1 + y * y))
define("radian", lambda: _DEGREE, lambda: _DEGREE / 60, lambda: _DEGREE / 3600)

# Entropies and losses --------------------------------------------------------------------------------------------


def _log_quotient(a: Any, b: Any) -> Any:
    return choose(np.abs(a - b) < 0.5 * b, sp.log1p((a - b) / b), np.log(a) - np.log(b))


define("entr", lambda x: -np.log(x) - 1)
define("rel_entr", lambda a, b: _log_quotient(a, b) + 1, lambda g, a, b: -(g * a / b))
define("kl_div", lambda a, b: _log_quotient(a, b), lambda g, a, b: g * (b - a) / b)
# Operands: the width delta, and the residual.
define(
    "huber",
    lambda a, b: np.maximum(np.abs(b) - a, 0),
    lambda a, b: np.minimum(np.maximum(b, -a), a),
)
define(
    "pseudo_huber",
    lambda a, b: _pseudo_huber_width(a, b / a),
    lambda a, b: b / np.hypot(1, b / a),
)


def _pseudo_huber_width(delta: Any, u: Any) -> Any:
    s = np.hypot(1, u)
    # s - 1, without cancellation.
    less = u * (u / (1 + s))
    return delta * (less * (less / s))


# Integrals -------------------------------------------------------------------------------------------------------

define("exp1", lambda g, x: -(g * np.exp(-x) / x))
define("expi", lambda g, x: g * np.exp(x) / x)


def _expn(a, b):
    a = np.trunc(a)  # as SciPy does
    # E_0(x) = exp(-x) / x is where SciPy stops.
    first = a == 0
    below = sp.expn(np.where(first, 0, a - 1)[()], b)
    return -choose(first, np.exp(-b) * (1 + b) / (b * b), below)


define("expn", None, _expn)
define("spence", lambda x: choose(x == 1, -1.0, np.log(safe(x == 1, x)) / safe(x == 1, 1 - x)))


def _integral_rule(sine: Any, cosine: Any) -> Any:
    """Of a pair, the second of which is infinite at 0, where it does not matter if nothing asks for it."""

    def rule(g, x):
        origin = x == 0
        first = g[0] * choose(origin, 1.0, sine(x) / safe(origin, x))
        return first + g[1] * cosine(x) / safe(origin & (g[1] == 0), x)

    return rule


define_together("sici", _integral_rule(np.sin, np.cos))
define_together("shichi", _integral_rule(np.sinh, np.cosh))
define("wrightomega", lambda g, y: g * y / (1 + y))
# Operands: z, the branch (an integer) and the tolerance. `lambertw` itself is a Python function around this ufunc.
define("_lambertw", lambda g, y: g * np.exp(-y) / (1 + y), None, None)
define("round", lambda: 0)
without_gradient(*(f for f in (getattr(sp, name, None) for name in ("gammasgn",)) if f is not None))


# Kolmogorov's distribution ---------------------------------------------------------------------------------------


def _kolmogorov_density(x: Any) -> Any:
    """Of the limiting distribution, by whichever of two theta series converges faster (DLMF 20.7.32)."""
    low = np.abs(x) < 1
    far, near = choose(low, np.ones_like(x), x), choose(low, x, np.ones_like(x))
    tail = sum((-1) ** (k + 1) * 8 * k * k * far * np.exp(-2 * k * k * far * far) for k in range(1, 6))
    body = 0
    for k in (1, 3, 5, 7):
        c = (k * math.pi) ** 2 / 8
        body = body + (2 * c / (near * near) - 1) * np.exp(-c / (near * near))
    return choose(low, math.sqrt(2 * math.pi) / (near * near) * body, tail)


define("kolmogorov", lambda x: -choose(x <= 0, 0.0, _kolmogorov_density(safe(x <= 0, x))))
define("kolmogi", lambda g, y: -(g / _kolmogorov_density(y)))
