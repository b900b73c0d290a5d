"""Approximations of our own, where they beat the libraries: polynomials fitted by Remez's algorithm.

All are for double precision and for processors that multiply and add in one instruction, and stay below two units in
the last place over the whole domain.

- ``exp``: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, chapter 6: what is left of the
  operand after multiples of log(2), in two parts, goes into a polynomial of degree 11, and the multiple into the
  exponent.
- ``log`` (AVX-512 only): P. T. P. Tang, Table-driven implementation of the logarithm function in IEEE floating-point
  arithmetic, ACM TOMS 16 (1990). The fraction, from 3/4 to 3/2, is brought near 1 by one of sixteen factors, whose
  logarithms are in a table; around 1 itself the factor is 1, so that small results keep their digits.
"""

from wengert.compiler.formulas import FORMULAS, of_floats
from wengert.compiler.textkinds import bits_kind, lanes_of, number, scalar_of
from wengert.compiler.vectormath import Operation, intrinsic

__all__ = ["FORMULAS", "ROUNDING", "fused", "polynomial"]

EXP = (2.5000109002033545e-08, 2.7630214978197697e-07, 2.755758606966199e-06, 2.4801493201248934e-05,
       0.00019841269507146937, 0.0013888888943520334, 0.008333333333494055, 0.041666666666530634,
       0.16666666666666413, 0.5000000000000011, 1.0, 1.0)  # fmt: skip
"""Of exp(r) for sizes of r up to log(2) / 2, the highest power first; the relative error is 4e-18."""
LOG1P = (-0.08748633661638942, 0.1107185220201308, -0.12501871586261895, 0.14285818712137577, -0.16666666141339584,
         0.19999999928849585, -0.24999999999877076, 0.33333333333347215, -0.5000000000000002)  # fmt: skip
"""Of (log(1 + r) - r) / r**2 for r from -1/32 to 1/16, the highest power first; the error in log(1 + r) is 9e-18."""
FACTORS = (1.0, 0.9142857142857143, 0.8648648648648649, 0.8205128205128205, 0.7804878048780488, 0.7441860465116279,
           0.7111111111111111, 0.6808510638297872, 1.3061224489795917, 1.2549019607843137, 1.2075471698113207,
           1.1636363636363636, 1.1228070175438596, 1.0847457627118644, 1.0491803278688525, 1.0)  # fmt: skip
"""By the first four bits of the fraction; those from 8 on are of numbers below 1."""
LOGARITHMS = (0.0, 0.08961215868968717, 0.14518200984449783, 0.19782574332991992, 0.2478361639045812,
              0.2954642128938359, 0.3409265869705932, 0.38441169891033206, -0.26706278524904514, -0.22705745063534608,
              -0.18859116980754997, -0.15154989812720088, -0.11583181552512165, -0.0813456394539524,
              -0.04800921918636066, 0.0)  # fmt: skip
"""Of the factors, with the other sign."""
LOG2 = (0.6931471805599453, 2.3190468138462996e-17)
"""In two parts; products of the first with small integers are subtracted without rounding."""
INVERSE_LOG2 = 1.4426950408889634
ROUNDING = 1.5 * 2.0**52
"""Added to a number, it leaves its integer in the last bits."""
ROUNDING_BITS = 0x4338000000000000


def fused(o: Operation, a: str, b: str, c: str) -> str:
    """Put down ``a * b + c`` with one rounding."""
    return o.op(intrinsic(o.target, "fma", [(o.kind, a), (o.kind, b), (o.kind, c)], o.kind))


def polynomial(o: Operation, x: str, coefficients: tuple[float, ...]) -> str:
    """Put down a polynomial, the highest power first."""
    y = o.number(coefficients[0])
    for c in coefficients[1:]:
        y = fused(o, y, x, o.number(c))
    return y


