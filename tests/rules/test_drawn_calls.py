"""Calls that were found wrong when functions, shapes and keywords were drawn at random, and that no sample can say."""

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.scipy import linalg, ndimage, stats
from wengert.scipy.spatial import distance

EVERY_SECOND = np.array([True, False, True])


@pytest.mark.parametrize("nothing", [False, np.array(False), np.False_])
def test_a_write_to_nothing_of_a_scalar_loses_no_gradient(nothing):
    def f(x):
        y = np.zeros_like(x)
        y[...] = x * x
        y[nothing] = 0.0
        return y

    assert wg.grad(f)(3.0) == 6
    assert wg.jvp(f, (3.0,), (1.0,))[1] == 6


@pytest.mark.parametrize("truth", [True, np.array(True), (None, True)])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_mask_of_a_scalar_selects_a_copy(truth, requires_grad):
    x = wg.tensor(2.0, requires_grad=requires_grad)
    y = x * 1
    y[truth] *= 3.0
    assert y.item() == 6
    y[truth] += np.array([1.0])
    assert y.item() == 7


def test_elements_written_twice_in_a_batch():
    """Of index arrays with a slice between, whose axes move in front, the selection is a copy and no view."""
    random = np.random.default_rng(0)
    index = np.array([0, 0, 1]), slice(1, 3), 1
    x, c, w = random.random((2, 2, 4, 3)), random.random((2, 3, 2)), random.random((2, 4, 3))

    def f(x, c):
        y = x * 1
        y[index] += c
        return np.sum(y * w)

    def g(x, c):
        y = x * 1
        part = y[index]
        part += c
        return np.sum(y * w) + np.sum(part * part)

    for function in (f, g):
        gradient = wg.grad(function, argnums=(0, 1))
        batched = wg.vmap(gradient)(x, c)
        rows = [gradient(*row) for row in zip(x, c, strict=True)]
        for got, *expected in zip(batched, *rows, strict=True):
            np.testing.assert_allclose(got, expected)


def test_places_of_one_level_in_values_of_another():
    values, keys = np.arange(4.0), np.array([[3.0, 1.0, 2.0, 0.5], [0.0, 1.0, -1.0, 5.0]])
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    for pick in (np.take, lambda v, i: np.take_along_axis(v, i, 0), lambda v, i: v[i]):
        gradient = wg.grad(lambda v, k: np.sum(pick(v, np.argsort(k)) * weights))  # noqa: B023
        got = wg.vmap(gradient, in_axes=(None, 0))(values, keys)
        np.testing.assert_array_equal(got, [gradient(values, k) for k in keys])


def test_only_out_is_a_batch():
    def f(out, x):
        out = out * 1
        np.add(x, 1.5, out=out, where=EVERY_SECOND)
        return out

    batch = np.arange(6.0).reshape(2, 3)
    got = wg.vmap(f, in_axes=(0, None))(batch, np.ones(3))
    np.testing.assert_array_equal(got, [f(row, np.ones(3)) for row in batch])


def test_asarray_takes_what_transformations_hand_in():
    assert wg.jvp(lambda x: 2 * wg.asarray(x), (1.0,), (1.0,)) == (2, 2)
    np.testing.assert_array_equal(wg.vmap(lambda x: 2 * wg.asarray(x))(np.ones(2)), [2, 2])
    assert wg.vmap(lambda x: wg.asarray(x, np.float32))(np.ones(2)).dtype == np.float32


def test_dtypes_of_gradients():
    for base, exponent in ((np.ones((2, 1), np.float32), np.array([False, True])), (np.float32(2), np.True_)):
        assert wg.grad(lambda x: np.sum(np.power(x, exponent)))(base).dtype == np.float32  # noqa: B023
    x = wg.tensor(np.zeros(0), requires_grad=True)
    gradients = wg.grad(lambda xp, fp: np.sum(np.interp(x, xp, fp)), argnums=(0, 1))(np.arange(3.0), np.ones(3))
    assert [g.dtype for g in gradients] == [np.float64] * 2
    assert wg.vmap(np.vander)(np.ones((2, 3), np.float32)).dtype == np.vander(np.ones(3, np.float32)).dtype


@pytest.mark.parametrize(
    ("function", "args", "gradient"),
    [
        (special.boxcox, (0.0, 1.5), (0, 1 / 1.5**2)),
        (special.boxcox1p, (-1.0, 1.5), (0, 1 / 1.5**2)),
        (special.gammaincinv, (2.5, 0.0), (0, np.inf)),
        (special.gammainccinv, (2.5, 1.0), (0, -np.inf)),
        (special.betaincinv, (2.0, 3.0, 0.0), (0, 0, np.inf)),
        (special.betaincinv, (2.0, 3.0, 1.0), (0, 0, np.inf)),
        (special.pdtrik, (0.47, 0.7), (0, 0)),
    ],
)
def test_parameters_at_the_ends_of_a_domain(function, args, gradient):
    got = wg.grad(function, argnums=tuple(range(len(args))))(*args)
    np.testing.assert_allclose(got, gradient, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "args", "second"),
    [
        (special.gammainc, (2.5, 0.0), 0),
        (special.gammainc, (2.0, 0.0), 1),
        (special.gammainc, (1.0, 0.0), -1),
        (special.gammainc, (1.5, 0.0), np.inf),
        (special.betainc, (2.0, 3.0, 0.0), 12),
        (special.betainc, (1.0, 2.0, 0.0), -2),
        (special.betainc, (1.0, 2.0, 1.0), -2),
        (special.betainc, (3.0, 2.0, 1.0), -12),
        (special.chdtr, (13.0, 0.0), 0),
        (special.rgamma, (0.0,), 1.1544313298030657),
    ],
)
def test_second_derivatives_at_the_ends_of_a_domain(function, args, second):
    """The slopes of densities where they begin and end; those by the parameters are 0 or infinite, but no NaN."""
    last = len(args) - 1
    np.testing.assert_allclose(wg.grad(wg.grad(function, argnums=last), argnums=last)(*args), second, rtol=1e-14)
    if np.isfinite(second) and args[0] > 1:
        assert not np.any(np.isnan(wg.hessian(function, argnums=tuple(range(len(args))))(*args)))


