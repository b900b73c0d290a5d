"""Arithmetic and reductions of complex numbers, in NumPy's own steps.

Products are not mended where parts are infinite, and quotients are Smith's, as NumPy's are.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.buffers import primitive
from wengert.compiler.graph import Value
from wengert.compiler.lowering import holomorphic, indexing, products, reductions
from wengert.compiler.lowering.builder import Builder, normal_axes
from wengert.compiler.lowering.pairs import (
    Pair,
    Parts,
    as_pair,
    is_zero,
    multilinear,
    number_of,
    part_dtype,
    times,
    truth,
)
from wengert.protocol import Spec, intern_spec

__all__ = ["HANDLERS", "operation"]


def operation(b: Builder, name: str, operands: list[Pair]) -> Value | Pair | None:
    """A ufunc of complex numbers of one dtype, by NumPy's name, if kernels can do it."""
    function = OPERATIONS.get(name) or holomorphic.OPERATIONS.get(name)
    return function(Parts(b, operands[0].real.dtype), *operands) if function is not None else None


# Arithmetic ---------------------------------------------------------------------------------------------------------


def _each(name: str) -> Callable:
    """What is done to each part alone."""

    def function(p: Parts, *operands: Pair) -> Pair:
        return Pair(p.map(name, *[z.real for z in operands]), p.map(name, *[z.imag for z in operands]))

    return function


def _conjugate(p: Parts, z: Pair) -> Pair:
    return Pair(z.real, p.negative(z.imag))


def _multiply(p: Parts, x: Pair, y: Pair) -> Pair:
    """The product, one of each two products of parts rounded together with the sum, as NumPy's vectors do it."""
    real = p.multiply_add(x.real, y.real, p.negative(p.multiply(x.imag, y.imag)))
    return Pair(real, p.multiply_add(x.real, y.imag, p.multiply(x.imag, y.real)))


def _square(p: Parts, z: Pair) -> Pair:
    return _multiply(p, z, z)


def _divide(p: Parts, x: Pair, y: Pair) -> Pair:
    """Smith's quotient: the smaller part of the divisor over the larger one first. Zero divides each part."""
    c, d = p.absolute(y.real), p.absolute(y.imag)
    turned = p.b.filled(False, y.shape, np.bool_)
    if not is_zero(y.imag):
        turned = p.test("logical_not", p.test("greater_equal", c, d))
    large, small = p.where(turned, y.imag, y.real), p.where(turned, y.real, y.imag)
    first, second = p.where(turned, x.imag, x.real), p.where(turned, x.real, x.imag)
    ratio = p.divide(small, large)
    scale = p.divide(1, p.add(large, p.multiply(small, ratio)))
    real = p.multiply(p.add(first, p.multiply(second, ratio)), scale)
    # Turned it is what the first comes to less the second, else the other way round: signs of zeros are NumPy's.
    along = p.multiply(first, ratio)
    imag = p.multiply(p.subtract(p.where(turned, along, second), p.where(turned, second, along)), scale)
    zero = p.test("equal", large, 0)
    return Pair(p.where(zero, p.divide(x.real, c), real), p.where(zero, p.divide(x.imag, c), imag))


def _reciprocal(p: Parts, z: Pair) -> Pair:
    turned = p.test("logical_not", p.test("less_equal", p.absolute(z.imag), p.absolute(z.real)))
    large, small = p.where(turned, z.imag, z.real), p.where(turned, z.real, z.imag)
    ratio = p.divide(small, large)
    scale = p.add(large, p.multiply(small, ratio))
    real, imag = p.where(turned, ratio, 1), p.where(turned, -1, p.negative(ratio))
    return Pair(p.divide(real, scale), p.divide(imag, scale))


MOST_FACTORS = 100
"""NumPy takes higher powers by logarithms."""


def _power(p: Parts, z: Pair, exponent: Pair) -> Value | Pair | None:
    """Powers by known numbers: small integers are products in NumPy's order."""
    number = number_of(exponent)
    if number is None or not np.isfinite(number) or z.shape != np.broadcast_shapes(z.shape, exponent.shape):
        return None
    if not number:
        return as_pair(p.b, p.b.filled(1, z.shape, p.dtype), z.dtype)
    if not number.imag and abs(number.real) < MOST_FACTORS and number.real.is_integer():
        n = int(number.real)
        found = _few_times(p, z, n) if n in (1, 2, 3) else _product(p, z, abs(n))
        if number.real < 0:
            found = _divide(p, as_pair(p.b, 1, z.dtype), found)
    else:
        found = holomorphic.power(p, z, exponent)
    zero, at_zero = p.test("logical_not", truth(p.b, z)), 0 if number.real > 0 else np.nan
    return Pair(p.where(zero, at_zero, found.real), p.where(zero, at_zero, found.imag))


