"""`NDArrays`: the operations of arrays as functions, of which the first argument may be a number."""
# Of arrays NumPy's functions give arrays, which a type checker cannot know.
# mypy: disable-error-code="return-value"

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.djl.ndarray.array import NDArray
from wengert.dialects.djl.ndarray.methods import BINARY, IN_PLACE, WITHOUT_GRADIENT
from wengert.dialects.djl.ndarray.ndlist import NDList

__all__ = ["NDArrays"]

OPERATORS = {name: BINARY[name] for name in (*IN_PLACE, "maximum", "minimum", "dot", "matMul")} | WITHOUT_GRADIENT
METHODS = (
    "contentEquals", "shapeEquals", "booleanMask", "sequenceMask", "split", "square", "sqrt", "exp", "log", "abs",
    "batchDot", "softmax", "logSoftmax",
)  # fmt: skip


class NDArrays:
    """Static functions: ``NDArrays.add(a, b)``, ``NDArrays.sub(1, a)``, ``NDArrays.concat(NDList(a, b))``."""

    @staticmethod
    def concat(arrays: NDList, axis: int = 0) -> NDArray:
        """Arrays one after the other along an axis."""
        return np.concatenate(list(arrays), axis)

    @staticmethod
    def stack(arrays: NDList, axis: int = 0) -> NDArray:
        """Arrays along a new axis."""
        return np.stack(list(arrays), axis)

    @staticmethod
    def where(condition: NDArray, x: NDArray, y: NDArray) -> NDArray:
        """The elements of `x` where the condition holds, and those of `y` elsewhere."""
        return np.where(condition._read("where").astype(bool), x, y)


def _operator(name: str, function: Any) -> None:
    """A function of two or more operands, taken from the left."""

    def call(first: Any, *others: Any) -> NDArray:
        result = first
        for other in others:
            if isinstance(result, NDArray):
                result = getattr(result, name)(other)
            else:
                result = other._kept(NDArray._table[function](result, other))
        return result if others else getattr(result, name)()

    _define(name, call, f"See `numpy.{function.__name__}`; more than two operands are taken from the left.")


def _in_place(name: str, function: Any) -> None:
    """The same, into the first operand that is an array."""

    def call(first: Any, *others: Any) -> NDArray:
        if isinstance(first, NDArray):
            for other in others:
                getattr(first, f"{name}i")(other)
            return first
        others[0].set("...", NDArray._table[function](first, others[0]))
        return others[0]

    _define(f"{name}i", call, f"See `numpy.{function.__name__}`, written into the first operand that is an array.")


def _method(name: str) -> None:
    def call(array: NDArray, *arguments: Any) -> Any:
        return getattr(array, name)(*arguments)

    _define(name, call, f"See `NDArray.{name}`.")


def _define(name: str, call: Callable, text: str) -> None:
    call.__name__, call.__qualname__, call.__doc__ = name, f"NDArrays.{name}", text
    setattr(NDArrays, name, staticmethod(call))


for _name, _function in OPERATORS.items():
    _operator(_name, _function)
for _name in IN_PLACE:
    _in_place(_name, BINARY[_name])
for _name in METHODS:
    _method(_name)
