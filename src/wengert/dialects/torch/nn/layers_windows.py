"""Convolution and pooling as modules."""

import math
from typing import Any

from wengert.dialects.torch import creation
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.layers_linear import Lazy
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter, UninitializedParameter, settle_shape
from wengert.dialects.torch.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


def _per_axis(value: Any, ndim: int) -> tuple:
    return (value,) * ndim if isinstance(value, int) else tuple(value)


class _Windowed(Module):
    """What convolutions share: their settings, their parameters and how they are shown."""

    ndim: int
    function: Any
    transposed = False

    def _set(self, settings: dict[str, Any]) -> None:
        n, padding = self.ndim, settings["padding"]
        if settings["padding_mode"] != "zeros" and (self.transposed or isinstance(padding, str)):
            raise MissingError(f"[{type(self).__name__}] padding_mode='zeros' was required; use nn.functional.pad")
        if settings["in_channels"] % settings["groups"] or settings["out_channels"] % settings["groups"]:
            raise OptionError(f"[{type(self).__name__}] in_channels and out_channels must be divisible by groups")
        settings["padding"] = padding if isinstance(padding, str) else _per_axis(padding, n)
        for name in ("kernel_size", "stride", "dilation", "output_padding"):
            settings[name] = _per_axis(settings[name], n)
        for name, value in settings.items():
            setattr(self, name, value)

    def _weight_shape(self) -> tuple:
        first, second = self.out_channels, self.in_channels
        first, second = (second, first) if self.transposed else (first, second)
        return (first, second // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draw initial values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The settings."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        absent = {"padding": (0,) * self.ndim, "dilation": (1,) * self.ndim, "output_padding": (0,) * self.ndim}
        for name, default in (absent | {"groups": 1}).items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        text += ", bias=False" if self.bias is None else ""
        return text + ("" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}")


class _Conv(_Windowed):
    """A convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set({"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size,
                   "stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": 0,
                   "padding_mode": padding_mode})  # fmt: skip
        self._make(bias, dtype)

    def _make(self, bias: bool, dtype: Any) -> None:
        self.weight = Parameter(creation.empty(*self._weight_shape(), dtype=dtype))
        self.register_parameter("bias", Parameter(creation.empty(self.out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """Convolve."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, [p for p in reversed(padding) for _ in range(2)], self.padding_mode), 0
        return self.function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """A convolution of sequences; see `wengert.nn.conv1d`."""

    ndim, function = 1, staticmethod(F.conv1d)


class Conv2d(_Conv):
    """A convolution of images; see `wengert.nn.conv2d`."""

    ndim, function = 2, staticmethod(F.conv2d)


class Conv3d(_Conv):
    """A convolution of volumes; see `wengert.nn.conv3d`."""

    ndim, function = 3, staticmethod(F.conv3d)


class _LazyConv(Lazy, _Conv):
    """A convolution whose input channels are counted when the first input comes."""

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(0, out_channels, kernel_size, *args, **kwargs)

    def _make(self, bias: bool, dtype: Any) -> None:
        self.weight = UninitializedParameter(dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Draw initial values, if there are shapes."""
        if not self.has_uninitialized_params():
            super().reset_parameters()

    def _settle(self, input: Tensor) -> None:
        self.in_channels = input.shape[-self.ndim - 1]
        settle_shape(self.weight, self._weight_shape())
        if self.bias is not None:
            settle_shape(self.bias, (self.out_channels,))


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` whose input channels are counted when the first input comes."""

    settled_class = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` whose input channels are counted when the first input comes."""

    settled_class = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` whose input channels are counted when the first input comes."""

    settled_class = Conv3d


class _ConvTranspose(_Windowed):
    """The transpose of a convolution."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set({"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size,
                   "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
                   "output_padding": output_padding, "padding_mode": padding_mode})  # fmt: skip
        self.weight = Parameter(creation.empty(*self._weight_shape(), dtype=dtype))
        self.register_parameter("bias", Parameter(creation.empty(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Convolve backwards."""
        if output_size is not None:
            raise MissingError("[ConvTranspose] output_size is not supported here; use output_padding")
        return self.function(
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`; see `wengert.nn.conv_transpose1d`."""

    ndim, function = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`; see `wengert.nn.conv_transpose2d`."""

    ndim, function = 2, staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`; see `wengert.nn.conv_transpose3d`."""

    ndim, function = 3, staticmethod(F.conv_transpose3d)


# Pooling ---------------------------------------------------------------------------------------------------------


class _MaxPool(Module):
    """Maxima of windows."""

    function: Any

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """Take maxima."""
        return self.function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        """The settings."""
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class _AvgPool(Module):
    """Means of windows."""

    function: Any

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """Take means."""
        return self.function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """Means of windows of sequences; see `wengert.nn.avg_pool1d`."""

    function = staticmethod(F.avg_pool1d)

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, *args: Any, **kwargs: Any) -> None:
        stride = kernel_size if stride is None else stride
        super().__init__(_per_axis(kernel_size, 1), _per_axis(stride, 1), _per_axis(padding, 1), *args, **kwargs)


class _Adaptive(Module):
    """As many windows as asked for."""

    function: Any

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """Put each window together."""
        return self.function(input, self.output_size)

    def extra_repr(self) -> str:
        """The settings."""
        return f"output_size={self.output_size}"


class _Pad(Module):
    """Elements put around the last axes."""

    ndim, mode = 2, "constant"

    def __init__(self, padding: Any, value: float = 0.0) -> None:
        super().__init__()
        self.padding, self.value = _per_axis(padding, 2 * self.ndim), value

    def forward(self, input: Tensor) -> Tensor:
        """Pad."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """The settings."""
        return f"padding={self.padding}, value={self.value}" if type(self).__name__[0] == "C" else f"{self.padding}"


def _module(base: type, name: str, summary: str, **body: Any) -> Any:
    return type(name, (base,), {"__doc__": summary, "__module__": __name__, **body})


def _pool(base: type, name: str, function: Any) -> Any:
    return _module(base, name, f"`nn.functional.{function.__name__}` as a module.", function=staticmethod(function))


MaxPool1d = _pool(_MaxPool, "MaxPool1d", F.max_pool1d)
MaxPool2d = _pool(_MaxPool, "MaxPool2d", F.max_pool2d)
MaxPool3d = _pool(_MaxPool, "MaxPool3d", F.max_pool3d)
AvgPool2d = _pool(_AvgPool, "AvgPool2d", F.avg_pool2d)
AvgPool3d = _pool(_AvgPool, "AvgPool3d", F.avg_pool3d)
AdaptiveAvgPool1d = _pool(_Adaptive, "AdaptiveAvgPool1d", F.adaptive_avg_pool1d)
AdaptiveAvgPool2d = _pool(_Adaptive, "AdaptiveAvgPool2d", F.adaptive_avg_pool2d)
AdaptiveMaxPool1d = _pool(_Adaptive, "AdaptiveMaxPool1d", F.adaptive_max_pool1d)
AdaptiveMaxPool2d = _pool(_Adaptive, "AdaptiveMaxPool2d", F.adaptive_max_pool2d)
AdaptiveAvgPool3d = _pool(_Adaptive, "AdaptiveAvgPool3d", F.adaptive_avg_pool3d)
AdaptiveMaxPool3d = _pool(_Adaptive, "AdaptiveMaxPool3d", F.adaptive_max_pool3d)


def _pads(name: str, summary: str, mode: str = "constant") -> list:
    """Modules that pad one, two and three axes."""
    return [_module(_Pad, f"{name}{n}d", f"{summary} around the last axes: {n}.", ndim=n, mode=mode) for n in (1, 2, 3)]


ConstantPad1d, ConstantPad2d, ConstantPad3d = _pads("ConstantPad", "A value")
ZeroPad1d, ZeroPad2d, ZeroPad3d = _pads("ZeroPad", "Zeros")
ReflectionPad1d, ReflectionPad2d, ReflectionPad3d = _pads("ReflectionPad", "Reflections", "reflect")
ReplicationPad1d, ReplicationPad2d, ReplicationPad3d = _pads("ReplicationPad", "Edges repeated", "replicate")
CircularPad1d, CircularPad2d, CircularPad3d = _pads("CircularPad", "The other ends", "circular")
