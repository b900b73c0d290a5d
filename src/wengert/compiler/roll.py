"""Long programs in chunks: equal chunks are compiled once.

A loop is recorded as its turns, one after the other, and a gradient has a second loop of another period. The program is
searched for the distance at which most of it repeats; that stretch is cut into turns (or several turns, if they are
short), and what is before and behind is searched in the same way; where turns are not quite equal, they begin at a call
that each of them has (`landmarks`). Each chunk is brought into a canonical form, in which
its operands from outside are numbered as they come; chunks of one form share a template and differ in the places that
they are bound to.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.alike import alike
from wengert.compiler.buffers import assembled, primitive, whole_numbers
from wengert.compiler.columns import Columns, distinct
from wengert.compiler.cutting import cut
from wengert.compiler.meanings import STRUCTURAL
from wengert.compiler.program import Call, Node, Program, Ref, signature, uniform

__all__ = ["Chunk", "Copy", "Window", "rolled"]

TURNS = 150
"""Short turns are taken together up to so many calls, if they compute with single numbers."""
TURNS_OF_ARRAYS = 25
"""The same for arrays, whose kernels are launched in no time beside their work."""
MOST_FORMS = 12
"""Of chunks that do the same, so many forms are looked for at once; more are looked at one by one."""
FEW_PIECES = 16
"""An array put together of so many pieces is a value like others."""
ALWAYS = np.iinfo(np.int32).max
"""The last use of what is used to the end."""


@dataclass(frozen=True, slots=True)
class Window:
    """A row that is a part of another one's memory, as it lies there."""

    base: int
    offset: int
    """In bytes."""


@dataclass(slots=True)
class Chunk:
    """Calls that run together: their canonical form, and the rows that it stands for here."""

    form: bytes
    program: Callable[[], Program] | None
    """Makes the canonical program: what comes from outside are its inputs. `None` if the form was there before."""
    outside: array
    outputs: array


@dataclass(slots=True)
class Copy:
    """The row of an array whose pieces are put in their places; what it was before, unless they are all there is."""

    row: int
    complete: bool


@dataclass(slots=True)
class Rolled:
    """A program in chunks."""

    columns: Columns
    steps: list[Chunk | Copy]
    windows: dict[int, Window]
    meanings: list[tuple]
    """What the numbers in the forms of chunks stand for."""


def rolled(columns: Columns) -> Rolled:
    """The chunks of a program without chains of writes."""
    return _Rolling(columns).result


