"""Roots of systems and of functions of one number."""

import numpy as np
import pytest

import wengert as wg
from wengert.optimize import root, root_scalar


def system(x):
    return np.stack([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


SOLUTION = [0.8411639, 0.1588361]


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_methods_with_the_exact_jacobian(method):
    found = root(system, [0, 0], method=method)
    assert found.success and np.allclose(found.x, SOLUTION)
    assert found.njev > 0


@pytest.mark.parametrize("method", ["broyden1", "krylov", "df-sane"])
def test_methods_without_jacobian_say_so(method):
    with pytest.warns(RuntimeWarning, match="no Jacobian"):
        found = root(system, [0.9, 0.1], method=method)
    assert np.allclose(found.x, SOLUTION, atol=1e-4)
    assert root(system, [0.9, 0.1], method=method, jac=False).success


def test_containers_args_and_own_jacobians():
    def in_containers(p, a):
        return [p["x"] * p["y"] - a, p["x"] - p["y"]]

    found = root(in_containers, {"x": 1.0, "y": 2.0}, args=(4.0,))
    assert np.allclose([found.x["x"], found.x["y"]], 2)
    found = root(lambda x: x**2 - 2, np.ones((2, 2)))
    assert found.x.shape == (2, 2) and np.allclose(found.x, np.sqrt(2))
    assert np.allclose(root(lambda x: (x - 1, np.eye(2)), [0.0, 0.0], jac=True).x, 1)
    assert np.allclose(root(lambda x: x - 1, [0.0, 0.0], jac=lambda x: np.eye(2)).x, 1)


def kepler(e, mean, eccentricity):
    return e - eccentricity * np.sin(e) - mean


@pytest.mark.parametrize("method", [None, "newton", "halley", "secant", "brentq"])
def test_root_scalar(method):
    found = root_scalar(
        kepler, args=(1.0, 0.3), method=method, x0=1.0, x1=1.5 if method == "secant" else None, bracket=[0, 3]
    )
    assert found.converged and abs(kepler(found.root, 1.0, 0.3)) < 1e-10


def test_root_scalar_chooses_newton_with_the_exact_derivative():
    assert root_scalar(kepler, args=(1.0, 0.3), x0=1.0).method == "newton"
    halley = root_scalar(kepler, args=(1.0, 0.3), x0=1.0, method="halley")
    assert halley.iterations <= 4
    own = root_scalar(lambda x: x**2 - 2, x0=1.0, fprime=lambda x: 2 * x)
    assert np.isclose(own.root, np.sqrt(2))
    pair = root_scalar(lambda x: (x**2 - 2, 2 * x), x0=1.0, fprime=True)
    assert np.isclose(pair.root, np.sqrt(2))


def test_recorded_values_and_wrong_sizes_are_refused():
    a = wg.tensor(2.0, requires_grad=True)
    with pytest.raises(wg.errors.LostGradientError, match="implicit"):
        root(lambda x: x**2 - a, [1.0])
    with pytest.raises(wg.errors.LostGradientError, match="implicit"):
        root_scalar(lambda x, a: x**2 - a, args=(a,), x0=1.0)
    with pytest.raises(wg.errors.LostGradientError, match="implicit"):
        root_scalar(lambda x: x**2 - a, x0=1.0)
    with pytest.raises(wg.errors.ShapeError, match="one number"):
        root_scalar(lambda x: np.stack([x, x]), x0=1.0)
