"""Derivatives of Mathieu, noncentral and Legendre functions against differences of SciPy's values, and mpmath's."""

import numpy as np
import pytest
import scipy.special as sp

import wengert as wg
import wengert.scipy.special as ws
from wengert.errors import ArgumentError, LostGradientError, MissingRuleError


def _first(function):
    def one(*args):
        return function(*args)[0]

    return one


CASES = {
    "mathieu_cem": (_first(sp.mathieu_cem), (2, 1.5, 40.0), 2),
    "mathieu_modsem1": (_first(sp.mathieu_modsem1), (2, 1.5, 0.7), 2),
    "nctdtr": (sp.nctdtr, (4.5, 0.8, 1.3), 1),
    "nctdtr below one degree of freedom": (sp.nctdtr, (0.7, -0.8, 1.3), 2),
    "ncfdtr": (sp.ncfdtr, (4.5, 3.0, 1.7, 1.3), 2),
    "bdtrik": (sp.bdtrik, (0.4, 8.2, 0.3), 2),
    "smirnov": (sp.smirnov, (7, 0.31), 1),
}


def _difference(function, x, h=1e-3):
    steps = [(function(x + k * h) - function(x - k * h)) / (2 * k * h) for k in (1, 2, 3)]
    return 1.5 * steps[0] - 0.6 * steps[1] + 0.1 * steps[2]


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives(name):
    function, args, by = CASES[name]

    def along(x):
        return function(*args[:by], x, *args[by + 1 :])

    first = wg.grad(along)
    second = wg.grad(first)
    x = args[by]
    np.testing.assert_allclose(float(first(np.array(x))), _difference(along, x), rtol=1e-7)
    expected = _difference(lambda v: float(first(np.array(v))), x)
    np.testing.assert_allclose(float(second(np.array(x))), expected, rtol=1e-6)


def test_parameters_without_a_derivative_are_refused():
    with pytest.raises(MissingRuleError, match="operand 1"):
        sp.mathieu_cem(2, wg.tensor(1.5, requires_grad=True), 0.3)
    with pytest.raises(MissingRuleError, match="operand 0"):
        sp.nctdtr(wg.tensor(4.5, requires_grad=True), 0.8, 1.3)


@pytest.mark.parametrize(
    "inverse, function, args, by",
    [
        (sp.nctdtrinc, sp.nctdtr, (4.5, 0.3, 1.4), 1),
        (sp.ncfdtrinc, sp.ncfdtr, (4.5, 3.5, 0.1, 3.1), 2),
    ],
)
def test_noncentralities_are_differentiated_where_scipy_found_them(inverse, function, args, by):
    """SciPy solves to a few digits, too few for differences."""
    found = inverse(*args)

    def slope(function, values, k):
        return float(wg.grad(lambda x: function(*values[:k], x, *values[k + 1 :]))(np.array(values[k])))

    there = (*args[:by], float(found), *args[by + 1 :])
    forth, last = slope(function, there, by), len(args) - 1
    np.testing.assert_allclose(slope(inverse, args, by) * forth, 1, rtol=1e-12)
    np.testing.assert_allclose(slope(inverse, args, last) * forth, -slope(function, there, last), rtol=1e-12)


# Legendre functions and spherical harmonics -----------------------------------------------------------------------

ORDERS = [(0, 0), (1, 0), (3, 1), (3, -2), (4, 4), (2, 3), (2, -4), (6, -1)]


def _by_mpmath(mp, n, m, theta):
    """The spherical Legendre function, by a finite sum (DLMF 14.3.4 with 15.2.4), at any number."""
    if abs(m) > n:
        return mp.mpf(0)
    if m < 0:
        return (-1) ** m * _by_mpmath(mp, n, -m, theta)
    x = (1 - mp.cos(theta)) / 2
    terms = (mp.rf(m - n, k) * mp.rf(n + m + 1, k) / mp.rf(m + 1, k) / mp.factorial(k) * x**k for k in range(n - m + 1))
    scale = mp.sqrt((2 * n + 1) / (4 * mp.pi) * mp.factorial(n + m) / mp.factorial(n - m))
    return scale * (-1) ** m * mp.sin(theta) ** m / 2**m / mp.factorial(m) * sum(terms)


@pytest.mark.parametrize("n, m", ORDERS)
@pytest.mark.parametrize("theta", [0.0, 1e-9, 0.4, 1.6, 3.1, np.pi])
def test_spherical_legendre_functions_up_to_the_poles(n, m, theta):
    mp = pytest.importorskip("mpmath")
    function = lambda x: ws.sph_legendre_p(n, m, x)[0]  # noqa: E731
    derivatives = [function, wg.grad(function), wg.grad(wg.grad(function)), wg.grad(wg.grad(wg.grad(function)))]
    with mp.workdps(60):
        expected = [float(mp.diff(lambda x: _by_mpmath(mp, n, m, x), mp.mpf(theta), k)) for k in range(4)]
    found = [float(f(np.array(theta))) for f in derivatives]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n, m", ORDERS)