def _same_in_batches(function, *batches):
    got = wg.vmap(function)(*batches)
    np.testing.assert_allclose(got, [function(*row) for row in zip(*batches, strict=True)], rtol=1e-12)


def test_batches_of_distributions_outside_their_support():
    x = np.array([-1.0, 0.5, 3.0])
    for method in ("cdf", "logcdf", "sf", "pdf", "logpdf"):
        _same_in_batches(getattr(stats.pareto, method), x, np.full(3, 1.7))
        _same_in_batches(wg.grad(getattr(stats.gamma, method), argnums=1), x, np.full(3, 1.7))


def test_batches_of_points_of_a_simplex():
    points = np.array([[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]])
    _same_in_batches(stats.dirichlet.logpdf, points, points + 1)
    _same_in_batches(lambda p: stats.multinomial.logpmf([1, 2, 0], 3, p), points)


def test_batches_of_single_equations():
    for assume in (None, "pos", "sym", "her"):
        _same_in_batches(lambda a, b: linalg.solve(a, b, assume_a=assume), np.full((2, 1, 1), 3.0), np.ones((2, 1)))  # noqa: B023


def test_lengths_that_are_zero():
    """The derivative of a length of 0 is 0, also where a composite takes the root."""
    flat = wg.grad(lambda x: np.sum(ndimage.gaussian_gradient_magnitude(x, 0.7, mode="mirror")))
    assert np.all(np.isfinite(flat(np.random.default_rng(0).normal(size=(4, 3)))))
    points = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    got = wg.grad(lambda x: np.sum(distance.pdist(x, "minkowski", p=3)))(points)
    part = wg.grad(lambda x: 2 * np.sum(distance.cdist(x, points[2:], "minkowski", p=3)))(points[:1])
    np.testing.assert_allclose(got[0] + got[1], part[0], rtol=1e-14)


def test_one_of_two_results_is_infinite():
    assert wg.grad(lambda x: special.sici(x)[0])(0.0) == 1
    assert wg.grad(lambda x: special.shichi(x)[0])(0.0) == 1


@pytest.mark.parametrize("function, sign", [(special.struve, -1), (special.modstruve, 1)])
def test_slopes_of_struve_functions(function, sign):
    """DLMF 11.2.1 and 11.2.2 term by term."""
    for order in (0.0, 0.5, 1.0, 2.0, 3.5):
        for x in (0.0, 1e-8, 0.01, 0.3, 0.99, 1.01, 3.0):
            k = np.arange(30)
            powers = 2 * k + order + 1
            terms = sign**k * special.rgamma(k + 1.5) * special.rgamma(k + order + 1.5) * powers / 2
            np.testing.assert_allclose(
                wg.grad(lambda x: function(order, x))(x),  # noqa: B023
                np.sum(terms * (x / 2) ** (powers - 1)),
                rtol=1e-11,
            )


ROWS = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, -1.0]])


@pytest.mark.parametrize(
    "function", [np.sort, lambda x: np.partition(x, 1), np.median, lambda x: x[np.argsort(x)], np.max]
)
def test_batches_of_tangents_of_orders(function):
    def pushed(x):
        return wg.jvp(function, (x,), (np.array([1.0, 2.0, 3.0]),))[1]

    _same_in_batches(pushed, ROWS)


@pytest.mark.parametrize("make", [lambda x: np.array([x, 2 * x], like=x), lambda x: wg.asarray([x, 2 * x])])
def test_arrays_of_what_transformations_hand_in(make):
    _same_in_batches(lambda x: make(x)[1] * make(x)[0], ROWS)
    value, tangent = wg.jvp(make, (ROWS[0],), (ROWS[1],))
    np.testing.assert_array_equal(value, [ROWS[0], 2 * ROWS[0]])
    np.testing.assert_array_equal(tangent, [ROWS[1], 2 * ROWS[1]])
    assert wg.grad(lambda x: np.sum(wg.jvp(make, (x,), (x,))[1] ** 2))(ROWS[0]) == pytest.approx(10 * ROWS[0])


@pytest.mark.filterwarnings("ignore")
def test_what_where_leaves_out_does_not_matter_to_tangents():
    for missing in (np.nan, np.inf):
        tangent = wg.jvp(
            lambda x: np.where(np.array([False, True]), x, 0.0), (np.zeros(2),), (np.array([missing, 2.0]),)
        )
        np.testing.assert_array_equal(tangent[1], [0, 2])
    x = np.array([1.0, 0.5])
    for method in ("pdf", "logpdf"):
        assert not np.any(np.isnan(wg.jvp(lambda x: getattr(stats.beta, method)(x, 2.5, 1.5), (x,), (x,))[1]))  # noqa: B023


def test_unstacking_nothing():
    assert wg.vjp(lambda x: np.unstack(x), np.zeros((0, 2)))[0] == ()
