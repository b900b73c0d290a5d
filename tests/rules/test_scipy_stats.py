"""Distributions: values against SciPy's, derivatives against differences and mpmath, and the edges of the support."""

import math
import pickle
import warnings

import numpy as np
import pytest
import scipy.stats as scipys

import wengert as wg
from wengert.scipy import stats
from wengert.testing import check_grad, check_rule

mp = pytest.importorskip("mpmath")


def array(*numbers):
    return np.array(numbers)


def some(low, high):
    """Numbers between, evenly in their logarithm where both are positive."""
    random = np.random.default_rng(7)
    if low > 0:
        return np.exp(random.uniform(math.log(low), math.log(high), 40))
    return random.uniform(low, high, 40)


# Standardised points, shapes there, and shapes for random comparisons.
CONTINUOUS = {
    "norm": (array(-1.2, 0.3), [], []),
    "t": (array(-1.2, 0.8), [array(3.3, 150.0)], [some(0.3, 1e4)]),
    "cauchy": (array(-1.2, 3.0), [], []),
    "laplace": (array(-1.2, 0.4), [], []),
    "logistic": (array(-1.2, 0.4), [], []),
    "gennorm": (array(-0.6, 0.9), [array(1.3, 2.6)], [some(0.3, 5)]),
    "gumbel_l": (array(-1.0, 0.4), [], []),
    "gumbel_r": (array(-1.0, 0.4), [], []),
    "skewnorm": (array(-0.6, 0.9), [array(-1.3, 2.0)], [some(-5, 5)]),
    "truncnorm": (array(-0.3, 1.2), [array(-1.0, 0.5), array(2.0, 3.0)], [some(-4, -0.1), some(0.1, 5)]),
    "uniform": (array(0.2, 0.7), [], []),
    "beta": (array(0.3, 0.4), [array(1.7, 50.6), array(2.3, 70.0)], [some(0.1, 300), some(0.1, 200)[::-1]]),
    "vonmises": (array(-1.0, 0.4), [array(0.7, 30.0)], [some(0.01, 100)]),
    "wrapcauchy": (array(0.4, 4.0), [array(0.3, 0.7)], [some(0.02, 0.98)]),
    "expon": (array(0.3, 2.0), [], []),
    "gamma": (array(1.3, 120.0), [array(2.5, 130.0)], [some(0.1, 1000)]),
    "chi2": (array(1.3, 230.0), [array(2.7, 240.0)], [some(0.1, 1000)]),
    "invgamma": (array(0.4, 0.8), [array(2.7, 7.0)], [some(0.5, 200)]),
    "f": (array(0.4, 1.3), [array(5.3, 120.0), array(7.0, 140.0)], [some(0.5, 300), some(0.5, 200)[::-1]]),
    "lognorm": (array(0.4, 2.0), [array(0.7, 1.3)], [some(0.1, 3)]),
    "pareto": (array(1.3, 2.6), [array(2.5, 3.1)], [some(0.3, 10)]),
    "weibull_min": (array(0.4, 1.3), [array(0.8, 2.4)], [some(0.3, 5)]),
    "rayleigh": (array(0.4, 1.3), [], []),
    "halfnorm": (array(0.4, 1.3), [], []),
}
DISCRETE = {
    "bernoulli": (np.array([0, 0]), [array(0.3, 0.6)], [some(0.01, 0.99)]),
    "binom": (np.array([2, 60]), [np.array([5, 120]), array(0.3, 0.25)], [np.arange(5, 205, 5), some(0.01, 0.99)]),
    "betabinom": (
        np.array([2, 3]),
        [np.array([5, 40]), array(1.3, 2.6), array(0.4, 3.0)],
        [np.arange(5, 205, 5), some(0.1, 30), some(0.1, 30)[::-1]],
    ),
    "geom": (np.array([1, 4]), [array(0.3, 0.6)], [some(0.01, 0.99)]),
    "nbinom": (np.array([0, 4]), [array(0.7, 2.6), array(0.3, 0.6)], [some(0.1, 100), some(0.01, 0.99)]),
    "poisson": (np.array([4, 130]), [array(2.7, 140.0)], [some(0.1, 1000)]),
}
TAILS = ("cdf", "sf", "logcdf", "logsf")
MOMENTS = ("entropy", "mean", "var")
OFF_IN_SCIPY = {
    ("t", "logpdf"), ("t", "pdf"), ("gamma", "pdf"), ("chi2", "pdf"), ("invgamma", "pdf"), ("wrapcauchy", "pdf"),
    ("skewnorm", "cdf"), ("skewnorm", "logcdf"), ("poisson", "pmf"), ("f", "pdf"), ("f", "isf"),
}  # fmt: skip
"""What SciPy has with ten to twelve digits only; some of it is compared with mpmath below."""


