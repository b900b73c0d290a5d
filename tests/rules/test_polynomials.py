"""Polynomials: what samples cannot say."""

import numpy as np
import pytest

import wengert as wg

mpmath = pytest.importorskip("mpmath")


def test_roots_at_high_precision():
    """Derivatives of roots by coefficients, against differences in 40 digits."""
    p = np.poly([2.5, -1.0, 0.3, -2.2]).tolist()
    jacobian = _jacobian(np.roots, np.array(p))
    with mpmath.workdps(40):
        step = mpmath.mpf("1e-15")
        for k in range(len(p)):
            ends = []
            for sign in (1, -1):
                moved = [mpmath.mpf(c) + sign * step * (i == k) for i, c in enumerate(p)]
                ends.append([_root_near(moved, r) for r in np.roots(p)])
            slopes = [complex((a - b) / (2 * step)) for a, b in zip(*ends, strict=True)]
            np.testing.assert_allclose(jacobian[:, k], np.real(slopes), rtol=1e-12, atol=1e-13)


def _root_near(p, start):
    return mpmath.findroot(lambda x: mpmath.polyval(p, x), mpmath.mpf(float(np.real(start))))


def _jacobian(function, x):
    return np.array([wg.grad(lambda x, i=i: np.real(function(x)[i]))(x) for i in range(len(function(x)))])


def test_roots_at_zero_and_at_infinity():
    """Coefficients that are zero at either end have derivatives, too; NumPy cuts them off before it looks for roots."""
    p = np.array([0.0, 1.0, -3.0, 2.0, 0.0])
    jacobian = _jacobian(np.roots, p)
    for i, r in enumerate(np.roots(p)):
        slope = np.polyval(np.polyder(p), r)
        np.testing.assert_allclose(jacobian[i], [-(r**k) / slope for k in (4, 3, 2, 1, 0)], atol=1e-14)


def test_roots_and_coefficients_are_inverse_to_each_other():
    roots = np.array([2.5, -1.0, 0.3])
    there_and_back = _jacobian(lambda r: np.sort(np.real(np.roots(np.poly(r)))), roots)
    np.testing.assert_allclose(there_and_back, np.eye(3)[[1, 2, 0]], atol=1e-13)


def test_repeated_roots_that_do_not_matter():
    gradient = wg.grad(lambda p: np.real(np.roots(p)[0] * 0 + p[1]))(np.array([1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(gradient, [0, 1, 0])


def test_division_undoes_multiplication():
    a, b = np.array([1.0, 0.5, -2.0]), np.array([2.0, 1.0])
    gradient = wg.grad(lambda b: np.polydiv(np.polymul(a, b), b)[0] @ np.array([1.0, 2.0, 3.0]))(b)
    np.testing.assert_allclose(gradient, 0, atol=1e-14)


def test_a_fit_of_a_polynomial_is_the_polynomial():
    x = np.linspace(-1, 2, 7)
    gradient = wg.grad(lambda p: np.sum(np.polyfit(x, np.polyval(p, x), 2) * np.arange(3.0)))(
        np.array([1.0, -2.0, 0.5])
    )
    np.testing.assert_allclose(gradient, [0, 1, 2], atol=1e-12)


@pytest.mark.parametrize("family", ["polynomial.polyval", "chebyshev.chebval", "legendre.legval", "hermite.hermval",
                                    "hermite_e.hermeval", "laguerre.lagval"])  # fmt: skip
def test_series_of_numpy_polynomial(family):
    """They are plain Python: the point is recorded, and recorded coefficients are refused."""
    module, name = family.split(".")
    module = getattr(np.polynomial, module)
    value, derivative = getattr(module, name), getattr(module, name.removesuffix("val") + "der")
    c = np.array([1.0, -2.0, 0.5, 0.25])
    np.testing.assert_allclose(wg.grad(lambda x: value(x, c))(0.7), value(0.7, derivative(c)))
    with pytest.raises(wg.errors.LostGradientError):
        value(0.7, wg.tensor(c, requires_grad=True))
