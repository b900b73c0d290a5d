"""`wengert.polynomial`: NumPy's values, and derivatives by points and coefficients of any order."""

import numpy as np
import pytest

import wengert as wg
from wengert import polynomial
from wengert.errors import ShapeError
from wengert.testing import check_rule

MODULES = {"poly": "polynomial", "cheb": "chebyshev", "leg": "legendre", "herm": "hermite", "herme": "hermite_e",
           "lag": "laguerre"}  # fmt: skip
X, C = np.array([[0.3, -0.7, 1.2], [0.1, 0.9, -1.4]]), np.array([0.5, -1.2, 0.8, 1.7, -0.4])


def numpys(family, kind):
    return getattr(getattr(np.polynomial, MODULES[family]), family + kind)


@pytest.mark.parametrize("family", MODULES)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_values_are_numpys(family, n):
    value = getattr(polynomial, f"{family}val")
    for x in (X, 0.4, X + 0.5j):
        np.testing.assert_allclose(value(x, C[:n]), numpys(family, "val")(x, C[:n]), rtol=1e-12, atol=1e-13)
        vander = getattr(polynomial, f"{family}vander")(x, n - 1)
        np.testing.assert_allclose(vander, numpys(family, "vander")(x, n - 1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("family", MODULES)
@pytest.mark.parametrize("tensor", [True, False])
def test_several_series_at_once(family, tensor):
    c = np.stack([C, 2 * C[::-1], C - 1], axis=1)
    ours = getattr(polynomial, f"{family}val")(X, c, tensor=tensor)
    np.testing.assert_allclose(ours, numpys(family, "val")(X, c, tensor=tensor), rtol=1e-12)


@pytest.mark.parametrize("family", MODULES)
def test_derivatives(family):
    value = getattr(polynomial, f"{family}val")
    check_rule(value, X[0], C)
    check_rule(value, X[0].astype(np.float32), C[:3].astype(np.float32))
    check_rule(value, X[0] + 0.3j, C[:3] + 0.2j)
    check_rule(value, 0.4, C[:1])
    check_rule(value, X, np.stack([C, C - 1, -C], axis=1)[:3], tensor=False)
    check_rule(getattr(polynomial, f"{family}vander"), X[0], deg=3)


def test_no_coefficients():
    with pytest.raises(ShapeError, match=r"\[chebval\] coefficients were required"):
        polynomial.chebval(wg.tensor(0.5, requires_grad=True), np.zeros(0))
