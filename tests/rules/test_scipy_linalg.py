"""wengert.scipy.linalg and .signal where samples cannot say it: refusals, degenerate matrices, exact derivatives."""

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

import wengert as wg
from wengert.errors import ArgumentError, GradientError, LostGradientError, MissingRuleError, WengertError
from wengert.scipy import linalg, signal

pytestmark = pytest.mark.filterwarnings("ignore")
random = np.random.default_rng(7)
A = random.normal(size=(4, 4)) + 4 * np.eye(4)
E = random.normal(size=(4, 4))


def recorded(x):
    return wg.tensor(x, requires_grad=True)


# Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["expm", "solve", "lu", "svdvals", "toeplitz", "cosm", "bandwidth", "rq", "signm"])
def test_scipys_own_functions_drop_no_gradient(name):
    args = [recorded(A), A] if name == "solve" else [recorded(A[0] if name == "toeplitz" else A)]
    with pytest.raises(LostGradientError):
        getattr(scipy.linalg, name)(*args)


@pytest.mark.parametrize("name", ["bandwidth", "rq", "signm", "ordqz"])
def test_names_without_a_rule_are_scipys(name):
    assert getattr(linalg, name) is getattr(scipy.linalg, name)


@pytest.mark.parametrize("name", ["schur", "hessenberg", "qz", "cossin", "matrix_balance"])
def test_without_a_derivative(name):
    args = [recorded(A)] * (2 if name == "qz" else 1)
    with pytest.raises(MissingRuleError, match=name):
        getattr(linalg, name)(*args)


def test_without_a_derivative_is_scipys_for_what_is_not_recorded():
    expected = scipy.linalg.schur(A)
    for given in (A, wg.tensor(A)):
        for got, part in zip(linalg.schur(given), expected, strict=True):
            np.testing.assert_array_equal(got, part)


@pytest.mark.parametrize(
    "call, keyword",
    [
        (lambda t: linalg.qr(t, mode="raw"), "raw"),
        (lambda t: linalg.eig(t, left=True), "left"),
        (lambda t: linalg.eig(t, A), "b=array"),
        (lambda t: linalg.eigvals(t, homogeneous_eigvals=True), "homogeneous_eigvals"),
        (lambda t: linalg.solve_continuous_are(t, A, np.eye(4), np.eye(4), e=A), "e="),
        (lambda t: linalg.solve_discrete_are(t, A, np.eye(4), np.eye(4), s=A), "s="),
        (lambda t: signal.filtfilt([1.0], [1.0, 0.2], t, method="gust"), "gust"),
    ],
)
def test_keywords_without_a_rule_are_named(call, keyword):
    with pytest.raises(ArgumentError, match=keyword):
        call(recorded(A))


def test_signatures_are_scipys():
    with pytest.raises(TypeError, match="nonsense"):
        linalg.expm(recorded(A), nonsense=1)


@pytest.mark.parametrize("name", ["medfilt", "wiener", "decimate"])
def test_signal_drops_no_gradient(name):
    with pytest.raises(LostGradientError):
        getattr(signal, name)(recorded(np.arange(40.0)), *([2] if name == "decimate" else []))


# Degenerate matrices ---------------------------------------------------------------------------------------------


def gradient(function, x):
    return wg.grad(lambda t: np.sum(np.real(function(t)) * E[: x.shape[0], : x.shape[1]]))(x)


@pytest.mark.parametrize(
    "function, x",
    [
        (linalg.sqrtm, np.diag([0.0, 1.0, 2.0, 3.0])),
        (lambda t: linalg.polar(t)[0], np.diag([0.0, 1.0, 2.0, 3.0])),
        (lambda t: linalg.lu(t)[1], np.diag([1.0, 0.0, 2.0, 3.0])),
        (linalg.null_space, np.ones((1, 4))),
    ],
)
def test_no_derivative_there(function, x):
    with pytest.raises(GradientError):
        wg.grad(lambda t: np.sum(function(t) * E[:, : function(x).shape[1]]))(x)


@pytest.mark.parametrize("function", [linalg.sqrtm, linalg.expm, linalg.logm, lambda t: linalg.polar(t)[0]])
def test_equal_eigenvalues_do_no_harm(function):
    """At multiples of the identity, by differences."""
    x, h = 2 * np.eye(4), 1e-6
    expected = np.zeros((4, 4))
    for index in np.ndindex(4, 4):
        step = np.zeros((4, 4))
        step[index] = h
        expected[index] = np.sum((function(x + step) - function(x - step)) * E) / (2 * h)
    np.testing.assert_allclose(gradient(function, x), expected, atol=1e-7)


def test_defective_matrices_have_functions():
    x = np.array([[1.0, 1.0], [0.0, 1.0]])
    got = wg.grad(lambda t: linalg.expm(t)[0, 1])(x)
    np.testing.assert_allclose(got, np.e * np.array([[0.5, 1.0], [1 / 6, 0.5]]), rtol=1e-13)


