"""Sampled functions: convolution, interpolation, histograms with weights."""

import math

import numpy as np

from wengert.primitive import bilinear, composite, is_wrapper, primitive
from wengert.protocol import anywhere, constant, everywhere, innermost, is_recorded
from wengert.rules.elementwise import choose, is_complex
from wengert.rules.indexing import at
from wengert.rules.products import _array as array

# Convolution -----------------------------------------------------------------------------------------------------
# The adjoint of all of a convolution is the valid part of another, and the other way round: as fast as the function.


def _convolve_all(a, b):
    return np.convolve(a, b)


def _convolve_valid(a, b):
    """Where `b`, which is not the longer one, lies in `a` altogether."""
    return np.convolve(a, b, "valid")


def _valid(a, b):
    return _convolve_valid(a, b[::-1])


_convolve_all = bilinear(
    _convolve_all, lambda g, b: _valid(g, b), lambda g, a: _valid(g, a), batch=lambda a, b: _all_each(a, b)
)
_convolve_valid = bilinear(
    _convolve_valid,
    lambda g, b: _convolve_all(g, b[::-1]),
    lambda g, a: _convolve_valid(a, g[::-1])[::-1],
    batch=lambda a, b: _valid_each(a, b),
)


def _valid_each(a, b):
    """For a batch: the windows of `a`, each times `b` turned round."""
    return (np.lib.stride_tricks.sliding_window_view(a, b.shape[1], 1) @ np.flip(b, 1)[..., None])[..., 0]


def _all_each(a, b):
    a, b = (a, b) if a.shape[1] >= b.shape[1] else (b, a)
    margin = b.shape[1] - 1
    return _valid_each(np.pad(a, ((0, 0), (margin, margin))), b)


def _signal(name, x):
    x = np.reshape(x, (1,)) if not np.ndim(x) else x if hasattr(x, "ndim") else np.asarray(x)
    if not x.size:
        raise ValueError(f"{name} cannot be empty")
    if x.ndim > 1:
        raise ValueError("object too deep for desired array")
    return x


MODES = {"valid": "valid", "same": "same", "full": "full", "v": "valid", "s": "same", "f": "full",
         0: "valid", 1: "same", 2: "full"}  # fmt: skip


def _mode(mode):
    if mode not in MODES:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    return MODES[mode]


