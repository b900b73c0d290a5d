"""scipy.spatial.distance: distances between all pairs of points.

What is made of all differences is made of those of a few points at a time, so that memory is that of the result.
"""

import numpy as np
import scipy.spatial.distance as sd

from wengert.primitive import primitive
from wengert.protocol import anywhere
from wengert.rules.scipy_tools import array, double, has_wrapper, plain, primal, single_or_double, twin, unsupported

distance = "spatial.distance"


def _pairwise(a, b, metric="euclidean"):
    return sd.cdist(a, b, metric)


_AT_ONCE = 2**16
"""Differences that are held at a time, so that they stay in the cache."""


def _differences(a, b, signs):
    """For some points of `a` at a time: which, and their differences from all of `b` (or the signs of these)."""
    step = max(1, _AT_ONCE // max(1, b.size))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        difference = a[part, None] - b
        yield part, np.sign(difference) if signs else difference


def _pull(w, a, b, signs=False):
    """For each point of `a` the weighted sum of its differences from all of `b`."""
    y = np.empty(a.shape, np.result_type(w, a, b))
    for part, difference in _differences(a, b, signs):
        y[part] = np.matmul(w[part, None], difference)[:, 0]
    return y


def _weigh(v, a, b, signs=False):
    """For each pair of points the product of their difference and the vector of the first."""
    y = np.empty((len(a), len(b)), np.result_type(v, a, b))
    for part, difference in _differences(a, b, signs):
        y[part] = np.matmul(difference, v[part, :, None])[..., 0]
    return y


def _by_first(g, w, signs):
    return np.zeros_like(g) if signs else np.sum(w, axis=1)[:, None] * g


def _by_second(g, w, like, signs):
    return np.zeros_like(g, shape=like.shape) if signs else -(w.T @ g)


pull = primitive(
    _pull,
    lambda g, a, b, signs: weigh(g, a, b, signs=signs),
    lambda g, w, signs: _by_first(g, w, signs),
    lambda g, w, like, signs: _by_second(g, w, like, signs),
    name="distance.pull",
    batch="rows",
)
weigh = primitive(
    _weigh,
    lambda g, a, b, signs: pull(g, a, b, signs=signs),
    lambda g, v, signs: _by_first(v, g, signs),
    lambda g, v, like, signs: _by_second(v, g, like, signs),
    name="distance.weigh",
    batch="rows",
)


def _slopes(g, y, metric):
    """The cotangent, times what the derivative by a difference has beside the difference (or its sign)."""
    if metric == "sqeuclidean":
        return 2 * g
    if metric == "euclidean":
        zero = primal(y) == 0
        return np.where(zero, 0.0, g / np.where(zero, 1.0, y))
    return g


def _by_points(g, a, b, y, metric):
    """Products of matrices, about the middle of the points, unless some are so near that their difference is lost."""
    weights = _slopes(g, y, metric)
    if metric == "cityblock":
        return pull(weights, a, b, signs=True)
    middle, sizes = np.mean(primal(b), axis=0), np.abs(primal(y))
    spread = np.sqrt(np.max(np.sum((primal(b) - middle) ** 2, axis=1), initial=0))
    least = np.min(np.where(sizes > 0, sizes, np.inf), initial=np.inf)
    if anywhere((np.sqrt(least) if metric == "sqeuclidean" else least) < 1e-2 * spread):
        return pull(weights, a, b)
    return np.sum(weights, axis=1)[:, None] * (a - middle) - weights @ (b - middle)


_pairwise = primitive(
    _pairwise,
    lambda g, a, b, y, metric: _by_points(g, a, b, y, metric),
    lambda g, a, b, y, metric: _by_points(g.T, b, a, y.T, metric),
    name="distance.cdist",
    batch="rows",
)

NAMES = {
    "euclidean": "euclidean", "euclid": "euclidean", "eu": "euclidean", "e": "euclidean",
    "sqeuclidean": "sqeuclidean", "sqe": "sqeuclidean", "sqeuclid": "sqeuclidean",
    "cityblock": "cityblock", "cblock": "cityblock", "cb": "cityblock", "c": "cityblock", "manhattan": "cityblock",
    "cosine": "cosine", "cos": "cosine", "correlation": "correlation", "co": "correlation",
    "minkowski": "minkowski", "mi": "minkowski", "m": "minkowski", "pnorm": "minkowski",
}  # fmt: skip


@twin(sd.cdist, distance)
def cdist(XA, XB, metric="euclidean", *, out=None, **kwargs):
    a, b = double(XA), double(XB)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError("XA and XB must be matrices with the same number of columns (i.e. feature dimension.)")
    name = NAMES.get(metric) if isinstance(metric, str) else None
    if name is None:
        raise unsupported("cdist", "metric", metric, "'" + "', '".join(dict.fromkeys(NAMES.values())) + "'", a)
    if name == "minkowski":
        return _minkowski(a, b, **kwargs)
    for keyword, value in kwargs.items():
        raise unsupported("cdist", keyword, plain(value), None, a, "multiply the coordinates by the roots of weights")
    if name in ("cosine", "correlation"):
        a, b = single_or_double(a), single_or_double(b)
        if name == "correlation":
            a, b = (x - np.mean(x, axis=1, keepdims=True) for x in (a, b))
        a, b = (x / np.sqrt(np.sum(x * x, axis=1, keepdims=True)) for x in (a, b))
        return np.clip(1 - a @ b.T, 0, 2)
    return _pairwise(a, b, metric=name)


def _minkowski(a, b, p=2, w=None):
    if has_wrapper(w) or w is not None:
        raise unsupported("cdist", "w", plain(w), None, a, "multiply the coordinates by w ** (1 / p)")
    if p in (1, 2):
        return _pairwise(a, b, metric="cityblock" if p == 1 else "euclidean")
    total = 0.0
    for k in range(a.shape[1]):
        total = total + np.abs(a[:, k, None] - b[None, :, k]) ** p
    same = total == 0  # where points coincide the derivative is 0, as that of a norm
    return np.where(same, 0.0, np.where(same, 1.0, total) ** (1 / p))


@twin(sd.pdist, distance)
def pdist(X, metric="euclidean", *, out=None, **kwargs):
    """The part above the diagonal of all distances."""
    x = double(X)
    if x.ndim != 2:
        raise ValueError("A 2-dimensional array must be passed.")
    rows, columns = np.triu_indices(x.shape[0], 1)
    return cdist(x, x, metric, **kwargs)[rows, columns]


@twin(sd.squareform, distance)
def squareform(X, force="no", checks=True):
    x, form = array(X), force.lower()
    if x.ndim not in (1, 2) or (form == "tomatrix" and x.ndim == 2) or (form == "tovector" and x.ndim == 1):
        raise ValueError(f"Forcing '{form}' but input X is not a vector or matrix that it fits.")
    if x.ndim == 2:
        sd.squareform(plain(x), force, checks)  # raises what is wrong
        return x[np.triu_indices(x.shape[0], 1)]
    n = int(np.ceil(np.sqrt(len(x) * 2)))
    if n * (n - 1) != len(x) * 2:
        raise ValueError(
            "Incompatible vector size. It must be a binomial coefficient n choose 2 for some integer n >= 2."
        )
    number = np.zeros((max(n, 1), max(n, 1)), int)
    number[np.triu_indices(n, 1)] = np.arange(1, len(x) + 1)
    return np.concatenate([np.zeros(1, x.dtype), x])[number + number.T]
