"""Where the values between chunks live.

Arguments and results are in the memory that the caller has or gets. All else is in one arena: what passes from chunk to
chunk, first fit by lifetimes, and behind it the scratch memory that the chunks use one after the other. A piece of an
array that is put together is made in its place at once, where it is needed nowhere else before.
"""

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.compiler import verify
from wengert.compiler.columns import Columns, distinct
from wengert.compiler.guards import is_direct, numbers_read
from wengert.compiler.plan import NATIVE, Memory
from wengert.compiler.program import Call, Node, Program
from wengert.compiler.roll import Chunk, Copy, Rolled
from wengert.compiler.template import Kernels, Template
from wengert.protocol import Spec

__all__ = ["AT_ONCE", "Block", "Instance", "Layout"]

AT_ONCE = 8
"""How many bytes of guards one launch compares, at most: those of a word."""

Where = tuple[int, int]
"""The number of a pointer, and an offset in bytes."""


class Instance:
    """A template bound to memory: ``slots`` has a pointer's number and an offset for each slot."""

    __slots__ = ("slots", "taken", "template")

    def __init__(self, template: Template, slots: np.ndarray, taken: np.ndarray):
        self.template, self.slots, self.taken = template, slots, taken

    def rows(self) -> list[np.ndarray | None]:
        """For each launch the pointers' numbers and offsets that its kernel takes."""
        bound = self.slots[self.taken[:, 0]].astype(np.int64)
        bound[:, 1] += self.taken[:, 1]
        rows: list[np.ndarray | None] = []
        start = 0
        for launch in self.template.launches:
            end = start if launch.row is None else start + len(launch.row)
            rows.append(None if launch.row is None else bound[start:end])
            start = end
        return rows


class Layout:
    """The instances of a rolled program, and the memory that they need.

    Pointers are counted: the arguments, the results, the block of what the guards read, the arena, then ``constants``.

    Attributes
    ----------
    inputs, wanted : list of Node
        The program's inputs and results, as nodes without operands.
    direct : dict
        For each result that kernels cannot copy its row; and its number in the only chunk, if it is made there.
    arena : int
        Bytes of working memory.
    templates, used : list of Template, ndarray
        The templates, and for each instance the number of its own.
    slots, starts : ndarray
        The slots of all instances, one after the other, and where those of each start.
    """

    def __init__(self, rolled: Rolled, templates: dict[Any, Template], kernels: Kernels):
        self.inputs, self.wanted = rolled.columns.inputs, rolled.columns.results
        self.arguments = len(self.inputs)
        self.block_pointer = self.arguments + len(self.wanted)
        self.arena_pointer = self.block_pointer + 1
        self.constants: list[np.ndarray] = []
        self.block = Block(rolled.columns)
        placing = _Placing(self, rolled, templates, kernels)
        self.direct = placing.remaining_results()
        self.arena = placing.memory.size + max([t.planned.arena for t in templates.values()], default=0)
        if verify.is_asked_for():
            verify.verify_layout(placing, self.arena)
        self.templates = list(placing.numbers)
        self.used, self.starts = np.array(placing.used, np.int32), np.array(placing.starts, np.int32)
        self.slots = np.array(placing.slots, np.int64).reshape(-1, 2)
        self.slots[placing.scratch] = self.arena_pointer, placing.memory.size  # all use it, one after the other
        if len(self.slots) and self.slots.max() <= np.iinfo(np.int32).max:
            self.slots = self.slots.astype(np.int32)

    @property
    def instances(self) -> Iterator[Instance]:
        """The instances in their order."""
        taken = [
            np.concatenate([np.zeros((0, 2), np.int64), *[x.row for x in t.launches if x.row is not None]])
            for t in self.templates
        ]
        for k, number in enumerate(self.used.tolist()):
            yield Instance(self.templates[number], self.slots[self.starts[k] : self.starts[k + 1]], taken[number])

    def reads(self, number: int) -> bool:
        """Whether any launch, or a result, needs the argument of this number."""
        return bool(np.any(self.slots[:, 0] == number))

    def count_calls(self) -> int:
        """How many launches are calls of NumPy's functions."""
        often = np.bincount(self.used, minlength=len(self.templates)).tolist()
        return sum(
            n * sum(launch.name is None for launch in t.launches) for n, t in zip(often, self.templates, strict=True)
        )


