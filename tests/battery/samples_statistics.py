"""Samples of statistics, of reductions that pass over NaNs, of ufuncs' methods, sets, slopes and running sums."""

import numpy as np
from tests.battery.samples import A, M, P, U, args, ints, real, samples, singular

from wengert.rules import elementwise

NAN = np.nan


def holes(*shape):
    """Numbers with NaNs among them."""
    x = np.array(A(*shape))
    x.flat[1::3] = np.nan
    return x


def squares(x):
    return x * x


def pairs(x, factor=1.0):
    """Two elements of a line, for the axis."""
    return x[:2] * factor


# Quantiles -------------------------------------------------------------------------------------------------------
# Differences end where two elements change places: the values are as far apart as samples of few elements are.

METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip

for _function, _scale in (
    (np.quantile, 1.0),
    (np.percentile, 100.0),
    (np.nanquantile, 1.0),
    (np.nanpercentile, 100.0),
):
    samples(
        _function,
        *(real(A(2, 3), 0.37 * _scale, method=method) for method in METHODS),
        *(real(A(5), [0.13 * _scale, 0.66 * _scale], method=method) for method in METHODS),
        real(A(2, 3), 0.3 * _scale, axis=1),
        real(A(2, 3), [0.3 * _scale, 0.8 * _scale], axis=0, keepdims=True),
        real(A(2, 3, 2), [0.3 * _scale, 0.8 * _scale], (0, -1)),
        real(A(2, 3), 0.3 * _scale, weights=P(2, 3), method="inverted_cdf"),
        real(A(2, 3), 0.3 * _scale, 1, None, True, "inverted_cdf", True, weights=P(2, 3)),
        real(A(4), 0.4 * _scale, overwrite_input=True),
        real(A(6), np.array([0.12, 0.7]) * _scale),
        real(A(6), np.array([0.23, 0.7]) * _scale, method="hazen"),
        real(A(2, 3), np.float64(0.43) * _scale, axis=1, method="weibull"),
        real(A(1), 0.3 * _scale),
        real(A(4), 1.0 * _scale),
        real(A(4), 0.0),
    )
samples((np.quantile, np.percentile), real(A(2, 3), 0.3, axis=1, weights=P(3), method="inverted_cdf"))
samples((np.quantile, np.percentile), real(A(2, 3, 2), [[0.3], [0.8]], (0, -1), keepdims=True))
samples((np.nanquantile, np.nanpercentile), real(holes(3, 4), 0.3, axis=1), real(holes(3, 4), [0.3, 0.4], axis=0))
samples(np.nanmedian, args(A(2, 3)), args(A(2, 3), 0), args(A(2, 3), axis=(0, 1), keepdims=True), args(A(4), axis=-1))
samples((np.median, np.nanmedian), args(A(2, 3), overwrite_input=True), args(A()))
singular((np.quantile, np.nanquantile), real(np.array([1.0, NAN, 2.0]), 0.5), real(np.ones(4), 0.4))
singular(
    (np.quantile, np.nanquantile, np.nanpercentile),
    real(np.array([[1.0, NAN, 2.0], [NAN, NAN, NAN]]), [0.4, 0.1], axis=1),
)
singular((np.median, np.nanmedian), args(np.array([[1.0, NAN, 2.0], [NAN, NAN, NAN]]), axis=1))

# Reductions past NaNs --------------------------------------------------------------------------------------------

SUMS = np.nansum, np.nanprod
MOMENTS = np.nanvar, np.nanstd
EXTREMA = np.nanmax, np.nanmin

