"""How the dialect's functions are made of NumPy's and wengert's: the same functions under PyTorch's conventions."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tape
from wengert.box import bare
from wengert.dialects.torch import graph
from wengert.dialects.torch.dtypes import as_numpy
from wengert.dialects.torch.errors import AxisError, OperandError, TorchError, TypeMismatchError, ZeroDivisorError
from wengert.dialects.torch.promotion import refused
from wengert.dialects.torch.tensor import Tensor
from wengert.primitive import REGISTRY
from wengert.writes import replace, write


def entry(function: Any) -> Callable:
    """The generated function of a NumPy function, or of one of wengert's, for tensors."""
    return Tensor._table[function]


def direct(function: Any, name: str | None = None) -> Callable:
    """The generated function behind a NumPy function with keywords that are rarely used; its nodes may have a name."""
    primitive = REGISTRY[REGISTRY[function].direct]
    return Tensor._table[primitive] if name is None else graph.variant_of(primitive, Tensor._family, name)


def whole_division(function: Any) -> Callable:
    """A NumPy division whose results are whole: refused for integers and a divisor with zeros, as NumPy gives 0."""
    forward, name = entry(function), function.__name__

    def applied(input: Any, other: Any) -> Tensor:
        if _is_whole(other) and _is_whole(input) and not np.all(bare(other)):
            raise ZeroDivisorError(
                f"[{name}] a divisor without zeros was required (ZeroDivisionError); received one with a zero, for "
                f"whole numbers; divide floating-point numbers, or use torch.where"
            )
        return forward(input, other)

    return titled(applied, name, f"See `numpy.{name}`; whole numbers are not divided by zero.")


def _is_whole(value: Any) -> bool:
    return not value._spec.inexact if isinstance(value, Tensor) else isinstance(value, (int, np.integer))


def titled(function: Any, name: str, summary: str) -> Any:
    """A function with its name and docstring."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    function.__module__ = "wengert.dialects.torch"
    return function


def checked_tensor(operation: str, value: Any, place: str = "input") -> Tensor:
    """Insist on a tensor."""
    if not isinstance(value, Tensor):
        raise TypeMismatchError(
            f"[{operation}] {operation}(): argument '{place}' must be Tensor, not {type(value).__name__}; "
            f"use torch.tensor"
        )
    return value


def stored(result: Any, out: Any) -> Any:
    """The result, written into `out` where that is given."""
    if out is None:
        return result
    if out._spec.shape != result._spec.shape:
        if isinstance(out._node, tape.Leaf) or out._is_view:
            raise OperandError(f"[out] a tensor of shape {result.shape} was required; received {out._spec!r}")
        out.data = result.to(out.dtype).detach().clone()
    if result.requires_grad:
        raise TorchError(
            "[out] operands that do not require grad were required: functions with out=... arguments don't "
            "support automatic differentiation, but one of the arguments requires grad."
        )
    write(out, Ellipsis, result)
    return out


def cast_first(input: Tensor, dtype: Any) -> Tensor:
    """The operand in the dtype that ``dtype=`` asks for."""
    return input if dtype is None else input.to(dtype)


def in_place(function: Callable) -> Callable:
    """The method with a trailing underscore: the result takes the operand's place."""

    def method(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        try:
            result = function(self, *args, **keywords)
            if result._node is None or tape.floor() > self._level:
                check_fit(self, result, function)
                write(self, Ellipsis, result)
            else:
                replace(self, result, function)
        except (ValueError, TypeError, RuntimeError) as error:
            raise refused(self, error) from error
        return self

    name = function.__name__
    return titled(method, f"{name}_", f"`{name}` in place; returns the tensor itself.")


def check_fit(t: Tensor, result: Tensor, function: Callable) -> None:
    """Refuse a result that does not fit into the tensor that it is written into."""
    if result._spec.shape != t._spec.shape:
        raise OperandError(
            f"[{function.__name__}_] output with shape {list(t.shape)} doesn't match the broadcast shape "
            f"{list(result.shape)}"
        )
    if not np.can_cast(result._spec.dtype, t._spec.dtype, "same_kind"):
        raise OperandError(
            f"[{function.__name__}_] result type {result.dtype} can't be cast to the desired output type {t.dtype}"
        )


def axis_of(operation: str, t: Tensor, dim: Any, extra: int = 0) -> int:
    """A dimension counted from the front."""
    n = max(t._spec.ndim + extra, 1)
    if dim.__class__ is int and -n <= dim < n:
        return dim % n
    if dim.__class__ is not int:
        try:
            dim = dim.__index__()
        except AttributeError as error:
            raise TypeMismatchError(f"[{operation}] an integer was required as dim; received {dim!r}") from error
    if not -n <= dim < n:
        raise AxisError(
            f"[{operation}] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    return dim % n


def axes_of(operation: str, t: Tensor, dim: Any) -> Any:
    """One dimension or several, counted from the front; `None` for all."""
    if dim is None:
        return None
    if isinstance(dim, (tuple, list)):
        axes = tuple(axis_of(operation, t, d) for d in dim)
        if len(set(axes)) < len(axes):
            raise TorchError(f"[{operation}] different dims were required: dim appears multiple times in {tuple(dim)}")
        return axes if axes and t._spec.ndim else None
    axis = axis_of(operation, t, dim)
    return axis if t._spec.ndim else None


NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def spelled(function: Callable) -> Callable:
    """The function, whose arguments may also have the names that NumPy gives them."""

    def applied(*args: Any, **keywords: Any) -> Any:
        if keywords:
            keywords = {NUMPY_NAMES.get(name, name): value for name, value in keywords.items()}
        return function(*args, **keywords)

    return titled(applied, function.__name__, function.__doc__ or "")


def spell(namespace: dict, names: Any) -> None:
    """Let the functions of these names that have a ``dim`` but no ``axis`` take NumPy's names for their arguments."""
    for name in names:
        parameters = inspect.signature(namespace[name]).parameters
        if "dim" in parameters and "axis" not in parameters:
            namespace[name] = spelled(namespace[name])


named = graph.named
__all__ = [
    "as_numpy", "axes_of", "axis_of", "bare", "cast_first", "check_fit", "checked_tensor", "direct", "entry",
    "in_place", "named", "spell", "stored", "titled", "whole_division",
]  # fmt: skip
