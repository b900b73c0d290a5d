"""Functions of ``npx`` beside those of layers, for arrays of both classes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from wengert import nn
from wengert.box import array_of, bare
from wengert.dialects.mxnet import neural, selecting
from wengert.dialects.mxnet.naming import named
from wengert.dialects.mxnet.selecting import arange_like, hard_sigmoid, one_hot, sequence_mask, smooth_l1, topk
from wengert.errors import ShapeError
from wengert.nn import log_sigmoid, mish, selu, softsign
from wengert.rules import nn as rules

__all__ = [
    "activation", "arange_like", "batch_dot", "broadcast_like", "elu", "erf", "erfinv", "gamma", "gammaln", "gelu",
    "hard_sigmoid", "index_add", "index_update", "log_sigmoid", "masked_log_softmax", "masked_softmax", "mish",
    "nonzero", "one_hot", "pick", "relu", "reshape", "reshape_like", "selu", "sequence_mask", "sigmoid", "silu",
    "smooth_l1", "softplus", "softsign", "stop_gradient", "tanh", "topk",
]  # fmt: skip

# Activations -----------------------------------------------------------------------------------------------------


def relu(data: Any) -> Any:
    """``max(x, 0)``."""
    return data._table[rules._relu](data)


def sigmoid(data: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return data._table[rules._sigmoid](data)


def tanh(data: Any) -> Any:
    """Hyperbolic tangent."""
    return data._table[np.tanh](data)


def softplus(data: Any) -> Any:
    """``log(1 + exp(x))``."""
    return data._table[rules._softplus](data)


def silu(data: Any, beta: float = 1.0) -> Any:
    """``x * sigmoid(beta * x)``, also called swish."""
    return nn.silu(data) if beta == 1 else nn.silu(beta * data) / beta


def elu(data: Any, alpha: float = 1.0) -> Any:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return nn.elu(data, alpha)


def gelu(data: Any, approximation: str = "erf") -> Any:
    """``x`` times the normal distribution function of ``x``, or its approximation by ``"tanh"``."""
    return nn.gelu(data, approximate=approximation != "erf")


def activation(data: Any, act_type: str = "relu") -> Any:
    """The activation of a name."""
    own = {"relu": relu, "sigmoid": sigmoid, "tanh": tanh}.get(act_type)
    return neural.Activation(data, act_type) if own is None else own(data)


def _masked(function: Any, outside: float, data: Any, mask: Any, axis: int) -> Any:
    """The function of what the mask admits, and `outside` elsewhere."""
    entry = data._table[function]
    zero = np.zeros((), data.dtype)[()]
    y = entry(np.where(mask, data, zero - np.inf), axis)
    return np.where(mask, y, zero + outside)


def masked_softmax(data: Any, mask: Any = None, axis: int = -1, temperature: float | None = 1.0) -> Any:
    """Softmax of what the mask admits, zeros elsewhere."""
    if mask is None:
        return neural.softmax(data, axis=axis, temperature=temperature)
    data = data if temperature in (None, 1) else data / temperature
    return _masked(rules._softmax, 0.0, data, array_of(mask).astype(bool), axis)


def masked_log_softmax(data: Any, mask: Any = None, axis: int = -1, temperature: float | None = 1.0) -> Any:
    """Logarithm of `masked_softmax`, minus infinity where the mask admits nothing."""
    if mask is None:
        return neural.log_softmax(data, axis=axis, temperature=temperature)
    data = data if temperature in (None, 1) else data / temperature
    return _masked(rules._log_softmax, -np.inf, data, array_of(mask).astype(bool), axis)


def _special(name: str) -> Callable:
    def call(data: Any) -> Any:
        return data._table[getattr(scipy.special, name)](data)

    return named(call, name, f"See `scipy.special.{name}`.")


erf, erfinv, gamma, gammaln = map(_special, ("erf", "erfinv", "gamma", "gammaln"))

# Choosing --------------------------------------------------------------------------------------------------------


def pick(data: Any, index: Any, axis: int | None = -1, mode: str = "clip", keepdims: bool = False) -> Any:
    """The entry along `axis` that `index` names; what lies outside is clipped, or wrapped around."""
    if axis is None:
        data, axis = data.reshape(-1), 0
    picked = selecting.pick_along(data, index, axis, mode)
    return picked if keepdims else np.squeeze(picked, axis)


def nonzero(data: Any) -> Any:
    """Positions of the elements that are not zero, one in each row."""
    return data._box(np.argwhere(bare(data)))


def index_update(data: Any, indices: Any, val: Any) -> Any:
    """A copy in which the elements at `indices` (axes first) are `val`."""
    changed = data.copy()
    changed[tuple(array_of(indices))] = val
    return changed


def index_add(data: Any, indices: Any, val: Any) -> Any:
    """A copy with `val` added to the elements at `indices` (axes first), as often as they are named."""
    changed = data.copy()
    np.add.at(changed, tuple(array_of(indices)), val)
    return changed


def stop_gradient(data: Any) -> Any:
    """The values without their history."""
    return data.detach()


# Shapes ----------------------------------------------------------------------------------------------------------


def batch_dot(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Products of matrices, one for each entry of the batch."""
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    if a.ndim != b.ndim or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(f"[batch_dot] two batches of one size were required; received {a.shape} and {b.shape}")
    return np.matmul(a, b)


def broadcast_like(lhs: Any, rhs: Any) -> Any:
    """The first array, broadcast to the shape of the second."""
    return np.broadcast_to(lhs, rhs.shape)


def reshape_like(lhs: Any, rhs: Any) -> Any:
    """The first array in the shape of the second."""
    return np.reshape(lhs, rhs.shape)


def reshape(a: Any, newshape: Any, reverse: bool = False, order: str = "C") -> Any:
    """Reshape with codes: -1 infer, -2 copy a length, -3 drop a 1, -4 copy the rest, -5 join two, -6 split in two."""
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if not reverse:
        return a.reshape(decoded(a.shape, newshape), order=order)
    shape = decoded(a.shape[::-1], newshape[::-1])
    return a.reshape(shape[::-1], order=order)


def decoded(shape: tuple[int, ...], codes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that `codes` make of `shape`, in which a -1 may remain."""
    lengths, wanted, made = list(shape), list(codes), []
    while wanted:
        code = wanted.pop(0)
        if code == -4:
            made += lengths
            lengths = []
        elif code == -5:
            made.append(lengths.pop(0) * lengths.pop(0))
        elif code == -6:
            made += _halves(lengths.pop(0), wanted.pop(0), wanted.pop(0))
        else:
            here = lengths.pop(0) if lengths else None
            if code == -3 and here != 1:
                raise ShapeError(f"[reshape] -3 drops an axis of length 1; received length {here}, shape {shape}")
            if code != -3:
                made.append(here if code == -2 else code)
    return tuple(made)


def _halves(whole: int, first: int, second: int) -> list[int]:
    first = whole // second if first == -1 else first
    return [first, whole // first if second == -1 else second]
