"""A recorded program in columns: what each call does as a number, and its operands as the numbers of rows.

Nodes take some hundred bytes each, which is much for a long program. In columns, where calls that do the same share
what is known of them, it is a tenth; so what comes after works with rows, and nodes are made once more where a program
is to be printed, or to be run as it was recorded.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wengert.compiler.program import NONE, Call, Guard, Node, Program, Ref, signature
from wengert.protocol import spec_of

__all__ = ["SHORT", "STRUCTURAL", "Call", "Columns"]

SHORT = 1200
"""A program of so many calls is one chunk."""
STRUCTURAL = {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0}
"""Numbers that decide what a program is; others are data, and the same chunk serves for all of them."""
TAKING_DATA = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum}
"""Functions in whose calls numbers that are not whole are data (an exponent, say, is not)."""
DATA = {float, complex, np.float64, np.float32, np.complex128, np.complex64}
"""Their classes."""


class Columns:
    """Those nodes of a program that results and guards need, and all its inputs, as rows.

    Attributes
    ----------
    long : bool
        Whether it is to be cut into chunks.
    calls, symbols : list of Call, ndarray
        What rows do, and for each row the number of its call.
    operands, starts : ndarray
        The operands of all rows, one after the other, and where those of each row start.
    inputs, results : list of Node
        Rows as nodes without operands, whose ``index`` is the row.
    guards : list of Guard
        Of such nodes; ``after`` counts rows.
    """

    __slots__ = ("calls", "guards", "inputs", "long", "operands", "results", "starts", "symbols")

    def __init__(self, program: Program):
        live = program.live()
        nodes = [node for node in program.nodes if live[node.index] or node.call.name == "input"]
        calls = [node.call for node in nodes]
        distinct = dict.fromkeys(calls)
        made = {call.spec and call.spec.dtype.kind for call in distinct if call.function is not None}
        self.long = len(nodes) > SHORT and made <= set("biufc")
        table = _Table(distinct, self.long)
        self.calls = table.calls
        first = len(table.numbers)
        rows = np.zeros(len(program.nodes), np.int32)
        indices = np.array([node.index for node in nodes], np.int32)
        rows[indices] = np.arange(first, first + len(nodes))
        self.symbols = np.array([*range(first), *map(table.symbols.__getitem__, calls)], np.int32)
        counts = [0] * first + [len(node.operands) for node in nodes]
        self.starts = np.cumsum([0, *counts], dtype=np.int32)
        self.operands = rows[[operand.index for node in nodes for operand in node.operands]]
        if table.given:
            self._give_numbers([table.given.get(call, ()) for call in [None] * first + calls])
        self.inputs, self.results = ([self.row(rows[n.index]) for n in x] for x in (program.inputs, program.results))
        self.guards = []
        after = np.searchsorted(indices, [g.after for g in program.guards]) + first
        for g, k in zip(program.guards, after.tolist(), strict=True):
            node = recorded = self.row(rows[g.node.index])
            if g.recorded is not None and g.recorded is not g.node:
                recorded = self.row(rows[g.recorded.index])
            self.guards.append(Guard(node, g.reader, g.outcome, k, recorded))

    def _give_numbers(self, given: list[Sequence[int]]) -> None:
        """Append to the operands of each row the rows of numbers that stood in its call."""
        counts = list(map(len, given))
        more = [number for numbers in given for number in numbers]
        self.operands = np.insert(self.operands, np.repeat(self.starts[1:], counts), more)
        self.starts[1:] += np.cumsum(counts, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.symbols)

    def call(self, row: int) -> Call:
        """What a row does."""
        return self.calls[self.symbols[row]]

    def operands_of(self, row: int) -> list[int]:
        """The rows that a row is computed from."""
        return self.operands[self.starts[row] : self.starts[row + 1]].tolist()

    def rows_of(self, chosen: Callable) -> np.ndarray:
        """The rows whose calls are chosen."""
        return np.flatnonzero(np.array([chosen(call) for call in self.calls], bool)[self.symbols])

    def users(self) -> np.ndarray:
        """For each of `operands` the row that uses it."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def row(self, row: int) -> Node:
        """A row as a node without operands."""
        return Node(row, self.calls[self.symbols[row]])

    def move(self) -> None:
        """Have all calls in memory of their own, once what was recorded with them is gone.

        They were made where there was room between the nodes, and would keep that memory from being given back.
        """
        self.calls = [
            Call(call.name, call.spec, call.weak, call.function, _copied(call.args), _copied(call.kwargs), call.source)
            for call in self.calls
        ]

    def program(self) -> Program:
        """The program as it was recorded, with all its nodes made anew."""
        program = Program()
        nodes = program.nodes
        operands, starts = self.operands.tolist(), self.starts.tolist()
        for row, symbol in enumerate(self.symbols.tolist()):
            given = tuple(nodes[k] for k in operands[starts[row] : starts[row + 1]])
            nodes.append(Node(row, self.calls[symbol], given))
        program.inputs, program.results = ([nodes[n.index] for n in x] for x in (self.inputs, self.results))
        program.guards = [Guard(nodes[g.recorded.index], g.reader, g.outcome, g.after) for g in self.guards]
        return program


OF_OPERANDS = {n: tuple(map(Ref, range(n))) for n in range(8)}
"""Arguments that are nothing but operands."""


def _copied(value: Any) -> Any:
    """Arguments in containers, and with numbers, of their own."""
    if value.__class__ is int:
        return value + 0
    if value.__class__ is tuple:
        known = OF_OPERANDS.get(len(value))
        return known if value == known else tuple([_copied(part) for part in value])
    if value.__class__ is dict:
        return {name: _copied(part) for name, part in value.items()} if value else NONE
    if value.__class__ is slice:
        return slice(_copied(value.start), _copied(value.stop), _copied(value.step))
    return value


class _Table:
    """The numbers of calls: those that do the same have the same one.

    The first calls are numbers that stood in calls, and become operands; each has one row, which are the first ones.
    """

    def __init__(self, calls: Iterable[Call], with_data_outside: bool):
        self.calls: list[Call] = []
        self.symbols: dict[Call, int] = {}
        """For each call of nodes the number of what it does."""
        self.given: dict[Any, list[int]] = {}
        """The rows of numbers that are further operands of a call."""
        self.numbers: dict[tuple, int] = {}
        args: dict[Call, tuple] = {}
        for call in calls if with_data_outside else ():
            if call.function in TAKING_DATA and any(map(_is_data, call.args)):
                args[call], self.given[call] = self.with_numbers_outside(call.args)
        known: dict[Any, int] = {}
        for call in calls:
            given = args.get(call, call.args)
            key: Any = call
            if call.function is not None:
                key = signature(call.function, given, call.kwargs), call.spec, call.weak
            symbol = known.get(key)
            if symbol is None:
                symbol = known[key] = len(self.calls)
                self.calls.append(Call(call.name, call.spec, call.weak, call.function, given, call.kwargs, call.source))
            self.symbols[call] = symbol

    def with_numbers_outside(self, args: tuple) -> tuple[tuple, list[int]]:
        """The arguments of a call, with its numbers as further operands, so that calls with other numbers are equal."""
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
