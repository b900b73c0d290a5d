"""scipy.interpolate: tables on a line (`interp1d`) and on grids."""

import math

import numpy as np
import scipy.interpolate as si
from scipy.sparse import csr_array

from wengert.primitive import primitive
from wengert.protocol import anywhere, everywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.reductions import normal_axis
from wengert.rules.scipy_interpolate import HOME, _places_in_front, interpolate, make_interp_spline
from wengert.rules.scipy_tools import array, chosen, double, has_wrapper, plain, primal, searched, twin, unsupported
from wengert.rules.splines import sample

# One dimension ---------------------------------------------------------------------------------------------------
# Between two lines of a table: a product with a sparse matrix, which is written down only where its transpose is taken.


def _blended(table, weight, low):
    """``(1 - weight) * table[low] + weight * table[low + 1]``."""
    start = table[low]
    return start + weight[:, None] * (table[low + 1] - start)


def _blended_batch(table, weight, low, batched, size):
    if not (batched[1] or batched[2]):
        return _of_columns(lambda table: blended(table, weight, low), table, size)
    weight, low = _lines(weight, batched[1], size), _lines(low, batched[2], size)
    if batched[0]:
        low, table = low + _starts(size, table.shape[1]), np.reshape(table, (-1, table.shape[2]))
    result = blended(table, np.reshape(weight, (-1,)), np.reshape(low, (-1,)))
    return np.reshape(result, (*low.shape, table.shape[-1]))


def _spread(z, weight, low, rows=0):
    """The transpose of `_blended`, as a matrix of `z`."""
    data = np.stack([1 - weight, weight], axis=1).ravel()
    indices, ends = np.stack([low, low + 1], axis=1).ravel(), np.arange(0, 2 * len(low) + 1, 2)
    return csr_array((data, indices, ends), shape=(len(low), rows)).T @ z


def _spread_batch(z, weight, low, batched, size, rows):
    if not (batched[1] or batched[2]):
        return _of_columns(lambda z: spread(z, weight, low, rows=rows), z, size)
    weight, low = _lines(weight, batched[1], size), _lines(low, batched[2], size) + _starts(size, rows)
    z = z if batched[0] else np.broadcast_to(z, (size, *z.shape))
    flat = (np.reshape(x, (-1,)) for x in (weight, low))
    return np.reshape(spread(np.reshape(z, (-1, z.shape[2])), *flat, rows=size * rows), (size, rows, z.shape[2]))


def _of_columns(function, x, size):
    """Of a batch of matrices, whose columns are put beside each other."""
    wide = np.moveaxis(x, 0, 1)
    result = function(np.reshape(wide, (x.shape[1], -1)))
    return np.moveaxis(np.reshape(result, (-1, size, x.shape[2])), 1, 0)


def _lines(x, is_batch, size):
    return x if is_batch else np.broadcast_to(x, (size, *x.shape))


def _starts(size, rows):
    return rows * np.arange(size)[:, None]


def _by_weight(g, table, weight, low):
    slopes = np.sum(g * (chosen(table, low + 1) - chosen(table, low)), axis=1)
    return slopes if is_complex(weight) or not is_complex(slopes) else np.real(slopes)


blended = primitive(
    _blended,
    lambda g, weight, low, like: spread(g, weight, low, rows=like.shape[0]),
    _by_weight,
    None,
    name="interp1d",
    tangents=(
        lambda g, weight, low: blended(g, weight, low),
        lambda g, table, low: g[:, None] * (chosen(table, low + 1) - chosen(table, low)),
        None,
    ),
    batch=_blended_batch,
    casts=True,
)
spread = primitive(
    _spread,
    lambda g, weight, low: blended(g, weight, low),
    lambda g, z, weight, low: _by_weight(z, g, weight, low),
    None,
    name="interp1d, transposed",
    tangents=(lambda g, weight, low, rows: spread(g, weight, low, rows=rows), None, None),
    batch=_spread_batch,
    casts=True,
)


