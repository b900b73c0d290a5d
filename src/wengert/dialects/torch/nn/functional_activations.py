"""`nn.functional`: activation functions."""

from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.making import entry
from wengert.dialects.torch.nn.spoken import put, spoken
from wengert.dialects.torch.tensor import Tensor
from wengert.nn import activations
from wengert.rules.nn import relu as _relu

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``."""
    return put(input, _relu(input), inplace) if inplace else _relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return relu(input, inplace=True)


@spoken("LeakyReluBackward0")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """See `wengert.nn.leaky_relu`."""
    return put(input, activations.leaky_relu(input, negative_slope), inplace)


@spoken("PreluKernelBackward0")
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`leaky_relu` with a slope, or one for each channel, that is learned."""
    slope = weight if weight.numel() == 1 or input.ndim < 2 else weight.reshape((-1,) + (1,) * (input.ndim - 2))
    return activations.leaky_relu(input, slope)


@spoken("EluBackward0")
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """See `wengert.nn.elu`."""
    return put(input, activations.elu(input, alpha), inplace)


@spoken("EluBackward0")
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """See `wengert.nn.selu`."""
    return put(input, activations.selu(input), inplace)


@spoken("CeluBackward0")
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """See `wengert.nn.celu`."""
    return put(input, activations.celu(input, alpha), inplace)


@spoken("GeluBackward0")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """See `wengert.nn.gelu`."""
    if approximate not in ("none", "tanh"):
        raise OptionError(f"[gelu] approximate argument must be either none or tanh; received {approximate!r}")
    return activations.gelu(input, approximate == "tanh")


@spoken("SiluBackward0")
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """See `wengert.nn.silu`."""
    return put(input, activations.silu(input), inplace)


@spoken("MishBackward0")
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """See `wengert.nn.mish`."""
    return put(input, activations.mish(input), inplace)


@spoken("SoftplusBackward0")
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; stable for every input, so that the threshold is not needed."""
    return activations.softplus(input) if beta == 1 else activations.softplus(input * beta) / beta


@spoken()
def softsign(input: Tensor) -> Tensor:
    """See `wengert.nn.softsign`."""
    return activations.softsign(input)


@spoken()
def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    return input - np.tanh(input)


@spoken("SigmoidBackward0")
def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-input))``."""
    return activations.sigmoid(input)


tanh = entry(np.tanh)


@spoken("LogSigmoidBackward0")
def logsigmoid(input: Tensor) -> Tensor:
    """See `wengert.nn.log_sigmoid`."""
    return activations.log_sigmoid(input)


@spoken("HardtanhBackward0")
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` clipped to ``[min_val, max_val]``."""
    return put(input, np.clip(input, min_val, max_val), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``input`` clipped to ``[0, 6]``."""
    return hardtanh(input, 0.0, 6.0, inplace)


@spoken("HardsigmoidBackward0")
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """See `wengert.nn.hard_sigmoid`."""
    return put(input, activations.hard_sigmoid(input), inplace)


@spoken("HardswishBackward0")
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """See `wengert.nn.hard_swish`."""
    return put(input, activations.hard_swish(input), inplace)


@spoken("HardshrinkBackward0")
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """See `wengert.nn.hard_shrink`."""
    return activations.hard_shrink(input, lambd)


@spoken("SoftshrinkBackward0")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """See `wengert.nn.soft_shrink`."""
    return activations.soft_shrink(input, lambd)


@spoken("ThresholdBackward0")
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input`` where above the threshold, `value` elsewhere."""
    return put(input, np.where(input > threshold, input, value), inplace)


@spoken("GluBackward0")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """See `wengert.nn.glu`."""
    return activations.glu(input, dim)


def _axis(input: Tensor, dim: int | None) -> int:
    """The axis that older programs leave to be guessed."""
    return dim if dim is not None else (0 if input.ndim in (0, 1, 3) else 1)


@spoken("SoftmaxBackward0")
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """See `wengert.nn.softmax`."""
    return activations.softmax(input if dtype is None else input.to(dtype), _axis(input, dim))


@spoken("SoftmaxBackward0")
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """`softmax` of the negative."""
    return activations.softmax(-input if dtype is None else -input.to(dtype), _axis(input, dim))


@spoken("LogSoftmaxBackward0")
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """See `wengert.nn.log_softmax`."""
    return activations.log_softmax(input if dtype is None else input.to(dtype), _axis(input, dim))
