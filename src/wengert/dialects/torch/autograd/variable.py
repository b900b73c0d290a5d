"""`Variable`, the tensors that can be recorded, of the days when others could not."""

from typing import Any

from wengert.dialects.torch.tensor import Tensor

__all__ = ["Variable"]


class _VariableClass(type):
    """The class of `Variable`: all tensors are instances."""

    def __call__(cls, data: Tensor, requires_grad: bool = False, volatile: Any = None) -> Tensor:
        """The tensor's value as a leaf."""
        return data.detach().requires_grad_(requires_grad)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableClass):
    """The older name of tensors."""
