"""Functions of neural networks and of probability, in numerically stable forms. They are wengert's own.

All are elementwise but `logsumexp`, `softmax` and `log_softmax`; all keep float32 in float32.
"""

import math
from typing import Any

import numpy as np

from wengert.primitive import elementwise, primitive
from wengert.protocol import anywhere, highest
from wengert.rules.elementwise import choose, is_complex, only
from wengert.rules.elementwise import sigmoid as _sigmoid
from wengert.rules.reductions import spread

__all__ = ["gelu", "log_softmax", "logsumexp", "normal_cdf", "relu", "sigmoid", "softmax", "softplus"]


def _finite(y: Any) -> Any:
    """`y`, with 0 in the place of infinities, so that differences from it stay defined."""
    return choose(np.isfinite(y), y, np.zeros_like(y))


# Reductions ------------------------------------------------------------------------------------------------------


def _logsumexp(x, axis=None, keepdims=False):
    largest = _finite(np.max(x, axis=axis, keepdims=True))
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return y if keepdims else np.squeeze(y, axis=axis)[()]


def _softmax(x, axis=-1):
    e = np.exp(x - _finite(np.max(x, axis=axis, keepdims=True)))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x, axis=-1):
    x = x - _finite(np.max(x, axis=axis, keepdims=True))
    with np.errstate(divide="ignore"):
        return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def _parts(x, y, like, axis, keepdims):
    """The softmax of x, from its logarithmic sum: large ones are too coarse for it."""
    y = _finite(y)
    part = np.exp(x - spread(y, like, axis, keepdims))
    if not anywhere(np.abs(y) > 64):
        return part
    total = np.sum(part, axis=axis, keepdims=True)
    return part / choose(total == 0, np.ones_like(total), total)


_logsumexp = primitive(
    _logsumexp,
    lambda g, x, y, like, axis, keepdims: spread(g, like, axis, keepdims) * _parts(x, y, like, axis, keepdims),
    tangents=(
        lambda g, x, y, like, axis, keepdims: np.sum(
            g * _parts(x, y, like, axis, keepdims), axis=axis, keepdims=keepdims
        ),
    ),
    batch="axis",
)
# Singular: rows that are masked altogether, by -inf, are NaN.
_softmax = primitive(
    _softmax, lambda g, y, axis: y * (g - np.sum(g * y, axis=axis, keepdims=True)), singular=True, batch="axis"
)
_log_softmax = primitive(
    _log_softmax, lambda g, y, axis: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True), singular=True, batch="axis"
)


def logsumexp(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` along axes, without overflow.

    Examples
    --------
    >>> import wengert as wg
    >>> round(float(wg.logsumexp([1000.0, 1000.0])), 3)
    1000.693
    """
    return _logsumexp(_array(x), axis=axis, keepdims=keepdims)


def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow."""
    return _softmax(_array(x), axis=axis)


def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Any:
    """``log(softmax(x))`` along an axis, accurate also where the softmax underflows."""
    return _log_softmax(_array(x), axis=axis)


def _array(x: Any) -> Any:
    """Lists and integers as float arrays; arrays of floats and wrappers as they are."""
    if highest((x,)) is None:
        x = np.asarray(x)
        x = x if x.dtype.kind in "fc" else x.astype(float)
        return x if x.ndim else x[()]
    return x if x.dtype.kind in "fc" else np.astype(x, float)


# Elementwise -----------------------------------------------------------------------------------------------------


def _softplus(x):
    if is_complex(x):
        raise TypeError("softplus is a function of real numbers")
    # What logaddexp(x, 0) does, in functions that NumPy has vectorised.
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _relu(x):
    return np.maximum(x, 0)


def _normal_cdf(x):
    from scipy.special import ndtr

    return ndtr(x)


_softplus = elementwise(_softplus, lambda x: _sigmoid(x))
_relu = elementwise(_relu, lambda g, x: only(x > 0, g))
_normal_cdf = elementwise(_normal_cdf, lambda x: np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)))


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return _sigmoid(_array(x))


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    return _softplus(_array(x))


def relu(x: Any) -> Any:
    """``max(x, 0)``, whose derivative at 0 is 0."""
    return _relu(_array(x))


def normal_cdf(x: Any) -> Any:
    """Distribution function of the standard normal distribution."""
    return _normal_cdf(_array(x))


def gelu(x: Any) -> Any:
    """``x`` times the normal distribution function of ``x`` (Hendrycks and Gimpel, 2016, arXiv:1606.08415)."""
    x = _array(x)
    return x * _normal_cdf(x)
