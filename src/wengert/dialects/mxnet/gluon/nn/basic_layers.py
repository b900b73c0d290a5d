"""Containers, and layers that are not about images."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from wengert.dialects.mxnet import ndarray, neural, numpy, numpy_extension
from wengert.dialects.mxnet.gluon.block import Block, HybridBlock, _tree
from wengert.dialects.mxnet.gluon.nn.activations import Activation
from wengert.dialects.mxnet.util import is_np_array
from wengert.errors import ArgumentError

__all__ = [
    "BatchNorm", "Block", "Concatenate", "Dense", "Dropout", "Embedding", "Flatten", "GroupNorm", "HybridBlock",
    "HybridConcatenate", "HybridConcurrent", "HybridLambda", "HybridSequential", "Identity", "InstanceNorm", "Lambda",
    "LayerNorm", "Sequential", "SyncBatchNorm",
]  # fmt: skip


class _Container(Block):
    """What `Sequential` and `HybridSequential` share."""

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        for block in blocks:
            self.register_child(block)

    def forward(self, x: Any, *args: Any) -> Any:
        """Pass `x` through all blocks."""
        for block in self._children.values():
            x = block(x, *args)
            args = ()
            if isinstance(x, (tuple, list)):
                x, args = x[0], tuple(x[1:])
        return (x, *args) if args else x

    def __repr__(self) -> str:
        return _tree(type(self).__name__, self._children)

    def __getitem__(self, key: int | slice) -> Any:
        chosen = list(self._children.values())[key]
        if not isinstance(chosen, list):
            return chosen
        part = type(self)(prefix=self._prefix)
        part.add(*chosen)
        return part

    def __len__(self) -> int:
        return len(self._children)

    def __iter__(self) -> Iterator[Block]:
        return iter(list(self._children.values()))


class Sequential(_Container):
    """Blocks one after another."""


class HybridSequential(_Container, HybridBlock):
    """HybridBlocks one after another."""


class Concatenate(Sequential):
    """Blocks beside one another: their outputs, joined along `axis`."""

    def __init__(self, axis: int = -1, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Pass `x` through each block."""
        return np.concatenate([block(x) for block in self._children.values()], axis=self.axis)


