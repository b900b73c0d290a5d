"""Elementary functions of complex numbers, of real ones of their parts.

At infinities, NaN and signed zeros they have the values that the C standard asks for (Annex G), which NumPy's have as
well; on the way nothing overflows where the result does not.
"""

from collections.abc import Callable

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.lowering.pairs import Pair, Parts, times

__all__ = ["OPERATIONS", "power"]

HUGE = {"d": 700.0, "f": 80.0}
"""Beyond these sizes an exponential may overflow where its product with a sine does not: it is taken in two steps."""
SATURATED = {"d": 22.0, "f": 11.0}
"""Beyond these sizes the hyperbolic tangent is 1."""


def _absolute(p: Parts, z: Pair) -> Value:
    return p.hypot(z.real, z.imag)


def _sign(p: Parts, z: Pair) -> Pair:
    """The number over its size; where that is infinite NumPy's choice of one part."""
    x, y = z.real, z.imag
    size = p.hypot(x, y)
    sideways, upwards, infinite = p.test("isinf", x), p.test("isinf", y), p.test("isinf", size)
    nothing = p.test("equal", size, 0)
    both = p.where(upwards, np.nan, 0)
    real = p.where(sideways, p.add(both, p.copysign(1, x)), 0)
    imag = p.where(sideways, both, p.copysign(1, y))
    found = [p.where(nothing, 0, p.divide(v, size)) for v in (x, y)]
    return Pair(p.where(infinite, real, found[0]), p.where(infinite, imag, found[1]))


# Exponentials -------------------------------------------------------------------------------------------------------


def _in_two_steps(p: Parts, x: Value) -> tuple[Value, Value, Value]:
    """Whether a number is huge, its exponential then but for a factor, and that factor (else 1)."""
    huge = HUGE[p.dtype.char]
    beyond = p.test("greater", x, huge)
    return beyond, p.exp(p.where(beyond, p.subtract(x, huge), x)), p.where(beyond, np.exp(p.dtype.type(huge)), 1)


def _exp(p: Parts, z: Pair) -> Pair:
    x, y = z.real, z.imag
    _, size, more = _in_two_steps(p, x)
    finite, nothing, infinite = p.test("isfinite", y), p.test("equal", x, -np.inf), p.test("equal", x, np.inf)
    cosine = p.where(finite, p.cos(y), p.where(nothing, 0, p.where(infinite, 1, np.nan)))
    sine = p.where(finite, p.sin(y), p.where(nothing, p.copysign(0, y), np.nan))
    real, imag = (p.multiply(size, p.multiply(more, v)) for v in (cosine, sine))
    # Real numbers stay real, infinities and NaN as well.
    return Pair(real, p.where(p.test("equal", y, 0), y, imag))


def _exp2(p: Parts, z: Pair) -> Pair:
    return _exp(p, Pair(p.multiply(z.real, np.log(2)), p.multiply(z.imag, np.log(2))))


def _expm1(p: Parts, z: Pair) -> Pair:
    half = p.sin(p.multiply(z.imag, 0.5))
    less = p.multiply(2, p.multiply(half, half))
    real = p.subtract(p.multiply(p.expm1(z.real), p.cos(z.imag)), less)
    return Pair(real, p.multiply(p.exp(z.real), p.sin(z.imag)))


# Logarithms ---------------------------------------------------------------------------------------------------------

LARGE, SMALL = {"d": 2.0**1000, "f": 2.0**120}, {"d": 2.0**-900, "f": 2.0**-100}
"""Sizes beyond which numbers are scaled, so that their size neither overflows nor loses digits."""


