"""Elementwise functions that are made of others, step by step as NumPy and SciPy define them.

Where a definition would lose accuracy or overflow on the way, another is used and said why. Nothing here branches:
each lane computes what all cases need, and chooses.
"""

import math
from collections.abc import Callable

import numpy as np

from wengert.compiler.textkinds import bits_kind, number, scalar_of, truth_kind
from wengert.compiler.vectormath import Operation, intrinsic

__all__ = ["FORMULAS"]

FORMULAS: dict[str, Callable[[Operation], str | None]] = {}
"""From a function's name to what puts it down; `None` where the formula is not for the operands' type."""


def formula(*names: str) -> Callable[[Callable], Callable]:
    """Decorator: the function puts down the operations of these names."""

    def register(function: Callable) -> Callable:
        FORMULAS.update(dict.fromkeys(names, function))
        return function

    return register


def of_floats(*names: str) -> Callable[[Callable], Callable]:
    """Decorator: the same for formulas that hold for floats only."""

    def register(function: Callable) -> Callable:
        def checked(o: Operation) -> str | None:
            return function(o) if o.floats else None

        return formula(*names)(checked)

    return register


@formula("square")
def _square(o):
    return f"{'fmul' if o.floats else 'mul'} {o.kind} {o.a}, {o.a}"


@of_floats("multiply_add")
def _multiply_add(o):
    """With one rounding, where the processor has an instruction for it."""
    (_, x), (_, y), (_, z) = o.operands
    if o.target.fused:
        return intrinsic(o.target, "fma", o.operands, o.kind)
    return f"fadd {o.kind} {o.call('multiply', x, y)}, {z}"


@of_floats("reciprocal")
def _reciprocal(o):
    return f"fdiv {o.kind} {o.number(1)}, {o.a}"


@formula("sign")
def _sign(o):
    if o.booleans:
        return None
    zero = o.number(0)
    positive = o.test("greater", o.a, zero)
    if not o.floats and not o.signed:
        return o.choice(positive, o.number(1), zero)
    negative = o.test("less", o.a, zero)
    # What is neither is zero of whatever sign, or NaN.
    neither = o.call("add", o.call("multiply", o.a, zero), zero) if o.floats else zero
    return o.choice(positive, o.number(1), o.choose(negative, o.number(-1), neither))


@of_floats("heaviside")
def _heaviside(o):
    x, at_zero = o.a, o.b
    above = o.choose(o.test("greater", x, o.number(0)), o.number(1), o.number(0))
    known = o.choose(o.test("equal", x, o.number(0)), at_zero, above)
    return o.choice(o.call("isnan", x, kind=truth_kind(o.kind)), x, known)


@of_floats("deg2rad", "radians", "rad2deg", "degrees")
def _angle(o):
    """The factor is rounded as NumPy rounds it, in the operand's own precision."""
    float_type = np.float64 if scalar_of(o.kind) == "double" else np.float32
    pi, half_turn = float_type(math.pi), float_type(180)
    factor = pi / half_turn if o.name in ("deg2rad", "radians") else half_turn / pi
    return f"fmul {o.kind} {o.a}, {o.number(factor)}"


@of_floats("sinc")
def _sinc(o):
    """As NumPy does it, with a tiny number in the place of zero."""
    zero = o.test("equal", o.a, o.number(0))
    y = o.call("multiply", o.choose(zero, o.number(1e-20), o.a), o.number(math.pi))
    return f"fdiv {o.kind} {o.call('sin', y)}, {y}"


@of_floats("spacing")
def _spacing(o):
    """The distance to the next number away from zero, with the number's sign; of either zero it is positive."""
    size = o.call("absolute", o.a)
    distance = o.call("subtract", o.call("nextafter", size, o.number(math.inf)), size)
    return o.choice(o.test("less", o.a, o.number(0)), o.call("negative", distance), distance)


@of_floats("nextafter")
def _nextafter(o):
    """One step on the line of all bit patterns, which is in the order of the numbers on either side of zero."""
    x, y = o.a, o.b
    bits = bits_kind(o.kind)
    truth = truth_kind(o.kind)
    pattern = o.op(f"bitcast {o.kind} {x} to {bits}")
    outwards = o.op(f"xor {truth} {o.test('less', x, y)}, {o.test('less', x, o.number(0))}")
    step = o.op(f"select {truth} {outwards}, {bits} {number(bits, 1)}, {bits} {number(bits, -1)}")
    moved = o.op(f"bitcast {bits} {o.op(f'add {bits} {pattern}, {step}')} to {o.kind}")
    tiny = 5e-324 if scalar_of(o.kind) == "double" else 2.0**-149
    first = o.op(intrinsic(o.target, "copysign", [(o.kind, o.number(tiny)), (o.kind, y)], o.kind))
    moved = o.choose(o.test("equal", x, o.number(0)), first, moved)
    settled = o.choose(o.test("equal", x, y), y, moved)
    either = o.op(f"fcmp uno {o.kind} {x}, {y}")
    return o.choice(either, o.call("add", x, y), settled)


