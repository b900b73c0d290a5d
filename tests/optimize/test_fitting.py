"""Least squares and curves, against SciPy with Jacobians by hand."""

import numpy as np
import pytest
from scipy import optimize as scipy_optimize
from scipy import sparse

import wengert as wg
from wengert.optimize import curve_fit, least_squares

RNG = np.random.default_rng(3)
T = np.linspace(0, 4, 40)


def decay(t, amplitude, rate, floor):
    return amplitude * np.exp(-rate * t) + floor


def decay_jacobian(t, amplitude, rate, floor):
    e = np.exp(-rate * t)
    return np.stack([e, -amplitude * t * e, np.ones_like(t)], axis=1)


Y = decay(T, 2.0, 1.3, 0.5) + 0.05 * RNG.standard_normal(T.size)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares_goes_the_way_of_scipy_with_the_jacobian_by_hand(method):
    expected = scipy_optimize.least_squares(
        lambda p: decay(T, *p) - Y, [1.0, 1.0, 0.0], jac=lambda p: decay_jacobian(T, *p), method=method
    )
    found = least_squares(lambda p: decay(T, *p) - Y, [1.0, 1.0, 0.0], method=method)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-10)
    np.testing.assert_allclose(found.jac, expected.jac, rtol=1e-8, atol=1e-12)
    assert found.nfev == expected.nfev


def test_least_squares_in_containers_with_bounds_and_options():
    def residuals(p, t, y=None):
        return p["a"] * np.exp(-p["k"] * t) + p["floor"][0] - y

    found = least_squares(
        residuals,
        {"a": 1, "k": 1.0, "floor": np.ones(1)},
        bounds=({"a": 0.0, "k": 0.0, "floor": 0.6}, np.inf),
        args=(T,),
        kwargs={"y": Y},
        loss="soft_l1",
        x_scale="jac",
    )
    assert found.success and np.allclose(found.x["floor"], 0.6)
    assert found.grad["floor"].shape == (1,)
    assert found.jac.shape == (40, 3)


def test_sparse_jacobians():
    n = 50

    def chain(x):
        return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x])

    pattern = sparse.vstack([sparse.eye(n - 1, n) + sparse.eye(n - 1, n, 1), sparse.eye(n)])
    for given in ({"jac": "sparse"}, {"jac_sparsity": pattern}):
        found = least_squares(chain, np.full(n, 0.5), **given)
        assert sparse.issparse(found.jac) and np.allclose(found.x, 1)
    with pytest.raises(wg.errors.GradientError, match="pattern"):
        least_squares(chain, np.full(n, 0.5), jac_sparsity=sparse.eye(2 * n - 1, n))
    assert np.allclose(least_squares(chain, np.full(n, 0.5), jac="2-point", jac_sparsity=pattern).x, 1)


def test_least_squares_with_a_jacobian_of_the_callers_own():
    found = least_squares(lambda p: p["x"] - 3, {"x": np.zeros(2)}, jac=lambda p: np.eye(2))
    assert np.allclose(found.x["x"], 3)


def test_residuals_of_any_shape():
    found = least_squares(lambda m: m @ m - np.diag([4.0, 9.0]), np.eye(2))
    assert np.allclose(found.x, np.diag([2, 3]), atol=1e-6)
    assert np.allclose(least_squares(lambda x: [x[0] - 1, 2 * x[0] - 2], 0.0).x, 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"p0": [1.0, 1.0, 0.0]},
        {"method": "trf"},
        {"bounds": ([0, 0, 0], [5, 5, 0.4])},
        {"sigma": 0.05 * np.ones(40), "absolute_sigma": True},
        {"sigma": 0.01 * np.eye(40) + 0.001, "absolute_sigma": True},
        {"sigma": np.linspace(0.1, 1, 40)},
    ],
    ids=str,
)
def test_curve_fit_is_scipy_with_the_jacobian_by_hand(options):
    popt, pcov = curve_fit(decay, T, Y, **options)
    expected, covariance = scipy_optimize.curve_fit(decay, T, Y, jac=decay_jacobian, **options)
    np.testing.assert_allclose(popt, expected, rtol=1e-7)
    np.testing.assert_allclose(pcov, covariance, rtol=1e-5)


