"""Samples of the functions in wengert.scipy: what is given at points of grids and lines."""

import numpy as np
from tests.battery.samples import A, P, U, args, real, samples

from wengert.rules import scipy_distance, scipy_sparse
from wengert.scipy import integrate, interpolate, ndimage, sparse
from wengert.scipy.spatial import distance


def points(*shape):
    """Places on and around a grid of four, away from its points."""
    return 1.5 + 1.4 * U(*shape)


# Interpolation in images -----------------------------------------------------------------------------------------

MODES = "reflect", "mirror", "grid-wrap", "wrap", "nearest", "grid-constant", "grid-mirror"

samples(
    ndimage.map_coordinates,
    args(A(4, 4), points(2, 3)),
    args(A(4), points(1, 2, 2), order=1),
    real(A(4), points(1, 2), order=0),
    args(A(4), 3 * points(1, 4), order=1, cval=0.5),
    args(A(4), points(1, 3), order=2, prefilter=False),
    args(A(4), points(1, 3), order=5),
    args(A(4), points(1, 3), None, 4, "mirror"),
    real(A(2, 3), points(2, 2), np.float64, 1, "nearest"),
    *(args(A(4), 4 * points(1, 3) - 4, order=1, mode=mode, cval=0.7) for mode in MODES),
    *(args(A(4), 4 * points(1, 3) - 4, order=3, mode=mode, cval=0.7) for mode in MODES),
)
samples(
    ndimage.spline_filter1d,
    args(A(5)),
    args(A(4, 2), 2, 0, mode="reflect"),
    args(A(4), 5, mode="grid-wrap"),
    args(A(2, 1), output=np.float64, axis=1),
    args(A(3), order=1),
)
samples(ndimage.spline_filter, args(A(3, 3)), args(A(4), 4, np.float64, "reflect"))
samples(
    ndimage.affine_transform,
    real(A(3, 4), np.array([[0.83, 0.23], [-0.11, 0.87]]), np.array([0.21, 0.34])),
    real(A(4), np.array([0.87]), 0.31, (3,), order=1, mode="nearest"),
    real(A(3, 3), np.array([[0.9, 0.1, 0.33], [0.1, 0.8, 0.13]]), output_shape=(2, 2), order=1),
    real(A(4), np.array([[0.8]]), prefilter=False, cval=0.2, mode="grid-constant", output=None),
)
samples(
    ndimage.shift,
    real(A(3, 3), P(2)),
    real(A(4), np.float64(0.37), mode="mirror"),
    real(A(4), np.array([1.3]), None, 1, "constant", 0.6),
    args(A(4), 0.3, prefilter=False),
)
samples(
    ndimage.zoom,
    args(A(4), 1.7),
    args(A(3, 4), (0.7, 1.6), order=1, mode="nearest"),
    real(A(4), 1.6, grid_mode=True, mode="reflect", prefilter=False),
    real(A(4), 1.6, None, 3, "constant", 0.4, grid_mode=True),
)
samples(
    ndimage.rotate,
    args(A(3, 4), 20.0),
    real(A(3, 3), np.float64(35.0), reshape=False, order=1, mode="nearest"),
    args(A(3, 2, 3), 15.0, (2, 0), mode="reflect", prefilter=False),
    args(A(3, 3), 30.0, axes=(0, 1), cval=0.5, output=None),
)

# Filters ---------------------------------------------------------------------------------------------------------