def _log(p: Parts, z: Pair) -> Pair:
    x, y = p.absolute(z.real), p.absolute(z.imag)
    larger, smaller = p.fmax(x, y), p.fmin(x, y)
    above, below = p.test("greater", larger, LARGE[p.dtype.char]), p.test("less", larger, SMALL[p.dtype.char])
    bits = 100 if p.dtype.char == "d" else 30
    scale = p.where(above, 2.0**-bits, p.where(below, 2.0**bits, 1))
    more = p.where(above, bits * np.log(2), p.where(below, -bits * np.log(2), 0))
    size = p.hypot(p.multiply(x, scale), p.multiply(y, scale))
    # Around 1 the square of the size less 1 has the digits.
    excess = p.add(p.multiply(p.subtract(larger, 1), p.add(larger, 1)), p.multiply(smaller, smaller))
    around_one = p.test("less", p.absolute(p.subtract(size, 1)), 0.3)
    real = p.where(around_one, p.multiply(0.5, p.log1p(excess)), p.add(p.log(size), more))
    return Pair(real, p.arctan2(z.imag, z.real))


def _scaled_log(factor: float) -> Callable:
    def function(p: Parts, z: Pair) -> Pair:
        found = _log(p, z)
        return Pair(p.multiply(found.real, factor), p.multiply(found.imag, factor))

    return function


def _log1p(p: Parts, z: Pair) -> Pair:
    x, y = z.real, z.imag
    above = p.add(x, 1)
    excess = p.add(p.multiply(x, p.add(x, 2)), p.multiply(y, y))
    around_one = p.test("less", p.absolute(excess), 0.5)
    real = p.where(around_one, p.multiply(0.5, p.log1p(excess)), p.log(p.hypot(above, y)))
    return Pair(real, p.arctan2(y, above))


def power(p: Parts, z: Pair, exponent: Pair) -> Pair:
    """A power of what is not zero, by the exponential of a product that is mended where its factor is infinite."""
    logarithm = _log(p, z)
    product = times(p, exponent, logarithm)
    lost = p.test("logical_and", p.test("isinf", logarithm.real), p.test("isnan", logarithm.imag))
    parts = (product.real, exponent.real), (product.imag, exponent.imag)
    mended = [p.where(lost, p.multiply(logarithm.real, factor), v) for v, factor in parts]
    return _exp(p, Pair(*mended))


# Roots --------------------------------------------------------------------------------------------------------------