class _Placing:
    """The making of a layout."""

    def __init__(self, layout: Layout, rolled: Rolled, templates: dict[Any, Template], kernels: Kernels):
        self.layout, self.rolled, self.templates, self.kernels = layout, rolled, templates, kernels
        self.columns, self.windows = rolled.columns, rolled.windows
        self.memory = Memory()
        self.where: dict[int, Where] = {}
        self.result_of: dict[int, int] = {}
        for j, node in enumerate(layout.wanted):
            self.result_of.setdefault(node.index, j)
        self.read = layout.block.places()
        self.homes = self.homes_of_pieces()
        self.numbers: dict[Template, int] = {}
        self.used, self.slots, self.starts = array("i"), array("q"), array("i", [0])
        self.scratch = array("i")
        """The slots of working memory."""
        last = self.last_steps()
        for k, step in enumerate(rolled.steps):
            self.chunk(step) if isinstance(step, Chunk) else self.copies(step)
            for row in last.pop(k, ()):
                where = self.where.get(row)
                if where is not None and where[0] == layout.arena_pointer:
                    self.memory.give(where[1])

    # Places -----------------------------------------------------------------------------------------------------

    def homes_of_pieces(self) -> dict[int, tuple[int, int]]:
        """For each piece that is made in its place: the array, and the offset in it."""
        homes: dict[int, tuple[int, int]] = {}
        joins = [step.row for step in self.rolled.steps if isinstance(step, Copy) and step.complete]
        if not joins:
            return homes
        taken = self.result_of.keys() | self.read.keys()
        made = {row for step in self.rolled.steps if isinstance(step, Chunk) for row in step.outputs}
        for join in joins:
            dtype = self.columns.call(join).spec.dtype
            for piece, offset in self.pieces(join):
                free = piece in made and piece not in taken and piece not in homes
                if free and self.columns.call(piece).spec.dtype == dtype:
                    homes[piece] = join, offset
        return homes

    def pieces(self, row: int) -> list[tuple[int, int]]:
        """The pieces of an array, and their offsets in it."""
        call = self.columns.call(row)
        strides = np.cumprod([1, *call.spec.shape[:0:-1]])[::-1] * call.spec.dtype.itemsize
        return [
            (piece, int(sum(i * s for i, s in zip(place, strides, strict=False))))
            for piece, place in zip(self.columns.operands_of(row)[1:], call.kwargs["places"], strict=True)
        ]

    def owner(self, row: int) -> int:
        """The row whose memory another one lies in."""
        while True:
            if row in self.windows:
                row = self.windows[row].base
            elif row in self.homes:
                row = self.homes[row][0]
            else:
                return row

    def last_steps(self) -> dict[int, list[int]]:
        """For each step the rows whose memory is not needed any more after it."""
        last: dict[int, int] = {}
        for k, step in enumerate(self.rolled.steps):
            if isinstance(step, Chunk):
                last.update(dict.fromkeys(step.outside, k))
                last.update(dict.fromkeys(step.outputs, k))
            else:
                last.update(dict.fromkeys([step.row, *self.columns.operands_of(step.row)], k))
        last.update((node.index, len(self.rolled.steps)) for node in self.layout.wanted)
        last.update(dict.fromkeys(self.read, len(self.rolled.steps)))
        for row in [*self.windows, *self.homes]:
            if row in last:
                k, owner = last.pop(row), self.owner(row)
                last[owner] = max(last.get(owner, 0), k)
        found: dict[int, list[int]] = {}
        for row, k in last.items():
            found.setdefault(k, []).append(row)
        return found

    def place(self, row: int) -> Where:
        """Where a row's elements are, or will be."""
        known = self.where.get(row)
        if known is not None:
            return known
        if row in self.windows:
            window = self.windows[row]
            pointer, start = self.place(window.base)
            found = pointer, start + window.offset
        elif row in self.homes:
            array, offset = self.homes[row]
            pointer, start = self.place(array)
            found = pointer, start + offset
        else:
            found = self.new_place(row)
        self.where[row] = found
        return found

    def new_place(self, row: int) -> Where:
        """Where a row lies that lies in no other's memory."""
        layout, call = self.layout, self.columns.call(row)
        if call.name == "input":
            return call.source, 0
        if call.name == "constant":
            return self.constant(call.source), 0
        if row in self.result_of:
            return layout.arguments + self.result_of[row], 0
        if row in self.read:
            return layout.block_pointer, self.read[row]
        return layout.arena_pointer, self.memory.take(max(call.spec.size * call.spec.dtype.itemsize, 1))

    def constant(self, array: Any) -> int:
        """The number of the pointer to a constant."""
        self.layout.constants.append(np.ascontiguousarray(array))
        return self.layout.arena_pointer + len(self.layout.constants)

    # Steps ------------------------------------------------------------------------------------------------------

    def chunk(self, step: Chunk) -> None:
        """Give a chunk's rows their places."""
        template, block = self.templates[step.form], self.layout.block
        outputs = list(map(self.place, step.outputs))
        outputs += [(self.layout.block_pointer, block.check()) for _ in range(template.checks)]
        self.instance(template, list(map(self.place, step.outside)), outputs)

    def instance(self, template: Template, outside: list[Where], outputs: list[Where]) -> None:
        """Use a template with these places."""
        self.scratch.append(len(self.slots) // 2 + template.scratch)
        self.used.append(self.numbers.setdefault(template, len(self.numbers)))
        for where in (*outside, *outputs, (self.layout.arena_pointer, 0), *self.constants_of(template)):
            self.slots.extend(where)
        self.starts.append(len(self.slots) // 2)

    def constants_of(self, template: Template) -> list[Where]:
        """Where the constants of a template are; all its uses share them."""
        if template.pointers is None:
            template.pointers = [(self.constant(c), 0) for c in template.planned.constants]
        return template.pointers

    def copies(self, step: Copy) -> None:
        """The pieces that are not in their places yet, and what was there before."""
        pointer, start = self.place(step.row)
        if not step.complete:
            self.copy(self.columns.operands_of(step.row)[0], (pointer, start))
        for piece, offset in self.pieces(step.row):
            if self.place(piece) != (pointer, start + offset):
                self.copy(piece, (pointer, start + offset))

    def copy(self, row: int, to: Where) -> None:
        """Put what a row has in another place, too."""
        self.instance(self.copying(self.columns.call(row).spec), [self.place(row)], [to])

    def copying(self, spec: Spec) -> Template:
        """The template that copies an array."""
        key = ("copy", spec)
        if key not in self.templates:
            program = Program()
            program.results = [Node(0, Call("input", spec, source=0))]
            program.nodes, program.inputs = list(program.results), list(program.results)
            self.templates[key] = Template(program, self.kernels)
        return self.templates[key]

    def remaining_results(self) -> dict[int, tuple[int, int | None]]:
        """Copies of results that are arguments, constants, or there twice; those that kernels cannot copy are given."""
        layout, direct = self.layout, {}
        for j, node in enumerate(layout.wanted):
            if node.spec is None or node.spec.dtype.char not in NATIVE:
                direct[j] = node.index, self.number_in_chunk(node)
            elif self.place(node.index) != (layout.arguments + j, 0):
                self.copy(node.index, (layout.arguments + j, 0))
        for row, offset in zip(layout.block.rows.tolist(), layout.block.offsets.tolist(), strict=True):
            if self.place(row) != (layout.block_pointer, offset):
                self.copy(row, (layout.block_pointer, offset))
        return direct

    def number_in_chunk(self, node: Node) -> int | None:
        """The number of a result in the only chunk; `None` if it is not made there."""
        if node.name in ("input", "constant"):
            return None
        (chunk,) = self.rolled.steps
        assert isinstance(chunk, Chunk)
        return self.templates[chunk.form].results[chunk.outputs.index(node.index)]


class Block:
    """What the guards read, side by side in memory, and what it was: equal bytes mean that the program is right."""

    def __init__(self, columns: Columns):
        self.columns = columns
        calls, self.rows = columns.calls, columns.read
        symbols = columns.symbols[self.rows]
        lengths = np.zeros(len(calls), np.int64)
        for k in distinct(symbols).tolist():
            lengths[k] = calls[k].spec.size * calls[k].spec.dtype.itemsize
        self.lengths = lengths[symbols]
        self.offsets = _side_by_side(self.lengths)
        self.checks: list[int] = []
        """Where truth values are that have to hold."""
        self.size = int(self.offsets[-1] + self.lengths[-1]) if len(symbols) else 0
        self.expected = np.zeros(self.size, np.uint8)
        self._expect()

    def _expect(self) -> None:
        """Write down what was read; most is truth values of one byte."""
        columns, outcomes = self.columns, self.columns.outcomes
        simple = np.array([x is True or x is False for x in outcomes], bool) & (self.lengths == 1)
        self.expected[self.offsets[simple]] = [x for x, one in zip(outcomes, simple.tolist(), strict=True) if one]
        for k in np.flatnonzero(~simple).tolist():
            guard, offset, size = columns.guard(k), int(self.offsets[k]), int(self.lengths[k])
            was = numbers_read(guard)
            was = np.stack([was.real, was.imag]) if was.dtype.kind == "c" else was
            was = was.astype(guard.node.spec.dtype)
            self.expected[offset : offset + size] = np.frombuffer(was.tobytes(), np.uint8)

    def places(self) -> dict[int, int]:
        """Where in the block each row is that a guard reads: the first place, if it is read in several ways."""
        return dict(zip(self.rows[::-1].tolist(), self.offsets[::-1].tolist(), strict=True))

    def check(self) -> int:
        """Room for one more truth value that has to hold for the results to be right (`Graph.checks`)."""
        self.checks.append(self.size)
        self.size += 1
        return self.checks[-1]

    def holds(self, found: np.ndarray) -> bool:
        """Whether all checks came out true."""
        return all(found[offset] for offset in self.checks)

    def first_difference(self, found: np.ndarray) -> int | None:
        """The first guard that read something else."""
        different = np.flatnonzero(found[: len(self.expected)] != self.expected)
        return int(np.searchsorted(self.offsets, different[0], side="right")) - 1 if len(different) else None

    def missed(self, found: np.ndarray, end: int) -> int:
        """The guard that read something else, by where the bytes end that were looked at together."""
        last = int(np.searchsorted(self.offsets, end - 1, side="right")) - 1
        several = range(max(last - AT_ONCE + 1, 0), last) if self.lengths[last] == 1 else ()
        for k in several:
            at = self.offsets[k]
            if self.lengths[k] == 1 and found[at] != self.expected[at]:
                return k
        return last

    def value(self, number: int, found: np.ndarray) -> Any:
        """What a guard has read."""
        guard = self.columns.guard(number)
        spec, offset = guard.node.spec, int(self.offsets[number])
        read = np.array(np.ndarray(spec.shape, spec.dtype, found.data, offset))
        if numbers_read(guard).dtype.kind == "c":
            read = read[0] + 1j * read[1]
        return guard.reader(read if read.ndim else read[()]) if is_direct(guard) else read.tolist()


def _side_by_side(lengths: np.ndarray) -> np.ndarray:
    """Where values of so many bytes lie: single bytes close together, all else at multiples of eight."""
    offsets, end, before = [], 0, 0
    for length in lengths.tolist():
        if not length == before == 1:
            end = -(-end // 8) * 8
        offsets.append(end)
        end, before = end + length, length
    return np.array(offsets, np.int64)
