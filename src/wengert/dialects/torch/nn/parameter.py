"""`Parameter`: a tensor that a module registers when it becomes one of its attributes.

A parameter is of the class of all tensors, so that operations on it take the same road; a mark tells it.
"""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.torch.dtypes import as_numpy, default_dtype
from wengert.dialects.torch.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


def is_unset(value: Any) -> bool:
    """Whether a value is a tensor whose shape the first forward pass will settle."""
    return isinstance(value, Tensor) and "_is_unset" in value.__dict__


Tensor._waits_for_shape = property(is_unset)  # asked by who records functions


def is_persistent(buffer: Tensor) -> bool:
    """Whether a buffer belongs to the state dict."""
    return buffer.__dict__.get("_persistent", True)


class _Marked(type):
    """Classes that are told by a mark: they make tensors of the common class."""

    mark: str

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and cls.mark in value.__dict__

    def __subclasscheck__(cls, kind: type) -> bool:
        return kind is cls or type.__subclasscheck__(cls, kind)


def _marked(data: Any, **marks: Any) -> Tensor:
    t = Tensor._box(bare(data) if isinstance(data, Tensor) else np.asarray(data))
    t.__dict__.update(marks)
    return t


class Parameter(metaclass=_Marked):
    """A tensor that requires grad and counts as a parameter of the module that it is assigned to.

    Parameters
    ----------
    data : Tensor
        Its memory is shared, its history is not.
    requires_grad : bool
    """

    mark = "_is_param"

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """Make the marked tensor."""
        t = _marked(np.zeros(0, default_dtype()) if data is None else data, _is_param=True)
        return t.requires_grad_(requires_grad)


class Buffer(metaclass=_Marked):
    """A tensor that becomes a buffer of the module that it is assigned to."""

    mark = "_is_buffer"

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """Make the marked tensor."""
        data = np.zeros(0, default_dtype()) if data is None else data
        return _marked(data, _is_buffer=True, _persistent=persistent)


class UninitializedParameter(metaclass=_Marked):
    """A parameter without a shape, which a lazy module settles in its first forward pass."""

    mark = "_is_unset"

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """Make the marked tensor."""
        t = _marked(np.zeros(0, as_numpy(dtype) or default_dtype()), _is_param=True, _is_unset=True)
        return t.requires_grad_(requires_grad)


class UninitializedBuffer(metaclass=_Marked):
    """A buffer without a shape, which a lazy module settles in its first forward pass."""

    mark = "_is_unset"

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        """Make the marked tensor."""
        return _marked(np.zeros(0, as_numpy(dtype) or default_dtype()), _is_unset=True)


def settle_shape(t: Tensor, shape: tuple[int, ...]) -> None:
    """Give a parameter or buffer without a shape one, filled with zeros."""
    t.data = Tensor._box(np.zeros(shape, t._spec.dtype))
    t.__dict__.pop("_is_unset", None)
