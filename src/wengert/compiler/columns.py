"""A recorded program in columns: what each call does as a number, and its operands as the numbers of rows.

Nodes take some hundred bytes each, which is much for a long program. In columns, where calls that do the same share
what is known of them, it is a tenth; so what comes after works with rows, and nodes are made once more where a program
is to be printed, or to be run as it was recorded.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.program import NONE, Guard, Node, Program, Ref, signature
from wengert.protocol import spec_of

__all__ = ["SHORT", "STRUCTURAL", "Call", "Columns"]

SHORT = 1200
"""A program of so many calls is one chunk."""
STRUCTURAL = {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0}
"""Numbers that decide what a program is; others are data, and the same chunk serves for all of them."""
TAKING_DATA = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum}
"""Functions in whose calls Python's floats are data (an exponent, say, is not)."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What is the same of all nodes that do the same; the fields are those of `Node`."""

    name: str
    spec: Any
    weak: Any
    function: Any
    args: tuple
    kwargs: dict
    source: Any

    def node(self, index: int, operands: tuple[Node, ...] = ()) -> Node:
        """A node that does this."""
        node = Node(index, self.name, self.spec, self.function, operands, self.args, self.kwargs, self.source)
        node.weak = self.weak
        return node


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
        live = program.live() | {guard.recorded.index for guard in program.guards if guard.recorded is not None}
        nodes = [node for node in program.nodes if node.index in live or node.name == "input"]
        made = [node.spec for node in nodes if node.function is not None]
        self.long = len(made) > SHORT and all(spec is not None and spec.dtype.kind in "biuf" for spec in made)
        table = _Table(self.long)
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
        return self.calls[self.symbols[row]].node(row)

    def program(self) -> Program:
        """The program as it was recorded, with all its nodes made anew."""
        program, nodes = Program(), []
        program.nodes = nodes
        operands, starts = self.operands.tolist(), self.starts.tolist()
        for row, symbol in enumerate(self.symbols.tolist()):
            given = tuple(nodes[k] for k in operands[starts[row] : starts[row + 1]])
            nodes.append(self.calls[symbol].node(row, given))
        program.inputs, program.results = ([nodes[n.index] for n in x] for x in (self.inputs, self.results))
        program.guards = [Guard(nodes[g.recorded.index], g.reader, g.outcome, g.after) for g in self.guards]
        return program


def copied(value: Any) -> Any:
    """Arguments in containers, and with numbers, of their own."""
    if value.__class__ is int:
        return value + 0
    if value.__class__ is tuple:
        return tuple([copied(part) for part in value])
    if value.__class__ is dict:
        return {name: copied(part) for name, part in value.items()} if value else NONE
    if value.__class__ is slice:
        return slice(copied(value.start), copied(value.stop), copied(value.step))
    return value


class _Table:
    """Columns that grow."""

    def __init__(self, with_data_outside: bool):
        self.with_data_outside = with_data_outside
        self.calls: list[Call] = []
        self.known: dict[Any, int] = {}
        self.symbols, self.operands, self.starts = array("i"), array("i"), array("i", [0])
        self.rows: dict[int, int] = {}
        """The row of each node, by the node's index."""
        self.references: dict[tuple, tuple] = {}
        """Arguments that are nothing but operands."""
        self.numbers: dict[str, int] = {}
        """The rows of numbers that are operands, and stood in calls."""

    def add(self, node: Node) -> None:
        """One more row."""
        rows, args, more = self.rows, node.args, ()
        if self.with_data_outside and node.function in TAKING_DATA:
            args, more = self.numbers_outside(node)
        symbol = None
        if node.function is not None:
            key = (signature(node.function, args, node.kwargs), node.spec, node.weak)
            symbol = self.known.get(key)
            if symbol is None:
                self.known[key] = len(self.calls)
        if symbol is None:
            symbol = self.new_call(node, args)
        rows[node.index] = self.append(symbol, [*[rows[o.index] for o in node.operands], *more])

    def new_call(self, node: Node, args: tuple) -> int:
        # Copies, or else each would keep the memory alive that all nodes around it were made in.
        if all(a.__class__ is Ref for a in args):
            args = self.references.setdefault(args, args)
        else:
            args = copied(args)
        kwargs = copied(node.kwargs)
        self.calls.append(Call(node.name, node.spec, node.weak, node.function, args, kwargs, node.source))
        return len(self.calls) - 1

    def append(self, symbol: int, operands: list[int]) -> int:
        self.symbols.append(symbol)
        self.operands.extend(operands)
        self.starts.append(len(self.operands))
        return len(self.symbols) - 1

    def numbers_outside(self, node: Node) -> tuple[tuple, list[int]]:
        """The arguments of a call, with its numbers as operands, so that calls with other numbers are equal."""
        args, more = [], []
        for a in node.args:
            if a.__class__ is float and a not in STRUCTURAL:
                args.append(Ref(len(node.operands) + len(more)))
                more.append(self.number(a))
            else:
                args.append(a)
        return (tuple(args), more) if more else (node.args, more)

    def number(self, x: float) -> int:
        """The row of a number."""
        row = self.numbers.get(x.hex())
        if row is None:
            number = np.float64(x)
            self.calls.append(Call("constant", spec_of(number), float, None, (), {}, number))
            row = self.numbers[x.hex()] = self.append(len(self.calls) - 1, [])
        return row
