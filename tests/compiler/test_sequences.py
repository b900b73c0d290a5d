"""What is done along an axis, and by polynomials: the numbers are NumPy's, and no call of NumPy's is left."""

import numpy as np
import pytest
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view
from tests.compiler.test_lowering import both, calls, compare, gradient

import wengert as wg

rng = np.random.default_rng(0)


@pytest.mark.parametrize(("shape", "window", "axis"), [((9,), 3, 0), ((5, 8), 4, 1), ((6, 7), (2, 3), (0, 1)),
                                                       ((7, 4), (2, 3), (0, 0)), ((4, 3, 6), 6, -1)])  # fmt: skip
def test_sliding_windows(shape, window, axis):
    both(lambda x: np.exp(np.lib.stride_tricks.sliding_window_view(x, window, axis)), rng.normal(size=shape))


@pytest.mark.parametrize(("n", "m"), [(9, 3), (3, 9), (40, 1), (5, 5), (100, 33), (60, 60), (1, 1)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution(n, m, mode):
    x, weights = rng.normal(size=n), rng.normal(size=m)
    both(lambda x, w: np.convolve(x, w, mode), x, weights)
    both(lambda x, w: np.correlate(x, w, mode), x, weights)


def test_a_convolution_multiplies_nothing_with_what_is_outside():
    x, weights = np.array([np.inf, 1.0, 2.0, 3.0, np.nan, 1.0]), np.array([0.0, 1.0, -1.0])
    with np.errstate(all="ignore"):
        compare(lambda x, w: np.convolve(x, w), x, weights)


def test_what_numpy_does_faster_stays_a_call():
    assert calls(compare(np.convolve, rng.normal(size=300), rng.normal(size=200), native=False))
    assert calls(compare(lambda x: np.argmax(x * 2), rng.normal(size=5000), native=False))


def test_polynomials():
    p, x = rng.normal(size=5), rng.normal(size=(4, 3))
    both(np.polyval, p, x)
    compare(np.polyval, p, np.array([np.inf, 0.0, -1.0, np.nan]))
    both(lambda x: np.vander(x, 6), x[0])
    both(lambda x: np.vander(x, increasing=True), x[:, 0])
    both(lambda p, q: np.polymul(p, q), p, x[0])


@pytest.mark.parametrize("n", [1, 2, 8, 9, 50])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_products_and_extrema(n, axis):
    x = rng.uniform(0.5, 1.5, (n, 12) if axis == 0 else (12, n))
    both(lambda x: np.cumprod(x, axis=axis), x)
    compare(lambda x: np.maximum.accumulate(x, axis=axis), x)
    compare(lambda x: np.minimum.accumulate(x, axis=axis), np.where(x > 1.4, np.nan, x))
    compare(lambda x: np.cumprod(x), x.astype(np.float32), rtol=1e-4)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_places_of_extrema(axis, keepdims):
    x = rng.integers(0, 4, (5, 9)).astype(float)
    for values in (x, np.where(x == 2, np.nan, x), np.full_like(x, -np.inf), x.astype(np.float32)):
        for function in (np.argmax, np.argmin):
            compare(lambda x, f=function: f(np.multiply(x, 1.5), axis=axis, keepdims=keepdims), values)


def test_places_of_extrema_as_indices():
    x = rng.normal(size=(6, 5))
    both(lambda x: np.take_along_axis(x, np.argmax(x, axis=1, keepdims=True), axis=1), x)
    both(lambda x: x[np.argmin(x[:, 0])] * 2, x)


@pytest.mark.parametrize("ord", [1, 3, 2.5, np.inf, -np.inf, -1, 2])
def test_norms_of_vectors(ord):
    x = rng.normal(size=(4, 6))
    both(lambda x: np.linalg.norm(x[0], ord), x)
    both(lambda x: np.linalg.norm(x, ord, axis=1), x)


def test_inserting_and_deleting():
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(2, 4))
    both(lambda x, y: np.insert(x, [1, 4], y, axis=0), x, y)
    both(lambda x: np.delete(x, [1, 4], axis=0), x)


def test_bessel_functions():
    x = np.append(rng.normal(size=20), 0.0)
    both(np.i0, x)
    for function in (scipy.special.i0, scipy.special.i1, scipy.special.j0, scipy.special.j1, scipy.special.k0):
        both(function, x[:20] if function is scipy.special.k0 else x)


def test_slopes_of_special_functions():
    x = np.append(rng.uniform(0.01, 5, 20), [40.0, 1e8])
    both(scipy.special.psi, x)
    both(scipy.special.log_ndtr, np.append(10 * rng.normal(size=20), -40.0))
    both(lambda x: np.sum(scipy.special.gammaln(x)), x)
    compare(gradient(scipy.special.psi, x), x.astype(np.float32), rtol=1e-6)


def test_digamma_of_negative_numbers_is_left_to_scipy():
    x = np.array([0.3, 0.7, 2.5])
    fast = wg.compile(wg.grad(lambda x: np.sum(scipy.special.psi(x))))
    for change in (0.0, 0.1, -1.2, 0.2):
        expected = wg.grad(lambda x: np.sum(scipy.special.psi(x)))(x + change)
        np.testing.assert_allclose(fast(x + change), expected, rtol=1e-12)


def test_angles_and_powers_of_two():
    x = rng.normal(size=20)
    compare(np.angle, x)
    compare(lambda x: np.angle(x, deg=True), x)
    compare(lambda x: np.ldexp(x, np.arange(20) % 5), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, x: scipy.special.betainc(a, 0.7, x), scipy.special.gammainc, scipy.special.kv, scipy.special.binom,
        lambda a, x: scipy.special.boxcox(a, 0.3) + scipy.special.huber(0.5, x), scipy.special.rel_entr,
        lambda a, x: scipy.special.hyp2f1(a, 0.3, 1.4, x / 2), scipy.special.stdtr,
    ],
)  # fmt: skip
def test_special_functions(function):
    a, x = rng.uniform(0.5, 3, 12), rng.uniform(0.05, 0.95, 12)
    compare(function, a, x, rtol=1e-14)


