"""scipy.ndimage: interpolation (by `splines`), and filters as sums of neighbours in an array with a border."""

from typing import Any

import numpy as np
import scipy.ndimage as nd

from wengert.errors import DTypeError
from wengert.primitive import linear
from wengert.protocol import anywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.reductions import normal_axes
from wengert.rules.scipy_signal import convolution, taps
from wengert.rules.scipy_tools import array, carries_gradient, constant, inexact, plain, primal, twin, unsupported
from wengert.rules.splines import coefficients, sample

ndimage = "ndimage"
SAME_MODE = {"grid-mirror": "reflect"}
FOLD = {"mirror": "mirror", "constant": "mirror", "wrap": "mirror", "reflect": "reflect", "grid-wrap": "wrap",
        "nearest": "reflect", "grid-constant": "mirror"}  # fmt: skip
BORDER = {"nearest": 12, "grid-constant": 12}
"""With how many elements SciPy surrounds an array before it looks for spline coefficients."""


def _image(name: str, x: Any) -> Any:
    x = array(x)
    if x.dtype.kind not in "fc":
        raise DTypeError(
            f"[{name}] an array of floats was required, as SciPy rounds the result to the dtype of the array; received "
            f"shape {x.shape}, dtype {x.dtype}; convert it with astype before"
        )
    return x


def _of_dtype(name: str, y: Any, x: Any, output: Any) -> Any:
    """The result in the dtype that ``output=`` asks for; arrays to write into are refused."""
    if output is not None and (isinstance(output, np.ndarray) or hasattr(output, "_level")):
        raise unsupported(name, "output", f"array of shape {output.shape}", "None (or a dtype)", x)
    dtype = x.dtype if output is None else np.dtype(output)
    return y if y.dtype == dtype else y.astype(dtype)


def _checked_mode(mode: str) -> str:
    mode = SAME_MODE.get(mode, mode)
    if mode not in FOLD:
        raise RuntimeError("boundary mode not supported")
    return mode


# Interpolation ---------------------------------------------------------------------------------------------------


def _bordered(x: Any, mode: str, cval: Any, width: int, dims: int) -> Any:
    widths = [(width, width)] * dims + [(0, 0)] * (x.ndim - dims)
    return np.pad(x, widths, "edge") if mode == "nearest" else np.pad(x, widths, constant_values=cval)


def _interpolated(name, x, points, order, mode, cval, prefilter, dims):
    """Values at points (dims, count) of an array with axes beyond `dims`, by SciPy's rules for what is outside."""
    if order not in range(6):
        raise RuntimeError("spline order not supported")
    mode, cval, border = _checked_mode(mode), constant(name, "cval", cval), 0
    shape = x.shape[:dims]
    x = x.astype(np.result_type(x.dtype, np.float64))
    if prefilter and order > 1:
        border = BORDER.get(mode, 0)
        x = _bordered(x, mode, cval, border, dims) if border else x
        for axis in range(dims):
            x = coefficients(x, order=order, axis=axis, fold=FOLD[mode])
    column = np.array(shape, float).reshape(-1, 1)
    where, outside, fold = primal(points), None, FOLD[mode]
    if mode == "constant":
        outside = np.any((where < 0) | (where > column - 1), axis=0)
        points = np.where(outside, 0.0, points)
    elif mode == "wrap":
        period = np.maximum(column - 1, 1)
        points = points - np.where((where < 0) | (where > column - 1), period * np.floor(where / period), 0.0)
    elif mode == "nearest":
        beyond, fold = border + order + 1, "nearest"  # so far out all neighbours are the outermost element
        points = np.clip(points, -beyond, column - 1 + beyond) + border
    elif mode == "grid-constant":
        x = _bordered(x, mode, cval, order + 1, dims)
        border += order + 1
        points = np.clip(points, -border, column - 1 + border) + border
    y = sample(x, points, order=order, fold=fold, nus=((0,) * dims,))[0]
    if outside is None or not anywhere(outside):
        return y
    return np.where(np.reshape(outside, (-1, *(1,) * (y.ndim - 1))), cval, y)


