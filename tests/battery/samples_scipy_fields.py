"""Samples of the functions in wengert.scipy: what is given at points of grids and lines."""

import numpy as np
from tests.battery.samples import A, P, U, args, real, samples

from wengert.scipy import ndimage


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
    real(A(3, 4), np.array([[0.83, 0.23], [-0.11, 0.87]]), np.array([0.17, 0.34])),
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
