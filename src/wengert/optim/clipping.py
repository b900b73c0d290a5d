"""Limits on gradients, between ``backward()`` and ``step()``. Parameters without a gradient are skipped."""

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.errors import ArgumentError
from wengert.protocol import of_number
from wengert.tape import no_grad
from wengert.tensor import Tensor

__all__ = ["clip_grad_norm", "clip_grad_value", "joint_norm"]


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients by one factor, so that their common norm is at most `max_norm`.

    The norm is Euclidean, over all elements of all gradients (Pascanu, Mikolov and Bengio 2013).

    Parameters
    ----------
    parameters : iterable of tensors
    max_norm : float, positive

    Returns
    -------
    float, the norm before clipping
        Not finite if a gradient is not, or overflows; the gradients are then left alone, for the caller to
        look at.

    Raises
    ------
    ArgumentError
        `max_norm` is not positive.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([3.0, 4.0], requires_grad=True)
    >>> np.sum(x * x).backward()
    >>> clip_grad_norm([x], 1.0)
    10.0
    >>> x.grad.data.round(4)
    array([0.6, 0.8])
    """
    _require_positive("clip_grad_norm", "max_norm", max_norm)
    gradients = _gradients(parameters)
    norm = joint_norm([grad for _, grad in gradients])
    # The summand is PyTorch's guard: rounding must not leave a norm above the limit.
    factor = max_norm / (norm + 1e-6)
    if factor < 1 and norm < float("inf"):
        with no_grad():
            for parameter, grad in gradients:
                parameter.grad = grad * factor
    return norm


def joint_norm(arrays: Iterable[Tensor]) -> float:
    """The Euclidean norm of all elements of all arrays, in double precision."""
    squares = [np.sum(np.square(bare(a), dtype=float)).item() for a in arrays]
    return of_number(sqrt, np.sqrt, sum(squares, 0.0))


def clip_grad_value(parameters: Iterable[Tensor], limit: float) -> None:
    """Clip each element of each gradient to [-limit, limit].

    Parameters
    ----------
    parameters : iterable of tensors
    limit : float, positive

    Raises
    ------
    ArgumentError
        `limit` is not positive.

    Examples
    --------
    >>> import wengert as wg
    >>> x = wg.tensor([3.0, 0.25], requires_grad=True)
    >>> np.sum(x * x).backward()
    >>> clip_grad_value([x], 1.0)
    >>> x.grad.data
    array([1. , 0.5])
    """
    _require_positive("clip_grad_value", "limit", limit)
    with no_grad():
        for parameter, grad in _gradients(parameters):
            parameter.grad = np.clip(grad, -limit, limit)


def _gradients(parameters: Iterable[Tensor]) -> list[tuple[Tensor, Any]]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]


def _require_positive(operation: str, name: str, value: float) -> None:
    if not value > 0:
        raise ArgumentError(f"[{operation}] {name} must be positive; got {value!r}.")