samples(
    (*SUMS, *EXTREMA, *MOMENTS, np.nanmean),
    args(A(), axis=0),
    args(A(2, 3)),
    args(A(2, 3), 0),
    args(A(2, 3), axis=-1, keepdims=True),
    args(A(2, 3, 2), axis=(0, -1)),
    args(A()),
)
samples((*SUMS, *EXTREMA), args(A(2, 3), initial=0.1), args(A(2, 3), axis=1, where=M(2, 3), initial=0.3))
samples((*SUMS, np.nanmean), args(A(2, 3), dtype=np.float32), args(A(2, 3), axis=1, where=M(3)))
samples(
    MOMENTS,
    args(A(2, 3), ddof=1),
    args(A(2, 3), correction=1, axis=1),
    args(A(2, 3), axis=0, mean=ints([0, 1, 0])),
    args(A(2, 3), axis=1, where=M(2, 3), ddof=0.5),
    real(A(2, 3), dtype=np.float32),
)
samples((np.nancumsum, np.nancumprod), args(A(2, 3)), args(A(2, 3), 0), args(A(2, 3), axis=1, dtype=np.float32))
singular(
    (*SUMS, *EXTREMA, *MOMENTS, np.nanmean, np.nancumsum, np.nancumprod),
    real(holes(2, 4)),
    real(holes(2, 4), axis=0),
    real(np.array([[NAN, NAN], [1.0, NAN]]), axis=1),
    real(np.array([NAN, 2.0, 2.0])),
)

# Covariances and histograms --------------------------------------------------------------------------------------

samples(
    np.cov,
    args(A(2, 4)),
    args(A(4)),
    args(A(2, 4), A(1, 4)),
    args(A(4), y=A(4)),
    args(A(4, 2), rowvar=False),
    args(A(4, 2), A(4, 1), False),
    args(A(2, 4), bias=True),
    args(A(2, 4), ddof=2),
    args(A(2, 4), fweights=ints(1, 2, 1, 3)),
    args(A(2, 4), aweights=P(4)),
    args(A(2, 4), fweights=ints(1, 2, 1, 3), aweights=P(4), ddof=2),
    args(A(2, 4), aweights=P(4), ddof=0),
    real(A(2, 4), dtype=np.float32),
)
samples(
    np.corrcoef,
    args(A(2, 4)),
    args(A(4)),
    args(A(2, 4), A(1, 4)),
    args(A(4), y=A(4)),
    args(A(4, 2), rowvar=False),
    real(A(2, 4), dtype=np.float32),
)
EDGES = np.array([-1.93, -0.41, 0.73, 1.9])
SPREAD = np.array([-1.7, -0.8, 0.2, 1.1, 1.6, -1.2, 0.37])

samples(
    np.histogram,
    real(SPREAD, 3),
    real(SPREAD),
    real(SPREAD, 3, (-1.5, 1.3), weights=P(7)),
    real(SPREAD, bins=3, weights=P(7), density=True),
    real(SPREAD, EDGES, density=True),
    real(SPREAD, EDGES, range=None, weights=P(7), density=True),
    real(SPREAD, "sqrt"),
)
samples(
    np.histogram_bin_edges,
    real(SPREAD, 3),
    real(SPREAD, "sturges"),
    real(SPREAD, bins=3, range=(-1.0, 1.0)),
    real(SPREAD, EDGES, weights=P(7)),
)
samples(
    np.histogram2d,
    real(SPREAD, SPREAD[::-1], 3),
    real(SPREAD, SPREAD[::-1], [2, EDGES], weights=P(7)),
    real(SPREAD, SPREAD[::-1], bins=EDGES, density=True, weights=P(7)),
    real(SPREAD, SPREAD[::-1], 2, range=[[-1.5, 1.3], [-1.3, 1.4]], density=True),
)
samples(
    np.histogramdd,
    real(np.stack([SPREAD, SPREAD[::-1]], axis=-1), 3),
    real([SPREAD, SPREAD[::-1]], bins=[3, 2], weights=P(7), density=True),
    real(SPREAD[:, None], [EDGES], range=None),
    real(SPREAD[:, None], 3, range=[(-1.5, 1.3)], weights=P(7)),
)

# Slopes, differences, running sums -------------------------------------------------------------------------------

