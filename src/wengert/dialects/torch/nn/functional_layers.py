"""`nn.functional`: linear maps, dropout, normalisation, convolution, pooling."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.box import array_of, bare
from wengert.dialects.torch.errors import MissingError, OperandError, OptionError
from wengert.dialects.torch.making import entry, named, stored
from wengert.dialects.torch.nn.spoken import put, spoken
from wengert.dialects.torch.tensor import Tensor
from wengert.nn import convolution, distances, maps, normalization, pooling, resampling
from wengert.nn.attention import attention
from wengert.tape import predict_mode, train_mode

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "embedding",
    "feature_dropout",
    "group_norm",
    "instance_norm",
    "interpolate",
    "layer_norm",
    "linear",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "normalize",
    "one_hot",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "rms_norm",
    "scaled_dot_product_attention",
    "upsample",
]


_matmul, _transpose, _add = entry(np.matmul), entry(np.transpose), entry(np.add)

# Linear maps -----------------------------------------------------------------------------------------------------


@spoken("AddmmBackward0")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``: the weight has its outputs first."""
    if not input._spec.ndim or input._spec.shape[-1] != weight._spec.shape[-1]:
        rows = input._spec.size // max(input._spec.shape[-1], 1) if input._spec.ndim else 1
        raise OperandError(
            f"[linear] mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1] if input.ndim else 1} and "
            f"{weight.shape[-1]}x{weight.shape[0]}); received input {input._spec!r} and weight {weight._spec!r}"
        )
    if input._spec.dtype is not weight._spec.dtype:
        raise OperandError(
            f"[linear] operands of one dtype were required: mat1 and mat2 must have the same dtype, but got "
            f"{input.dtype} and {weight.dtype}; convert one with .to"
        )
    y = _matmul(input, _transpose(weight))
    return y if bias is None else _add(bias, y)


@spoken()
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2`` for each output k, plus the bias."""
    y = np.einsum("...i,kij,...j->...k", input1, weight, input2)
    return y if bias is None else y + bias


@spoken("EmbeddingBackward0")
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of a table; see `wengert.nn.embedding`. The row `padding_idx` gets no gradient."""
    if max_norm is not None or scale_grad_by_freq:
        raise MissingError("[embedding] max_norm and scale_grad_by_freq are not supported here; leave them out")
    rows = maps.embedding(input, weight)
    if padding_idx is None:
        return rows
    padded = array_of(input)[..., None] == padding_idx % weight.shape[0]
    return np.where(padded, rows.detach(), rows)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integer vectors with a one at the label; see `wengert.nn.one_hot`."""
    classes = int(bare(tensor).max()) + 1 if num_classes == -1 else num_classes
    return Tensor._box(maps.one_hot(bare(tensor), classes, np.int64))


@spoken()
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """See `wengert.nn.attention`."""
    if enable_gqa:
        raise MissingError("[scaled_dot_product_attention] enable_gqa=False was required; repeat the keys' heads")
    mask = bare(attn_mask) if attn_mask is not None and attn_mask._spec.dtype == np.bool_ else attn_mask
    drop = (lambda weights: dropout(weights, dropout_p)) if dropout_p else None
    return attention(query, key, value, mask, causal=is_causal, scale=scale, dropout=drop)


# Dropout ---------------------------------------------------------------------------------------------------------


def _dropped(input: Tensor, p: float, training: bool, inplace: bool, shape: tuple) -> Tensor:
    if not 0 <= p <= 1:
        raise OptionError(f"[dropout] dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    kept = Tensor._box(np.empty(shape, input._spec.dtype)).bernoulli_(1 - p)
    return put(input, input * (kept / (1 - p) if p < 1 else kept), inplace)


@spoken("MulBackward0")
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Elements set to zero with probability `p`, the others divided by ``1 - p``; in training only."""
    return _dropped(input, p, training, inplace, input._spec.shape)


