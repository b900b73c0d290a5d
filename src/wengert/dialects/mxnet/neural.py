"""MXNet's operators of neural networks, for both array classes: its names and arguments for `wengert.nn`."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import nn, tape
from wengert.box import array_of, bare
from wengert.dialects.mxnet import rng
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.naming import named

# Arguments -------------------------------------------------------------------------------------------------------


def supported(operation: str, **arguments: tuple[Any, Any]) -> None:
    """Insist, for each argument, on the one value that is supported: pairs of what came and what can be."""
    for name, (value, only) in arguments.items():
        if value is not None and value != only:
            raise MXNetError(f"[{operation}] {name}={only!r} was required; received {value!r}, which is not supported")


def choice(operation: str, name: str, value: Any, among: Any) -> Any:
    """Insist on one of several values; of a mapping, what it stands for."""
    if value not in among:
        raise MXNetError(f"[{operation}] {name} among {sorted(among)} was required; received {value!r}")
    return among[value] if isinstance(among, dict) else value


def _layout(operation: str, layout: str | None) -> None:
    if layout not in (None, "None", "NCW", "NCHW", "NCDHW"):
        raise MXNetError(f"[{operation}] layout NCW, NCHW or NCDHW was required; received {layout!r}")


def _plain_mask(condition: Any) -> np.ndarray:
    """A comparison's result as an ordinary mask."""
    return array_of(condition) != 0


# Activations -----------------------------------------------------------------------------------------------------

ACTIVATIONS: dict[str, Callable] = {
    "relu": nn.relu, "sigmoid": nn.sigmoid, "tanh": np.tanh, "softrelu": nn.softplus,
    "softsign": nn.softsign, "log_sigmoid": nn.log_sigmoid, "mish": nn.mish, "gelu": nn.gelu, "silu": nn.silu,
}  # fmt: skip


def Activation(data: Any, act_type: str = "relu") -> Any:
    """An activation function by name."""
    return choice("Activation", "act_type", act_type, ACTIVATIONS)(data)


def LeakyReLU(
    data: Any, gamma: Any = None, act_type: str = "leaky", slope: float = 0.25, lower_bound: float = 0.125,
    upper_bound: float = 0.334,
) -> Any:  # fmt: skip
    """A function that is linear where positive: leaky, prelu, elu, selu, gelu, rrelu."""
    if act_type == "leaky":
        return nn.leaky_relu(data, slope)
    if act_type == "prelu":
        return np.where(_plain_mask(data > 0), data, _on_channels(gamma, data) * data)
    if act_type == "elu":
        return nn.elu(data, slope)
    if act_type == "selu":
        return nn.selu(data)
    if act_type == "gelu":
        return nn.gelu(data)
    choice("LeakyReLU", "act_type", act_type, {"leaky", "prelu", "elu", "selu", "gelu", "rrelu"})
    if not tape.is_training():
        return nn.leaky_relu(data, (lower_bound + upper_bound) / 2)
    slopes = rng.draw("uniform", lower_bound, upper_bound, data.shape).astype(data.dtype)
    return np.where(_plain_mask(data > 0), data, slopes * data)


def _on_channels(vector: Any, data: Any) -> Any:
    """One number for all channels, or one for each, stretched over the other axes."""
    return (
        np.reshape(vector, (-1, *(1,) * (data.ndim - 2))) if vector.size > 1 else np.reshape(vector, (1,) * data.ndim)
    )


def softmax(
    data: Any, length: Any = None, axis: int = -1, temperature: float | None = None, dtype: Any = None,
    use_length: bool = False, log: bool = False,
) -> Any:  # fmt: skip
    """Softmax along an axis; with lengths, of the beginning of each line, and zero beyond."""
    if temperature not in (None, 1):
        data = data / temperature
    function = nn.log_softmax if log else nn.softmax
    if length is not None and use_length:
        inside = _inside(length, data, axis)
        y = np.where(inside, function(np.where(inside, data, -np.inf), axis), 0.0)
    else:
        y = function(data, axis)
    return y if dtype is None else y.astype(dtype)


