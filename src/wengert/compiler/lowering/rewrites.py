"""A table of rewrites: elementwise operations that do nothing, or that something simpler does, for every number."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.graph import Value, together
from wengert.compiler.lowering.builder import Builder

__all__ = ["operation", "simpler"]

Operands = list[Value]
Rule = Callable[[Builder, Operands, np.dtype], Value | None]


def operation(b: Builder, name: str, operands: Operands, dtype: np.dtype) -> Value:
    """An elementwise operation that kernels know, or what is simpler."""
    found = simpler(b, name, operands, dtype)
    return b.map(name, *operands, dtype=dtype) if found is None else found


def simpler(b: Builder, name: str, operands: Operands, dtype: np.dtype) -> Value | None:
    """What gives the same numbers with less work; `None` if nothing is known."""
    if None not in map(_number, operands):
        found = _folded(b, name, operands, dtype)
        if found is not None:
            return found
    rule = _RULES.get(name)
    return rule(b, operands, dtype) if rule is not None else None


def _folded(b: Builder, name: str, operands: Operands, dtype: np.dtype) -> Value | None:
    """An operation on numbers of the program."""
    function = getattr(np, name, None)
    if function is None:
        return None
    shape = together(operands)
    with np.errstate(all="ignore"):
        return b.filled(function(*map(_number, operands)), shape, dtype)


def _number(v: Value) -> Any:
    """The number that a value is everywhere, if the program tells."""
    if v.kind == "move":
        v = v.operands[0]
    return v.setting if v.kind == "literal" else None


def _is(v: Value, number: float) -> bool:
    """Whether a value is one number everywhere; zeros of either sign are equal."""
    if v.kind == "move":
        v = v.operands[0]
    return v.kind == "literal" and bool(v.setting == number)


def _is_whole(v: Value, operands: Operands) -> bool:
    """Whether a value has the shape of the result."""
    return v.shape == together(operands)


def _is_map(v: Value, name: str) -> bool:
    return v.kind == "map" and v.setting == name


# Arithmetic ---------------------------------------------------------------------------------------------------------


def _positive(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    return operands[0] if dtype.kind in "fiu" else None


def _square(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    return b.map("multiply", operands[0], operands[0])


def _add(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    """Zero changes integers not at all, and of floats only -0.0, which no sum with 0.0 is."""
    for x, other in (operands, operands[::-1]):
        if _is(other, 0) and _is_whole(x, operands) and (dtype.kind in "iu" or _is_sum_with_zero(x)):
            return x
    for x, other in (operands, operands[::-1]):
        if _is_negative(other):
            return b.map("subtract", x, other.operands[0], dtype=dtype)
    return None


def _is_sum_with_zero(x: Value) -> bool:
    """Whether a value is never -0.0, so that no zero changes it."""
    return _is_map(x, "add") and any(_is(o, 0) and not np.signbit(_number(o)) for o in x.operands)


def _subtract(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    x, y = operands
    if _is(y, 0) and not np.signbit(_number(y)) and _is_whole(x, operands):
        return x
    return b.map("add", x, y.operands[0], dtype=dtype) if _is_negative(y) else None


def _multiply(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    """Signs go outwards, where they meet others, and sums."""
    for x, other in (operands, operands[::-1]):
        if _is(other, 1) and _is_whole(x, operands):
            return x
        if dtype.kind == "f" and _is(other, -1) and _is_whole(x, operands):
            return _negated(b, x)
    for x, other in (operands, operands[::-1]):
        if _is_negative(x):
            return _negated(b, operation(b, "multiply", [x.operands[0], other], dtype))
    return None


def _negative(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    """Twice is nothing, and a factor that the program knows takes the sign."""
    (x,) = operands
    if dtype.kind != "f":
        return None
    if _is_negative(x):
        return x.operands[0]
    if _is_map(x, "multiply"):
        for y, other in (x.operands, x.operands[::-1]):
            if _number(other) is not None:
                return b.map("multiply", y, b.filled(-_number(other), other.shape, dtype), dtype=dtype)
    return None


def _negated(b: Builder, x: Value) -> Value:
    return operation(b, "negative", [x], x.dtype)


def _is_negative(x: Value) -> bool:
    """Whether a value is a float with the sign changed."""
    return _is_map(x, "negative") and x.dtype.kind == "f"


def _unsigned(name: str) -> Rule:
    """A question to which the sign does not matter."""

    def rule(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
        x, *rest = operands
        if not _is_negative(x) or not all(_is(o, 0) for o in rest):
            return None
        return b.map(name, x.operands[0], *rest, dtype=dtype)

    return rule


def _divide(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    x, y = operands
    return x if _is(y, 1) and _is_whole(x, operands) else None


def _power(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    """Powers that NumPy computes by other means, too; the power 0 is 1 even of NaN."""
    a, exponent = operands
    if dtype.kind in "iu":
        return _whole_power(b, a, _number(exponent)) if _is_whole(a, operands) else None
    if dtype.kind != "f" or _number(exponent) is None or not _is_whole(a, operands):
        return None
    power = float(_number(exponent))
    square = b.map("multiply", a, a) if power in (2, 3, 4) else a
    match power:
        case 0:
            return b.filled(1, a.shape, dtype)
        case 1 | 2:
            return square
        case 3:
            return b.map("multiply", square, a)
        case 4:
            return b.map("multiply", square, square)
        case 0.5:
            return b.map("sqrt", a) if _is_one_number(exponent, a) else _root_as_power(b, a)
        case -1:
            return b.map("divide", 1, a)
    return None


def _is_one_number(exponent: Value, a: Value) -> bool:
    """Whether NumPy sees that an exponent is the same for all: not where it is read along with the bases."""
    return exponent.size == 1 and (not exponent.shape or exponent.shape != a.shape)


def _root_as_power(b: Builder, a: Value) -> Value:
    """The power by a half, which is a root but for the zero and the infinity that are negative: these lose the sign."""
    beyond = b.map("equal", a, -np.inf, dtype=np.bool_)
    return b.map("where", beyond, b.graph.literal(np.inf, a.dtype), b.map("sqrt", b.map("add", a, 0.0)), dtype=a.dtype)


def _float_power(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    """The same for `numpy.float_power`, which knows of no roots: that of -0.0 is 0.0."""
    a, exponent = operands
    if _is(exponent, 0.5) and dtype.kind == "f" and _is_whole(a, operands):
        return _root_as_power(b, a)
    return _power(b, operands, dtype)


MOST_FACTORS = 64
"""Powers of integers up to this one are products."""


def _whole_power(b: Builder, a: Value, exponent: Any) -> Value | None:
    """A power of integers, by squaring; they wrap around as NumPy's do."""
    if exponent is None or not 0 <= exponent <= MOST_FACTORS:
        return None
    found, square, left = None, a, int(exponent)
    while left:
        if left & 1:
            found = square if found is None else b.map("multiply", found, square)
        left >>= 1
        square = b.map("multiply", square, square) if left else square
    return found or b.filled(1, a.shape, a.dtype)


