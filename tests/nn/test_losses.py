import math

import numpy as np
import pytest
from tests.nn.differences import check_gradients

import wengert as wg
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError

rng = np.random.default_rng(7)
LOGITS = rng.normal(size=(5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
MIXED = rng.dirichlet(np.ones(4), size=5)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))


def reference_cross_entropy(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels])


LOSSES = {
    "cross_entropy labels": lambda x, r="mean": nn.cross_entropy(x, LABELS, r),
    "cross_entropy mixed": lambda x, r="mean": nn.cross_entropy(x, MIXED, r),
    "nll": lambda x, r="mean": nn.nll(nn.log_softmax(x), LABELS, r),
    "binary": lambda x, r="mean": nn.binary_cross_entropy_with_logits(x, MIXED, r),
    "binary weighted": lambda x, r="mean": nn.binary_cross_entropy_with_logits(x, MIXED, r, positive_weight=2.5),
    "mse": lambda x, r="mean": nn.mse(x, MIXED, r),
    "mae": lambda x, r="mean": nn.mae(x, MIXED, r),
    "huber": lambda x, r="mean": nn.huber(x, MIXED, 0.7, r),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


@each_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradient_agrees_with_differences(name, reduction):
    check_gradients(lambda x: LOSSES[name](x, reduction), LOGITS)


@each_loss
def test_reductions_agree(name):
    losses = LOSSES[name](LOGITS, "none")
    assert losses.shape in [(5,), (5, 4)]
    assert float(LOSSES[name](LOGITS, "sum")) == pytest.approx(float(losses.sum()))
    assert float(LOSSES[name](LOGITS, "mean")) == pytest.approx(float(losses.mean()))


@each_loss
def test_unknown_reduction(name):
    with pytest.raises(ArgumentError, match="reduction must be"):
        LOSSES[name](LOGITS, "average")


def test_cross_entropy_values():
    expected = reference_cross_entropy(LOGITS, LABELS)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, LABELS, "none"), expected)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, nn.one_hot(LABELS, 4), "none"), expected)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, nn.one_hot(LABELS, 4, int), "none"), expected)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, list(LABELS), "none"), expected)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, LABELS.astype(np.uint8), "none"), expected)
    np.testing.assert_allclose(nn.cross_entropy(LOGITS, wg.tensor(LABELS), "none"), expected)
    assert float(nn.cross_entropy(LOGITS[0], 2)) == pytest.approx(reference_cross_entropy(LOGITS[:1], [2])[0])


def test_cross_entropy_over_more_axes():
    logits, labels = LOGITS[:4].reshape(2, 2, 4), LABELS[:4].reshape(2, 2)
    losses = nn.cross_entropy(logits, labels, "none")
    np.testing.assert_allclose(losses, reference_cross_entropy(LOGITS[:4], LABELS[:4]).reshape(2, 2))