# Division with remainder ---------------------------------------------------------------------------------------------


@formula("remainder", "mod")
def _remainder(o):
    if o.booleans:
        return None
    if not o.floats:
        return _integer_division(o)[1]
    a, b = o.a, o.b
    rest = o.call("fmod", a, b)
    fitting = _with_sign_of(o, rest, b)[0]
    return o.choice(o.test("equal", b, o.number(0)), rest, fitting)


def _with_sign_of(o, rest, b):
    """The remainder with the divisor's sign, and whether a divisor had to be added for it."""
    truth = truth_kind(o.kind)
    other = o.op(f"xor {truth} {o.test('less', b, o.number(0))}, {o.test('less', rest, o.number(0))}")
    some = o.test("not_equal", rest, o.number(0))
    moved = o.op(f"and {truth} {other}, {some}")
    nothing = o.op(intrinsic(o.target, "copysign", [(o.kind, o.number(0)), (o.kind, b)], o.kind))
    fitting = o.choose(moved, o.call("add", rest, b), rest)
    return o.choose(some, fitting, nothing), moved


@formula("floor_divide")
def _floor_divide(o):
    if o.booleans:
        return None
    if not o.floats:
        return _integer_division(o)[0]
    a, b = o.a, o.b
    rest = o.call("fmod", a, b)
    quotient = o.call("divide", o.call("subtract", a, rest), b)
    moved = _with_sign_of(o, rest, b)[1]
    quotient = o.choose(moved, o.call("subtract", quotient, o.number(1)), quotient)
    whole = o.call("floor", quotient)
    # The division has rounded: the quotient is the nearest integer.
    far = o.test("greater", o.call("subtract", quotient, whole), o.number(0.5))
    whole = o.choose(far, o.call("add", whole, o.number(1)), whole)
    ratio = o.call("divide", a, b)
    nothing = o.op(intrinsic(o.target, "copysign", [(o.kind, o.number(0)), (o.kind, ratio)], o.kind))
    whole = o.choose(o.test("equal", quotient, o.number(0)), nothing, whole)
    return o.choice(o.test("equal", b, o.number(0)), ratio, whole)


def _integer_division(o):
    """Quotient towards minus infinity and remainder; both are 0 for the divisor 0, as in NumPy."""
    kind, truth = o.kind, truth_kind(o.kind)
    letter = "s" if o.signed else "u"
    none = o.test("equal", o.b, o.number(0))
    divisor = o.choose(none, o.number(1), o.b)
    if o.signed:
        # The most negative number by -1 would trap: its negation is done by a subtraction.
        opposite = o.test("equal", divisor, o.number(-1))
        divisor = o.choose(opposite, o.number(1), divisor)
    quotient = o.op(f"{letter}div {kind} {o.a}, {divisor}")
    rest = o.op(f"{letter}rem {kind} {o.a}, {divisor}")
    if o.signed:
        differ = o.op(f"icmp slt {kind} {o.op(f'xor {kind} {rest}, {divisor}')}, {o.number(0)}")
        moved = o.op(f"and {truth} {differ}, {o.test('not_equal', rest, o.number(0))}")
        quotient = o.choose(moved, o.op(f"sub {kind} {quotient}, {o.number(1)}"), quotient)
        rest = o.choose(moved, o.op(f"add {kind} {rest}, {divisor}"), rest)
        quotient = o.choose(opposite, o.op(f"sub {kind} {o.number(0)}, {o.a}"), quotient)
    return o.choice(none, o.number(0), quotient), o.choice(none, o.number(0), rest)


@formula("left_shift", "right_shift")
def _shift(o):
    """Shifts by as many bits as there are, or more, leave nothing (or the sign)."""
    if o.floats or o.booleans:
        return None
    bits = int(scalar_of(o.kind)[1:])
    beyond = o.op(f"icmp uge {o.kind} {o.b}, {number(o.kind, bits)}")
    instruction = "shl" if o.name == "left_shift" else "ashr" if o.signed else "lshr"
    if instruction == "ashr":
        return f"ashr {o.kind} {o.a}, {o.choose(beyond, number(o.kind, bits - 1), o.b)}"
    shifted = o.op(f"{instruction} {o.kind} {o.a}, {o.choose(beyond, number(o.kind, 0), o.b)}")
    return o.choice(beyond, number(o.kind, 0), shifted)


