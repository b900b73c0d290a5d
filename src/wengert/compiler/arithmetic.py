"""What Python's operators do with traces: arithmetic of Python's own numbers, and what NumPy's numbers do to lists.

`trace` has this module imported (by `entries`) when what it is made of is there.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.box import Box
from wengert.compiler.later import looks
from wengert.compiler.program import Node, Program
from wengert.compiler.taking import take
from wengert.compiler.trace import ONE, PYTHONS_OWN, Trace
from wengert.face import COMPARISONS, OPERATORS
from wengert.primitive import Plain, Primitive

__all__ = ["PYTHONS", "between_numbers", "install"]

PYTHONS: dict[str, Callable] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "true_divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": abs,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "invert": operator.invert,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
}
"""What arithmetic is between Python's own numbers, which are weak: they take on the dtype of what they meet."""
LARGEST_FACTOR = 1 << 31
"""Inputs are whole numbers up to this size, so that a product of two has 64 bits at most."""


def between_numbers(p: Primitive | Plain, program: Program, operands: tuple, values: tuple) -> Any:
    """Arithmetic of Python's numbers, which raises where NumPy's gives infinity or not-a-number."""
    result = program.run(PYTHONS[p.name], *values)
    if program.closed:
        return result
    taken: list[Node] = []
    given, _, key = take(operands, program, taken)
    nodes = [x._node if isinstance(x, Trace) else None for x in operands]
    if p.name in ("divide", "true_divide", "floor_divide", "remainder") and nodes[1] is not None:
        program.guard(nodes[1], bool, True)
    if p.name in ("left_shift", "right_shift"):
        is_left = p.name == "left_shift"  # which has no end
        _guard_each(program, nodes if is_left else nodes[1:], values if is_left else values[1:])
        if is_left:
            return result
    is_product = result.__class__ is int and p.name in ("multiply", "power")
    if is_product:
        _guard_whole(program, p.name, nodes, values)
    if p.name == "power":
        _guard_power(program, nodes, values)
        if result.__class__ is complex and complex not in map(type, values):
            program.refused = program.refused or "a power of Python's numbers is complex"
            return result
    node = program.call((p.call, key), p.call, p.name, tuple(taken), given, {}, result)
    if is_product or not program.products.isdisjoint(taken):
        program.products.add(node)
    if p.name == "power" and result.__class__ in (float, complex):
        # Python raises OverflowError where NumPy's gives infinity.
        _guard_finite(program, node, result)
        for n, value in zip(nodes, values, strict=True):
            if n is not None and not np.isfinite(result):
                _guard_finite(program, n, value)
    return Trace._of(result, node, program)


def _guard_whole(program: Program, name: str, nodes: list, values: tuple) -> None:
    """Products of more than two whole numbers may be beyond 64 bits, where Python's have no end: these are fixed.

    So may those with constants that are large themselves.
    """
    is_square = name == "power" and nodes[1] is None and values[1] <= 2
    is_large = any(abs(value) > LARGEST_FACTOR for value in values)
    if (name == "power" and not is_square) or is_large or not program.products.isdisjoint(nodes):
        _guard_each(program, nodes, values)


def _guard_each(program: Program, nodes: Sequence, values: Sequence) -> None:
    """Whole numbers are fixed."""
    for node, value in zip(nodes, values, strict=True):
        if node is not None:
            program.guard(node, int, value)


def _guard_power(program: Program, nodes: list, values: tuple) -> None:
    """A power is a float, complex or an error by the base's sign and, where that is not positive, by the exponent.

    Of a whole exponent the sign is enough; of one that is fixed it matters only whether the base is 0.

    With complex numbers it is complex, or an error by whether the base is 0.
    """
    base, exponent = values
    is_fixed = nodes[1] is None and exponent.__class__ is not complex and exponent == exponent // 1
    if is_fixed or complex in map(type, values):
        if nodes[0] is not None and (exponent.__class__ is complex or not is_fixed or exponent < 0):
            program.guard(nodes[0], bool, bool(base))
        if nodes[1] is not None and not base:
            program.guard(nodes[1], exponent.__class__, exponent)
        return
    if nodes[0] is not None:
        _guard_sign(program, nodes[0], base)
    if nodes[1] is not None and not base > 0:
        if exponent.__class__ is int:
            _guard_sign(program, nodes[1], exponent)
        else:
            program.guard(nodes[1], float, exponent)