def _inside(length: Any, data: Any, axis: int) -> np.ndarray:
    """Where the position along an axis is below the line's length."""
    at = np.arange(data.shape[axis]).reshape([-1 if i == axis % data.ndim else 1 for i in range(data.ndim)])
    return at < np.expand_dims(array_of(length), axis)


def log_softmax(data: Any, axis: int = -1, temperature: float | None = None, dtype: Any = None, **lengths: Any) -> Any:
    """The logarithm of `softmax`."""
    return softmax(data, axis=axis, temperature=temperature, dtype=dtype, log=True, **lengths)


def softmin(data: Any, axis: int = -1, temperature: float | None = None, dtype: Any = None) -> Any:
    """Softmax of the negative."""
    return softmax(-data, axis=axis, temperature=temperature, dtype=dtype)


def SoftmaxActivation(data: Any, mode: str = "instance") -> Any:
    """Softmax over all but the batch, or over the channels."""
    if mode == "channel":
        return nn.softmax(data, 1)
    return np.reshape(nn.softmax(np.reshape(data, (data.shape[0], -1)), -1), data.shape)


# Layers ----------------------------------------------------------------------------------------------------------


def FullyConnected(
    data: Any, weight: Any, bias: Any = None, num_hidden: int | None = None, no_bias: bool = False,
    flatten: bool = True,
) -> Any:  # fmt: skip
    """``data @ weight.T + bias``, with all axes but the first joined unless `flatten` is off."""
    if num_hidden is not None and weight.shape[0] != num_hidden:
        raise MXNetError(
            f"[FullyConnected] a weight of shape (num_hidden, inputs) = ({num_hidden}, ...) was required; received "
            f"{weight._spec!r}"
        )
    if flatten and data.ndim != 2:
        data = np.reshape(data, (data.shape[0], math.prod(data.shape[1:])))
    if data.shape[-1] != weight.shape[1]:
        raise MXNetError(
            f"[FullyConnected] data with {weight.shape[1]} inputs was required, for a weight of shape {weight.shape}; "
            f"received shape {data.shape}"
        )
    y = np.matmul(data, weight.T)
    return y if no_bias or bias is None else y + bias


def Embedding(
    data: Any, weight: Any, input_dim: int | None = None, output_dim: int | None = None, dtype: Any = "float32",
    sparse_grad: bool = False,
) -> Any:  # fmt: skip
    """Rows of a table, by numbers (which may be floats); numbers beyond the ends are those of the ends."""
    rows = np.clip(array_of(data).astype(np.int64), 0, weight.shape[0] - 1)
    return weight[rows]


def Dropout(
    data: Any, p: float = 0.5, mode: str = "training", axes: tuple = (), cudnn_off: bool | None = None
) -> Any:  # fmt: skip
    """Elements dropped with probability `p` and the others scaled up, in training (or always)."""
    choice("Dropout", "mode", mode, {"training", "always"})
    if not p or (mode == "training" and not tape.is_training()):
        return np.copy(data)
    with tape.train_mode():
        if not axes:
            return nn.dropout(data, p, rng.recorded())
        shape = tuple(1 if i in axes else n for i, n in enumerate(data.shape))
        return data * nn.dropout(np.ones(shape, data.dtype), p, rng.recorded())


def BatchNorm(
    data: Any, gamma: Any, beta: Any, moving_mean: Any, moving_var: Any, eps: float = 1e-3, momentum: float = 0.9,
    fix_gamma: bool = True, use_global_stats: bool = False, output_mean_var: bool = False, axis: int = 1,
    cudnn_off: bool | None = None,
) -> Any:  # fmt: skip
    """Each channel standardised over the batch, in training, or by the moving statistics, which follow in training.

    ``moving = momentum * moving + (1 - momentum) * batch``, with the biased variance.
    """
    others = tuple(i for i in range(data.ndim) if i != axis % data.ndim)
    if tape.is_training() and not use_global_stats:
        mean, var = np.mean(data, axis=others), np.var(data, axis=others)
        with tape.no_grad():
            for moving, batch in ((moving_mean, mean), (moving_var, var)):
                moving[...] = momentum * moving + (1 - momentum) * batch
    else:
        mean, var = moving_mean, moving_var
    with tape.predict_mode():  # the statistics are given: also those of the batch, which are recorded
        y = nn.batch_norm(data, mean, var, None if fix_gamma else gamma, beta, axis=axis, eps=eps)
    return [y, mean, var] if output_mean_var else y