class _Rolling:
    def __init__(self, columns: Columns):
        self.columns = columns
        self.forms: dict[bytes, bytes] = {}
        self.numbers: dict[Any, int] = {}
        self.meanings: list[tuple] = []
        self.symbols: list[int] = [-1] * len(columns.calls)
        """For each call the number that stands for it in forms, once it has one; and as something from outside."""
        self.heads: list[int] = [-1] * len(columns.calls)
        self.constants: dict[int, int | None] = {}
        """For rows of constants the numbers of what they mean."""
        self.windows = _windows(columns) if columns.long else {}
        is_window = np.zeros(len(columns), bool)
        is_window[list(self.windows)] = True
        self.base = np.arange(len(columns), dtype=np.int32)
        """For each row the one in whose memory it lies."""
        for row in sorted(self.windows):
            self.base[row] = self.base[self.windows[row].base]
        users = columns.users()
        self.reading = users[is_window[columns.operands] & ~is_window[users]]
        """The rows that read windows, in their order; and what each of them reads."""
        self.read = columns.operands[is_window[columns.operands] & ~is_window[users]]
        self.joins = [row for row in columns.rows_of(_is_assembled).tolist() if _is_long(columns, row)]
        rows = columns.rows_of(lambda call: call.function is not None)
        rows = rows[~is_window[rows]]
        self.last = self.last_uses(rows)
        self.steps: list[Any] = self.chunks(rows) if columns.long else [self.chunk(rows.tolist())] if len(rows) else []
        self.result = Rolled(columns, self.steps, self.windows, self.meanings)

    def last_uses(self, rows: np.ndarray) -> np.ndarray:
        """The last of the given rows that uses each row; windows pass their uses on."""
        columns, users = self.columns, self.columns.users()
        last, counted = np.zeros(len(columns), np.int32), np.zeros(len(columns), bool)
        counted[rows] = True
        counted = counted[users]
        counted[columns.starts[[row for row in self.joins if _is_complete(columns, row)]]] = False
        np.maximum.at(last, columns.operands[counted], users[counted])
        last[columns.wanted] = last[columns.read] = ALWAYS
        for row, window in sorted(self.windows.items(), key=lambda item: -item[0]):
            last[window.base] = max(last[window.base], last[row])
        return last

    def chunks(self, rows: np.ndarray) -> list:
        """Arrays of many pieces stand between chunks."""
        steps: list[Any] = []
        begin = 0
        ends = np.flatnonzero(np.isin(rows, self.joins))
        for end in [*ends.tolist(), len(rows)]:
            segment = rows[begin:end]
            steps += self.chunks_of([segment[start:stop] for start, stop in self.cuts(segment)])
            if end < len(rows):
                steps.append(Copy(int(rows[end]), _is_complete(self.columns, int(rows[end]))))
            begin = end + 1
        return steps

    def chunks_of(self, pieces: list[np.ndarray]) -> list[Chunk]:
        """The chunks of rows that stand side by side; those that do the same are looked at together."""
        found: list[Any] = [None] * len(pieces)
        groups: dict[bytes, list[int]] = {}
        for k, rows in enumerate(pieces):
            groups.setdefault((rows - rows[0]).tobytes() + self.columns.symbols[rows].tobytes(), []).append(k)
        for group in groups.values():
            waiting = np.array(group)
            for _ in range(MOST_FORMS):
                if len(waiting) < 3:
                    break
                waiting = self.like_first(pieces, waiting, found)
            for k in waiting.tolist():
                found[k] = self.chunk(pieces[k].tolist())
        return found

    def like_first(self, pieces: list[np.ndarray], waiting: np.ndarray, found: list) -> np.ndarray:
        """Give the first chunk of those that wait, and all that are like it; the others are left."""
        rows = pieces[waiting[0]]
        first = found[waiting[0]] = self.chunk(rows.tolist())
        starts = np.array([pieces[k][0] for k in waiting.tolist()], np.int64)
        known = alike(
            self.columns, rows, starts, np.array(first.outside), base=self.base, last=self.last,
            number=self.meaning_of, head=self.head,
        )  # fmt: skip
        if not known.same[0]:  # it reads pieces of what it makes itself
            return waiting[1:]
        same = np.flatnonzero(known.same)[1:]
        outside, outputs = known.outside[same].astype(np.int32), known.outputs[same].astype(np.int32)
        for k, taken, given in zip(waiting[same].tolist(), outside, outputs, strict=True):
            found[k] = Chunk(first.form, None, array("i", taken.tobytes()), array("i", given.tobytes()))
        return waiting[~known.same]

    def cuts(self, rows: np.ndarray) -> list[tuple[int, int]]:
        """Where rows that stand side by side are cut."""
        columns = self.columns
        if not len(rows):
            return []
        symbols = columns.symbols[rows]
        numbers = all(columns.calls[symbol].spec.shape == () for symbol in distinct(symbols))
        positions = np.full(len(columns), -1, np.int32)
        positions[rows] = np.arange(len(rows))
        uses = np.stack([positions[columns.operands], positions[columns.users()]], 1)
        return cut(symbols, uses[(uses >= 0).all(1)], TURNS if numbers else TURNS_OF_ARRAYS)

    # Forms --------------------------------------------------------------------------------------------------------

    def chunk(self, rows: list[int]) -> Chunk:
        """The canonical form of calls that stand side by side.

        It has a number for what each call does, followed by its operands: those inside by their positions, all else
        by numbers below 0, of what comes from outside or what it means.
        """
        end = rows[-1]
        rows = self.with_own_windows(rows)
        outside: list[int] = []
        form: list[int] = []
        of = {row: k for k, row in enumerate(rows)}
        columns, symbols, first = self.columns, self.symbols, rows[0]
        calls = columns.symbols[first : end + 1].tolist()
        starts = columns.starts[first : end + 2].tolist()
        operands = columns.operands[starts[0] : starts[-1]].tolist()
        begin = starts[0]
        for row in rows:
            k = row - first
            number = symbols[calls[k]]
            form.append(number if number >= 0 else self.symbol(calls[k]))
            for operand in operands[starts[k] - begin : starts[k + 1] - begin]:
                number = of.get(operand)
                if number is None:
                    number = of[operand] = self.from_outside(operand, outside)
                form.append(number)
        last, windows = self.last[first : end + 1].tolist(), self.windows
        outputs = [row for row in rows if last[row - first] > end and row not in windows]
        heads = [self.head(columns.symbols[row]) for row in outside]
        key = np.array([len(outside), len(outputs), *heads, *[of[row] for row in outputs], *form], np.int64).tobytes()
        known = self.forms.setdefault(key, key)
        program = partial(_canonical, columns, rows, outside, outputs) if known is key else None
        return Chunk(known, program, array("i", outside), array("i", outputs))

    def with_own_windows(self, rows: list[int]) -> list[int]:
        """The calls of a chunk, and reading of pieces of what the chunk itself makes."""
        if not self.windows:
            return rows
        windows, inside = self.windows, set(rows)
        first, end = np.searchsorted(self.reading, [rows[0], rows[-1] + 1])
        own: set[int] = set()
        for operand in self.read[first:end].tolist():
            chain = []
            while operand in windows and operand not in own:
                chain.append(operand)
                operand = windows[operand].base
            if operand in inside or operand in own:
                own.update(chain)
        return sorted([*rows, *own]) if own else rows

    def symbol(self, call: int) -> int:
        """A number for what a call does, whatever it does it with."""
        known = self.columns.calls[call]
        meaning = (signature(known.function, known.args, known.kwargs), known.spec, known.weak)
        number = self.symbols[call] = self.number_of(meaning)
        return number

    def head(self, call: int) -> int:
        """A number for what comes from outside."""
        if self.heads[call] < 0:
            known = self.columns.calls[call]
            self.heads[call] = self.number_of(("outside", known.spec, known.weak))
        return self.heads[call]

    def number_of(self, meaning: tuple) -> int:
        """The number that stands for something in forms."""
        number = self.numbers.get(meaning)
        if number is None:
            number = self.numbers[meaning] = len(self.meanings)
            self.meanings.append(meaning)
        return number

    def from_outside(self, row: int, outside: list[int]) -> int:
        """The number of an operand that no call of the chunk makes: odd ones are told by what they mean."""
        number = self.meaning_of(row)
        if number is not None:
            return -1 - 2 * number
        outside.append(row)
        return -2 * len(outside)

    def meaning_of(self, row: int) -> int | None:
        """The number of what a constant means that is part of the code; `None` for all else."""
        call = self.columns.call(row)
        if call.name != "constant":
            return None
        if row not in self.constants:
            meaning = _meaning_of_constant(call, not self.columns.long)
            self.constants[row] = None if meaning is None else self.number_of(meaning)
        return self.constants[row]


