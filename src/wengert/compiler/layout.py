"""Where the values between chunks live.

Arguments and results are in the memory that the caller has or gets. All else is in one arena: what passes from chunk to
chunk, first fit by lifetimes, and behind it the scratch memory that the chunks use one after the other. A piece of an
array that is put together is made in its place at once, where it is needed nowhere else before.
"""

from math import prod
from typing import Any

import numpy as np

from wengert.compiler.guards import is_direct, numbers_read
from wengert.compiler.plan import NATIVE, Memory
from wengert.compiler.program import Guard, Node, Program
from wengert.compiler.roll import Chunk, Copy, Rolled
from wengert.compiler.template import Kernels, Template

__all__ = ["Block", "Instance", "Layout"]

Where = tuple[int, int]
"""The number of a pointer, and an offset in bytes."""


class Instance:
    """A template bound to memory: ``slots`` has a pointer's number and an offset for each slot."""

    __slots__ = ("slots", "template")

    def __init__(self, template: Template, slots: list[Where]):
        self.template, self.slots = template, np.array(slots, np.int64).reshape(-1, 2)

    def rows(self) -> list[np.ndarray | None]:
        """For each launch the pointers' numbers and offsets that its kernel takes."""
        return [
            np.stack([self.slots[row[:, 0], 0], self.slots[row[:, 0], 1] + row[:, 1]], axis=1)
            if (row := launch.row) is not None
            else None
            for launch in self.template.launches
        ]  # fmt: skip


class Layout:
    """The instances of a rolled program, and the memory that they need.

    Pointers are counted: the arguments, the results, the block of what the guards read, the arena, then ``constants``.
    """

    def __init__(self, rolled: Rolled, templates: dict[Any, Template], kernels: Kernels, guards: list[Guard]):
        self.rolled, self.templates, self.kernels = rolled, templates, kernels
        self.wanted = wanted = rolled.program.results
        self.arguments = len(rolled.program.inputs)
        self.block_pointer = self.arguments + len(wanted)
        self.arena_pointer = self.block_pointer + 1
        self.constants: list[np.ndarray] = []
        self.instances: list[Instance] = []
        self.memory = Memory()
        self.where: dict[int, Where] = {}
        self.result_of: dict[int, int] = {}
        for j, node in enumerate(wanted):
            self.result_of.setdefault(node.index, j)
        self.block = Block(guards)
        self.homes = self.homes_of_pieces()
        self.last = self.last_steps()
        self.scratch: list[tuple[Instance, int]] = []
        for k, step in enumerate(rolled.steps):
            self.chunk(step) if isinstance(step, Chunk) else self.copies(step)
            for index in self.last.pop(k, ()):
                where = self.where.get(index)
                if where is not None and where[0] == self.arena_pointer:
                    self.memory.give(where[1])
        self.direct = self.remaining_results()
        for instance, slot in self.scratch:
            instance.slots[slot] = self.arena_pointer, self.memory.size
        self.arena = self.memory.size + max([t.planned.arena for t in templates.values()], default=0)

    # Places -----------------------------------------------------------------------------------------------------

    def homes_of_pieces(self) -> dict[int, tuple[Node, int]]:
        """For each piece that is made in its place: the array, and the offset in it."""
        homes: dict[int, tuple[Node, int]] = {}
        taken = self.result_of.keys() | self.block.of.keys()
        made = {n.index for s in self.rolled.steps if isinstance(s, Chunk) for n in s.outputs}
        for step in self.rolled.steps:
            if isinstance(step, Copy) and step.complete:
                for piece, offset in self.pieces(step.node):
                    free = piece.index in made and piece.index not in taken and piece.index not in homes
                    if free and piece.spec.dtype == step.node.spec.dtype:
                        homes[piece.index] = step.node, offset
        return homes

    @staticmethod
    def pieces(node: Node) -> list[tuple[Node, int]]:
        """The pieces of an array, and their offsets in it."""
        strides = np.cumprod([1, *node.spec.shape[:0:-1]])[::-1] * node.spec.dtype.itemsize
        return [
            (piece, int(sum(i * s for i, s in zip(place, strides, strict=False))))
            for piece, place in zip(node.operands[1:], node.kwargs["places"], strict=True)
        ]

    def owner(self, node: Node) -> Node:
        """The node whose memory another one lies in."""
        while True:
            if node.index in self.rolled.windows:
                node = self.rolled.windows[node.index].base
            elif node.index in self.homes:
                node = self.homes[node.index][0]
            else:
                return node

    def last_steps(self) -> dict[int, list[int]]:
        """For each step the nodes whose memory is not needed any more after it."""
        last: dict[int, int] = {}
        for k, step in enumerate(self.rolled.steps):
            used = [*step.outside, *step.outputs] if isinstance(step, Chunk) else [step.node, *step.node.operands]
            for node in used:
                last[self.owner(node).index] = k
        for node in [*self.wanted, *self.block.nodes]:
            last[self.owner(node).index] = len(self.rolled.steps)
        found: dict[int, list[int]] = {}
        for index, k in last.items():
            found.setdefault(k, []).append(index)
        return found

    def place(self, node: Node) -> Where:
        """Where a node's elements are, or will be."""
        known = self.where.get(node.index)
        if known is not None:
            return known
        if node.index in self.rolled.windows:
            window = self.rolled.windows[node.index]
            pointer, offset = self.place(window.base)
            return pointer, offset + window.offset
        if node.index in self.homes:
            array, offset = self.homes[node.index]
            pointer, start = self.place(array)
            return pointer, start + offset
        self.where[node.index] = found = self.new_place(node)
        return found

    def new_place(self, node: Node) -> Where:
        """Where a node lies that lies in no other's memory."""
        if node.name == "input":
            return node.source, 0
        if node.name == "constant":
            return self.constant(node.source), 0
        if node.index in self.result_of:
            return self.arguments + self.result_of[node.index], 0
        if node.index in self.block.of:
            return self.block_pointer, self.block.of[node.index]
        return self.arena_pointer, self.memory.take(max(prod(node.spec.shape) * node.spec.dtype.itemsize, 1))

    def constant(self, array: Any) -> int:
        """The number of the pointer to a constant."""
        self.constants.append(np.ascontiguousarray(array))
        return self.arena_pointer + len(self.constants)

    # Steps ------------------------------------------------------------------------------------------------------

    def chunk(self, step: Chunk) -> None:
        """Give a chunk's nodes their places."""
        template = self.templates[step.form]
        outputs = [self.place(n) for n in step.outputs]
        outputs += [(self.block_pointer, self.block.check()) for _ in range(template.checks)]
        self.instance(template, [self.place(n) for n in step.outside], outputs)

    def instance(self, template: Template, outside: list[Where], outputs: list[Where]) -> None:
        """Use a template with these places."""
        constants = self.constants_of(template)
        made = Instance(template, [*outside, *outputs, (self.arena_pointer, 0), *constants])
        self.scratch.append((made, template.scratch))
        self.instances.append(made)

    def constants_of(self, template: Template) -> list[Where]:
        """Where the constants of a template are; all its uses share them."""
        if template.pointers is None:
            template.pointers = [(self.constant(c), 0) for c in template.planned.constants]
        return template.pointers

    def copies(self, step: Copy) -> None:
        """The pieces that are not in their places yet, and what was there before."""
        pointer, start = self.place(step.node)
        if not step.complete:
            self.copy(step.node.operands[0], (pointer, start))
        for piece, offset in self.pieces(step.node):
            if self.place(piece) != (pointer, start + offset):
                self.copy(piece, (pointer, start + offset))

    def copy(self, node: Node, to: Where) -> None:
        """Put what a node has in another place, too."""
        self.instance(self.copying(node), [self.place(node)], [to])

    def copying(self, node: Node) -> Template:
        """The template that copies an array."""
        key = ("copy", node.spec)
        if key not in self.templates:
            program = Program()
            program.results = [Node(0, "input", node.spec, source=0)]
            program.nodes, program.inputs = list(program.results), list(program.results)
            self.templates[key] = Template(program, self.kernels)
        return self.templates[key]

    def remaining_results(self) -> dict[int, Node]:
        """Copies of results that are arguments, constants, or there twice; those that kernels cannot copy are given."""
        direct = {}
        for j, node in enumerate(self.wanted):
            if node.spec is None or node.spec.dtype.char not in NATIVE:
                direct[j] = node
            elif self.place(node) != (self.arguments + j, 0):
                self.copy(node, (self.arguments + j, 0))
        for node, offset in zip(self.block.nodes, self.block.offsets, strict=True):
            if self.place(node) != (self.block_pointer, offset):
                self.copy(node, (self.block_pointer, offset))
        return direct


