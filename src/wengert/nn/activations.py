"""Activation functions: x -> y of the same shape and dtype, plain arrays or tensors.

The stable primitives (`relu`, `sigmoid`, `softplus`, `softmax`, `log_softmax`, `logsumexp`) come with the
engine's rules; the rest is ordinary NumPy on top of them.
"""

import math

import numpy as np
from numpy import tanh

from wengert.nn._inputs import Array, as_array
from wengert.rules.nn import gelu as exact_gelu
from wengert.rules.nn import log_softmax, logsumexp, relu, sigmoid, softmax, softplus

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_swish",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]


def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """``x`` where positive, ``slope * x`` elsewhere (Maas, Hannun and Ng 2013).

    Parameters
    ----------
    x : array or tensor of any shape, floating point
    slope : float
        Slope on the negative side; it is also the derivative at 0.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 3.0]), slope=0.5)
    array([-1.,  3.])
    """
    x = as_array(x)
    return np.where(x > 0, x, slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert, Unterthiner and Hochreiter 2016).

    Parameters
    ----------
    x : array or tensor of any shape, floating point
    alpha : float
        The value approached at minus infinity is ``-alpha``; the derivative at 0 is `alpha`.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> elu(np.array([-1000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """
    x = as_array(x)
    positive = x > 0
    # The exponential sees no positive x: its overflow would reach the gradient as 0 * inf.
    return np.where(positive, x, alpha * np.expm1(np.where(positive, 0.0, x)))


def silu(x: Array) -> Array:
    """``x * sigmoid(x)``, also called swish (Elfwing, Uchibe and Doya 2018).

    Parameters
    ----------
    x : array or tensor of any shape, floating point

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> silu(np.array([0.0, 100.0]))
    array([  0., 100.])
    """
    x = as_array(x)
    return x * sigmoid(x)


def gelu(x: Array, approximate: bool = False) -> Array:
    """``x * Phi(x)``, with Phi the standard normal distribution function (Hendrycks and Gimpel 2016).

    Parameters
    ----------
    x : array or tensor of any shape, floating point
    approximate : bool
        Take ``0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))``, the paper's approximation,
        within 5e-4 of the exact form.

    Returns
    -------
    array or tensor of the shape and dtype of `x`

    Examples
    --------
    >>> gelu(np.array([0.0, 1.0])).round(3)
    array([0.   , 0.841])
    >>> gelu(np.array([0.0, 1.0]), approximate=True).round(3)
    array([0.   , 0.841])
    """
    x = as_array(x)
    if not approximate:
        return exact_gelu(x)
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))


def selu(x: Array) -> Array:
    """`elu` scaled so that mean 0 and variance 1 stay what they are from layer to layer (Klambauer et al. 2017).

    Examples
    --------
    >>> selu(np.array([-1000.0, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """``x`` where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere: slope 1 at 0 for any alpha (Barron 2017).

    Examples
    --------
    >>> celu(np.array([-1000.0, 3.0]), alpha=2.0)
    array([-2.,  3.])
    """
    return alpha * elu(as_array(x) / alpha)


def mish(x: Array) -> Array:
    """``x * tanh(softplus(x))`` (Misra 2019).

    Examples
    --------
    >>> mish(np.array([0.0, 100.0]))
    array([  0., 100.])
    """
    x = as_array(x)
    return x * np.tanh(softplus(x))


def softsign(x: Array) -> Array:
    """``x / (1 + |x|)``.

    Examples
    --------
    >>> softsign(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """
    x = as_array(x)
    return x / (1 + np.abs(x))


def log_sigmoid(x: Array) -> Array:
    """``log(sigmoid(x))``, accurate also where the sigmoid underflows.

    Examples
    --------
    >>> log_sigmoid(np.array([-1000.0, 1000.0]))
    array([-1000.,     0.])
    """
    return 0 - softplus(-as_array(x))


def hard_sigmoid(x: Array) -> Array:
    """A ramp in the place of the sigmoid: ``clip(x + 3, 0, 6) / 6``.

    Examples
    --------
    >>> hard_sigmoid(np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return np.clip(as_array(x) + 3, 0, 6) / 6


def hard_swish(x: Array) -> Array:
    """``x * hard_sigmoid(x)`` (Howard et al. 2019).

    Examples
    --------
    >>> hard_swish(np.array([-4.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])
    """
    x = as_array(x)
    return x * hard_sigmoid(x)


def soft_shrink(x: Array, limit: float = 0.5) -> Array:
    """``x`` brought nearer to 0 by `limit`, and 0 where it is that near: the proximal map of the absolute value.

    Examples
    --------
    >>> soft_shrink(np.array([-2.0, 0.25, 2.0]))
    array([-1.5,  0. ,  1.5])
    """
    x = as_array(x)
    return x - np.clip(x, -limit, limit)


def hard_shrink(x: Array, limit: float = 0.5) -> Array:
    """``x`` where its size is above `limit`, 0 elsewhere.

    Examples
    --------
    >>> hard_shrink(np.array([-2.0, 0.25, 2.0]))
    array([-2.,  0.,  2.])
    """
    x = as_array(x)
    return np.where(np.abs(x) > limit, x, np.zeros((), x.dtype)[()])


def glu(x: Array, axis: int = -1) -> Array:
    """The first half of `x` times the sigmoid of the second (Dauphin et al. 2017).

    Examples
    --------
    >>> glu(np.array([4.0, 0.0]))
    array([2.])
    """
    value, gate = np.split(as_array(x), 2, axis=axis)
    return value * sigmoid(gate)