def _guard_finite(program: Program, node: Node, value: Any) -> None:
    found = bool(np.isfinite(value))
    truth = program.call((np.isfinite, ONE[0]), np.isfinite, "isfinite", (node,), ONE, {}, np.bool_(found))
    program.guard(truth, bool, found)


def _guard_sign(program: Program, node: Node, value: Any) -> None:
    """Whether a number is above 0 and, if not, whether it is below, are truth values of the program."""
    for compare, name in ((np.greater, "greater"), (np.less, "less")):
        found = bool(compare(value, 0))
        truth = program.call((compare, ONE[0], 0), compare, name, (node,), (ONE[0], 0), {}, np.bool_(found))
        program.guard(truth, bool, found)
        if found:
            return


def _operator(ufunc: np.ufunc) -> Callable:
    """An operator of traces; numbers repeat lists."""

    def operate(self: Trace, other: Any) -> Any:
        if other.__class__ is Trace:
            return Trace._table[ufunc](self, other)
        if _is_of_dialect(other):
            return NotImplemented
        if ufunc is np.multiply and _repeats(self, other):
            return other * operator.index(self)
        return Trace._table[ufunc](self, other)

    return operate


def _is_of_dialect(other: Any) -> bool:
    """Whether something is a tensor of a dialect, which knows better what comes out of an operator."""
    return isinstance(other, Box) and other._family.settle is not None


def _power(self: Trace, exponent: Any) -> Any:
    """``**``, which is another function than `numpy.power` where an array's exponent is one of these numbers."""
    kind, held = exponent.__class__, looks(self._held)
    if held.__class__ is np.ndarray and (kind is int or kind is float):
        function = INSTEAD.get((kind, exponent))
        if function is not None and (exponent == 2 or held.dtype.kind in "fc"):
            return Trace._table[function](self)
    if held.__class__ in (np.float64, np.float32) and isinstance(exponent, float) and exponent == 0.5:
        power = Trace._table[np.float_power](self, exponent)  # of NumPy's numbers it is no root
        return Trace._table[np.astype](power, np.result_type(held, exponent), copy=False)
    return POWER(self, exponent)


POWER = _operator(np.power)
INSTEAD = {(int, 2): np.square, (int, -1): np.reciprocal, (float, 0.5): np.sqrt}
"""What NumPy computes powers of arrays by; of truth values, say, the square is no int64."""


ORDERS = {np.less, np.less_equal, np.greater, np.greater_equal}
"""Comparisons that Python refuses for complex numbers."""


def _comparison(ufunc: np.ufunc) -> Callable:
    """A comparison of traces; that of Python's numbers is Python's, a truth value that the program decides by."""

    def operate(self: Trace, other: Any) -> Any:
        if _is_of_dialect(other):
            return NotImplemented
        if not self._node.weak:
            return Trace._table[ufunc](self, other)
        if other is None or other.__class__ is str:
            return NotImplemented
        if ufunc in ORDERS and complex in (self._held.__class__, getattr(other, "_held", other).__class__):
            return NotImplemented
        result = Trace._table[ufunc](self, other)
        of_pythons = other._node.weak if isinstance(other, Trace) else other.__class__ in PYTHONS_OWN
        return bool(result) if of_pythons else result

    return operate


def _divmod(a: Any, b: Any) -> tuple:
    """Quotient and remainder, each of which is Python's number where both operands are."""
    return a // b, a % b


def _repeats(n: Trace, other: Any) -> bool:
    """Whether a product is that of a list, tuple or text with a whole number of NumPy's."""
    return other.__class__ in (list, tuple, str) and not n._spec.ndim and n._spec.dtype.kind in "iu"


def _times(self: Trace, other: Any) -> Any:
    return other * operator.index(self) if _repeats(self, other) else Trace._table[np.multiply](other, self)


def install() -> None:
    """Give traces their operators."""
    for name, ufunc in OPERATORS.items():
        setattr(Trace, f"__{name}__", _operator(ufunc))
    setattr(Trace, "__pow__", _power)  # noqa: B010
    for name, ufunc in COMPARISONS.items():
        setattr(Trace, f"__{name}__", _comparison(ufunc))
    setattr(Trace, "__divmod__", _divmod)  # noqa: B010
    setattr(Trace, "__rdivmod__", lambda b, a: _divmod(a, b))  # noqa: B010
    setattr(Trace, "__rmul__", _times)  # noqa: B010 - its type is another than what checkers think it is