@twin(nd.map_coordinates, ndimage)
def map_coordinates(input, coordinates, output=None, order=3, mode="constant", cval=0.0, prefilter=True):
    x, points = _image("map_coordinates", input), inexact(coordinates)
    points = points.astype(np.float64)
    if points.shape[0] != x.ndim:
        raise RuntimeError("invalid shape for coordinate array")
    flat = np.reshape(points, (x.ndim, -1))
    y = _interpolated("map_coordinates", x, flat, order, mode, cval, prefilter, x.ndim)
    return _of_dtype("map_coordinates", np.reshape(y, points.shape[1:]), x, output)


@twin(nd.spline_filter1d, ndimage)
def spline_filter1d(input, order=3, axis=-1, output=np.float64, mode="mirror"):
    x = array(input)
    if order not in (0, 1):
        x = coefficients(inexact(x), order=order, axis=axis, fold=FOLD[_checked_mode(mode)])
    return _of_dtype("spline_filter1d", x, x, _at_least_complex(output, x))


def _at_least_complex(output: Any, x: Any) -> Any:
    if isinstance(output, np.ndarray) or hasattr(output, "_level") or output is None:
        return output
    return np.result_type(output, np.complex64) if x.dtype.kind == "c" else output


@twin(nd.spline_filter, ndimage)
def spline_filter(input, order=3, output=np.float64, mode="mirror"):
    x = inexact(input)
    if order < 2 or order > 5:
        raise RuntimeError("spline order not supported")
    for axis in range(x.ndim):
        x = coefficients(x, order=order, axis=axis, fold=FOLD[_checked_mode(mode)])
    return _of_dtype("spline_filter", x, x, _at_least_complex(output, x))


def _grid(shape: tuple) -> np.ndarray:
    return np.indices(shape, float).reshape(len(shape), -1)


@twin(nd.affine_transform, ndimage)
def affine_transform(
    input, matrix, offset=0.0, output_shape=None, output=None, order=3, mode="constant", cval=0.0, prefilter=True
):
    """The gradient by `matrix` and `offset` is that of where the values are looked up."""
    x, matrix, n = _image("affine_transform", input), inexact(matrix), np.ndim(primal(input))
    shape = x.shape if output_shape is None else tuple(output_shape)
    if matrix.shape in ((n, n + 1), (n + 1, n + 1)) and matrix.ndim == 2:
        if matrix.shape[0] == n + 1 and anywhere(primal(matrix)[-1] != [0] * n + [1]):
            raise ValueError(f"Expected homogeneous transformation matrix, got\n{plain(matrix)}")
        matrix, offset = matrix[:n, :n], matrix[:n, n]
    if matrix.shape not in ((n,), (n, n)):
        raise RuntimeError("affine matrix has wrong number of rows or columns")
    grid, offset = _grid(shape), np.reshape(np.broadcast_to(inexact(offset), (n,)), (n, 1))
    points = (matrix[:, None] * grid if matrix.ndim == 1 else matrix @ grid) + offset
    y = _interpolated("affine_transform", x, points, order, mode, cval, prefilter, n)
    return _of_dtype("affine_transform", np.reshape(y, shape), x, output)


@twin(nd.shift, ndimage)
def shift(input, shift, output=None, order=3, mode="constant", cval=0.0, prefilter=True):
    x = _image("shift", input)
    by = np.reshape(np.broadcast_to(inexact(shift), (x.ndim,)), (x.ndim, 1))
    y = _interpolated("shift", x, _grid(x.shape) - by, order, mode, cval, prefilter, x.ndim)
    return _of_dtype("shift", np.reshape(y, x.shape), x, output)