def LayerNorm(
    data: Any, gamma: Any, beta: Any, axis: int = -1, eps: float = 1e-5, output_mean_var: bool = False
) -> Any:
    """Each example standardised along an axis."""
    supported("LayerNorm", output_mean_var=(output_mean_var, False))
    shape = tuple(n if i == axis % data.ndim else 1 for i, n in enumerate(data.shape))
    return nn.layer_norm(data, np.reshape(gamma, shape), np.reshape(beta, shape), axis=axis, eps=eps)


def InstanceNorm(data: Any, gamma: Any, beta: Any, eps: float = 1e-3) -> Any:
    """Each channel of each example standardised."""
    return nn.group_norm(data, data.shape[1], gamma, beta, eps=eps)


def GroupNorm(data: Any, gamma: Any, beta: Any, num_groups: int = 1, eps: float = 1e-5) -> Any:
    """Each group of channels of each example standardised; gamma and beta are of channels, or of groups."""
    repeats = data.shape[1] // num_groups if gamma.shape[0] == num_groups != data.shape[1] else 1
    gamma, beta = (v if repeats == 1 else np.repeat(v, repeats) for v in (gamma, beta))
    return nn.group_norm(data, num_groups, gamma, beta, eps=eps)


def L2Normalization(data: Any, eps: float = 1e-10, mode: str = "instance") -> Any:
    """Divided by the 2-norm: of the example, of its channels at each place, or of each channel."""
    first = choice("L2Normalization", "mode", mode, {"instance": 1, "channel": 1, "spatial": 2})
    axes = (1,) if mode == "channel" else tuple(range(first, data.ndim))
    return data / np.sqrt(np.sum(np.square(data), axis=axes, keepdims=True) + eps)


# Convolution and pooling -----------------------------------------------------------------------------------------

_CONVOLUTIONS = {1: nn.conv1d, 2: nn.conv2d, 3: nn.conv3d}
_TRANSPOSED = {1: nn.conv_transpose1d, 2: nn.conv_transpose2d, 3: nn.conv_transpose3d}
_MAX = {1: nn.max_pool1d, 2: nn.max_pool2d, 3: nn.max_pool3d}
_MEAN = {1: nn.avg_pool1d, 2: nn.avg_pool2d, 3: nn.avg_pool3d}


def _numbers(value: Any, count: int, default: int) -> tuple[int, ...]:
    """One number for each axis."""
    if value is None or value == ():
        value = default
    return (value,) * count if isinstance(value, int) else tuple(value)


def Convolution(
    data: Any, weight: Any, bias: Any = None, kernel: Any = None, stride: Any = None, dilate: Any = None,
    pad: Any = None, num_filter: int | None = None, num_group: int = 1, no_bias: bool = False,
    layout: str | None = None, **tuning: Any,
) -> Any:  # fmt: skip
    """Convolution along the axes after batch and channels. What tunes the original's speed is accepted."""
    _layout("Convolution", layout)
    _tuning("Convolution", tuning)
    n = data.ndim - 2
    _shape_of("Convolution", weight, num_filter, 0, kernel, n)
    return _CONVOLUTIONS[n](
        data, weight, None if no_bias else bias, _numbers(stride, n, 1), _numbers(pad, n, 0), _numbers(dilate, n, 1),
        num_group,
    )  # fmt: skip


