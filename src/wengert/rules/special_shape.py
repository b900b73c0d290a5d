"""Derivatives of the incomplete gamma and beta functions by their shape parameters.

By a parameter the density of a distribution changes as ``p(t) (log t - E log t)``, and so its distribution function as
the integral of that, over either tail (the integral over everything is 0). On one side of ``exp(E log t)`` the
integrand has one sign: the tail that lies on that side is taken, and nothing cancels. In the variable w = log t (gamma)
or w = log(t / (1 - t)) (beta) the density is log-concave and analytic, for all parameters, so that Gauss and
Legendre's nodes from the edge to where it has fallen by ``exp(-REACH)`` give nearly all digits. A tail falls slowly,
as ``exp(a w)``, for small parameters: these are first raised by the recurrences DLMF 8.8.5 and 8.17.20, whose terms
are of the same sign. First derivatives have a relative error below 1e-12, second ones, where terms cancel, 1e-6.

Compare Moore, Algorithm AS 187 (Applied Statistics 31, 1982), and Boik and Robinson-Cox (Journal of Statistical
Software 3(1), 1998), whose series and continued fractions lose digits, or do not end, in parts of the domain.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import gammaln, psi, zeta

from wengert.errors import MissingRuleError
from wengert.protocol import anywhere
from wengert.rules.special_series import beta_near, beta_tail, gamma_near, is_gamma_near

REACH = 40.0
LEAST = 2.0
"""Parameters below are raised."""
BLOCK, LINE = 1024, 4096
"""How many numbers are worked on at a time, in quadratures and elsewhere."""
MODERATE = 12.0
"""Parameters up to which logarithms of densities may be summed as they are."""
_nodes, _weights = np.polynomial.legendre.leggauss(32)
NODES, WEIGHTS = 0.5 + 0.5 * _nodes[:, None], 0.5 * _weights[:, None]
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
LOG_LESS_PSI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)
HALF_LOG_TAU = 0.9189385332046727


def computed(function: Callable, *operands: Any, line: int = BLOCK) -> Any:
    """`function` of lines of doubles, in blocks that stay in the cache; the result in the operands' shape and dtype."""
    dtype = np.result_type(*operands)
    if dtype.kind == "c":
        raise MissingRuleError(
            f"[special] real operands were required for a derivative that is computed by quadrature or series; received"
            f" {dtype}; differentiate by the real and the imaginary part, or with real operands"
        )
    arrays = np.broadcast_arrays(*(np.asarray(x, float) for x in operands))
    lines = [x.ravel() for x in arrays]
    y = np.empty(lines[0].size)
    with np.errstate(all="ignore"):
        for start in range(0, y.size, line):
            part = slice(start, start + line)
            y[part] = function(*(x[part] for x in lines))
    return y.reshape(arrays[0].shape).astype(dtype if dtype.kind == "f" else float)[()]


def _apart(mask: Any, operands: tuple, otherwise: Callable, function: Callable) -> Any:
    """`function` where the mask is true, and `otherwise` where it is not."""
    y = np.empty(mask.shape)
    for part, of in ((mask, function), (~mask, otherwise)):
        y[part] = of(*(x[part] for x in operands))
    return y


# Pieces ----------------------------------------------------------------------------------------------------------


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    y = coefficients[-1]
    for c in coefficients[-2::-1]:
        y = y * x + c
    return y


def stirling_error(a: Any) -> Any:
    """What Stirling's formula for log gamma(a) leaves (DLMF 5.11.1)."""
    large = a >= 15
    far, near = np.where(large, a, 15.0), np.where(large, 15.0, a)
    exact = gammaln(near) - (near - 0.5) * np.log(near) + near - HALF_LOG_TAU
    return np.where(large, _horner(STIRLING, 1 / (far * far)) / far, exact)


def log_less_psi(a: Any) -> Any:
    """``log(a) - psi(a)`` (DLMF 5.11.2)."""
    large = a >= 15
    far, near = np.where(large, a, 15.0), np.where(large, 15.0, a)
    return np.where(large, 0.5 / far + _horner(LOG_LESS_PSI, 1 / (far * far)) / (far * far), np.log(near) - psi(near))