def offered(name, methods):
    return [m for m in methods if m in getattr(stats, name).standard]


def agree(name, method, *args, **kwargs):
    got, expected = (getattr(getattr(module, name), method)(*args, **kwargs) for module in (stats, scipys))
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    with_sign = method in ("logpdf", "logpmf", "entropy", "mean", "ppf", "isf", "median")
    rtol = 1e-9 if (name, method) in OFF_IN_SCIPY else 1e-12
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-12 if with_sign else 0)


# Values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTINUOUS)
def test_values_are_scipys(name):
    shapes, random = CONTINUOUS[name][2], np.random.default_rng(0)
    place = {"loc": random.normal(size=40), "scale": random.uniform(0.3, 3, 40)}
    q = random.uniform(1e-3, 1 - 1e-3, 40)
    x = getattr(stats, name).ppf(q, *shapes, **place) if name != "vonmises" else place["loc"] + 3 * q - 1
    with np.errstate(all="ignore"):
        for method in ("logpdf", "pdf", *offered(name, TAILS)):
            agree(name, method, x, *shapes, **place)
        for method in offered(name, ("ppf", "isf")):
            agree(name, method, q, *shapes, **place)
        for method in offered(name, MOMENTS):
            agree(name, method, *shapes, **place)
        agree(name, "logpdf", x[:3, None], *(s[:4] for s in shapes), scale=np.arange(1, 5))
        agree(name, "logpdf", x[0], *(s[0] for s in shapes))


@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_are_scipys(name):
    shapes, random = DISCRETE[name][2], np.random.default_rng(0)
    loc = random.integers(-2, 3, 40)
    k = getattr(scipys, name).ppf(random.uniform(1e-3, 1 - 1e-3, 40), *shapes, loc=loc).astype(int)
    with np.errstate(all="ignore"):
        for method in ("logpmf", "pmf", *offered(name, TAILS)):
            agree(name, method, k, *shapes, loc=loc)
            agree(name, method, k + 0.5, *shapes, loc=loc)
        for method in offered(name, MOMENTS):
            agree(name, method, *shapes, loc=loc)


