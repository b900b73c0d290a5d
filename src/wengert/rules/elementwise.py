"""Elementwise functions: arithmetic, exponentials, trigonometry, comparisons."""

import math
from typing import Any

import numpy as np

from wengert.primitive import composite, elementwise, is_wrapper, linear, primitive, without_gradient
from wengert.protocol import constant, everything, everywhere, innermost, is_recorded, perhaps


def choose(mask: Any, yes: Any, no: Any) -> Any:
    """`numpy.where`, without its cost where the mask is a single truth value."""
    if mask.__class__ is np.bool_:
        return yes if mask else no
    return np.where(mask, yes, no)


def only(mask: Any, g: Any) -> Any:
    """``np.where(mask, g, 0)``, for which NumPy takes ten times as long as for other loops where the mask is random."""
    if mask.__class__ is np.ndarray is g.__class__ and mask.ndim and mask.dtype == bool and g.dtype.char in "df":
        return _masked_bits(mask, g)
    # A product that is recorded would make NaN of what infinity comes back.
    if mask.__class__ is not np.bool_ and not is_wrapper(g) and everywhere(np.isfinite(g)):
        return mask * g
    return choose(mask, g, np.zeros_like(g))


def _masked_bits(mask: np.ndarray, g: np.ndarray) -> np.ndarray:
    """All bits of a number where the mask holds, and none elsewhere: zero, whatever the number is."""
    bits = np.negative(mask.view(np.int8)).astype(np.int64 if g.dtype.char == "d" else np.int32)
    kept = np.bitwise_and(bits, g.view(bits.dtype), out=bits if g.shape == mask.shape else None)
    return kept.view(g.dtype)