def Deconvolution(
    data: Any, weight: Any, bias: Any = None, kernel: Any = None, stride: Any = None, dilate: Any = None,
    pad: Any = None, adj: Any = None, target_shape: Any = None, num_filter: int | None = None, num_group: int = 1,
    no_bias: bool = True, layout: str | None = None, **tuning: Any,
) -> Any:  # fmt: skip
    """The transpose of `Convolution`."""
    _layout("Deconvolution", layout)
    _tuning("Deconvolution", tuning)
    supported("Deconvolution", target_shape=(target_shape or None, None))
    n = data.ndim - 2
    _shape_of("Deconvolution", weight, None, 0, kernel, n)
    return _TRANSPOSED[n](
        data, weight, None if no_bias else bias, _numbers(stride, n, 1), _numbers(pad, n, 0), _numbers(adj, n, 0),
        num_group, _numbers(dilate, n, 1),
    )  # fmt: skip


def _tuning(operation: str, given: dict) -> None:
    unknown = given.keys() - {"workspace", "cudnn_tune", "cudnn_off"}
    if unknown:
        raise TypeError(f"[{operation}] unexpected keyword arguments {sorted(unknown)}")


def _shape_of(operation: str, weight: Any, features: int | None, axis: int, kernel: Any, n: int) -> None:
    """Insist that a weight has the shape that the other arguments describe."""
    window = tuple(weight.shape[2:]) if kernel is None else _numbers(kernel, n, 1)
    if weight.shape[2:] != window or (features is not None and weight.shape[axis] != features):
        raise MXNetError(
            f"[{operation}] a weight for kernel={window} and num_filter={features} was required; received "
            f"{weight._spec!r}"
        )


def Pooling(
    data: Any, kernel: Any = (), pool_type: str = "max", global_pool: bool = False, stride: Any = None,
    pad: Any = None, pooling_convention: str = "valid", count_include_pad: bool = True, p_value: int = 2,
    layout: str | None = None, cudnn_off: bool | None = None,
) -> Any:  # fmt: skip
    """The maximum, mean, sum or p-norm of windows along the axes after batch and channels."""
    _layout("Pooling", layout)
    choice("Pooling", "pool_type", pool_type, {"max", "avg", "sum", "lp"})
    ceil = choice("Pooling", "pooling_convention", pooling_convention, {"valid": False, "full": True})
    n = data.ndim - 2
    if global_pool:
        kernel, stride, pad = data.shape[2:], None, None
    window = _numbers(kernel, n, 1)
    strides, padding = (window if global_pool else _numbers(stride, n, 1)), _numbers(pad, n, 0)
    if pool_type == "max":
        return _MAX[n](data, window, strides, padding, ceil_mode=ceil)
    if pool_type == "avg":
        return _MEAN[n](data, window, strides, padding, ceil, count_include_pad is not False)
    supported("Pooling", pooling_convention=(pooling_convention, "valid"))
    if pool_type == "sum":
        return _MEAN[n](data, window, strides, padding) * math.prod(window)
    sums = _MEAN[n](np.abs(data) ** p_value, window, strides, padding) * math.prod(window)
    return sums ** (1 / p_value)


def UpSampling(
    *data: Any, scale: int, sample_type: str = "nearest", num_filter: int = 0, num_args: int = 1, **tuning: Any
) -> Any:
    """Each pixel repeated."""
    supported("UpSampling", sample_type=(sample_type, "nearest"), num_args=(len(data), 1))
    return np.repeat(np.repeat(data[0], scale, 2), scale, 3)


# Losses whose gradient is fixed ----------------------------------------------------------------------------------


def _starting_from(x: Any, cotangent: Any) -> Any:
    """A copy of `x` from which a pass goes on with a fixed cotangent, whatever arrived."""
    y: Any = np.copy(x)
    if y._node is not None:
        fixed = np.broadcast_to(np.asarray(cotangent, x.dtype), x.shape).copy()
        tape.hooked(y._node).hooks.append(lambda g, recorded: fixed)
    return y