def _sqrt(p: Parts, z: Pair) -> Pair:
    """The root of half of the size and the real part, and the imaginary part over twice that; scaled by powers of 4."""
    x, y = p.absolute(z.real), p.absolute(z.imag)
    larger = p.fmax(x, y)
    bits = 100 if p.dtype.char == "d" else 30
    above, below = p.test("greater", larger, LARGE[p.dtype.char]), p.test("less", larger, SMALL[p.dtype.char])
    scale = p.where(above, 2.0**-bits, p.where(below, 2.0**bits, 1))
    back = p.where(above, 2.0 ** (bits // 2), p.where(below, 2.0 ** -(bits // 2), 1))
    x, y = p.multiply(x, scale), p.multiply(y, scale)
    root = p.sqrt(p.multiply(0.5, p.add(x, p.hypot(x, y))))
    nothing = p.test("equal", root, 0)
    other = p.where(nothing, 0, p.divide(y, p.multiply(2, root)))
    root, other = p.multiply(root, back), p.multiply(other, back)
    left = p.test("less", z.real, 0)
    real, imag = p.where(left, other, root), p.copysign(p.where(left, root, other), z.imag)
    return _root_at_infinity(p, z, Pair(real, imag))


def _root_at_infinity(p: Parts, z: Pair, found: Pair) -> Pair:
    upwards, sideways = p.test("isinf", z.imag), p.test("isinf", z.real)
    left, known = p.test("less", z.real, 0), p.test("logical_not", p.test("isnan", z.imag))
    zero = p.where(known, 0, np.nan)
    real = p.where(sideways, p.where(left, zero, np.inf), found.real)
    imag = p.where(sideways, p.where(left, p.copysign(np.inf, z.imag), p.copysign(zero, z.imag)), found.imag)
    return Pair(p.where(upwards, np.inf, real), p.where(upwards, z.imag, imag))


# Sines and hyperbolic functions -------------------------------------------------------------------------------------


def _hyperbolic(p: Parts, x: Value) -> tuple[Value, Value, Value]:
    """Sine and cosine but for a factor, and the factor."""
    beyond, half, more = _in_two_steps(p, p.absolute(x))
    half = p.multiply(0.5, half)
    return p.where(beyond, p.copysign(half, x), p.sinh(x)), p.where(beyond, half, p.cosh(x)), more


def _sinh(p: Parts, z: Pair) -> Pair:
    x, y = z.real, z.imag
    sine, cosine, more = _hyperbolic(p, x)
    at_infinity = p.where(p.test("isinf", x), p.copysign(1, x), np.nan)
    turn = p.where(p.test("isfinite", y), p.cos(y), p.where(p.test("equal", x, 0), 1, at_infinity))
    real = p.multiply(sine, p.multiply(turn, more))
    imag = p.multiply(cosine, p.multiply(p.sin(y), more))
    return Pair(real, p.where(p.test("equal", y, 0), y, imag))


def _cosh(p: Parts, z: Pair) -> Pair:
    x, y = z.real, z.imag
    sine, cosine, more = _hyperbolic(p, x)
    finite = p.test("isfinite", y)
    turn = p.where(finite, p.cos(y), p.where(p.test("isinf", x), 1, np.nan))
    real = p.multiply(cosine, p.multiply(turn, more))
    imag = p.multiply(sine, p.multiply(p.sin(y), more))
    # Of nothing times infinity, or times NaN, nothing is left.
    imag = p.where(p.test("logical_and", p.test("equal", x, 0), p.test("logical_not", finite)), 0, imag)
    zero = p.where(p.test("isnan", x), y, p.multiply(p.copysign(1, x), y))
    return Pair(real, p.where(p.test("equal", y, 0), zero, imag))


def _tanh(p: Parts, z: Pair) -> Pair:
    x, y = z.real, z.imag
    size, finite = p.absolute(x), p.test("isfinite", y)
    far = p.test("greater", size, SATURATED[p.dtype.char])
    near = p.where(far, 0, x)
    sine, cosine, turn, rise = p.sinh(near), p.cosh(near), p.cos(y), p.sin(y)
    below = p.add(p.multiply(sine, sine), p.multiply(turn, turn))
    both = p.multiply(rise, turn)
    # Beyond, four times the square of the decay, which may be tiny.
    decay = p.exp(p.negative(size))
    imag = p.where(far, p.multiply(p.multiply(p.multiply(4, both), decay), decay), p.divide(both, below))
    known = p.test("logical_or", finite, p.test("isinf", x))
    real = p.where(far, p.where(known, p.copysign(1, x), np.nan), p.divide(p.multiply(sine, cosine), below))
    # Where the imaginary part is no angle.
    imag = p.where(finite, imag, p.where(p.test("isinf", x), p.copysign(0, y), np.nan))
    real = p.where(p.test("logical_or", finite, p.test("not_equal", x, 0)), real, x)
    return Pair(real, p.where(p.test("equal", y, 0), y, imag))


def _turned(function: Callable) -> Callable:
    """A function of an imaginary multiple, turned back: sin z = i sinh(-iz)."""

    def turned(p: Parts, z: Pair) -> Pair:
        found = function(p, Pair(z.imag, p.negative(z.real)))
        return Pair(p.negative(found.imag), found.real)

    return turned


def _cos(p: Parts, z: Pair) -> Pair:
    return _cosh(p, Pair(p.negative(z.imag), z.real))


OPERATIONS: dict[str, Callable] = {
    "absolute": _absolute,
    "sign": _sign,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log,
    "log2": _scaled_log(1 / np.log(2)),
    "log10": _scaled_log(1 / np.log(10)),
    "log1p": _log1p,
    "sqrt": _sqrt,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "sin": _turned(_sinh),
    "cos": _cos,
    "tan": _turned(_tanh),
}
"""By NumPy's names."""
