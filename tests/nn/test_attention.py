"""Attention: weights, masks, heads, gradients."""

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, ShapeError
from wengert.testing import check_grad


def test_each_query_averages_the_values():
    y = nn.attention(np.zeros((2, 3)), np.zeros((4, 3)), np.arange(8.0).reshape(4, 2))
    np.testing.assert_allclose(y, [[3, 4], [3, 4]])


def test_scores_are_scaled_by_the_root_of_the_features():
    query, key = np.array([[2.0, 0, 0, 0]]), np.array([[np.log(3), 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(nn.attention_weights(query, key), [[0.75, 0.25]])
    np.testing.assert_allclose(nn.attention_weights(query, key, scale=1.0), [[0.9, 0.1]])


def test_masks():
    q = k = np.zeros((2, 1))
    np.testing.assert_allclose(nn.attention_weights(q, k, np.array([True, False])), [[1, 0], [1, 0]])
    np.testing.assert_allclose(nn.attention_weights(q, k, np.array([0.0, np.log(3)])), [[0.25, 0.75]] * 2)
    np.testing.assert_allclose(nn.attention_weights(q, k, causal=True), [[1, 0], [0.5, 0.5]])
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(nn.attention_weights(q, k, np.array([False, False]))).all()


def test_dropout_sees_the_weights():
    y = nn.attention(np.zeros((1, 1)), np.zeros((2, 1)), np.array([[1.0], [3.0]]), dropout=lambda w: 2 * w)
    np.testing.assert_allclose(y, [[4.0]])


def test_leading_axes_broadcast_and_dtype_stays():
    query = np.zeros((5, 3, 4, 2), np.float32)
    y = nn.attention(query, np.zeros((3, 6, 2), np.float32), np.ones((6, 7), np.float32))
    assert y.shape == (5, 3, 4, 7) and y.dtype == np.float32


def test_heads():
    x = np.arange(24.0).reshape(2, 3, 4)
    heads = nn.split_heads(x, 2)
    assert heads.shape == (2, 2, 3, 2)
    np.testing.assert_array_equal(heads[0, 1], x[0, :, 2:])
    np.testing.assert_array_equal(nn.merge_heads(heads), x)


def test_gradients():
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    check_grad(lambda q, k, v: nn.attention(q, k, v, causal=True), q, k, v)
    check_grad(lambda x: nn.merge_heads(nn.split_heads(x, 3)), rng.normal(size=(2, 4, 6)))
    mask = wg.tensor(np.zeros((2, 4)), requires_grad=True)
    np.sum(nn.attention(q, k, v, mask) ** 2).backward()
    np.testing.assert_allclose(np.sum(mask.grad.numpy(), axis=1), 0, atol=1e-12)


def test_refusals():
    with pytest.raises(ShapeError, match="same number of features"):
        nn.attention(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((2, 4)))
    with pytest.raises(ShapeError, match="one for each key"):
        nn.attention(np.zeros((2, 3)), np.zeros((5, 3)), np.zeros((2, 4)))
    with pytest.raises(ArgumentError, match="divides the features"):
        nn.split_heads(np.zeros((2, 5)), 2)
