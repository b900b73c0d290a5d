"""Activation functions, of arrays and of lists of one array, and as blocks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import nn
from wengert.dialects.djl.ndarray import NDArray, NDList
from wengert.dialects.djl.nn.block import LambdaBlock

__all__ = ["Activation"]

FUNCTIONS: dict[str, Callable] = {
    "relu": nn.relu,
    "sigmoid": nn.sigmoid,
    "tanh": np.tanh,
    "softPlus": nn.softplus,
    "gelu": nn.gelu,
    "selu": nn.selu,
    "mish": nn.mish,
    "softSign": nn.softsign,
}
WITH_SLOPE: dict[str, Callable] = {"leakyRelu": nn.leaky_relu, "elu": nn.elu}


class Activation:
    """``Activation.relu(x)`` of an array or a list of one, ``Activation.reluBlock()``, and so on."""

    @staticmethod
    def swish(arrays: Any, beta: float = 1.0) -> Any:
        """``x`` times the sigmoid of ``beta x``."""
        return _applied(lambda x: x * nn.sigmoid(x * beta), arrays)

    @staticmethod
    def swishBlock(beta: float = 1.0) -> LambdaBlock:
        """`swish` as a block."""
        return LambdaBlock(lambda arrays: Activation.swish(arrays, beta), "swish")


def _applied(function: Callable[[NDArray], NDArray], arrays: Any) -> Any:
    return NDList(function(arrays.singletonOrThrow())) if isinstance(arrays, NDList) else function(arrays)


def _install(name: str, function: Callable) -> None:
    def call(arrays: Any, *alpha: float) -> Any:
        return _applied(lambda x: function(x, *alpha), arrays)

    def block(*alpha: float) -> LambdaBlock:
        return LambdaBlock(lambda arrays: call(arrays, *alpha), name)

    call.__name__, call.__doc__ = name, f"See `wengert.nn.{function.__name__}`."
    block.__name__, block.__doc__ = f"{name}Block", f"`{name}` as a block."
    setattr(Activation, name, staticmethod(call))
    setattr(Activation, block.__name__, staticmethod(block))


for _name, _function in (FUNCTIONS | WITH_SLOPE).items():
    _install(_name, _function)
