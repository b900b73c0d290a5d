"""wengert.scipy's interpolators against SciPy's, and what they refuse."""

import functools

import numpy as np
import pytest
import scipy.interpolate
import scipy.ndimage
import scipy.sparse.linalg

import wengert as wg
from wengert.errors import ArgumentError, DTypeError, LostGradientError, MissingRuleError
from wengert.scipy import interpolate, ndimage
from wengert.scipy.spatial import distance

pytestmark = pytest.mark.filterwarnings("ignore")
random = np.random.default_rng(3)
X = np.array([0.0, 0.7, 1.1, 2.3, 3.0, 3.2, 5.0])
Y = random.normal(size=7)
WIDE = random.normal(size=(2, 7, 3))
AT = np.array([[-0.5, 0.0, 0.31, 0.7], [2.9, 4.1, 5.0, 5.8]])


def recorded(x):
    return wg.tensor(x, requires_grad=True)


def both(name, *given, then=lambda spline: spline(AT), **keywords):
    """The results of SciPy's class, of ours on plain arrays, and of ours on recorded ones."""
    tensors = [recorded(g) if isinstance(g, np.ndarray) and g.dtype == float else g for g in given]
    if name in ("BSpline", "make_interp_spline"):
        tensors[0] = given[0]
    makers = (getattr(scipy.interpolate, name), given), (getattr(interpolate, name), given)
    return [then(make(*g, **keywords)) for make, g in (*makers, (getattr(interpolate, name), tensors))]


def check(results):
    expected, plain, tensor = results
    np.testing.assert_allclose(plain, expected, rtol=1e-10, atol=1e-11)
    assert isinstance(tensor, wg.Tensor)
    np.testing.assert_allclose(tensor.data, expected, rtol=1e-10, atol=1e-11)


VALUE_AND_SLOPE = [{}, {"nu": 1}, {"nu": 2}, {"nu": 4}, {"extrapolate": False}, {"extrapolate": "periodic"}]


@pytest.mark.parametrize("call", VALUE_AND_SLOPE, ids=str)
@pytest.mark.parametrize("name", ["CubicSpline", "PchipInterpolator", "Akima1DInterpolator"])
def test_splines(name, call):
    check(both(name, X, Y, then=lambda spline: spline(AT, **call)))
    check(both(name, X, WIDE, axis=1, then=lambda spline: spline(AT, **call)))


@pytest.mark.parametrize(
    "bc_type", ["natural", "clamped", "not-a-knot", ("natural", "clamped"), ((1, 0.4), (2, -0.3)), "periodic"], ids=str
)
@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_ends_of_cubic_splines(bc_type, n):
    y = np.append(Y[: n - 1], Y[0]) if bc_type == "periodic" else Y[:n]
    check(both("CubicSpline", X[:n], y, bc_type=bc_type))


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("name", ["PchipInterpolator", "Akima1DInterpolator"])
def test_few_points(name, n):
    check(both(name, X[:n], Y[:n]))


def test_flat_and_monotone_values():
    check(both("PchipInterpolator", X, np.array([0.0, 0, 1, 1, 2, 5, 5])))
    check(both("Akima1DInterpolator", X, np.array([0.0, 0, 0, 1, 1, 1, 5]), method="makima"))
    gradient = wg.grad(lambda y: np.sum(interpolate.PchipInterpolator(X, y)(AT)))(np.zeros(7))
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(
    "then",
    [
        lambda s: s.derivative()(AT),
        lambda s: s.derivative(5)(AT),
        lambda s: s.antiderivative(2)(AT),
        lambda s: s.integrate(0.2, 4.0),
    ],
)
def test_derivatives_and_integrals(then):
    check(both("CubicSpline", X, Y, then=then))
    check(both("CubicHermiteSpline", X, Y, Y[::-1].copy(), then=then))


