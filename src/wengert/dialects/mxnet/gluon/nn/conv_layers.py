"""Convolution and pooling layers, of one to three axes."""

from typing import Any

import numpy as np

from wengert.dialects.mxnet import neural
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.gluon.block import HybridBlock
from wengert.dialects.mxnet.gluon.nn.activations import Activation

__all__ = [
    "AvgPool1D", "AvgPool2D", "AvgPool3D", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
    "Conv3DTranspose", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D",
    "GlobalMaxPool3D", "MaxPool1D", "MaxPool2D", "MaxPool3D", "ReflectionPad2D",
]  # fmt: skip

_LAYOUTS = ("NCW", "NCHW", "NCDHW")


def _each(value: Any, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else tuple(value)


def _require_layout(layer: str, layout: str | None, n: int) -> None:
    if layout not in (None, _LAYOUTS[n - 1]):
        raise MXNetError(f"[{layer}] layout={_LAYOUTS[n - 1]!r} was required; received {layout!r}; transpose the data")


class _Conv(HybridBlock):
    """What convolutions of all kinds share; a subclass says how many axes its window has, and where it goes."""

    _axes = 0
    _transposed = False

    def __init__(
        self,
        channels: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        layout: str | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_channels: int = 0,
        output_padding: Any = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        n = self._axes
        _require_layout(type(self).__name__, layout, n)
        self._channels, self._in_channels, self._groups = channels, in_channels, groups
        self._kernel, self._strides, self._padding = _each(kernel_size, n), _each(strides, n), _each(padding, n)
        self._dilation, self._output_padding = _each(dilation, n), _each(output_padding, n)
        self.weight = self.params.get(
            "weight", shape=self._weight_shape(in_channels), init=weight_initializer, allow_deferred_init=True
        )
        self.bias = None
        if use_bias:
            self.bias = self.params.get("bias", shape=(channels,), init=bias_initializer, allow_deferred_init=True)
        with self.name_scope():
            self.act = None if activation is None else Activation(activation, prefix=activation + "_")

    def _alias(self) -> str:
        return "conv"

    def _weight_shape(self, inputs: int) -> tuple[int, ...]:
        if self._transposed:
            return (inputs, self._channels // self._groups, *self._kernel)
        return (self._channels, inputs // self._groups, *self._kernel)

    def infer_shape(self, x: Any, *args: Any) -> None:
        """Channels are what the data has."""
        self.weight.shape = self._weight_shape(x.shape[1])

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        """Convolve `x`."""
        numbers: dict[str, Any] = {
            "stride": self._strides,
            "pad": self._padding,
            "dilate": self._dilation,
            "num_group": self._groups,
        }
        if self._transposed:
            y = neural.Deconvolution(x, weight, bias, adj=self._output_padding, no_bias=bias is None, **numbers)
        else:
            y = neural.Convolution(x, weight, bias, **numbers)
        return y if self.act is None else self.act(y)

    def __repr__(self) -> str:
        n, shape = self._axes, self.weight.shape or ()
        inputs = shape[0] if self._transposed else shape[1]
        parts = [f"{inputs or None} -> {self._channels}", f"kernel_size={self._kernel}", f"stride={self._strides}"]
        for name, value, default in (
            ("padding", self._padding, 0),
            ("dilation", self._dilation, 1),
            ("output_padding", self._output_padding, 0),
        ):
            if value != (default,) * n:
                parts.append(f"{name}={value}")
        parts += [f"groups={self._groups}"] if self._groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [repr(self.act)] if self.act is not None else []
        return f"{type(self).__name__}({', '.join(parts)})"


class _ConvTranspose(_Conv):
    """Convolutions the other way round: `output_padding` comes after `padding`."""

    _transposed = True

    def __init__(
        self,
        channels: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            channels, kernel_size, strides, padding, dilation, groups, output_padding=output_padding, **kwargs
        )


class _Pool(HybridBlock):
    """What pooling layers of all kinds share."""

    _axes = 0
    _kind = ""
    _global = False

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: Any = 0,
        layout: str | None = None,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        n = self._axes
        _require_layout(type(self).__name__, layout, n)
        self._size, self._padding, self._ceil = _each(pool_size, n), _each(padding, n), ceil_mode
        self._strides = self._size if strides is None else _each(strides, n)
        self._count_include_pad = count_include_pad

    def _alias(self) -> str:
        return "pool"

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Pool `x`."""
        convention = "full" if self._ceil else "valid"
        return neural.Pooling(
            x, self._size, self._kind, self._global, self._strides, self._padding, convention, self._count_include_pad
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self._size}, stride={self._strides}, padding={self._padding}, "
            f"ceil_mode={self._ceil}, global_pool={self._global}, pool_type={self._kind}, "
            f"layout={_LAYOUTS[self._axes - 1]})"
        )


class _GlobalPool(_Pool):
    """Pooling over the whole of each channel."""

    _global = True

    def __init__(self, layout: str | None = None, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(1, layout=layout, ceil_mode=True, prefix=prefix, params=params)


class Conv1D(_Conv):
    """Convolution of (batch, channels, width)."""

    _axes = 1


class Conv2D(_Conv):
    """Convolution of (batch, channels, height, width)."""

    _axes = 2


class Conv3D(_Conv):
    """Convolution of (batch, channels, depth, height, width)."""

    _axes = 3


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution of (batch, channels, width)."""

    _axes = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of (batch, channels, height, width)."""

    _axes = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of (batch, channels, depth, height, width)."""

    _axes = 3


class MaxPool1D(_Pool):
    """The greatest of each window of (batch, channels, width)."""

    _axes, _kind = 1, "max"


class MaxPool2D(_Pool):
    """The greatest of each window of (batch, channels, height, width)."""

    _axes, _kind = 2, "max"


class MaxPool3D(_Pool):
    """The greatest of each window of (batch, channels, depth, height, width)."""

    _axes, _kind = 3, "max"


class AvgPool1D(_Pool):
    """The mean of each window of (batch, channels, width)."""

    _axes, _kind = 1, "avg"


class AvgPool2D(_Pool):
    """The mean of each window of (batch, channels, height, width)."""

    _axes, _kind = 2, "avg"


class AvgPool3D(_Pool):
    """The mean of each window of (batch, channels, depth, height, width)."""

    _axes, _kind = 3, "avg"


class GlobalMaxPool1D(_GlobalPool):
    """The greatest of each channel."""

    _axes, _kind = 1, "max"


class GlobalMaxPool2D(_GlobalPool):
    """The greatest of each channel."""

    _axes, _kind = 2, "max"


class GlobalMaxPool3D(_GlobalPool):
    """The greatest of each channel."""

    _axes, _kind = 3, "max"


class GlobalAvgPool1D(_GlobalPool):
    """The mean of each channel."""

    _axes, _kind = 1, "avg"


class GlobalAvgPool2D(_GlobalPool):
    """The mean of each channel."""

    _axes, _kind = 2, "avg"


class GlobalAvgPool3D(_GlobalPool):
    """The mean of each channel."""

    _axes, _kind = 3, "avg"


class ReflectionPad2D(HybridBlock):
    """Margins of images filled with their reflection."""

    def __init__(self, padding: Any = 0, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        margins = (0, 0, 0, 0) + (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        self._margins = tuple(zip(margins[::2], margins[1::2], strict=True))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Pad `x`."""
        return x._table[np.pad](x, self._margins, mode="reflect")