def psi_rise(a: Any, d: Any) -> Any:
    """``psi(a + d) - psi(a)`` to nearly all digits, for positive a and a + d."""
    if anywhere(d < 0):
        return np.where(d < 0, -1.0, 1.0) * psi_rise(np.where(d < 0, a + d, a), np.abs(d))
    total, a = np.zeros_like(a), np.array(a)
    for _ in range(int(np.clip(np.ceil(16 - np.nanmin(a, initial=16)), 0, 16))):
        step = a + d
        step *= a
        total += np.divide(d, step, out=step)
        a += 1
    return total + np.log1p(d / a) + _rise_beyond_log(a, d)


def _rise_beyond_log(a: Any, d: Any) -> Any:
    """``psi(a + d) - psi(a) - log((a + d) / a)``, from differences of the powers of 1 / a in DLMF 5.11.2."""
    u, v = 1 / a, 1 / (a + d)
    less = d * u * v
    s, t = u * u, v * v
    rest = 1 / 12 - (s + t) / 120 + (s * s + s * t + t * t) / 252 - (s + t) * (s * s + t * t) / 240
    return less * (0.5 + (u + v) * rest)


def _log_ratio(d: Any, whole: Any, a: Any) -> Any:
    """``log(whole / a)`` where ``whole = a + d``, accurate where d is small."""
    return np.where(np.abs(d) < 0.5 * a, np.log1p(d / a), np.log(whole / a))


def _log_less_linear(d: Any, whole: Any, a: Any) -> Any:
    """``a * (log1p(d / a) - d / a)`` with ``whole = a + d``: the exponent of a density, without cancellation."""
    r = np.where(np.abs(d) < 0.4 * a, d / a, 0.0)
    h = r / (2 + r)
    square = h * h
    # log1p(r) = 2 artanh(h), and r - 2 h = r h.
    odd = _horner(tuple(2 / k for k in range(3, 37, 2)), square) * square * h
    return np.where(np.abs(d) < 0.4 * a, a * (odd - r * h), a * np.log(whole / a) - d)


def _reach(exponent: Callable, steep: Callable, slope: Any, bend: Any, cap: Any) -> Any:
    """Where a convex function has come to REACH, or just beyond; `steep` is its derivative."""
    v = np.minimum(2 * REACH / (slope + np.sqrt(slope * slope + 2 * REACH * bend)), cap)
    for _ in range(5):
        step = (exponent(v) - REACH) / steep(v)
        v = np.where(np.isfinite(step), np.clip(v - step, 0, cap), v)
    return v


# Incomplete gamma function ---------------------------------------------------------------------------------------


def log_gamma_power(a: Any, x: Any) -> Any:
    """``log(x**a * exp(-x) / gamma(a + 1))``."""
    if a.size and a.max() < MODERATE and a.min() > 0 and x.max() < MODERATE:
        return a * np.log(x) - x - gammaln(a + 1)
    safe = np.maximum(a, 1.0)
    far = _log_less_linear(x - safe, x, safe) - HALF_LOG_TAU - 0.5 * np.log(safe) - stirling_error(safe)
    return np.where(a >= 1, far, np.where(a == 0, 0, a * np.log(x)) - x - gammaln(a + 1))


def gamma_shape(a: Any, x: Any, order: int) -> Any:
    """Derivative of P(a, x) by a, the first or the second."""
    if order == 1:
        near = is_gamma_near(a, x)
        if near.all():
            return gamma_near(a, x)
        if near.any():
            return _apart(near, (a, x), lambda a, x: gamma_shape(a, x, 1), gamma_near)
    return computed(lambda a, x: _gamma_shape(a, x, order), a, x)


def _gamma_shape(a: Any, x: Any, order: int) -> Any:
    """The same by quadrature."""
    raised = a + np.maximum(np.ceil(LEAST - a), 0)
    left = _log_ratio(x - raised, x, raised) + log_less_psi(raised) < 0
    y = np.empty_like(x)
    for side, part in ((_gamma_left, left), (_gamma_right, ~left)):
        if part.any():
            y[part] = side(a[part], x[part], order)
    y = np.where((x == 0) | (x == np.inf), 0.0, y)
    return np.where((a >= 0) & (x >= 0), y, np.nan)


def _bend_gamma(deviation: Any, a: Any, order: int) -> Any:
    """What the density's derivatives by a have besides the density."""
    return deviation if order == 1 else deviation * deviation - zeta(2.0, a)