def make_loss(
    data: Any, grad_scale: float = 1.0, valid_thresh: float = 0.0, normalization: str = "null"
) -> Any:  # fmt: skip
    """The same values, from which a backward pass starts with ones (times `grad_scale`) whatever comes after."""
    choice("MakeLoss", "normalization", normalization, {"null", "batch", "valid"})
    count = {"null": 1, "batch": data.shape[0], "valid": max(1, int(np.sum(array_of(data) > valid_thresh)))}
    return _starting_from(data, grad_scale / count[normalization])


def SoftmaxOutput(
    data: Any, label: Any, grad_scale: float = 1.0, ignore_label: float = -1.0, multi_output: bool = False,
    use_ignore: bool = False, preserve_shape: bool = False, normalization: str = "null", out_grad: bool = False,
    smooth_alpha: float = 0.0,
) -> Any:  # fmt: skip
    """Softmax, with the gradient of the cross entropy with `label` in the place of its own."""
    supported("SoftmaxOutput", out_grad=(out_grad, False), smooth_alpha=(float(smooth_alpha), 0.0))
    choice("SoftmaxOutput", "normalization", normalization, {"null", "batch", "valid"})
    shape = data.shape
    if not multi_output and not preserve_shape and data.ndim > 2:
        data = np.reshape(data, (shape[0], -1))
    axis = 1 if multi_output else data.ndim - 1
    labels = array_of(label).astype(np.int64).reshape([n for i, n in enumerate(data.shape) if i != axis])
    kept = labels != int(ignore_label) if use_ignore else np.ones(labels.shape, bool)
    logs = nn.log_softmax(data, axis)
    at = np.expand_dims(np.clip(labels, 0, data.shape[axis] - 1), axis)
    losses = -np.take_along_axis(logs, at, axis)
    count = {"null": 1, "batch": shape[0], "valid": max(1, int(kept.sum()))}[normalization]
    losses = _starting_from(losses, np.expand_dims(kept, axis) * (grad_scale / count))
    # The losses' own values cancel: what is left is the softmax, and their gradient.
    return np.reshape(data._box(np.exp(bare(logs))) + (losses - losses.detach()), shape)


def _regression_output(name: str, predict: Callable, loss: Callable) -> Callable:
    def call(data: Any, label: Any, grad_scale: float = 1.0) -> Any:
        losses = loss(data, np.reshape(label, data.shape))
        per_example = math.prod(data.shape[1:])
        losses = _starting_from(losses, grad_scale / per_example)
        return data._box(bare(predict(data.detach()))) + (losses - losses.detach())

    return named(call, name, "A prediction, with the gradient of its loss against `label` in the place of its own.")


LinearRegressionOutput = _regression_output(
    "LinearRegressionOutput", lambda x: x, lambda x, t: nn.mse(x, t, reduction="none") / 2
)
MAERegressionOutput = _regression_output(
    "MAERegressionOutput", lambda x: x, functools.partial(nn.mae, reduction="none")
)
LogisticRegressionOutput = _regression_output(
    "LogisticRegressionOutput",
    nn.sigmoid,
    functools.partial(nn.binary_cross_entropy_with_logits, reduction="none"),
)


def softmax_cross_entropy(data: Any, label: Any) -> Any:
    """The cross entropy of labels, summed over the batch."""
    return nn.cross_entropy(data, array_of(label).astype(np.int64), reduction="sum")


FUNCTIONS: dict[str, Callable] = {
    name: globals()[name]
    for name in (
        "Activation", "BatchNorm", "Convolution", "Deconvolution", "Dropout", "Embedding", "FullyConnected",
        "GroupNorm", "InstanceNorm", "L2Normalization", "LayerNorm", "LeakyReLU", "LinearRegressionOutput",
        "LogisticRegressionOutput", "MAERegressionOutput", "Pooling", "SoftmaxActivation", "SoftmaxOutput",
        "UpSampling", "log_softmax", "make_loss", "softmax", "softmax_cross_entropy", "softmin",
    )
} | {"MakeLoss": make_loss, "Softmax": SoftmaxOutput}  # fmt: skip
"""The operators by MXNet's names."""
__all__ = [*FUNCTIONS, "FUNCTIONS", "supported"]
