"""Derivatives of scipy.special against mpmath over their domains, and what has no derivative."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.special as sp

import wengert as wg
import wengert.scipy.special as ws

mp = pytest.importorskip("mpmath")

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def slope(function, *args, by=0):
    """Derivatives at each point of the grid, by one of the arguments."""
    tensors = [wg.tensor(np.array(x, float), requires_grad=i == by) for i, x in enumerate(args)]
    function(*tensors).sum().backward()
    return tensors[by].grad.numpy()


def difference(function, *args, by=0):
    """The same by differences with 60 digits."""
    with mp.workdps(60):
        args = [mp.mpf(float(x)) for x in args]
        h = mp.mpf(10) ** -22 * (abs(args[by]) if args[by] else 1)
        ends = [function(*args[:by], args[by] + s * h, *args[by + 1 :]) for s in (1, -1)]
        return float(mp.re(ends[0] - ends[1]) / (2 * h))


def agree(function, exact, points, by=0, rtol=1e-12):
    points = [p if isinstance(p, tuple) else (p,) for p in points]
    got = slope(function, *zip(*points, strict=True), by=by)
    expected = np.array([difference(exact, *p, by=by) for p in points])
    kept = np.abs(expected) > 1e-290
    np.testing.assert_allclose(got[kept], expected[kept], rtol=rtol)


WIDE = [-1e8, -300.0, -20.0, -3.0, -0.3, -1e-8, -1e-300, 0.0, 1e-300, 1e-8, 0.3, 3.0, 12.0, 300.0, 1e8]
POSITIVE = [1e-300, 1e-8, 0.01, 0.3, 1.0, 3.0, 20.0, 300.0, 1e6]
UNIT = [1e-12, 1e-3, 0.1, 0.5, 0.9, 0.999]


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def dawsn(x):
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


ONE = {
    "erf": (mp.erf, [x for x in WIDE if abs(x) < 25], 1e-12),
    "erfcx": (erfcx, [-20.0, -3.0, -1e-8, 0.0, 0.3, 3.0, 9.99, 10.01, 40.0, 1e4], 1e-12),
    "dawsn": (dawsn, [-20.0, -3.0, -1e-8, 0.3, 3.0, 9.99, 10.01, 40.0], 1e-11),
    "log_ndtr": (
        lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
        [-1e4, -40.0, -3.0, -1e-8, 0.0, 3.0, 20.0, 35.0],
        1e-12,
    ),
    "gammaln": (mp.loggamma, POSITIVE, 1e-12),
    "rgamma": (mp.rgamma, [-3.0, -2.5, -1.0, 0.0, 1e-300, 1e-8, 0.5, 3.0, 100.0], 1e-12),
    "psi": (lambda x: mp.psi(0, x), [-2.5, -0.3, *POSITIVE], 1e-12),
    "exprel": (lambda x: mp.expm1(x) / x, [-700.0, -3.0, -0.51, -0.49, -1e-8, 1e-12, 0.3, 0.51, 30.0, 700.0], 1e-13),
    "exp1": (mp.e1, [1e-8, 0.3, 3.0, 30.0, 300.0], 1e-12),
    "spence": (lambda x: mp.polylog(2, 1 - x), [1e-8, 0.3, 1 - 1e-9, 1 + 1e-9, 1.9], 1e-12),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), [-300.0, -30.0, -1e-8, 0.0, 3.0, 30.0, 300.0], 1e-12),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), [-300.0, -30.0, 0.0, 3.0, 30.0, 300.0], 1e-12),
    "erfinv": (mp.erfinv, [-0.99, -1e-8, 0.0, 0.3, 0.999], 1e-11),
    "j0": (lambda x: mp.besselj(0, x), [-3.0, 1e-300, 1e-8, 0.3, 3.0, 30.0], 1e-12),
    "j1": (lambda x: mp.besselj(1, x), [-3.0, 0.0, 1e-300, 1e-8, 0.3, 3.0, 30.0], 1e-12),
    "i1": (lambda x: mp.besseli(1, x), [-3.0, 0.0, 1e-300, 1e-8, 0.3, 3.0, 30.0], 1e-12),
    "i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), [-60.0, -0.3, 1e-8, 0.3, 3.0, 39.0, 41.0, 1e3, 1e8], 1e-11),
    "i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), [-60.0, -0.3, 1e-8, 0.3, 3.0, 39.0, 43.0, 1e3, 1e8], 1e-10),
    "k0e": (lambda x: mp.besselk(0, x) * mp.exp(x), [1e-8, 0.3, 3.0, 39.0, 41.0, 1e3, 1e8], 1e-11),
    "k1e": (lambda x: mp.besselk(1, x) * mp.exp(x), [1e-8, 0.3, 3.0, 39.0, 43.0, 1e3, 1e8], 1e-11),
    "ellipk": (mp.ellipk, [-1e6, -3.0, -1e-8, 0.0, 1e-300, 1e-8, 0.3, 0.9, 1 - 1e-9], 1e-12),
    "ellipe": (mp.ellipe, [-1e6, -3.0, -1e-8, 0.0, 1e-8, 0.3, 0.9, 1 - 1e-9], 1e-12),
    "ellipkm1": (lambda x: mp.ellipk(1 - x), [1e-20, 1e-3, 0.5, 1.0, 5.0], 1e-12),
    "lambertw": (mp.lambertw, [-0.367, -0.1, 0.0, 1e-8, 0.3, 3.0, 1e8], 1e-11),
    "ber": (lambda x: mp.ber(0, x), [1e-3, 0.3, 3.0, 12.0], 1e-10),
    "kei": (lambda x: mp.kei(0, x), [1e-3, 0.3, 3.0, 12.0], 1e-10),
}


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_argument(name):
    exact, points, rtol = ONE[name]
    function = getattr(sp, name)
    agree(lambda x: np.real(function(x)), exact, points, rtol=rtol)


def _boxcox(x, power):
    return (x**power - 1) / power if power else mp.log(x)


TWO = {
    "jv": (mp.besselj, [(2.5, x) for x in (1e-8, 0.3, 3.0, 50.0)], [1]),
    "kve": (lambda v, x: mp.besselk(v, x) * mp.exp(x), [(2.5, x) for x in (1e-3, 0.3, 3.0, 50.0, 60.0, 1e4)], [1]),
    "ive": (lambda v, x: mp.besseli(v, x) * mp.exp(-x), [(2.5, x) for x in (1e-3, 0.3, 3.0, 50.0, 60.0, 1e4)], [1]),
    "beta": (mp.beta, [(a, b) for a in (1e-8, 0.3, 5.0, 40.0) for b in (1e-8, 2.0, 30.0)], [0, 1]),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), [(a, b) for a in (1e-8, 0.3, 1e6) for b in (1e-8, 1e3)], [0, 1]),
    "poch": (lambda z, m: mp.rf(z, m), [(a, b) for a in (0.3, 5.0, 1e6) for b in (0.5, 2.0)], [0, 1]),
    "binom": (mp.binomial, [(7.0, 2.0), (7.5, 9.2), (5.0, 7.0), (1e6, 3.0), (3.0, -1.0)], [0, 1]),
    "boxcox": (_boxcox, [(x, p) for x in (1e-8, 0.3, 1.5, 1e3) for p in (1e-9, 0.4, -2.0)], [0, 1]),
    "inv_boxcox": (
        lambda y, p: (1 + p * y) ** (1 / p), [(y, p) for y in (1e-6, 0.3, 5.0) for p in (1e-7, 0.4, 2.0)], [0, 1]
    ),
    "xlogy": (lambda x, y: x * mp.log(y), [(0.0, 3.0), (2.0, 1e-300), (-1.0, 5.0)], [0, 1]),
    "kl_div": (lambda x, y: x * mp.log(x / y) - x + y, [(1.0, 1.0 + 1e-9), (1e-8, 3.0), (5.0, 0.1)], [0, 1]),
    "pseudo_huber": (
        lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1), [(1.0, 1e-6), (2.0, 3.0), (1e-3, 9.0)], [0, 1]
    ),
    "owens_t": (
        lambda h, a: mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi),
        [(0.5, 0.7), (3.0, 0.2), (-1.0, 4.0)], [0, 1],
    ),
    "ellipkinc": (mp.ellipf, [(p, m) for p in (1e-6, 0.5, 1.5, 2.0, -7.0) for m in (1e-8, 0.3, 0.9, -5.0)], [0, 1]),
    "ellipeinc": (mp.ellipe, [(p, m) for p in (1e-6, 0.5, 1.5, 2.0, -7.0) for m in (1e-8, 0.3, 0.9, -5.0)], [0, 1]),
    "agm": (mp.agm, [(1.0, 1.0), (1.0, 1e-6), (1e8, 3.0)], [0, 1]),
    "elliprc": (mp.elliprc, [(1.0, 1.0 + 1e-9), (0.3, 5.0), (2.0, 0.1)], [0, 1]),
    "expn": (mp.expint, [(n, x) for n in (0, 1, 3) for x in (0.1, 2.0, 20.0)], [1]),
    "zeta": (mp.zeta, [(1.5, 0.3), (4.0, 20.0), (2.0, 1e-3)], [1]),
    "hyp0f1": (mp.hyp0f1, [(1.5, 0.3), (0.5, -20.0)], [1]),
}  # fmt: skip


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments(name):
    exact, points, positions = TWO[name]
    for by in positions:
        agree(getattr(sp, name), exact, points, by=by, rtol=1e-10)


@pytest.mark.parametrize("name", ["elliprf", "elliprd", "elliprg"])
def test_carlsons_integrals(name):
    points = [(1.0, 1.0, 1.0), (1.0, 2.0, 3.0), (1e-6, 5.0, 1.0 + 1e-9), (1e8, 1.0, 1e-3), (2.0, 1e-3, 2.0)]
    for by in range(3):
        agree(getattr(sp, name), getattr(mp, name), points, by=by, rtol=1e-11)


def test_carlsons_rj():
    for by in range(4):
        agree(sp.elliprj, mp.elliprj, [(1.0, 2.0, 3.0, 4.0), (1.0, 1.0, 1e3, 1.0), (0.1, 2.0, 5.0, 2.0)], by=by)


# Shape parameters ------------------------------------------------------------------------------------------------


def _lower_gamma(a, x):
    """P(a, x), or less 1, which has the same derivatives, where that is small."""
    tail = x > a + 1
    return -mp.gammainc(a, x, mp.inf, regularized=True) if tail else mp.gammainc(a, 0, x, regularized=True)


def _lower_beta(a, b, x):
    if x > a / (a + b):
        return -_series_beta(b, a, 1 - x)
    return _series_beta(a, b, x)


def _series_beta(a, b, x):
    return x**a * (1 - x) ** b * mp.hyp2f1(a + b, 1, a + 1, x) / (a * mp.beta(a, b))


GAMMA = [
    (a, x)
    for a in (1e-8, 0.01, 0.5, 1.0, 2.5, 30.0, 1e3)
    for x in (1e-300, 1e-8, 0.3, 1.5, 40.0, 0.9 * a, a, 1.1 * a, a + 5 * a**0.5)
    if abs(x - a - 1) > 1e-9
]
BETA = [
    (a, b, x)
    for a in (1e-6, 0.3, 2.5, 100.0)
    for b in (1e-6, 0.3, 2.5, 100.0)
    for x in (1e-20, 1e-3, 0.3, 0.51, 0.999)
]  # fmt: skip


@pytest.mark.parametrize("by", [0, 1])
def test_incomplete_gamma_function(by):
    agree(sp.gammainc, _lower_gamma, GAMMA, by=by, rtol=1e-11)


@pytest.mark.parametrize("by", [0, 1, 2])
def test_incomplete_beta_function(by):
    agree(sp.betainc, _lower_beta, BETA, by=by, rtol=1e-11)


def test_large_shape_parameters():
    """Against the expansion around the mean: the derivative by a of P(a, a) nears that of the normal distribution."""
    for a in (1e6, 1e8, 1e10):
        expected = -np.exp(-1 / (12 * a)) * np.sqrt(1 / (2 * np.pi * a))
        np.testing.assert_allclose(slope(sp.gammainc, [a], [a]), [expected], rtol=1 / a**0.5)


def test_student_distribution():
    def cdf(v, t):
        tail = _series_beta(v / 2, mp.mpf(1) / 2, v / (v + t * t)) / 2
        return -tail if t > 0 else tail

    points = [(v, t) for v in (0.3, 1.0, 4.0, 60.0) for t in (-30.0, -2.0, -0.4, 0.5, 8.0)]
    for by in (0, 1):
        agree(sp.stdtr, cdf, points, by=by, rtol=1e-9)
    assert slope(sp.stdtr, [3.0], [0.0]) == 0.0
    np.testing.assert_allclose(slope(sp.stdtr, [1.0], [0.0], by=1), 1 / np.pi)


def test_at_the_ends():
    """A density's value at the ends of the interval; a shape parameter moves nothing there."""
    np.testing.assert_array_equal(slope(sp.gammainc, [0.5, 1.0, 2.0], [0.0, 0.0, 0.0], by=1), [np.inf, 1.0, 0.0])
    np.testing.assert_array_equal(slope(sp.gammainc, [0.5, 2.0], [0.0, np.inf]), [0.0, 0.0])
    np.testing.assert_array_equal(slope(sp.betainc, [1.0, 2.0], [3.0, 1.0], [0.0, 1.0], by=2), [3.0, 2.0])
    np.testing.assert_array_equal(slope(sp.betainc, [1.0, 2.0], [3.0, 1.0], [0.0, 1.0]), [0.0, 0.0])


