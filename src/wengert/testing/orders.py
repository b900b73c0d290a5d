"""Derivatives of first and second order beside differences, in either mode."""

from collections.abc import Sequence

from wengert.testing.calls import (
    Call,
    along,
    backward_of,
    backward_twice,
    gradient_by_jvp,
    part_along_tangents,
    plain,
    pulled_back,
    pushed,
)
from wengert.testing.differences import along_one_line, beside_differences

__all__ = ["first_order", "names_of", "second_order"]

REVERSE = ("reverse",)


def first_order(call: Call, rtol: float, atol: float, eps: float, modes: Sequence[str] = REVERSE) -> str | None:
    """A report of the gradient's worst entry, `None` if it is that of the differences."""

    def part(*inputs):
        return along(call.cotangents, call(*inputs))

    for mode in modes:

        def gradient(inputs: Sequence, mode: str = mode) -> list:
            if mode == "reverse":
                return backward_of(call, inputs, call.cotangents)
            return gradient_by_jvp(lambda *inputs: [part(*inputs)], inputs)

        what = f"gradient and differences, {mode} mode"
        report = beside_differences(what, call.names, gradient(call.inputs), part, call.inputs, rtol, atol, eps)
        report = report or along_one_line(part, lambda at: map(plain, gradient(at)), call.inputs, rtol, atol, eps)
        if report:
            return report
    return None


def second_order(call: Call, rtol: float, atol: float, eps: float, modes: Sequence[str] = REVERSE) -> str | None:
    """The same of the derivative of the gradient (its part along fixed tangents) by inputs and cotangents."""
    n = len(call.inputs)
    values = [*call.inputs, *call.cotangents]
    part = part_along_tangents(call, backward_of)

    def part_by_jvp(*values):
        return [along(values[n:], pushed(call, values[:n], call.tangents))]

    def of_gradient(*values):
        return plain(part(*values)[0])

    ways = {
        "reverse over reverse": lambda: backward_twice(call),
        "forward over reverse": lambda: gradient_by_jvp(part_along_tangents(call, pulled_back), values),
        "forward over forward": lambda: gradient_by_jvp(part_by_jvp, values),
    }
    for way, got in ways.items():
        if way.split()[0] in modes:
            what = f"derivative of the gradient and differences, {way}"
            report = beside_differences(what, names_of(call), got(), of_gradient, values, rtol, atol, eps)
            if report:
                return report
    return None


def names_of(call: Call) -> list[str]:
    """Names of inputs and cotangents, of which derivatives of gradients are functions."""
    return [*call.names, *(f"cotangent {i}" for i in range(len(call.cotangents)))]
