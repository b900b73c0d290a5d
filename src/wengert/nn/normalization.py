"""Normalisation over a batch and over the features of one example."""

from math import prod

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, describe
from wengert.tape import is_training, no_grad

__all__ = ["batch_norm", "group_norm", "layer_norm", "rms_norm"]


def batch_norm(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    axis: int = -1,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Standardise each feature over the batch: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    In train mode, mean and (biased) variance are the batch's, and the running statistics follow them in
    place: ``running = (1 - momentum) * running + momentum * batch``, with the unbiased variance. In predict
    mode they are the running statistics, and nothing is written (Ioffe and Szegedy 2015).

    Parameters
    ----------
    x : array or tensor, floating point, with the features on `axis`
    running_mean, running_var : tensors or arrays of shape (features,)
        Written in train mode.
    weight, bias : arrays or tensors of shape (features,), optional
    axis : int
        Axis of the features; 1 for images of shape (batch, channels, height, width).
    momentum : float
        Share of the new batch in the running statistics.
    eps : float
        Keeps the divisor away from zero.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Raises
    ------
    ShapeError
        Statistics, weight or bias are not of shape (features,).
    ArgumentError
        Train mode with fewer than two values per feature, which have no variance.

    See Also
    --------
    wengert.train_mode, wengert.predict_mode

    Examples
    --------
    >>> import wengert as wg
    >>> mean, var = wg.zeros(1), wg.ones(1)
    >>> with wg.train_mode():
    ...     batch_norm(np.array([[-1.0], [1.0]]), mean, var, eps=0.0)
    array([[-1.],
           [ 1.]])
    >>> float(mean[0]), round(float(var[0]), 3)  # 0.9 * 1 + 0.1 * 2
    (0.0, 1.1)
    """
    x = as_array(x)
    axis = normalize_axis_index(axis, x.ndim)
    vectors = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    _require_shape("batch_norm", vectors, x, (x.shape[axis],))

    others = tuple(i for i in range(x.ndim) if i != axis)
    along = tuple(-1 if i == axis else 1 for i in range(x.ndim))

    if is_training():
        count = prod(x.shape[i] for i in others)
        if count < 2:
            raise ArgumentError(
                f"[batch_norm] in train mode, each feature needs at least two values; got x with {describe(x)} "
                f"and features on axis {axis}; give a larger batch, or use predict_mode."
            )
        mean, centred, var = _moments(x, others)
        _follow(running_mean, mean.reshape(-1), momentum)
        _follow(running_var, var.reshape(-1) * (count / (count - 1)), momentum)
    else:
        centred, var = x - running_mean.reshape(along), running_var.reshape(along)
    # Feature-sized arithmetic first: one product over x instead of a quotient and a product.
    scale = 1 / np.sqrt(var + eps) if weight is None else weight.reshape(along) / np.sqrt(var + eps)
    y = centred * scale
    return y if bias is None else y + bias.reshape(along)


def layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    axis: int | tuple[int, ...] = -1,
    eps: float = 1e-5,
) -> Array:
    """Standardise each example over its features: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    The same in train and predict mode (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    x : array or tensor, floating point
    weight, bias : arrays or tensors that broadcast against `x`, optional
        For features on the last axes: of the shape of those axes.
    axis : int or tuple of int
        Axis or axes over which mean and (biased) variance are taken.
    eps : float
        Keeps the divisor away from zero.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), eps=0.0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    _, centred, var = _moments(as_array(x), axis)
    y = centred / np.sqrt(var + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def rms_norm(x: Array, weight: Array | None = None, *, axis: int | tuple[int, ...] = -1, eps: float = 1e-5) -> Array:
    """Divide by the root of the mean square: ``x / sqrt(mean(x**2) + eps) * weight`` (Zhang and Sennrich 2019).

    Parameters
    ----------
    x : array or tensor, floating point
    weight : array or tensor that broadcasts to `x`, optional
    axis : int or tuple of ints
        The axes that the mean is taken over.
    eps : float
        Keeps the divisor away from zero.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> rms_norm(np.array([3.0, 4.0]), eps=0).round(4)
    array([0.8485, 1.1314])
    """
    x = as_array(x)
    y = x / np.sqrt(np.mean(x * x, axis=axis, keepdims=True) + eps)
    return y if weight is None else y * weight


def group_norm(
    x: Array, groups: int, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> Array:
    """Standardise each example over groups of its channels (Wu and He 2018); over each channel if there are as many.

    Parameters
    ----------
    x : array or tensor of shape (batch, channels, ...), floating point
    groups : int
        A divisor of the number of channels.
    weight, bias : arrays or tensors of shape (channels,), optional
    eps : float
        Keeps the divisor away from zero.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Raises
    ------
    ShapeError
        The channels cannot be split into the groups; weight or bias are not of shape (channels,).

    Examples
    --------
    >>> group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    x = as_array(x)
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:
        raise ShapeError(
            f"[group_norm] a number of channels divisible by the number of groups was required; got x with "
            f"{describe(x)} and {groups} groups."
        )
    _require_shape("group_norm", {"weight": weight, "bias": bias}, x, (x.shape[1],))
    along = (-1,) + (1,) * (x.ndim - 2)
    y = layer_norm(x.reshape(x.shape[0], groups, -1), eps=eps).reshape(x.shape)
    y = y if weight is None else y * weight.reshape(along)
    return y if bias is None else y + bias.reshape(along)


def _moments(x, axis):
    """Mean, x minus it, and biased variance, with the reduced axes kept."""
    mean = np.mean(x, axis=axis, keepdims=True)
    centred = x - mean
    return mean, centred, np.mean(centred * centred, axis=axis, keepdims=True)


def _follow(running, batch, momentum):
    with no_grad():
        running *= 1 - momentum
        running += momentum * batch


def _require_shape(operation, vectors, x, shape):
    for name, vector in vectors.items():
        if vector is not None and vector.shape != shape:
            raise ShapeError(
                f"[{operation}] {name} must have shape {shape} for x with {describe(x)}; "
                f"got {describe(vector)}; make it one number per feature."
            )
