"""Elliptic integrals and functions (DLMF 19, 22), all by Carlson's symmetric integrals.

Legendre's forms of these derivatives, such as ``(E - (1 - m) K) / (2 m (1 - m))``, cancel where m is small.
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from wengert.primitive import elementwise
from wengert.protocol import anywhere
from wengert.rules.elementwise import choose, is_complex
from wengert.rules.special_carlson import carlson
from wengert.rules.special_shape import LINE, computed
from wengert.rules.special_tools import define, define_together, safe, series

# Carlson's integrals ---------------------------------------------------------------------------------------------

define(
    "elliprf",
    lambda a, b, c: sp.elliprd(b, c, a) / -6,
    lambda a, b, c: sp.elliprd(a, c, b) / -6,
    lambda a, b, c: sp.elliprd(a, b, c) / -6,
)
define(
    "elliprd",
    lambda a, b, c: -0.75 * carlson(a, b, c, 1.0, powers=(3, 1, 3, 0)),
    lambda a, b, c: -0.75 * carlson(a, b, c, 1.0, powers=(1, 3, 3, 0)),
    lambda a, b, c: -2.25 * carlson(a, b, c, 1.0, powers=(1, 1, 5, 0)),
)
define(
    "elliprj",
    lambda a, b, c, d: -0.75 * carlson(a, b, c, d, powers=(3, 1, 1, 2)),
    lambda a, b, c, d: -0.75 * carlson(a, b, c, d, powers=(1, 3, 1, 2)),
    lambda a, b, c, d: -0.75 * carlson(a, b, c, d, powers=(1, 1, 3, 2)),
    lambda a, b, c, d: -1.5 * carlson(a, b, c, d, powers=(1, 1, 1, 4)),
)
define(
    "elliprg",
    lambda a, b, c: _rg_by_first(a, b, c),
    lambda a, b, c: _rg_by_first(b, a, c),
    lambda a, b, c: _rg_by_first(c, a, b),
)


def _rg_by_first(x: Any, y: Any, z: Any) -> Any:
    return sp.elliprf(x, y, z) / 4 - x * sp.elliprd(y, z, x) / 12


def _rc_by_first(x: Any, y: Any, value: Any) -> Any:
    """Where y is negative, the principal value: its elementary form has no confluence there."""
    negative = np.False_ if is_complex(y) else y < 0
    less = choose(negative, y - x, -1.0)
    regular = sp.elliprd(safe(negative, y), safe(negative, y), x) / -6
    return choose(negative, (value - 1 / np.sqrt(x)) / (2 * less), regular)


define(
    "elliprc",
    lambda a, b, y: _rc_by_first(a, b, y),
    lambda a, b, y: -(0.5 * y + a * _rc_by_first(safe(a == 0, a), b, y)) / b,
)

# Legendre's integrals --------------------------------------------------------------------------------------------
# K' is half the integral of sin**2 / (1 - m sin**2)**(3/2), and E' that of sin**2 / (1 - m sin**2)**(1/2), negated.

_POWERS = tuple((math.comb(2 * n, n) / 4**n) ** 2 for n in range(22))


def _near(m: Any) -> Any:
    return np.abs(m) < 0.15


def _ellipk_slope(m: Any, rest: Any, k: Any) -> Any:
    """``(E - (1 - m) K) / (2 m (1 - m))``; by the series of K (DLMF 19.5.1) where that would cancel."""
    near = _near(m)
    far = np.where(near, 0.5, m)
    small = np.where(near, m, 0.0)
    powers = series(small, tuple(math.pi / 2 * n * c for n, c in enumerate(_POWERS))[1:])
    direct = (sp.ellipe(far) - np.where(near, 0.5, rest) * k) / (2 * far * np.where(near, 0.5, rest))
    return np.where(near, powers, np.where(rest == 0, np.inf, direct))[()]


def _ellipe_slope(m: Any, y: Any) -> Any:
    """``(E - K) / (2 m)``, or the series of E (DLMF 19.5.2)."""
    near = _near(m)
    small = np.where(near, m, 0.0)
    powers = series(small, tuple(-math.pi / 2 * n * c / (2 * n - 1) for n, c in enumerate(_POWERS))[1:])
    return np.where(near, powers, (y - sp.ellipk(m)) / (2 * np.where(near, 0.5, m)))[()]


define("ellipk", lambda x, y: _ellipk_slope(x, 1 - x, y))
define("ellipkm1", lambda x, y: -_ellipk_slope(1 - x, x, y))
define("ellipe", lambda x, y: _ellipe_slope(x, y))


def _incomplete(phi: Any, m: Any, cubed: bool) -> Any:
    """The integral of ``sin**2 / (1 - m sin**2)**(3/2 or 1/2)`` from 0 to phi (DLMF 19.25.9 ff.)."""
    turns = np.rint(phi / math.pi)
    s, c = np.sin(phi), np.cos(phi)
    s = s * (1 - 2 * np.abs(np.remainder(turns, 2)))
    rest = 1 - m * s * s
    within = s * s * s * (sp.elliprd(c * c, 1, rest) if cubed else sp.elliprd(c * c, rest, 1)) / 3
    if not anywhere(turns != 0):
        return within
    whole = (sp.elliprd(0, 1, 1 - m) if cubed else sp.elliprd(0, 1 - m, 1)) / 3
    return within + 2 * choose(turns == 0, 0.0, turns * whole)


def _delta(phi: Any, m: Any) -> Any:
    s = np.sin(phi)
    return np.sqrt(1 - m * s * s)


define("ellipkinc", lambda a, b: 1 / _delta(a, b), lambda a, b: 0.5 * _incomplete(a, b, True))
define("ellipeinc", lambda a, b: _delta(a, b), lambda a, b: -0.5 * _incomplete(a, b, False))


def _ellipj_m(g, b, y):
    """The amplitude phi has F(phi, m) = u: so its derivative by m is -F_m times F_phi's reciprocal, dn."""
    sn, cn, dn, phi = y[0], y[1], y[2], y[3]
    moved = -0.5 * dn * _incomplete(phi, b, True)
    dn_moved = -sn * (sn + 2 * b * cn * moved) / (2 * dn)
    return (g[0] * cn - g[1] * sn + g[3]) * moved + g[2] * dn_moved


