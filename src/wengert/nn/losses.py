"""Loss functions. Classes lie on the last axis; every other axis counts examples.

Each takes ``reduction``: ``"mean"`` over all losses (the default), ``"sum"``, or ``"none"`` for the losses
themselves. The mean over an empty batch is NaN, as `numpy.mean`'s is; its sum is 0.
"""

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.nn._inputs import Array, as_array, as_float, as_indices, describe, require_same_shape
from wengert.protocol import is_recorded
from wengert.rules.nn import log_softmax, softplus

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber",
    "kl_divergence",
    "mae",
    "mse",
    "nll",
]


def cross_entropy(
    logits: Array,
    labels: Array,
    reduction: str = "mean",
    *,
    class_weight: Array | None = None,
    ignore: int | None = None,
    smoothing: float = 0.0,
) -> Array:
    """Cross entropy between labels and the softmax of logits: ``-sum_c q_c log softmax(logits)_c``.

    Parameters
    ----------
    logits : array or tensor of shape (..., classes), floating point
        Unnormalised log probabilities.
    labels : integers of shape (...), or probabilities of shape (..., classes)
        The number of the right class, or a distribution q over the classes (one-hot vectors are one).
    reduction : {"mean", "sum", "none"}
    class_weight : array of shape (classes,), optional
        Factors on the terms of the sum; for class numbers, the mean is the weighted one.
    ignore : int, optional
        A class number whose examples count nothing, not in the mean either.
    smoothing : float in [0, 1]
        Share of q that is spread evenly over the classes (Szegedy et al. 2016).

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
    options = class_weight, ignore, smoothing
    return _negative_log_likelihood("cross_entropy", "logits", log_softmax, logits, labels, reduction, *options)


def nll(
    log_probabilities: Array,
    labels: Array,
    reduction: str = "mean",
    *,
    class_weight: Array | None = None,
    ignore: int | None = None,
) -> Array:
    """Negative log likelihood of labels: `cross_entropy` for what `log_softmax` has normalised already.

    Parameters
    ----------
    log_probabilities : array or tensor of shape (..., classes), floating point
    labels : integers of shape (...), or probabilities of shape (..., classes)
    reduction : {"mean", "sum", "none"}
    class_weight, ignore
        As `cross_entropy`.

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
    options = class_weight, ignore
    return _negative_log_likelihood(
        "nll", "log_probabilities", as_array, log_probabilities, labels, reduction, *options
    )


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


def binary_cross_entropy(
    probabilities: Array,
    targets: Array,
    reduction: str = "mean",
    positive_weight: Array = 1.0,
    eps: float | None = None,
) -> Array:
    """Cross entropy of yes/no targets: ``-t log p - (1 - t) log(1 - p)``.

    Logarithms below -100 count as -100, so that a certain mistake costs 100 and not infinity. From logits,
    `binary_cross_entropy_with_logits` is the accurate form.

    Parameters
    ----------
    probabilities : array or tensor of any shape, in [0, 1]
    targets : array or tensor of the same shape, in [0, 1]
    reduction : {"mean", "sum", "none"}
    positive_weight : float, or array that broadcasts against `probabilities`
        Factor on the first term.
    eps : float, optional
        Added to what logarithms are taken of, in the place of the limit at -100.

    Returns
    -------
    array or tensor, a scalar; of the shape of `probabilities` with ``reduction="none"``

    Raises
    ------
    ShapeError
        The shapes differ.
    ArgumentError
        Numbers that are no probabilities, or an unknown reduction.

    Examples
    --------
    >>> binary_cross_entropy([0.5, 0.0], [1, 1], reduction="none").round(4)
    array([  0.6931, 100.    ])
    """
    operation = "binary_cross_entropy"
    p, t = _pair(operation, "probabilities", probabilities, "targets", targets)
    if not np.all((bare(p) >= 0) & (bare(p) <= 1)):
        raise ArgumentError(f"[{operation}] all elements of input should be between 0 and 1; got {describe(p)}.")
    if eps is not None:
        yes, no = np.log(p + eps), np.log(1 - p + eps)
    else:
        with np.errstate(divide="ignore"):
            yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return _reduce(operation, -(positive_weight * t * yes + (1 - t) * no), reduction)