@twin(nd.zoom, ndimage)
def zoom(input, zoom, output=None, order=3, mode="constant", cval=0.0, prefilter=True, *, grid_mode=False):
    x, factors = _image("zoom", input), np.broadcast_to(constant("zoom", "zoom", zoom), (np.ndim(primal(input)),))
    shape = tuple(round(n * z) for n, z in zip(x.shape, factors, strict=True))
    old, new, grid = np.array(x.shape, float), np.array(shape, float), _grid(shape)
    if grid_mode:
        ratio = (old / new)[:, None]
        points = (grid + 0.5) * ratio - 0.5
    else:
        points = grid * np.where(new > 1, (old - 1) / np.where(new > 1, new - 1, 1), 1.0)[:, None]
        points = np.minimum(points, old[:, None] - 1)  # rounding must not lead out of the array
    y = _interpolated("zoom", x, points, order, mode, cval, prefilter, x.ndim)
    return _of_dtype("zoom", np.reshape(y, shape), x, output)


@twin(nd.rotate, ndimage)
def rotate(input, angle, axes=(1, 0), reshape=True, output=None, order=3, mode="constant", cval=0.0, prefilter=True):
    """The gradient by the angle is that of where the values are looked up; the shape is a constant."""
    x, ndim = _image("rotate", input), np.ndim(primal(input))
    axes = sorted(normal_axes(tuple(axes), ndim))
    x = np.moveaxis(x, axes, (0, 1))
    radians = angle * (np.pi / 180)
    c, s = np.cos(radians), np.sin(radians)
    matrix = np.stack([np.stack([c, s]), np.stack([-s, c])])
    size = np.array(x.shape[:2], float)
    if reshape:
        turned = plain(matrix) @ [[0, 0, size[0], size[0]], [0, size[1], 0, size[1]]]
        shape = tuple((np.ptp(turned, axis=1) + 0.5).astype(int).tolist())
    else:
        shape = x.shape[:2]
    centre = (np.array(shape, float)[:, None] - 1) / 2
    points = matrix @ (_grid(shape) - centre) + (size[:, None] - 1) / 2
    y = _interpolated("rotate", x, points, order, mode, cval, prefilter, 2)
    y = np.moveaxis(np.reshape(y, (*shape, *x.shape[2:])), (0, 1), axes)
    return _of_dtype("rotate", y, x, output)


# Filters along an axis -------------------------------------------------------------------------------------------

PADDING = {"reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap",
           "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant"}  # fmt: skip


def _surrounded(name: str, x: Any, axis: int, before: int, after: int, mode: str, cval: Any) -> Any:
    if mode not in PADDING:
        raise RuntimeError("boundary mode not supported")
    values = {"constant_values": constant(name, "cval", cval)} if PADDING[mode] == "constant" else {}
    return np.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)], PADDING[mode], **values)


def _along(x: Any, axis: int, start: int, stop: int | None = None) -> Any:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _reach(size: int, origin: int, before: bool) -> int:
    """How far a window reaches before or behind its element; `origin` moves it back."""
    start = size // 2 + origin
    if not 0 <= start < size:
        raise ValueError("invalid origin")
    return start if before else size - 1 - start


def _correlated(name: str, x: Any, weights: Any, axis: int, mode: str, cval: Any, origin: int) -> Any:
    size, axis = weights.shape[0], normal_axes(axis, x.ndim)[0]
    wide = _surrounded(name, x, axis, _reach(size, origin, True), _reach(size, origin, False), mode, cval)
    return _along(taps(np.flip(weights), wide, axis=axis), axis, size - 1)


@twin(nd.correlate1d, ndimage)
def correlate1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    x, weights = _image("correlate1d", input), inexact(weights)
    weights = np.conjugate(weights) if is_complex(weights) else weights
    return _of_dtype("correlate1d", _correlated("correlate1d", x, weights, axis, mode, cval, origin), x, output)


