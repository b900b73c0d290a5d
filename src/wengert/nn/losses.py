"""Loss functions. Classes lie on the last axis; every other axis counts examples.

Each takes ``reduction``: ``"mean"`` over all losses (the default), ``"sum"``, or ``"none"`` for the losses
themselves. The mean over an empty batch is NaN, as `numpy.mean`'s is; its sum is 0.
"""

import numpy as np

from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.nn._inputs import Array, as_array, as_float, as_indices, describe, require_same_shape
from wengert.rules.nn import log_softmax, softplus

__all__ = ["binary_cross_entropy_with_logits", "cross_entropy", "huber", "mae", "mse", "nll"]


def cross_entropy(logits: Array, labels: Array, reduction: str = "mean") -> Array:
    """Cross entropy between labels and the softmax of logits: ``-sum_c q_c log softmax(logits)_c``.

    Parameters
    ----------
    logits : array or tensor of shape (..., classes), floating point
        Unnormalised log probabilities.
    labels : integers of shape (...), or probabilities of shape (..., classes)
        The number of the right class, or a distribution q over the classes (one-hot vectors are one).
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of shape (...) with ``reduction="none"``

    Raises
    ------
    ShapeError
        Labels fit the logits in neither of the two ways.
    DTypeError
        Class numbers that are not integers.
    ArgumentError
        A class number outside [0, classes), or an unknown reduction.

    Examples
    --------
    >>> logits = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    >>> round(float(cross_entropy(logits, [0, 2])), 4)
    0.1199
    """
    return _negative_log_likelihood("cross_entropy", "logits", log_softmax, logits, labels, reduction)


def nll(log_probabilities: Array, labels: Array, reduction: str = "mean") -> Array:
    """Negative log likelihood of labels: `cross_entropy` for what `log_softmax` has normalised already.

    Parameters
    ----------
    log_probabilities : array or tensor of shape (..., classes), floating point
    labels : integers of shape (...), or probabilities of shape (..., classes)
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of shape (...) with ``reduction="none"``

    Raises
    ------
    ShapeError, DTypeError, ArgumentError
        As `cross_entropy`.

    Examples
    --------
    >>> round(float(nll(np.log([[0.5, 0.5], [1.0, 1.0]]), [1, 0], reduction="sum")), 4)
    0.6931
    """
    return _negative_log_likelihood("nll", "log_probabilities", as_array, log_probabilities, labels, reduction)


def binary_cross_entropy_with_logits(
    logits: Array, targets: Array, reduction: str = "mean", positive_weight: Array = 1.0
) -> Array:
    """Cross entropy of yes/no targets: ``-t log sigmoid(z) - (1 - t) log(1 - sigmoid(z))``.

    Written with ``-log sigmoid(z) = softplus(-z)`` on both sides, which keeps full relative precision for
    logits of any size and for targets between 0 and 1.

    Parameters
    ----------
    logits : array or tensor of any shape, floating point
    targets : array or tensor of the same shape
        Probabilities in [0, 1]; integers and booleans are taken as 0 and 1.
    reduction : {"mean", "sum", "none"}
    positive_weight : float, or array that broadcasts against `logits`
        Factor on the first term; more than 1 favours recall.

    Returns
    -------
    array or tensor, a scalar; of the shape of `logits` with ``reduction="none"``

    Raises
    ------
    ShapeError
        The shapes differ.
    ArgumentError
        An unknown reduction.

    Examples
    --------
    >>> binary_cross_entropy_with_logits([1e4, -1e4], [1, 1], reduction="none")
    array([    0., 10000.])
    """
    operation = "binary_cross_entropy_with_logits"
    logits, targets = _pair(operation, "logits", logits, "targets", targets)
    losses = positive_weight * targets * softplus(-logits) + (1 - targets) * softplus(logits)
    return _reduce(operation, losses, reduction)


