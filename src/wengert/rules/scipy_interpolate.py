"""scipy.interpolate: interpolation on a line and on grids, as classes with SciPy's signatures.

Piecewise polynomials are made of NumPy's functions, so that derivatives by knots, values and places need no rules.
"""

from typing import Any

import numpy as np
import scipy.interpolate as si

from wengert.protocol import anywhere, everywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.reductions import normal_axis
from wengert.rules.scipy_structured import solve_banded
from wengert.rules.scipy_tools import array, chosen, constant, double, has_wrapper, primal, searched, unsupported
from wengert.rules.splines import basis, sample

interpolate = "interpolate"
HOME = "wengert.scipy.interpolate"


def _places_in_front(y: Any, ndim: int, axis: int) -> Any:
    """Moves the axes of the places, which are first, to where the axis of interpolation was."""
    order = list(range(y.ndim))
    return np.transpose(y, order[ndim : ndim + axis] + order[:ndim] + order[ndim + axis :])


def _increasing(x: Any, name: str) -> None:
    values = primal(x)
    if values.ndim != 1 or anywhere(np.diff(values) <= 0):
        raise ValueError(f"`x` must be strictly increasing sequence of one dimension ({name}).")


# Piecewise polynomials -------------------------------------------------------------------------------------------


class PPoly:
    """See `scipy.interpolate.PPoly`: coefficients, breakpoints and places may be recorded."""

    __module__ = HOME

    def __init__(self, c, x, extrapolate=None, axis=0):
        self.c, self.x, self.axis = double(c), double(x), axis
        self.extrapolate = True if extrapolate is None else extrapolate
        if axis:
            self.c = np.moveaxis(np.moveaxis(self.c, axis + 1, 0), axis + 1, 0)

    @classmethod
    def _of(cls, c, x, extrapolate, axis):
        made = object.__new__(PPoly)
        made.c, made.x, made.extrapolate, made.axis = c, x, extrapolate, axis
        return made

    def __call__(self, x, nu=0, extrapolate=None):
        """Values, or derivatives of order `nu`, at places of any shape."""
        x = double(x)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        flat, ends = np.reshape(x, (-1,)), self.x[np.array([0, -1])]
        if extrapolate == "periodic":
            period = ends[1] - ends[0]
            flat = flat - period * np.floor((primal(flat) - primal(ends)[0]) / primal(period))
        piece = np.clip(searched(primal(self.x), primal(flat), "right") - 1, 0, len(self.x) - 2)
        step = np.reshape(flat - chosen(self.x, piece), (-1, *(1,) * (self.c.ndim - 2)))
        y, k = None, len(self.c)
        for j in range(k - nu):
            factor = float(np.prod(np.arange(k - j - nu, k - j)))
            term = chosen(self.c[j], piece) * factor
            y = term if y is None else y * step + term
        y = chosen(self.c[0], piece) * 0.0 * step if y is None else y
        if extrapolate is False:
            outside = (primal(flat) < primal(ends)[0]) | (primal(flat) > primal(ends)[1])
            y = np.where(np.reshape(outside, step.shape), np.nan, y)
        return _places_in_front(np.reshape(y, (*x.shape, *self.c.shape[2:])), x.ndim, self.axis)

    def derivative(self, nu=1):
        """The piecewise polynomial of a derivative."""
        if nu < 0:
            return self.antiderivative(-nu)
        k = len(self.c)
        powers = np.array([np.prod(np.arange(k - j - nu, k - j)) for j in range(max(k - nu, 0))], float)
        c = self.c[: k - nu] * powers.reshape(-1, *(1,) * (self.c.ndim - 1)) if k > nu else self.c[:1] * 0.0
        return self._of(c, self.x, self.extrapolate, self.axis)

    def antiderivative(self, nu=1):
        """The piecewise polynomial of an integral that is zero at the first breakpoint."""
        if nu <= 0:
            return self.derivative(-nu)
        c, k = self.c, len(self.c)
        c = c / np.arange(k, 0, -1.0).reshape(-1, *(1,) * (c.ndim - 1))
        width, total = np.reshape(np.diff(self.x), (-1, *(1,) * (c.ndim - 2))), 0.0
        for j in range(k):
            total = (total + c[j]) * width
        start = np.concatenate([np.zeros_like(total[:1]), np.cumsum(total[:-1], axis=0)])
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        once = self._of(np.concatenate([c, start[None]]), self.x, extrapolate, self.axis)
        return once.antiderivative(nu - 1) if nu > 1 else once

    def integrate(self, a, b, extrapolate=None):
        """The integral between two places."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if extrapolate == "periodic":
            raise unsupported("integrate", "extrapolate", "periodic", "True or False", array(self.c))
        integral = self.antiderivative()
        return integral(b, extrapolate=extrapolate) - integral(a, extrapolate=extrapolate)

    def _plain(self):
        return si.PPoly(*(constant("roots", name, getattr(self, name)) for name in "cx"), self.extrapolate, self.axis)

    def solve(self, y=0.0, discontinuity=True, extrapolate=None):
        """The places with a value, as SciPy finds them: of a polynomial that is not recorded."""
        return self._plain().solve(y, discontinuity, extrapolate)

    def roots(self, discontinuity=True, extrapolate=None):
        """The places with the value 0, of a polynomial that is not recorded."""
        return self.solve(0.0, discontinuity, extrapolate)


class CubicHermiteSpline(PPoly):
    """See `scipy.interpolate.CubicHermiteSpline`."""

    __module__ = HOME

    def __init__(self, x, y, dydx, axis=0, extrapolate=None):
        x, y, dydx = double(x), double(y), double(dydx)
        axis = normal_axis(axis, y.ndim)
        self._fill(x, np.moveaxis(y, axis, 0), np.moveaxis(dydx, axis, 0), axis, extrapolate)

    def _fill(self, x, y, slopes, axis, extrapolate):
        _increasing(x, type(self).__name__)
        if len(x) != len(y):
            raise ValueError(f"The length of `y` along `axis`={axis} doesn't match the length of `x`")
        h = np.reshape(np.diff(x), (-1, *(1,) * (y.ndim - 1)))
        secant = np.diff(y, axis=0) / h
        bend = (slopes[:-1] + slopes[1:] - 2 * secant) / h
        self.c = np.stack([bend / h, (secant - slopes[:-1]) / h - bend, slopes[:-1], y[:-1]])
        self.x, self.axis, self.extrapolate = x, axis, True if extrapolate is None else extrapolate


def _prepared(x: Any, y: Any, axis: int) -> tuple:
    """Knots, values with the axis of interpolation in front, their distances and secants."""
    x, y = double(x), double(y)
    axis = normal_axis(axis, y.ndim)
    y = np.moveaxis(y, axis, 0)
    if x.ndim != 1 or len(x) != len(y) or len(x) < 2:
        raise ValueError(
            f"`x` of one dimension and at least two numbers was required, as many as `y` has along `axis`={axis}"
        )
    _increasing(x, "interpolate")
    h = np.reshape(np.diff(x), (-1, *(1,) * (y.ndim - 1)))
    return x, y, axis, h, np.diff(y, axis=0) / h


class CubicSpline(CubicHermiteSpline):
    """See `scipy.interpolate.CubicSpline`: slopes at the knots from one banded system of equations."""

    __module__ = HOME

    def __init__(self, x, y, axis=0, bc_type="not-a-knot", extrapolate=None):
        x, y, axis, h, secant = _prepared(x, y, axis)
        first, last = _conditions(bc_type, y)
        if extrapolate is None:
            extrapolate = "periodic" if first == "periodic" else True
        n = len(x)
        if first == "periodic":
            slopes = _periodic_slopes(y, h, secant) if n > 2 else np.zeros_like(y)
        elif n == 3 and first == last == "not-a-knot":  # a parabola
            middle = (h[0] * secant[1] + h[1] * secant[0]) / (h[0] + h[1])
            slopes = np.stack([2 * secant[0] - middle, middle, 2 * secant[1] - middle])
        else:
            if n == 2:
                first, last = ((1, secant[0]) if end == "not-a-knot" else end for end in (first, last))
            slopes = _slopes(h, secant, first, last)
        self._fill(x, y, slopes, axis, extrapolate)


def _conditions(bc_type: Any, y: Any) -> tuple:
    """For both ends the order and the value of a derivative, or a name."""
    if isinstance(bc_type, str) and bc_type == "periodic":
        if not everywhere(np.isclose(primal(y)[0], primal(y)[-1], rtol=1e-15, atol=1e-15)):
            raise ValueError("The first and last `y` point along axis 0 must be identical when bc_type='periodic'.")
        return "periodic", "periodic"
    ends = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    if len(ends) != 2:
        raise ValueError("`bc_type` must contain 2 elements to specify start and end conditions.")
    return tuple(_condition(end, y) for end in ends)


def _condition(end: Any, y: Any) -> Any:
    if isinstance(end, str):
        if end not in ("not-a-knot", "clamped", "natural"):
            raise ValueError(f"bc_type={end} is not allowed.")
        return end if end == "not-a-knot" else ({"clamped": 1, "natural": 2}[end], np.zeros(y.shape[1:]))
    order, value = end
    if order not in (1, 2):
        raise ValueError("The specified derivative order must be 1 or 2.")
    return order, np.broadcast_to(double(value), y.shape[1:])


def _end(condition: Any, h: Any, h2: Any, secant: Any, secant2: Any, sign: float) -> tuple:
    """Of the equation at one end: the diagonal, its neighbour and the right side (`h2`, `secant2`: one further in)."""
    if condition == "not-a-knot":
        d = h + h2
        return h2, d, ((h + 2 * d) * h2 * secant + h * h * secant2) / d
    order, value = condition
    if order == 1:
        return np.ones_like(h), np.zeros_like(h), value
    return 2 * h, h, 3 * h * secant - sign * 0.5 * value * h * h


def _slopes(h: Any, secant: Any, first: Any, last: Any) -> Any:
    inner = min(1, len(h) - 1)
    d0, u0, b0 = _end(first, h[0], h[inner], secant[0], secant[inner], 1.0)
    dn, ln, bn = _end(last, h[-1], h[-1 - inner], secant[-1], secant[-1 - inner], -1.0)
    flat = np.reshape(h, (-1,))
    zero = np.zeros(1)
    d0, u0, dn, ln = (np.reshape(v, (1,)) for v in (d0, u0, dn, ln))
    bands = np.stack([
        np.concatenate([zero, u0, flat[:-1]]),
        np.concatenate([d0, 2 * (flat[:-1] + flat[1:]), dn]),
        np.concatenate([flat[1:], ln, zero]),
    ])  # fmt: skip
    middle = 3 * (h[1:] * secant[:-1] + h[:-1] * secant[1:])
    right = np.concatenate(
        [np.broadcast_to(b0, middle.shape[1:])[None], middle, np.broadcast_to(bn, middle.shape[1:])[None]]
    )
    return _solved(bands, right)


def _solved(bands: Any, right: Any) -> Any:
    return np.reshape(solve_banded((1, 1), bands, np.reshape(right, (right.shape[0], -1))), right.shape)


def _periodic_slopes(y: Any, h: Any, secant: Any) -> Any:
    """A banded system and one more unknown, which closes the circle."""
    before, slope_before = np.roll(h, 1, axis=0), np.roll(secant, 1, axis=0)
    right = 3 * (h * slope_before + before * secant)
    n, flat, flat_before = len(h), np.reshape(h, (-1,)), np.reshape(before, (-1,))
    if n == 2:
        s = (secant[0] / h[0] + secant[1] / h[1]) / (1 / h[0] + 1 / h[1])
        return np.stack([s, s, s])
    diagonal, zero = 2 * (flat + flat_before), np.zeros(1)
    m = n - 1
    bands = np.stack([
        np.concatenate([zero, flat_before[: m - 1]]), diagonal[:m], np.concatenate([flat[1:m], zero])
    ])  # fmt: skip
    column = np.concatenate([-flat[:1], np.zeros(m - 2), -flat_before[m - 1 : m]])
    own, other = _solved(bands, right[:m]), solve_banded((1, 1), bands, column)
    a, b = flat[n - 1], flat_before[n - 1]  # in the last equation beside the unknowns before and (around) behind
    last = (right[m] - b * own[0] - a * own[-1]) / (diagonal[m] + b * other[0] + a * other[-1])
    slopes = own + np.reshape(other, (-1, *(1,) * (y.ndim - 1))) * last
    return np.concatenate([slopes, last[None], slopes[:1]])


class PchipInterpolator(CubicHermiteSpline):
    """See `scipy.interpolate.PchipInterpolator`: weighted harmonic means of the secants."""

    __module__ = HOME

    def __init__(self, x, y, axis=0, extrapolate=None):
        x, y, axis, h, m = _prepared(x, y, axis)
        if is_complex(y):
            raise ValueError("`PchipInterpolator` only works with real values for `y`.")
        if len(x) == 2:
            slopes = np.concatenate([m, m])
        else:
            values, w1, w2 = primal(m), 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
            flat = values[:-1] * values[1:] <= 0
            safe = [np.where(flat, 1.0, part) for part in (m[:-1], m[1:])]
            inner = np.where(flat, 0.0, (w1 + w2) / (w1 / safe[0] + w2 / safe[1]))
            ends = _pchip_end(h[0], h[1], m[0], m[1]), _pchip_end(h[-1], h[-2], m[-1], m[-2])
            slopes = np.concatenate([ends[0][None], inner, ends[1][None]])
        self._fill(x, y, slopes, axis, extrapolate)


def _pchip_end(h0, h1, m0, m1):
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    values, first, second = primal(d), primal(m0), primal(m1)
    wrong = np.sign(values) != np.sign(first)
    steep = ~wrong & (np.sign(first) != np.sign(second)) & (np.abs(values) > 3 * np.abs(first))
    return np.where(wrong, 0.0, np.where(steep, 3 * m0, d))


class Akima1DInterpolator(CubicHermiteSpline):
    """See `scipy.interpolate.Akima1DInterpolator`."""

    __module__ = HOME

    def __init__(self, x, y, axis=0, *, method="akima", extrapolate=None):
        if method not in ("akima", "makima"):
            raise NotImplementedError(f"`method`={method} is unsupported.")
        x, y, axis, _, m = _prepared(x, y, axis)
        if is_complex(y):
            raise ValueError("`Akima1DInterpolator` only works with real values for `y`.")
        if len(x) == 2:
            slopes = np.concatenate([m, m])
        else:
            before, behind = 2 * m[:1] - m[1:2], 2 * m[-1:] - m[-2:-1]
            m = np.concatenate([2 * before - m[:1], before, m, behind, 2 * behind - m[-1:]])
            turns, sums = np.abs(np.diff(m, axis=0)), np.abs(m[1:] + m[:-1])
            extra = 0.5 if method == "makima" else 0.0
            f1, f2 = turns[2:] + extra * sums[2:], turns[:-2] + extra * sums[:-2]
            total = f1 + f2
            bent = primal(total) > 1e-9 * np.max(primal(total), initial=-np.inf)
            weighted = (f1 * m[1:-2] + f2 * m[2:-1]) / np.where(bent, total, 1.0)
            slopes = np.where(bent, weighted, 0.5 * (m[3:] + m[:-3]))
        self._fill(x, y, slopes, axis, False if extrapolate is None else extrapolate)


# B-splines -------------------------------------------------------------------------------------------------------


class BSpline:
    """See `scipy.interpolate.BSpline`: coefficients and places may be recorded, knots not."""

    __module__ = HOME

    def __init__(self, t, c, k, extrapolate=True, axis=0):
        self.t, self.k, self.extrapolate = np.asarray(constant("BSpline", "t", t), float), int(k), extrapolate
        c = double(c)
        self.axis = normal_axis(axis, c.ndim)
        self.c = np.moveaxis(c, self.axis, 0)
        n = len(self.t) - self.k - 1
        if self.k < 0 or anywhere(np.diff(self.t) < 0) or self.c.shape[0] < n or n < self.k + 1:
            si.BSpline(self.t, primal(self.c), self.k)  # raises

    def __call__(self, x, nu=0, extrapolate=None):
        """Values, or derivatives of order `nu`, at places of any shape."""
        x, t, k = double(x), self.t, self.k
        n = len(t) - k - 1
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        flat = np.reshape(x, (1, -1))
        if extrapolate == "periodic":
            flat = flat - (t[n] - t[k]) * np.floor((primal(flat) - t[k]) / (t[n] - t[k]))
            extrapolate = False
        y = sample(self.c[:n], flat, order=k, nus=((nu,),), knots=(t,))[0]
        if not extrapolate:
            places = primal(flat)[0]
            outside = (places < t[k]) | (places > t[n])
            y = np.where(np.reshape(outside, (-1, *(1,) * (y.ndim - 1))), np.nan, y)
        return _places_in_front(np.reshape(y, (*x.shape, *self.c.shape[1:])), x.ndim, self.axis)

    def derivative(self, nu=1):
        """The spline of a derivative."""
        t, k, c = self.t, self.k, self.c[: len(self.t) - self.k - 1]
        for _ in range(nu):
            if not k:
                c = c * 0.0
                break
            step = t[k + 1 : -1] - t[1 : -k - 1]
            step = np.where(step > 0, k / np.where(step > 0, step, 1), 0.0).reshape(-1, *(1,) * (c.ndim - 1))
            c, t, k = np.diff(c, axis=0) * step, t[1:-1], k - 1
        made = object.__new__(BSpline)
        made.t, made.c, made.k, made.extrapolate, made.axis = t, c, k, self.extrapolate, self.axis
        return made

    def integrate(self, a, b, extrapolate=None):
        """The integral between two places: that of the same piecewise polynomial."""
        breaks = np.unique(self.t[self.k : len(self.t) - self.k])
        powers = [self(breaks[:-1], nu) for nu in range(self.k, -1, -1)] if self.axis == 0 else None
        if powers is None:
            raise unsupported("integrate", "axis", self.axis, 0, array(self.c))
        c = np.stack([p / float(np.prod(np.arange(1, self.k - j + 1))) for j, p in enumerate(powers)])
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        return PPoly(c, breaks, extrapolate).integrate(a, b)


def make_interp_spline(x, y, k=3, t=None, bc_type=None, axis=0, check_finite=True):
    """See `scipy.interpolate.make_interp_spline`: the values may be recorded, which the coefficients are linear in."""
    name = "make_interp_spline"
    x, t = constant(name, "x", x), constant(name, "t", t)
    y = double(y)
    axis = normal_axis(axis, y.ndim)
    y, x = np.moveaxis(y, axis, 0), np.asarray(x, float)
    if isinstance(bc_type, str) and bc_type == "periodic":
        raise unsupported(name, "bc_type", bc_type, "None, 'not-a-knot', 'clamped' or 'natural'", y, "use CubicSpline")
    if has_wrapper(bc_type):
        raise unsupported(name, "bc_type", "recorded values", "plain values", y)
    named = bc_type is None or isinstance(bc_type, str)
    shape = (len(y), y.size // max(len(y), 1)) if named else y.shape
    like = np.full(shape, 0.0 if everywhere(np.isfinite(primal(y))) else np.nan)
    spline = si.make_interp_spline(x, like, k, t, bc_type, 0, check_finite)  # checks all, and chooses knots
    t, ends = spline.t, [[], []]
    if bc_type is not None and not (isinstance(bc_type, str) and bc_type == "not-a-knot"):
        pair = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
        ends = [_end_derivatives(end, y) for end in pair]
    rows = [(x[:1], order) for order, _ in ends[0]] + [(x, 0)] + [(x[-1:], order) for order, _ in ends[1]]
    n, bands, row = len(t) - k - 1, np.zeros((2 * k + 1, len(t) - k - 1)), 0
    for places, order in rows:
        first, numbers = basis(t, k, places, order)
        columns = first[:, None] + np.arange(k + 1)
        lines = row + np.arange(len(places))[:, None]
        near = np.abs(lines - columns) <= k
        bands[(k + lines - columns)[near], columns[near]] = numbers[near]
        row += len(places)
    right = [
        np.stack([np.broadcast_to(v, y.shape[1:]) for _, v in end]) if end else np.zeros((0, *y.shape[1:]))
        for end in ends
    ]
    right = np.concatenate([right[0], y, right[1]])
    c = solve_banded((k, k), bands, np.reshape(right, (n, -1))) if k else right
    return BSpline(t, np.moveaxis(np.reshape(c, right.shape), 0, axis), k, axis=axis)


def _end_derivatives(end: Any, y: Any) -> list:
    """Orders and values of the derivatives at one end."""
    if isinstance(end, str):
        return {"clamped": [(1, 0.0)], "natural": [(2, 0.0)], "not-a-knot": []}[end]
    return [] if end is None else [(int(order), value) for order, value in end]


make_interp_spline.__module__ = HOME