@pytest.mark.parametrize("name", ["norm", "gamma", "beta", "uniform", "t", "pareto", "lognorm", "f"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_outside_or_impossible_is_so_in_scipy(name):
    shapes = [s[0] for s in CONTINUOUS[name][1]]
    x = array(-np.inf, -1.0, 0.0, 0.5, 1.0, 1e3, np.nan)
    for method in ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"):
        agree(name, method, x, *shapes)
        agree(name, method, 0.5, *shapes, scale=array(0.0, -1.0, 2.0))
        agree(name, method, 0.5, *(array(-1.0, s) for s in shapes))
    for method in ("ppf", "isf"):
        agree(name, method, array(-1.0, 0.0, 0.25, 1.0, 2.0, np.nan), *shapes, loc=1.0, scale=2.0)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_tiny_and_huge_points_are_as_in_scipy(name):
    """But where SciPy has -inf for the logarithm of what underflows, or NaN for the density."""
    x = array(-1e300, -50.0, -1.0, -1e-5, -1e-300, 0.0, 1e-300, 1e-5, 0.5, 1.0, 2.0, 50.0, 1e10, 1e300, np.nan)
    for i in (0, -1):
        shapes = [s[i] for s in CONTINUOUS[name][1]]
        with np.errstate(all="ignore"):
            for method in ("logpdf", "pdf", *offered(name, TAILS)):
                got, expected = (getattr(getattr(module, name), method)(x, *shapes) for module in (stats, scipys))
                lost = ((expected == -np.inf) & (got < -50)) | (np.isnan(expected) & (got == 0) & (x == 1e300))
                expected = np.where(lost, got, expected)
                np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-280, err_msg=method)


@pytest.mark.parametrize("x", [5e-324, 1e-310])
def test_points_at_which_quotients_overflow(x):
    """Their logarithms are right; SciPy's are not all."""
    log = math.log(x)
    assert stats.gamma.logpdf(x, 130.0) == pytest.approx(129 * log - math.lgamma(130), rel=1e-14)
    assert stats.beta.logpdf(x, 50.5, 70.0) == pytest.approx(
        49.5 * log + stats.beta.logpdf(0.5, 50.5, 70.0) - 118.5 * math.log(0.5), rel=1e-14
    )
    assert stats.lognorm.logpdf(x, 1.0) == pytest.approx(-log * log / 2 - log - math.log(2 * math.pi) / 2, rel=1e-14)
    assert stats.invgamma.logpdf(x, 2.7) < -1e307
    assert stats.invgamma.pdf(x, 2.7) == 0


# Derivatives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTINUOUS)
def test_derivatives_by_everything(name):
    """By points, shapes, location and scale, up to the second order, and in all ways to get them."""
    z, shapes, _ = CONTINUOUS[name]
    distribution, place = getattr(stats, name), (array(0.3, -0.2), np.float64(1.1))
    x, q = z * place[1] + place[0], array(0.2, 0.7)
    for method in ("logpdf", "pdf", *offered(name, ("cdf", "sf", "logsf"))):
        check_grad(getattr(distribution, method), x, *shapes, *place, order=2 if method == "logpdf" else 1)
    for method in offered(name, ("ppf", "isf")):
        check_grad(getattr(distribution, method), q, *shapes, *place, eps=3e-4)
    for method in offered(name, MOMENTS):
        check_grad(getattr(distribution, method), *shapes, *place)
    check_rule(distribution.logpdf, x, *shapes, *place)


@pytest.mark.parametrize("name", DISCRETE)
def test_derivatives_by_shapes(name):
    k, shapes, _ = DISCRETE[name]
    distribution = getattr(stats, name)
    for method in ("logpmf", "pmf", *offered(name, TAILS)):
        check_rule(getattr(distribution, method), k, *shapes)
    for method in offered(name, MOMENTS):
        check_rule(getattr(distribution, method), *shapes)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_single_precision_stays(name):
    points, shapes, _ = (CONTINUOUS | DISCRETE)[name]
    continuous = name in CONTINUOUS
    counts = getattr(stats, name).counts
    single = [
        s if k in counts else wg.tensor(s, dtype=np.float32, requires_grad=True)
        for k, s in zip(getattr(stats, name).shapes, shapes, strict=True)
    ]
    points = points.astype(np.float32) if continuous else points
    double = [s.detach().numpy().astype(float) if isinstance(s, wg.Tensor) else s for s in single]
    for method in (*(("logpdf", "pdf") if continuous else ("logpmf", "pmf")), *offered(name, ("cdf", "sf"))):
        y = getattr(getattr(stats, name), method)(wg.tensor(points) if continuous else points, *single)
        assert y.dtype == (np.float32 if single or continuous else float)
        expected = getattr(getattr(stats, name), method)(points.astype(float), *double)
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=2e-4)


# Accuracy --------------------------------------------------------------------------------------------------------


def slopes(function, *args):
    tensors = [wg.tensor(float(x), requires_grad=True) for x in args]
    y = function(*tensors)
    y.backward()
    return [float(y.detach()), *(0.0 if t.grad is None else float(t.grad) for t in tensors)]


def exact(function, *args):
    with mp.workdps(90):
        args = [mp.mpf(float(x)) for x in args]
        results = [function(*args)]
        for i, x in enumerate(args):
            h = mp.mpf(10) ** -30 * (abs(x) if x else 1)
            ends = [function(*args[:i], x + s * h, *args[i + 1 :]) for s in (1, -1)]
            results.append((ends[0] - ends[1]) / (2 * h))
        return [float(v) for v in results]


def log_gamma_pdf(x, a):
    return (a - 1) * mp.log(x) - x - mp.loggamma(a)


def log_beta_pdf(x, a, b):
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)


def log_t_pdf(x, v):
    shape = mp.loggamma((v + 1) / 2) - mp.loggamma(v / 2) - mp.log(v * mp.pi) / 2
    return shape - (v + 1) / 2 * mp.log(1 + x * x / v)


