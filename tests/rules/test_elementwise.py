"""Partial derivatives of elementwise functions, and of norms, against mpmath: over the whole range, edges included."""

import itertools

import numpy as np
import pytest

import wengert as wg

mp = pytest.importorskip("mpmath")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SIZES = {
    np.float64: (0, 1e-310, 1e-200, 1e-160, 1e-20, 1e-8, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.9, 1 - 1e-10, 1, 1 + 1e-10,
                 1.5, 3, 5, 10, 20, 40, 300, 709, 1e3, 1e8, 1e16, 1e100, 1e160, 1e200, 1e300),
    np.float32: (0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-10, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.9, 1, 1.5, 3, 10, 20, 50, 1e3, 1e8,
                 1e15, 1e20, 1e30, 1e38),
}  # fmt: skip
RELATIVE = {np.float64: 1e-13, np.float32: 2e-5}


def log(x):
    return mp.log(x)


def root(x):
    return mp.sqrt(x)


def sinc_slope(x):
    t = mp.pi * x
    return (mp.cos(t) - mp.sin(t) / t) / x if x else mp.mpf(0)


# Roots are of factors, whose product has other branches.
UNARY = {
    np.exp: mp.exp,
    np.exp2: lambda x: log(2) * mp.exp(x * log(2)),
    np.expm1: mp.exp,
    np.log: lambda x: 1 / x,
    np.log2: lambda x: 1 / (x * log(2)),
    np.log10: lambda x: 1 / (x * log(10)),
    np.log1p: lambda x: 1 / (1 + x),
    np.sqrt: lambda x: 1 / (2 * root(x)),
    np.cbrt: lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
    np.reciprocal: lambda x: -1 / x**2,
    np.square: lambda x: 2 * x,
    np.sin: mp.cos,
    np.cos: lambda x: -mp.sin(x),
    np.tan: lambda x: 1 / mp.cos(x) ** 2,
    np.arcsin: lambda x: 1 / (root(1 - x) * root(1 + x)),
    np.arccos: lambda x: -1 / (root(1 - x) * root(1 + x)),
    np.arctan: lambda x: 1 / (1 + x * x),
    np.sinh: mp.cosh,
    np.cosh: mp.sinh,
    np.tanh: lambda x: 1 / mp.cosh(x) ** 2,
    np.arcsinh: lambda x: 1 / (root(1 - 1j * x) * root(1 + 1j * x)),
    np.arccosh: lambda x: 1 / (root(x - 1) * root(x + 1)),
    np.arctanh: lambda x: 1 / (1 - x * x),
    np.sinc: sinc_slope,
    np.i0: lambda x: mp.besseli(1, x),
    wg.sigmoid: lambda x: 1 / (mp.exp(x / 2) + mp.exp(-x / 2)) ** 2,
    wg.softplus: lambda x: 1 / (1 + mp.exp(-x)),
}
PERIODIC = {np.sinc}
"""Of these NumPy rounds the argument first: far out the digits of the phase are lost in the value already."""


def share(x):
    return 1 / (1 + mp.exp(-x))


def p_norm(p):
    return lambda a, b: np.linalg.norm(np.stack([a, b]), p)


def p_norm_slope(p):
    return lambda a, b: mp.sign(a) * abs(a) ** (p - 1) * (abs(a) ** p + abs(b) ** p) ** (mp.mpf(1) / p - 1)


