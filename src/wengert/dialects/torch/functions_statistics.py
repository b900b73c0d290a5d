"""Counting, sorting into bins, differences, covariances and distances."""

from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OptionError, TorchError
from wengert.dialects.torch.functions_reductions import norm
from wengert.dialects.torch.making import axis_of, bare, entry, named, spell
from wengert.dialects.torch.tensor import Tensor

# Counting ----------------------------------------------------------------------------------------------------------


def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each number occurs, or the sums of the weights."""
    counts = np.bincount(bare(input), None if weights is None else bare(weights), minlength)
    return Tensor._box(counts if weights is None else counts.astype(weights._spec.dtype, copy=False))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals."""
    value = np.asarray(bare(input))
    limits = (value.min(), value.max()) if min == max == 0 else (min, max)
    return Tensor._box(np.histogram(value, bins, limits)[0].astype(value.dtype))


def searchsorted(sorted_sequence: Tensor, values: Any, *, right: bool = False, side: Any = None) -> Tensor:
    """Where values would have to be inserted to keep the order."""
    side = side or ("right" if right else "left")
    return Tensor._box(np.asarray(np.searchsorted(bare(sorted_sequence), bare(values), side)))


def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """The numbers of the intervals that elements lie in."""
    return searchsorted(boundaries, input, right=right)


def quantile(input: Tensor, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantiles of all elements or along a dimension; they have no derivative rule yet."""
    result = entry(np.quantile)(input, bare(q), axis=dim, keepdims=keepdim, method=interpolation)
    return Tensor._box(np.asarray(result, input._spec.dtype))


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The different elements in order, with where each element is among them and how often each occurs."""
    value, axis = np.asarray(bare(input)), dim
    values, inverse, counts = np.unique(value, return_inverse=True, return_counts=True, axis=axis)
    found = [values]
    if return_inverse:
        found.append(inverse.reshape(value.shape) if axis is None else inverse.reshape(-1))
    if return_counts:
        found.append(counts)
    return Tensor._box(values) if len(found) == 1 else tuple(map(Tensor._box, found))


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or, along `dim`, the slices) that differ from the one before; see `unique`."""
    value = np.asarray(bare(input))
    rows = value.reshape(-1, 1) if dim is None else np.moveaxis(value, dim, 0).reshape(value.shape[dim], -1)
    starts = np.append(True, np.any(rows[1:] != rows[:-1], axis=1))[: len(rows)]
    places = np.flatnonzero(starts)
    values = value.reshape(-1)[places] if dim is None else np.take(value, places, dim)
    found = [values]
    if return_inverse:
        inverse = np.cumsum(starts) - 1
        found.append(inverse.reshape(value.shape) if dim is None else inverse)
    if return_counts:
        found.append(np.diff(np.append(places, len(rows))))
    return Tensor._box(values) if len(found) == 1 else tuple(map(Tensor._box, found))


# Differences -------------------------------------------------------------------------------------------------------


def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The differences of neighbours along a dimension, `n` times."""
    axis = axis_of("diff", input, dim)
    parts = [part for part in (prepend, input, append) if part is not None]
    x = entry(np.concatenate)(parts, axis) if len(parts) > 1 else input
    for _ in range(n):
        upper, lower = ((slice(None),) * axis + (cut,) for cut in (slice(1, None), slice(None, -1)))
        x = x[upper] - x[lower]
    return x


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral along a dimension by the trapezoidal rule."""
    axis = axis_of("trapezoid", y, dim)
    upper, lower = ((slice(None),) * axis + (cut,) for cut in (slice(1, None), slice(None, -1)))
    width = (1 if dx is None else dx) if x is None else diff(x, dim=-1 if x._spec.ndim == 1 else dim)
    if x is not None and x._spec.ndim == 1:
        width = width.reshape((-1,) + (1,) * (y._spec.ndim - 1 - axis))
    return ((y[upper] + y[lower]) * width / 2).sum(axis)


trapz = trapezoid


def cov(input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """Covariances of the rows."""
    if fweights is not None or aweights is not None:
        raise OptionError("[cov] fweights=None and aweights=None were required; received weights; repeat columns")
    if input._spec.ndim > 2:
        raise TorchError(f"[cov] expected input to have two or fewer dimensions; received {input._spec!r}")
    rows = entry(np.atleast_2d)(input)
    centred = rows - rows.mean(1, keepdim=True)
    product = centred @ entry(np.conjugate)(centred).T / (rows._spec.shape[1] - correction)
    return product if input._spec.ndim == 2 else product.reshape(())


def corrcoef(input: Tensor) -> Tensor:
    """Correlations of the rows."""
    c = cov(input)
    if not c._spec.ndim:
        return c / c
    scale = c.diagonal() ** 0.5
    return c / scale[:, None] / scale[None, :]


# Distances ---------------------------------------------------------------------------------------------------------


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: Any = None) -> Tensor:
    """The p-norms of the differences of all pairs of rows."""
    return named(norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1), "CdistBackward0")


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of different rows, in order."""
    rows, columns = np.triu_indices(input._spec.shape[0], 1)
    return norm(input[rows] - input[columns], p, -1)


_METHODS = ("bincount", "corrcoef", "cov", "diff", "histc", "quantile", "unique", "unique_consecutive")
spell(globals(), ("diff", "quantile"))
METHODS = {name: globals()[name] for name in _METHODS}
__all__ = [*_METHODS, "bucketize", "cdist", "pdist", "searchsorted", "trapezoid", "trapz"]