def log_f_pdf(x, n, m):
    u = n * x / (n * x + m)
    return log_beta_pdf(u, n / 2, m / 2) + mp.log(n / m) + 2 * mp.log(1 - u)


def log_cdf(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def log_truncated(x, a, b):
    mass = (mp.erfc(a / mp.sqrt(2)) - mp.erfc(b / mp.sqrt(2))) / 2
    return -x * x / 2 - mp.log(2 * mp.pi) / 2 - mp.log(mass)


PRECISE = {
    "norm.logcdf": (log_cdf, [(-40,), (-1e4,), (0.3,), (12,)]),
    "norm.logsf": (lambda x: log_cdf(-x), [(40,), (-0.3,)]),
    "gamma.logpdf": (
        log_gamma_pdf,
        [(1e-300, 0.3), (1e-300, 3), (1e-8, 1e-3), (2, 1), (90, 99), (1e6, 1e6), (1.001e6, 1e6), (9, 200)],
    ),
    "gamma.pdf": (lambda x, a: mp.exp(log_gamma_pdf(x, a)), [(2, 3), (90, 99), (1.001e6, 1e6), (30, 200)]),
    "chi2.logpdf": (lambda x, v: log_gamma_pdf(x / 2, v / 2) - mp.log(2), [(1e-200, 0.5), (1e4, 9e3)]),
    "invgamma.logpdf": (lambda x, a: log_gamma_pdf(1 / x, a) - 2 * mp.log(x), [(1e-3, 2), (1e200, 2), (0.0021, 499)]),
    "beta.logpdf": (
        log_beta_pdf,
        [(1e-300, 0.5, 2), (1 - 2**-50, 2, 0.5), (0.3, 1, 1), (0.31, 3e4, 7e4), (3e-6, 2, 1e6), (0.7, 99, 50)],
    ),
    "beta.pdf": (lambda *v: mp.exp(log_beta_pdf(*v)), [(0.31, 3e4, 7e4), (0.7, 99, 50)]),
    "t.logpdf": (log_t_pdf, [(x, v) for x in (1e-3, 2, 1e3, 1e200) for v in (0.3, 29, 31, 99, 101, 1e4, 1e10)]),
    "f.logpdf": (log_f_pdf, [(0.3, 3, 5), (1e-100, 3, 5), (1e5, 3, 5), (0.99, 2e4, 3e4)]),
    "truncnorm.logpdf": (log_truncated, [(0.3, -1, 2), (10.5, 10, 11), (31, 30, 40), (1 + 1e-7, 1, 1 + 2e-7)]),
    "cauchy.logpdf": (lambda x: -mp.log(mp.pi * (1 + x * x)), [(1e-3,), (1e7,), (1e9,), (1e200,)]),
    "gumbel_r.logsf": (lambda x: mp.log(-mp.expm1(-mp.exp(-x))), [(-3,), (0.1,), (800,)]),
    "weibull_min.logcdf": (lambda x, c: mp.log(-mp.expm1(-(x**c))), [(1e-200, 3), (0.9, 3), (2, 3)]),
    "wrapcauchy.logpdf": (
        lambda x, c: mp.log((1 - c * c) / (2 * mp.pi * (1 + c * c - 2 * c * mp.cos(x)))),
        [(1e-3, 0.999), (3, 0.99999), (2, 0.1)],
    ),
    "vonmises.logpdf": (
        lambda x, k: k * mp.cos(x) - mp.log(2 * mp.pi * mp.besseli(0, k)), [(1e-4, 1e6), (1, 1e-5), (2, 30)]
    ),
    "gamma.entropy": (lambda a: a + mp.loggamma(a) + (1 - a) * mp.psi(0, a), [(0.01,), (99,), (101,), (1e9,)]),
    "beta.entropy": (
        lambda a, b: mp.log(mp.beta(a, b)) - (a - 1) * mp.psi(0, a) - (b - 1) * mp.psi(0, b)
        + (a + b - 2) * mp.psi(0, a + b),
        [(2, 3), (200, 300), (0.1, 1e4)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRECISE)
def test_values_and_slopes_against_many_digits(name):
    """Slopes by shapes may be differences of larger terms, of which the absolute rounding stays."""
    reference, points = PRECISE[name]
    distribution, method = name.split(".")
    for point in points:
        got = slopes(getattr(getattr(stats, distribution), method), *point)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expected = exact(reference, *point)
        atol = 0 if distribution in ("norm", "t", "cauchy") else 1e-14
        np.testing.assert_allclose(got, expected, rtol=2e-12, atol=atol, err_msg=f"{name}{point}")


def log_binomial(k, n):
    return lambda p: mp.log(mp.binomial(n, k)) + k * mp.log(p) + (n - k) * mp.log(1 - p)


@pytest.mark.parametrize("k, n, p", [(3, 10, 0.2), (5, 90, 1e-9), (300, 1000, 0.29), (10**6, 3 * 10**6, 0.333)])
def test_binomial_probabilities_against_many_digits(k, n, p):
    got = slopes(lambda p: stats.binom.logpmf(k, n, p), p)
    np.testing.assert_allclose(got, exact(log_binomial(k, n), p), rtol=2e-12)


def test_a_certain_event():
    """At p = 0 and 1 derivatives are one-sided limits; what is impossible has none."""
    assert slopes(lambda p: stats.binom.logpmf(0, 5, p), 0.0) == [0.0, -5.0]
    assert slopes(lambda p: stats.binom.logpmf(5, 5, p), 1.0) == [0.0, 5.0]
    assert slopes(lambda p: stats.binom.logpmf(500, 500, p), 1.0) == pytest.approx([0.0, 500.0], abs=1e-12)
    assert slopes(lambda p: stats.binom.logpmf(1, 5, p), 0.0) == [-np.inf, 0.0]
    assert slopes(lambda p: stats.bernoulli.logpmf(1, p), 1.0) == [0.0, 1.0]
    assert slopes(lambda p: stats.geom.logpmf(1, p), 1.0) == [0.0, 1.0]
    assert slopes(lambda mu: stats.poisson.logpmf(0, mu), 0.0) == [0.0, -1.0]


@pytest.mark.parametrize("x, a", [(-3.0, 1.3), (-10.0, 1e-3), (-0.3, 20.0), (-1.0, 12.0), (0.2, 30.0), (5.0, -0.4)])
def test_the_skewed_normal_distribution_in_its_thin_tail(x, a):
    with mp.workdps(60):
        points = [x - k / (1 + abs(x) * (1 + a * a)) for k in (400, 200, 100, 50, 20, 10, 5, 2, 1, 0)]
        points = [-60, -30, *points] if min(points) > -30 else points
        expected = mp.quad(lambda t: mp.npdf(t) * mp.erfc(-a * t / mp.sqrt(2)), sorted(points))
    np.testing.assert_allclose(stats.skewnorm.cdf(x, a), float(expected), rtol=5e-12)


def test_infinite_degrees_of_freedom_are_a_normal_distribution():
    assert slopes(stats.t.logpdf, 0.7, np.inf)[:2] == pytest.approx(slopes(stats.norm.logpdf, 0.7), rel=1e-15)


def test_pdf_of_uniform_is_exact():
    assert stats.uniform.pdf(0.5, 0, 3) == 1 / 3


# Edges -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.filterwarnings("error")
def test_no_nan_and_no_gradient_outside(name):
    distribution, shapes = getattr(stats, name), [s[0] for s in CONTINUOUS[name][1]]
    low, high = (float(v) for v in distribution._ends(shapes))
    for x in (low - 1, low, high, high + 1, -np.inf, np.inf):
        values = [x, *shapes, 0.0, 1.0]
        for method in ("logpdf", "pdf", *offered(name, TAILS)):
            got = slopes(getattr(distribution, method), *values)
            if not np.isinf(got[0]) or got[0] < 0:
                assert not np.any(np.isnan(got)), (x, method)
            if method == "logpdf" and got[0] == -np.inf:
                assert got[1:] == [0.0] * len(values)
            if not low <= x <= high or np.isinf(x):
                assert got[1:] == [0.0] * len(values)


def test_points_outside_leave_others_alone():
    x, scale = array(-1.0, 2.0, np.nan, np.inf), wg.tensor(2.0, requires_grad=True)
    y = stats.gamma.logpdf(x, 3.0, scale=scale)
    np.testing.assert_array_equal(np.isnan(y.detach().numpy()), [False, False, True, False])
    y.sum().backward()
    assert float(scale.grad) == pytest.approx(slopes(lambda s: stats.gamma.logpdf(2.0, 3.0, scale=s), 2.0)[1])


def test_impossible_parameters_leave_others_alone():
    scale = wg.tensor(array(1.0, 0.0, -1.0), requires_grad=True)
    y = stats.norm.logpdf(1.0, 0.0, scale)
    np.testing.assert_array_equal(np.isnan(y.detach().numpy()), [False, True, True])
    y[:1].sum().backward()
    np.testing.assert_array_equal(scale.grad.numpy(), [0.0, 0.0, 0.0])


def test_quantiles_of_0_and_1_are_the_ends():
    loc, scale = (wg.tensor(v, requires_grad=True) for v in (1.0, 2.0))
    y = stats.uniform.ppf(array(0.0, 1.0), loc, scale)
    assert y.tolist() == [1.0, 3.0]
    y.sum().backward()
    assert (float(loc.grad), float(scale.grad)) == (2.0, 1.0)
    assert slopes(stats.norm.isf, 0.0, 0.0, 1.0) == [np.inf, 0.0, 0.0, 0.0]


def test_kinks_and_cusps():
    assert slopes(stats.laplace.logpdf, 0.0)[1] == 0
    assert slopes(stats.laplace.cdf, 0.0)[1] == 0.5
    assert slopes(stats.gennorm.logpdf, 0.0, 0.7)[1] == 0
    peak = float(stats.gennorm.pdf(0.0, 2.5))
    assert slopes(stats.gennorm.cdf, 0.0, 2.5)[1] == pytest.approx(peak, rel=1e-14)
    assert slopes(stats.gennorm.ppf, 0.5, 2.5)[1] == pytest.approx(1 / peak, rel=1e-14)


# Vectors ---------------------------------------------------------------------------------------------------------

POINTS, MEAN, ROOT = (
    np.array([[0.3, 1.0], [-0.2, 0.5], [2.0, 1.0]]),
    array(0.1, 0.3),
    np.array([[2.0, 0.5], [0.5, 1.0]]),
)


@pytest.mark.parametrize("cov", [lambda r: r @ r.T, lambda r: r[0] * r[0], lambda r: r[0, 0]])
def test_multivariate_normal(cov):
    for method in ("logpdf", "pdf"):

        def f(x, mean, root, method=method):
            return getattr(stats.multivariate_normal, method)(x, mean, cov(root))

        check_rule(f, POINTS, MEAN, ROOT)
        expected = getattr(scipys.multivariate_normal, method)(POINTS, MEAN, cov(ROOT))
        np.testing.assert_allclose(f(POINTS, MEAN, ROOT), expected, rtol=1e-13)
    check_rule(lambda mean, root: stats.multivariate_normal.entropy(mean, cov(root)), MEAN, ROOT)
    assert stats.multivariate_normal.entropy(MEAN, cov(ROOT)) == pytest.approx(
        scipys.multivariate_normal.entropy(MEAN, cov(ROOT)), rel=1e-14
    )


@pytest.mark.parametrize(
    "args", [(0.5,), (array(0.5, 1.0),), (array(0.5, 1.0), 0.2, 3.0), (POINTS[0], MEAN), (POINTS[:1], MEAN)]
)
def test_shapes_of_multivariate_normal(args):
    got, expected = stats.multivariate_normal.logpdf(*args), scipys.multivariate_normal.logpdf(*args)
    assert np.shape(got) == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_singular_covariances():
    singular = np.ones((2, 2))
    np.testing.assert_array_equal(
        stats.multivariate_normal.logpdf(POINTS, MEAN, singular, allow_singular=True),
        scipys.multivariate_normal.logpdf(POINTS, MEAN, singular, allow_singular=True),
    )
    with pytest.raises(np.linalg.LinAlgError):
        stats.multivariate_normal.logpdf(POINTS, MEAN, singular)
    with pytest.raises(wg.errors.ArgumentError, match="allow_singular"):
        stats.multivariate_normal.logpdf(POINTS, wg.tensor(MEAN, requires_grad=True), singular)
    with pytest.raises(wg.errors.ArgumentError, match="semidefinite"):
        stats.multivariate_normal.logpdf(POINTS, wg.tensor(MEAN, requires_grad=True), -singular, allow_singular=True)
    with pytest.raises(wg.errors.ShapeError, match="cov"):
        stats.multivariate_normal.logpdf(POINTS, MEAN, np.eye(3))


def test_derivatives_at_singular_covariances():
    """On the plane that the covariance spans, the density in two variables on it."""
    basis = np.linalg.qr(np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.2]]))[0]
    inside, root = np.array([[0.3, -0.4], [1.0, 0.2]]), np.array([[2.0, 0.5], [0.5, 1.0]])

    def f(z, mean, root):
        cov = basis @ root @ root.T @ basis.T
        return stats.multivariate_normal.logpdf(z @ basis.T, basis @ mean, cov, allow_singular=True)

    def g(z, mean, root):
        return stats.multivariate_normal.logpdf(z, mean, root @ root.T)

    for order in (lambda f: f, lambda f: wg.jacobian(f, (0, 1, 2)), lambda f: wg.hessian(lambda *v: f(*v).sum(), 2)):
        got, expected = order(f)(inside, MEAN, root), order(g)(inside, MEAN, root)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    away = np.concatenate([inside @ basis.T, [[1.0, 1.0, 1.0]]])
    cov = basis @ root @ basis.T
    recorded = stats.multivariate_normal.logpdf(wg.tensor(away, requires_grad=True), np.zeros(3), cov, True)
    np.testing.assert_allclose(
        recorded.data, scipys.multivariate_normal.logpdf(away, np.zeros(3), cov, True), rtol=1e-12
    )
    recorded[:2].sum().backward()