samples(
    np.gradient,
    args(A(4)),
    args(A(3, 4)),
    args(A(3, 4), 0.3),
    args(A(3, 4), 0.3, np.array([0.0, 1.0, 2.5, 4.0])),
    args(A(3, 4), np.array([0.0, 1.0, 2.5, 4.0]), axis=1, edge_order=2),
    args(A(3, 4), axis=(1, 0), edge_order=2),
    args(A(4), np.float64(1.7)),
    args(A(2, 4), ints(0, 1, 2, 3), axis=-1),
    args(A(2), 2),
)
samples(
    np.ediff1d,
    args(A(4)),
    args(A(2, 2), to_begin=A(2), to_end=9.0),
    args(A(3), A(1)),
    args(A(1)),
    args(A(3), None, [0.0]),
)
samples(
    np.trapezoid,
    args(A(4)),
    args(A(3, 4), A(4)),
    args(A(3, 4), A(3, 4), axis=0),
    args(A(3, 4), dx=0.3, axis=0),
    args(A(3, 4), x=P(3), axis=-2),
    args(A(1)),
)
samples(
    np.unwrap,
    real(np.array([0.0, 3.0, 6.5, 1.0, -4.0, 8.0])),
    real(4 * A(3, 4), axis=0),
    real(4 * A(5), 4.0),
    real(4 * A(5), discont=4.0, period=3.0),
)
samples(
    (np.cumulative_sum, np.cumulative_prod),
    args(A(3)),
    args(A(2, 3), axis=1, include_initial=True),
    args(A(2, 3), axis=0, dtype=np.float32),
    args(A(), include_initial=True),
    args(A(0), include_initial=True),
)

# Sets, sorting, trimming -----------------------------------------------------------------------------------------

samples(np.sort_complex, args(A(4)), args(A(2, 3)))
samples(
    np.unique,
    args(A(5)),
    args(A(2, 3), return_index=True),
    args(A(2, 3), True, True, True),
    args(A(3), return_inverse=True),
    args(A(3), return_counts=True),
    args(A(3, 2), axis=0),
    args(A(3, 2), axis=1, return_inverse=True),
    real(A(4), equal_nan=False, sorted=False),
)
samples((np.unique_all, np.unique_counts, np.unique_inverse), args(A(4)), args(A(2, 3)))
samples(np.unique_values, real(A(4)), real(A(2, 3)))
samples((np.union1d, np.setdiff1d), args(A(4), A(3)[::-1]), args(A(2, 2), P(2)))
samples((np.setdiff1d, np.setxor1d), args(A(3), P(2), True), args(A(3), P(2), assume_unique=False))
samples(
    np.intersect1d,
    args(A(3), A(3) + 0.03),
    args(A(1), A(1)[::-1], True),
    args(A(1), A(1) + 0.03, assume_unique=True, return_indices=True),
)
samples(np.trim_zeros, args(A(3)), args(A(2, 3)), args(A(2, 3), "f", axis=0), args(A(2, 3), trim="b", axis=(0, 1)))
singular(
    (np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values),
    args(np.array([3.0, 1.0, 3.0, NAN, 1.0, NAN, 0.0])),
)
singular(np.intersect1d, args(np.array([1.0, 2.0, 3.0, 2.0]), np.array([2.0, 3.0])))
singular(
    np.trim_zeros,
    args(np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0])),
    args(np.array([0.0, 1.0, 0.0]), "f"),
    args(np.zeros((2, 2))),
    args(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]])),
    args(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]), axis=0, trim="b"),
)

# Functions applied to parts --------------------------------------------------------------------------------------

samples(
    np.apply_along_axis,
    args(np.cumsum, -1, A(2, 3)),
    args(np.sum, 0, A(3)),
    args(pairs, 0, A(2, 3, 2)),
    args(func1d=pairs, axis=1, arr=A(2, 3)),
)
samples(np.apply_over_axes, args(np.sum, A(2, 3, 2), [0, 2]), args(np.prod, A(2, 3), axes=-1))
samples(
    np.piecewise,
    real(A(4), [A(4) < 0, A(4) >= 0], [np.negative, squares]),
    real(A(4), [A(4) < 0], [squares, 7.0]),
    real(A(2, 2), [np.eye(2, dtype=bool)], [np.exp, 0.0]),
    real(A(), [True], [np.sin]),
)

# Floating-point numbers ------------------------------------------------------------------------------------------