@pytest.mark.parametrize("theta", [0.0, 0.4, 3.1, np.pi])
def test_spherical_harmonics_have_scipys_gradient_and_hessian(n, m, theta):
    for given in ({}, {"diff_n": 0}, {"diff_n": 1}, {"diff_n": 2}):
        expected = sp.sph_harm_y(n, m, theta, 0.7, **given)
        found = ws.sph_harm_y(n, m, wg.tensor(theta, requires_grad=True), 0.7, **given)
        for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (found, expected)), strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-12, atol=1e-13)


def _along(function, z):
    """The first three derivatives."""
    derivatives = [wg.grad(function), wg.grad(wg.grad(function)), wg.grad(wg.grad(wg.grad(function)))]
    return [float(f(np.array(z))) for f in derivatives]


@pytest.mark.parametrize("n, m", ORDERS)
@pytest.mark.parametrize("z", [-0.95, 0.0, 0.3, 0.999])
def test_associated_legendre_functions(n, m, z):
    mp = pytest.importorskip("mpmath")
    with mp.workdps(60):
        scale = (
            mp.sqrt(4 * mp.pi * mp.mpf(1) / (2 * n + 1) * mp.gammaprod([n + m + 1], [n - m + 1])) if abs(m) <= n else 0
        )
        value = lambda x: scale * _by_mpmath(mp, n, m, mp.acos(x))  # noqa: E731
        expected = [float(mp.diff(value, mp.mpf(z), k)) for k in (1, 2, 3)]
    size = max(1, *map(abs, expected))
    np.testing.assert_allclose(_along(lambda x: ws.assoc_legendre_p(n, m, x)[0], z), expected, 1e-10, 1e-12 * size)
    if m >= 0:
        found = _along(lambda x: ws.assoc_legendre_p_all(n, m, x)[0, n, m], z)
        np.testing.assert_allclose(found, expected, 1e-10, 1e-12 * size)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
@pytest.mark.parametrize("z", [-1.0, 0.3, 1.0])
def test_legendre_polynomials_up_to_the_ends(n, z):
    series = np.polynomial.legendre.Legendre.basis(n)
    expected = [series.deriv(k)(z) for k in (1, 2, 3)]
    np.testing.assert_allclose(_along(lambda x: ws.legendre_p(n, x)[0], z), expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(_along(lambda x: ws.legendre_p_all(n, x)[0, n], z), expected, rtol=1e-11, atol=1e-11)


def test_associated_legendre_functions_at_the_ends_have_scipys_derivatives():
    for m, z in ((0, 1.0), (1, 1.0), (2, -1.0), (-1, -1.0), (4, 1.0)):
        expected = sp.assoc_legendre_p(3, m, z, diff_n=2)[1:]
        function = lambda x, m=m: ws.assoc_legendre_p(3, m, x)[0]  # noqa: E731
        found = [float(wg.grad(function)(np.array(z))), float(wg.grad(wg.grad(function))(np.array(z)))]
        np.testing.assert_allclose(found, expected)


def test_legendre_functions_in_batches():
    n, m, theta = np.arange(4), np.array([0, 1, -2, 1]), np.linspace(0.1, 3, 4)
    expected = sp.sph_harm_y(n, m, theta, 0.3)
    np.testing.assert_allclose(wg.vmap(lambda *x: ws.sph_harm_y(*x, 0.3))(n, m, theta), expected, rtol=1e-13)
    found = wg.vmap(wg.grad(lambda x: ws.assoc_legendre_p_all(3, 2, x)[0, 3, 2]))(0.3 * theta)
    np.testing.assert_allclose(found, sp.assoc_legendre_p(3, 2, 0.3 * theta, diff_n=1)[1], rtol=1e-12)


def test_legendre_functions_refuse_what_they_have_no_derivative_for():
    t = wg.tensor(0.5, requires_grad=True)
    with pytest.raises(ArgumentError, match="diff_n"):
        ws.sph_harm_y(2, 1, t, 0.3, diff_n=3)
    with pytest.raises(ArgumentError, match=r"\[sph_legendre_p\] n of integers"):
        ws.sph_legendre_p(wg.tensor(2.0, requires_grad=True), 1, 0.3)
    with pytest.raises(MissingRuleError, match="n that is not recorded"):
        ws.legendre_p_all(wg.tensor(2.0, requires_grad=True), 0.3)
    with pytest.raises(LostGradientError):
        sp.sph_legendre_p(2, 1, t)
