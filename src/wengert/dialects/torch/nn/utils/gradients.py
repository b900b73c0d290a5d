"""`torch.nn.utils`: limits on gradients, and parameters as one vector."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.box import array_of, bare
from wengert.dialects.torch.errors import TorchError
from wengert.dialects.torch.tensor import Tensor
from wengert.optim import clipping
from wengert.tape import no_grad

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]


def _listed(parameters: Any) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all elements of all tensors."""
    values = [np.ravel(bare(t)) for t in _listed(tensors)]
    total: Any = 0.0
    if values:
        total = np.linalg.norm(np.stack([np.linalg.norm(v, norm_type) for v in values]), norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise TorchError(f"[get_total_norm] The total norm of order {norm_type} is non-finite, so it cannot be clipped")
    return Tensor._box(array_of(total).astype(values[0].dtype if values else np.float32))


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor, so that their common norm is at most `max_norm`; returns it before that."""
    trained = [t for t in _listed(parameters) if t.grad is not None]
    total = get_total_norm([t.grad for t in trained], float(norm_type), error_if_nonfinite)
    with no_grad():
        factor = float(max_norm) / (total + 1e-6)
        for t in trained:
            t.grad *= np.minimum(factor, 1.0)
    return total


clip_grad_norm = clip_grad_norm_


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Clip each element of each gradient to ``[-clip_value, clip_value]``; see `wengert.optim.clip_grad_value`."""
    clipping.clip_grad_value(_listed(parameters), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one vector; recorded."""
    return np.concatenate([np.ravel(t) for t in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the values that follow one another in a vector."""
    start = 0
    for t in parameters:
        t.data = vec[start : start + t.numel()].detach().reshape(t.shape).clone()
        start += t.numel()