# Truth --------------------------------------------------------------------------------------------------------------


def _logical_not(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    (x,) = operands
    return x.operands[0] if _is_map(x, "logical_not") and x.operands[0].dtype.kind == "b" else None


def _logical_and(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    shape = together(operands)
    for x, other in (operands, operands[::-1]):
        truth = _number(other)
        if truth is not None and not truth:
            return b.filled(False, shape, dtype)
        if truth is not None and x.dtype == dtype:
            return b.graph.broadcast(x, shape)
        if _is_map(x, "equal") and _is(x.operands[1], 0) and _is_map(other, "logical_not"):
            found = _zero_and_not(b, x, other.operands[0], dtype)
            if found is not None:
                return found
    return None


def _zero_and_not(b: Builder, zero: Value, finite: Value, dtype: np.dtype) -> Value | None:
    """Whether something is zero and not finite, which nothing is; or a factor zero and the product not finite: NaN."""
    if not _is_map(finite, "isfinite"):
        return None
    factor, product = zero.operands[0], finite.operands[0]
    if product is factor:
        return b.filled(False, zero.shape, dtype)
    if _is_map(product, "multiply") and factor in product.operands:
        return b.map("logical_and", zero, b.map("isnan", product, dtype=dtype), dtype=dtype)
    return None


def _logical_or(b: Builder, operands: Operands, dtype: np.dtype) -> Value | None:
    shape = together(operands)
    for x, other in (operands, operands[::-1]):
        truth = _number(other)
        if truth is not None and truth:
            return b.filled(True, shape, dtype)
        if truth is not None and x.dtype == dtype:
            return b.graph.broadcast(x, shape)
    return None


_RULES: dict[str, Rule] = {
    "positive": _positive,
    "conjugate": _positive,
    "square": _square,
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "negative": _negative,
    "divide": _divide,
    "power": _power,
    "float_power": _float_power,
    "equal": _unsigned("equal"),
    "not_equal": _unsigned("not_equal"),
    "isnan": _unsigned("isnan"),
    "isfinite": _unsigned("isfinite"),
    "logical_not": _logical_not,
    "logical_and": _logical_and,
    "logical_or": _logical_or,
}