def _gamma_left(a: Any, x: Any, order: int) -> Any:
    total = np.zeros_like(x)
    for _ in range(int(LEAST)):
        small = a < LEAST
        deviation = np.log(x) - psi(a + 1)
        total += np.where(small, np.exp(log_gamma_power(a, x)) * _bend_gamma(deviation, a + 1, order), 0)
        a = np.where(small, a + 1, a)

    def exponent(v):
        return (a - x) * v + _exp_less_linear(-v, x)

    v = NODES * (end := _reach(exponent, lambda v: a - x * np.exp(-v), a - x, x, (REACH + x) / a))
    deviation = _log_ratio(x - a, x, a) + log_less_psi(a) - v
    integral = end * np.sum(WEIGHTS * np.exp(-exponent(v)) * _bend_gamma(deviation, a, order), axis=0)
    return total + a * np.exp(log_gamma_power(a, x)) * integral


def _gamma_right(a: Any, x: Any, order: int) -> Any:
    slope = x - a
    cap = 2 * REACH / (slope + np.sqrt(slope * slope + 2 * REACH * x))
    for _ in range(2):
        cap = np.minimum(cap, np.log1p((REACH + a * cap) / x))
    v = NODES * cap
    # psi(a) itself is infinite at 0: a * psi(a) = a * psi(a + 1) - 1.
    small = a < LEAST
    safe = np.where(small, LEAST, a)
    deviation = np.where(
        small, a * (np.log(x) - psi(a + 1)) + 1, safe * (_log_ratio(x - safe, x, safe) + log_less_psi(safe))
    )
    times_a = deviation + a * v
    if order == 2:
        times_a = np.where(a > 0, times_a * times_a / a - a * zeta(2.0, a), np.nan)
    falls = np.exp(slope * -v - _exp_less_linear(v, x))
    return -cap * np.exp(log_gamma_power(a, x)) * np.sum(WEIGHTS * falls * times_a, axis=0)


def _exp_less_linear(v: Any, times: Any) -> Any:
    """``times * (exp(v) - 1 - v)``."""
    if times.max() < 1e4:
        return times * (np.exp(v) - 1 - v)  # rounding is below 1e-12, and exp is far faster than expm1
    near = np.abs(v) < 0.01
    series = v * v * _horner((1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040), v)
    return times * np.where(near, series, np.expm1(v) - v)


# Incomplete beta function ----------------------------------------------------------------------------------------


def log_beta_power(a: Any, b: Any, x: Any, y: Any) -> Any:
    """``log(x**a * y**b / beta(a, b))`` where ``y = 1 - x``."""
    if a.size and a.max() < MODERATE and b.max() < MODERATE:
        return a * np.log(x) + b * np.log(y) + gammaln(a + b) - gammaln(a) - gammaln(b)
    d, n = x * b - y * a, a + b
    shape = stirling_error(n) - stirling_error(a) - stirling_error(b)
    logs = 0.5 * (np.log(a) + np.log(b / n))
    return _log_less_linear(d, x * n, a) + _log_less_linear(-d, y * n, b) + logs - HALF_LOG_TAU + shape


def log_over_mean(a: Any, b: Any, x: Any, y: Any) -> Any:
    """``log(x) - psi(a) + psi(a + b)``: how far log x lies above the expectation of log t."""
    large = a >= 16
    far = np.where(large, a, 16.0)
    beyond = _log_ratio(x * b - y * far, x * (far + b), far) + _rise_beyond_log(far, b)
    if large.all():
        return beyond
    return np.where(large, beyond, np.where(y < 0.5, np.log1p(-y), np.log(x)) + psi_rise(np.minimum(a, 16.0), b))


def beta_shape(a: Any, b: Any, x: Any, y: Any, by: str) -> Any:
    """Derivative of the incomplete beta function I_x(a, b) by ``by``: "a", "aa" or "ab"; ``y = 1 - x``."""
    if by == "a":
        near, tail = beta_tail(a, b, x, y)
        if near.all():
            return beta_near(a, b, x, y, tail)
        if near.any():
            return _apart(near, (a, b, x, y, tail), lambda a, b, x, y, tail: beta_shape(a, b, x, y, by), beta_near)
    return computed(lambda a, b, x, y: _beta_shape(a, b, x, y, by), a, b, x, y)


