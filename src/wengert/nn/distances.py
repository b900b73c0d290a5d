"""Distances and angles between vectors, and losses that are margins of such scores.

The losses give one number for each example; what is to become of these (their mean, their sum) is left to the caller.
"""

import numpy as np

from wengert.errors import ShapeError
from wengert.nn._inputs import Array, as_array, as_indices, describe
from wengert.nn.activations import softplus
from wengert.rules.nn import relu

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "gaussian_nll",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "normalize",
    "pairwise_distance",
    "poisson_nll",
    "soft_margin_loss",
    "triplet_margin_loss",
]


def _length(x: Array, p: float, axis: int, keepdims: bool = False) -> Array:
    return np.linalg.norm(x, p, axis=axis, keepdims=keepdims)


def normalize(x: Array, p: float = 2.0, axis: int = -1, eps: float = 1e-12) -> Array:
    """Vectors along an axis divided by their p-norm, or by `eps` where that is larger.

    Examples
    --------
    >>> normalize(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    x = as_array(x)
    return x / np.maximum(_length(x, p, axis, True), eps)


def cosine_similarity(a: Array, b: Array, axis: int = -1, eps: float = 1e-8) -> Array:
    """The cosine of the angle between vectors along an axis; each length is taken to be at least `eps`.

    Examples
    --------
    >>> cosine_similarity(np.array([1.0, 0.0]), np.array([2.0, 2.0])).round(4).item()
    0.7071
    """
    return np.sum(normalize(a, 2, axis, eps) * normalize(b, 2, axis, eps), axis=axis)


def pairwise_distance(a: Array, b: Array, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Array:
    """The p-norm of ``a - b + eps`` along the last axis; `eps` keeps the gradient defined where both are equal.

    Examples
    --------
    >>> pairwise_distance(np.array([[3.0, 4.0]]), np.zeros((1, 2)), eps=0)
    array([5.])
    """
    return _length(as_array(a) - b + eps, p, -1, keepdims)


# Margins -----------------------------------------------------------------------------------------------------------


def margin_ranking_loss(a: Array, b: Array, order: Array, margin: float = 0.0) -> Array:
    """``max(0, margin - order * (a - b))``: `a` shall be the larger one where `order` is 1, `b` where it is -1.

    Examples
    --------
    >>> margin_ranking_loss(np.array([1.0]), np.array([3.0]), np.array([1.0]), margin=0.5)
    array([2.5])
    """
    return relu(margin - as_array(order) * (as_array(a) - b))


def hinge_embedding_loss(distances: Array, same: Array, margin: float = 1.0) -> Array:
    """The distance where `same` is 1, ``max(0, margin - distance)`` where it is -1.

    Examples
    --------
    >>> hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]))
    array([0.25, 0.75])
    """
    distances = as_array(distances)
    return np.where(as_array(same) == 1, distances, relu(margin - distances))


def cosine_embedding_loss(a: Array, b: Array, same: Array, margin: float = 0.0) -> Array:
    """One minus the cosine where `same` is 1, ``max(0, cosine - margin)`` where it is -1.

    Examples
    --------
    >>> cosine_embedding_loss(np.eye(2), np.eye(2), np.array([1, -1]))
    array([0., 1.])
    """
    cosine = cosine_similarity(a, b)
    return np.where(as_array(same) == 1, 1 - cosine, relu(cosine - margin))


def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> Array:
    """``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)`` (Schroff et al. 2015).

    With ``swap=True`` the negative example counts from where it is nearer: from the anchor or from the positive one.

    Examples
    --------
    >>> triplet_margin_loss(np.zeros((1, 2)), np.zeros((1, 2)), np.array([[3.0, 4.0]]), margin=6.0, eps=0)
    array([1.])
    """
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(positive, negative, p, eps))
    return relu(near - far + margin)


def soft_margin_loss(scores: Array, signs: Array) -> Array:
    """``log(1 + exp(-sign * score))`` for signs 1 and -1.

    Examples
    --------
    >>> soft_margin_loss(np.array([0.0]), np.array([1.0])).round(4)
    array([0.6931])
    """
    return softplus(-as_array(signs) * scores)


def multi_margin_loss(
    scores: Array, labels: Array, p: int = 1, margin: float = 1.0, class_weight: Array | None = None
) -> Array:
    """The mean over all other classes of ``max(0, margin - score[label] + score) ** p`` (Crammer and Singer 2001).

    Parameters
    ----------
    scores : array or tensor of shape (examples, classes)
    labels : integer array of shape (examples,)
    class_weight : array of shape (classes,), optional
        Factors of the examples of each class.

    Examples
    --------
    >>> multi_margin_loss(np.array([[1.0, 0.5]]), np.array([0]))
    array([0.25])
    """
    scores = as_array(scores)
    if scores.ndim != 2 or np.shape(labels) != scores.shape[:1]:
        raise ShapeError(
            f"[multi_margin_loss] scores of shape (examples, classes) and a label for each example were required; "
            f"received {describe(scores)}, and labels of shape {np.shape(labels)}; reshape them"
        )
    classes = scores.shape[1]
    labels = as_indices("multi_margin_loss", "labels", labels, classes)
    own = np.take_along_axis(scores, labels[:, None], 1)
    slack = relu(margin - own + scores) ** p
    if class_weight is not None:
        slack = slack * as_array(class_weight)[labels][:, None]
    others = np.arange(classes) != labels[:, None]
    return np.sum(np.where(others, slack, 0.0), axis=1) / classes


# Likelihoods -------------------------------------------------------------------------------------------------------


def gaussian_nll(means: Array, targets: Array, variances: Array, full: bool = False, eps: float = 1e-6) -> Array:
    """The negative logarithm of normal densities; variances are taken to be at least `eps`, without a gradient there.

    With ``full=True`` the constant ``log(2 pi) / 2`` is included.

    Examples
    --------
    >>> gaussian_nll(np.array([0.0]), np.array([2.0]), np.array([1.0]))
    array([2.])
    """
    variances = np.maximum(variances, eps)
    loss = 0.5 * (np.log(variances) + (as_array(means) - targets) ** 2 / variances)
    return loss + 0.5 * np.log(2 * np.pi) if full else loss


def poisson_nll(log_rates: Array, targets: Array, full: bool = False) -> Array:
    """The negative logarithm of Poisson probabilities; with ``full=True`` by Stirling's formula with ``log(target!)``.

    Examples
    --------
    >>> poisson_nll(np.array([0.0]), np.array([3.0]))
    array([1.])
    """
    targets = as_array(targets)
    loss = np.exp(log_rates) - targets * log_rates
    if not full:
        return loss
    counted = np.maximum(targets, 1)
    stirling = counted * np.log(counted) - counted + 0.5 * np.log(2 * np.pi * counted)
    return loss + np.where(targets > 1, stirling, 0.0)