def _few_times(p: Parts, z: Pair, n: int) -> Pair:
    """A power up to the third."""
    found = z
    for _ in range(n - 1):
        found = times(p, z, found)
    return found


def _product(p: Parts, z: Pair, n: int) -> Pair:
    """Another power, of which NumPy begins with 1, which zeros and infinities notice."""
    found = as_pair(p.b, 1, z.dtype)
    while True:
        if n % 2:
            found = times(p, found, z)
        n //= 2
        if not n:
            return found
        z = times(p, z, z)


# Questions ----------------------------------------------------------------------------------------------------------


def _of_parts(name: str, together: str) -> Callable:
    """A question to both parts."""

    def function(p: Parts, *operands: Pair) -> Value:
        return p.test(together, p.test(name, *[z.real for z in operands]), p.test(name, *[z.imag for z in operands]))

    return function


def _of_truth(name: str) -> Callable:
    def function(p: Parts, *operands: Pair) -> Value:
        return p.test(name, *[truth(p.b, z) for z in operands])

    return function


OPERATIONS: dict[str, Callable] = {
    "add": _each("add"),
    "subtract": _each("subtract"),
    "negative": _each("negative"),
    "positive": _each("positive"),
    "conjugate": _conjugate,
    "multiply": _multiply,
    "square": _square,
    "divide": _divide,
    "reciprocal": _reciprocal,
    "power": _power,
    "float_power": _power,
    "equal": _of_parts("equal", "logical_and"),
    "not_equal": _of_parts("not_equal", "logical_or"),
    "isnan": _of_parts("isnan", "logical_or"),
    "isinf": _of_parts("isinf", "logical_or"),
    "isfinite": _of_parts("isfinite", "logical_and"),
    "logical_not": _of_truth("logical_not"),
    "logical_and": _of_truth("logical_and"),
    "logical_or": _of_truth("logical_or"),
    "logical_xor": _of_truth("logical_xor"),
}


# Functions of arrays ------------------------------------------------------------------------------------------------


def _real(b: Builder, spec: Spec, z: Pair) -> Value:
    return z.real


def _imag(b: Builder, spec: Spec, z: Pair) -> Value:
    return z.imag


def _conjugated(b: Builder, spec: Spec, z: Pair) -> Pair:
    return _conjugate(Parts(b, z.real.dtype), z)


def _angle(b: Builder, spec: Spec, z: Pair, deg: bool = False) -> Value:
    angle = b.map("arctan2", z.imag, z.real)
    return b.map("multiply", angle, angle.dtype.type(180 / np.pi)) if deg else angle


def _astype(b: Builder, spec: Spec, x: Any, dtype: Any = None) -> Value | Pair:
    """Real numbers become complex; of complex ones the imaginary part is dropped."""
    if spec.dtype.kind == "c":
        return as_pair(b, x, spec.dtype)
    return truth(b, x) if spec.dtype.kind == "b" else b.cast(x.real, spec.dtype)


def _mean(b: Builder, spec: Spec, z: Pair, axis: Any = None, keepdims: bool = False) -> Pair | None:
    n = prod(z.shape[i] for i in normal_axes(axis, len(z.shape)))
    if not n:
        return None
    z = as_pair(b, z, spec.dtype)
    total = Pair(b.total(z.real, axis, keepdims), b.total(z.imag, axis, keepdims))
    return _divide(Parts(b, total.real.dtype), total, as_pair(b, n, spec.dtype))


def _squares(b: Builder, z: Pair) -> Value:
    """The squares of the sizes."""
    return b.map("add", b.map("multiply", z.real, z.real), b.map("multiply", z.imag, z.imag))


