"""Layers of windows: modules for the functions of `wengert.nn.convolution` and `wengert.nn.pooling`."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from wengert.creation import tensor
from wengert.errors import ArgumentError
from wengert.nn import convolution, init, pooling
from wengert.nn._inputs import Array
from wengert.nn._windows import Numbers, per_axis
from wengert.nn.layers import Initializer, Rng
from wengert.nn.module import Module

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _Convolution(Module):
    """What convolutions and their transposes of any number of axes have in common."""

    _function: ClassVar[Callable[..., Array]]
    _ndim: ClassVar[int]

    def __init__(
        self,
        channels: int,
        features: int,
        window: Numbers,
        stride: Numbers = 1,
        padding: Numbers | str = 0,
        dilation: Numbers = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Rng = None,
        initializer: Initializer = init.xavier_uniform,
        dtype: DTypeLike = float,
    ) -> None:
        name = type(self).__name__
        if groups < 1 or channels % groups or features % groups:
            raise ArgumentError(
                f"[{name}] channels and features must be multiples of groups; got channels={channels}, "
                f"features={features} and groups={groups}; choose other numbers."
            )
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        window = per_axis(name, "window", window, self._ndim, 1)
        weight = initializer((*window, *self._fans(channels, features, groups)), np.random.default_rng(rng), dtype)
        self.weight = tensor(np.ascontiguousarray(self._in_order(weight)), requires_grad=True)
        self.bias = tensor(np.zeros(features, dtype), requires_grad=True) if bias else None

    @staticmethod
    def _fans(channels: int, features: int, groups: int) -> tuple[int, int]:
        """Inputs and outputs of the weight at one position."""
        return channels // groups, features

    @staticmethod
    def _in_order(weight: np.ndarray) -> np.ndarray:
        """The weight as the function takes it, from (*window, inputs, outputs)."""
        return np.moveaxis(weight, (-1, -2), (0, 1))

    def forward(self, x: Array) -> Array:
        """Slide the window over `x`."""
        return self._function(x, self.weight, self.bias, **self.options)


class Conv1d(_Convolution):
    """`conv1d` with its parameters; see `Conv2d`.

    Examples
    --------
    >>> Conv1d(3, 8, 5, rng=0)(np.zeros((64, 3, 28))).shape
    (64, 8, 24)
    """

    _function, _ndim = staticmethod(convolution.conv1d), 1


class Conv2d(_Convolution):
    """`conv2d` with its parameters: (batch, channels, height, width) -> (batch, features, rows, columns).

    Parameters
    ----------
    channels, features : int
    window : int, or one per axis
    stride, padding, dilation, groups
        As for `conv2d`.
    bias : bool
        Whether to add one; it starts at zero.
    rng : Generator, seed or None
    initializer : function (shape, rng, dtype) -> array
        Draws the weight, as of shape (*window, inputs, outputs); see `wengert.nn.init`.
    dtype : floating-point dtype of the parameters

    Attributes
    ----------
    weight : tensor of shape (features, channels / groups, *window)
    bias : tensor of shape (features,), or None

    Examples
    --------
    >>> Conv2d(1, 6, 5, padding=2, rng=0)(np.zeros((64, 1, 28, 28))).shape
    (64, 6, 28, 28)
    """

    _function, _ndim = staticmethod(convolution.conv2d), 2


class Conv3d(_Convolution):
    """`conv3d` with its parameters; see `Conv2d`.

    Examples
    --------
    >>> Conv3d(3, 8, (3, 5, 5), rng=0)(np.zeros((2, 3, 5, 7, 7))).shape
    (2, 8, 3, 3, 3)
    """

    _function, _ndim = staticmethod(convolution.conv3d), 3


class _ConvTranspose(_Convolution):
    """What transposes of convolutions of any number of axes have in common."""

    def __init__(
        self,
        channels: int,
        features: int,
        window: Numbers,
        stride: Numbers = 1,
        padding: Numbers = 0,
        output_padding: Numbers = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Numbers = 1,
        *,
        rng: Rng = None,
        initializer: Initializer = init.xavier_uniform,
        dtype: DTypeLike = float,
    ) -> None:
        super().__init__(
            channels,
            features,
            window,
            stride,
            padding,
            dilation,
            groups,
            bias,
            rng=rng,
            initializer=initializer,
            dtype=dtype,
        )
        self.options["output_padding"] = output_padding

    @staticmethod
    def _fans(channels: int, features: int, groups: int) -> tuple[int, int]:
        return channels, features // groups

    @staticmethod
    def _in_order(weight: np.ndarray) -> np.ndarray:
        return np.moveaxis(weight, (-2, -1), (0, 1))


class ConvTranspose1d(_ConvTranspose):
    """`conv_transpose1d` with its parameters; see `ConvTranspose2d`.

    Examples
    --------
    >>> ConvTranspose1d(8, 3, 4, stride=2, rng=0)(np.zeros((64, 8, 5))).shape
    (64, 3, 12)
    """

    _function, _ndim = staticmethod(convolution.conv_transpose1d), 1


class ConvTranspose2d(_ConvTranspose):
    """`conv_transpose2d` with its parameters: (batch, channels, rows, columns) -> (batch, features, height, width).

    Parameters
    ----------
    channels, features : int
    window : int, or one per axis
    stride, padding, output_padding, groups, dilation
        As for `conv_transpose2d`.
    bias : bool
        Whether to add one; it starts at zero.
    rng : Generator, seed or None
    initializer : function (shape, rng, dtype) -> array
        Draws the weight, as of shape (*window, inputs, outputs); see `wengert.nn.init`.
    dtype : floating-point dtype of the parameters

    Attributes
    ----------
    weight : tensor of shape (channels, features / groups, *window)
    bias : tensor of shape (features,), or None

    Examples
    --------
    >>> ConvTranspose2d(16, 3, 4, stride=2, padding=1, rng=0)(np.zeros((64, 16, 7, 7))).shape
    (64, 3, 14, 14)
    """

    _function, _ndim = staticmethod(convolution.conv_transpose2d), 2


class ConvTranspose3d(_ConvTranspose):
    """`conv_transpose3d` with its parameters; see `ConvTranspose2d`.

    Examples
    --------
    >>> ConvTranspose3d(4, 2, 2, stride=2, rng=0)(np.zeros((1, 4, 3, 3, 3))).shape
    (1, 2, 6, 6, 6)
    """

    _function, _ndim = staticmethod(convolution.conv_transpose3d), 3


class _MaxPool(Module):
    """What maxima of windows of any number of axes have in common."""

    _function: ClassVar[Callable[..., Array]]

    def __init__(
        self,
        window: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        dilation: Numbers = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.window, self.stride, self.padding = window, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode

    def forward(self, x: Array) -> Array:
        """Take the maximum of each window."""
        return self._function(x, self.window, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool1d(_MaxPool):
    """`max_pool1d` as a layer; see `MaxPool2d`."""

    _function = staticmethod(pooling.max_pool1d)


class MaxPool2d(_MaxPool):
    """`max_pool2d` as a layer.

    Parameters
    ----------
    window, stride, padding, dilation, ceil_mode
        As for `max_pool2d`.

    Examples
    --------
    >>> MaxPool2d(2)(np.zeros((64, 6, 28, 28))).shape
    (64, 6, 14, 14)
    """

    _function = staticmethod(pooling.max_pool2d)


class MaxPool3d(_MaxPool):
    """`max_pool3d` as a layer; see `MaxPool2d`."""

    _function = staticmethod(pooling.max_pool3d)


class _AvgPool(Module):
    """What means of windows of any number of axes have in common."""

    _function: ClassVar[Callable[..., Array]]

    def __init__(
        self,
        window: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.window, self.stride, self.padding = window, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Array) -> Array:
        """Take the mean of each window."""
        return self._function(x, self.window, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool1d(_AvgPool):
    """`avg_pool1d` as a layer; see `AvgPool2d`."""

    _function = staticmethod(pooling.avg_pool1d)


class AvgPool2d(_AvgPool):
    """`avg_pool2d` as a layer.

    Parameters
    ----------
    window, stride, padding, ceil_mode, count_include_pad
        As for `avg_pool2d`.

    Examples
    --------
    >>> AvgPool2d(2)(np.zeros((64, 6, 28, 28))).shape
    (64, 6, 14, 14)
    """

    _function = staticmethod(pooling.avg_pool2d)


class AvgPool3d(_AvgPool):
    """`avg_pool3d` as a layer; see `AvgPool2d`."""

    _function = staticmethod(pooling.avg_pool3d)