@spoken("MulBackward0")
def feature_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Channels set to zero with probability `p`, the others divided by ``1 - p``; in training only."""
    return _dropped(input, p, training, inplace, input._spec.shape[:2] + (1,) * (input.ndim - 2))


dropout1d = dropout2d = dropout3d = feature_dropout


# Normalisation ---------------------------------------------------------------------------------------------------


@spoken("NativeBatchNormBackward0")
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """See `wengert.nn.batch_norm`; the channels are on axis 1."""
    if running_mean is None or running_var is None:
        # Statistics that nobody keeps.
        channels, dtype = input._spec.shape[1:2], input._spec.dtype
        running_mean, running_var = np.zeros(channels, dtype), np.ones(channels, dtype)
    if training and input._spec.size == input._spec.shape[1]:
        raise OptionError(
            f"[batch_norm] Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    with train_mode() if training else predict_mode():
        return normalization.batch_norm(
            input, running_mean, running_var, weight, bias, axis=1, momentum=momentum, eps=eps
        )


@spoken("NativeLayerNormBackward0")
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """See `wengert.nn.layer_norm`; over the last axes, whose shape is `normalized_shape`."""
    shape = tuple(normalized_shape)
    if input._spec.shape[-len(shape) :] != shape:
        raise OperandError(
            f"[layer_norm] Given normalized_shape={list(shape)}, expected input with shape [*, "
            f"{', '.join(map(str, shape))}], but got input of size{list(input.shape)}"
        )
    return normalization.layer_norm(input, weight, bias, axis=tuple(range(-len(shape), 0)), eps=eps)


@spoken("NativeGroupNormBackward0")
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """See `wengert.nn.group_norm`."""
    return normalization.group_norm(input, num_groups, weight, bias, eps=eps)


@spoken("ViewBackward0")
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`group_norm` with a group for each channel."""
    if running_mean is not None or not use_input_stats:
        raise MissingError("[instance_norm] running statistics are not supported here; leave them out")
    return normalization.group_norm(input, input.shape[1], weight, bias, eps=eps)


@spoken()
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """See `wengert.nn.rms_norm`; over the last axes."""
    axes = tuple(range(-len(normalized_shape), 0))
    eps = float(np.finfo(input._spec.dtype).eps) if eps is None else eps
    return normalization.rms_norm(input, weight, axis=axes, eps=eps)


@spoken()
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """See `wengert.nn.normalize`."""
    return stored(distances.normalize(input, p, dim, eps), out)


# Convolution and pooling -----------------------------------------------------------------------------------------


def _from_engine(function: Callable, name: str) -> Any:
    """A function of `wengert.nn` that has PyTorch's arguments in PyTorch's order."""
    made = spoken(name)(function)
    made.__module__, made.__doc__ = __name__, f"See `wengert.nn.{function.__name__}`."
    return made


conv1d = _from_engine(convolution.conv1d, "ConvolutionBackward0")
conv2d = _from_engine(convolution.conv2d, "ConvolutionBackward0")
conv3d = _from_engine(convolution.conv3d, "ConvolutionBackward0")
conv_transpose1d = _from_engine(convolution.conv_transpose1d, "ConvolutionBackward0")
conv_transpose2d = _from_engine(convolution.conv_transpose2d, "ConvolutionBackward0")
conv_transpose3d = _from_engine(convolution.conv_transpose3d, "ConvolutionBackward0")