# Exact derivatives -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function, of_numbers, slope",
    [
        (linalg.expm, np.exp, np.exp),
        (linalg.logm, np.log, lambda w: 1 / w),
        (linalg.sqrtm, np.sqrt, lambda w: 0.5 / np.sqrt(w)),
        (lambda x: linalg.fractional_matrix_power(x, 0.3), lambda w: w**0.3, lambda w: 0.3 * w**-0.7),
        (linalg.cosm, np.cos, lambda w: -np.sin(w)),
        (linalg.tanhm, np.tanh, lambda w: 1 - np.tanh(w) ** 2),
    ],
    ids=["expm", "logm", "sqrtm", "power", "cosm", "tanhm"],
)
def test_matrix_functions_by_eigenvalues(function, of_numbers, slope):
    """The theorem of Daleckii and Krein: in the basis of eigenvectors the derivative has divided differences."""
    x, direction = A / 3 + np.eye(4), random.normal(size=(4, 4))
    w, v = np.linalg.eig(x.astype(complex))
    gap = w[:, None] - w[None, :] + np.eye(4)
    quotients = np.where(np.eye(4, dtype=bool), slope(w), (of_numbers(w)[:, None] - of_numbers(w)[None, :]) / gap)
    change = v @ (quotients * (np.linalg.inv(v) @ direction @ v)) @ np.linalg.inv(v)
    np.testing.assert_allclose(np.sum(gradient(function, x) * direction), np.sum(change.real * E), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 30.0])
def test_expm_of_small_and_large_matrices(scale):
    x = A * scale
    direction = random.normal(size=(4, 4))
    expected = np.sum(scipy.linalg.expm_frechet(x, direction)[1] * E)
    np.testing.assert_allclose(np.sum(gradient(linalg.expm, x) * direction), expected, rtol=1e-9)


def test_lfilter_of_a_long_signal():
    x = random.normal(size=100_000)
    b, a = scipy.signal.butter(4, 0.1)
    x0, direction = recorded(x), random.normal(size=len(x))
    y = signal.lfilter(b, a, x0)
    y.backward(direction)
    back = scipy.signal.lfilter(b, a, direction[::-1])[::-1]
    np.testing.assert_allclose(x0.grad, back, rtol=1e-9, atol=1e-9)


def test_power_in_the_exponent():
    x = A @ A.T
    got = wg.grad(lambda t: np.sum(linalg.fractional_matrix_power(x, t) * E))(0.3)
    expected = np.sum((linalg.logm(x) @ linalg.fractional_matrix_power(x, 0.3)) * E)
    np.testing.assert_allclose(got, expected, rtol=1e-10)


@pytest.mark.parametrize("function", [linalg.solve_continuous_are, linalg.solve_discrete_are])
def test_riccati_gradients_are_hermitian(function):
    t = recorded(np.eye(4))
    np.sum(function(A, E[:, :2], t, np.eye(2)) * E).backward()
    np.testing.assert_allclose(t.grad, np.transpose(t.grad))


def test_overwriting_is_scipys_business():
    """Recorded arrays are never overwritten."""
    t = recorded(A)
    before = t.numpy()
    linalg.solve(t, A[0], overwrite_a=True, overwrite_b=True)
    linalg.det(t, overwrite_a=True)
    np.testing.assert_array_equal(t.data, before)


def test_errors_are_scipys():
    for call in (
        lambda f: f.solve(recorded(A), A[:3, 0]) if f is linalg else f.solve(A, A[:3, 0]),
        lambda f: f.cholesky(recorded(-A) if f is linalg else -A),
        lambda f: f.polar(recorded(A) if f is linalg else A, side="middle"),
        lambda f: f.khatri_rao(recorded(A) if f is linalg else A, A[:, :2]),
    ):
        with pytest.raises((ValueError, np.linalg.LinAlgError)) as expected:
            call(scipy.linalg)
        with pytest.raises(expected.type):
            call(linalg)
    with pytest.raises(WengertError):
        linalg.solve_toeplitz(recorded(A), A[0])


@pytest.mark.parametrize("module", ["linalg", "signal", "ndimage", "interpolate", "integrate", "spatial.distance"])
def test_every_function_has_samples(module):
    """Those that need care with their arguments have them through a function that takes it."""
    from tests.battery.samples import SMOOTH

    from wengert.primitive import REGISTRY, Composite

    home = f"wengert.scipy.{module}"
    names = {key.__name__ for key, entry in REGISTRY.items() if isinstance(entry, Composite) and _home(key) == home}
    sampled = {f.__name__ for f in SMOOTH if _home(f) == home}
    assert names
    assert names - sampled <= {"solve_continuous_are", "solve_discrete_are"}


def _home(value):
    return getattr(value, "__module__", None)