samples(
    (ndimage.correlate1d, ndimage.convolve1d),
    args(A(5), A(3)),
    args(A(2, 4), A(2), 1, None, "nearest"),
    args(A(4, 2), A(4), axis=0, mode="constant", cval=0.5, origin=1),
    args(A(4), A(3), mode="wrap", origin=-1),
    args(A(4), A(3), mode="mirror"),
)
samples(
    (ndimage.correlate, ndimage.convolve),
    args(A(3, 3), A(2, 3)),
    args(A(4), A(2), None, "nearest", origin=0),
    args(A(3, 4), A(3), axes=1, mode="constant", cval=0.5, origin=1),
    args(A(3, 3), A(2, 2), mode="mirror", origin=(0, -1)),
)
samples(
    ndimage.gaussian_filter1d,
    args(A(6), 0.6),
    args(A(5, 2), 0.5, 0, 1, None, "nearest", truncate=3.0),
    real(A(5), np.float64(0.7), mode="constant", cval=0.3, radius=2),
)
samples(
    ndimage.gaussian_filter,
    args(A(3, 4), 0.5),
    args(A(3, 4), (0.5, 0.7), order=(1, 0), mode=("wrap", "nearest"), truncate=2.0),
    args(A(3, 4), 0.5, 0, None, "constant", 0.4, radius=1, axes=1),
)
samples(
    ndimage.uniform_filter1d,
    args(A(5), 3),
    args(A(2, 5), 2, 1, None, "nearest", origin=-1),
    args(A(5), 4, mode="constant", cval=1.0),
)
samples(ndimage.uniform_filter, args(A(3, 4)), args(A(4, 3), (2, 1), None, "wrap", origin=(-1, 0)))
samples(ndimage.uniform_filter, args(A(3, 4), size=2, mode="constant", cval=0.5, axes=(1,)))
samples(ndimage.laplace, args(A(3, 3)), args(A(4, 2), None, ("nearest", "wrap")), args(A(4, 2), cval=1.0, axes=(0,)))
samples(ndimage.gaussian_laplace, args(A(3, 3), 0.5), args(A(4, 2), 0.4, None, "constant", 0.5, axes=(0,)))
samples(
    ndimage.gaussian_gradient_magnitude, real(A(3, 3), 0.5), real(A(3, 4), (0.5, 0.4), mode="nearest", truncate=3.0)
)
samples((ndimage.sobel, ndimage.prewitt), args(A(3, 3)), args(A(3, 2), 0, None, "constant", 0.5), args(A(4)))

# Interpolation on a line -----------------------------------------------------------------------------------------


class At:
    """A class of interpolators as a function of what it is made of and of the places to look at."""

    def __init__(self, made, then=lambda spline, *places, **how: spline(*places, **how)):
        self.made, self.then, self.__name__ = made, then, f"{made.__name__}_at"

    def __call__(self, given, *places, call=(), **keywords):
        return self.then(self.made(*given, **keywords), *places, **dict(call))


KNOTS = np.array([0.0, 0.7, 1.1, 2.3, 3.0])
PLACES = np.array([[0.31, 2.9], [1.37, 2.41]])

samples(
    At(interpolate.CubicSpline),
    args([KNOTS, A(5)], PLACES),
    args([KNOTS, A(5, 2)], PLACES[0], bc_type="natural", call={"nu": 1}),
    args([KNOTS, A(2, 5)], PLACES, axis=1, bc_type="clamped"),
    args([KNOTS, A(5)], 1.37, bc_type=((1, 0.3), (2, -0.4))),
    args([KNOTS, np.array([0.3, 1.0, -0.4, 0.2, 0.3]) * 1], PLACES + 4, bc_type=("natural", "not-a-knot")),
    args([KNOTS[:3], A(3)], PLACES[0]),
    args([KNOTS[:2], A(2)], PLACES[0], extrapolate=True),
    args([KNOTS, A(5)], PLACES, call={"nu": 2, "extrapolate": False}),
)
samples(
    At(interpolate.CubicSpline, lambda spline, a, b: (spline.integrate(a, b), spline.derivative()(a))),
    args([KNOTS, A(5)], A(), A()),
)


def closed(make, x, y, places):
    """An interpolation that is periodic: the last value is the first."""
    return make(x, np.append(y, y[:1]), bc_type="periodic")(places)