class interp1d:
    """See `scipy.interpolate.interp1d`."""

    __module__ = HOME

    def __init__(
        self, x, y, kind="linear", axis=-1, copy=True, bounds_error=None, fill_value=np.nan, assume_sorted=False
    ):
        x, y = double(x), array(y)
        y = y if y.dtype.kind in "fc" else y.astype(float)
        self.axis = normal_axis(axis, y.ndim)
        y = np.moveaxis(y, self.axis, 0)
        if x.ndim != 1 or len(x) != len(y):
            raise ValueError("x and y arrays must be equal in length along interpolation axis.")
        if not assume_sorted:
            order = np.argsort(primal(x), kind="mergesort")
            x, y = chosen(x, order), chosen(y, order)
        self.x, self._y, self.kind = x, y, kind
        self._extrapolates = isinstance(fill_value, str) and fill_value == "extrapolate"
        if self._extrapolates and bounds_error:
            raise ValueError("Cannot extrapolate and raise at the same time.")
        alone = not isinstance(fill_value, (tuple, str))
        is_nan = alone and not has_wrapper(fill_value) and np.ndim(fill_value) == 0 and np.isnan(fill_value)
        self.bounds_error = bool(bounds_error) if bounds_error is not None else is_nan
        self.fill_value = fill_value
        splines = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
        kind = splines.get(kind, kind)
        if kind == 0:
            kind = "previous"
        elif kind == 1:
            kind = "linear"
        if isinstance(kind, str) and kind not in ("linear", "nearest", "nearest-up", "previous", "next"):
            raise NotImplementedError(f"{kind} is unsupported: Use fitpack routines for other types.")
        self._how = kind
        self._spline = make_interp_spline(x, y, k=int(kind)) if not isinstance(kind, str) else None

    def __call__(self, x):
        """Values at places of any shape."""
        x = double(x)
        flat = np.reshape(x, (-1,))
        y = self._values(flat) if self._spline is None else self._spline(flat)
        if not self._extrapolates:
            y = self._filled(flat, y)
        elif self.kind in ("previous", "next"):
            places, n = primal(flat), len(self.x)
            lost = places < primal(self.x)[0] if self._how == "previous" else places > primal(self.x)[n - 1]
            y = np.where(np.reshape(lost, (-1, *(1,) * (y.ndim - 1))), np.nan, y)
        return _places_in_front(np.reshape(y, (*x.shape, *self._y.shape[1:])), x.ndim, self.axis)

    def _values(self, flat):
        knots, places, n = primal(self.x), primal(flat), len(self.x)
        if self._how == "linear":
            high = np.clip(searched(knots, places), 1, n - 1)
            low = high - 1
            start = chosen(self.x, low)
            weight = (flat - start) / (chosen(self.x, high) - start)
            columns = math.prod(self._y.shape[1:])
            y = blended(np.reshape(self._y, (n, columns)), weight, low)
            return np.reshape(y, (*flat.shape, *self._y.shape[1:]))
        if self._how in ("nearest", "nearest-up"):
            middles = (knots[1:] + knots[:-1]) / 2
            number = searched(middles, places, "left" if self._how == "nearest" else "right")
            return chosen(self._y, np.clip(number, 0, n - 1))
        if self._how == "previous":
            return chosen(self._y, np.clip(searched(knots, places, "right") - 1, 0, n - 1))
        return chosen(self._y, np.clip(searched(knots, places, "left"), 0, n - 1))

    def _filled(self, flat, y):
        knots, places = primal(self.x), primal(flat)
        below, above = places < knots[0], places > knots[-1]
        if self.bounds_error and anywhere(below | above):
            places, knots, below, above = map(plain, (places, knots, below, above))
            what = f"a value ({places[below | above][0]}) in x_new is outside of the interpolation range"
            raise ValueError(f"{what} [{knots[0]}, {knots[-1]}].")
        if not anywhere(below | above):
            return y
        pair = self.fill_value if isinstance(self.fill_value, tuple) else (self.fill_value, self.fill_value)
        shape = (-1, *(1,) * (y.ndim - 1))
        y = np.where(np.reshape(below, shape), pair[0], y)
        return np.where(np.reshape(above, shape), pair[1], y)


# Grids -----------------------------------------------------------------------------------------------------------

DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}