def is_complex(x: Any) -> bool:
    """Whether a value (or what a wrapper stands for) is complex; Python numbers included."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


# Arithmetic ------------------------------------------------------------------------------------------------------

elementwise(np.add, lambda: 1, lambda: 1)
elementwise(np.subtract, lambda: 1, lambda: -1)
elementwise(np.multiply, lambda b: b, lambda a: a)
elementwise(np.divide, lambda g, b: g / b, lambda g, b, y: -(g * y / b), singular=True)
elementwise(np.negative, lambda: -1)
elementwise(np.positive, lambda: 1)
elementwise(np.reciprocal, lambda g, x: -(g / x / x), singular=True)
elementwise(np.square, lambda x: 2 * x)
elementwise(np.remainder, lambda: 1, lambda g, a, b: -(g * np.floor_divide(a, b)), singular=True)
# The quotient without the remainder: a / b alone may be rounded to the next integer.
elementwise(np.fmod, lambda: 1, lambda g, a, b, y: -(g * np.rint((a - y) / b)), singular=True)
elementwise(np.floor_divide, lambda: 0, lambda: 0)


def _power_base(g, a, b):
    if b.__class__ in (int, float):
        if b >= 1:
            return g * (b * a ** (b - 1))
        # A division, as its own derivative heeds zero cotangents.
        return g * b / a ** (1 - b) if b != 0 else np.zeros_like(g)
    if getattr(b, "dtype", None) == np.dtype(bool):
        b = b.astype(np.int8)  # less than which a truth value minus 1 must not become
    # The derivative of x**0 is 0, also at x = 0, where 0 * x**-1 is not.
    nothing = b == 0
    if not perhaps(nothing):
        return g * (b * a ** (b - 1))
    nothing = nothing & (a == 0)  # elsewhere the formula holds, and its own derivative by b is not 0
    return choose(nothing, np.zeros_like(g), g * (b * a ** choose(nothing, np.ones_like(b), b - 1)))


def _power_exponent(g, a, y):
    # Powers of 0 are 0 (or 1, for the exponent 0), and so is the derivative, though log(0) is infinite.
    zero = a == 0
    if perhaps(zero) or a.__class__ in (int, float, complex):
        a = choose(zero, np.ones_like(y), a)
    return g * (y * np.log(a))


elementwise(np.power, _power_base, _power_exponent, singular=True)


elementwise(
    np.float_power,
    lambda g, a, b: _power_base(g, _double(a), b),
    lambda g, a, y: _power_exponent(g, _double(a), y),
    singular=True,
    casts=True,
)


def _double(x):
    """In double precision or better, in which `numpy.float_power` computes."""
    x = x if is_wrapper(x) else np.asarray(x)
    return np.astype(x, np.result_type(x.dtype, np.float64))


def _share(g, wins, ties):
    """Cotangent of the one operand that was taken; operands that are equal share it evenly."""
    if wins.__class__ is np.bool_ or perhaps(ties):
        return choose(wins, g, choose(ties, 0.5 * g, np.zeros_like(g)))
    return only(wins, g)


for _larger in (np.maximum, np.fmax):
    elementwise(_larger, lambda g, a, b: _share(g, a > b, a == b), lambda g, a, b: _share(g, b > a, a == b))
for _smaller in (np.minimum, np.fmin):
    elementwise(_smaller, lambda g, a, b: _share(g, a < b, a == b), lambda g, a, b: _share(g, b < a, a == b))


def _absolute(g, x, y):
    if is_complex(x):
        return g * (x / choose(y == 0, np.ones_like(y), y))
    return g * np.sign(x)


def _sign(g, x, y):
    """Of a complex number the sign is its direction: the cotangent across it, divided by the distance from 0."""
    if not is_complex(x):
        return np.zeros_like(g)
    size = np.abs(x)
    return (g - y * np.real(np.conjugate(y) * g)) / choose(size == 0, np.ones_like(size), size)


elementwise(np.absolute, _absolute, holomorphic=False)
elementwise(np.sign, _sign, holomorphic=False)
elementwise(np.fabs, np.sign)
elementwise(np.copysign, lambda g, a, b: g * (np.copysign(1, a) * np.copysign(1, b)).astype(g.dtype), lambda: 0)
elementwise(np.heaviside, lambda: 0, lambda g, a: choose(a == 0, g, np.zeros_like(g)))
for _step in (np.floor, np.ceil, np.trunc, np.rint):
    elementwise(_step, lambda: 0)


# Exponentials and logarithms -------------------------------------------------------------------------------------

# Partials that overflow are infinite, too: where(x > 0, 1 / (1 + exp(-x)), exp(x) / (1 + exp(x))) is a usual sigmoid.
elementwise(np.exp, lambda y: y, singular=True)
elementwise(np.exp2, lambda y: math.log(2) * y, singular=True)
elementwise(np.expm1, np.exp, singular=True)
elementwise(np.log, lambda g, x: g / x, singular=True)
elementwise(np.log2, lambda g, x: g / (math.log(2) * x), singular=True)
elementwise(np.log10, lambda g, x: g / math.log(10) / x, singular=True)
elementwise(np.log1p, lambda g, x: g / (1 + x), singular=True)
elementwise(np.sqrt, lambda g, y: 0.5 * g / y, singular=True)
elementwise(np.cbrt, lambda g, y: g / (3 * y * y), singular=True)


def _sigmoid(x):
    if is_complex(x):
        right = np.real(x) >= 0
        e = np.exp(choose(right, -x, x))
        return choose(right, np.ones_like(e), e) / (1 + e)
    # exp is only asked for what it brings to at most 1: no overflow on either side. On the right the numerator is 1.
    e = np.exp(-np.abs(x))
    if x.__class__ is np.ndarray:  # NumPy takes longer for a mask beside numbers than for another exp
        return np.exp(np.minimum(x, 0)) / (1 + e)
    return np.maximum(e, x >= 0) / (1 + e)


sigmoid = elementwise(_sigmoid, lambda x, y: y * sigmoid(-x))


def _portion(g, x, other, scale=None):
    """Part of the operand x in log(exp(x) + exp(other)). The sum itself is too coarse where the operands are large."""
    difference = x - other
    tie = np.isinf(x) & (x == other)
    if perhaps(tie):
        difference = choose(tie, np.zeros_like(difference), difference)
        g = choose(tie & (x < 0), np.zeros_like(g), g)
    return g * sigmoid(difference if scale is None else scale * difference)


elementwise(np.logaddexp, lambda g, a, b: _portion(g, a, b), lambda g, a, b: _portion(g, b, a))
elementwise(
    np.logaddexp2,
    lambda g, a, b: _portion(g, a, b, scale=math.log(2)),
    lambda g, a, b: _portion(g, b, a, scale=math.log(2)),
)


# Trigonometric and hyperbolic functions --------------------------------------------------------------------------


def _arcsin_root(x):
    # On the cuts the side is told by the sign of an imaginary part of zero, which 1 - x would lose.
    return np.sqrt(-(x - 1)) * np.sqrt(1 + x) if is_complex(x) else np.sqrt((1 - x) * (1 + x))


def _factors(x):
    """Both x - i and x + i, in which the real part keeps its sign where it is zero."""
    return x - 1j, x - complex(0, -1)


def _arctan(g, x):
    if is_complex(x):
        low, high = _factors(x)
        return g / low / high
    return g / (1 + x * x)


def _arcsinh_root(x):
    if is_complex(x):
        low, high = _factors(x)
        root = np.sqrt(low * high)
    else:
        root = np.sqrt(1 + x * x)
    beyond = ~np.isfinite(root)
    return choose(beyond, x * np.copysign(1, np.real(constant(x))), root) if perhaps(beyond) else root


def _over_square(g, x, a, b):
    """The quotient g * x / (a ** 2 + b ** 2), where the squares are out of range as well."""
    square = a * a + b * b
    if everywhere(np.isfinite(square) & (square > np.finfo(square.dtype).tiny / np.finfo(square.dtype).eps)):
        return g * x / square
    size = constant(np.maximum(abs(a), abs(b)))  # np.abs would make float64 of a Python number
    size = choose((size == 0) | np.isinf(size), np.ones_like(size), size)
    a, b, x = a / size, b / size, x / size
    return g * (x / (a * a + b * b)) / size


def _sech_squared(x):
    if not is_complex(x):
        e = np.exp(-2 * np.abs(x))  # of which NumPy's loops are faster than those of cosh
        return 4 * e / np.square(1 + e)
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.square(np.cosh(x))
        y = 1 / square
    return choose(np.isfinite(square) | np.isnan(x), y, np.zeros_like(y))


_sech_squared = elementwise(_sech_squared, lambda g, x, y: -2 * g * y * np.tanh(x))


def _tanh(x, y):
    if is_recorded(everything(y)) and not is_complex(x):  # which is right everywhere
        return _sech_squared(x)
    square = y * y
    # Near 1 the difference would cancel.
    near = np.abs(1 - square) < 0.1 if is_complex(x) else square > 0.9
    return _sech_squared(x) if perhaps(near) else 1 - square


def _tan(x, y):
    # A complex tangent comes near i and -i.
    return _sech_squared(1j * x) if is_complex(x) and perhaps(np.abs(1 + y * y) < 0.1) else 1 + y * y


elementwise(np.sin, np.cos)
elementwise(np.cos, lambda g, x: -(g * np.sin(x)))
elementwise(np.tan, _tan)
elementwise(np.arcsin, lambda g, x: g / _arcsin_root(x), singular=True)
elementwise(np.arccos, lambda g, x: -(g / _arcsin_root(x)), singular=True)
elementwise(np.arctan, _arctan, singular=True)
elementwise(
    np.arctan2, lambda g, a, b: _over_square(g, b, a, b), lambda g, a, b: -_over_square(g, a, a, b), singular=True
)
elementwise(np.sinh, np.cosh, singular=True)
elementwise(np.cosh, np.sinh, singular=True)
elementwise(np.tanh, _tanh)
elementwise(np.arcsinh, lambda g, x: g / _arcsinh_root(x), singular=True)
# The root of the product has another branch, and overflows.
elementwise(np.arccosh, lambda g, x: g / np.sqrt(x - 1) / np.sqrt(x + 1), singular=True)
elementwise(np.arctanh, lambda g, x: g / (1 - x) / (1 + x), singular=True)
for _to_radians in (np.deg2rad, np.radians):
    elementwise(_to_radians, lambda: math.pi / 180)
for _to_degrees in (np.rad2deg, np.degrees):
    elementwise(_to_degrees, lambda: 180 / math.pi)


def _hypot(g, x, y):
    # At the origin, where the direction is not defined, the derivative is 0 by convention.
    return g * (x / choose(y == 0, np.ones_like(y), y))


elementwise(np.hypot, lambda g, a, y: _hypot(g, a, y), lambda g, b, y: _hypot(g, b, y))


_SINC = [2 * k / math.factorial(2 * k + 1) for k in range(1, 8)]
"""Taylor's coefficients of the derivative of sin(t) / t, with alternating signs, of odd powers."""


