"""Elementwise functions: operations that do nothing, functions made of others."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.arrays import power_of_ten
from wengert.compiler.graph import Value, together
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.rewrites import simpler
from wengert.compiler.vectormath import is_supported
from wengert.protocol import Spec

__all__ = ["HANDLERS", "chosen", "guarded", "operation", "whole"]


def operation(b: Builder, name: str, operands: list[Value], dtype: np.dtype) -> Value | None:
    """An elementwise operation by NumPy's name, if kernels can do it."""
    found = simpler(b, name, operands, dtype)
    if found is not None:
        return found
    name = "power" if name == "float_power" else name
    same = all(v.dtype == operands[0].dtype for v in operands)
    if name == "power" and operands[1].dtype.kind == "i":  # of which NumPy refuses negative ones
        b.check(b.all_of(b.map("greater_equal", operands[1], 0, dtype=np.bool_)))
    known = name == "ldexp" or (same and is_supported(name, operands[0].dtype.char, len(operands)))
    return b.map(name, *operands, dtype=dtype) if known else None


def whole(b: Builder, spec: Spec, x: Value) -> Value:
    """Python's `int`, of numbers that are far from overflow; of others it raises, or gives a longer one."""
    if x.dtype.kind == "f":
        size = b.map("absolute", x)
        b.check(b.all_of(b.map("less", size, 2.0**53, dtype=np.bool_)))
    return b.graph.reshape(b.cast(x, spec.dtype), ())


def guarded(b: Builder, spec: Spec, c: Value, g: Value) -> Value | None:
    """A partial, 0 where it is infinite or undefined and the cotangent is 0."""
    truth = np.dtype(np.bool_)
    zero = operation(b, "equal", [g, b.value(0, g.dtype)], truth)
    finite = operation(b, "isfinite", [c], truth)
    broken = finite and operation(b, "logical_not", [finite], truth)
    both = zero and broken and operation(b, "logical_and", [zero, broken], truth)
    return both and b.graph.broadcast(chosen(b, both, 0.0, c, spec.dtype), spec.shape)


# Functions made of others -------------------------------------------------------------------------------------------


def chosen(b: Builder, condition: Value, yes: Any, no: Any, dtype: Any = None) -> Value:
    """NumPy's ``where``."""
    dtype = dtype or next(v.dtype for v in (yes, no) if isinstance(v, Value))
    yes, no = b.value(yes, dtype), b.value(no, dtype)
    if condition.kind == "map" and condition.setting == "logical_not" and condition.operands[0].dtype.kind == "b":
        return chosen(b, condition.operands[0], no, yes, dtype)
    one = condition.operands[0] if condition.kind == "move" else condition
    if one.kind == "literal":
        shape = together((condition, yes, no))
        return b.graph.broadcast(yes if one.setting else no, shape)
    return b.map("where", condition, yes, no, dtype=dtype)


# Primitives ---------------------------------------------------------------------------------------------------------


def _same(b: Builder, spec: Spec, x: Value, order: str = "K") -> Value:
    return x


def _astype(b: Builder, spec: Spec, x: Value, dtype: Any = None) -> Value:
    return b.cast(x, spec.dtype)


def _imaginary(b: Builder, spec: Spec, x: Value) -> Value:
    """The imaginary part of real numbers."""
    return b.filled(0, spec.shape, spec.dtype)


def _where(b: Builder, spec: Spec, condition: Any, yes: Any, no: Any) -> Value:
    return b.graph.broadcast(chosen(b, b.value(condition, np.bool_), yes, no, spec.dtype), spec.shape)


def _rounded(b: Builder, spec: Spec, x: Value, decimals: int = 0) -> Value:
    """One part of complex numbers, rounded."""
    first, second = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    power = x.dtype.type(power_of_ten(abs(decimals)))
    return b.map(second, b.map("rint", b.map(first, x, power)), power)


def _clip(b: Builder, spec: Spec, x: Any, low: Any, high: Any) -> Value | None:
    """As of two bounds in NumPy: bounds that are one number leave zeros of either sign as they are."""
    dtype = spec.dtype
    if not is_supported("maximum", dtype.char, 2):
        return None
    bounds = [_bound(b, v, dtype) for v in (low, high)]
    alone = all(v.size == 1 for v in bounds)
    below = _beyond(b, "maximum", b.value(x, dtype), bounds[0], alone and not _is_open(high))
    return _beyond(b, "minimum", below, bounds[1], alone and not _is_open(low))


def _is_open(bound: Any) -> bool:
    """Whether a bound stands for none, of which NumPy makes an extremum of two."""
    return bound.__class__ is float and abs(bound) == np.inf