def test_dirichlet():
    alpha, x = array(1.3, 2.0, 0.7), np.array([[0.2, 0.4], [0.3, 0.1]])
    check_rule(lambda x, alpha: stats.dirichlet.logpdf(x, alpha), x, alpha)
    check_rule(stats.dirichlet.pdf, x[:, 0], alpha)
    np.testing.assert_allclose(stats.dirichlet.logpdf(x, alpha), scipys.dirichlet.logpdf(x, alpha), rtol=1e-14)
    whole = np.vstack([x, 1 - x.sum(0)])
    np.testing.assert_allclose(stats.dirichlet.pdf(whole, alpha), scipys.dirichlet.pdf(whole, alpha), rtol=1e-14)
    for method in ("entropy", "mean", "var", "cov"):
        check_rule(getattr(stats.dirichlet, method), alpha)
        expected = getattr(scipys.dirichlet, method)(alpha)
        np.testing.assert_allclose(getattr(stats.dirichlet, method)(alpha), expected, rtol=1e-13)
    gradient = wg.grad(stats.dirichlet.logpdf)(whole[:, 0], alpha)
    np.testing.assert_allclose(gradient, (alpha - 1) / whole[:, 0], rtol=1e-14)
    for wrong in ((2 * whole, alpha), (whole, -alpha), (whole, np.ones((3, 1)))):
        with pytest.raises(wg.errors.ArgumentError, match=r"dirichlet\.logpdf"):
            stats.dirichlet.logpdf(*wrong)
    with pytest.raises(wg.errors.ShapeError, match="transpose"):
        stats.dirichlet.logpdf(x.T[:1], alpha)


