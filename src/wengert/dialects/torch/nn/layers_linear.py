"""Linear maps, tables, and changes of shape as modules."""

import math
from typing import Any

from wengert.dialects.torch import creation
from wengert.dialects.torch.errors import MissingError, OptionError
from wengert.dialects.torch.nn import functional as F
from wengert.dialects.torch.nn import init
from wengert.dialects.torch.nn.module import Module
from wengert.dialects.torch.nn.parameter import Parameter, UninitializedParameter, is_unset, settle_shape
from wengert.dialects.torch.tensor import Tensor

__all__ = ["Bilinear", "Embedding", "Flatten", "Identity", "LazyLinear", "Linear", "Unflatten"]


class Identity(Module):
    """Gives its input back, whatever it was made with."""

    def forward(self, input: Any) -> Any:
        """Give the input back."""
        return input


class Linear(Module):
    """``input @ weight.T + bias``; see `wengert.nn.linear`."""

    weight: Any

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(creation.empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(creation.empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.uniform_(self.bias, *_bounds(self.weight.shape[1]))

    def forward(self, input: Tensor) -> Tensor:
        """Map the last axis."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The settings."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def _bounds(fan: int) -> tuple[float, float]:
    bound = 1 / math.sqrt(fan) if fan > 0 else 0
    return -bound, bound


class Lazy:
    """What lazy modules share: the first input settles the shapes of their parameters."""

    settled_class: type
    settled_setting: str

    def _settle(self, input: Tensor) -> None:
        """Give the parameters their shapes; written by the subclass."""
        raise NotImplementedError

    def has_uninitialized_params(self) -> bool:
        """Whether some parameter has no shape yet."""
        held = (*self._parameters.values(), *self._buffers.values())
        return any(is_unset(t) for t in held)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Settle the shapes, if they are not, and call `forward`."""
        if self.has_uninitialized_params():
            self._settle(args[0])
            self.reset_parameters()
        self.__class__ = self.settled_class
        return self(*args, **kwargs)


class LazyLinear(Lazy, Linear):
    """A `Linear` whose inputs are counted when the first one comes."""

    settled_class = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        Module.__init__(self)
        self.in_features, self.out_features = 0, out_features
        self.weight = UninitializedParameter(dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Draw initial values, if there are shapes."""
        if not self.has_uninitialized_params():
            super().reset_parameters()

    def _settle(self, input: Tensor) -> None:
        self.in_features = input.shape[-1]
        settle_shape(self.weight, (self.out_features, self.in_features))
        if self.bias is not None:
            settle_shape(self.bias, (self.out_features,))


class Bilinear(Module):
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k."""

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(creation.empty(out_features, in1_features, in2_features, dtype=dtype))
        self.register_parameter("bias", Parameter(creation.empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values."""
        init.uniform_(self.weight, *_bounds(self.in1_features))
        if self.bias is not None:
            init.uniform_(self.bias, *_bounds(self.in1_features))

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Map the last axes."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Flatten(Module):
    """Neighbouring axes made one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Make the axes one."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The settings."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis made several."""

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Make the axis several."""
        axis, shape = self.dim % input.ndim, tuple(input.shape)
        return input.reshape(shape[:axis] + tuple(self.unflattened_size) + shape[axis + 1 :])

    def extra_repr(self) -> str:
        """The settings."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Embedding(Module):
    """Rows of a table; see `wengert.nn.embedding`."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if max_norm is not None or scale_grad_by_freq:
            raise MissingError("[Embedding] max_norm and scale_grad_by_freq are not supported here; leave them out")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise OptionError(f"[Embedding] Padding_idx must be within num_embeddings; received {padding_idx}")
        self.num_embeddings, self.embedding_dim, self.sparse = num_embeddings, embedding_dim, sparse
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        given = _weight is not None
        data = _weight if given else creation.empty(num_embeddings, embedding_dim, dtype=dtype)
        self.weight = Parameter(data, requires_grad=not _freeze)
        if not given:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial values; the padding row is zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.data[self.padding_idx])

    def forward(self, input: Tensor) -> Tensor:
        """Look rows up."""
        return F.embedding(input, self.weight, self.padding_idx)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, **options: Any
    ) -> "Embedding":
        """A module around a table that is there."""
        return cls(embeddings.shape[0], embeddings.shape[1], padding_idx, _weight=embeddings, _freeze=freeze, **options)

    def extra_repr(self) -> str:
        """The settings."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