def _bound(b: Builder, bound: Any, dtype: np.dtype) -> Value:
    """A bound in the dtype of the result; Python's whole numbers may lie outside, where they are no bound."""
    if dtype.kind not in "iu":
        return b.value(bound, dtype)
    limits = np.iinfo(dtype)
    if isinstance(bound, int):
        return b.value(min(max(bound, limits.min), limits.max), dtype)
    if isinstance(bound, Value) and not np.can_cast(bound.dtype, dtype):
        for name, limit in (("greater_equal", limits.min), ("less_equal", limits.max)):
            b.check(b.all_of(b.map(name, bound, min(limit, np.iinfo(bound.dtype).max), dtype=np.bool_)))
    return b.value(bound, dtype)


def _beyond(b: Builder, name: str, x: Value, bound: Value, keeps_zeros: bool) -> Value:
    """The larger or the smaller one of two; where they are equal zeros, the second, or the first if it is kept."""
    found = b.map(name, x, bound)
    if not keeps_zeros or x.dtype.kind != "f" or (bound.kind == "literal" and bound.setting != 0):
        return found
    return chosen(b, b.map("equal", x, bound, dtype=np.bool_), x, found)


def _normal_cdf(b: Builder, spec: Spec, x: Value) -> Value | None:
    """Half of the complementary error function, which is accurate in the tail."""
    if spec.dtype.kind != "f" or x.dtype != spec.dtype:
        return None
    return b.map("multiply", b.map("erfc", b.map("multiply", x, x.dtype.type(-np.sqrt(0.5)))), 0.5)


def _angle(b: Builder, spec: Spec, x: Value, deg: bool = False) -> Value | None:
    """The angle of a real number: none, or half a turn."""
    if spec.dtype.kind != "f" or x.dtype != spec.dtype:
        return None
    angle = b.map("arctan2", b.value(0.0, x.dtype), x)
    return b.map("multiply", angle, x.dtype.type(180 / np.pi)) if deg else angle


def _bessel_i(b: Builder, spec: Spec, x: Value, order: int = 0) -> Value | None:
    if x.dtype != spec.dtype or x.dtype.kind != "f" or not is_supported("iv", count=2):
        return None
    return b.map(f"i{order}", x) if order in (0, 1) else b.map("iv", b.value(order, x.dtype), x)


def _bessel_slope(letter: str) -> Callable:
    """The derivative of ``i1`` or ``j1``."""

    def handler(b: Builder, spec: Spec, x: Value) -> Value | None:
        if x.dtype != spec.dtype or x.dtype.kind != "f" or not is_supported(f"{letter}0"):
            return None
        zero = b.map("equal", x, 0, dtype=np.bool_)
        ratio = b.map("divide", b.map(f"{letter}1", x), chosen(b, zero, 1.0, x))
        return chosen(b, zero, 0.5, b.map("subtract", b.map(f"{letter}0", x), ratio))

    return handler


def _polygamma(b: Builder, spec: Spec, x: Value, order: int = 1) -> Value | None:
    """The derivative of digamma, of positive numbers."""
    if order != 1 or x.dtype != spec.dtype or x.dtype.kind != "f" or not x.size:
        return None
    b.check(b.all_of(b.map("greater", x, 0, dtype=np.bool_)))
    return b.cast(b.map("trigamma", b.cast(x, np.float64)), spec.dtype)


def _log_ndtr_slope(b: Builder, spec: Spec, x: Value) -> Value | None:
    """The density of the normal distribution over the distribution function, without underflow."""
    if x.dtype != spec.dtype or x.dtype.kind != "f" or not is_supported("erfcx"):
        return None
    mills = b.map("erfcx", b.map("multiply", x, x.dtype.type(-np.sqrt(0.5))))
    return b.map("reciprocal", b.map("multiply", mills, x.dtype.type(np.sqrt(np.pi / 2))))


def _sech_squared(b: Builder, spec: Spec, x: Value) -> Value | None:
    """The derivative of the hyperbolic tangent, which does not cancel near 1."""
    if spec.dtype.kind != "f" or not is_supported("exp", spec.dtype.char):
        return None
    x = b.cast(x, spec.dtype)
    e = b.map("exp", b.map("multiply", -2, b.map("absolute", x)))
    return b.map("divide", b.map("multiply", 4, e), b.map("square", b.map("add", 1, e)))


def _sinc(b: Builder, spec: Spec, x: Value) -> Value | None:
    return b.map("sinc", x) if x.dtype == spec.dtype and is_supported("sinc", x.dtype.char) else None


HANDLERS: dict[str, Callable] = {
    "sinc": _sinc,
    "sech_squared": _sech_squared,
    "angle": _angle,
    "i0": _bessel_i,
    "bessel_i": _bessel_i,
    "polygamma": _polygamma,
    "log_ndtr_slope": _log_ndtr_slope,
    "i1_slope": _bessel_slope("i"),
    "j1_slope": _bessel_slope("j"),
    "copy": _same,
    "real": _same,
    "imag": _imaginary,
    "conjugate": _same,
    "astype": _astype,
    "where": _where,
    "clip": _clip,
    "rounded_complex": _rounded,
    "normal_cdf": _normal_cdf,
}
