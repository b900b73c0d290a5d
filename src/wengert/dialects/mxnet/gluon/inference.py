"""Shapes of parameters that only the data tells, found by running a user's `hybrid_forward` once.

The parameters themselves go in; the first operator that one meets, a layer's, knows the shape that it must have.
"""

import functools
import inspect
from collections.abc import Callable
from math import prod
from typing import Any

from wengert import tape
from wengert.dialects.mxnet import ndarray, neural, numpy_extension
from wengert.dialects.mxnet.gluon.parameter import Parameter

__all__ = ["Inferring"]


def _fully_connected(x: Any, given: dict, known: tuple) -> tuple:
    return (known[0], prod(x.shape[1:]) if given["flatten"] else x.shape[-1])


def _convolution(x: Any, given: dict, known: tuple) -> tuple:
    return (known[0], x.shape[1] // given["num_group"], *known[2:])


def _deconvolution(x: Any, given: dict, known: tuple) -> tuple:
    return (x.shape[1], *known[1:])


def _channels(x: Any, given: dict, known: tuple) -> tuple:
    return (x.shape[given.get("axis", 1)],)


_SHAPES: dict[Any, Callable] = {
    neural.FullyConnected: _fully_connected,
    neural.Convolution: _convolution,
    neural.Deconvolution: _deconvolution,
    **dict.fromkeys((neural.BatchNorm, neural.LayerNorm, neural.InstanceNorm, neural.GroupNorm), _channels),
}
_OPERATORS = {name: function for name, function in neural.FUNCTIONS.items() if function in _SHAPES}
_OPERATORS |= {
    n: getattr(numpy_extension, n) for n in dir(numpy_extension) if getattr(numpy_extension, n) in _OPERATORS.values()
}


class Inferring:
    """Functions `F` that take parameters of unknown shape, and make them known."""

    def __init__(self, functions: Any = ndarray) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        if name == "npx":
            return Inferring(numpy_extension)
        if name in _OPERATORS:
            return functools.partial(_known, _OPERATORS[name])
        return getattr(self._functions, name)


def _known(operator: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call an operator, after giving its parameters the shapes that its data asks for."""
    bound = inspect.signature(operator).bind(*args, **{k: v for k, v in kwargs.items() if k not in ("out", "name")})
    bound.apply_defaults()
    given = bound.arguments
    x = next(iter(given.values()))
    for name, value in given.items():
        if isinstance(value, Parameter):
            value.shape = _SHAPES[operator](x, given, value._shape)
            value._finish_deferred_init()
            given[name] = value.data()
    with tape.no_grad():
        return operator(*bound.args, **bound.kwargs)
