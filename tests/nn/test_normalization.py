import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, ShapeError

rng = np.random.default_rng(11)
X = rng.normal(2, 3, size=(6, 4))
WEIGHT, BIAS = rng.normal(size=4), rng.normal(size=4)


def statistics(features=4, dtype=float):
    return wg.tensor(np.zeros(features, dtype)), wg.tensor(np.ones(features, dtype))


@wg.train_mode()
def test_batch_norm_in_training():
    mean, var = statistics()
    y = nn.batch_norm(X, mean, var, WEIGHT, BIAS)
    expected = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5) * WEIGHT + BIAS
    np.testing.assert_allclose(y, expected)
    np.testing.assert_allclose(mean.data, 0.1 * X.mean(0))
    np.testing.assert_allclose(var.data, 0.9 + 0.1 * X.var(0, ddof=1))


def test_batch_norm_in_prediction():
    mean, var = wg.tensor(X.mean(0)), wg.tensor(X.var(0))
    before = mean.numpy(), var.numpy()
    one = nn.batch_norm(X[:1], mean, var, WEIGHT, BIAS)
    np.testing.assert_allclose(one, (X[:1] - X.mean(0)) / np.sqrt(X.var(0) + 1e-5) * WEIGHT + BIAS)
    np.testing.assert_array_equal(before, (mean.data, var.data))
    assert nn.batch_norm(X[:0], mean, var).shape == (0, 4)


@wg.train_mode()
def test_batch_norm_of_images():
    images = rng.normal(size=(3, 4, 2, 5))
    mean, var = statistics()
    y = nn.batch_norm(images, mean, var, WEIGHT, BIAS, axis=1, momentum=1.0)
    np.testing.assert_allclose(np.mean(y, axis=(0, 2, 3)), BIAS, atol=1e-12)
    np.testing.assert_allclose(np.std(y, axis=(0, 2, 3)), np.abs(WEIGHT), rtol=1e-4)
    np.testing.assert_allclose(mean.data, images.mean((0, 2, 3)))
    np.testing.assert_allclose(var.data, images.var((0, 2, 3), ddof=1))


def test_batch_norm_gradients():
    def loss(x, weight, bias):
        return np.mean(np.sin(nn.batch_norm(x, *statistics(), weight, bias)))

    with wg.train_mode():
        check_gradients(loss, X, WEIGHT, BIAS)
    check_gradients(loss, X, WEIGHT, BIAS)


@wg.train_mode()
def test_running_statistics_are_never_recorded():
    mean, var = statistics()
    x = wg.tensor(X, requires_grad=True)
    for _ in range(3):
        np.sum(np.sin(nn.batch_norm(x, mean, var))).backward()
    assert not mean.requires_grad
    assert not var.requires_grad
    assert mean.is_leaf


@wg.train_mode()
def test_running_statistics_may_be_plain_arrays():
    mean, var = np.zeros(4), np.ones(4)
    nn.batch_norm(wg.tensor(X, requires_grad=True), mean, var)
    np.testing.assert_allclose(mean, 0.1 * X.mean(0))


@wg.train_mode()
def test_batch_norm_inside_of_grad():
    mean, var = statistics()

    def loss(x):
        return np.mean(np.sin(nn.batch_norm(x, mean, var)))

    first = wg.grad(loss)(X)
    wg.grad(lambda x: np.sum(wg.grad(loss)(x) ** 2))(X)
    after = 0.1 * X.mean(0)
    after = 0.9 * after + 0.1 * X.mean(0)
    np.testing.assert_allclose(mean.data, after)
    assert isinstance(mean.data, np.ndarray)
    assert first.shape == X.shape


@pytest.mark.parametrize("training", [True, False])
def test_float32_stays(training):
    x = wg.tensor(X.astype(np.float32), requires_grad=True)
    mean, var = statistics(dtype=np.float32)
    with wg.train_mode() if training else wg.predict_mode():
        y = nn.batch_norm(x, mean, var, WEIGHT.astype(np.float32), BIAS.astype(np.float32))
    np.sum(y).backward()
    assert y.dtype == x.grad.dtype == mean.dtype == var.dtype == np.float32
    assert nn.layer_norm(x).dtype == np.float32


@wg.train_mode()
@pytest.mark.parametrize("shape", [(1, 4), (0, 4), (4,)])
def test_batch_norm_needs_two_values(shape):
    with pytest.raises(ArgumentError, match="at least two values; got x with shape"):
        nn.batch_norm(np.ones(shape), *statistics())


def test_batch_norm_of_wrong_shapes():
    with pytest.raises(ShapeError, match=r"running_mean must have shape \(3,\) for x with shape \(6, 3\)"):
        nn.batch_norm(X[:, :3], *statistics())
    with pytest.raises(ShapeError, match=r"weight must have shape \(4,\)"):
        nn.batch_norm(X, *statistics(), np.ones(3))
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds"):
        nn.batch_norm(X, *statistics(), axis=2)


@pytest.mark.parametrize("axis", [-1, (-1,), (1, 2), (-2, -1)])
def test_layer_norm(axis):
    x = rng.normal(size=(2, 3, 4))
    y = nn.layer_norm(x, axis=axis)
    expected = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected)


def test_layer_norm_gradients():
    check_gradients(lambda *arrays: np.mean(np.sin(nn.layer_norm(*arrays))), X, WEIGHT, BIAS)
    check_gradients(lambda x: np.mean(np.sin(nn.layer_norm(x, axis=(0, 1)))), X)


def test_layer_norm_of_equal_features_and_of_no_examples():
    x = wg.tensor(np.ones((2, 3)), requires_grad=True)
    y = nn.layer_norm(x)
    np.sum(y * y).backward()
    np.testing.assert_array_equal(y.data, 0)
    assert np.all(np.isfinite(x.grad.data))
    assert nn.layer_norm(np.ones((0, 3))).shape == (0, 3)


def test_group_norm_standardises_groups_of_channels():
    x = np.random.default_rng(0).normal(2, 3, (2, 6, 5))
    y = nn.group_norm(x, 2, eps=0.0)
    np.testing.assert_allclose(y.reshape(2, 2, 15).mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.reshape(2, 2, 15).var(-1), 1)
    weight, bias = np.arange(6.0), np.ones(6)
    np.testing.assert_allclose(nn.group_norm(x, 2, weight, bias, eps=0.0), y * weight[:, None] + 1)
    for groups in (4, 0):
        with pytest.raises(ShapeError, match="divisible"):
            nn.group_norm(x, groups)


def test_rms_norm():
    x = np.array([[3.0, 4.0], [0.0, 2.0]])
    np.testing.assert_allclose(nn.rms_norm(x, eps=0), [[3 / 12.5**0.5, 4 / 12.5**0.5], [0, 2**0.5]])
    np.testing.assert_allclose(nn.rms_norm(x, np.array([1.0, 2.0]), axis=0, eps=0)[0, 1], 2 * 4 / 10**0.5)
    np.testing.assert_allclose(nn.rms_norm(np.zeros(2), eps=1.0), 0)