BINARY = {
    "logaddexp": (np.logaddexp, lambda a, b: share(a - b), lambda a, b: share(b - a)),
    "logaddexp2": (np.logaddexp2, lambda a, b: share((a - b) * log(2)), lambda a, b: share((b - a) * log(2))),
    "logsumexp": (lambda a, b: wg.logsumexp(np.stack([a, b])), lambda a, b: share(a - b), lambda a, b: share(b - a)),
    "hypot": (np.hypot, lambda a, b: a / root(a * a + b * b), lambda a, b: b / root(a * a + b * b)),
    "arctan2": (np.arctan2, lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    "angle": (lambda a, b: np.angle(b + 1j * a), lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    "divide": (np.divide, lambda a, b: 1 / b, lambda a, b: -a / b**2),
    "power": (np.power, lambda a, b: b * a ** (b - 1) if b else mp.mpf(0), lambda a, b: a**b * log(a) if a else 0 * a),
    "remainder": (np.remainder, lambda a, b: mp.mpf(1), lambda a, b: -mp.floor(a / b)),
    "fmod": (np.fmod, lambda a, b: mp.mpf(1), lambda a, b: -mp.sign(a / b) * mp.floor(abs(a / b))),
    **{f"norm {p}": (p_norm(p), p_norm_slope(p), lambda a, b, p=p: p_norm_slope(p)(b, a)) for p in (2, 3, 4, -2)},
}


def signed(sizes):
    return [*sizes, *(-x for x in sizes if x)]


def exact(slope, *x):
    """The derivative by as many digits as the smallest number needs, or None where there is none."""
    with mp.workdps(800):
        try:
            value = mp.mpmathify(slope(*map(mp.mpf, map(float, x))))
            return None if mp.im(value) or mp.isnan(value) else float(mp.re(value))
        except ZeroDivisionError:
            return None
        except OverflowError:
            return np.inf


def assert_near(got, want, dtype, *place):
    want = float(dtype(want))
    if abs(want) > 0.1 * np.finfo(dtype).max:  # a factor of the result may be beyond
        return
    tiny = 1e3 * float(np.finfo(dtype).tiny)
    assert got == want or abs(got - want) <= RELATIVE[dtype] * abs(want) + tiny, (place, got, want)


@pytest.mark.parametrize("dtype", SIZES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("function", UNARY, ids=lambda f: f.__name__)
def test_of_one_operand(function, dtype):
    for x in map(dtype, signed(SIZES[dtype])):
        value = function(x)
        want = exact(UNARY[function], x) if np.isfinite(value) else None
        if want is not None and not (function in PERIODIC and abs(x) > 1e3):
            assert_near(wg.grad(function)(x), want, dtype, x)


@pytest.mark.parametrize("dtype", SIZES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", BINARY)
def test_of_two_operands(name, dtype):
    function, *slopes = BINARY[name]
    for a, b in itertools.product(map(dtype, signed(SIZES[dtype][::3])), repeat=2):
        if not np.isfinite(function(a, b)) or (name == "power" and a == -1 and abs(b) > 2**24):
            continue
        for i, slope in enumerate(slopes):
            want = exact(slope, a, b)
            if want is not None:
                assert_near(wg.grad(function, argnums=i)(a, b), want, dtype, a, b, i)


COMPLEX = {f: slope for f, slope in UNARY.items() if f not in (np.cbrt, np.exp2, np.i0, wg.softplus)}


@pytest.mark.parametrize("function", COMPLEX, ids=lambda f: f.__name__)
def test_of_a_complex_operand(function):
    """All over the plane, but the axes, on which the cuts are."""
    sizes = (1e-8, 1e-3, 0.1, 0.7, 1 + 1e-10, 2, 12, 30, 400, 1e5, 1e160, 1e300)
    for x, y in itertools.product(signed(sizes), repeat=2):
        z = np.complex128(complex(x, y))
        if np.isfinite(function(z)) and not (function in PERIODIC and abs(x) > 1e3):
            with mp.workdps(60):
                want = complex(COMPLEX[function](mp.mpc(z)))
            got = wg.grad(function, holomorphic=True)(z)
            assert abs(got - want) <= 1e-12 * abs(want) + 1e-300 or not np.isfinite(want), (z, got, want)


@pytest.mark.parametrize("function", [np.tanh, np.sinc, np.arcsinh, np.arccosh, wg.sigmoid])
def test_second_and_third_derivatives(function):
    """Where the rules change from one formula to another."""
    of_mp = {np.arcsinh: mp.asinh, np.arccosh: mp.acosh, np.sinc: mp.sincpi, wg.sigmoid: share}.get(function, mp.tanh)
    for x in (0.0, 1e-9, 1e-3, 0.3, 0.49, 0.51, 1.2, 1.9, 4.0, 20.0):
        if function is not np.arccosh or x > 1:
            second, third = (wg.grad(wg.grad(function)), wg.grad(wg.grad(wg.grad(function))))
            with mp.workdps(60):
                want = [float(mp.diff(of_mp, mp.mpf(x), n)) for n in (2, 3)]
            np.testing.assert_allclose([second(x), third(x)], want, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1.0, 1e200])
@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, 100, -1, -2, np.inf, -np.inf])
def test_norms_have_finite_derivatives(p, kind, scale):
    for x in ([0, 0, 0], [1, 0, 2], [1, -2, 3]):
        x = scale * np.array(x, kind)
        assert np.all(np.isfinite(wg.grad(lambda t: np.linalg.norm(t, p))(x)))


def test_shares_of_large_exponentials():
    x = np.array([1e15, 1e15, 1e15 - 2])
    want = np.exp([0.0, 0.0, -2.0]) / np.sum(np.exp([0.0, 0.0, -2.0]))
    np.testing.assert_allclose(wg.grad(np.logaddexp.reduce)(x), want, rtol=1e-14)
    np.testing.assert_allclose(wg.grad(wg.logsumexp)(x), want, rtol=1e-14)
    np.testing.assert_allclose(wg.log_softmax(x), np.log(want), rtol=1e-14)
    np.testing.assert_allclose(wg.grad(lambda t: np.logaddexp.reduceat(t, [0])[0])(x), want, rtol=1e-14)
    infinite = np.array([[-np.inf, -np.inf], [100.0, -np.inf]])
    np.testing.assert_array_equal(wg.grad(lambda t: wg.logsumexp(t, axis=1)[1])(infinite), [[0, 0], [1, 0]])