def _ellipj_u(g, b, y):
    sn, cn, dn = y[0], y[1], y[2]
    return (g[0] * cn - g[1] * sn + g[3]) * dn - g[2] * (b * sn * cn)


define_together("ellipj", _ellipj_u, _ellipj_m)

# The arithmetic-geometric mean -----------------------------------------------------------------------------------


def _agm_share(a, b):
    """``a * M_a / M``: the sum for ``1 - E / K`` that the iteration for M(a, b) has (DLMF 19.8.6), divided by m."""

    def share(a, b):
        mean, root, square, term = 0.5 * (a + b), np.sqrt(a * b), 0.25 * (a - b) ** 2, 0.25 * (a - b) / (a + b)
        y = 0.5 + term
        for _ in range(60):
            mean, root = 0.5 * (mean + root), np.sqrt(mean * root)
            shrinks = square / (8 * mean * mean)
            term *= shrinks
            y += term
            if not np.any(np.abs(term) > 1e-17):
                break
            square *= 0.5 * shrinks
        return y

    return computed(share, np.abs(a), np.abs(b), line=LINE)


def _agm_share_by_second(a: Any, b: Any, y: Any) -> Any:
    """By ``M_a(a, b) = 2 / (3 pi) * (M / a)**2 * R_D(0, (b / a)**2, 1)``, as M is ``pi / (2 R_F(0, a**2, b**2))``."""
    r = b / a
    square, zero = r * r, np.zeros_like(r)
    bent = 1.5 * square * carlson(square, zero, np.ones_like(r), zero, powers=(3, 1, 3, 0))
    return 2 / (3 * math.pi) * sp.agm(1, r) / b * ((1 - y) * sp.elliprd(0, square, 1) - bent)


agm_share = elementwise(
    _agm_share,
    lambda a, b, y: -b / a * _agm_share_by_second(a, b, y),
    lambda a, b, y: _agm_share_by_second(a, b, y),
    name="agm_share",
    casts=True,
    singular=True,
)
define("agm", lambda a, b, y: agm_share(a, b) * y / a, lambda a, b, y: agm_share(b, a) * y / b)
