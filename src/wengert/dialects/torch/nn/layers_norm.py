"""Dropout and normalisation as modules."""

from collections.abc import Sequence
from typing import Any

from wengert.dialects.torch import creation, dtypes
from wengert.dialects.torch.errors import OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.layers_linear import Lazy
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter, settle_shape
from wengert.dialects.torch.tensor import Tensor

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "LayerNorm",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "RMSNorm",
]


class Dropout(Module):
    """Elements set to zero with probability `p`, the others divided by ``1 - p``; in training only."""

    function = staticmethod(F.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise OptionError(f"[Dropout] dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Drop elements."""
        return self.function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """Channels set to zero with probability `p`, the others divided by ``1 - p``; in training only."""

    function = staticmethod(F.feature_dropout)


class Dropout1d(Dropout2d):
    """`Dropout2d` for sequences."""


class Dropout3d(Dropout2d):
    """`Dropout2d` for volumes."""


class _BatchNorm(Module):
    """`nn.functional.batch_norm` with its parameters and running statistics."""

    ranks: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set(num_features, eps, momentum, affine, track_running_stats)
        for name, make in (("weight", creation.ones), ("bias", creation.zeros)):
            self.register_parameter(name, Parameter(make(num_features, dtype=dtype)) if affine else None)
        for name, make in (("running_mean", creation.zeros), ("running_var", creation.ones)):
            self.register_buffer(name, make(num_features, dtype=dtype) if track_running_stats else None)
        self._register_count()

    def _set(self, num_features: int, eps: float, momentum: float | None, affine: bool, tracked: bool) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, tracked

    def _register_count(self) -> None:
        count = creation.tensor(0, dtype=dtypes.int64) if self.track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Set initial values."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Standardise each channel."""
        if input.ndim not in self.ranks:
            expected = " or ".join(f"{n}D" for n in self.ranks)
            raise OptionError(f"[{type(self).__name__}] expected {expected} input (got {input.ndim}D input)")
        momentum = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        follows = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if follows else None,
            self.running_var if follows else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, bias={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Each feature, or each channel of sequences, standardised over the batch; see `wengert.nn.batch_norm`."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of images standardised over the batch; see `wengert.nn.batch_norm`."""

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of volumes standardised over the batch; see `wengert.nn.batch_norm`."""

    ranks = (5,)


class _LazyBatchNorm(Lazy, _BatchNorm):
    """Batch norm whose channels are counted when the first input comes."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        Module.__init__(self)
        self._set(0, eps, momentum, affine, track_running_stats)
        for name in ("weight", "bias"):
            self.register_parameter(name, UninitializedParameter(dtype=dtype) if affine else None)
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, UninitializedBuffer(dtype=dtype) if track_running_stats else None)
        self._register_count()

    def _settle(self, input: Tensor) -> None:
        self.num_features = input.shape[1]
        for t in (self.weight, self.bias, self.running_mean, self.running_var):
            if t is not None:
                settle_shape(t, (self.num_features,))


class LazyBatchNorm1d(_LazyBatchNorm, BatchNorm1d):
    """A `BatchNorm1d` whose channels are counted when the first input comes."""

    settled_class = BatchNorm1d


class LazyBatchNorm2d(_LazyBatchNorm, BatchNorm2d):
    """A `BatchNorm2d` whose channels are counted when the first input comes."""

    settled_class = BatchNorm2d


class LayerNorm(Module):
    """Each example standardised over its features; see `wengert.nn.layer_norm`."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.register_parameter("weight", Parameter(creation.ones(shape, dtype=dtype)) if elementwise_affine else None)
        has_bias = elementwise_affine and bias
        self.register_parameter("bias", Parameter(creation.zeros(shape, dtype=dtype)) if has_bias else None)

    def reset_parameters(self) -> None:
        """Set initial values."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Standardise each example."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        settings = f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        return f"{settings}, bias={self.bias is not None}"


class RMSNorm(Module):
    """Each example divided by the root of the mean of its squares."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.register_parameter("weight", Parameter(creation.ones(shape, dtype=dtype)) if elementwise_affine else None)

    def forward(self, input: Tensor) -> Tensor:
        """Standardise each example."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Each example standardised over groups of its channels; see `wengert.nn.group_norm`."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise OptionError("[GroupNorm] num_channels must be divisible by num_groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.register_parameter("weight", Parameter(creation.ones(num_channels, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(creation.zeros(num_channels, dtype=dtype)) if affine else None)

    def forward(self, input: Tensor) -> Tensor:
        """Standardise each example."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.affine}"


class _InstanceNorm(_BatchNorm):
    """Each channel of each example standardised."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Standardise each channel of each example."""
        return F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sequence standardised."""


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image standardised."""