def _variance(b: Builder, spec: Spec, z: Pair, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    n = prod(z.shape[i] for i in normal_axes(axis, len(z.shape)))
    if spec.dtype != z.real.dtype or n - ddof <= 0 or not z.size:
        return None
    mean = _mean(b, intern_spec((), z.dtype), z, axis, True)
    assert mean is not None
    centred = _each("subtract")(Parts(b, spec.dtype), z, mean)
    return b.map("divide", b.total(_squares(b, centred), axis, keepdims), spec.dtype.type(n - ddof))


def _deviation(b: Builder, spec: Spec, *args: Any, **kwargs: Any) -> Value | None:
    variance = _variance(b, spec, *args, **kwargs)
    return variance and b.map("sqrt", variance)


def _norm(b: Builder, spec: Spec, z: Pair, axis: Any = None, keepdims: bool = False) -> Value | None:
    if spec.dtype != z.real.dtype:
        return None
    return b.map("sqrt", b.total(_squares(b, z), axis, keepdims))


FEW = 8
"""So many numbers are multiplied one by one."""


def _factors(b: Builder, z: Pair, axis: int) -> list[Pair]:
    """The elements along an axis, each as the axis of length 1."""
    parts = [slice(k, k + 1) for k in range(z.shape[axis])]
    return [Pair(b.part(z.real, axis, part), b.part(z.imag, axis, part)) for part in parts]


def _products(b: Builder, z: Pair, axis: int) -> list[Pair]:
    """The first element, its product with the second one, and so on."""
    p, found = Parts(b, z.real.dtype), _factors(b, z, axis)
    for k in range(1, len(found)):
        found[k] = times(p, found[k - 1], found[k])
    return found


def _prod(b: Builder, spec: Spec, z: Pair, axis: Any = None, keepdims: bool = False) -> Pair | None:
    axes = [i for i in normal_axes(axis, len(z.shape)) if z.shape[i] != 1]
    if len(axes) > 1 or not z.size or (axes and z.shape[axes[0]] > FEW):
        return None
    z = as_pair(b, z, spec.dtype)
    p, found = Parts(b, z.real.dtype), as_pair(b, 1, z.dtype)  # as NumPy begins, which infinities and zeros notice
    for factor in _factors(b, z, axes[0]) if axes else [z]:
        found = times(p, found, factor)
    return Pair(b.graph.reshape(found.real, spec.shape), b.graph.reshape(found.imag, spec.shape))


def _cumprod(b: Builder, spec: Spec, z: Pair, axis: int = 0) -> Pair | None:
    axis %= len(z.shape)
    if not 0 < z.shape[axis] <= FEW or not z.size:
        return None
    found = _products(b, as_pair(b, z, spec.dtype), axis)
    return Pair(b.joined([v.real for v in found], axis), b.joined([v.imag for v in found], axis))


def _accumulated(b: Builder, spec: Spec, z: Pair, ufunc: Any = None, axis: int = 0) -> Pair | None:
    if ufunc is np.multiply:
        return _cumprod(b, spec, z, axis)
    if ufunc is not np.add:
        return None
    z, part = as_pair(b, z, spec.dtype), intern_spec(spec.shape, part_dtype(spec.dtype))
    sums = [reductions.HANDLERS["cumsum"](b, part, v, axis) for v in (z.real, z.imag)]
    return Pair(*sums)


def _gram(b: Builder, spec: Spec, z: Pair) -> Pair | None:
    """The products of all rows with the conjugates of all rows."""
    real_spec = intern_spec(spec.shape, part_dtype(spec.dtype))
    conjugate = _conjugate(Parts(b, real_spec.dtype), z)
    return multilinear(b, products.HANDLERS["rows_times"], real_spec, (z, conjugate), {})


def _written_in_view(
    b: Builder, spec: Spec, z: Any, value: Any, path: tuple = (), index: Any = None, add: bool = False
) -> Pair | None:
    """Both parts are written, or the one that the path leads to."""
    if not isinstance(z, Pair):
        return None
    taken = [function for function, _ in path if function in (primitive("real"), primitive("imag"))]
    rest = tuple(step for step in path if step[0] not in taken)
    part_spec, parts = intern_spec(spec.shape, z.real.dtype), [z.real, z.imag]
    values = as_pair(b, value, spec.dtype)
    for k, given in enumerate((values.real, values.imag)):
        if not taken or taken[0] is primitive(("real", "imag")[k]):
            given = values.real if taken else given
            found = indexing.written_in_view(b, part_spec, parts[k], given, rest, index, add)
            if found is None:
                return None
            parts[k] = found
    return Pair(*parts)


HANDLERS: dict[str, Callable] = {
    "wengert._written": _written_in_view,
    "real": _real,
    "imag": _imag,
    "conjugate": _conjugated,
    "angle": _angle,
    "astype": _astype,
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
    "norm": _norm,
    "prod": _prod,
    "cumprod": _cumprod,
    "accumulate": _accumulated,
    "running": _accumulated,
    "gram": _gram,
}
