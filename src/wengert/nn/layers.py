"""Layers: modules that hold the parameters of the functions of `wengert.nn`.

Initial values and masks are drawn from ``rng``: a `numpy.random.Generator`, a seed, or None for a fresh one.
Pass one generator through a whole model to make it repeatable.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from wengert.creation import tensor
from wengert.nn import init
from wengert.nn._inputs import Array, require_probability
from wengert.nn.maps import embedding, linear
from wengert.nn.module import Module
from wengert.nn.normalization import batch_norm, layer_norm
from wengert.nn.regularization import dropout

__all__ = ["BatchNorm", "Dropout", "Embedding", "LayerNorm", "Linear", "Sequential"]

Rng = np.random.Generator | int | None
Initializer = Callable[[tuple[int, ...], np.random.Generator, DTypeLike], np.ndarray]


class Linear(Module):
    """``x @ weight + bias``: (..., features_in) -> (..., features_out).

    Parameters
    ----------
    features_in, features_out : int
    bias : bool
        Whether to add one; it starts at zero.
    rng : Generator, seed or None
    initializer : function (shape, rng, dtype) -> array
        Draws the weight; see `wengert.nn.init`.
    dtype : floating-point dtype of the parameters

    Attributes
    ----------
    weight : tensor of shape (features_in, features_out)
    bias : tensor of shape (features_out,), or None

    Examples
    --------
    >>> Linear(64, 10, rng=0)(np.zeros((128, 64))).shape
    (128, 10)
    """

    def __init__(
        self,
        features_in: int,
        features_out: int,
        bias: bool = True,
        *,
        rng: Rng = None,
        initializer: Initializer = init.xavier_uniform,
        dtype: DTypeLike = float,
    ) -> None:
        weight = initializer((features_in, features_out), np.random.default_rng(rng), dtype)
        self.weight = _parameter(weight)
        self.bias = _parameter(np.zeros(features_out, dtype)) if bias else None

    def forward(self, x: Array) -> Array:
        """Map the last axis of `x`."""
        return linear(x, self.weight, self.bias)


class Embedding(Module):
    """A table of vectors looked up by number: indices of shape (...) -> (..., features).

    Parameters
    ----------
    rows, features : int
    rng : Generator, seed or None
    initializer : function (shape, rng, dtype) -> array
    dtype : floating-point dtype of the table

    Attributes
    ----------
    table : tensor of shape (rows, features)

    Examples
    --------
    >>> Embedding(1000, 16, rng=0)([[1, 2, 3]]).shape
    (1, 3, 16)
    """

    def __init__(
        self,
        rows: int,
        features: int,
        *,
        rng: Rng = None,
        initializer: Initializer = init.normal,
        dtype: DTypeLike = float,
    ) -> None:
        self.table = _parameter(initializer((rows, features), np.random.default_rng(rng), dtype))

    def forward(self, indices: Array) -> Array:
        """Look up rows."""
        return embedding(indices, self.table)


class Dropout(Module):
    """`dropout` with a generator of its own: any shape -> the same shape.

    Parameters
    ----------
    p : float in [0, 1]
        Probability of dropping an element.
    rng : Generator, seed or None

    Examples
    --------
    >>> import wengert as wg
    >>> with wg.predict_mode():
    ...     Dropout(0.5)(np.ones(2))
    array([1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        require_probability("Dropout", "p", p)
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Array) -> Array:
        """Drop at random, in train mode."""
        return dropout(x, self.p, self.rng)


class BatchNorm(Module):
    """`batch_norm` with its parameters and running statistics: any shape -> the same shape.

    Parameters
    ----------
    features : int
    axis : int
        Axis of the features; 1 for images of shape (batch, channels, height, width).
    momentum, eps : float
    affine : bool
        Whether weight and bias are learnt; without, the result has mean 0 and variance 1.
    dtype : floating-point dtype of parameters and statistics

    Attributes
    ----------
    weight, bias : tensors of shape (features,), or None
    running_mean, running_var : tensors of shape (features,), not trained

    Examples
    --------
    >>> import wengert as wg
    >>> norm = BatchNorm(4)
    >>> with wg.train_mode():
    ...     norm(np.random.default_rng(0).normal(size=(32, 4))).shape
    (32, 4)
    """

    def __init__(
        self,
        features: int,
        *,
        axis: int = -1,
        momentum: float = 0.1,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = float,
    ) -> None:
        self.axis, self.momentum, self.eps = axis, momentum, eps
        self.weight = _parameter(np.ones(features, dtype)) if affine else None
        self.bias = _parameter(np.zeros(features, dtype)) if affine else None
        self.running_mean = tensor(np.zeros(features, dtype))
        self.running_var = tensor(np.ones(features, dtype))

    def forward(self, x: Array) -> Array:
        """Standardise over the batch."""
        return batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            axis=self.axis,
            momentum=self.momentum,
            eps=self.eps,
        )


class LayerNorm(Module):
    """`layer_norm` over the last axes, with its parameters: any shape -> the same shape.

    Parameters
    ----------
    shape : int or tuple of int
        Sizes of the last axes, over which each example is standardised.
    eps : float
    affine : bool
        Whether weight and bias are learnt.
    dtype : floating-point dtype of the parameters

    Attributes
    ----------
    weight, bias : tensors of shape `shape`, or None

    Examples
    --------
    >>> LayerNorm(4)(np.random.default_rng(0).normal(size=(2, 3, 4))).shape
    (2, 3, 4)
    """

    def __init__(
        self, shape: int | tuple[int, ...], *, eps: float = 1e-5, affine: bool = True, dtype: DTypeLike = float
    ) -> None:
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps = eps
        self.weight = _parameter(np.ones(self.shape, dtype)) if affine else None
        self.bias = _parameter(np.zeros(self.shape, dtype)) if affine else None

    def forward(self, x: Array) -> Array:
        """Standardise over the features."""
        last = tuple(range(-len(self.shape), 0))
        return layer_norm(x, self.weight, self.bias, axis=last, eps=self.eps)


class Sequential(Module):
    """Layers one after another. A layer is a module or any function of one array, such as `relu`.

    Examples
    --------
    >>> from wengert import nn
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Linear(64, 32, rng=rng), nn.relu, Linear(32, 10, rng=rng))
    >>> model(np.zeros((128, 64))).shape
    (128, 10)
    >>> model
    Sequential
      layers.0: Linear  weight (64, 32) float64, bias (32,) float64
      layers.1: relu
      layers.2: Linear  weight (32, 10) float64, bias (10,) float64
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        self.layers = list(layers)

    def forward(self, x: Array) -> Array:
        """Pass `x` through all layers."""
        for layer in self.layers:
            x = layer(x)
        return x


def _parameter(value: np.ndarray):
    return tensor(value, requires_grad=True)