class Block:
    """What the guards read, side by side in memory, and what it was: equal bytes mean that the program is right."""

    def __init__(self, guards: list[Guard]):
        self.guards = guards
        self.nodes = [guard.node for guard in guards]
        sizes = [prod(n.spec.shape) * n.spec.dtype.itemsize for n in self.nodes]
        self.offsets = [int(x) for x in np.cumsum([0, *[-(-size // 8) * 8 for size in sizes]])[:-1]]
        self.checks: list[int] = []
        """Where truth values are that have to hold."""
        self.size = (self.offsets[-1] + sizes[-1]) if sizes else 0
        self.of: dict[int, int] = {}
        self.expected = np.zeros(self.size, np.uint8)
        for guard, offset, size in zip(guards, self.offsets, sizes, strict=True):
            self.of.setdefault(guard.node.index, offset)
            was = numbers_read(guard)
            was = np.stack([was.real, was.imag]) if was.dtype.kind == "c" else was
            was = was.astype(guard.node.spec.dtype)
            self.expected[offset : offset + size] = np.frombuffer(was.tobytes(), np.uint8)

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

    def value(self, number: int, found: np.ndarray) -> Any:
        """What a guard has read."""
        node, offset = self.nodes[number], self.offsets[number]
        read = np.array(np.ndarray(node.spec.shape, node.spec.dtype, found.data, offset))
        guard = self.guards[number]
        if numbers_read(guard).dtype.kind == "c":
            read = read[0] + 1j * read[1]
        return guard.reader(read if read.ndim else read[()]) if is_direct(guard) else read.tolist()
