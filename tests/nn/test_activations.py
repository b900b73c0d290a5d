import math

import numpy as np
import pytest
from tests.nn.differences import check_gradients, gradients

import wengert as wg
from wengert import nn

POINTS = np.array([-5.0, -1.3, -0.2, 0.4, 1.7, 6.0])

# name: (function, the same for one Python float)
ACTIVATIONS = {
    "relu": (nn.relu, lambda x: max(x, 0.0)),
    "leaky_relu": (nn.leaky_relu, lambda x: x if x > 0 else 0.01 * x),
    "leaky_relu slope": (lambda x: nn.leaky_relu(x, slope=0.3), lambda x: x if x > 0 else 0.3 * x),
    "elu": (nn.elu, lambda x: x if x > 0 else math.expm1(x)),
    "elu alpha": (lambda x: nn.elu(x, alpha=0.7), lambda x: x if x > 0 else 0.7 * math.expm1(x)),
    "softplus": (nn.softplus, lambda x: math.log1p(math.exp(x))),
    "sigmoid": (nn.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    "silu": (nn.silu, lambda x: x / (1 + math.exp(-x))),
    "tanh": (nn.tanh, math.tanh),
    "gelu": (nn.gelu, lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    "gelu tanh": (
        lambda x: nn.gelu(x, approximate=True),
        lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
}
each_activation = pytest.mark.parametrize("name", ACTIVATIONS)


@each_activation
def test_value(name):
    function, reference = ACTIVATIONS[name]
    expected = [reference(x) for x in POINTS]
    np.testing.assert_allclose(function(POINTS), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(function(wg.tensor(POINTS, requires_grad=True)).data, expected, rtol=1e-13, atol=1e-15)


@each_activation
def test_gradient_agrees_with_differences(name):
    function, _ = ACTIVATIONS[name]
    weights = np.linspace(0.5, 1.5, POINTS.size)
    check_gradients(lambda x: np.sum(weights * function(x)), POINTS)


@each_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_kept(name, dtype):
    function, _ = ACTIVATIONS[name]
    x = wg.tensor(POINTS.reshape(2, 3).astype(dtype), requires_grad=True)
    y = function(x)
    np.sum(y).backward()
    assert (y.shape, y.dtype) == ((2, 3), dtype)
    assert (x.grad.shape, x.grad.dtype) == ((2, 3), dtype)
    assert isinstance(function(POINTS.astype(dtype)), np.ndarray)


@each_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_arguments(name, dtype):
    function, _ = ACTIVATIONS[name]
    x = wg.tensor(np.array([-1e4, -100.0, 100.0, 1e4], dtype), requires_grad=True)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = function(x)
    assert np.all(np.isfinite(y.data))
    np.sum(y).backward()
    assert np.all(np.isfinite(x.grad.data))


@each_activation
def test_no_elements(name):
    function, _ = ACTIVATIONS[name]
    assert function(wg.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("function", "slope"),
    [(nn.leaky_relu, 0.01), (nn.elu, 1.0), (lambda x: nn.elu(x, 0.5), 0.5), (nn.silu, 0.5), (nn.gelu, 0.5)],
)
def test_derivative_at_zero(function, slope):
    (grad,) = gradients(lambda x: function(x), np.array(0.0))
    assert grad == pytest.approx(slope)


@pytest.mark.parametrize("name", ["silu", "gelu", "gelu tanh", "elu", "softplus", "tanh"])
def test_second_derivative(name):
    function, _ = ACTIVATIONS[name]

    def slope_sum(x):
        return np.sum(wg.grad(lambda y: np.sum(function(y)))(x))

    x, step = np.array([-1.1, 0.6]), 1e-5
    got = wg.grad(slope_sum)(x)
    for i in range(2):
        move = step * (np.arange(2) == i)
        expected = (slope_sum(x + move) - slope_sum(x - move)) / (2 * step)
        assert float(got[i]) == pytest.approx(float(expected), rel=1e-6)


def test_softmax_family():
    x = np.array([[1.0, 2.0, 3.0], [1e4, -1e4, 1e4]])
    np.testing.assert_allclose(np.sum(nn.softmax(x), axis=-1), 1)
    np.testing.assert_allclose(nn.softmax(x)[1], [0.5, 0, 0.5])
    np.testing.assert_allclose(nn.log_softmax(x)[1], [-math.log(2), -2e4 - math.log(2), -math.log(2)])
    assert float(nn.logsumexp(x[0])) == pytest.approx(math.log(sum(math.exp(v) for v in (1, 2, 3))))


def test_lists_are_taken():
    np.testing.assert_allclose(nn.leaky_relu([-1.0, 1.0]), [-0.01, 1])
    np.testing.assert_allclose(nn.gelu([0.0], approximate=True), [0])