def _sinc(g, x, y):
    # The difference would cancel below 0.2: there Taylor's series, whose next term is below 1e-16 of the first.
    small = np.abs(x) < 0.2
    t = math.pi * only(small, x)
    square = -t * t
    series = _SINC[-1]
    for coefficient in _SINC[-2::-1]:
        series = coefficient + square * series
    difference = (np.cos(math.pi * x) - y) / (x + small)
    return g * (only(np.logical_not(small), difference) - math.pi * t * series)


elementwise(np.sinc, _sinc)


# Complex numbers -------------------------------------------------------------------------------------------------
# The cotangent of z = x + iy is dL/dx + i dL/dy. These functions are linear over the real numbers only.


def _as_complex(g, like):
    return g.astype(like.dtype) if like.is_complex else g


linear(np.conjugate, lambda g: np.conjugate(g), batch="leading", moves=True)
linear(np.real, lambda g, like: _as_complex(g, like), view=True, batch="leading")


def _imag(x):
    return np.imag(x)


_imag = linear(_imag, lambda g, like: g * 1j if like.is_complex else np.zeros_like(g), view=True, batch="leading")


@composite(np.imag)
def imag(val):
    y = _imag(val)
    return y if is_complex(val) else np.broadcast_to(y, y.shape)  # zeros that nobody may write


