"""`torch.nn.init`: initial values, drawn in place and unrecorded."""

import math
from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.tensor import Tensor
from wengert.tape import no_grad

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
_LINEAR = {
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """What an activation function makes of a standard deviation, to be made up for."""
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(param)
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise OptionError(f"[calculate_gain] a known activation was required: Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


def _fans(tensor: Tensor) -> tuple[int, int]:
    """Inputs and outputs of a weight, whose outputs come first; a kernel's window counts with both."""
    if tensor.ndim < 2:
        raise OptionError(
            f"[init] Fan in and fan out can not be computed for tensor with fewer than 2 dimensions; received "
            f"{tensor._spec!r}"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


_calculate_fan_in_and_fan_out = _fans


def _filled(tensor: Tensor, value: Any) -> Tensor:
    with no_grad():
        tensor[...] = value
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform over [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with a mean and a standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Normal, restricted to [a, b]."""
    from scipy.special import ndtr, ndtri

    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    uniform_(tensor, 2 * low - 1, 2 * high - 1, generator)
    drawn = ndtri((np.asarray(bare(tensor)) + 1) / 2) * std + mean
    return _filled(tensor, np.clip(drawn, a, b).astype(tensor._spec.dtype))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return _filled(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return _filled(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return _filled(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix."""
    if tensor.ndim != 2:
        raise OptionError(f"[eye_] Only tensors with 2 dimensions are supported; received {tensor._spec!r}")
    return _filled(tensor, np.eye(*tensor.shape, dtype=tensor._spec.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights that keep the input as it is, as far as there are channels."""
    if tensor.ndim not in (3, 4, 5) or tensor.shape[0] % groups:
        raise OptionError(f"[dirac_] a weight with 3, 4 or 5 dimensions, divisible by groups; got {tensor._spec!r}")
    value, per_group = np.zeros(tensor._spec.shape, tensor._spec.dtype), tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for g in range(groups):
        for d in range(min(per_group, tensor.shape[1])):
            value[(g * per_group + d, d, *middle)] = 1
    return _filled(tensor, value)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with a share of each column set to zero."""
    normal_(tensor, 0, std, generator)
    zeros = math.ceil(sparsity * tensor.shape[0])
    value = np.array(bare(tensor))
    for column in range(tensor.shape[1]):
        order = np.argsort(bare(Tensor._box(np.empty(tensor.shape[0])).uniform_(generator=generator)))
        value[order[:zeros], column] = 0
    return _filled(tensor, value)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform, by Glorot and Bengio (2010); see `wengert.nn.init.xavier_uniform`."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(sum(_fans(tensor))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal, by Glorot and Bengio (2010); see `wengert.nn.init.xavier_normal`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(sum(_fans(tensor)))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise OptionError(f"[init] Mode {mode} not supported, please use one of fan_in, fan_out")
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Uniform, by He et al. (2015); see `wengert.nn.init.kaiming_uniform`."""
    if 0 in tensor.shape:
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Normal, by He et al. (2015); see `wengert.nn.init.kaiming_normal`."""
    if 0 in tensor.shape:
        return tensor
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer; see `wengert.nn.init.orthogonal`."""
    if tensor.ndim < 2:
        raise OptionError(f"[orthogonal_] Only tensors with 2 or more dimensions are supported; got {tensor._spec!r}")
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = np.array(bare(Tensor._box(np.empty((rows, columns), tensor._spec.dtype)).normal_(generator=generator)))
    q, r = np.linalg.qr(drawn if rows >= columns else drawn.T)
    q *= np.sign(np.diagonal(r))
    return _filled(tensor, (gain * (q if rows >= columns else q.T)).reshape(tensor._spec.shape))


xavier_uniform, xavier_normal = xavier_uniform_, xavier_normal_
kaiming_uniform, kaiming_normal = kaiming_uniform_, kaiming_normal_
