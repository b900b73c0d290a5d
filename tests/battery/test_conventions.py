"""What the library chooses where the derivative is a matter of choice, as its documentation says."""

import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.mark.parametrize("function", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_equal_operands_share_evenly(function):
    assert wg.grad(lambda a, b: function(a, b), argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)


@pytest.mark.parametrize("function", [np.max, np.min])
def test_equal_extrema_share_evenly(function):
    np.testing.assert_array_equal(wg.grad(function)(np.array([2.0, 2.0, 2.0, 2.0])), [0.25] * 4)


@pytest.mark.parametrize(
    "function",
    [np.abs, np.fabs, np.sign, wg.relu, np.linalg.norm, lambda x: np.hypot(x, 0.0)],
    ids=["abs", "fabs", "sign", "relu", "norm", "hypot"],
)
def test_kinks_at_zero_have_derivative_zero(function):
    assert wg.grad(lambda x: np.sum(function(x)))(np.zeros(1)) == 0


def test_equal_elements_have_a_deviation_without_direction():
    np.testing.assert_array_equal(wg.grad(np.std)(np.ones(3)), np.zeros(3))


def test_at_a_bound_clip_passes_the_gradient_on():
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(np.clip(x, 0, 1)))(np.array([0.0, 1.0, 2.0])), [1, 1, 0])


@pytest.mark.parametrize("function", [
    np.sqrt, np.log, np.log2, np.log10, np.cbrt, np.reciprocal, np.arctanh, np.arcsin, np.arccos, np.arccosh, np.log1p,
    lambda x: x**0.5, lambda x: x**-1.0, lambda x: 1 / x, lambda x: x / x, lambda x: np.power(x, x), np.linalg.norm,
    lambda x: np.remainder(1.0, x), lambda x: np.arctan2(x, x), lambda x: np.std(x), wg.softmax, wg.log_softmax,
    wg.logsumexp,
])  # fmt: skip
@pytest.mark.parametrize("point", [0.0, 1.0, -1.0, 2.0])
def test_what_is_not_chosen_has_no_gradient(function, point):
    """PyTorch, JAX and HIPS autograd give NaN at such points."""
    _check_not_chosen(function, point)


@pytest.mark.parametrize("function", [wg.softmax, wg.log_softmax, wg.logsumexp])
def test_nor_have_rows_that_are_masked_altogether(function):
    _check_not_chosen(function, -np.inf)


def _check_not_chosen(function, point):
    def masked(x):
        return np.sum(np.where(np.arange(2) > 5, function(x), 3 * x))

    np.testing.assert_array_equal(wg.grad(masked)(np.full(2, point)), [3, 3])


@pytest.mark.parametrize(
    "function", [np.sqrt, np.log, np.reciprocal, np.linalg.norm, lambda x: x**0.5, lambda x: 1 / x]
)
def test_nor_has_it_second_derivatives(function):
    def masked(x):
        return np.sum(np.where(np.arange(2) > 5, function(x), x * x))

    gradient = wg.grad(lambda x: np.sum(wg.grad(masked)(x)))
    np.testing.assert_array_equal(gradient(np.zeros(2)), [2, 2])


def test_the_gradient_of_a_real_function_of_a_complex_number_points_where_it_grows():
    """With z = x + iy the gradient is df/dx + i df/dy."""
    z = 1.5 - 2j
    assert wg.grad(lambda z: np.abs(z) ** 2)(z) == pytest.approx(2 * z)
    assert wg.grad(lambda z: np.real(z * z))(z) == pytest.approx(2 * np.conj(z))
    assert wg.grad(lambda z: np.imag(z))(z) == 1j