def test_probabilities_that_are_learnt():
    check_gradients(lambda x, q: nn.cross_entropy(x, nn.softmax(q)), LOGITS, rng.normal(size=(5, 4)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_extreme_logits(dtype):
    x = wg.tensor(np.array([[1e4, -1e4], [1e4, -1e4]], dtype), requires_grad=True)
    with np.errstate(all="raise", under="ignore"):
        loss = nn.cross_entropy(x, [0, 1], "none")
    np.testing.assert_array_equal(loss.data, [0, 2e4])
    np.sum(loss).backward()
    np.testing.assert_array_equal(x.grad.data, [[0, 0], [1, -1]])
    assert loss.dtype == x.grad.dtype == dtype


def test_binary_values():
    z, t = 0.8, 0.3
    p = 1 / (1 + math.exp(-z))
    expected = -t * math.log(p) - (1 - t) * math.log(1 - p)
    assert float(nn.binary_cross_entropy_with_logits([z], [t])) == pytest.approx(expected)
    weighted = -2 * t * math.log(p) - (1 - t) * math.log(1 - p)
    assert float(nn.binary_cross_entropy_with_logits([z], [t], positive_weight=2.0)) == pytest.approx(weighted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("targets", [[1, 0, 1, 0], [True, False, True, False], [1.0, 0.0, 1.0, 0.0]])
def test_binary_with_extreme_logits(dtype, targets):
    x = wg.tensor(np.array([1e4, 1e4, -1e4, -1e4], dtype), requires_grad=True)
    targets = np.array(targets) if not isinstance(targets[0], float) else np.array(targets, dtype)
    losses = nn.binary_cross_entropy_with_logits(x, targets, "none")
    np.testing.assert_array_equal(losses.data, [0, 1e4, 1e4, 0])
    np.sum(losses).backward()
    np.testing.assert_array_equal(x.grad.data, [0, 1, -1, 0])
    assert losses.dtype == x.grad.dtype == dtype


def test_binary_of_probabilities():
    p, t = np.array([0.25, 0.75, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.5])
    expected = [math.log(4), math.log(4), 100, 50]
    np.testing.assert_allclose(nn.binary_cross_entropy(p, t, "none"), expected)
    weighted = nn.binary_cross_entropy(p, t, "none", positive_weight=2.0)
    np.testing.assert_allclose(weighted, [2 * math.log(4), math.log(4), 200, 50])
    shifted = -t * np.log(p + 1e-3) - (1 - t) * np.log(1 - p + 1e-3)
    np.testing.assert_allclose(nn.binary_cross_entropy(p, t, "none", eps=1e-3), shifted)


def test_binary_keeps_precision_where_the_answer_is_right():
    loss = nn.binary_cross_entropy_with_logits(np.array([30.0, -30.0], np.float32), [1, 0], "none")
    np.testing.assert_allclose(loss, math.exp(-30), rtol=1e-6)


def test_values_of_regression_losses():
    difference = A - B
    np.testing.assert_allclose(nn.mse(A, B), np.mean(difference**2))
    np.testing.assert_allclose(nn.mae(A, B), np.mean(np.abs(difference)))
    size = np.abs(difference)
    expected = np.where(size <= 0.7, 0.5 * size**2, 0.7 * (size - 0.35))
    np.testing.assert_allclose(nn.huber(A, B, 0.7, "none"), expected)


def test_huber_at_its_corners():
    x = wg.tensor([0.0, 1.0, -1.0, 1e200, -1e200], requires_grad=True)
    np.sum(nn.huber(x, np.zeros(5), 1.0, "none")).backward()
    np.testing.assert_array_equal(x.grad.data, [0, 1, -1, 1, -1])


@pytest.mark.parametrize("loss", [nn.mse, nn.mae, nn.huber, nn.binary_cross_entropy_with_logits])
def test_float32_stays(loss):
    x = wg.tensor(A.astype(np.float32), requires_grad=True)
    for targets in (B.astype(np.float32), np.ones((3, 4), int), np.ones((3, 4), bool)):
        assert loss(x, targets).dtype == np.float32


@pytest.mark.parametrize("loss", [nn.mse, nn.mae, nn.huber, nn.binary_cross_entropy_with_logits])
def test_nothing_is_broadcast(loss):
    with pytest.raises(ShapeError, match=r"must have one shape; got shape \(5, 1\) .* and shape \(5,\)"):
        loss(np.zeros((5, 1)), np.zeros(5))


@pytest.mark.parametrize("loss", [nn.mse, nn.mae, nn.huber, nn.binary_cross_entropy_with_logits])
def test_targets_get_gradients_too(loss):
    check_gradients(lambda x, t: loss(x, t), A, B)


def empty_cross_entropy(logits, reduction):
    return nn.cross_entropy(logits, np.zeros(0, int), reduction)


def empty_mse(predictions, reduction):
    return nn.mse(predictions, np.zeros(0), reduction)


@pytest.mark.parametrize(("loss", "shape"), [(empty_cross_entropy, (0, 3)), (empty_mse, (0,))])
def test_empty_batch(loss, shape):
    x = wg.tensor(np.zeros(shape), requires_grad=True)
    assert loss(x, "none").shape == (0,)
    total = loss(x, "sum")
    total.backward()
    assert total.item() == 0
    assert x.grad.shape == shape
    with pytest.warns(RuntimeWarning):
        assert math.isnan(loss(x, "mean").item())


@pytest.mark.parametrize("function", [nn.cross_entropy, nn.nll])
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 2, 3, 4], ArgumentError, r"must lie in \[0, 4\); got values from 0 to 4"),
        ([0, 1, 2, 3, -1], ArgumentError, r"must lie in \[0, 4\); got values from -1 to 3"),
        ([0.0, 1, 2, 3, 3], DTypeError, r"must be integers; got shape \(5,\) and dtype float64"),
        ([0, 1], ShapeError, r"labels with shape \(2,\)"),
        (np.zeros((5, 3)), ShapeError, r"labels with shape \(5, 3\)"),
        (0, ShapeError, r"labels with shape \(\)"),
    ],
)
def test_bad_labels(function, labels, error, message):
    with pytest.raises(error, match=message):
        function(LOGITS, labels)