def kl_divergence(log_probabilities: Array, targets: Array, reduction: str = "mean") -> Array:
    """Divergence of predictions from target probabilities, ``t * (log t - log_p)``; 0 where t is 0.

    Parameters
    ----------
    log_probabilities : array or tensor of any shape
    targets : array or tensor of the same shape, not negative
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    array or tensor, a scalar; of the shape of `targets` with ``reduction="none"``

    Raises
    ------
    ShapeError, ArgumentError
        As `mse`.

    Examples
    --------
    >>> round(float(kl_divergence(np.log([0.5, 0.5]), [1.0, 0.0], reduction="sum")), 4)
    0.6931
    """
    log_p, t = _pair("kl_divergence", "log_probabilities", log_probabilities, "targets", targets)
    positive = bare(t) > 0
    terms = t * (np.log(np.where(positive, t, 1)) - log_p)
    return _reduce("kl_divergence", np.where(positive, terms, np.zeros((), t.dtype)[()]), reduction)


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


def _negative_log_likelihood(
    operation, name, normalise, scores, labels, reduction, class_weight=None, ignore=None, smoothing=0.0
):
    scores, labels = as_array(scores), as_array(labels)
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"[{operation}] smoothing must lie in [0, 1]; got {smoothing!r}.")
    if class_weight is not None and (not scores.ndim or np.shape(class_weight) != scores.shape[-1:]):
        raise ShapeError(
            f"[{operation}] class_weight must have one number per class for {name} with {describe(scores)}; got shape "
            f"{np.shape(class_weight)}."
        )
    if scores.ndim and labels.shape == scores.shape[:-1]:
        return _of_classes(operation, normalise(scores), labels, reduction, class_weight, ignore, smoothing)
    if scores.ndim and labels.shape == scores.shape:
        q = as_float(labels, scores)
        q = q * (1 - smoothing) + smoothing / scores.shape[-1] if smoothing else q
        terms = q * normalise(scores)
        return _reduce(operation, -np.sum(terms if class_weight is None else terms * class_weight, axis=-1), reduction)
    raise ShapeError(
        f"[{operation}] for {name} of shape (..., classes), labels must have shape (...) or (..., classes); "
        f"got {name} with {describe(scores)} and labels with {describe(labels)}; reshape the labels."
    )


def _numbers(labels):
    """The labels without a tensor around them."""
    labels = bare(labels)
    return labels if is_recorded(labels) else np.asarray(labels)


def _of_classes(operation, scores, labels, reduction, class_weight, ignore, smoothing):
    """The losses of class numbers, with what the options make of them."""
    kept = None if ignore is None else _numbers(labels) != ignore
    # A class that is ignored comes and goes from batch to batch, by which a program should not have to decide.
    is_class = ignore is not None and 0 <= ignore < scores.shape[-1]
    if kept is not None and ((is_class and is_recorded(kept)) or not kept.all()):
        labels = np.where(kept, bare(labels), 0)
    else:
        kept = None
    classes = bare(as_indices(operation, "class numbers", labels, scores.shape[-1]))
    weights = None if class_weight is None else class_weight[classes]
    losses = -_pick(scores, classes)
    losses = losses if weights is None else losses * weights
    if smoothing:
        everything = scores if class_weight is None else scores * class_weight
        losses = (1 - smoothing) * losses - smoothing / scores.shape[-1] * np.sum(everything, axis=-1)
    if kept is not None:
        losses = np.where(kept, losses, np.zeros((), scores.dtype)[()])
        weights = kept if weights is None else weights * kept
    if reduction == "mean" and weights is not None:
        return np.sum(losses) / np.sum(weights, dtype=scores.real.dtype)
    return _reduce(operation, losses, reduction)


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