MOST_INDICES = 4096


def _meaning_of_constant(call: Call, any_number: bool) -> tuple | None:
    """What a constant means that is part of the code: a structural number, indices, a mask, one number everywhere."""
    source = call.source
    if not source.ndim:
        return ("constant", call.spec, source.tobytes(), call.weak) if _is_structural(source) else None
    number = uniform(source)
    is_index = source.dtype.kind in "biu" and source.size <= MOST_INDICES
    if not is_index and (number is None or not (any_number or _is_structural(number))):
        return None
    return ("constant", call.spec, (source if number is None else number).tobytes(), None)


def _is_structural(number: Any) -> bool:
    return number.dtype.kind not in "fc" or complex(number) in STRUCTURAL


def _canonical(columns: Columns, rows: list[int], outside: list[int], outputs: list[int]) -> Program:
    """Calls as a program of their own."""
    program = Program()
    of: dict[int, Node] = {}
    for k, row in enumerate(outside):
        call = columns.call(row)
        new = of[row] = Node(k, Call("input", call.spec, call.weak, source=k))
        program.nodes.append(new)
        program.inputs.append(new)

    def add(row: int, operands: tuple = ()) -> Node:
        new = of[row] = Node(len(program.nodes), columns.call(row), operands)
        program.nodes.append(new)
        return new

    for row in rows:
        add(row, tuple(of.get(o) or add(o) for o in columns.operands_of(row)))
    program.results = [of[row] for row in outputs]
    return program


