"""Interpolation, and channels made pixels."""

import numpy as np
import pytest

from wengert import nn
from wengert.errors import ArgumentError, ShapeError
from wengert.testing import check_grad

X = np.array([[0.0, 1.0], [2.0, 3.0]])


def test_nearest():
    np.testing.assert_array_equal(nn.resize(X, (4, 3)), [[0, 0, 1], [0, 0, 1], [2, 2, 3], [2, 2, 3]])
    np.testing.assert_array_equal(nn.resize(np.arange(4.0), (2,)), [0, 2])


def test_linear():
    np.testing.assert_allclose(nn.resize(np.array([0.0, 3.0]), (4,), "linear", align_corners=True), [0, 1, 2, 3])
    np.testing.assert_allclose(nn.resize(np.array([0.0, 4.0]), (4,), "linear"), [0, 1, 3, 4])
    np.testing.assert_allclose(nn.resize(X, (1, 1), "linear"), [[1.5]])
    np.testing.assert_allclose(nn.resize(X, (3, 3), "linear", True)[1], [1, 1.5, 2])


def test_a_scale_that_is_no_quotient():
    np.testing.assert_array_equal(nn.resize(np.arange(3.0), (4,), scales=(1.5,)), [0, 0, 1, 2])
    np.testing.assert_array_equal(nn.resize(np.arange(3.0), (4,)), [0, 0, 1, 2])
    np.testing.assert_allclose(nn.resize(np.arange(4.0), (6,), "linear", scales=(1.7,))[-1], 5.5 / 1.7 - 0.5)


def test_pixels():
    x = np.arange(2 * 8 * 2 * 3.0).reshape(2, 8, 2, 3)
    y = nn.pixel_shuffle(x, 2)
    assert y.shape == (2, 2, 4, 6)
    np.testing.assert_array_equal(y[0, 0, :2, :2], [[x[0, 0, 0, 0], x[0, 1, 0, 0]], [x[0, 2, 0, 0], x[0, 3, 0, 0]]])
    np.testing.assert_array_equal(nn.pixel_unshuffle(y, 2), x)


def test_gradients():
    rng = np.random.default_rng(0)
    check_grad(lambda x: nn.resize(x, (5, 3), "linear"), rng.random((1, 3, 4)))
    check_grad(lambda x: nn.resize(x, (5, 3)), rng.random((1, 3, 4)))
    check_grad(lambda x: nn.pixel_unshuffle(nn.pixel_shuffle(x, 2), 2), rng.random((4, 1, 2)))


def test_refusals():
    with pytest.raises(ArgumentError, match="'nearest' or 'linear'"):
        nn.resize(X, (2,), "cubic")
    with pytest.raises(ShapeError, match="positive sizes"):
        nn.resize(X, (2, 0))
    with pytest.raises(ShapeError, match="multiple of 4"):
        nn.pixel_shuffle(np.zeros((3, 2, 2)), 2)
    with pytest.raises(ShapeError, match="multiples of 2"):
        nn.pixel_unshuffle(np.zeros((1, 3, 2)), 2)
