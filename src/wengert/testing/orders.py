"""Derivatives of first and second order beside differences, in either mode."""

from collections.abc import Sequence

from wengert.testing.calls import (
    Call,
    along,
    backward_of,
    backward_twice,
    differences,
    gradient_by_jvp,
    part_along_tangents,
    plain,
    pulled_back,
    pushed,
    steps_of,
)
from wengert.testing.reports import worst

__all__ = ["first_order", "names_of", "second_order"]

REVERSE = ("reverse",)


def first_order(call: Call, rtol: float, atol: float, eps: float, modes: Sequence[str] = REVERSE) -> str | None:
    """A report of the gradient's worst entry, `None` if it is that of the differences."""

    def part(*inputs):
        return along(call.cotangents, call(*inputs))

    expected, steps = differences(part, call.inputs, eps), steps_of(call.inputs, eps)
    for mode in modes:
        if mode == "reverse":
            got = backward_of(call, call.inputs, call.cotangents)
        else:
            got = gradient_by_jvp(lambda *inputs: [part(*inputs)], call.inputs)
        report = worst(f"gradient and differences, {mode} mode", call.names, got, expected, rtol, atol, steps)
        if report:
            return report
    return None


def second_order(call: Call, rtol: float, atol: float, eps: float, modes: Sequence[str] = REVERSE) -> str | None:
    """The same of the derivative of the gradient (its part along fixed tangents) by inputs and cotangents."""
    n = len(call.inputs)
    values = [*call.inputs, *call.cotangents]
    part = part_along_tangents(call, backward_of)
    expected, steps = differences(lambda *v: plain(part(*v)[0]), values, eps), steps_of(values, eps)

    def part_by_jvp(*values):
        return [along(values[n:], pushed(call, values[:n], call.tangents))]

    ways = {
        "reverse over reverse": lambda: backward_twice(call),
        "forward over reverse": lambda: gradient_by_jvp(part_along_tangents(call, pulled_back), values),
        "forward over forward": lambda: gradient_by_jvp(part_by_jvp, values),
    }
    for way, got in ways.items():
        if way.split()[0] in modes:
            what = f"derivative of the gradient and differences, {way}"
            report = worst(what, names_of(call), got(), expected, rtol, atol, steps)
            if report:
                return report
    return None


def names_of(call: Call) -> list[str]:
    """Names of inputs and cotangents, of which derivatives of gradients are functions."""
    return [*call.names, *(f"cotangent {i}" for i in range(len(call.cotangents)))]
