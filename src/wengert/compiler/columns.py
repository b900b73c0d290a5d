"""A recorded program in columns: what each call does as a number, and its operands as the numbers of rows.

Nodes take some hundred bytes each, which is much for a long program. In columns, where calls that do the same share
what is known of them, it is a tenth; so what comes after works with rows, and nodes are made once more where a program
is to be printed, or to be run as it was recorded.
"""

from array import array
from collections.abc import Callable
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
"""Functions in whose calls Python's floats are data (an exponent, say, is not)."""


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
        self.long = _is_long([node.call for node in nodes])
        table = _Table(len(program.nodes), self.long)
        guards = iter([*program.guards, None])
        guard = next(guards)
        after: list[int] = []
        for node in nodes:
            while guard is not None and guard.after <= node.index:
                after.append(len(table.symbols))
                guard = next(guards)
            table.add(node)
        after += [len(table.symbols)] * (len(program.guards) - len(after))
        self.calls = table.calls
        self.symbols, self.starts, self.operands = (
            np.array(column, np.int32) for column in (table.symbols, table.starts, table.operands)
        )
        row = lambda node: self.row(table.rows[node.index])  # noqa: E731
        self.inputs, self.results = list(map(row, program.inputs)), list(map(row, program.results))
        self.guards = [
            Guard(row(g.node), g.reader, g.outcome, k, row(g.recorded or g.node))
            for g, k in zip(program.guards, after, strict=True)
        ]

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

    def program(self) -> Program:
        """The program as it was recorded, with all its nodes made anew."""
        program, nodes = Program(), []
        program.nodes = nodes
        operands, starts = self.operands.tolist(), self.starts.tolist()
        for row, symbol in enumerate(self.symbols.tolist()):
            given = tuple(nodes[k] for k in operands[starts[row] : starts[row + 1]])
            nodes.append(Node(row, self.calls[symbol], given))
        program.inputs, program.results = ([nodes[n.index] for n in x] for x in (self.inputs, self.results))
        program.guards = [Guard(nodes[g.recorded.index], g.reader, g.outcome, g.after) for g in self.guards]
        return program


def _is_long(calls: list[Call]) -> bool:
    """Whether a program is to be cut into chunks."""
    made = sum(call.function is not None for call in calls)
    kinds = {call.spec and call.spec.dtype.kind for call in set(calls) if call.function is not None}
    return made > SHORT and kinds <= set("biuf")


def _copied(value: Any) -> Any:
    """Arguments in containers, and with numbers, of their own."""
    if value.__class__ is int:
        return value + 0
    if value.__class__ is tuple:
        return tuple([_copied(part) for part in value])
    if value.__class__ is dict:
        return {name: _copied(part) for name, part in value.items()} if value else NONE
    if value.__class__ is slice:
        return slice(_copied(value.start), _copied(value.stop), _copied(value.step))
    return value


class _Table:
    """Columns that grow."""

    def __init__(self, nodes: int, with_data_outside: bool):
        self.with_data_outside = with_data_outside
        self.calls: list[Call] = []
        self.symbols, self.operands, self.starts = array("i"), array("i"), array("i", [0])
        self.rows = [0] * nodes
        """The row of each node, by the node's index."""
        self.of: dict[int, tuple[int, list[float]]] = {}
        """For each call of nodes, by its identity, the number of what it does, and the numbers that become operands."""
        self.known: dict[Any, int] = {}
        self.references: dict[tuple, tuple] = {}
        """Arguments that are nothing but operands."""
        self.numbers: dict[str, int] = {}
        """The rows of numbers that are operands, and stood in calls."""

    def add(self, node: Node) -> None:
        """One more row."""
        found = self.of.get(id(node.call))
        if found is None:
            found = self.of[id(node.call)] = self.symbol(node.call, len(node.operands))
        symbol, numbers = found
        rows, operands = self.rows, self.operands
        more = [self.number(x) for x in numbers] if numbers else ()
        for operand in node.operands:
            operands.append(rows[operand.index])
        operands.extend(more)
        rows[node.index] = len(self.symbols)
        self.symbols.append(symbol)
        self.starts.append(len(operands))

    def symbol(self, call: Call, operands: int) -> tuple[int, list[float]]:
        """The number of what a call does, and the numbers in it that are to be operands."""
        args, numbers = call.args, []
        if self.with_data_outside and call.function in TAKING_DATA:
            args, numbers = _numbers_outside(args, operands)
        if call.function is None:
            return self.new_call(call, args), numbers
        key = (signature(call.function, args, call.kwargs), call.spec, call.weak)
        number = self.known.get(key)
        if number is None:
            number = self.known[key] = self.new_call(call, args)
        return number, numbers

    def new_call(self, call: Call, args: tuple) -> int:
        """A copy, as the call itself would keep all the memory alive that nodes were made in around it."""
        if all(a.__class__ is Ref for a in args):
            args = self.references.setdefault(args, args)
        else:
            args = _copied(args)
        self.calls.append(Call(call.name, call.spec, call.weak, call.function, args, _copied(call.kwargs), call.source))
        return len(self.calls) - 1

    def number(self, x: float) -> int:
        """The row of a number."""
        row = self.numbers.get(x.hex())
        if row is None:
            number = np.float64(x)
            self.calls.append(Call("constant", spec_of(number), float, source=number))
            row = self.numbers[x.hex()] = len(self.symbols)
            self.symbols.append(len(self.calls) - 1)
            self.starts.append(len(self.operands))
        return row


def _numbers_outside(args: tuple, operands: int) -> tuple[tuple, list[float]]:
    """The arguments of a call, with its numbers as further operands, so that calls with other numbers are equal."""
    found, numbers = [], []
    for a in args:
        if a.__class__ is float and a not in STRUCTURAL:
            found.append(Ref(operands + len(numbers)))
            numbers.append(a)
        else:
            found.append(a)
    return tuple(found), numbers
