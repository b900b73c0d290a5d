"""Initial values for parameters: plain arrays, drawn from the generator that is passed in.

A weight has shape (fan_in, fan_out): as `wengert.nn.linear` takes it.

>>> import wengert as wg
>>> rng = np.random.default_rng(0)
>>> weight = wg.tensor(xavier_uniform((64, 32), rng), requires_grad=True)
>>> weight.shape
(64, 32)
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from wengert.errors import ShapeError
from wengert.nn._inputs import require_generator

__all__ = [
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "orthogonal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Shape = tuple[int, ...]


def zeros(shape: Shape, rng: np.random.Generator | None = None, dtype: DTypeLike = float) -> np.ndarray:
    """Return zeros; a generator is taken and ignored, so that it can stand in for the other initialisers.

    Examples
    --------
    >>> zeros((2,))
    array([0., 0.])
    """
    return np.zeros(shape, dtype)


def normal(
    shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, mean: float = 0.0, std: float = 1.0
) -> np.ndarray:
    """Draw independently from the normal distribution N(mean, std**2).

    Parameters
    ----------
    shape : tuple of int
    rng : numpy.random.Generator
    dtype : floating-point dtype of the result
    mean, std : float

    Examples
    --------
    >>> normal((2, 3), np.random.default_rng(0), np.float32, std=0.1).dtype
    dtype('float32')
    """
    return require_generator("normal", rng).normal(mean, std, shape).astype(dtype)


def uniform(
    shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, low: float = 0.0, high: float = 1.0
) -> np.ndarray:
    """Draw independently from the uniform distribution over [low, high).

    Parameters
    ----------
    shape : tuple of int
    rng : numpy.random.Generator
    dtype : floating-point dtype of the result
    low, high : float

    Examples
    --------
    >>> bool(np.all(np.abs(uniform((9,), np.random.default_rng(0), low=-0.5, high=0.5)) <= 0.5))
    True
    """
    return require_generator("uniform", rng).uniform(low, high, shape).astype(dtype)


def xavier_uniform(
    shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, gain: float = 1.0
) -> np.ndarray:
    """Draw uniformly from [-a, a) with ``a = gain * sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio 2010).

    Keeps the variance of activations and of gradients about equal across layers of tanh.

    Parameters
    ----------
    shape : (fan_in, fan_out)
    rng : numpy.random.Generator
    dtype : floating-point dtype of the result
    gain : float

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> bool(np.abs(xavier_uniform((5, 1), np.random.default_rng(0))).max() <= 1)
    True
    """
    bound = gain * math.sqrt(6 / max(1, sum(_fans("xavier_uniform", shape))))
    return uniform(shape, rng, dtype, low=-bound, high=bound)


def xavier_normal(shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, gain: float = 1.0) -> np.ndarray:
    """Draw from the normal distribution with ``std = gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio 2010).

    Parameters, errors and use as `xavier_uniform`.

    Examples
    --------
    >>> xavier_normal((5, 3), np.random.default_rng(0)).shape
    (5, 3)
    """
    std = gain * math.sqrt(2 / max(1, sum(_fans("xavier_normal", shape))))
    return normal(shape, rng, dtype, std=std)


def kaiming_uniform(
    shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, gain: float = math.sqrt(2)
) -> np.ndarray:
    """Draw uniformly from [-a, a) with ``a = gain * sqrt(3 / fan_in)`` (He et al. 2015).

    The default gain is that of `relu`, which halves the mean square of its input.

    Parameters
    ----------
    shape : (fan_in, fan_out)
    rng : numpy.random.Generator
    dtype : floating-point dtype of the result
    gain : float

    Raises
    ------
    ShapeError
        Fewer than two axes.

    Examples
    --------
    >>> bool(np.abs(kaiming_uniform((6, 9), np.random.default_rng(0))).max() <= 1)
    True
    """
    bound = gain * math.sqrt(3 / max(1, _fans("kaiming_uniform", shape)[0]))
    return uniform(shape, rng, dtype, low=-bound, high=bound)


def kaiming_normal(
    shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, gain: float = math.sqrt(2)
) -> np.ndarray:
    """Draw from the normal distribution with ``std = gain / sqrt(fan_in)`` (He et al. 2015).

    Parameters, errors and use as `kaiming_uniform`.

    Examples
    --------
    >>> kaiming_normal((5, 3), np.random.default_rng(0)).shape
    (5, 3)
    """
    std = gain / math.sqrt(max(1, _fans("kaiming_normal", shape)[0]))
    return normal(shape, rng, dtype, std=std)


def orthogonal(shape: Shape, rng: np.random.Generator, dtype: DTypeLike = float, *, gain: float = 1.0) -> np.ndarray:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014).

    Parameters
    ----------
    shape : (fan_in, fan_out)
    rng : numpy.random.Generator
    dtype : floating-point dtype of the result
    gain : float

    Raises
    ------
    ShapeError
        Not two axes.

    Examples
    --------
    >>> q = orthogonal((5, 3), np.random.default_rng(0))
    >>> bool(np.allclose(q.T @ q, np.eye(3)))
    True
    """
    if len(shape) != 2:
        raise ShapeError(f"[orthogonal] shape must be (fan_in, fan_out); got {shape}.")
    tall = normal((max(shape), min(shape)), rng)
    q, r = np.linalg.qr(tall)
    # Signs off the diagonal of r make the distribution uniform over orthogonal matrices (Mezzadri 2007).
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return np.ascontiguousarray(gain * (q if shape[0] >= shape[1] else q.T), dtype)


def _fans(operation: str, shape: Shape) -> tuple[int, int]:
    """Count inputs and outputs of a weight; leading axes (a kernel's window) count with both."""
    if len(shape) < 2:
        raise ShapeError(f"[{operation}] shape must be (..., fan_in, fan_out); got {shape}; for a bias see zeros.")
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]