# Conventions and refusals ----------------------------------------------------------------------------------------


def test_zero_cotangents_win_over_poles():
    x = wg.tensor([0.0, 0.5], requires_grad=True)
    np.where(x > 0, sp.gammaln(x) + sp.logit(x), 0).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("name, args", [
    ("jv", (1.5, 2.0)), ("kve", (1.5, 2.0)), ("struve", (0.5, 1.0)), ("hyp1f1", (0.5, 1.5, 0.3)),
    ("eval_legendre", (2.0, 0.3)), ("zeta", (2.0, 0.3)), ("pbdv", (0.5, 1.0)),
])  # fmt: skip
def test_orders_are_refused_by_name(name, args):
    order = wg.tensor(args[0], requires_grad=True)
    with pytest.raises(wg.errors.MissingRuleError, match=f"{name}.*operand 0 \\('a'\\)"):
        getattr(sp, name)(order, *args[1:])
    getattr(sp, name)(order.detach(), *args[1:])


@pytest.mark.parametrize("function", [
    lambda t: sp.logsumexp(t), lambda t: sp.polygamma(1, t), lambda t: sp.comb(t, 2), lambda t: sp.spherical_jn(1, t),
    lambda t: sp.mathieu_a(1, t), lambda t: sp.zeta(t), lambda t: sp.tklmbda(t, 1),
])  # fmt: skip
def test_scipys_own_functions_drop_nothing(function):
    with pytest.raises(wg.errors.WengertError):
        function(wg.tensor([0.3, 0.5], requires_grad=True))


