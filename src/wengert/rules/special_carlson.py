"""Carlson's integrals (DLMF 19.16): products of powers of ``t + x``, over t, and their derivatives.

The first derivatives of R_J and R_D follow the duplication theorem (DLMF 19.26), which quarters the differences between
the operands in each step. By x that of R_J is half of ``(R_J(x, y, z, p) - R_J(x, y, z, x)) / (p - x)``, a divided
difference, and a divided difference of each term of the theorem is taken, in which nothing cancels where p is near x.
(For terms and series of R_J itself: Carlson, Numerical Algorithms 10, 1995.) Further derivatives: by quadrature.
"""

from typing import Any

import numpy as np

from wengert.primitive import elementwise
from wengert.rules.special_shape import LINE, computed
from wengert.rules.special_tools import series

STEPS = 40
"""More would be needed where operands have a ratio above 1e20: of these the integral is computed by quadrature."""


def _carlson(a, b, c, d, powers=(1, 1, 1, 0)):
    """Integral from 0 of ``(t + a)**(-i / 2) * (t + b)**(-j / 2) ...``, over t, for the powers i, j, k, l."""
    if any(np.iscomplexobj(x) for x in (a, b, c, d)):
        return _complex_quadrature((a, b, c, d), powers)
    if powers[3] == 2 and sorted(powers) == [1, 1, 2, 3]:
        return _by_first(*_first(powers, a, b, c), d)
    if powers[3] == 0 and sorted(powers) == [0, 1, 3, 3] and powers[2] == 3:
        return _by_first(*_first((*powers[:2], 1), a, b, c), c)
    if powers in ((1, 1, 1, 4), (1, 1, 5, 0)):
        return _by_last(a, b, c, d if powers[3] else c)
    return computed(lambda *operands: _quadrature(operands, powers), a, b, c, d)


def _first(powers: tuple, a: Any, b: Any, c: Any) -> tuple:
    """The operand with power three before the others."""
    return {0: (a, b, c), 1: (b, a, c), 2: (c, a, b)}[powers.index(3)]


# By duplication --------------------------------------------------------------------------------------------------


def _by_first(x, y, z, p):
    """The powers (3, 1, 1, 2)."""

    def integral(x, y, z, p):
        result = _duplicated((x, y, z, p), (3, 1, 1, 2), _term_by_first)
        return np.where((x == 0) | ((y == 0) & (z == 0)), np.inf, result)

    return computed(integral, x, y, z, p, line=LINE)


def _by_last(x, y, z, p):
    """The powers (1, 1, 1, 4)."""

    def integral(x, y, z, p):
        result = _duplicated((x, y, z, p), (1, 1, 1, 4), _term_by_last)
        zeros = (x == 0).astype(int) + (y == 0) + (z == 0) + 4 * (p == 0)
        return np.where(zeros > 1, np.inf, result)

    return computed(integral, x, y, z, p, line=LINE)


def _duplicated(operands: tuple, powers: tuple, term: Any) -> Any:
    """The sum of the terms, until the operands are so near to their mean that two terms of the series are enough."""
    scale = np.maximum(np.maximum(operands[0], operands[1]), np.maximum(operands[2], operands[3]))
    x, y, z, p = (v / scale for v in operands)
    total, weight = np.zeros_like(x), 1.0
    for _ in range(STEPS):
        mean = sum(k * v for k, v in zip(powers, (x, y, z, p), strict=True)) / 7
        away = [1 - v / mean for v in (x, y, z, p)]
        rest = weight / (mean * mean * np.sqrt(mean))
        square = sum(k * v * v for k, v in zip(powers, away, strict=True))
        open_ = square * np.sqrt(square) * rest > 1e-16 * total
        if not open_.any():
            break
        r, q, w = np.sqrt(x), np.sqrt(y), np.sqrt(z)
        total += weight * term(r, q, w, np.sqrt(p))
        weight /= 16
        more = r * (q + w) + q * w
        x, y, z, p = (0.25 * (v + more) for v in (x, y, z, p))
    result = (total + rest * (0.4 + square / 18)) / (scale * scale * np.sqrt(scale))
    open_ |= (scale < 1e-100) | (scale > 1e100)
    if open_.any():
        result[open_] = _quadrature(tuple(v[open_] for v in operands), powers)
    return result


def _term_by_first(r: Any, q: Any, w: Any, s: Any) -> Any:
    """The term of R_J is ``6 / d * R_C(1, 1 + e)``, and for p = x it is ``6 / own``."""
    sr, sq, sw, both = s + r, s + q, s + w, (s - q) * (s - w)
    d, own = sr * sq * sw, 2 * r * (r + q) * (r + w)
    bent = both * _arc_less_one((s - r) * both / d) / d
    return 4 / (sr * d) * ((sq * sw + 2 * r * (sr + q + w)) / own - bent)