def test_multinomial():
    p, counts = array(0.2, 0.3, 0.5), [[1, 2, 1], [0, 0, 4], [1, 1, 1]]

    def portions(z):
        return np.exp(z) / np.exp(z).sum(-1, keepdims=True)

    check_rule(lambda z: stats.multinomial.logpmf(counts[:2], 4, portions(z)), p)
    check_rule(lambda z: stats.multinomial.pmf(counts, 4, portions(z)), np.stack([p, 2 * p, p * p]))
    check_rule(lambda z: stats.multinomial.cov(4, portions(z)), p)
    np.testing.assert_allclose(
        stats.multinomial.logpmf(counts, [4, 4, 4], p), scipys.multinomial.logpmf(counts, [4, 4, 4], p), rtol=1e-14
    )
    np.testing.assert_allclose(stats.multinomial.cov(4, p), scipys.multinomial.cov(4, p), rtol=1e-14)
    gradient = wg.grad(lambda p: stats.multinomial.logpmf(counts, 4, p)[1])(p)
    np.testing.assert_allclose(gradient, [0.0, 0.0, 8.0])
    assert np.isnan(stats.multinomial.logpmf([1, 1], 2, array(1.5, -0.5)))
    with pytest.raises(wg.errors.ShapeError, match="multinomial"):
        stats.multinomial.logpmf([1, 1], 2, p)


