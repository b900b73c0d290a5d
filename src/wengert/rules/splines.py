"""Splines on a grid of integers, in any number of dimensions, and all their derivatives.

`sample` evaluates ``sum of c[i] B(x - i)`` at points x, or derivatives of it, and `spread` is its adjoint in c. The
derivative of either by x is the same function with one derivative more, so the two make a closed family.

With `knots` (a sequence of numbers for each axis) B is that of these knots instead, and c the spline's coefficients.

Both are told by `fold` what lies beyond the ends of the grid: ``"mirror"`` and ``"reflect"`` (about the last element
and about its edge), ``"wrap"``, ``"nearest"``, or ``"extend"`` (the outermost polynomials go on).
"""

import itertools
from functools import lru_cache, reduce
from math import prod

import numpy as np

from wengert.primitive import linear, primitive
from wengert.protocol import anywhere, everywhere

_AT_ONCE = 2**18
"""Weights that are held at a time, so that they stay in the cache."""


@lru_cache(100)
def _pieces(order: int, derivative: int) -> list:
    """Polynomials, lowest power first: the weights of order + 1 neighbours by the place between two grid points.

    From the recursion n w(n, k) = (u + n - k) w(n - 1, k - 1) + (1 - u + k) w(n - 1, k) (de Boor, "A Practical Guide
    to Splines", 2001, chapter IX).
    """
    pieces, zero = [np.polynomial.Polynomial([1.0])], np.polynomial.Polynomial([0.0])
    for n in range(1, order + 1):
        shorter = [zero, *pieces, zero]
        pieces = [
            (np.polynomial.Polynomial([n - k, 1]) * shorter[k] + np.polynomial.Polynomial([1 + k, -1]) * shorter[k + 1])
            / n
            for k in range(n + 1)
        ]
    return [p.deriv(derivative).coef if derivative else p.coef for p in pieces]


def _weights(u: np.ndarray, order: int, derivative: int) -> np.ndarray:
    """The weights of the neighbours, along a last axis."""
    lines = []
    for coefficients in _pieces(order, derivative):
        w = np.full_like(u, coefficients[-1])
        for c in coefficients[-2::-1]:
            w = w * u + c
        lines.append(w)
    return np.stack(lines, axis=-1)


def _folded(i: np.ndarray, n: int, fold: str) -> np.ndarray:
    """Grid points in the place of those beyond the ends."""
    if fold == "wrap":
        return i % n
    if fold in ("nearest", "extend") or n == 1:
        return np.clip(i, 0, n - 1)
    if fold == "reflect":
        i = i % (2 * n)
        return np.minimum(i, 2 * n - 1 - i)
    i = i % (2 * n - 2)
    return np.minimum(i, 2 * n - 2 - i)


def _neighbours(x: np.ndarray, n: int, order: int, fold: str) -> tuple[np.ndarray, np.ndarray]:
    """Grid points around each place, along a last axis, and where between two of them it is."""
    x = np.where(np.isfinite(x), x, 0)  # what is not finite is NaN in the weights
    first = np.floor(x if order % 2 else x + 0.5)
    if fold == "extend":
        first = np.clip(first, 0, max(n - 2, 0)) if order else np.clip(first, 0, n - 1)
    i = first.astype(np.intp)[..., None] - order // 2 + np.arange(order + 1)
    return _folded(i, n, fold), x - first + (0.0 if order % 2 else 0.5)


