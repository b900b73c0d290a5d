"""Where each value lives, and in which order steps run: buffers, rows, launches.

Inside a call all memory is one arena, in which values take each other's place when they are no longer needed. Arguments
are read where they are; results are arrays of their own, written by the kernels that make them.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.fuse import Kernel, Step
from wengert.compiler.graph import Graph, Value
from wengert.compiler.product import operand_of

__all__ = ["Memory", "Place", "Planned", "copies_of_results", "plan"]

ALIGNMENT = 64
NATIVE = "?bhilqBHILQfdFD"
"""The dtypes that kernels compute with; complex numbers are two floats to them."""


STORED = {"map", "move", "update", "join", "gather", "reduce", "product", "scan", "scatter", "routine", "assembly"}
"""Kinds of values that are written to wherever they are wanted."""


@dataclass(frozen=True)
class Place:
    """Where a value is: the number of a pointer, the first element's offset in bytes, and the strides of its axes."""

    pointer: int
    offset: int
    strides: tuple[int, ...]


@dataclass
class Planned:
    """The places of all stored values, and the size of the arena."""

    places: dict[int, Place]
    constants: list[Any]
    arena: int
    objects: dict[int, int] = field(default_factory=dict)


def copies_of_results(graph: Graph) -> None:
    """Give each result a buffer of its own: what is an argument, a constant or another result is copied."""
    seen: set[int] = set()
    before = len(graph.values)
    for j, v in enumerate(graph.results):
        if v.dtype.char not in NATIVE:
            continue
        if v.kind not in STORED or v.number in seen:
            v = graph.results[j] = graph.make("map", (v,), f"copy{j}", v.shape, v.dtype)
        seen.add(v.number)
    if len(graph.values) != before:
        graph.prune()


def plan(graph: Graph, steps: list[Step], arguments: int) -> Planned:
    """Places for all values that are stored."""
    places: dict[int, Place] = {}
    constants: list[Any] = []
    results = {v.number: arguments + j for j, v in enumerate(graph.results) if v.dtype.char in NATIVE}
    arena = arguments + len(graph.results)
    for v in graph.values:
        if v.kind == "input":
            places[v.number] = Place(v.setting, 0, strides(v.shape))
        elif v.kind == "constant":
            constants.append(np.ascontiguousarray(v.setting))
            places[v.number] = Place(arena + len(constants), 0, strides(v.shape))
        elif v.number in results:
            places[v.number] = Place(results[v.number], 0, strides(v.shape))
    memory = Memory()
    last = _last_uses(graph, steps)
    owner = {o.number: (v, start) for v in graph.values if v.kind == "assembly" for o, start in _parts(v)}
    waiting: dict[int, list[int]] = {}

    def place(v: Value, k: int) -> Place:
        """Where a value lies that step `k` makes, and is kept until it is not needed any more."""
        if v.number in places:
            return places[v.number]
        if v.number in owner:
            whole, start = owner[v.number]
            places[v.number] = part = _part(whole, place(whole, k), start)
            return part
        offset = memory.take(max(v.size * v.dtype.itemsize, 1))
        waiting.setdefault(max(last.get(n, k) for n in _with_parts(v)), []).append(v.number)
        found = places[v.number] = Place(arena, offset, strides(v.shape))
        return found

    for k, step in enumerate(steps):
        for v in made_by(step):
            place(v, k)
        for number in waiting.pop(k, ()):
            memory.give(places[number].offset)
    for v in graph.values:
        if v.kind == "reshape":
            base = places[v.operands[0].number]
            places[v.number] = Place(base.pointer, base.offset, strides(v.shape))
        elif not v.size and v.number not in places:
            places[v.number] = Place(arena, 0, strides(v.shape))
    return Planned(places, constants, memory.size)


def _parts(assembly: Value) -> Iterator[tuple[Value, int]]:
    """The parts of an assembly, and where each starts along its axis: columns have no axis of their own."""
    axis = assembly.setting
    lengths = [1 if axis is None else o.shape[axis] for o in assembly.operands]
    return zip(assembly.operands, accumulate(lengths, initial=0), strict=False)


def _part(assembly: Value, base: Place, start: int) -> Place:
    """The place of a part in that of an assembly."""
    axis = -1 if assembly.setting is None else assembly.setting
    strides = base.strides[:-1] if assembly.setting is None else base.strides
    return Place(base.pointer, base.offset + start * base.strides[axis] * assembly.dtype.itemsize, strides)


def _with_parts(v: Value) -> list[int]:
    """The numbers of a value and of all that is written to its place."""
    found = [v.number]
    if v.kind == "assembly":
        found += [number for o in v.operands for number in _with_parts(o)]
    return found


def made_by(step: Step) -> list[Value]:
    """The values that a step stores."""
    if step.kernel is not None:
        return [root.value for root in step.kernel.roots if not root.temporary]
    return [step.value] if step.value is not None else []


def strides(shape: tuple) -> tuple[int, ...]:
    """Strides in elements, in C order."""
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def _last_uses(graph: Graph, steps: list[Step]) -> dict[int, int]:
    """The last step that reads each stored value, through what is computed where it is used."""
    position: dict[int, int] = {}
    for k, step in enumerate(steps):
        for v in made_by(step):
            position[v.number] = k
    last: dict[int, int] = {}

    def use(v: Value, k: int) -> None:
        line = [v]
        while line:
            u = line.pop()
            if last.get(u.number) == k:  # steps come in their order, so what this one reads has been seen
                continue
            last[u.number] = k
            if u.number not in position or u.kind == "reshape":
                line += u.operands

    for k, step in enumerate(steps):
        for v in made_by(step):
            for o in v.operands:
                use(operand_of(o).value if v.kind == "product" else o, k)
    return last


class Memory:
    """First fit in one growing block."""

    def __init__(self) -> None:
        self.size = 0
        self.free: list[tuple[int, int]] = []
        self.taken: dict[int, int] = {}

    def take(self, size: int) -> int:
        """The offset of so many bytes."""
        size = -(-size // ALIGNMENT) * ALIGNMENT
        for i, (offset, length) in enumerate(self.free):
            if length >= size:
                self.free[i : i + 1] = [(offset + size, length - size)] if length > size else []
                self.taken[offset] = size
                return offset
        offset, self.size = self.size, self.size + size
        self.taken[offset] = size
        return offset

    def give(self, offset: int) -> None:
        """Bytes that are not needed any more."""
        size, free = self.taken.pop(offset), self.free
        i = bisect(free, (offset,))
        if i < len(free) and free[i][0] == offset + size:
            size += free.pop(i)[1]
        if i and sum(free[i - 1]) == offset:
            i -= 1
            offset, length = free.pop(i)
            size += length
        free.insert(i, (offset, size))


__all__ += ["Kernel"]
