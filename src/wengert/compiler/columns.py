"""A recorded program in columns: what each call does as a number, and its operands as the numbers of rows.

Nodes take some hundred bytes each, which is much for a long program. In columns, where calls that do the same share
what is known of them, it is a tenth; so what comes after works with rows, and nodes are made once more where a program
is to be printed, or to be run as it was recorded.
"""

from collections.abc import Callable, Sequence
from copy import copy
from itertools import chain
from operator import attrgetter
from zlib import compress, decompress

import numpy as np

from wengert.compiler.meanings import Table, copied
from wengert.compiler.program import Call, Guard, Node, Program

__all__ = ["FEW", "SHORT", "Columns", "distinct", "starts_of"]

SHORT, FEW = 1200, 300
"""A program of so many calls is one chunk: elementwise throughout, so that its loops become one; any other."""
APART = 20
"""Calls of which one is no elementwise operation, where it counts as any other."""
OTHERS = {"matmul", "assigned", "added", "concatenate", "take", "solve", "inv", "cholesky", "cumsum", "cumprod", "sort"}
"""Calls that are no elementwise operations whatever the shapes; nor are those that give less than they read."""
CALL, OPERANDS, INDEX = map(attrgetter, ("call", "operands", "index"))


class Columns:
    """The nodes of a program as rows.

    Attributes
    ----------
    long : bool
        Whether it is to be cut into chunks.
    calls, symbols : list of Call, ndarray
        What rows do, and for each row the number of its call.
    operands, starts : ndarray
        The operands of all rows, one after the other, and where those of each row start.
    given, wanted : ndarray
        The rows of inputs and of results.
    read, recorded, after : ndarray
        For each guard the row that is compared, the row that was read, and how many rows had been recorded.
    readers, outcomes : list
        For each guard how it was read, and what came out.
    """

    __slots__ = (
        "after", "calls", "given", "long", "operands", "outcomes", "packed", "read", "readers", "recorded", "starts",
        "symbols", "wanted",
    )  # fmt: skip

    def __init__(self, program: Program):
        nodes, guards = program.nodes, program.guards
        calls, operands = list(map(CALL, nodes)), list(map(OPERANDS, nodes))
        numbers = {call: k for k, call in enumerate(dict.fromkeys(calls))}
        self.calls = list(numbers)
        self.symbols = np.fromiter(map(numbers.__getitem__, calls), np.int32, len(nodes))
        self.starts = starts_of(np.fromiter(map(len, operands), np.int32, len(nodes)))
        self.operands = np.fromiter(map(INDEX, chain.from_iterable(operands)), np.int32, int(self.starts[-1]))
        self.given = np.array([n.index for n in program.inputs], np.int32)
        self.wanted = np.array([n.index for n in program.results], np.int32)
        self.read = np.array([g.node.index for g in guards], np.int32)
        self.recorded = np.array([(g.recorded or g.node).index for g in guards], np.int32)
        self.after = np.array([g.after for g in guards], np.int32)
        self.readers, self.outcomes = [g.reader for g in guards], [g.outcome for g in guards]
        self.long = False
        self.packed: tuple[bytes, bytes] | None = None
        """The operands of a long program as distances, and how many each row has: few bytes, as turns are alike."""

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

    # As nodes ---------------------------------------------------------------------------------------------------

    def row(self, row: int) -> Node:
        """A row as a node without operands."""
        return Node(int(row), self.calls[self.symbols[row]])

    @property
    def inputs(self) -> list[Node]:
        """The inputs as nodes without operands."""
        return list(map(self.row, self.given))

    @property
    def results(self) -> list[Node]:
        """The results as nodes without operands."""
        return list(map(self.row, self.wanted))

    def guard(self, k: int) -> Guard:
        """A guard, of nodes without operands; ``after`` counts rows."""
        node, recorded = self.row(self.read[k]), self.row(self.recorded[k])
        return Guard(node, self.readers[k], self.outcomes[k], int(self.after[k]), recorded)

    def program(self) -> Program:
        """The program with all its nodes made anew."""
        program = Program()
        nodes = program.nodes
        operands, starts = self.operands.tolist(), self.starts.tolist()
        for row, symbol in enumerate(self.symbols.tolist()):
            given = tuple([nodes[k] for k in operands[starts[row] : starts[row + 1]]])
            nodes.append(Node(row, self.calls[symbol], given))
        program.inputs, program.results = ([nodes[k] for k in x.tolist()] for x in (self.given, self.wanted))
        guards = zip(self.recorded.tolist(), self.readers, self.outcomes, self.after.tolist(), strict=True)
        program.guards = [Guard(nodes[k], reader, outcome, after) for k, reader, outcome, after in guards]
        return program

    # Changing ---------------------------------------------------------------------------------------------------

    def live(self) -> np.ndarray:
        """For each row whether a result or a guard needs it, or it is an input."""
        live = np.ones(len(self), bool)
        uses = np.bincount(self.operands, minlength=len(self))
        for rows in (self.given, self.wanted, self.read, self.recorded):
            uses[rows] += 1
        waiting = np.flatnonzero(uses == 0).tolist()
        while waiting:
            row = waiting.pop()
            live[row] = False
            for operand in self.operands_of(row):
                uses[operand] -= 1
                if not uses[operand]:
                    waiting.append(operand)
        return live

    def extend(self, new: Sequence[tuple[Call, tuple[int, ...]]]) -> None:
        """Append rows."""
        numbers = np.arange(len(self.calls), len(self.calls) + len(new), dtype=np.int32)
        self.calls += [call for call, _ in new]
        self.symbols = np.concatenate([self.symbols, numbers])
        flat = np.array([k for _, operands in new for k in operands], np.int32)
        self.operands = np.concatenate([self.operands, flat])
        self.starts = starts_of(np.concatenate([np.diff(self.starts), [len(operands) for _, operands in new]]))

    def rearrange(self, rows: np.ndarray, first: int = 0) -> None:
        """Have only these rows, in this order, behind so many that are still to come."""
        counts = np.diff(self.starts)[rows]
        begins, starts = self.starts[:-1][rows], starts_of(counts)
        at = np.repeat(begins - starts[:-1], counts) + np.arange(starts[-1])
        to = np.zeros(len(self), np.int32)
        to[rows] = np.arange(first, first + len(rows))
        self.symbols, self.starts, self.operands = self.symbols[rows], starts, to[self.operands[at]]
        self.given, self.wanted, self.read, self.recorded = (
            to[x] for x in (self.given, self.wanted, self.read, self.recorded)
        )

    def arrange(self, rows: np.ndarray, positions: np.ndarray) -> None:
        """Have only these rows, by their positions: those that there were lie at ``2 * k + 1``."""
        order = np.argsort(positions, kind="stable")
        self.after = np.searchsorted(positions[order], 2 * self.after, side="right").astype(np.int32)
        self.rearrange(rows[order])

    def settle(self) -> None:
        """Leave out what nobody needs, and have calls that do the same be one; numbers in them become operands."""
        live = np.flatnonzero(self.live())
        used = distinct(self.symbols[live])
        made = {c.spec and c.spec.dtype.kind for k in used if (c := self.calls[k]).function is not None}
        self.long = len(live) > FEW and made <= set("biufc") and (len(live) > SHORT or self._is_apart(live))
        table = Table([self.calls[k] for k in used], self.long)
        first = len(table.numbers)
        self.after = np.searchsorted(live, self.after).astype(np.int32) + first
        self.rearrange(live, first)
        number = np.zeros(len(self.calls), np.int32)
        number[used] = table.symbols
        given = [table.given.get(k) for k in np.searchsorted(used, self.symbols).tolist()] if table.given else []
        counts = np.concatenate([np.zeros(first, np.int32), np.diff(self.starts)])
        self.symbols = np.concatenate([np.arange(first, dtype=np.int32), number[self.symbols]])
        self.calls, self.starts = table.calls, starts_of(counts)
        if given:
            self._give_numbers([()] * first + [rows or () for rows in given])

    def _is_apart(self, live: np.ndarray) -> bool:
        """Whether so much else lies between elementwise operations that few of them are in a loop together."""
        sizes = np.array([call.spec.size if call.spec else 0 for call in self.calls])[self.symbols]
        largest = np.zeros(len(self), sizes.dtype)
        np.maximum.at(largest, self.users(), sizes[self.operands])
        is_other = np.array([call.name in OTHERS for call in self.calls])[self.symbols]
        is_smaller = (largest > sizes) & ~np.array([call.name == "getitem" for call in self.calls])[self.symbols]
        return bool(APART * np.count_nonzero((is_other | is_smaller)[live]) > len(live))

    def _give_numbers(self, given: list[Sequence[int]]) -> None:
        """Append to the operands of each row the rows of numbers that stood in its call."""
        counts = list(map(len, given))
        more = list(chain.from_iterable(given))
        self.operands = np.insert(self.operands, np.repeat(self.starts[1:], counts), more)
        self.starts[1:] += np.cumsum(counts, dtype=np.int32)

    def pack(self) -> None:
        """Keep the operands of a long program in few bytes: they are wanted where it is printed, or run as recorded."""
        if self.long and self.packed is None:
            distances = self.users() - self.operands
            self.packed = compress(distances.tobytes(), 1), compress(np.diff(self.starts).tobytes(), 1)
            self.operands = self.starts = np.zeros(0, np.int32)
            self.symbols = self.symbols.astype(np.min_scalar_type(len(self.calls)))

    def unpacked(self) -> "Columns":
        """The same with its operands at hand."""
        if self.packed is None:
            return self
        columns = copy(self)
        distances, counts = (np.frombuffer(decompress(x), np.int32) for x in self.packed)
        columns.packed, columns.symbols, columns.starts = None, self.symbols.astype(np.int32), starts_of(counts)
        columns.operands = columns.users() - distances
        return columns

    def move(self) -> None:
        """Have all calls in memory of their own, once what was recorded with them is gone.

        They were made where there was room between the nodes, and would keep that memory from being given back.
        """
        self.calls = [
            Call(call.name, call.spec, call.weak, call.function, copied(call.args), copied(call.kwargs), call.source)
            for call in self.calls
        ]


def distinct(numbers: np.ndarray) -> np.ndarray:
    """The different ones of some whole numbers, in their order; `numpy.unique` loads more than this when first used."""
    return np.flatnonzero(np.bincount(numbers.ravel()))


def starts_of(counts: np.ndarray) -> np.ndarray:
    """Where parts of these lengths start, one after the other, and where the last one ends."""
    starts = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=starts[1:])
    return starts