# Calls -----------------------------------------------------------------------------------------------------------


def test_frozen_distributions():
    scale = wg.tensor(2.0, requires_grad=True)
    frozen = stats.gamma(3.0, scale=scale)
    for method, args in (("logpdf", (1.5,)), ("ppf", (0.3,)), ("mean", ()), ("std", ()), ("median", ())):
        got = getattr(frozen, method)(*args)
        assert got.requires_grad
        assert float(got.detach()) == pytest.approx(getattr(scipys.gamma(3.0, scale=2.0), method)(*args), rel=1e-13)
    assert stats.multivariate_normal(MEAN, ROOT).logpdf(POINTS[0]) == pytest.approx(
        scipys.multivariate_normal(MEAN, ROOT).logpdf(POINTS[0])
    )
    assert stats.binom(5, 0.5).support() == (0, 5)


def test_other_names_are_scipys():
    assert stats.kstest is scipys.kstest
    assert stats.norm.interval(0.5) == scipys.norm.interval(0.5)
    assert stats.gamma.fit_loc_scale([1.0, 2.0], 2.0) == scipys.gamma.fit_loc_scale([1.0, 2.0], 2.0)
    assert stats.norm.rvs(random_state=3) == scipys.norm.rvs(random_state=3)
    assert stats.vonmises.cdf(0.3, 2.0) == scipys.vonmises.cdf(0.3, 2.0)
    assert pickle.loads(pickle.dumps(stats.norm)) is stats.norm
    assert pickle.loads(pickle.dumps(stats.gamma(2.0))).mean() == 2.0


