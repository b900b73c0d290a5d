"""Polynomials by their coefficients, the highest power first: values, products, quotients, roots, fits."""

import itertools
import warnings

import numpy as np

from wengert.primitive import composite, primitive
from wengert.protocol import everywhere, innermost, lying
from wengert.rules.fft import fit_length
from wengert.rules.sampling import _convolve_valid


def _array(x):
    return x if hasattr(x, "ndim") else np.asarray(x)


# Values ----------------------------------------------------------------------------------------------------------


def _polyval(p, x):
    return np.polyval(p, x)


def _moments(c, x, count=1):
    """Adjoint of the values in the coefficients: the sums of c, c x, c x^2 ..., the last of them first."""
    c, x = c.ravel(), x.ravel()
    sums = np.empty(count, np.result_type(c, x))
    for k in range(count):
        sums[count - 1 - k] = np.sum(c)
        c = c * x
    return sums


def _slope(p, x):
    """The value of the derivative of a polynomial."""
    n = p.shape[0] - 1
    return _polyval(p[:-1] * np.arange(n, 0, -1).astype(p.dtype), x)


_polyval = primitive(
    _polyval,
    lambda g, x, like: _moments(g, x, count=like.shape[0]),
    lambda g, p, x: g * _slope(p, x),
    batch=lambda p, x: _horner(p, x),
)
_moments = primitive(
    _moments,
    lambda g, x: _polyval(g, x),
    lambda g, c, x: c * _slope(g, x),
    batch=lambda c, x, count: _sums(c, x, count),
)


def _horner(p, x):
    """The values for a batch of polynomials."""
    y = np.zeros_like(x, dtype=np.result_type(p, x))
    for k in range(p.shape[1]):
        y = y * x + np.reshape(p[:, k], (-1, *(1,) * (x.ndim - 1)))
    return y


def _sums(c, x, count):
    """The moments of each member of a batch."""
    c, x = (np.reshape(v, (v.shape[0], -1)) for v in (c, x))
    sums = []
    for _ in range(count):
        sums.append(np.sum(c, axis=1))
        c = c * x
    return np.stack(sums[::-1], axis=1) if count else np.zeros_like(c[:, :0])


@composite(np.polyval)
def polyval(p, x):
    p, x = _array(p), _array(x)
    if p.ndim == 1:
        return _polyval(p, x)
    y = np.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


def _vander(x, columns=1):
    return np.vander(x, columns, increasing=True)


def _vander_back(g, y):
    powers = np.arange(1, y.shape[1]).astype(y.dtype)
    return np.sum(g[:, 1:] * powers * y[:, :-1], axis=1)


def _powers_each(x, columns):
    x = np.astype(x, np.promote_types(x.dtype, int), copy=False)  # as NumPy does
    ones = np.ones_like(x[..., None])
    factors = [ones, *[x[..., None]] * (columns - 1)]
    return np.cumprod(np.concatenate(factors[:columns] or [ones[..., :0]], axis=-1), axis=-1)


_vander = primitive(_vander, lambda g, y: _vander_back(g, y), batch=lambda x, columns: _powers_each(x, columns))


@composite(np.vander)
def vander(x, N=None, increasing=False):
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    powers = _vander(x, columns=len(x) if N is None else N)
    return powers if increasing else lying(np.flip(powers, 1), "C")


# Arithmetic ------------------------------------------------------------------------------------------------------


def _with_zeros(a, n):
    """The same polynomial with zeros for powers that are missing."""
    return np.concatenate([np.zeros(n - len(a), a.dtype), a]) if len(a) < n else a


def _termwise(operation):
    def termwise(a1, a2):
        a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
        n = max(len(a1), len(a2))
        return operation(_with_zeros(a1, n), _with_zeros(a2, n))

    return termwise


composite(np.polyadd)(_termwise(np.add))
composite(np.polysub)(_termwise(np.subtract))


def _without_leading_zeros(a):
    a = np.trim_zeros(np.atleast_1d(a), "f")
    return a if len(a) else np.zeros(1, a.dtype)


@composite(np.polymul)
def polymul(a1, a2):
    return np.convolve(_without_leading_zeros(a1), _without_leading_zeros(a2))


def _quotient(u, v):
    """The first len(u) terms of the series u / v."""
    return np.polydiv(np.concatenate([u, np.zeros(len(v) - 1, u.dtype)]), v)[0]


def _quotient_u(g, v):
    """A triangular Toeplitz matrix is solved with; its transpose is the same matrix, read from the other end."""
    return _quotient(g[::-1], v)[::-1]


def _quotient_v(g, v, y):
    back = fit_length(_quotient_u(g, v), g.shape[0] + v.shape[0] - 1, 0)
    return -_convolve_valid(back, y[::-1])