@pytest.mark.parametrize("z", [0.3 + 0.2j, 1.5 + 0.5j, -2.5 + 0.1j, 30 + 40j, 1e5 + 1j, 0.01 - 0.01j])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_derivatives_of_complex_digamma(z, order):
    f = sp.psi
    for _ in range(order):
        f = wg.grad(f, holomorphic=True)
    with mp.workdps(30):
        want = (-1) ** (order + 1) * mp.factorial(order) * mp.zeta(order + 1, mp.mpc(z))
    np.testing.assert_allclose(f(np.complex128(z)), complex(want), rtol=1e-12)


def test_logsumexp_with_a_weight_of_zero():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    b = wg.tensor([2.0, 0.0], requires_grad=True)
    value = ws.logsumexp(x, b=b)
    value.backward()
    np.testing.assert_allclose(value.data, 1 + np.log(2))
    np.testing.assert_allclose(x.grad.numpy(), [1.0, 0.0])
    np.testing.assert_allclose(b.grad.numpy(), [0.5, np.exp(1) / 2])


def test_the_module_passes_other_names_through():
    assert ws.erf is sp.erf
    assert "jv" in dir(ws)
    with pytest.raises(AttributeError):
        ws.nothing  # noqa: B018


@pytest.mark.parametrize("call", [
    lambda t: ws.comb(t, 2, exact=True), lambda t: ws.diric(1.0, t), lambda t: ws.polygamma(t, 1.0),
    lambda t: ws.spherical_kn(1, -t), lambda t: ws.multigammaln(t - 5, 2),
])  # fmt: skip
def test_what_has_no_derivative_is_refused(call):
    with pytest.raises(wg.errors.WengertError):
        call(wg.tensor(3.0, requires_grad=True))


def test_scipy_is_not_loaded_before_it_is_used():
    code = "import sys, wengert, numpy as np; np.spacing(wengert.tensor(1.0)); assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