def test_the_covariance_of_a_straight_line_is_the_closed_form():
    x = np.linspace(0, 1, 11)
    design = np.stack([x, np.ones_like(x)], axis=1)
    _, pcov = curve_fit(lambda x, a, b: a * x + b, x, 2 * x + 1, sigma=np.full(11, 0.3), absolute_sigma=True)
    np.testing.assert_allclose(pcov, 0.09 * np.linalg.inv(design.T @ design), rtol=1e-10)


def test_curve_fit_with_named_and_nested_parameters():
    expected, _ = scipy_optimize.curve_fit(decay, T, Y)
    start = {"amplitude": 1.0, "rate": 1.0, "floor": 0.0}
    named, _ = curve_fit(decay, T, Y, p0=start, bounds=({"amplitude": 0.0, "rate": 0.0, "floor": -1.0}, np.inf))
    assert list(named) == list(start) and np.allclose(list(named.values()), expected, rtol=1e-5)
    turned, covariance = curve_fit(decay, T, Y, p0={"rate": 1.0, "floor": 0.0, "amplitude": 1.0})
    assert list(turned) == ["rate", "floor", "amplitude"]
    order = [1, 2, 0]
    np.testing.assert_allclose(covariance, scipy_optimize.curve_fit(decay, T, Y)[1][np.ix_(order, order)], rtol=1e-4)
    matrix, _ = curve_fit(lambda t, a, b: a[0] * np.exp(-a[1] * t) + b, T, Y, p0={"a": np.ones(2), "b": 0.0})
    assert np.allclose(matrix["a"], expected[:2])

    def nested(t, p):
        return p["decay"][0] * np.exp(-p["decay"][1] * t) + p["floor"]

    popt, pcov = curve_fit(nested, T, Y, p0={"decay": (1.0, 1.0), "floor": 0.0})
    assert np.allclose([*popt["decay"], popt["floor"]], expected) and pcov.shape == (3, 3)


def test_nan_policy_full_output_and_data_of_two_axes():
    gaps = Y.copy()
    gaps[[3, 7]] = np.nan
    popt, _, info, message, status = curve_fit(decay, T, gaps, nan_policy="omit", full_output=True)
    expected, _ = scipy_optimize.curve_fit(decay, T, gaps, nan_policy="omit")
    assert np.allclose(popt, expected) and "fvec" in info and isinstance(message, str) and status in (1, 2, 3, 4)
    with pytest.raises(ValueError, match="nan"):
        curve_fit(decay, T, gaps, nan_policy="raise")
    plane = np.stack([T, T**2])
    popt, _ = curve_fit(lambda x, a, b: a * x[0] + b * x[1], plane, 2 * T - T**2)
    assert np.allclose(popt, [2, -1])


def test_curve_fit_takes_the_callers_jacobian_and_refuses_what_scipy_refuses():
    used = []

    def jacobian(*args):
        used.append(1)
        return decay_jacobian(*args)

    curve_fit(decay, T, Y, jac=jacobian)
    assert used
    with pytest.raises(ValueError, match="number of fit parameters"):
        curve_fit(lambda *p: p[1] * p[0], T, Y)
    with pytest.raises(TypeError, match="must not exceed"):
        curve_fit(decay, T[:2], Y[:2])


def test_recorded_data_are_refused():
    y = wg.tensor(Y, requires_grad=True)
    rate = wg.tensor(1.0, requires_grad=True)
    for call in (
        lambda: curve_fit(decay, T, y),
        lambda: curve_fit(lambda t, a: a * np.exp(-rate * t), T, Y),
        lambda: least_squares(lambda a, t: a * t - y, [1.0], args=(T,)),
        lambda: least_squares(lambda a, y: a - y, [1.0], kwargs={"y": y}),
    ):
        with pytest.raises(wg.errors.LostGradientError, match="implicit"):
            call()


def test_progress_is_shown_on_request(capsys):
    curve_fit(decay, T, Y, progress=True)
    least_squares(lambda p: p - 1, [0.0], progress=True)
    shown = capsys.readouterr().out
    assert "curve_fit" in shown and "least_squares" in shown
