"""What a function returned, or put somewhere: containers, and what becomes of each leaf when a program runs."""

from collections.abc import Iterable
from enum import Enum
from numbers import Number
from types import BuiltinFunctionType, EllipsisType, FunctionType, ModuleType, NotImplementedType
from typing import Any

import numpy as np

from wengert.box import Box, bare
from wengert.compiler.program import Node, depends
from wengert.compiler.trace import Trace
from wengert.protocol import Wrapper
from wengert.tensor import Tensor
from wengert.transforms.containers import rebuild

__all__ = ["Leaf", "Results", "is_lasting", "returned_trouble"]

LASTING = (
    *(Wrapper, np.ndarray, np.generic, np.dtype, np.ufunc, Number, str, bytes, type(None), range, slice, EllipsisType),
    *(NotImplementedType, Enum, type, ModuleType, BuiltinFunctionType, type(np.sum)),
)
"""Classes of results that nobody changes, or that each call gets a copy of."""


class Results:
    """The containers that a function returned, and what becomes of each leaf."""

    def __init__(self, leaves: list, structure: Any, tensors: set[Node]):
        self.structure = structure
        self.leaves = [Leaf(y, tensors) for y in leaves]
        self.nodes: list[Any] = [leaf.node for leaf in self.computed()]

    def computed(self) -> list["Leaf"]:
        """The leaves that a program computes, in the order of its results."""
        return [leaf for leaf in self.leaves if leaf.node is not None]

    def rebuilt(self, values: Iterable) -> Any:
        """The results from the values of those that a program computes."""
        return rebuild(self.structure, self.made(values))

    def made(self, values: Iterable) -> list:
        """The leaves from these values."""
        given = iter(values)
        return [leaf.made(given) for leaf in self.leaves]

    def first(self) -> Any:
        """The results of the recorded run itself."""
        return self.rebuilt([np.array(leaf.value._value) for leaf in self.leaves if leaf.node is not None])

    def forget(self) -> None:
        """Let the values of the recorded run go, and its nodes."""
        self.nodes = []
        for leaf in self.leaves:
            if leaf.node is not None:
                leaf.node, leaf.value = True, None


class Leaf:
    """One result: a value of the program in the class that the function gave it, or a constant."""

    def __init__(self, y: Any, tensors: set[Node]):
        value = bare(y) if isinstance(y, Box) else y
        self.node, self.box, self.weak = None, None, None
        self.is_turned = False
        """Whether the program gives its transpose."""
        self.value: Any
        if isinstance(value, Trace):
            self.node, self.value = value._node, value
            self.weak = value._held.__class__ if value._held.__class__ in (int, float, complex) else None
            if isinstance(y, Box) and (y._family.tensor is not Tensor or depends(value._node, tensors)):
                self.box = y._box
        else:
            self.value = y

    def made(self, given: Any) -> Any:
        """The result, of the next one of the given values if it is computed."""
        if self.node is None:
            return _fresh(self.value)
        value = next(given)
        if self.is_turned:
            return value.T
        value = value if np.ndim(value) else np.asarray(value)[()]
        if self.weak is not None:
            return self.weak(value)
        return value if self.box is None else self.box(value)


def _fresh(y: Any) -> Any:
    """A constant result as one that its receiver may write."""
    if isinstance(y, Box) and y._node is None:
        return y._box(np.array(bare(y)))
    return y.copy() if y.__class__ is np.ndarray else y


def returned_trouble(leaves: list, tensors: list) -> str | None:
    """What the function returns that a program cannot give anew at each call, if so."""
    if any(y is t for y in leaves for t in tensors if t._node is not None):
        return "it returns a tensor that it is given, or uses"
    kinds = [type(y).__name__ for y in leaves if not is_lasting(y)]
    return f"it returns a {kinds[0]}, which may change, or be used up" if kinds else None


def is_lasting(y: Any) -> bool:
    """Whether a result is computed, or can be one object for all calls, as nothing changes it."""
    if isinstance(y, FunctionType):
        return y.__closure__ is None and not y.__defaults__ and not y.__kwdefaults__
    return isinstance(y, LASTING) or (isinstance(y, frozenset) and all(isinstance(part, LASTING) for part in y))