KINDS = ("linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 5)


@pytest.mark.parametrize("kind", KINDS)
def test_interp1d(kind):
    spline = kind in ("quadratic", "cubic", 5)
    x, y = X if spline else recorded(X), recorded(WIDE)
    inside = np.array([0.0, 0.3, 0.35, 0.9, 2.65, 5.0])
    expected = scipy.interpolate.interp1d(X, WIDE, kind, axis=1)(inside)
    np.testing.assert_allclose(interpolate.interp1d(x, y, kind, axis=1)(inside).data, expected, atol=1e-12)
    for fill_value in ("extrapolate", 0.3, (0.1, 0.2)):
        given = {"axis": 1, "bounds_error": False, "fill_value": fill_value}
        expected = scipy.interpolate.interp1d(X, WIDE, kind, **given)(AT)
        np.testing.assert_allclose(interpolate.interp1d(x, y, kind, **given)(AT).data, expected, atol=1e-9)
    with pytest.raises(ValueError):
        interpolate.interp1d(x, y, kind, axis=1)(AT)


T = np.array([0.0, 0, 0, 0, 1, 2, 2, 4, 4, 4, 4])


@pytest.mark.parametrize("call", VALUE_AND_SLOPE[:3] + VALUE_AND_SLOPE[4:], ids=str)
def test_b_splines(call):
    check(both("BSpline", T, Y, 3, then=lambda spline: spline(AT, **call)))
    check(both("BSpline", T, WIDE, 3, axis=1, then=lambda spline: spline(AT, **call)))
    check(both("BSpline", T, Y, 3, then=lambda spline: spline.derivative(2)(AT % 4)))
    check(both("BSpline", T, Y, 3, then=lambda spline: spline.integrate(0.3, 3.1)))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5])
def test_interpolating_b_splines(k):
    check(both("make_interp_spline", X, Y, k))
    check(both("make_interp_spline", X, WIDE, k, axis=1))


@pytest.mark.parametrize(
    "bc_type", ["natural", "clamped", "not-a-knot", ([(1, 0.3)], [(2, 0.1)]), (None, None)], ids=str
)
def test_ends_of_interpolating_b_splines(bc_type):
    if bc_type == (None, None):
        bc_type = None
    check(both("make_interp_spline", X, Y, 3, bc_type=bc_type))
    check(both("make_interp_spline", X, Y, t=np.array([0, 0, 0, 0, 1.1, 2.3, 3, 5, 5, 5, 5])))


GRID = [X[:4], X[:5] - 1, X]
VALUES = random.normal(size=(4, 5, 7, 2))
INSIDE = np.stack([random.uniform(low, high, (2, 6)) for low, high in ((0, 2.3), (-1, 2), (0, 5))], axis=-1)


@pytest.mark.parametrize("method", ["linear", "nearest", "slinear", "cubic"])
def test_grids(method):
    points = [recorded(p) for p in GRID] if method in ("linear", "nearest") else GRID
    ours = interpolate.RegularGridInterpolator
    solver = {"solver": scipy.sparse.linalg.spsolve} if method in ("slinear", "cubic") else {}  # the default is inexact
    make = functools.partial(scipy.interpolate.RegularGridInterpolator, **solver)
    expected = make(GRID, VALUES, method)(INSIDE)
    np.testing.assert_allclose(ours(points, recorded(VALUES), method)(INSIDE).data, expected, atol=1e-9)
    np.testing.assert_allclose(ours(points, VALUES, method)(recorded(INSIDE)).data, expected, atol=1e-9)
    for fill_value in (None, 0.7):
        given = {"bounds_error": False, "fill_value": fill_value}
        expected = make(GRID, VALUES, method, **given)(1.5 * INSIDE)
        got = ours(points, recorded(VALUES), method, **given)(1.5 * INSIDE)
        np.testing.assert_allclose(got.data, expected, rtol=1e-7, atol=1e-7)
    with pytest.raises(ValueError, match="out of bounds in dimension 0"):
        ours(points, recorded(VALUES), method)(INSIDE + np.array([5, 0, 0]))


def test_grids_that_fall_and_places_that_are_not_numbers():
    falling = [GRID[0][::-1], *GRID[1:]]
    places = INSIDE.copy()
    places[0, 0, 1] = np.nan
    expected = scipy.interpolate.RegularGridInterpolator(falling, VALUES, bounds_error=False)(places)
    got = interpolate.RegularGridInterpolator(falling, recorded(VALUES), bounds_error=False)(places)
    np.testing.assert_allclose(got.data, expected)


def test_gradient_by_the_grid():
    """Shifting grid and places together changes nothing."""
    gradients = wg.grad(lambda grid, x: np.sum(interpolate.RegularGridInterpolator([grid], Y)(x)), argnums=(0, 1))(
        X, np.array([0.3, 2.0, 4.4])
    )
    np.testing.assert_allclose(np.sum(gradients[0]) + np.sum(gradients[1]), 0, atol=1e-12)


# Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, named",
    [
        (lambda t: interpolate.BSpline(t, Y, 3), MissingRuleError, "t that is not recorded"),
        (lambda t: interpolate.make_interp_spline(t, Y), MissingRuleError, "x that is not recorded"),
        (lambda t: interpolate.make_interp_spline(X, t, bc_type="periodic"), ArgumentError, "periodic"),
        (lambda t: interpolate.RegularGridInterpolator([X], t, "pchip"), ArgumentError, "pchip"),
        (lambda t: interpolate.interpn([X], t, [1.0], "splinef2d"), ArgumentError, "splinef2d"),
        (lambda t: interpolate.CubicSpline(X, t).roots(), MissingRuleError, "recorded"),
        (lambda t: interpolate.UnivariateSpline(X, t), LostGradientError, "recorded"),
        (lambda t: ndimage.shift(t, 0.5, cval=t[0]), MissingRuleError, "cval"),
        (lambda t: ndimage.shift(t, 0.5, output=np.zeros(7)), ArgumentError, "output"),
        (lambda t: ndimage.zoom(Y, t[0] + 2), MissingRuleError, "zoom"),
        (lambda t: ndimage.map_coordinates(np.arange(7), t[None]), DTypeError, "floats"),
        (lambda t: ndimage.gaussian_filter1d(Y, t[0] ** 2 + 1, order=1), ArgumentError, "order"),
        (lambda t: ndimage.median_filter(t, 3), LostGradientError, "recorded"),
    ],
)
def test_refused_by_name(call, error, named):
    with pytest.raises(error, match=named):
        call(recorded(Y))


def test_width_of_a_gaussian():
    f = lambda s: np.sum(ndimage.gaussian_filter(Y, s, radius=3) * X)  # noqa: E731
    h = 1e-5
    np.testing.assert_allclose(wg.grad(f)(0.8), (f(0.8 + h) - f(0.8 - h)) / (2 * h), rtol=1e-7)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "grid-wrap", "wrap", "nearest", "grid-constant", "constant"])
@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("n", [1, 2, 7, 90])
def test_all_modes_orders_and_sizes(mode, order, n):
    x = random.normal(size=(n, 3))
    at = np.stack([random.uniform(-1.7 * n, 2.7 * n, 40), random.uniform(-0.4, 2.4, 40)])
    expected = scipy.ndimage.map_coordinates(x, at, order=order, mode=mode, cval=0.3)
    got = ndimage.map_coordinates(recorded(x), at, order=order, mode=mode, cval=0.3)
    np.testing.assert_allclose(got.data, expected, atol=1e-9)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "grid-wrap", "nearest"])
@pytest.mark.parametrize("n", [7, 90])
def test_adjoint_of_interpolation(mode, n):
    """The gradient by the values is exactly the transpose, long and short lines alike."""
    at, g = random.uniform(0, n - 1, (1, 40)), random.normal(size=40)
    f = lambda x: ndimage.map_coordinates(x, at, order=3, mode=mode)  # noqa: E731
    gradient = wg.grad(lambda x: np.sum(f(x) * g))(np.zeros(n))
    np.testing.assert_allclose(gradient, [np.sum(f(e) * g) for e in np.eye(n)], atol=1e-12)


def test_distances_of_near_points_far_from_zero():
    """Where products of matrices would lose the difference of two points, it is taken."""
    a = np.array([[1e3, 1e3], [1e3 + 3e-9, 1e3 + 4e-9], [2e3, 0.0]])
    (difference,) = a[1:2] - a[:1]
    gradient = wg.grad(lambda x: distance.cdist(x, a[:1])[1, 0])(a)
    np.testing.assert_allclose(gradient[1], difference / np.sqrt(np.sum(difference**2)), rtol=1e-13)
    assert np.all(wg.grad(lambda x: np.sum(distance.cdist(x, x)))(np.ones((3, 2))) == 0)


def test_distances_are_written_into_tensors_only():
    x, out = recorded(np.eye(3, 2)), wg.zeros((3, 3))
    assert distance.cdist(x, np.eye(3, 2), out=out) is out
    assert out.requires_grad
    with pytest.raises(LostGradientError, match="out"):
        distance.cdist(x, np.eye(3, 2), out=np.zeros((3, 3)))


@pytest.mark.parametrize("keyword", [{"metric": "jaccard"}, {"w": np.ones(2)}], ids=str)
def test_distances_refused(keyword):
    name = next(iter(keyword))
    with pytest.raises(ArgumentError, match=name):
        distance.cdist(recorded(np.eye(3, 2)), np.eye(3, 2), **keyword)