def mse(predictions: Array, targets: Array, reduction: str = "mean") -> Array:
    """Squared error ``(predictions - targets)**2``.

    Parameters
    ----------
    predictions, targets : arrays or tensors of one shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of the shape of `predictions` with ``reduction="none"``

    Raises
    ------
    ShapeError
        The shapes differ: nothing is broadcast here.
    ArgumentError
        An unknown reduction.

    Examples
    --------
    >>> float(mse(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    predictions, targets = _pair("mse", "predictions", predictions, "targets", targets)
    residuals = predictions - targets
    return _reduce("mse", residuals * residuals, reduction)


def mae(predictions: Array, targets: Array, reduction: str = "mean") -> Array:
    """Absolute error ``|predictions - targets|``; its derivative at 0 is taken as 0.

    Parameters
    ----------
    predictions, targets : arrays or tensors of one shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of the shape of `predictions` with ``reduction="none"``

    Raises
    ------
    ShapeError, ArgumentError
        As `mse`.

    Examples
    --------
    >>> float(mae(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    predictions, targets = _pair("mae", "predictions", predictions, "targets", targets)
    return _reduce("mae", np.abs(predictions - targets), reduction)


def huber(predictions: Array, targets: Array, delta: float = 1.0, reduction: str = "mean") -> Array:
    """Half the squared error within `delta`, straight lines of slope `delta` beyond (Huber 1964).

    Parameters
    ----------
    predictions, targets : arrays or tensors of one shape
    delta : float, positive
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of the shape of `predictions` with ``reduction="none"``

    Raises
    ------
    ShapeError
        The shapes differ.
    ArgumentError
        `delta` is not positive, or an unknown reduction.

    Examples
    --------
    >>> huber(np.array([0.0, 3.0]), np.array([0.5, 0.0]), reduction="none")
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ArgumentError(f"[huber] delta must be positive; got {delta!r}; for the absolute error see mae.")
    predictions, targets = _pair("huber", "predictions", predictions, "targets", targets)
    distance = np.abs(predictions - targets)
    near = np.minimum(distance, delta)
    # near**2 / 2 + delta * (distance - near), in a form that squares nothing large
    return _reduce("huber", near * (distance - 0.5 * near), reduction)


def _negative_log_likelihood(operation, name, normalise, scores, labels, reduction):
    scores, labels = as_array(scores), as_array(labels)
    if scores.ndim and labels.shape == scores.shape[:-1]:
        classes = as_indices(operation, "class numbers", labels, scores.shape[-1])
        return _reduce(operation, -_pick(normalise(scores), classes), reduction)
    if scores.ndim and labels.shape == scores.shape:
        losses = -np.sum(as_float(labels, scores) * normalise(scores), axis=-1)
        return _reduce(operation, losses, reduction)
    raise ShapeError(
        f"[{operation}] for {name} of shape (..., classes), labels must have shape (...) or (..., classes); "
        f"got {name} with {describe(scores)} and labels with {describe(labels)}; reshape the labels."
    )


def _pick(scores, classes):
    """The entry of each example that its class names."""
    if classes.ndim == 1:
        return scores[np.arange(len(classes)), classes]
    rows = scores.reshape(classes.size, scores.shape[-1])
    return rows[np.arange(classes.size), classes.reshape(-1)].reshape(classes.shape)


def _pair(operation, first, a, second, b):
    """Two arrays of one shape, the second in floating point."""
    a = as_array(a)
    if a.dtype.kind not in "fc":
        raise DTypeError(
            f"[{operation}] {first} must be floating point; got {describe(a)}; convert them with .astype(float)."
        )
    b = as_float(b, like=a)
    require_same_shape(operation, first, a, second, b)
    return a, b


def _reduce(operation, losses, reduction):
    if reduction == "mean":
        return np.mean(losses)
    if reduction == "sum":
        return np.sum(losses)
    if reduction == "none":
        return losses
    raise ArgumentError(f'[{operation}] reduction must be "mean", "sum" or "none"; got {reduction!r}.')