@composite(np.convolve)
def convolve(a, v, mode="full"):
    mode, a, v = _mode(mode), _signal("a", a), _signal("v", v)
    return _convolved(a, v, mode, (min(len(a), len(v)) - 1) // 2)


def _convolved(a, v, mode, start):
    """`start` is where in the whole the middle part begins, which is as long as the longer operand."""
    if len(a) < len(v):
        a, v = v, a
    if mode == "valid":
        return _convolve_valid(a, v)
    whole = _convolve_all(a, v)
    return whole if mode == "full" else whole[start : start + len(a)]


@composite(np.correlate)
def correlate(a, v, mode="valid"):
    mode, a, v = _mode(mode), _signal("a", a), _signal("v", v)
    start = (len(v) - 1) // 2 if len(a) >= len(v) else len(a) // 2
    return _convolved(a, np.conjugate(v[::-1]) if is_complex(v) else v[::-1], mode, start)


# Interpolation ---------------------------------------------------------------------------------------------------


def _interp(x, xp, fp):
    return np.interp(x, xp, fp)


def _pieces(x, xp):
    """For each x the piece that it lies in, the portion of it that lies to the left of x, and whether x is inside."""
    where, points = constant(x), constant(xp)
    piece = _piece(where, points)
    inside = (where >= points[0]) & (where <= points[-1])
    portion = (x - _at(xp, piece)) / _at(_widths(xp), piece)
    if anywhere(points[-2] == points[-1]):  # the last piece has no width
        portion = np.where((points[-2] == points[-1]) & (where == points[-1]), 1.0, portion)
    if not everywhere(inside):
        portion = np.where(inside, portion, np.where(where > points[-1], 1.0, 0.0))
    return piece, portion, inside


def _piece(x, xp):
    """The number of the piece that each x lies in; of batches, by counting the points that are not beyond it."""
    if (is_wrapper(x) or is_wrapper(xp)) and not (is_recorded(x) or is_recorded(xp)):
        before = np.sum(np.astype(xp <= x[..., None], int), axis=-1)
    else:
        before = np.searchsorted(xp, x, "right")
    return np.clip(before - 1, 0, len(xp) - 2)


def _at(v, piece):
    """The elements of a line at these places, which may be others in each example of a batch, as `v` then must be."""
    shared = not is_wrapper(piece) or is_recorded(piece)
    return np.take(v if shared else v + 0 * np.sum(piece), piece)


def _interp_each(x, xp, fp, batched):
    """With points that all share it is the function itself; else the line of the piece that each x lies in."""
    if not batched[1] and not batched[2]:
        return _interp(x, xp, fp)
    x, xp, fp = (v if ours else v[None] for v, ours in zip((x, xp, fp), batched, strict=True))
    n = max(len(x), len(xp), len(fp))
    rows = np.broadcast_to(np.reshape(x, (len(x), math.prod(x.shape[1:]))), (n, math.prod(x.shape[1:])))
    xp, fp = (np.broadcast_to(v, (n, v.shape[1])) for v in (xp, fp))
    before = np.sum(np.astype(xp[:, None, :] <= rows[..., None], int), axis=-1)
    piece = np.clip(before - 1, 0, xp.shape[1] - 2)
    left, low, high = (np.take_along_axis(v, k, 1) for v, k in ((xp, piece), (fp, piece), (fp, piece + 1)))
    width = np.take_along_axis(xp, piece + 1, 1) - left
    y = low + (rows - left) * ((high - low) / np.where(width == 0, 1.0, width))
    y = np.where(rows >= xp[:, -1:], fp[:, -1:], np.where(rows < xp[:, :1], fp[:, :1], y))
    return np.reshape(y, (n, *x.shape[1:]))


def _widths(xp):
    widths = xp[1:] - xp[:-1]
    return np.where(widths == 0, 1.0, widths)


def _times_slopes(g, piece, inside, xp, fp):
    slope = _at(np.where(xp[1:] == xp[:-1], 0.0, (fp[1:] - fp[:-1]) / _widths(xp)), piece)
    if not everywhere(np.isfinite(slope)):  # a zero cotangent wins
        slope = np.where((g == 0) & ~np.isfinite(slope), 0.0, slope)
    return g * slope if everywhere(inside) else np.where(inside, g * slope, 0.0)


def _to_points(g, piece, portion, n):
    piece, right = piece.ravel(), np.ravel(g * portion)
    return _sums(piece, np.ravel(g) - right, n) + _sums(piece + 1, right, n)


def _interp_x(g, x, xp, fp):
    piece, _, inside = _pieces(x, xp)
    return _times_slopes(g, piece, inside, xp, fp)


def _interp_xp(g, x, xp, fp):
    piece, portion, inside = _pieces(x, xp)
    return -_to_points(_times_slopes(g, piece, inside, xp, fp), piece, portion, len(xp))


def _interp_fp(g, x, xp):
    piece, portion, _ = _pieces(x, xp)
    return _to_points(g, piece, portion, len(xp))


_interp = primitive(
    _interp,
    _interp_x,
    _interp_xp,
    _interp_fp,
    batch=lambda x, xp, fp, batched: _interp_each(x, xp, fp, batched),
)


@composite(np.interp)
def interp(x, xp, fp, left=None, right=None, period=None):
    """Linear between the points, on the line to the right at a point, and constant beyond the ends.

    The derivative is the slope; at the last point, where there is nothing to the right, that to the left, as if x were
    inside.
    """
    x, xp, fp = _doubles(x), _doubles(xp), _doubles(fp)
    if fp.ndim != 1 or xp.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if period is not None:
        x, xp, fp = _periodic(x, xp, fp, period)
        left = right = None
    if not len(xp):
        raise ValueError("array of sample points is empty")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length.")
    where, points = constant(x), constant(xp)
    missing = np.isnan(where)
    inner = choose(missing, xp[0], x) if anywhere(missing) else x
    y = _interp(inner, xp, fp) if len(xp) > 1 else np.broadcast_to(fp[0], np.shape(x))
    # Of a single point NumPy asks only on which side of it x is.
    y = choose(missing, x, y) if len(xp) > 1 and anywhere(missing) else y
    left, right = (x if x is None else np.astype(array(x), y.dtype, copy=False)[()] for x in (left, right))
    y = y if left is None else choose(where < points[0], left, y)
    return y if right is None else choose(where > points[-1], right, y)


def _doubles(x):
    x = x if hasattr(x, "ndim") else np.asarray(x)
    dtype = np.complex128 if x.dtype.kind == "c" else np.float64
    return x if x.dtype == dtype else np.astype(x, dtype)


def _periodic(x, xp, fp, period):
    if anywhere(period == 0):
        raise ValueError("period must be a non-zero value")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length")
    period = np.abs(period)
    x, xp = np.remainder(x, period), np.remainder(xp, period)
    order = np.argsort(xp)
    xp, fp = at(xp, order), at(fp, order)
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])