def _term_by_last(r: Any, q: Any, w: Any, s: Any) -> Any:
    """The derivatives of d and e by p are sums over the other operands."""
    a, b, c = 1 / (s + r), 1 / (s + q), 1 / (s + w)
    i, j, k = (s - r) * a, (s - q) * b, (s - w) * c
    e = i * j * k
    arc = _arc_less_one(e)
    e_p = r * a * a * j * k + q * b * b * i * k + w * c * c * i * j
    return 2 * a * b * c / s * ((a + b + c) * (1 + e * arc) + e_p * (1 / (1 + e) + arc))


_ARC = tuple((-1) ** k / (2 * k + 1) for k in range(1, 10))


def _arc_less_one(e: Any) -> Any:
    """``(R_C(1, 1 + e) - 1) / e``: the arc tangent of ``sqrt(e)`` for positive e."""
    near = np.abs(e) < 0.02
    if near.all():
        return series(e, _ARC)
    far = np.where(near, 0.5, e)
    root = np.sqrt(np.abs(far))
    arc = np.where(far > 0, np.arctan(root), np.arctanh(np.where(far > 0, 0.5, root))) / root
    return np.where(near, series(np.where(near, e, 0), _ARC), (arc - 1) / far)


# By quadrature ---------------------------------------------------------------------------------------------------


def _quadrature(operands: tuple, powers: tuple) -> Any:
    """The trapezoidal rule in log t: the integrand is analytic within pi of the real axis, and falls exponentially."""
    order = np.stack(operands)
    taking = np.array([p > 0 for p in powers])[:, None]
    largest = np.max(np.where(taking, order, -np.inf), axis=0)
    positive = np.where(taking & (order > 0), order, np.inf)
    # Left of the smallest the integrand falls as t, or as a root of it where an operand is 0.
    zeros = sum(p * (x == 0) for p, x in zip(powers, operands, strict=True))
    low = np.log(np.min(positive, axis=0)) - 37 / np.maximum(1 - zeros / 2, 0.1)
    high = np.log(largest) + 37 / (sum(powers) / 2 - 1)
    count = int(np.ceil(np.nanmax(np.where(np.isfinite(high - low), high - low, 1), initial=1) / 0.45))
    step = (high - low) / count
    total = np.zeros_like(largest)
    for k in range(count + 1):
        t = np.exp(low + k * step)
        log = sum(p * np.log(t + x) for p, x in zip(powers, operands, strict=True) if p)
        total += t * np.exp(-0.5 * log)
    return np.where(zeros < 2, total * step, np.inf)


def _complex_quadrature(operands: tuple, powers: tuple) -> Any:
    """The same: the integrand is analytic as far from the real axis as the operands are from the negative one."""
    taken = [np.asarray(x) for x, p in zip(operands, powers, strict=True) if p]
    order = np.stack(np.broadcast_arrays(*taken)).astype(complex)
    powers = np.reshape([p for p in powers if p], (-1, *(1,) * (order.ndim - 1)))
    size = np.abs(order)
    zeros = np.sum(powers * (size == 0), axis=0)
    low = np.log(np.min(np.where(size > 0, size, np.inf), axis=0)) - 37 / np.maximum(1 - zeros / 2, 0.1)
    high = np.log(np.max(size, axis=0)) + 37 / (np.sum(powers) / 2 - 1)
    room = max(float(np.min(np.pi - np.abs(np.angle(order)), initial=np.pi)), 0.02)
    count = int(np.ceil(np.max(high - low, initial=1) * 6 / room))
    step = (high - low) / count
    total = np.zeros(size.shape[1:], complex)
    for k in range(count + 1):
        t = np.exp(low + k * step)
        total += t * np.exp(-0.5 * np.sum(powers * np.log(t + order), axis=0))
    result = np.where(zeros < 2, total * step, np.inf)
    return result.astype(np.result_type(*taken))[()]


def _raised(i: int) -> Any:
    """The derivative by operand `i`: minus half its power times the integral with that power raised by two."""

    def rule(a, b, c, d, powers):
        if powers[i] == 0:
            return np.zeros_like(a)
        return (-0.5 * powers[i]) * carlson(a, b, c, d, powers=(*powers[:i], powers[i] + 2, *powers[i + 1 :]))

    return rule


carlson = elementwise(_carlson, *map(_raised, range(4)), name="carlson", singular=True, casts=True)
