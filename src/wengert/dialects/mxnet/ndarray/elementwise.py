"""Elementwise functions of ``mx.nd``, by the NumPy functions that they are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from wengert import nn
from wengert.dialects.mxnet import selecting
from wengert.dialects.mxnet.naming import named
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, NDArray, compare
from wengert.dialects.mxnet.ndarray.operation import METHODS, operation, put, same_shape
from wengert.rules import nn as rules

UNARY = {
    "abs": np.absolute, "arccos": np.arccos, "arccosh": np.arccosh, "arcsin": np.arcsin, "arcsinh": np.arcsinh,
    "arctan": np.arctan, "arctanh": np.arctanh, "cbrt": np.cbrt, "ceil": np.ceil, "cos": np.cos, "cosh": np.cosh,
    "degrees": np.degrees, "digamma": scipy.special.digamma, "erf": scipy.special.erf, "erfinv": scipy.special.erfinv,
    "exp": np.exp, "expm1": np.expm1, "fix": np.fix, "floor": np.floor, "gamma": scipy.special.gamma,
    "gammaln": scipy.special.gammaln, "log": np.log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2,
    "negative": np.negative, "radians": np.radians, "reciprocal": np.reciprocal, "relu": rules._relu,
    "sigmoid": rules._sigmoid, "sign": np.sign, "sin": np.sin, "sinh": np.sinh, "sqrt": np.sqrt, "square": np.square,
    "tan": np.tan, "tanh": np.tanh, "trunc": np.trunc,
}  # fmt: skip
"""Names of functions of one array, and what they are in NumPy, SciPy and wengert.nn."""
BINARY: dict[str, Any] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "true_divide": np.divide,
    "modulo": np.remainder, "power": np.power, "maximum": np.maximum, "minimum": np.minimum, "hypot": np.hypot,
    "arctan2": np.arctan2,
}  # fmt: skip
COMPARISONS: dict[str, Any] = {
    "equal": np.equal, "not_equal": np.not_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "lesser": np.less, "lesser_equal": np.less_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}  # fmt: skip
SHORT = {"subtract": "sub", "multiply": "mul", "divide": "div", "modulo": "mod"}
"""How a name is spelled after ``broadcast_`` and ``elemwise_``."""


def _see(function: Any) -> str:
    """A docstring that says what a function is."""
    name = function.__name__.lstrip("_")
    space = "numpy" if hasattr(np, name) else "scipy.special" if hasattr(scipy.special, name) else "wengert.nn"
    return f"See `{space}.{name}`."


def _unary(label: str, function: Any) -> Callable:
    def entry(data: Any) -> Any:  # until the first use, since making the function takes a millisecond
        nonlocal entry
        entry = TABLE[function]
        return entry(data)

    def call(data: Any, out: Any = None, name: str | None = None) -> Any:
        return entry(data) if out is None else put(out, entry(data))

    return named(call, label, _see(function))


def _binary(label: str, function: Any, checked: bool = False) -> Callable:
    def entry(lhs: Any, rhs: Any) -> Any:
        nonlocal entry
        entry = TABLE[function]
        return entry(lhs, rhs)

    def call(lhs: Any, rhs: Any, out: Any = None, name: str | None = None) -> Any:
        if lhs.__class__ is not NDArray and not isinstance(lhs, NDArray) and not isinstance(rhs, NDArray):
            return function(lhs, rhs)
        if checked:
            same_shape(label, lhs, rhs)
        return entry(lhs, rhs) if out is None else put(out, entry(lhs, rhs))

    return named(call, label, _see(function))


def _comparing(label: str, function: Any) -> Callable:
    def call(lhs: Any, rhs: Any, out: Any = None, name: str | None = None) -> Any:
        if not isinstance(lhs, NDArray) and not isinstance(rhs, NDArray):
            return function(lhs, rhs)
        y = compare(function, lhs, rhs)
        return y if out is None else put(out, y)

    return named(call, label, _see(function))


FUNCTIONS: dict[str, Callable] = {name: _unary(name, function) for name, function in UNARY.items()}
METHODS.update(FUNCTIONS)
for _name, _function in BINARY.items():
    FUNCTIONS[_name] = _binary(_name, _function)
    _short = SHORT.get(_name, _name)
    FUNCTIONS[f"broadcast_{_short}"] = _binary(f"broadcast_{_short}", _function)
    if _name in ("add", "subtract", "multiply", "divide"):
        FUNCTIONS[f"elemwise_{_short}"] = _binary(f"elemwise_{_short}", _function, checked=True)
for _name, _function in COMPARISONS.items():
    FUNCTIONS[_name] = _comparing(_name, _function)
    FUNCTIONS[f"broadcast_{_name}"] = _comparing(f"broadcast_{_name}", _function)
FUNCTIONS |= {"broadcast_plus": FUNCTIONS["broadcast_add"], "broadcast_minus": FUNCTIONS["broadcast_sub"]}
globals().update(FUNCTIONS)


# What NumPy has no function for ----------------------------------------------------------------------------------


@operation
def rsqrt(data: Any) -> Any:
    """``1 / sqrt(data)``."""
    return np.reciprocal(np.sqrt(data))


@operation
def rcbrt(data: Any) -> Any:
    """``1 / cbrt(data)``."""
    return np.reciprocal(np.cbrt(data))


@operation
def round_(data: Any) -> Any:
    """The nearest whole number; halves go away from zero."""
    return np.copysign(np.floor(np.abs(data) + 0.5), data)


@operation
def rint(data: Any) -> Any:
    """The nearest whole number; halves go down."""
    return np.ceil(data - 0.5)


softsign = operation(nn.softsign)
hard_sigmoid = operation(selecting.hard_sigmoid)
smooth_l1 = operation(selecting.smooth_l1)


@operation
def clip(data: Any, a_min: float, a_max: float) -> Any:
    """Numbers beyond the limits replaced by the limits."""
    return TABLE[np.clip](data, a_min, a_max)


@operation
def logical_not(data: Any) -> Any:
    """Ones where there are zeros, in the same dtype."""
    return compare(np.equal, data, 0)


@operation(method=False)
def add_n(*args: Any) -> Any:
    """The sum of arrays of one shape."""
    total = args[0]
    for a in args[1:]:
        same_shape("add_n", total, a)
        total = total + a
    return total if len(args) > 1 else total.copy()


ElementWiseSum = add_n
FUNCTIONS |= {
    "ElementWiseSum": add_n, "add_n": add_n, "clip": clip, "hard_sigmoid": hard_sigmoid, "logical_not": logical_not,
    "rcbrt": rcbrt, "rint": rint, "round": round_, "rsqrt": rsqrt, "smooth_l1": smooth_l1, "softsign": softsign,
}  # fmt: skip