def basis(t: np.ndarray, k: int, x: np.ndarray, derivative: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The first of the k + 1 B-splines that are not zero at each place, and their values or derivatives there.

    By the recurrences of de Boor ("A Practical Guide to Splines", 2001, chapters IX and X).
    """
    last = np.clip(np.searchsorted(t, x, "right") - 1, k, len(t) - k - 2)
    values = np.ones((len(x), 1))
    for n in range(1, k + 1):
        raised = n > k - derivative
        zero = np.zeros((len(x), 1))
        below, above = t[last[:, None] - n + 1 + np.arange(n)], t[last[:, None] + 1 + np.arange(n)]
        part = values / np.where(above > below, above - below, np.inf)
        if raised:
            values = n * (np.concatenate([zero, part], axis=1) - np.concatenate([part, zero], axis=1))
        else:
            left, right = (x[:, None] - below) * part, (above - x[:, None]) * part
            values = np.concatenate([zero, left], axis=1) + np.concatenate([right, zero], axis=1)
    return last - k, values if derivative <= k else np.zeros_like(values)


def _stencil(
    x: np.ndarray, shape: tuple, order: int, fold: str, nus: tuple, knots: tuple | None
) -> tuple[np.ndarray, list]:
    """Flat numbers of the neighbours of points (points, neighbours), and their weights for each of `nus`."""
    if knots is None:
        axes = [_neighbours(line, n, order, fold) for line, n in zip(x, shape, strict=True)]
    else:
        numbers = np.arange(order + 1)
        axes = [(basis(t, order, line)[0][:, None] + numbers, line) for line, t in zip(x, knots, strict=True)]
    steps = [prod(shape[k + 1 :]) for k in range(len(shape))]

    def joined(combine, lines):
        return reduce(lambda a, b: combine(a[:, :, None], b[:, None, :]).reshape(len(a), -1), lines)

    flat = joined(np.add, [i * step for (i, _), step in zip(axes, steps, strict=True)])
    wrong = ~np.isfinite(np.sum(x, axis=0))
    weights = []
    for nu in nus:
        if knots is None:
            w = joined(np.multiply, [_weights(u, order, k) for (_, u), k in zip(axes, nu, strict=True)])
        else:
            w = joined(np.multiply, [basis(t, order, u, k)[1] for (_, u), k, t in zip(axes, nu, knots, strict=True)])
        weights.append(np.where(wrong[:, None], np.nan, w) if anywhere(wrong) else w)
    return flat, weights


def _parts(count: int, order: int, dimensions: int) -> list:
    step = max(1, _AT_ONCE // (order + 1) ** dimensions)
    return [slice(i, i + step) for i in range(0, count, step)]


COMPILED = {"mirror": "mirror", "reflect": "reflect", "wrap": "grid-wrap"}
"""What SciPy calls the folds for which it has compiled code."""


def _sample(c, x, order=1, fold="mirror", nus=(), knots=None):
    """Along a first axis the derivatives `nus`, then points, then what axes `c` has beyond those of the grid."""
    d, count = x.shape
    rest = c.shape[d:]
    if nus == ((0,) * d,) and knots is None and fold in COMPILED and not rest and c.dtype == x.dtype == np.float64:
        from scipy import ndimage

        if everywhere(np.isfinite(x)):
            y = ndimage.map_coordinates(c, x, order=order, mode=COMPILED[fold], prefilter=False)
            return y[None]
    table = c.reshape(prod(c.shape[:d]), prod(rest))
    y = np.empty((len(nus), count, table.shape[1]), np.result_type(c, x))
    for part in _parts(count, order, d):
        flat, weights = _stencil(x[:, part], c.shape[:d], order, fold, nus, knots)
        values = table[flat]
        for k, w in enumerate(weights):
            y[k, part] = np.matmul(w[:, None, :], values)[:, 0]
    return y.reshape((len(nus), count, *rest))


def _spread(values, x, shape=(), order=1, fold="mirror", nus=(), knots=None):
    """Its adjoint: the coefficients feel what the points do."""
    d, count = x.shape
    g = values.reshape(len(nus), count, prod(values.shape[2:]))
    dtype = np.result_type(g, x)
    table = np.zeros((g.shape[2], prod(shape[:d])), dtype)
    for part in _parts(count, order, d):
        flat, weights = _stencil(x[:, part], shape[:d], order, fold, nus, knots)
        for channel in range(g.shape[2]):
            sent = sum(w * g[k, part, channel, None] for k, w in enumerate(weights))
            table[channel] += _counted(flat, sent, table.shape[1])
    return np.ascontiguousarray(table.T).reshape(shape)


def _counted(flat: np.ndarray, sent: np.ndarray, size: int) -> np.ndarray:
    flat = flat.ravel()
    if sent.dtype.kind == "c":
        return _counted(flat, sent.real, size) + 1j * _counted(flat, sent.imag, size)
    return np.bincount(flat, sent.ravel(), size)


def _by_points(g, c, x, order, fold, nus, knots):
    """The cotangent of the points, for `sample` at `c` with the cotangent `g`; or for `spread` with both exchanged."""
    d = x.shape[0]
    more = tuple(tuple(n + (k == axis) for k, n in enumerate(nu)) for nu, axis in itertools.product(nus, range(d)))
    slopes = sample(c, x, order=order, fold=fold, nus=more, knots=knots)
    slopes = slopes.reshape((len(nus), d, *slopes.shape[1:]))
    products = slopes * g[:, None]
    return np.sum(products, axis=(0, *range(3, products.ndim)))


def _sample_batch(c, x, batched, size, order, fold, nus, knots):
    """Of several arrays one more axis behind; of several sets of points one longer set."""
    how = {"order": order, "fold": fold, "nus": nus, "knots": knots}
    if all(batched):
        return np.stack([sample(c[i], x[i], **how) for i in range(size)])
    if batched[0]:
        return np.moveaxis(sample(np.moveaxis(c, 0, -1), x, **how), -1, 0)
    points = np.moveaxis(x, 0, 1)
    y = sample(c, np.reshape(points, (points.shape[0], -1)), **how)
    return np.moveaxis(np.reshape(y, (y.shape[0], *points.shape[1:], *y.shape[2:])), 1, 0)


sample = primitive(
    _sample,
    lambda g, x, like, order, fold, nus, knots: spread(
        g, x, shape=like.shape, order=order, fold=fold, nus=nus, knots=knots
    ),
    lambda g, c, x, order, fold, nus, knots: _by_points(g, c, x, order, fold, nus, knots),
    name="spline",
    batch=_sample_batch,
)


def _spread_by_points(g, values, x, order, fold, nus, knots):
    return _by_points(values, g, x, order, fold, nus, knots)


def _spread_batch(values, x, batched, size, shape, order, fold, nus, knots):
    how = {"order": order, "fold": fold, "nus": nus, "knots": knots}
    if not batched[1]:
        return np.moveaxis(spread(np.moveaxis(values, 0, -1), x, shape=(*shape, size), **how), -1, 0)
    return np.stack([spread(values[i] if batched[0] else values, x[i], shape=shape, **how) for i in range(size)])


spread = primitive(
    _spread,
    lambda g, x, order, fold, nus, knots: sample(g, x, order=order, fold=fold, nus=nus, knots=knots),
    _spread_by_points,
    name="spline_adjoint",
    batch=_spread_batch,
)


# Coefficients ----------------------------------------------------------------------------------------------------


_SHORT = 64
"""Of shorter lines that are reflected about their edges SciPy's coefficients are not quite those of the spline."""


def _coefficients(x, order=3, axis=-1, fold="mirror", back=False):
    """The coefficients of the spline that goes through `x`; or the adjoint of that.

    The matrix of the equations is symmetric; where it mirrors, only with half the weight of the ends.
    """
    from scipy import ndimage

    dtype, n = np.result_type(x.dtype, np.float64), x.shape[axis]
    mode = {"wrap": "grid-wrap"}.get(fold, fold)
    if back and fold == "reflect" and n < _SHORT:
        matrix = ndimage.spline_filter1d(np.eye(n), order, 0, np.float64, mode)
        return np.moveaxis(np.tensordot(matrix, x, (0, axis)), 0, axis)
    if back and fold == "mirror" and n > 1:
        ends = np.ones(n)
        ends[0] = ends[-1] = 0.5
        ends = ends.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
        return ndimage.spline_filter1d(x / ends, order, axis, dtype, mode) * ends
    return ndimage.spline_filter1d(x, order, axis, dtype, mode)


coefficients = linear(
    _coefficients,
    lambda g, order, axis, fold, back: coefficients(g, order=order, axis=axis, fold=fold, back=not back),
    name="spline_coefficients",
    batch="axis",
)
