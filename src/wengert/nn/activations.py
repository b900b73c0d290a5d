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
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
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