# Windows ----------------------------------------------------------------------------------------------------------


def _is_assembled(call: Call) -> bool:
    return call.function is assembled


def _is_long(columns: Columns, row: int) -> bool:
    """Whether it is an array put together of many pieces."""
    return _is_assembled(columns.call(row)) and columns.starts[row + 1] - columns.starts[row] > FEW_PIECES


def _is_complete(columns: Columns, row: int) -> bool:
    """Whether the pieces of a long array are all there is, so that nothing of what it was before is left."""
    if not _is_long(columns, row):
        return False
    call = columns.call(row)
    places = call.kwargs["places"]
    return len(places) == prod(call.spec.shape[: len(places[0])])


def _windows(columns: Columns) -> dict[int, Window]:
    """Rows that lie in the memory of another: pieces of arguments, and of arrays that are read piece by piece."""
    getitem, reshape = primitive("getitem"), primitive("reshape")
    kinds = np.array([_may_be_window(call, getitem, reshape) for call in columns.calls], np.int8)[columns.symbols]
    readers = np.bincount(columns.operands[columns.starts[:-1][kinds == READS]], minlength=len(columns))
    found: dict[int, Window] = {}
    offsets: dict[tuple, int] = {}
    """By what is read and from what, the distance in bytes; -1 for what is no piece."""
    rows = np.flatnonzero((kinds > 0) & (np.diff(columns.starts) == 1))
    bases = columns.operands[columns.starts[rows]].tolist()
    for row, symbol, base in zip(rows.tolist(), columns.symbols[rows].tolist(), bases, strict=True):
        call, of = columns.calls[symbol], columns.call(base)
        stored = of.function is None or base in found
        if kinds[row] == RESHAPES:
            if stored and of.spec.ndim:
                found[row] = Window(base, 0)
        elif stored or readers[base] >= 4 or of.function is assembled:
            offset = offsets.get((symbol, of.spec))
            if offset is None:
                offset = offsets[symbol, of.spec] = _distance(call, of)
            if offset >= 0:
                found[row] = Window(base, offset)
    return found


def _distance(call: Call, of: Call) -> int:
    """How many bytes behind the start of an array the piece lies that a call reads; -1 if it is no piece."""
    place = whole_numbers(call.kwargs.get("index"), of.spec.shape)
    if not place:
        return -1
    steps = [prod(of.spec.shape[k + 1 :]) for k in range(len(place))]
    return sum(i * s for i, s in zip(place, steps, strict=True)) * of.spec.dtype.itemsize


READS, RESHAPES = 1, 2


def _may_be_window(call: Call, getitem: Any, reshape: Any) -> int:
    """Whether a call is one that reads a piece, or one that reshapes."""
    if call.args[:1] != (Ref(0),) or call.spec.dtype.char not in "?bhilqBHILQfd":
        return 0
    if call.function is reshape and call.kwargs.get("order", "C") == "C":
        return RESHAPES
    return READS if call.function is getitem else 0
