"""Distances, angles, and the losses made of them."""

import numpy as np
import pytest

from wengert import nn
from wengert.errors import ArgumentError, ShapeError
from wengert.testing import check_grad

A = np.array([[3.0, 4.0], [1.0, 0.0]])
B = np.array([[0.0, 0.0], [0.0, 2.0]])


def test_normalize():
    np.testing.assert_allclose(nn.normalize(A), [[0.6, 0.8], [1, 0]])
    np.testing.assert_allclose(nn.normalize(A, 1, axis=0), [[0.75, 1], [0.25, 0]])
    np.testing.assert_array_equal(nn.normalize(np.zeros(2)), 0)


def test_distances_and_angles():
    np.testing.assert_allclose(nn.pairwise_distance(A, B, eps=0), [5, np.sqrt(5)])
    np.testing.assert_allclose(nn.pairwise_distance(A, B, p=1, eps=0, keepdims=True), [[7], [3]])
    np.testing.assert_allclose(nn.cosine_similarity(A, A[::-1]), [0.6, 0.6])
    np.testing.assert_allclose(nn.cosine_similarity(A, B), [0, 0])


def test_margins():
    np.testing.assert_allclose(nn.margin_ranking_loss(np.array([2.0, 2.0]), np.zeros(2), np.array([1, -1]), 1), [0, 3])
    np.testing.assert_allclose(nn.hinge_embedding_loss(np.array([2.0, 0.5]), np.array([1, -1])), [2, 0.5])
    np.testing.assert_allclose(nn.cosine_embedding_loss(A, A, np.array([1, -1]), 0.25), [0, 0.75])
    np.testing.assert_allclose(nn.soft_margin_loss(np.array([0.0]), np.array([1])), np.log(2))


def test_triplets():
    anchor, positive, negative = np.zeros((1, 2)), np.array([[3.0, 4.0]]), np.array([[3.0, 0.0]])
    np.testing.assert_allclose(nn.triplet_margin_loss(anchor, positive, negative, eps=0), [3])
    np.testing.assert_allclose(nn.triplet_margin_loss(anchor, positive, -negative, eps=0, swap=True), [3])
    np.testing.assert_allclose(nn.triplet_margin_loss(negative, anchor, positive, eps=0, swap=True), [0])


def test_multi_margin():
    scores = np.array([[1.0, 0.5, 3.0], [0.0, 2.0, 0.0]])
    np.testing.assert_allclose(nn.multi_margin_loss(scores, np.array([0, 1])), [3.5 / 3, 0])
    np.testing.assert_allclose(nn.multi_margin_loss(scores, np.array([0, 1]), p=2), [9.25 / 3, 0])
    weighted = nn.multi_margin_loss(scores, np.array([0, 1]), class_weight=np.array([2.0, 1.0, 1.0]))
    np.testing.assert_allclose(weighted, [7 / 3, 0])
    with pytest.raises(ShapeError, match="a label for each example"):
        nn.multi_margin_loss(scores, np.array([0]))
    with pytest.raises(ArgumentError, match=r"\[0, 3\)"):
        nn.multi_margin_loss(scores, np.array([0, 3]))


def test_likelihoods():
    np.testing.assert_allclose(nn.gaussian_nll(np.array([1.0]), np.array([3.0]), np.array([2.0])), [np.log(2) / 2 + 1])
    full = nn.gaussian_nll(np.array([0.0]), np.array([0.0]), np.array([1.0]), full=True)
    np.testing.assert_allclose(full, np.log(2 * np.pi) / 2)
    np.testing.assert_allclose(nn.poisson_nll(np.log([2.0]), np.array([3.0])), 2 - 3 * np.log(2))
    assert nn.poisson_nll(np.zeros(1), np.ones(1), full=True) == 1
    np.testing.assert_allclose(nn.poisson_nll(np.zeros(1), np.full(1, 50.0), full=True), 1 + 148.47601, rtol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        lambda a, b: nn.cosine_similarity(a, b),
        lambda a, b: nn.pairwise_distance(a, b, 3),
        lambda a, b: nn.triplet_margin_loss(a, b, b[::-1]),
        lambda a, b: nn.gaussian_nll(a, b, a * a + 1),
        lambda a, b: nn.multi_margin_loss(a + b, np.array([0, 1, 1]), 2),
        lambda a, b: nn.poisson_nll(a, b, full=True),
    ],
)
def test_gradients(loss):
    rng = np.random.default_rng(0)
    check_grad(loss, rng.random((3, 2)) + 1, rng.random((3, 2)) + 2)
