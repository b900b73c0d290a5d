"""Sine and cosine at once, for two thirds of the time that the library takes for one after the other.

The operand is reduced by a multiple of pi / 2 in three parts (W. J. Cody and W. Waite, Software Manual for the
Elementary Functions, chapter 8). With a fused multiplication the first difference is exact, since both terms are
multiples of 2**-52 and less than 1 is left. Polynomials fitted by Remez's algorithm do the rest, below two units in
the last place. Operands beyond 2**28, and what is not finite, go to the library.

As it branches, this is a function of its own, compiled when first needed, and modules call it.
"""

from collections.abc import Callable

import llvmlite.binding as llvm

from wengert.compiler.alone import module
from wengert.compiler.approximations import ROUNDING, fused, polynomial
from wengert.compiler.code import Code
from wengert.compiler.locks import made_once
from wengert.compiler.textkinds import bits_kind, kind_of, lanes_of, number, scalar_of, short, truth_kind
from wengert.compiler.vectormath import Operation, Target, host, intrinsic

__all__ = ["provide_sines", "sine_and_cosine", "sines_text"]

SIN = (1.5896859473673916e-10, -2.5050759678340727e-08, 2.755731370572636e-06, -0.00019841269829862769,
       0.00833333333332251, -0.16666666666666632)  # fmt: skip
"""Of (sin(r) / r - 1) / r**2 in powers of r**2, for sizes of r up to pi / 4; the relative error of sin is 4e-18."""
COS = (-1.136120944957082e-11, 2.087575632953378e-09, -2.755731462223278e-07, 2.4801587290536547e-05,
       -0.0013888888888876074, 0.041666666666666616)  # fmt: skip
"""Of (cos(r) - 1 + r**2 / 2) / r**4 in powers of r**2; the error of cos is 6e-20."""
HALF_PI = (float.fromhex("0x1.921fb54442d18p+0"), float.fromhex("0x1.1a62633145c06p-54"),
           float.fromhex("0x1.c1cd129024e09p-107"))  # fmt: skip
"""All parts are positive, so that of minus zero minus zero is left."""
INVERSE_PI = 0.3183098861837907
FAR = 2.0**28
NAME = "wengert.sincos."
"""The name of the function, up to the kind of vector."""


def sine_and_cosine(target: Target, operand: str, kind: str, op: Callable[[str], str]) -> tuple[str, str] | None:
    """Put down both for one operand; `None` where there is no way that is shorter than doing each."""
    if not target.fused or scalar_of(kind) != "double":
        return None
    both = op(f"call {{ {kind}, {kind} }} @{NAME}{short(kind)}({kind} {operand})")
    return op(f"extractvalue {{ {kind}, {kind} }} {both}, 0"), op(f"extractvalue {{ {kind}, {kind} }} {both}, 1")


def provide_sines(text: str) -> None:
    """Have the functions found that `sine_and_cosine` has put into a module's text."""
    for lanes in (0, 2, 4, 8, 16):
        kind = kind_of("double", lanes) if lanes else "double"
        if f"@{NAME}{short(kind)}(" in text:
            llvm.add_symbol(NAME + short(kind), _compiled(kind).address(NAME + short(kind)))


@made_once
def _compiled(kind: str) -> Code:
    text = sines_text(host(), kind)
    return Code(module(text), level=2)


def sines_text(target: Target, kind: str) -> str:
    """The function that does both: near operands by the formulas, far ones by the library."""
    lines: list[str] = []

    def op(text: str) -> str:
        lines.append(f"  %v{len(lines)} = {text}")
        return f"%v{len(lines) - 1}"

    def leave(values: list[str]) -> None:
        first = op(f"insertvalue {result} poison, {kind} {values[0]}, 0")
        lines.append(f"  ret {result} {op(f'insertvalue {result} {first}, {kind} {values[1]}, 1')}")

    o = Operation(target, "sin", [(kind, "%x")], kind, op, True)
    truth, result = truth_kind(kind), f"{{ {kind}, {kind} }}"
    pair = _near_pair(o)
    near = o.test("less_equal", o.call("absolute", "%x"), o.number(FAR))
    all_near = op(f"call i1 @llvm.vector.reduce.and.{short(truth)}({truth} {near})") if lanes_of(kind) else near
    lines += [f"  br i1 {all_near}, label %near, label %far", "near:"]
    leave(pair)
    lines.append("far:")
    # What is near gets the same bits, whatever is in the other lanes.
    leave([o.choose(near, mine, o.call(function, "%x")) for mine, function in zip(pair, ("sin", "cos"), strict=True)])
    return "\n".join([f"define {result} @{NAME}{short(kind)}({kind} %x) {{", "entry:", *lines, "}"])


def _reduced(o: Operation, multiple: str, parts: tuple[float, ...]) -> str:
    r = "%x"
    for part in parts:
        r = fused(o, multiple, o.number(-part), r)
    return r


def _sine_of(o: Operation, r: str, z: str, coefficients: tuple[float, ...]) -> str:
    """The sine of what is left, by the polynomial in its square."""
    sine = fused(o, o.call("multiply", z, polynomial(o, z, coefficients)), r, r)
    return o.op(intrinsic(o.target, "copysign", [(o.kind, sine), (o.kind, r)], o.kind))  # of zero, too


def _turned(o: Operation, value: str, turns: str, bit: int) -> str:
    """The value, with the other sign where a bit of an integer is set."""
    bits = bits_kind(o.kind)
    sign = o.op(f"and {bits} {o.op(f'shl {bits} {turns}, {number(bits, 63 - bit)}')}, {number(bits, -(1 << 63))}")
    pattern = o.op(f"xor {bits} {o.op(f'bitcast {o.kind} {value} to {bits}')}, {sign}")
    return o.op(f"bitcast {bits} {pattern} to {o.kind}")


def _near_pair(o: Operation) -> list[str]:
    """Both by multiples of pi / 2, whose last two bits say which quarter of the turn it is."""
    bits, truth = bits_kind(o.kind), truth_kind(o.kind)
    shifted = fused(o, "%x", o.number(2 * INVERSE_PI), o.number(ROUNDING))
    r = _reduced(o, o.call("subtract", shifted, o.number(ROUNDING)), HALF_PI)
    z = o.call("multiply", r, r)
    sine = _sine_of(o, r, z, SIN)
    head = fused(o, z, o.number(-0.5), o.number(1))
    cosine = fused(o, o.call("multiply", z, z), polynomial(o, z, COS), head)
    quarter = o.op(f"bitcast {o.kind} {shifted} to {bits}")
    odd = o.op(f"and {bits} {quarter}, {number(bits, 1)}")
    swapped = o.op(f"icmp ne {bits} {odd}, {number(bits, 0)}")
    first = o.op(f"select {truth} {swapped}, {o.kind} {cosine}, {o.kind} {sine}")
    second = o.op(f"select {truth} {swapped}, {o.kind} {sine}, {o.kind} {cosine}")
    ahead = o.op(f"add {bits} {quarter}, {number(bits, 1)}")
    return [_turned(o, first, quarter, 1), _turned(o, second, ahead, 1)]