# Search -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 50])
@pytest.mark.parametrize("side", ["left", "right"])
def test_places_in_sorted_numbers(n, side):
    points = np.sort(np.round(rng.normal(size=n), 1))
    x = np.concatenate([rng.normal(size=20), points, [np.inf, -np.inf, np.nan, -0.0]])
    compare(lambda a, v: np.searchsorted(a, v, side), points, x)
    compare(lambda a, v: np.searchsorted(a, v.reshape(2, -1), side=side), points, rng.normal(size=8))
    compare(lambda a, v: np.searchsorted(a, v, side), np.arange(n), x)


def test_a_search_in_what_is_not_sorted_is_numpys():
    points, x = rng.normal(size=30), rng.normal(size=9)
    fast = wg.compile(lambda a, v: np.searchsorted(a, v))
    for a in (np.sort(points), points, np.append(points[:-1], np.nan), np.sort(points)):
        np.testing.assert_array_equal(fast(a, x), np.searchsorted(a, x))


@pytest.mark.parametrize("n", [2, 3, 9, 40])
def test_interpolation(n):
    points, values = np.sort(np.round(rng.normal(size=n), 1)), rng.normal(size=n)
    x = np.concatenate([rng.normal(size=20), points, [np.inf, -np.inf, -0.0]])
    np.testing.assert_array_equal(compare(np.interp, x, points, values)(x, points, values)[0],
                                  np.interp(x, points, values))  # fmt: skip
    points = np.linspace(-1, 1, n)
    both(np.interp, rng.uniform(-1.5, 1.5, 20), points, values)
    with np.errstate(all="ignore"):
        values[n // 2] = np.inf
        compare(np.interp, x, points, values)


def begun_anew(x):
    a = x * 1.0
    w = sliding_window_view(a, 3)
    a[0] = 5 * x[1]
    return np.sum(w * w)


def added_to(x):
    a = x * 1.0
    w = sliding_window_view(a[1:], 2)
    a[2:] += x[:-2]
    return np.sum(w * w)


def column_written(x):
    a = np.stack([x, x * x]).T
    w = sliding_window_view(a, 2, axis=0)
    a[:, 1] = x * x[0]
    return np.sum(w * w)


def scaled(x):
    a = np.stack([x, x * 2])
    w = sliding_window_view(a, (2, 2))[:, ::2]
    before = np.sum(w**3)
    a[0, 1] *= x[2]
    return before + np.sum(w * w)


@pytest.mark.parametrize("f", [begun_anew, added_to, column_written, scaled], ids=lambda f: f.__name__)
def test_windows_show_what_is_written_later(f):
    fast, gradient = wg.compile(f), wg.compile(wg.grad(f))
    for k in range(3):
        x, h = np.arange(1.0, 7) + k, 1e-6
        expected = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))]
        assert np.isclose(fast(x), f(x), rtol=1e-13)
        np.testing.assert_allclose(wg.grad(f)(x), expected, 1e-5)
        np.testing.assert_allclose(gradient(x), expected, 1e-5)
        np.testing.assert_allclose(wg.jvp(f, (x,), (np.ones(6),))[1], np.sum(expected), 1e-5)