def _max_pool(function: Callable, name: str) -> Any:
    @spoken(name)
    def pool(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        if return_indices:
            raise MissingError(f"[{function.__name__}] return_indices=True is not supported here; leave it out")
        return function(input, kernel_size, stride, padding, dilation, ceil_mode)

    pool.__name__, pool.__doc__ = function.__name__, f"See `wengert.nn.{function.__name__}`."
    return pool


max_pool1d = _max_pool(pooling.max_pool1d, "SqueezeBackward1")
max_pool2d = _max_pool(pooling.max_pool2d, "MaxPool2DWithIndicesBackward0")
max_pool3d = _max_pool(pooling.max_pool3d, "MaxPool3DWithIndicesBackward0")


def _avg_pool(function: Callable, name: str) -> Any:
    @spoken(name)
    def pool(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:
        if divisor_override is not None:
            raise MissingError(f"[{function.__name__}] divisor_override is not supported here; scale the result")
        return function(input, kernel_size, stride, padding, ceil_mode, count_include_pad)

    pool.__name__, pool.__doc__ = function.__name__, f"See `wengert.nn.{function.__name__}`."
    return pool


avg_pool1d = _avg_pool(pooling.avg_pool1d, "SqueezeBackward1")
avg_pool2d = _avg_pool(pooling.avg_pool2d, "AvgPool2DBackward0")
avg_pool3d = _avg_pool(pooling.avg_pool3d, "AvgPool3DBackward0")


def _adaptive(function: Callable, ndim: int, name: str) -> Any:
    @spoken(name)
    def pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
        if return_indices:
            raise MissingError(f"[{function.__name__}] return_indices=True is not supported here; leave it out")
        sizes = (output_size,) * ndim if isinstance(output_size, int) or output_size is None else tuple(output_size)
        return function(input, tuple(n or m for n, m in zip(sizes, input.shape[-ndim:], strict=True)))

    pool.__name__, pool.__doc__ = function.__name__, f"See `wengert.nn.{function.__name__}`."
    return pool


adaptive_avg_pool1d = _adaptive(pooling.adaptive_avg_pool1d, 1, "SqueezeBackward1")
adaptive_avg_pool2d = _adaptive(pooling.adaptive_avg_pool2d, 2, "MeanBackward1")
adaptive_avg_pool3d = _adaptive(pooling.adaptive_avg_pool3d, 3, "MeanBackward1")
adaptive_max_pool1d = _adaptive(pooling.adaptive_max_pool1d, 1, "SqueezeBackward1")
adaptive_max_pool2d = _adaptive(pooling.adaptive_max_pool2d, 2, "AdaptiveMaxPool2DBackward0")
adaptive_max_pool3d = _adaptive(pooling.adaptive_max_pool3d, 3, "AdaptiveMaxPool3DBackward0")

_PADDING = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@spoken("ConstantPadNdBackward0")
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Elements put before and after the last axes, for each of which `pad` has a pair, the last axis's first."""
    if mode not in _PADDING:
        raise OptionError(f"[pad] a mode in {sorted(_PADDING)} was required; received {mode!r}")
    pairs = list(zip(pad[0::2], pad[1::2], strict=True))[::-1]
    kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, input.shape[-len(pairs) :], strict=True))
    widths = [(0, 0)] * (input.ndim - len(pairs)) + [(max(a, 0), max(b, 0)) for a, b in pairs]
    options = {"constant_values": as_number(value)} if mode == "constant" else {}
    return np.pad(input[(..., *kept)], widths, _PADDING[mode], **options)


def as_number(value: Any) -> Any:
    """A padding value as a plain number; `None` is 0."""
    return 0 if value is None else bare(value)


# Resampling ------------------------------------------------------------------------------------------------------

_INTERPOLATIONS = {
    "nearest": ("nearest", None),
    "linear": ("linear", 1),
    "bilinear": ("linear", 2),
    "trilinear": ("linear", 3),
}


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """See `wengert.nn.resize`; all axes behind the channels are resized."""
    if mode not in _INTERPOLATIONS or antialias:
        raise MissingError(f"[interpolate] a mode in {sorted(_INTERPOLATIONS)} was required; received {mode!r}")
    kind, ndim = _INTERPOLATIONS[mode][0], input.ndim - 2
    if _INTERPOLATIONS[mode][1] not in (None, ndim):
        raise MissingError(f"[interpolate] Got {input.ndim}D input, but mode {mode!r} needs another number of axes")
    if (size is None) is (scale_factor is None):
        raise OptionError("[interpolate] only one of size or scale_factor should be defined")
    scales = None
    if size is None:
        scales = (scale_factor,) * ndim if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
        size = tuple(int(n * factor) for n, factor in zip(input.shape[2:], scales, strict=True))
    elif isinstance(size, int):
        size = (size,) * ndim
    scales = None if recompute_scale_factor else scales
    result = _resized(input, tuple(size), kind, bool(align_corners), scales)
    return named(result, f"Upsample{mode.capitalize()}{ndim}DBackward0")


@spoken()
def _resized(input: Tensor, size: tuple, kind: str, align_corners: bool, scales: Any) -> Tensor:
    return resampling.resize(input, size, kind, align_corners, scales)


upsample = interpolate


@spoken("PixelShuffleBackward0")
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """See `wengert.nn.pixel_shuffle`."""
    return resampling.pixel_shuffle(input, upscale_factor)


@spoken("PixelUnshuffleBackward0")
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """See `wengert.nn.pixel_unshuffle`."""
    return resampling.pixel_unshuffle(input, downscale_factor)