@of_floats("exp")
def _exp(o: Operation) -> str | None:
    if not o.target.fused or scalar_of(o.kind) != "double" or not lanes_of(o.kind):
        return None
    if o.target.vector_library and lanes_of(o.kind) < 8:  # which is as fast there
        return None
    x = o.choose(o.test("greater", o.a, o.number(710)), o.number(710), o.a)
    x = o.choose(o.test("less", x, o.number(-746)), o.number(-746), x)
    shifted = fused(o, x, o.number(INVERSE_LOG2), o.number(ROUNDING))
    n = o.call("subtract", shifted, o.number(ROUNDING))
    r = fused(o, n, o.number(-LOG2[0]), x)
    r = fused(o, n, o.number(-LOG2[1]), r)
    return _scaled(o, polynomial(o, r, EXP), n, shifted)


def _scaled(o: Operation, y: str, n: str, shifted: str) -> str:
    """A number times two to the power of `n`, whose integer `shifted` has in its last bits; rounded once."""
    if lanes_of(o.kind) == 8 and o.target.bits == 512:
        arguments = f"{o.kind} {y}, {o.kind} {n}, {o.kind} {y}, i8 -1, i32 4"
        return f"call {o.kind} @llvm.x86.avx512.mask.scalef.pd.512({arguments})"
    # In two halves, as the power itself may be out of range where the result is not.
    bits = bits_kind(o.kind)
    integer = o.op(f"bitcast {o.kind} {shifted} to {bits}")
    above = o.op(f"sub {bits} {integer}, {number(bits, ROUNDING_BITS - 2100)}")
    half = o.op(f"lshr {bits} {above}, {number(bits, 1)}")
    for part in (half, o.op(f"sub {bits} {above}, {half}")):
        exponent = o.op(f"add {bits} {part}, {number(bits, 1023 - 1050)}")
        power = o.op(f"shl {bits} {exponent}, {number(bits, 52)}")
        y = o.call("multiply", y, o.op(f"bitcast {bits} {power} to {o.kind}"))
    return f"bitcast {o.kind} {y} to {o.kind}"


@of_floats("log")
def _log(o: Operation) -> str | None:
    if not o.target.fused or o.target.bits != 512 or scalar_of(o.kind) != "double" or lanes_of(o.kind) != 8:
        return None
    kind, x = o.kind, o.a
    exponent = o.op(f"call {kind} @llvm.x86.avx512.mask.getexp.pd.512({kind} {x}, {kind} {x}, i8 -1, i32 4)")
    # The fraction of the size, from 3/4 to 3/2.
    fraction = o.op(f"call {kind} @llvm.x86.avx512.mask.getmant.pd.512({kind} {x}, i32 7, {kind} {x}, i8 -1, i32 4)")
    below = o.test("less", fraction, o.number(1))
    n = o.choose(below, o.call("add", exponent, o.number(1)), exponent)
    bits = bits_kind(kind)
    place = o.op(f"lshr {bits} {o.op(f'bitcast {kind} {fraction} to {bits}')}, {number(bits, 48)}")
    r = fused(o, fraction, _looked_up(o, place, FACTORS), o.number(-1))
    rest = fused(o, o.call("multiply", r, r), polynomial(o, r, LOG1P), r)
    rest = fused(o, n, o.number(LOG2[1]), rest)
    result = o.call("add", fused(o, n, o.number(LOG2[0]), _looked_up(o, place, LOGARITHMS)), rest)
    return o.choice(o.test("less", x, o.number(0)), o.number(float("nan")), result)


def _looked_up(o: Operation, place: str, table: tuple[float, ...]) -> str:
    """The entry of a table of sixteen that the last four bits of integers say."""
    halves = [", ".join(f"double {number('double', value)}" for value in part) for part in (table[:8], table[8:])]
    low, high = (f"{o.kind} <{half}>" for half in halves)
    name = "@llvm.x86.avx512.vpermi2var.pd.512"
    return o.op(f"call {o.kind} {name}({low}, {bits_kind(o.kind)} {place}, {high})")
