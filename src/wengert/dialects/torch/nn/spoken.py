"""How `nn.functional` is made of `wengert.nn`: PyTorch's names for results, its classes of errors, its options."""

import functools
from collections.abc import Callable
from typing import Any

from wengert.dialects.torch.errors import OperandError, OptionError
from wengert.dialects.torch.graph import named
from wengert.dialects.torch.tensor import Tensor
from wengert.errors import ArgumentError, DTypeError, ShapeError
from wengert.tape import ORDER, no_grad


def spoken(name: str | None = None) -> Callable:
    """A function whose result's ``grad_fn`` has this name, and whose errors are what PyTorch raises."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def translated(*args: Any, **kwargs: Any) -> Any:
            since = next(ORDER)
            try:
                result = function(*args, **kwargs)
            except (ShapeError, DTypeError) as error:
                raise OperandError(str(error)) from error
            except ArgumentError as error:
                raise OptionError(str(error)) from error
            return result if name is None or result._node is None else named(result, name, since)

        return translated

    return decorate


def put(target: Tensor, result: Tensor, inplace: bool) -> Tensor:
    """The result; with ``inplace=True`` written into its operand."""
    if not inplace:
        return result
    target[...] = result
    return target


def reduction_of(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the two older options stand for, where they are given."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def without_history(t: Any) -> Any:
    """What `t` holds, for a decision that no gradient flows through."""
    with no_grad():
        return t.detach()