@of_floats("ldexp")
def _ldexp(o):
    """A power of two times a number, in two halves so that no factor overflows before the result does."""
    exponent_kind, exponent = o.operands[1]
    kind = bits_kind(o.kind)
    double = scalar_of(o.kind) == "double"
    width = int(scalar_of(exponent_kind)[1:])
    limit, bias, fraction = (2100, 1023, 52) if double else (280, 127, 23)
    for name, bound in (("smin", limit), ("smax", -limit)):
        both = [(exponent_kind, exponent), (exponent_kind, number(exponent_kind, bound))]
        exponent = o.op(intrinsic(o.target, name, both, exponent_kind))
    if width != (64 if double else 32):
        exponent = o.op(f"{'sext' if width < (64 if double else 32) else 'trunc'} {exponent_kind} {exponent} to {kind}")
    result, left = o.a, exponent
    for parts in (3, 2, 1):
        part = left if parts == 1 else o.op(f"sdiv {kind} {left}, {number(kind, parts)}")
        left = o.op(f"sub {kind} {left}, {part}")
        shifted = o.op(f"shl {kind} {o.op(f'add {kind} {part}, {number(kind, bias)}')}, {number(kind, fraction)}")
        result = o.op(f"fmul {o.kind} {result}, {o.op(f'bitcast {kind} {shifted} to {o.kind}')}")
    return f"bitcast {o.kind} {result} to {o.kind}"


# Sums and ratios of exponentials -------------------------------------------------------------------------------------


def _decay(o, x):
    """The exponential of minus the size: never above 1."""
    return o.call("exp", o.call("negative", o.call("absolute", x)))


@of_floats("logaddexp", "logaddexp2")
def _logaddexp(o):
    """The larger operand and what the smaller one adds; equal ones, infinite ones among them, add log(2)."""
    a, b = o.a, o.b
    base_two = o.name == "logaddexp2"
    larger = o.call("maximum", a, b)
    distance = o.call("absolute", o.call("subtract", a, b))
    smaller = o.call("exp2" if base_two else "exp", o.call("negative", distance))
    added = o.call("log1p", smaller)
    if base_two:
        added = o.call("multiply", added, o.number(1 / math.log(2)))
    equal = o.test("equal", a, b)
    return f"fadd {o.kind} {larger}, {o.choose(equal, o.number(1 if base_two else math.log(2)), added)}"


@of_floats("expit")
def _expit(o):
    """The logistic function by an exponential that never overflows: small results keep all their digits."""
    e = _decay(o, o.a)
    numerator = o.choose(o.test("less", o.a, o.number(0)), e, o.number(1))
    return f"fdiv {o.kind} {numerator}, {o.call('add', e, o.number(1))}"


@of_floats("log_expit")
def _log_expit(o):
    # Minus zero, so that the sign of a zero result is that of what comes near it.
    below = o.call("minimum", o.a, o.number(-0.0))
    return f"fadd {o.kind} {below}, {o.call('negative', o.call('log1p', _decay(o, o.a)))}"


@of_floats("logit")
def _logit(o):
    """By log1p where the quotient is near 1, and the logarithm would lose its digits."""
    rest = o.call("subtract", o.number(1), o.a)
    near = o.call("log1p", o.call("divide", o.call("subtract", o.call("add", o.a, o.a), o.number(1)), rest))
    far = o.call("log", o.call("divide", o.a, rest))
    above = o.test("greater", o.a, o.number(0.3))
    middle = o.op(f"and {truth_kind(o.kind)} {above}, {o.test('less', o.a, o.number(0.65))}")
    return o.choice(middle, near, far)


@of_floats("xlogy", "xlog1py")
def _xlogy(o):
    product = o.call("multiply", o.a, o.call("log" if o.name == "xlogy" else "log1p", o.b))
    number_there = o.op(f"fcmp ord {o.kind} {o.b}, {o.b}")
    nothing = o.op(f"and {truth_kind(o.kind)} {o.test('equal', o.a, o.number(0))}, {number_there}")
    return o.choice(nothing, o.number(0), product)


@of_floats("entr")
def _entr(o):
    """Entropy -x log(x): 0 at 0, minus infinity below."""
    x, zero = o.a, o.number(0)
    inside = o.call("negative", o.call("multiply", x, o.call("log", x)))
    outside = o.choose(o.test("equal", x, zero), zero, o.number(-math.inf))
    usual = o.op(f"fcmp ugt {o.kind} {x}, {zero}")
    return o.choice(usual, inside, outside)


# The derivative of digamma -------------------------------------------------------------------------------------------

STEPS = 10
TRIGAMMA = (-3617 / 510, 7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6)
"""Bernoulli numbers of even order, the highest first."""


@of_floats("trigamma")
def _trigamma(o):
    """Of positive numbers: steps of the recurrence, and the asymptotic series (DLMF 5.15.5 and 5.15.8)."""
    total = o.number(0)
    for k in range(STEPS):
        step = o.call("add", o.a, o.number(k))
        total = o.call("add", total, o.call("reciprocal", o.call("square", step)))
    inverse = o.call("reciprocal", o.call("add", o.a, o.number(STEPS)))
    square = o.call("square", inverse)
    series = o.number(TRIGAMMA[0])
    for c in TRIGAMMA[1:]:
        series = o.call("add", o.call("multiply", series, square), o.number(c))
    rest = o.call("add", inverse, o.call("multiply", o.number(0.5), square))
    rest = o.call("add", rest, o.call("multiply", o.call("multiply", inverse, square), series))
    return f"fadd {o.kind} {total}, {rest}"