def _beta_shape(a: Any, b: Any, x: Any, y: Any, by: str) -> Any:
    """The same by quadrature."""
    raised = a + np.maximum(np.ceil(LEAST - a), 0)
    left = log_over_mean(raised, b, x, y) < 0
    result = np.empty_like(x)
    for part, sign, swap in ((left, 1, False), (~left, -1, True)):
        if part.any():
            p, q, s, t = (v[part] for v in ((b, a, y, x) if swap else (a, b, x, y)))
            result[part] = sign * _beta_tail(p, q, s, t, by, swap)
    result = np.where((x == 0) | (y == 0), 0.0, result)
    return np.where((a > 0) & (b > 0) & (x >= 0) & (y >= 0), result, np.nan)


def _bend_beta(of_a: Any, of_b: Any, a: Any, b: Any, by: str) -> Any:
    """What the density's derivatives have besides the density, of the logarithms' deviations from their means."""
    if by == "a":
        return of_a
    if by == "aa":
        return of_a * of_a - zeta(2.0, a) + zeta(2.0, a + b)
    return of_a * of_b + zeta(2.0, a + b)


def _beta_tail(a: Any, b: Any, x: Any, y: Any, by: str, swapped: bool) -> Any:
    """The integral from 0 to x; `swapped` says that the other tail is meant, with a and b, x and y interchanged."""
    bend = (lambda p, q, a, b: _bend_beta(q, p, b, a, by)) if swapped else (lambda *v: _bend_beta(*v, by))
    takes_a, takes_b = by == "ab" or not swapped, by == "ab" or swapped
    total = np.zeros_like(x)
    for _ in range(int(LEAST)):
        small = a < LEAST
        if not small.any():
            break
        # x**a y**b gamma(a + b) / (gamma(a + 1) gamma(b)): the logarithm's derivatives by a and b are as a density's.
        power = np.exp(log_beta_power(a, b, x, y)) / a
        of_a = np.where(small, np.log(x) - psi(a + 1) + psi(a + b), 0) if takes_a else None
        of_b = np.where(small, log_over_mean(b, a, y, x), 0) if takes_b else None
        total += np.where(small, power * _bend_raised(of_a, of_b, a, b, by, swapped), 0)
        a = np.where(small, a + 1, a)
    n = a + b

    def exponent(v):
        return a * v + n * _log_blend(x, y, v, np.exp(-v))

    def steep(v):
        shrunk = np.exp(-v)
        return a - n * x * shrunk / (y + x * shrunk)

    slope = y * a - x * b
    end = _reach(exponent, steep, slope, n * x * y, (REACH - n * np.log(y)) / a)
    # For small b the density is flat down to a bend: half of the nodes for that, half for what follows. The bend is
    # near log(a / (b + 1)), the singularities next to the path are at +-pi i.
    middle = np.log(x / y) - np.maximum(np.log(a / (b + 1)) - 2, 0)
    middle = np.where((middle > 0) & (middle < end), middle, 0.5 * end)
    above = log_over_mean(a, b, x, y) if takes_a else 0.0
    below = log_over_mean(b, a, y, x) if takes_b else 0.0
    power = np.exp(log_beta_power(a, b, x, y))
    # What exp(-v) - 1 and logarithms near 0 lose in rounding is below 1e-12 here, and they are far faster.
    rounding = n.max() < 1e4 and y.min() > 1e-2
    for start, length in ((0.0, middle), (middle, end - middle)):
        v = start + NODES * length
        shrunk = np.exp(-v)
        ell = np.log(y + x * shrunk) if rounding else _log_blend(x, y, v, shrunk)
        of_a = above - (v + ell if rounding or not takes_a else np.log1p(y * np.expm1(v)))
        weights = WEIGHTS * np.exp(-a * v - n * ell) * bend(of_a, below - ell, a, b)
        total += length * power * np.sum(weights, axis=0)
    return total


def _bend_raised(of_a: Any, of_b: Any, a: Any, b: Any, by: str, swapped: bool) -> Any:
    """The same as `_bend_beta` for a term of the recurrence, which has gamma(a + 1) in the place of gamma(a)."""
    if by == "ab":
        return of_a * of_b + zeta(2.0, a + b)
    if not swapped:
        return of_a if by == "a" else of_a * of_a - zeta(2.0, a + 1) + zeta(2.0, a + b)
    return of_b if by == "a" else of_b * of_b - zeta(2.0, b) + zeta(2.0, a + b)


def _log_blend(x: Any, y: Any, v: Any, shrunk: Any) -> Any:
    """``log(y + x * exp(-v))``, accurate where v is small and where y is."""
    less = x * np.expm1(-v)
    return np.where(less > -0.5, np.log1p(less), np.log(y + x * shrunk))