def test_more_bad_arguments():
    with pytest.raises(ArgumentError, match="delta must be positive; got 0"):
        nn.huber(A, B, 0)
    with pytest.raises(DTypeError, match="logits must be floating point; got shape"):
        nn.binary_cross_entropy_with_logits(np.ones(2, int), np.ones(2))
    with pytest.raises(ShapeError, match="got logits with shape"):
        nn.cross_entropy(np.array(1.0), 0)


# Options ---------------------------------------------------------------------------------------------------------

SCORES = np.log([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.2, 0.2, 0.6]])
CLASS_WEIGHT = np.array([1.0, 2.0, 4.0])


def test_ignored_examples_count_nothing():
    each = nn.cross_entropy(SCORES, [0, 2, -100], "none", ignore=-100)
    np.testing.assert_allclose(each, [-np.log(0.5), -np.log(0.75), 0])
    np.testing.assert_allclose(nn.cross_entropy(SCORES, [0, 2, -100], ignore=-100), each.sum() / 2)


def test_weighted_classes():
    each = nn.nll(SCORES, [0, 2, 1], "none", class_weight=CLASS_WEIGHT)
    np.testing.assert_allclose(each, [-np.log(0.5), -4 * np.log(0.75), -2 * np.log(0.2)])
    np.testing.assert_allclose(nn.nll(SCORES, [0, 2, 1], class_weight=CLASS_WEIGHT), each.sum() / 7)


def test_smoothing_is_a_mixed_distribution():
    mixed = 0.7 * np.eye(3)[[0, 2, 1]] + 0.1
    for options in ({}, {"class_weight": CLASS_WEIGHT}):
        np.testing.assert_allclose(
            nn.cross_entropy(SCORES, [0, 2, 1], "sum", smoothing=0.3, **options),
            nn.cross_entropy(SCORES, mixed, "sum", **options),
        )
    np.testing.assert_allclose(
        nn.cross_entropy(SCORES, np.eye(3)[[0, 2, 1]], smoothing=0.3),
        nn.cross_entropy(SCORES, [0, 2, 1], smoothing=0.3),
    )


def test_options_that_make_no_sense():
    with pytest.raises(ArgumentError, match="smoothing"):
        nn.cross_entropy(SCORES, [0, 1, 2], smoothing=2)
    with pytest.raises(ShapeError, match="class_weight"):
        nn.cross_entropy(SCORES, [0, 1, 2], class_weight=[1.0])
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        nn.binary_cross_entropy([1.5], [1.0])


def test_binary_cross_entropy_of_probabilities():
    p, t = np.array([0.25, 0.5]), np.array([1.0, 0.25])
    expected = -t * np.log(p) - (1 - t) * np.log(1 - p)
    np.testing.assert_allclose(nn.binary_cross_entropy(p, t, "none"), expected)
    np.testing.assert_allclose(wg.grad(nn.binary_cross_entropy)(p, t), (p - t) / (p * (1 - p)) / 2)


def test_kl_divergence_and_its_gradients():
    p, t = np.array([0.25, 0.75]), np.array([0.0, 1.0])
    assert nn.kl_divergence(np.log(p), t, "sum") == pytest.approx(-np.log(0.75))
    np.testing.assert_allclose(wg.grad(lambda q: nn.kl_divergence(q, t, "sum"))(np.log(p)), -t)
