"""Statistics: covariances, correlations, histograms."""

import warnings
from typing import Any

import numpy as np

from wengert.primitive import composite, is_wrapper, primitive
from wengert.protocol import anywhere, constant, innermost
from wengert.rules.elementwise import is_complex
from wengert.rules.ufunc_methods import array

# Covariances -----------------------------------------------------------------------------------------------------


def _variables(m: Any, rowvar: bool, dtype: Any) -> Any:
    """Variables as rows, observations as columns."""
    if m.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    m = np.astype(m, dtype, copy=False)
    if m.ndim < 2:
        return np.reshape(m, (1, -1))
    return m if rowvar else np.transpose(m)


def _weights(name: str, weights: Any, n: int) -> Any:
    weights = np.astype(array(weights), float, copy=False)
    if weights.ndim > 1:
        raise RuntimeError(f"cannot handle multidimensional {name}")
    if weights.shape[0] != n:
        raise RuntimeError(f"incompatible numbers of samples and {name}")
    if anywhere(weights < 0):
        raise ValueError(f"{name} cannot be negative")
    return weights


def _gram(x):
    """The products of all rows."""
    return x @ _adjoint(x)


def _adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2)) if is_complex(x) else np.swapaxes(x, -1, -2)


_gram = primitive(_gram, lambda g, x: (g + _adjoint(g)) @ x, holomorphic=False, batch="leading")


@composite(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    given = [array(v) for v in (m, y) if v is not None]
    dtype = np.result_type(*[v.dtype for v in given], float) if dtype is None else np.dtype(dtype)
    rows = [_variables(v, rowvar, dtype) for v in given]
    if rows[0].shape[0] == 0:
        return np.zeros((0, 0))
    x = rows[0] if len(rows) == 1 else np.concatenate(rows, axis=0)
    ddof = int(not bias) if ddof is None else ddof
    n = x.shape[1]
    if fweights is not None:
        fweights = _weights("fweights", fweights, n)
        if anywhere(fweights != np.rint(fweights)):
            raise TypeError("fweights must be integer")
    if aweights is not None:
        aweights = _weights("aweights", aweights, n)
    w = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    if w is None:
        mean, freedom = np.mean(x, axis=1, keepdims=True), n - ddof
    else:
        mean, total = np.average(x, axis=1, weights=w, returned=True)
        mean, total = mean[:, None], total[0]
        # The reliability weights spend as many degrees of freedom as their mean square says.
        spent = ddof if aweights is None or not ddof else ddof * np.sum(w * aweights) / total
        freedom = total - spent
    if anywhere(freedom <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        freedom = 0.0
    x = x - mean
    products = _gram(x) if w is None else x @ _adjoint(x * w)
    return np.squeeze(products * np.astype(np.true_divide(1, freedom), x.real.dtype, copy=False))


@composite(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = np.cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviation[:, None] / deviation[None, :]
    # What rounding puts beyond 1 is brought back, which is no business of the derivative.
    plain = constant(c)
    inside = np.clip(plain.real, -1, 1)
    if is_complex(plain):
        inside = inside + 1j * np.clip(plain.imag, -1, 1)
    outside = inside != plain
    return c + np.where(outside, inside - plain, 0) if anywhere(outside & ~np.isnan(plain)) else c


# Histograms ------------------------------------------------------------------------------------------------------
# Counts do not depend on where in its bin a sample lies: they are plain. Sums of weights are linear in the weights; and
# edges that NumPy spreads between the least and the greatest sample move with these.


def _edges(a: Any, bins: Any, limits: Any, plain: np.ndarray) -> Any:
    """The edges of bins, with a history if they have one."""
    if np.ndim(bins):
        return bins if is_wrapper(bins) else plain
    if limits is not None or not is_wrapper(a) or not a.size or a.dtype.kind != "f":
        return plain
    low, high = np.min(a), np.max(a)
    apart = 0.0 if low != high else 0.5
    return np.linspace(low - apart, high + apart, len(plain), dtype=plain.dtype)


@composite(np.histogram_bin_edges)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    plain = np.histogram_bin_edges(innermost(a), innermost(bins), range, innermost(weights))
    return _edges(a, bins, range, plain)


def _bins(samples: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The number of each sample's bin; -1, or the number of bins, if it is outside. The last bin is closed."""
    index = np.searchsorted(edges, samples, side="right") - 1
    return np.where(samples == edges[-1], len(edges) - 2, index) if len(edges) else index


def _weighted(weights: Any, index: np.ndarray, n: int) -> Any:
    """Sums of the weights in each of `n` bins."""
    # Those outside have a bin of their own in front.
    index = np.where((index >= 0) & (index < n), index + 1, 0)
    if weights.dtype.char in "efd":
        return np.astype(np.bincount(index, weights, n + 1)[1:], weights.dtype, copy=False)
    sums = np.zeros_like(weights, shape=(n + 1,))
    np.add.at(sums, index, weights)
    return sums[1:]


@composite(np.histogram)
def histogram(a, bins=10, range=None, density=None, weights=None):
    plain_a = np.asarray(innermost(a))
    counts, plain_edges = np.histogram(plain_a, innermost(bins), range, None, innermost(weights))
    edges = _edges(a, bins, range, plain_edges)
    if weights is not None and is_wrapper(weights):
        counts = _weighted(np.ravel(weights), _bins(plain_a.ravel(), plain_edges), len(plain_edges) - 1)
    if not density:
        return counts, edges
    widths = np.astype(np.diff(edges), float)
    return counts / widths / np.sum(counts), edges


@composite(np.histogramdd)
def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    columns = list(np.transpose(sample)) if hasattr(sample, "shape") else [array(s) for s in sample]
    each = list(bins) if np.iterable(bins) else [bins] * len(columns)
    plain = np.stack([np.asarray(innermost(c)) for c in columns], axis=-1)
    counts, plain_edges = np.histogramdd(
        plain, [innermost(b) for b in each], range, None, None if weights is None else np.asarray(innermost(weights))
    )
    limits = [None] * len(columns) if range is None else range
    parts = zip(columns, each, limits, plain_edges, strict=True)
    edges = [_edges(c, b, r, e) for c, b, r, e in parts]
    if is_wrapper(weights):
        places = np.stack([_bins(p, e) for p, e in zip(plain.T, plain_edges, strict=True)])
        inside = np.all((places >= 0) & (places < np.reshape(counts.shape, (-1, 1))), axis=0)
        index = np.full(len(plain), -1)
        index[inside] = np.ravel_multi_index(tuple(places[:, inside]), counts.shape)
        counts = np.reshape(_weighted(np.astype(weights, float, copy=False), index, counts.size), counts.shape)
    if density:
        total = np.sum(counts)
        for i, e in enumerate(edges):
            counts = counts / np.reshape(np.diff(e), [-1 if i == k else 1 for k, _ in enumerate(edges)])
        counts = counts / total
    return counts, edges


@composite(np.histogram2d)
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    x, y = array(x), array(y)
    if len(x) != len(y):
        raise ValueError("x and y must have the same length.")
    if np.iterable(bins) and len(bins) not in (1, 2):
        bins = [bins, bins]  # the edges of both
    counts, (first, second) = np.histogramdd([x, y], bins, range, density, weights)
    return counts, first, second