samples(
    closed,
    args(interpolate.CubicSpline, KNOTS, A(4), PLACES + 4),
    args(interpolate.CubicSpline, KNOTS[:3], P(2), PLACES[1]),
)
samples(At(interpolate.CubicHermiteSpline), args([KNOTS, A(5), A(5)], PLACES), args([KNOTS, A(5, 2), A(5, 2)], 0.2))
samples(
    At(interpolate.PchipInterpolator),
    real([KNOTS, A(5)], PLACES),
    real([KNOTS, A(2, 5)], PLACES[0], axis=1),
    real([KNOTS[:2], A(2)], 0.2 * PLACES[0], extrapolate=False),
    real([KNOTS, np.cumsum(P(5))], PLACES),
)
samples(
    At(interpolate.Akima1DInterpolator),
    real([KNOTS, A(5)], PLACES),
    real([KNOTS, A(5, 2)], PLACES[0], method="makima", extrapolate=True),
)
samples(At(interpolate.PPoly), args([A(3, 4), KNOTS], PLACES), args([A(2, 4, 2), KNOTS], PLACES + 2, call={"nu": 1}))
samples(
    At(interpolate.interp1d),
    args([KNOTS, A(5)], PLACES),
    args([KNOTS, A(2, 5)], PLACES, fill_value="extrapolate"),
    args([KNOTS, A(5, 2)], PLACES[0] + 1, axis=0, bounds_error=False, fill_value=(0.2, -0.3)),
    args([KNOTS[::-1], A(5)], PLACES, assume_sorted=False, copy=False),
)
samples(
    At(lambda y, **how: interpolate.interp1d(np.arange(5), y, **how)),
    *(
        args([A(5)], PLACES, kind=kind)
        for kind in ("nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic")
    ),
)
EDGES = [0, 0, 0, 0, 1, 2, 4, 4, 4, 4]
samples(
    At(lambda c, **how: interpolate.BSpline(np.array(EDGES), c, 3, **how)),
    args([A(6)], PLACES),
    args([A(6, 2)], PLACES, call={"nu": 1}),
    args([A(2, 6)], PLACES[0] + 2, axis=1, extrapolate="periodic"),
    args([A(6)], PLACES + 2, call={"extrapolate": True, "nu": 2}),
)
samples(
    At(
        lambda c: interpolate.BSpline(np.array(EDGES), c, 3),
        lambda spline, a: (spline.derivative()(a), spline.derivative(2)(a), spline.integrate(0.3, a)),
    ),
    args([A(6)], 2.1 + P()),
)
samples(
    At(lambda y, **how: interpolate.make_interp_spline(np.arange(5), y, **how)),
    args([A(5)], PLACES),
    args([A(5, 2)], PLACES, k=2),
    args([A(5)], PLACES, k=1),
    args([A(2, 5)], PLACES, axis=1, bc_type="natural", check_finite=False),
    args([A(5)], PLACES, bc_type=([(1, 0)], [(2, 1)])),
    args([A(5)], PLACES, bc_type="clamped"),
    args([A(5)], PLACES, t=np.array([0, 0, 0, 0, 2, 4, 4, 4, 4])),
)

# Grids -----------------------------------------------------------------------------------------------------------

GRID = [np.array([0.0, 0.6, 1.5]), np.array([-1.0, 0.3, 0.9, 2.0])]
TARGETS = np.array([[0.31, 0.51], [1.21, -0.37], [0.83, 1.9]])
samples(
    At(interpolate.RegularGridInterpolator),
    args([GRID, A(3, 4)], TARGETS),
    args([GRID, A(3, 4, 2)], TARGETS[0]),
    args([GRID, A(3, 4)], TARGETS + 1, bounds_error=False, fill_value=None),
    args([GRID, A(3, 4)], TARGETS + 1, bounds_error=False, fill_value=0.5),
    args([GRID, A(3, 4)], (TARGETS[:, 0], TARGETS[:, 1]), method="nearest"),
    args([[GRID[0][::-1]], A(3)], TARGETS[:, 0], call={"method": "linear"}),
)
samples(
    At(lambda values, **how: interpolate.RegularGridInterpolator((np.arange(4), np.arange(5)), values, **how)),
    args([A(4, 5)], TARGETS + 1, method="cubic"),
    args([A(4, 5)], TARGETS + 1, method="slinear"),
)
samples(
    interpolate.interpn,
    real(GRID, A(3, 4), TARGETS),
    real(GRID, A(3, 4), TARGETS, "nearest"),
    real(GRID, A(3, 4), TARGETS + 1, method="linear", bounds_error=False, fill_value=0.3),
)