def _angle(x, deg=False):
    return np.angle(x, deg)


_angle = primitive(
    _angle, lambda g, x, deg: _angle_rule(g, x) * (180 / math.pi if deg else 1), holomorphic=False, batch="leading"
)


def _angle_rule(g, x):
    if not is_complex(x):
        return np.zeros_like(g)
    return _over_square(g * 1j, x, np.real(x), np.imag(x))


@composite(np.angle)
def angle(z, deg=False):
    return _angle(z, deg=deg)


# Composites ------------------------------------------------------------------------------------------------------


def _clip(x, low, high):
    return np.clip(x, None if _is_open(x, low) else low, None if _is_open(x, high) else high)


def _is_open(x, bound):
    """Whether a bound of floats stands for none, with which NumPy leaves other zeros than with one at infinity."""
    return bound.__class__ is float and abs(bound) == math.inf and x.dtype.kind == "f"


def _inside(g, x, low, high):
    return only(np.logical_and(x >= low, x <= high), g)


def _at_low(g, x, low, high):
    return only(np.logical_and(x < low, low <= high), g)


def _at_high(g, x, low, high):
    return only(np.logical_or(x > high, low > high), g)


_clip = primitive(_clip, _inside, _at_low, _at_high, broadcasts=True, batch="elementwise")
_OMITTED = object()