@pytest.mark.parametrize("call", [
    lambda t: scipys.norm.logpdf(t), lambda t: scipys.gamma.logpdf(1.0, t), lambda t: scipys.norm(t).pdf(0.0),
    lambda t: scipys.poisson.logpmf(1, t), lambda t: scipys.dirichlet.logpdf(t, np.ones(2)),
    lambda t: scipys.multivariate_normal.logpdf(np.zeros(2), t), lambda t: stats.vonmises.cdf(t, 1.0),
    lambda t: stats.binom.ppf(0.3, 5, t), lambda t: stats.truncnorm.mean(t - 1, t), lambda t: stats.chi.logpdf(1.0, t),
])  # fmt: skip
def test_scipys_own_methods_refuse_recorded_values(call):
    with pytest.raises(wg.errors.LostGradientError):
        call(wg.tensor(array(0.25, 0.75), requires_grad=True))


@pytest.mark.parametrize("call, error, words", [
    (lambda t: stats.poisson.logpmf(t, 2.0), wg.errors.MissingRuleError, "k"),
    (lambda t: stats.poisson.cdf(1, 2.0, loc=t), wg.errors.MissingRuleError, "loc"),
    (lambda t: stats.binom.pmf(1, t, 0.3), wg.errors.MissingRuleError, "n"),
    (lambda t: stats.multinomial.logpmf(t, 1, array(0.5, 0.5)), wg.errors.MissingRuleError, "x"),
    (lambda t: stats.norm.logpdf(t * 1j), wg.errors.DTypeError, "complex128"),
    (lambda t: stats.norm.logpdf(t, 0, 1, 2), TypeError, "by position"),
    (lambda t: stats.gamma.logpdf(t), TypeError, "(a, loc=0, scale=1)"),
    (lambda t: stats.norm.logpdf(t, 0, loc=0), TypeError, "'loc'"),
    (lambda t: stats.poisson.pmf(1, 2.0, scale=t), TypeError, "'scale'"),
])  # fmt: skip
def test_errors_name_what_was_wrong(call, error, words):
    with pytest.raises(error) as caught:
        call(wg.tensor(array(0.25, 0.75), requires_grad=True))
    assert words in str(caught.value)