samples(np.i0, real(A(2, 3)), real(4 * A(3)), real(A()), real(np.array([0.0, 1.0, 5.0])), real(A(0)))
samples(elementwise._bessel_i, real(A(2, 3), order=1), real(A()))
samples(np.ldexp, real(A(2, 3), 2), real(A(3), ints(1, 2, -3)), real(A(), 2), real(A(1, 2), ints(0, 1)))
samples(np.frexp, real(A(2, 3)), real(A()))
samples(np.nextafter, real(A(2, 3), A(3)), real(A(), 5.0), real(A(2), A(2)[::-1]))
samples(np.spacing, real(4.1 + U(2, 3)), real(4.1 + U()))
samples(np.real_if_close, args(A(3)), args(A()), args(A(3), tol=200))
samples(np.clip, real(A(3), -0.5, 0.5, dtype=np.float32), real(A(2), np.array([-0.3, 0.1]), None, where=True))
singular(np.frexp, real(np.array([0.0, np.inf, NAN, 1e-310, 1.0])))

# Methods of ufuncs -----------------------------------------------------------------------------------------------

CHAINS = np.subtract, np.divide, np.fmod, np.remainder, np.copysign, np.heaviside, np.logaddexp, np.logaddexp2, np.hypot
POWERS = np.power, np.float_power
EXTREMAL = np.maximum, np.minimum, np.fmax, np.fmin


def method(name, functions):
    return tuple(getattr(function, name) for function in functions)


samples(
    method("reduce", CHAINS),
    real(P(2, 3)),
    real(P(2, 3), axis=1, keepdims=True),
    real(P(3), initial=1.3),
    real(P(3), dtype=np.float32),
)
samples(
    method("reduce", (np.logaddexp, np.logaddexp2, np.hypot, np.fmax, np.fmin)),
    real(A(2, 3)),
    real(A(2, 3), axis=None),
    real(A(2, 3), axis=(0, 1), keepdims=True),
    real(A(2, 3), axis=1, initial=0.3),
    real(A(2, 3), axis=1, where=M(2, 3), initial=0.3),
)
samples(
    method("reduce", (np.subtract, np.divide)),
    args(A(2, 3)),
    args(A(2, 3), 1, initial=1.3),
    args(A(2, 3), 1, where=M(2, 3), initial=1.3),
)
samples(method("reduce", POWERS), args(P(3, 2)), args(P(3, 2), keepdims=True))
samples(
    method("accumulate", (*CHAINS, *POWERS, np.arctan2)),
    real(P(4)),
    real(P(2, 3)),
    real(P(2, 3), axis=-1),
)
samples(method("accumulate", EXTREMAL), args(A(5)), args(A(2, 3)), args(A(3, 2), axis=1, dtype=np.float32))
samples(method("accumulate", (np.subtract, np.divide)), args(A(5)), args(A(2, 3), 1))
samples(
    method("reduceat", (np.add, np.multiply, *EXTREMAL, np.logaddexp, np.hypot, np.subtract, np.divide)),
    real(A(6), [0, 2, 5]),
    real(A(2, 6), [0, 3, 1, 5, 5], axis=1),
    real(A(5), ints(1, 4), dtype=np.float32),
)
samples(method("outer", (np.copysign, np.fmod, np.logaddexp2)), real(P(2), P(3)))
singular(
    method("accumulate", EXTREMAL),
    args(np.array([1.0, 3.0, 3.0, 2.0, 3.0])),
    args(np.array([1.0, NAN, 3.0, NAN])),
    args(np.array([NAN, NAN, 3.0, 3.0])),
)
singular(method("reduceat", EXTREMAL), args(np.array([1.0, 3.0, 3.0, NAN, 2.0, NAN]), [0, 3, 5]))
singular(np.multiply.reduceat, args(np.array([1.0, 0.0, 3.0, 0.0, 2.0, 0.0]), [0, 1, 4]))
singular(method("reduce", (np.logaddexp, np.logaddexp2)), real(np.full(2, -np.inf)), real(np.array([np.inf, 1.0])))
singular(np.hypot.reduce, real(np.zeros(2)))