@composite(np.clip, np._core.umath.clip)
def clip(a, a_min=_OMITTED, a_max=_OMITTED, out=None, *, min=_OMITTED, max=_OMITTED, dtype=None, where=True):
    """At a bound the derivative is that of the operand, as if the bound were just beyond."""
    low = next((v for v in (a_min, min) if v is not _OMITTED and v is not None), None)
    high = next((v for v in (a_max, max) if v is not _OMITTED and v is not None), None)
    a = a if hasattr(a, "dtype") else np.asarray(a)[()]
    a = a if dtype is None else np.astype(a, np.dtype(dtype))
    if low is None and high is None:
        clipped = np.positive(a)
    else:
        limits = (-np.inf, np.inf)
        if a.dtype.kind in "iu":
            limits = (np.iinfo(a.dtype).min, np.iinfo(a.dtype).max)
        elif a.dtype.kind == "b":
            limits = (False, True)
        clipped = _clip(a, limits[0] if low is None else low, limits[1] if high is None else high)
    if where is True:
        return clipped
    return np.where(where, clipped, np.zeros_like(clipped) if out is None else out)


@composite(np.nan_to_num)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    result = _numbers(x, nan, posinf, neginf)
    if copy or not x.ndim:
        return result
    x[...] = result
    return x


def _numbers(x, nan, posinf, neginf):
    if x.dtype.kind not in "fc":
        return np.copy(x)
    if is_complex(x):
        return _numbers(x.real, nan, posinf, neginf) + 1j * _numbers(x.imag, nan, posinf, neginf)
    limit = np.finfo(x.dtype).max
    posinf, neginf = limit if posinf is None else posinf, -limit if neginf is None else neginf
    numbers = [np.astype(v, x.dtype) if is_wrapper(v) else np.array(v, x.dtype) for v in (nan, posinf, neginf)]
    found = np.where(np.isnan(x), numbers[0], x)
    return np.where(x == -np.inf, numbers[2], np.where(x == np.inf, numbers[1], found))


@composite(np.divmod)
def divmod_(a, b):
    return np.floor_divide(a, b), np.remainder(a, b)


@composite(np.modf)
def modf(x):
    if x.dtype.kind != "f":
        x = np.astype(x, np.modf(np.empty(0, x.dtype))[0].dtype)
    whole = np.trunc(x)
    part = np.where(np.signbit(x), -(whole - x), x - whole)  # whose zeros have the sign of x
    return np.where(np.isinf(x), np.copysign(np.zeros_like(x), x), part), whole


@composite(np.real_if_close)
def real_if_close(a, tol=100):
    if not is_complex(a):
        return a
    limit = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if everywhere(np.abs(np.imag(a)) < limit) else a


# Floating-point numbers ------------------------------------------------------------------------------------------

elementwise(np.ldexp, lambda g, b: np.ldexp(g, b), None)
elementwise(np.nextafter, lambda: 1, lambda: 0)  # the neighbour moves along, from whichever side it is
elementwise(np.spacing, lambda: 0)


@composite(np.frexp)
def frexp(x):
    """The exponent is piecewise constant."""
    _, exponent = np.frexp(innermost(x))
    return np.ldexp(x, -exponent), exponent


# Bessel functions ------------------------------------------------------------------------------------------------


def _i0(x):
    return np.i0(x)[()]


def _bessel_i(x, order=0):
    from scipy.special import i0, i1, iv

    return (i0(x) if order == 0 else i1(x) if order == 1 else iv(order, x)).astype(x.dtype)


elementwise(_i0, lambda x: _bessel_i(x, order=1), public=np.i0, name="i0")
# DLMF 10.29.1: the derivative is the mean of the two neighbours.
_bessel_i = primitive(
    _bessel_i,
    lambda g, x, order: 0.5 * g * (_bessel_i(x, order=order - 1) + _bessel_i(x, order=order + 1)),
    batch="leading",
)


without_gradient(
    np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite, np.signbit,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj,
    np.isneginf, np.isposinf, np.isin, np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type,
    np.common_type, np.shares_memory, np.may_share_memory, np.array_repr, np.array_str, np.array2string,
)  # fmt: skip