class RegularGridInterpolator:
    """See `scipy.interpolate.RegularGridInterpolator`; the grid may be recorded in the methods linear and nearest."""

    __module__ = HOME

    def __init__(
        self, points, values, method="linear", bounds_error=True, fill_value=np.nan, *, solver=None, solver_args=None
    ):
        name = "RegularGridInterpolator"
        if method not in ("linear", "nearest", *DEGREES):
            raise unsupported(
                name, "method", method, "'linear', 'nearest', 'slinear', 'cubic' or 'quintic'", array(values)
            )
        if solver is not None or solver_args is not None:
            raise unsupported(name, "solver", solver, None, array(values))
        grid, values = [double(p) for p in points], array(values)
        values = values if values.dtype.kind in "fc" else values.astype(float)
        for axis, p in enumerate(grid):
            if p.ndim != 1 or len(p) != values.shape[axis]:
                raise ValueError(f"There are {p.shape} points and {values.shape[axis]} values on dimension {axis}")
            if len(p) > 1 and everywhere(np.diff(primal(p)) < 0):
                grid[axis], values = np.flip(p), np.flip(values, axis=axis)
            elif anywhere(np.diff(primal(p)) <= 0):
                raise ValueError(f"The points in dimension {axis} must be strictly ascending or descending")
        self.grid, self.values, self.method = tuple(grid), values, method
        self.bounds_error, self.fill_value = bounds_error, fill_value
        self._splines = {}

    def __call__(self, xi, method=None, *, nu=None):
        """Values at places, whose last axis has the coordinates."""
        method, d = self.method if method is None else method, len(self.grid)
        if method not in ("linear", "nearest", *DEGREES):
            raise ValueError(f"Method '{method}' is not defined")
        if nu is not None:
            raise unsupported("RegularGridInterpolator", "nu", nu, None, self.values)
        xi = double(np.stack(np.broadcast_arrays(*map(array, xi)), axis=-1) if isinstance(xi, tuple) else xi)
        if d == 1 and xi.ndim == 1:
            xi = xi[:, None]
        if xi.shape[-1] != d:
            raise ValueError(f"The requested sample points xi have dimension {xi.shape[-1]} but this has dimension {d}")
        flat = np.transpose(np.reshape(xi, (-1, d)))
        places = primal(flat)
        inside = [(x >= primal(p)[0]) & (x <= primal(p)[-1]) for x, p in zip(places, self.grid, strict=True)]
        if self.bounds_error:
            for axis, fits in enumerate(inside):
                if not everywhere(fits):
                    raise ValueError(f"One of the requested xi is out of bounds in dimension {axis}")
        outside = ~np.all(np.stack(inside), axis=0)
        y = self._evaluated(flat, method)
        shape = (-1, *(1,) * (y.ndim - 1))
        if not self.bounds_error and self.fill_value is not None and anywhere(outside):
            y = np.where(np.reshape(outside, shape), self.fill_value, y)
        lost = np.any(np.isnan(places), axis=0)
        y = np.where(np.reshape(lost, shape), np.nan, y) if anywhere(lost) else y
        return np.reshape(y, (*xi.shape[:-1], *self.values.shape[d:]))

    def _evaluated(self, flat, method):
        d = len(self.grid)
        if method in DEGREES:
            knots, c = self._coefficients(DEGREES[method])
            return sample(c, flat, order=DEGREES[method], nus=((0,) * d,), knots=knots)[0]
        lines = []
        for k, p in enumerate(self.grid):
            i = np.clip(searched(primal(p), primal(flat)[k]) - 1, 0, max(len(p) - 2, 0))
            width = chosen(p, i + 1) - chosen(p, i) if len(p) > 1 else 1.0
            lines.append(((flat[k] - chosen(p, i)) / width, i))
        if method == "nearest":
            number = 0
            for (t, i), p in zip(lines, self.grid, strict=True):
                number = number * len(p) + np.where(primal(t) <= 0.5, i, np.minimum(i + 1, len(p) - 1))
            return chosen(np.reshape(self.values, (-1, *self.values.shape[d:])), number)
        points = np.stack([t + i for t, i in lines])
        return sample(self.values, points, order=1, fold="extend", nus=((0,) * d,))[0]

    def _coefficients(self, degree):
        """The values' spline along one axis after the other."""
        if degree not in self._splines:
            knots, c = [], self.values
            for axis, p in enumerate(self.grid):
                spline = make_interp_spline(p, c, degree, axis=axis)
                knots.append(spline.t)
                c = np.moveaxis(spline.c, 0, axis)
            self._splines[degree] = tuple(knots), c
        return self._splines[degree]


@twin(si.interpn, interpolate)
def interpn(points, values, xi, method="linear", bounds_error=True, fill_value=np.nan):
    if method not in ("linear", "nearest", *DEGREES):
        raise unsupported(
            "interpn", "method", method, "'linear', 'nearest', 'slinear', 'cubic' or 'quintic'", array(values)
        )
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)