class HybridConcatenate(HybridSequential):
    """HybridBlocks beside one another: their outputs, joined along `axis`."""

    def __init__(self, axis: int = -1, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.axis = axis

    forward = Concatenate.forward


HybridConcurrent = HybridConcatenate


class Dense(HybridBlock):
    """``activation(x @ weight.T + bias)``, with weight of shape (units, in_units).

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, optional
    use_bias : bool
    flatten : bool
        Whether all axes but the first count as one; else only the last is mapped.
    dtype, weight_initializer, bias_initializer : of the parameters
    in_units : int
        Number of inputs; 0: told by the first data.
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_units: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._units, self._in_units, self._flatten = units, in_units, flatten
        self.weight = self.params.get(
            "weight", shape=(units, in_units), init=weight_initializer, dtype=dtype, allow_deferred_init=True
        )
        self.bias = None
        if use_bias:
            self.bias = self.params.get(
                "bias", shape=(units,), init=bias_initializer, dtype=dtype, allow_deferred_init=True
            )
        with self.name_scope():
            self.act = None if activation is None else Activation(activation, prefix=activation + "_")

    def infer_shape(self, x: Any, *args: Any) -> None:
        """Inputs are what the data has."""
        self.weight.shape = (self._units, prod(x.shape[1:]) if self._flatten else x.shape[-1])

    def hybrid_forward(self, F: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        """Map `x`."""
        y = neural.FullyConnected(x, weight, bias, flatten=self._flatten)
        return y if self.act is None else self.act(y)

    def __repr__(self) -> str:
        outputs, inputs = self.weight.shape or (self._units, 0)
        return f"Dense({inputs or None} -> {outputs}, {self.act or 'linear'})"


class Dropout(HybridBlock):
    """In training, a fraction `rate` of the elements is zero; one mask along `axes`."""

    def __init__(self, rate: float, axes: Any = (), prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self._rate, self._axes = rate, axes

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Drop at random, in training."""
        return neural.Dropout(x, self._rate, axes=self._axes) if self._rate > 0 else x

    def __repr__(self) -> str:
        return f"Dropout(p = {self._rate}, axes={self._axes})"


class BatchNorm(HybridBlock):
    """Standardise each channel: over the batch in training, by running statistics else; then scale and shift.

    Parameters
    ----------
    axis : int
        Axis of the channels.
    momentum : float
        What running statistics keep of themselves at each batch.
    epsilon : float
        Keeps the divisor away from zero.
    center, scale : bool
        Whether beta, and gamma, are learnt.
    use_global_stats : bool
        Take the running statistics in training, too.
    in_channels : int
        0: told by the first data.
    """

    def __init__(
        self,
        axis: int = 1,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        use_global_stats: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        running_mean_initializer: Any = "zeros",
        running_variance_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._axis, self._momentum, self._epsilon = axis, momentum, epsilon
        self._scale, self._global = scale, use_global_stats
        for name, init, learnt in (
            ("gamma", gamma_initializer, scale),
            ("beta", beta_initializer, center),
            ("running_mean", running_mean_initializer, None),
            ("running_var", running_variance_initializer, None),
        ):
            setattr(self, name, self._vector(name, in_channels, init, learnt))

    def _vector(self, name: str, channels: int, init: Any, learnt: bool | None) -> Any:
        req = "write" if learnt else "null"
        return self.params.get(
            name, grad_req=req, shape=(channels,), init=init, allow_deferred_init=True, differentiable=bool(learnt)
        )

    def infer_shape(self, x: Any, *args: Any) -> None:
        """Channels are what the data has."""
        for param in self._reg_params.values():
            param.shape = (x.shape[self._axis],)

    def cast(self, dtype: Any) -> None:
        """Change the dtype of all parameters; of half precision, single."""
        super().cast("float32" if np.dtype(dtype).name == "float16" else dtype)

    def hybrid_forward(self, F: Any, x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any) -> Any:
        """Standardise `x`."""
        return neural.BatchNorm(
            x, gamma, beta, running_mean, running_var, self._epsilon, self._momentum, not self._scale, self._global,
            axis=self._axis,
        )  # fmt: skip

    def __repr__(self) -> str:
        (channels,) = self._reg_params["gamma"].shape or (0,)
        return (
            f"{type(self).__name__}(axis={self._axis}, eps={self._epsilon}, momentum={self._momentum}, "
            f"fix_gamma={not self._scale}, use_global_stats={self._global}, in_channels={channels or None})"
        )


class SyncBatchNorm(BatchNorm):
    """`BatchNorm` across devices, of which there is one."""

    def __init__(self, in_channels: int = 0, num_devices: int | None = None, **kwargs: Any) -> None:
        super().__init__(in_channels=in_channels, **kwargs)


class _Norm(HybridBlock):
    """What normalisations of single examples share: gamma and beta."""

    _axis: int

    def __init__(
        self, center: bool, scale: bool, beta_initializer: Any, gamma_initializer: Any, in_channels: int,
        prefix: str | None, params: Any,
    ) -> None:  # fmt: skip
        super().__init__(prefix, params)
        for name, init, learnt in (("gamma", gamma_initializer, scale), ("beta", beta_initializer, center)):
            req = "write" if learnt else "null"
            param = self.params.get(name, grad_req=req, shape=(in_channels,), init=init, allow_deferred_init=True)
            setattr(self, name, param)

    def infer_shape(self, x: Any, *args: Any) -> None:
        """Channels are what the data has."""
        for param in self._reg_params.values():
            param.shape = (x.shape[self._axis],)


class LayerNorm(_Norm):
    """Standardise each example along `axis`; then scale and shift."""

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(center, scale, beta_initializer, gamma_initializer, in_channels, prefix, params)
        self._axis, self._epsilon, self._center, self._scale = axis, epsilon, center, scale

    def hybrid_forward(self, F: Any, data: Any, gamma: Any, beta: Any) -> Any:
        """Standardise `data`."""
        return neural.LayerNorm(data, gamma, beta, self._axis, self._epsilon)

    def __repr__(self) -> str:
        (channels,) = self._reg_params["gamma"].shape or (0,)
        return (
            f"LayerNorm(axis={self._axis}, eps={self._epsilon}, center={self._center}, scale={self._scale}, "
            f"in_channels={channels})"
        )


class GroupNorm(_Norm):
    """Standardise each example over groups of channels; then scale and shift each channel."""

    _axis = 1

    def __init__(
        self,
        num_groups: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(center, scale, beta_initializer, gamma_initializer, in_channels, prefix, params)
        self._num_groups, self._epsilon = num_groups, epsilon

    def hybrid_forward(self, F: Any, data: Any, gamma: Any, beta: Any) -> Any:
        """Standardise `data`."""
        return neural.GroupNorm(data, gamma, beta, self._num_groups, self._epsilon)


class InstanceNorm(_Norm):
    """Standardise each channel of each example; then scale and shift."""

    def __init__(
        self,
        axis: int = 1,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = False,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        in_channels: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(center, scale, beta_initializer, gamma_initializer, in_channels, prefix, params)
        self._axis, self._epsilon = axis, epsilon

    def hybrid_forward(self, F: Any, x: Any, gamma: Any, beta: Any) -> Any:
        """Standardise `x`."""
        if self._axis == 1:
            return neural.InstanceNorm(x, gamma, beta, self._epsilon)
        swapped = np.swapaxes(x, 1, self._axis)
        return np.swapaxes(neural.InstanceNorm(swapped, gamma, beta, self._epsilon), 1, self._axis)


class Embedding(HybridBlock):
    """Rows of a table of `input_dim` vectors of length `output_dim`, by number."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        sparse_grad: bool = False,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self._input_dim, self._output_dim, self._dtype = input_dim, output_dim, dtype
        self.weight = self.params.get(
            "weight", shape=(input_dim, output_dim), init=weight_initializer, dtype=dtype, allow_deferred_init=True
        )

    def hybrid_forward(self, F: Any, x: Any, weight: Any) -> Any:
        """Look up rows."""
        return neural.Embedding(x, weight)

    def __repr__(self) -> str:
        return f"Embedding({self._input_dim} -> {self._output_dim}, {self._dtype})"


class Flatten(HybridBlock):
    """All axes but the first as one."""

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Reshape `x`."""
        return np.reshape(x, (x.shape[0], prod(x.shape[1:])))

    def __repr__(self) -> str:
        return "Flatten"


class Identity(HybridBlock):
    """What comes in."""

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """Give `x` back."""
        return x


def _named_function(function: str | Callable, spaces: tuple) -> tuple[Callable, str]:
    """A function, from its name or as it is, and what it is called."""
    if callable(function):
        return function, getattr(function, "__name__", type(function).__name__)
    for space in spaces:
        if hasattr(space, function):
            return getattr(space, function), function
    raise ArgumentError(
        f"[Lambda] a function, or the name of one of nd, np or npx, was required; received {function!r}"
    )


class Lambda(Block):
    """A function as a block."""

    def __init__(self, function: str | Callable, prefix: str | None = None) -> None:
        super().__init__(prefix)
        spaces = (numpy, numpy_extension) if is_np_array() else (ndarray,)
        self._func_impl, self._func_name = _named_function(function, spaces)

    def forward(self, *args: Any) -> Any:
        """Call the function."""
        return self._func_impl(*args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._func_name})"


class HybridLambda(HybridBlock):
    """A function as a block: one of the inputs if it is given by name, else of `F` and the inputs."""

    def __init__(self, function: str | Callable, prefix: str | None = None) -> None:
        super().__init__(prefix)
        spaces = (numpy, numpy_extension) if is_np_array() else (ndarray,)
        self._func_impl, self._func_name = _named_function(function, spaces)
        self._by_name = isinstance(function, str)

    def hybrid_forward(self, F: Any, x: Any, *args: Any) -> Any:
        """Call the function."""
        return self._func_impl(x, *args) if self._by_name else self._func_impl(F, x, *args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._func_name})"