# Integrals of samples --------------------------------------------------------------------------------------------

LINE = np.array([0.0, 0.4, 1.1, 1.5, 2.3, 2.9])
samples(
    (integrate.trapezoid, integrate.simpson, integrate.cumulative_trapezoid),
    args(A(5)),
    real(A(6), LINE),
    real(A(5), x=LINE[:5], axis=0),
    args(A(2, 4), dx=0.3),
    real(A(4, 2), x=LINE[:4], axis=0),
    real(A(2, 3), x=np.array([[0.0, 0.3, 1.0], [1.0, 1.2, 1.9]])),
    args(A(2)),
)
samples(integrate.cumulative_trapezoid, args(A(5), initial=0), args(A(2, 3), initial=0, axis=0, dx=0.5))
samples(
    integrate.cumulative_simpson,
    real(A(5)),
    real(A(6), x=LINE),
    real(A(2, 4), dx=0.5, initial=0.3),
    real(A(4, 2), x=LINE[:4], axis=0, initial=np.zeros((1, 2))),
    real(A(2)),
)

# Distances -------------------------------------------------------------------------------------------------------

METRICS = "sqeuclidean", "cityblock", "cosine", "correlation"
samples(
    distance.cdist,
    real(A(2, 3), A(3, 3)),
    *(real(A(2, 3), A(2, 3), metric) for metric in METRICS),
    real(A(2, 2), A(2, 2), metric="minkowski", p=3),
    real(A(2, 2), A(2, 2), metric="minkowski", p=1),
)
samples(distance.pdist, real(A(3, 2)), real(A(3, 2), "sqeuclidean"), real(A(3, 2), metric="minkowski", p=2.5))
samples(distance.squareform, real(A(6)), real(np.array([0.7]), force="tomatrix", checks=False))

# Sparse matrices -------------------------------------------------------------------------------------------------

SPARSE = sparse.csr_array([[2, 0, 1], [0, 3, 0], [1, 0, 4], [0, 0, 0]])
SQUARE = SPARSE[:3].tocsc()


def sparse_forms(data, x):
    """What a matrix with recorded entries can do."""
    matrix = sparse.with_data(SPARSE, data)
    return (
        matrix @ x,
        (2 * matrix.T).toarray(),
        matrix.T.__rmatmul__(x),
        matrix.sum(),
        matrix.sum(0),
        (-matrix).diagonal(),
    )


samples(
    lambda data, x: sparse.matmul(data, SPARSE, x),
    args(A(5), A(3)),
    args(A(5), A(3, 2)),
)
samples(sparse_forms, args(A(5), A(3)))
samples(
    lambda data, b, **how: sparse.spsolve(sparse.with_data(SQUARE, data + np.array([3, 0, 4, 0, 4])), b, **how),
    args(U(5), A(3)),
    args(U(5), A(3, 2), permc_spec="NATURAL"),
)
samples(
    lambda data, b, how: sparse.linalg.splu(sparse.with_data(SQUARE, data + np.array([3, 0, 4, 0, 4]))).solve(b, how),
    args(U(5), A(3), "T"),
    args(U(5), A(3), "H"),
)
PATTERN = scipy_sparse.pattern_of(SPARSE)[1]
samples(scipy_sparse.pairs, args(A(4), A(3), pattern=PATTERN), args(A(3, 2), A(4, 2), pattern=PATTERN.transposed))
NEAR = np.array([[0.3, 0.7], [0.7, 1.2], [-90.0, 70.0]])
samples(distance.cdist, real(NEAR[:2], NEAR + 0.15), real(NEAR[:1], NEAR + 0.15, "sqeuclidean"))
samples(
    (scipy_distance.pull, scipy_distance.weigh),
    real(A(2, 3), A(2, 3), A(3, 3)),
    real(A(2, 3), np.array([[0.1, -0.3, 0.8], [1.2, 0.6, -0.5]]), np.array([[0.7, -0.7, 0.2]] * 3), signs=True),
)
