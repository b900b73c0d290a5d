"""Ufuncs: the dtypes NumPy computes in."""

import functools
from typing import Any

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.lowering import complexes, elementwise
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.pairs import Pair, as_pair, truth
from wengert.compiler.program import KINDS, Node, Ref

__all__ = ["ufunc"]

PYTHONS = (int, float, complex)
"""Python's own numbers, which take on the dtype of what they meet."""


def ufunc(b: Builder, node: Node, of: dict) -> Value | Pair | None:
    """A ufunc, with its operands in the dtypes of the loop that NumPy would choose."""
    call = node.call
    function: Any = call.function
    if call.kwargs or function.nout != 1 or function.nin != len(call.args):
        return None
    given: list[Any] = []
    operands: list[Any] = []
    for a in call.args:
        if a.__class__ is Ref:
            operand = node.operands[a.position]
            x, weak = of[operand.index], operand.call.weak
            given.append(x.dtype if weak is None else weak if weak is not True else float)
        else:
            x = a
            given.append(type(a) if type(a) in PYTHONS else np.asarray(a).dtype)
        operands.append(x)
    loop = _loop(function, *given)
    if loop is None:
        return None
    dtypes, alike = loop
    if alike and all(x.__class__ is Value for x in operands):
        return elementwise.operation(b, function.__name__, operands, dtypes[-1])
    if not all(map(_holds, dtypes, call.args)):
        return None
    if dtypes[0].kind == "c":
        pairs = [as_pair(b, x, dtype) for x, dtype in zip(operands, dtypes, strict=False)]
        return complexes.operation(b, function.__name__, pairs)
    if dtypes[0].kind == "b":  # logical functions of different dtypes
        operands = [truth(b, x) if isinstance(x, Pair) else x for x in operands]
    if any(isinstance(x, Pair) for x in operands):
        return None
    for a, x, dtype in zip(call.args, operands, dtypes, strict=False):
        if a.__class__ is Ref and node.operands[a.position].weak is int and dtype.kind in "iu":
            _check_range(b, x, dtype)
    values = [b.value(x, dtype) for x, dtype in zip(operands, dtypes, strict=False)]
    return elementwise.operation(b, function.__name__, values, dtypes[-1])


def _check_range(b: Builder, x: Value, dtype: np.dtype) -> None:
    """NumPy raises where one of Python's whole numbers is none of an array's dtype."""
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    if least > np.iinfo(x.dtype).min:
        b.check(b.map("greater_equal", x, least, dtype=np.bool_))
    if most < np.iinfo(x.dtype).max:
        b.check(b.map("less_equal", x, most, dtype=np.bool_))


@functools.cache
def _loop(function: np.ufunc, *given: Any) -> tuple[tuple[np.dtype, ...], bool] | None:
    """The dtypes of the loop that NumPy would choose, and whether the operands have them as they are.

    `None` if kernels do not know one of them.
    """
    if all(x in PYTHONS for x in given):  # two of Python's own, which NumPy would compare as objects
        given = tuple(map(np.dtype, given))
    dtypes = function.resolve_dtypes((*given, None))
    if not all(d.char in KINDS for d in dtypes):
        return None
    return dtypes, dtypes[0].kind in "fiu" and all(x is dtype for x, dtype in zip(given, dtypes, strict=False))


def _holds(dtype: np.dtype, number: Any) -> bool:
    """Whether a Python number can be one of a dtype; NumPy compares with others, too."""
    if type(number) is not int or dtype.kind not in "iu":
        return True
    bounds = np.iinfo(dtype)
    return bool(bounds.min <= number <= bounds.max)