@twin(nd.convolve1d, ndimage)
def convolve1d(input, weights, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    x, weights = _image("convolve1d", input), np.flip(inexact(weights))
    origin = -origin - (weights.shape[0] % 2 == 0)
    return _of_dtype("convolve1d", _correlated("convolve1d", x, weights, axis, mode, cval, origin), x, output)


def _kernel(name: str, sigma: Any, order: int, truncate: float, radius: Any) -> Any:
    """The weights of a Gaussian, or of one of its derivatives, as SciPy has them."""
    radius = int(truncate * float(plain(sigma)) + 0.5) if radius is None else int(radius)
    if carries_gradient(sigma):
        if order:
            raise unsupported(name, "order", order, 0, sigma, "pass a plain sigma")
        bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        return bell / np.sum(bell)
    middle = np.zeros(2 * radius + 1)
    middle[radius] = 1
    return nd.gaussian_filter1d(middle, plain(sigma), order=order, mode="constant", radius=radius)


@twin(nd.gaussian_filter1d, ndimage)
def gaussian_filter1d(
    input, sigma, axis=-1, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None
):
    kernel = _kernel("gaussian_filter1d", sigma, order, truncate, radius)
    x = _image("gaussian_filter1d", input)
    kernel = kernel.astype(primal(x).real.dtype)
    y = _correlated("gaussian_filter1d", x, np.flip(kernel), axis, mode, cval, 0)
    return _of_dtype("gaussian_filter1d", y, x, output)


def _per_axis(value: Any, count: int) -> list:
    return list(value) if isinstance(value, (list, tuple)) or np.ndim(primal(value)) else [value] * count


def _all_axes(x: Any, axes: Any) -> list:
    return (
        list(range(x.ndim)) if axes is None else list(normal_axes(tuple(axes) if np.iterable(axes) else axes, x.ndim))
    )


@twin(nd.gaussian_filter, ndimage)
def gaussian_filter(
    input, sigma, order=0, output=None, mode="reflect", cval=0.0, truncate=4.0, *, radius=None, axes=None
):
    x = y = _image("gaussian_filter", input)
    axes = _all_axes(x, axes)
    given = zip(*(_per_axis(v, len(axes)) for v in (sigma, order, mode, radius)), axes, strict=True)
    for sigma_, order_, mode_, radius_, axis in given:
        if plain(sigma_) > 1e-15:
            y = gaussian_filter1d(y, sigma_, axis, order_, None, mode_, cval, truncate, radius=radius_)
    return _of_dtype("gaussian_filter", y, x, output)


def _box(x, size=1, axis=-1):
    """Means of neighbours, as many as fit."""
    n = x.shape[axis] - size + 1
    mean = nd.uniform_filter1d(x, size, axis, mode="constant")
    return _along(mean, axis, size // 2, size // 2 + n)


def _box_back(g, size, axis):
    widths = [(size - 1, size - 1) if i == axis else (0, 0) for i in range(g.ndim)]
    return box(np.pad(g, widths), size=size, axis=axis)


box = linear(_box, _box_back, name="ndimage.box", batch="axis")


@twin(nd.uniform_filter1d, ndimage)
def uniform_filter1d(input, size, axis=-1, output=None, mode="reflect", cval=0.0, origin=0):
    x = _image("uniform_filter1d", input)
    size, axis = int(size), normal_axes(axis, x.ndim)[0]
    if size < 1:
        raise RuntimeError("incorrect filter size")
    before, after = _reach(size, origin, True), _reach(size, origin, False)
    y = box(_surrounded("uniform_filter1d", x, axis, before, after, mode, cval), size=size, axis=axis)
    return _of_dtype("uniform_filter1d", y, x, output)


@twin(nd.uniform_filter, ndimage)
def uniform_filter(input, size=3, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    x = y = _image("uniform_filter", input)
    axes = _all_axes(x, axes)
    for size_, mode_, origin_, axis in zip(*(_per_axis(v, len(axes)) for v in (size, mode, origin)), axes, strict=True):
        y = uniform_filter1d(y, size_, axis, None, mode_, cval, origin_) if size_ > 1 else y
    return _of_dtype("uniform_filter", y, x, output)


# Filters in all dimensions ---------------------------------------------------------------------------------------


def _windows(name, x, weights, mode, cval, origin, axes, output):
    """Weights over the axes of an array, turned as in a correlation."""
    axes = _all_axes(x, axes)
    if weights.ndim != len(axes):
        raise RuntimeError(f"filter weights array has incorrect shape: {weights.ndim} axes for {len(axes)}")
    wide, shape = x, [1] * x.ndim
    for axis, size, o, m in zip(
        axes, weights.shape, _per_axis(origin, len(axes)), _per_axis(mode, len(axes)), strict=True
    ):
        wide = _surrounded(name, wide, axis, _reach(size, o, True), _reach(size, o, False), m, cval)
        shape[axis] = size
    weights = np.reshape(np.transpose(np.flip(weights), np.argsort(np.argsort(axes)).tolist()), tuple(shape))
    return _of_dtype(name, convolution(wide, weights, mode="valid", method="direct"), x, output)


@twin(nd.correlate, ndimage)
def correlate(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    x, weights = _image("correlate", input), inexact(weights)
    weights = np.conjugate(weights) if is_complex(weights) else weights
    return _windows("correlate", x, weights, mode, cval, origin, axes, output)


@twin(nd.convolve, ndimage)
def convolve(input, weights, output=None, mode="reflect", cval=0.0, origin=0, *, axes=None):
    x, weights = _image("convolve", input), inexact(weights)
    turned = [-o - (n % 2 == 0) for o, n in zip(_per_axis(origin, weights.ndim), weights.shape, strict=True)]
    return _windows("convolve", x, np.flip(weights), mode, cval, turned, axes, output)


def _sum_over_axes(name, x, mode, axes, term):
    axes = _all_axes(x, axes)
    terms = [term(x, axis, m) for axis, m in zip(axes, _per_axis(mode, len(axes)), strict=True)]
    return sum(terms[1:], terms[0])


@twin(nd.laplace, ndimage)
def laplace(input, output=None, mode="reflect", cval=0.0, *, axes=None):
    x, second = _image("laplace", input), np.array([1.0, -2.0, 1.0])
    y = _sum_over_axes("laplace", x, mode, axes, lambda x, i, m: correlate1d(x, second, i, None, m, cval))
    return _of_dtype("laplace", y, x, output)


@twin(nd.gaussian_laplace, ndimage)
def gaussian_laplace(input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs):
    x = _image("gaussian_laplace", input)
    return _of_dtype("gaussian_laplace", _derivatives(x, sigma, 2, mode, cval, axes, kwargs, lambda y: y), x, output)


@twin(nd.gaussian_gradient_magnitude, ndimage)
def gaussian_gradient_magnitude(input, sigma, output=None, mode="reflect", cval=0.0, *, axes=None, **kwargs):
    x = _image("gaussian_gradient_magnitude", input)
    squares = _derivatives(x, sigma, 1, mode, cval, axes, kwargs, lambda y: y * y)
    flat = squares == 0  # where a gradient is 0, as at mirrored corners, its length has the derivative 0
    size = np.where(flat, 0, np.sqrt(np.where(flat, 1, squares)))
    return _of_dtype("gaussian_gradient_magnitude", size, x, output)


def _derivatives(x, sigma, order, mode, cval, axes, kwargs, change):
    axes = _all_axes(x, axes)
    total = 0
    for k in range(len(axes)):
        orders = [order if i == k else 0 for i in range(len(axes))]
        total = total + change(gaussian_filter(x, sigma, orders, None, mode, cval, axes=tuple(axes), **kwargs))
    return total


def _edges(name, smooth, input, axis, output, mode, cval):
    x = y = _image(name, input)
    axis = normal_axes(axis, x.ndim)[0]
    modes = _per_axis(mode, x.ndim)
    y = correlate1d(y, np.array([-1.0, 0.0, 1.0]), axis, None, modes[axis], cval)
    for i in range(x.ndim):
        y = y if i == axis else correlate1d(y, np.array(smooth), i, None, modes[i], cval)
    return _of_dtype(name, y, x, output)


@twin(nd.sobel, ndimage)
def sobel(input, axis=-1, output=None, mode="reflect", cval=0.0):
    return _edges("sobel", [1.0, 2.0, 1.0], input, axis, output, mode, cval)


@twin(nd.prewitt, ndimage)
def prewitt(input, axis=-1, output=None, mode="reflect", cval=0.0):
    return _edges("prewitt", [1.0, 1.0, 1.0], input, axis, output, mode, cval)