# Histograms ------------------------------------------------------------------------------------------------------
# Counts have no derivative; sums of weights are linear in them, and the edges may follow from the smallest and the
# largest value.


def _values(value):
    """The plain value of an argument: of tensors, and of sequences of them."""
    return type(value)(map(_values, value)) if isinstance(value, (list, tuple)) else innermost(value)


@composite(np.histogram_bin_edges)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    edges = np.histogram_bin_edges(*map(_values, (a, bins, range, weights)))
    if np.ndim(bins) == 1:
        return bins if hasattr(bins, "ndim") else edges
    low, high = range if range is not None else (np.min(a), np.max(a)) if np.size(a) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, len(edges), dtype=edges.dtype)


def _bins_of(x, edges):
    """The bin of each value; the last one includes its upper edge."""
    bins = np.searchsorted(edges, x, "right") - 1
    bins[x == edges[-1]] -= 1
    return bins


def _sums(bins, weights, n):
    if is_complex(weights):
        return _sums(bins, np.real(weights), n) + 1j * _sums(bins, np.imag(weights), n)
    if is_wrapper(bins):  # each example of a batch has bins of its own
        return np.sum(np.where(bins[..., None] == np.arange(n), weights[..., None], 0), axis=0)
    return np.bincount(bins, weights, n) if bins.size else np.zeros(n)  # of no weights NumPy gives integers


@composite(np.histogram)
def histogram(a, bins=10, range=None, density=None, weights=None):
    edges = np.histogram_bin_edges(a, bins, range, weights)
    if weights is None:
        counts, _ = np.histogram(*map(_values, (a, bins, range)))
    else:
        if np.shape(weights) != np.shape(a):
            raise ValueError("weights should have the same shape as a.")
        values, weights = np.ravel(_values(a)), np.ravel(weights)
        known = np.histogram_bin_edges(*map(_values, (values, bins, range)))
        place = _bins_of(values, known)
        inside = (place >= 0) & (place < len(known) - 1)
        counts = np.astype(_sums(place[inside], weights[inside], len(known) - 1), weights.dtype)
    return (counts / np.diff(edges) / np.sum(counts) if density else counts), edges


@composite(np.histogramdd)
def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    columns = [sample[:, i] for i in np.arange(sample.shape[1])] if hasattr(sample, "shape") else list(sample)
    count, plain_edges = np.histogramdd(*map(_values, (sample, bins, range)))
    bins = bins if hasattr(bins, "__len__") else [bins] * len(columns)
    ranges = [None] * len(columns) if range is None else range
    edges = [np.histogram_bin_edges(*each) for each in zip(columns, bins, ranges, strict=True)]
    if weights is not None:
        places = [_bins_of(_values(x), known) for x, known in zip(columns, plain_edges, strict=True)]
        inside = np.all([(p >= 0) & (p < n) for p, n in zip(places, count.shape, strict=True)], axis=0)
        flat = np.ravel_multi_index([place[inside] for place in places], count.shape)
        count = np.reshape(_sums(flat, weights[inside], count.size), count.shape)
    if density:
        total = np.sum(count)
        for i, edge in enumerate(edges):
            count = count / np.reshape(np.diff(edge), [-1 if k == i else 1 for k in np.arange(count.ndim)])
        count = count / total
    return count, edges


@composite(np.histogram2d)
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    if hasattr(bins, "__len__") and len(bins) not in (1, 2):
        bins = [bins, bins]
    count, (x_edges, y_edges) = np.histogramdd([x, y], bins, range, density, weights)
    return count, x_edges, y_edges