_quotient = primitive(_quotient, lambda g, v: _quotient_u(g, v), lambda g, v, y: _quotient_v(g, v, y))


@composite(np.polydiv)
def polydiv(u, v):
    # NumPy cuts leading zeros off the rest, or what rounding has made of them: as many as there.
    _, plain_rest = np.polydiv(innermost(u), innermost(v))
    u, v = np.atleast_1d(u) + 0.0, np.atleast_1d(v) + 0.0
    dtype = np.result_type(u, v)
    u, v = np.astype(u, dtype, copy=False), np.astype(v, dtype, copy=False)
    terms = len(u) - len(v) + 1
    if terms < 1:
        quotient, rest = np.zeros(1, dtype), u
    else:
        quotient = _quotient(u[:terms], v)
        rest = u - np.convolve(quotient, v)
    return quotient, rest[len(rest) - len(plain_rest) :]


@composite(np.polyder)
def polyder(p, m=1):
    m = int(m)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composite(np.polyint)
def polyint(p, m=1, k=None):
    m = int(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    k = np.zeros(m) if k is None else np.atleast_1d(k)
    if len(k) == 1 and m > 1:
        k = k[0] * np.ones(m)
    if len(k) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    p = _array(p)
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), k[i : i + 1]])
    return p


# Roots -----------------------------------------------------------------------------------------------------------


def _products(roots, count):
    """The coefficients of the products of no factor, of one, of two, and so on up to `count`."""
    product = one = np.ones_like(roots[:1])
    yield product
    for i in range(count):
        product = np.convolve(product, np.concatenate([one, -roots[i : i + 1]]))
        yield product


def _from_roots(roots):
    return next(itertools.islice(_products(roots, len(roots)), len(roots), None))


def _from_roots_back(g, roots):
    """Of the product with one factor after the other, from the last: of its root, and of the product before."""
    found = []
    before = list(_products(roots, len(roots) - 1))
    for i in range(len(roots) - 1, -1, -1):
        found.append(-np.matmul(g[1:], before[i]))
        g = g[:-1] - roots[i] * g[1:]
    return np.stack(found[::-1])


_from_roots = primitive(_from_roots, lambda g, roots: _from_roots_back(g, roots), batch="rows")


@composite(np.poly)
def poly(seq_of_zeros):
    roots = np.atleast_1d(seq_of_zeros)
    if roots.ndim == 2 and roots.shape[0] == roots.shape[1] != 0:
        roots = np.linalg.eigvals(roots)
    elif roots.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if not len(roots):
        return 1.0
    dtype = np.dtype(np.mintypecode(roots.dtype.char))
    roots = np.astype(roots, dtype, copy=False)
    product = _from_roots(roots)
    if dtype.kind == "c":
        known = np.sort(np.asarray(innermost(roots), complex))
        if everywhere(known == np.sort(np.conjugate(known))):
            return np.copy(np.real(product))
    return product


def _roots(p):
    return np.roots(p)


def _roots_back(g, p, y, like):
    """From p(r) = 0 follows dr = -dp(r) / p'(r)."""
    slope = _slope(p, y)
    slope = np.where((slope == 0) & (g == 0), 1, slope)  # repeated roots have no derivative, but may not matter
    return _moments(-g / slope, y, count=like.shape[0])


_roots = primitive(_roots, _roots_back)


@composite(np.roots)
def roots(p):
    return _roots(np.atleast_1d(p))


# Fits ------------------------------------------------------------------------------------------------------------


@composite(np.polyfit)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    order, x, y = int(deg) + 1, _array(x) + 0.0, _array(y) + 0.0
    _check_points(deg, x, y)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    powers, values = np.astype(np.vander(x, order), np.result_type(x.dtype, float), copy=False), y
    if w is not None:
        w = _array(w) + 0.0
        if w.ndim != 1:
            raise TypeError("expected a 1-d array for weights")
        if len(w) != len(y):
            raise TypeError("expected w and y to have the same length")
        powers = powers * w[:, None]
        values = values * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    powers = powers / scale
    solution, residuals, rank, s = np.linalg.lstsq(powers, values, rcond)
    c = np.transpose(np.transpose(solution) / scale)
    if rank != order and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if full:
        return c, residuals, rank, s, rcond
    if not cov:
        return c
    base = np.linalg.inv(np.dot(np.transpose(powers), powers)) / np.outer(scale, scale)
    factor = 1
    if cov != "unscaled":
        if len(x) <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = residuals / (len(x) - order)
    return c, (base if y.ndim == 1 else base[:, :, None]) * factor


def _check_points(deg, x, y):
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if not x.size:
        raise TypeError("expected non-empty vector for x")
    if not 1 <= y.ndim <= 2:
        raise TypeError("expected 1D or 2D array for y")
    if len(x) != len(y):
        raise TypeError("expected x and y to have same length")
