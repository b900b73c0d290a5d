"""What calls do, as numbers: those that do the same have the same one.

In a long program numbers that are not whole are data: they become operands, so that calls with other numbers are equal.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.compiler.program import NONE, Call, Ref, signature
from wengert.protocol import spec_of

__all__ = ["STRUCTURAL", "Table", "copied"]

STRUCTURAL = {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0}
"""Numbers that decide what a program is; others are data, and the same chunk serves for all of them."""
TAKING_DATA = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum}
"""Functions in whose calls numbers that are not whole are data (an exponent, say, is not)."""
DATA = {float, complex, np.float64, np.float32, np.complex128, np.complex64}
"""Their classes."""


class Table:
    """Calls without those that do what another one does.

    Attributes
    ----------
    calls : list of Call
        The first ones are numbers that stood in calls, and become operands; each has one row.
    symbols : list of int
        For each call that was given the number of what it does.
    given : dict
        By the number of a call that was given, the rows of numbers that are further operands of it.
    numbers : dict
        The rows of numbers.
    """

    def __init__(self, calls: Sequence[Call], with_data_outside: bool):
        self.calls: list[Call] = []
        self.given: dict[int, list[int]] = {}
        self.numbers: dict[tuple, int] = {}
        args: dict[int, tuple] = {}
        for k, call in enumerate(calls if with_data_outside else ()):
            if call.function in TAKING_DATA and any(map(_is_data, call.args)):
                args[k], self.given[k] = self.with_numbers_outside(call.args)
        known: dict[Any, int] = {}
        self.symbols = [self.symbol(call, args.get(k, call.args), known) for k, call in enumerate(calls)]

    def symbol(self, call: Call, args: tuple, known: dict) -> int:
        """The number of what a call does with these arguments."""
        key: Any = call
        if call.function is not None:
            key = signature(call.function, args, call.kwargs), call.spec, call.weak
        found = known.get(key)
        if found is None:
            found = known[key] = len(self.calls)
            self.calls.append(Call(call.name, call.spec, call.weak, call.function, args, call.kwargs, call.source))
        return found

    def with_numbers_outside(self, args: tuple) -> tuple[tuple, list[int]]:
        """The arguments of a call, with its numbers as further operands."""
        found: list[Any] = []
        rows: list[int] = []
        operands = sum(a.__class__ is Ref for a in args)
        for a in args:
            if _is_data(a):
                found.append(Ref(operands + len(rows)))
                rows.append(self.number(a))
            else:
                found.append(a)
        return tuple(found), rows

    def number(self, x: Any) -> int:
        """The row of a number."""
        key = x.__class__, repr(x)
        row = self.numbers.get(key)
        if row is None:
            row = self.numbers[key] = len(self.calls)
            value, weak = np.asarray(x)[()], x.__class__ if x.__class__ in (float, complex) else None
            self.calls.append(Call("constant", spec_of(value), weak, source=value))
        return row


def _is_data(number: Any) -> bool:
    """Whether a number in a call may as well be another."""
    return number.__class__ in DATA and number not in STRUCTURAL


OF_OPERANDS = {n: tuple(map(Ref, range(n))) for n in range(8)}
"""Arguments that are nothing but operands."""


def copied(value: Any) -> Any:
    """Arguments in containers, and with numbers, of their own."""
    kind = value.__class__
    if kind is int:
        return value + 0
    if kind is float:
        return value * 1.0
    if kind is tuple:
        known = OF_OPERANDS.get(len(value))
        return known if value == known else tuple([copied(part) for part in value])
    if kind is dict:
        return {name: copied(part) for name, part in value.items()} if value else NONE
    if kind is slice:
        return slice(copied(value.start), copied(value.stop), copied(value.step))
    return value
