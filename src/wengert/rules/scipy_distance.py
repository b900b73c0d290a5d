"""scipy.spatial.distance: distances between all pairs of points.

Distances are summed over coordinates one after the other, so that memory is that of the result.
"""

import numpy as np
import scipy.spatial.distance as sd

from wengert.primitive import primitive
from wengert.rules.scipy_tools import array, double, has_wrapper, plain, twin, unsupported

distance = "spatial.distance"


def _pairwise(a, b, metric="euclidean"):
    return sd.cdist(a, b, metric)


def _slopes(g, a, b, y, metric):
    """The cotangent times what the derivative by a difference has beside the difference (or its sign)."""
    if metric == "sqeuclidean":
        return 2 * g
    if metric == "euclidean":
        zero = np.where(plain(y) == 0, 1.0, 0.0)
        return np.where(plain(y) == 0, 0.0, g / (y + zero))
    return g


def _pairwise_a(g, a, b, y, metric):
    weights = _slopes(g, a, b, y, metric)
    lines = []
    for k in range(a.shape[1]):
        difference = a[:, k, None] - b[None, :, k]
        difference = np.sign(plain(difference)) if metric == "cityblock" else difference
        lines.append(np.sum(weights * difference, axis=1))
    return np.stack(lines, axis=1) if lines else np.zeros_like(a)


def _pairwise_b(g, a, b, y, metric):
    return _pairwise_a(g.T, b, a, y.T, metric)


_pairwise = primitive(_pairwise, _pairwise_a, _pairwise_b, name="distance.cdist")

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
    if out is not None:
        raise unsupported("cdist", "out", "an array", None, a)
    name = NAMES.get(metric) if isinstance(metric, str) else None
    if name is None:
        raise unsupported("cdist", "metric", metric, "'" + "', '".join(dict.fromkeys(NAMES.values())) + "'", a)
    if name == "minkowski":
        return _minkowski(a, b, **kwargs)
    for keyword, value in kwargs.items():
        raise unsupported("cdist", keyword, plain(value), None, a, "multiply the coordinates by the roots of weights")
    if name in ("cosine", "correlation"):
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
    return total ** (1 / p)


@twin(sd.pdist, distance)
def pdist(X, metric="euclidean", *, out=None, **kwargs):
    """The part above the diagonal of all distances."""
    x = double(X)
    if x.ndim != 2:
        raise ValueError("A 2-dimensional array must be passed.")
    if out is not None:
        raise unsupported("pdist", "out", "an array", None, x)
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
