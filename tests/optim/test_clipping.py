import numpy as np
import pytest

import wengert as wg
from wengert import optim
from wengert.errors import ArgumentError


def with_gradients(*gradients, dtype=float):
    tensors = []
    for gradient in gradients:
        gradient = np.array(gradient, dtype)
        t = wg.tensor(np.zeros_like(gradient), requires_grad=True)
        t.grad = gradient
        tensors.append(t)
    return tensors


def test_norm_above_the_limit():
    a, b = with_gradients([3.0, 0.0], [[4.0]])
    assert optim.clip_grad_norm([a, b], 1.0) == pytest.approx(5)
    np.testing.assert_allclose(a.grad.data, [0.6, 0], rtol=1e-6)
    np.testing.assert_allclose(b.grad.data, [[0.8]], rtol=1e-6)


def test_norm_below_the_limit():
    (a,) = with_gradients([3.0, 4.0])
    assert optim.clip_grad_norm([a], 5.1) == 5
    np.testing.assert_array_equal(a.grad.data, [3, 4])


def test_norm_in_float32_does_not_overflow():
    (a,) = with_gradients([3e30, 4e30], dtype=np.float32)
    assert optim.clip_grad_norm([a], 1.0) == pytest.approx(5e30)
    np.testing.assert_allclose(a.grad.data, [0.6, 0.8], rtol=1e-6)
    assert a.grad.dtype == np.float32


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_gradients_that_are_not_finite_are_left_alone(bad):
    (a,) = with_gradients([bad, 1.0])
    assert not np.isfinite(optim.clip_grad_norm([a], 1.0))
    np.testing.assert_array_equal(a.grad.data, [bad, 1.0])


def test_value():
    a, b = with_gradients([3.0, -0.5, -9.0], 2.0)
    optim.clip_grad_value([a, b], 1.0)
    np.testing.assert_array_equal(a.grad.data, [1, -0.5, -1])
    assert b.grad.item() == 1


@pytest.mark.parametrize("clip", [optim.clip_grad_norm, optim.clip_grad_value])
def test_parameters_without_gradient_and_bad_limits(clip):
    unused = wg.tensor([1.0], requires_grad=True)
    clip([unused], 1.0)
    assert unused.grad is None
    for limit in (0, -1, float("nan")):
        with pytest.raises(ArgumentError, match="must be positive"):
            clip([unused], limit)


@pytest.mark.parametrize("clip", [optim.clip_grad_norm, optim.clip_grad_value])
def test_one_tensor_and_generators(clip):
    a, b = with_gradients([3.0, 4.0], 5.0)
    clip(a, 1.0)
    clip((t for t in [b]), 1.0)
    assert np.all(a.grad.data <= 1)
    assert b.grad.item() == pytest.approx(1)
