"""Long programs in chunks: equal chunks are compiled once.

A loop is recorded as its turns, one after the other, and a gradient has a second loop of another period. The program is
searched for the distance at which most of it repeats; that stretch is cut into turns (or several turns, if they are
short), and what is before and behind is searched in the same way; where turns are not quite equal, they begin at a call
that each of them has (`landmarks`). Each chunk is brought into a canonical form, in which
its operands from outside are numbered as they come; chunks of one form share a template and differ in the places that
they are bound to.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.buffers import assembled, primitive, whole_numbers
from wengert.compiler.landmarks import landmarks
from wengert.compiler.program import Node, Program, Ref, signature_of, uniform
from wengert.protocol import spec_of

__all__ = ["Chunk", "Copy", "Window", "cut", "rolled"]

SMALL = 1200
"""A program of so many calls is one chunk."""
LARGEST = 1200
"""The calls of a chunk where nothing repeats."""
TURNS = 150
"""Short turns are taken together up to so many calls, if they compute with single numbers."""
MUCH, BETTER = 0.25, 0.6
"""Turns that are not quite equal are looked for where that much of a program does not repeat, and taken if it helps."""
TURNS_OF_ARRAYS = 25
"""The same for arrays, whose kernels are launched in no time beside their work."""
FEW_PIECES = 16
"""An array put together of so many pieces is a value like others."""
STRUCTURAL = {0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0}
"""Numbers that decide what a program is; others are data, and the same chunk serves for all of them."""


@dataclass(frozen=True, slots=True)
class Window:
    """A node that is a part of another one's memory, as it lies there."""

    base: Node
    offset: int
    """In bytes."""


@dataclass(slots=True)
class Chunk:
    """Calls that run together: their canonical form, and the nodes that it stands for here."""

    form: bytes
    program: Program | None
    """The canonical program: what comes from outside are its inputs. `None` if the form was there before."""
    outside: list[Node]
    outputs: list[Node]


@dataclass(slots=True)
class Copy:
    """The pieces of an array that are put in their places; and what it was before, unless they are all there is."""

    node: Node
    complete: bool


@dataclass(slots=True)
class Rolled:
    """A program in chunks."""

    program: Program
    steps: list[Chunk | Copy]
    windows: dict[int, Window]
    meanings: list[tuple]
    """What the numbers in the forms of chunks stand for."""


def rolled(program: Program) -> Rolled:
    """The chunks of a program (of `forwarded`)."""
    return _Rolling(program).result


class _Rolling:
    def __init__(self, program: Program):
        self.program = program
        live = program.live()
        nodes = [n for n in program.nodes if n.index in live and n.function is not None]
        self.windows: dict[int, Window] = {}
        self.forms: set[Any] = set()
        self.numbers: dict[Any, int] = {}
        self.meanings: list[tuple] = []
        self.symbols: dict[int, int] = {}
        """For each call the number of what it does."""
        self.kept = {n.index for n in program.results} | {g.node.index for g in program.guards}
        if len(nodes) <= SMALL or any(n.spec is None or n.spec.dtype.kind not in "biufc" for n in nodes):
            self.long = False
            self.steps: list[Any] = [self.chunk(nodes, _last_uses(nodes, self.kept, {}))] if nodes else []
        else:
            self.long = True
            nodes = _with_data_outside(nodes)
            self.windows = _windows(program, nodes)
            nodes = [n for n in nodes if n.index not in self.windows]
            self.steps = self.chunks(nodes)
        self.result = Rolled(program, self.steps, self.windows, self.meanings)

    def chunks(self, nodes: list[Node]) -> list:
        """Arrays of many pieces stand between chunks."""
        last = _last_uses(nodes, self.kept, self.windows)
        steps: list[Any] = []
        segment: list[Node] = []
        for node in [*nodes, None]:
            if node is None or _is_long(node):
                positions = {n.index: k for k, n in enumerate(segment)}
                found = [self.symbol(n) for n in segment]
                self.symbols.update(zip(positions, found, strict=True))
                symbols = np.array(found, np.int64)
                turns = TURNS if all(n.spec.shape == () for n in segment) else TURNS_OF_ARRAYS
                for start, stop in cut(symbols, _near(segment, positions), turns):
                    steps.append(self.chunk(segment[start:stop], last))
                segment = []
                if node is not None:
                    steps.append(Copy(node, _is_complete(node)))
            else:
                segment.append(node)
        return steps

    def symbol(self, node: Node) -> int:
        """A number for what a call does, whatever it does it with."""
        return self.number_of((signature_of(node), node.spec, node.weak))

    def number_of(self, meaning: tuple) -> int:
        """The number that stands for something in forms."""
        number = self.numbers.get(meaning)
        if number is None:
            number = self.numbers[meaning] = len(self.meanings)
            self.meanings.append(meaning)
        return number

    def with_own_windows(self, nodes: list[Node]) -> list[Node]:
        """The calls of a chunk, and reading of pieces of what the chunk itself makes."""
        if not self.windows:
            return nodes
        inside: set[int] = set()
        found: list[Node] = []

        def add(node: Node) -> None:
            for operand in node.operands:
                window = self.windows.get(operand.index)
                if window is not None and operand.index not in inside:
                    chain = operand
                    while chain.index in self.windows and chain.index not in inside:
                        chain = self.windows[chain.index].base
                    if chain.index in inside:
                        add(operand)
            inside.add(node.index)
            found.append(node)

        for node in nodes:
            add(node)
        return found

    def chunk(self, nodes: list[Node], last: dict[int, int]) -> Chunk:
        """The canonical form of calls that stand side by side.

        It has a number for what each call does, followed by its operands: those inside by their positions, all else
        by numbers below 0, of what comes from outside or what it means.
        """
        nodes = self.with_own_windows(nodes)
        outside: list[Node] = []
        of = {n.index: k for k, n in enumerate(nodes)}
        form: list[int] = []
        symbols = self.symbols
        for n in nodes:
            symbol = symbols.get(n.index)
            form.append(self.symbol(n) if symbol is None else symbol)
            for operand in n.operands:
                number = of.get(operand.index)
                if number is None:
                    number = of[operand.index] = self.from_outside(operand, outside)
                form.append(number)
        end = nodes[-1].index
        outputs = [n for n in nodes if last.get(n.index, 0) > end and n.index not in self.windows]
        heads = [self.number_of(("outside", o.spec, o.weak)) for o in outside]
        ends = [of[n.index] for n in outputs]
        key = np.array([len(outside), len(outputs), *heads, *ends, *form], np.int64).tobytes()
        if key in self.forms:
            return Chunk(key, None, outside, outputs)
        self.forms.add(key)
        return Chunk(key, _canonical(nodes, outside, outputs), outside, outputs)

    def from_outside(self, operand: Node, outside: list[Node]) -> int:
        """The number of an operand that no call of the chunk makes: odd ones are told by what they mean."""
        meaning: Any = None
        if operand.name == "constant" and not operand.spec.ndim and _is_structural(operand.source):
            meaning = ("constant", operand.spec, operand.source.tobytes(), operand.weak)
        elif operand.name == "constant" and operand.spec.ndim and _decides(operand.source, not self.long):
            number = uniform(operand.source)
            meaning = ("constant", operand.spec, (operand.source if number is None else number).tobytes(), None)
        if meaning is not None:
            return -1 - 2 * self.number_of(meaning)
        outside.append(operand)
        return -2 * len(outside)


MOST_INDICES = 4096


def _decides(array: np.ndarray, any_number: bool) -> bool:
    """Whether an array is an index or a mask, by which the code is made, or one (simple) number everywhere."""
    if array.dtype.kind in "biu" and array.size <= MOST_INDICES:
        return True
    number = uniform(array)
    return number is not None and (any_number or _is_structural(number))


def _canonical(nodes: list[Node], outside: list[Node], outputs: list[Node]) -> Program:
    """Calls as a program of their own."""
    program = Program()
    of: dict[int, Node] = {}
    for k, node in enumerate(outside):
        new = of[node.index] = Node(k, "input", node.spec, source=k)
        new.weak = node.weak
        program.nodes.append(new)
        program.inputs.append(new)

    def operand(node: Node) -> Node:
        found = of.get(node.index)
        if found is None:
            found = of[node.index] = Node(len(program.nodes), node.name, node.spec, source=node.source)
            found.weak = node.weak
            program.nodes.append(found)
        return found

    for node in nodes:
        operands = tuple(map(operand, node.operands))
        new = Node(
            len(program.nodes), node.name, node.spec, node.function, operands, node.args, node.kwargs, node.source
        )
        new.weak = node.weak
        of[node.index] = new
        program.nodes.append(new)
    program.results = [of[node.index] for node in outputs]
    return program


def _is_structural(number: Any) -> bool:
    return number.dtype.kind not in "fc" or complex(number) in STRUCTURAL


def _is_data(number: Any) -> bool:
    """Whether a number in a call may as well be another."""
    return number.__class__ in DATA and number not in STRUCTURAL


TAKING_DATA = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum}
"""Functions in whose calls numbers that are not whole are data (an exponent, say, is not)."""
DATA = {float, complex, np.float64, np.float32, np.complex128, np.complex64}
"""Their classes."""


def _with_data_outside(nodes: list[Node]) -> list[Node]:
    """Calls that have their numbers as operands, so that calls with other numbers are equal."""
    constants: dict[tuple, Node] = {}
    found = []
    for node in nodes:
        if node.function in TAKING_DATA and any(map(_is_data, node.args)):
            node = _with_numbers_outside(node, constants)
        found.append(node)
    return found


def _with_numbers_outside(node: Node, constants: dict[tuple, Node]) -> Node:
    args, operands = [], list(node.operands)
    for a in node.args:
        if _is_data(a):
            key, number = (a.__class__, repr(a)), np.asarray(a)[()]
            constant = constants.get(key)
            if constant is None:
                constant = constants[key] = Node(-1 - len(constants), "constant", spec_of(number), source=number)
                constant.weak = a.__class__ if a.__class__ in (float, complex) else None
            args.append(Ref(len(operands)))
            operands.append(constant)
        else:
            args.append(a)
    new = Node(node.index, node.name, node.spec, node.function, tuple(operands), tuple(args), node.kwargs)
    new.weak = node.weak
    return new


def _last_uses(nodes: list[Node], kept: set[int], windows: dict[int, Window]) -> dict[int, int]:
    """The last call that uses each node; windows pass their uses on."""
    last: dict[int, int] = dict.fromkeys(kept, 1 << 60)
    for node in nodes:
        for operand in node.operands[1 if _is_complete(node) else 0 :]:
            while True:
                last[operand.index] = max(last.get(operand.index, 0), node.index)
                if operand.index not in windows:
                    break
                operand = windows[operand.index].base
    for index in kept:
        window = windows.get(index)
        while window is not None:
            last[window.base.index] = 1 << 60
            window = windows.get(window.base.index)
    return last


def _is_long(node: Node) -> bool:
    """Whether it is an array put together of many pieces."""
    return node.function is assembled and len(node.operands) > FEW_PIECES


def _is_complete(node: Node) -> bool:
    """Whether the pieces of a long array are all there is, so that nothing of what it was before is left."""
    if not _is_long(node):
        return False
    places = node.kwargs["places"]
    return len(places) == prod(node.spec.shape[: len(places[0])])


def _windows(program: Program, nodes: list[Node]) -> dict[int, Window]:
    """Nodes that lie in the memory of another: pieces of arguments, and of arrays that are read piece by piece."""
    getitem, reshape = primitive("getitem"), primitive("reshape")
    readers = Counter(n.operands[0].index for n in nodes if n.function is getitem and n.operands)
    found: dict[int, Window] = {}
    for n in nodes:
        if not n.operands or n.args[:1] != (Ref(0),) or n.spec.dtype.char not in "?bhilqBHILQfd":
            continue
        base = n.operands[0]
        stored = base.function is None or base.index in found
        if n.function is reshape and stored and n.kwargs.get("order", "C") == "C" and base.spec.ndim:
            found[n.index] = Window(base, 0)
        elif n.function is getitem and (stored or readers[base.index] >= 4 or base.function is assembled):
            place = whole_numbers(n.kwargs.get("index"), base.spec.shape)
            if place and len(n.operands) == 1:
                shape = base.spec.shape
                steps = [prod(shape[k + 1 :]) for k in range(len(place))]
                offset = sum(i * s for i, s in zip(place, steps, strict=True)) * base.spec.dtype.itemsize
                found[n.index] = Window(base, offset)
    return found


# Cutting ----------------------------------------------------------------------------------------------------------


def _near(nodes: list[Node], positions: dict[int, int]) -> list[tuple[int, int]]:
    """Pairs of positions: a call, and one that uses it."""
    return [(positions[o.index], k) for k, n in enumerate(nodes) for o in n.operands if o.index in positions]


def cut(symbols: np.ndarray, uses: list[tuple[int, int]], turns: int) -> list[tuple[int, int]]:
    """Where a sequence of calls is cut: the bounds of the chunks; turns are taken together up to so many calls."""
    pairs = np.array(uses, np.int64).reshape(-1, 2)
    return _cut(symbols, pairs, turns, 0, len(symbols))


def _cut(symbols: np.ndarray, uses: np.ndarray, turns: int, start: int, stop: int) -> list[tuple[int, int]]:
    n = stop - start
    if n <= 0:
        return []
    if n <= turns:
        return [(start, stop)]
    here = symbols[start:stop]
    period, first, length = _repetition(here, turns)
    left = period + n - length if period else n
    if left > MUCH * n:
        marks, compiled = landmarks(here, uses - start)
        if compiled < BETTER * left:
            edges = [start, *[start + k for k in marks], stop]
            turn = list(pairwise(edges[1:-1]))
            return [*_cut(symbols, uses, turns, *edges[:2]), *turn, *_cut(symbols, uses, turns, *edges[-2:])]
    if not period:
        count = -(-n // LARGEST)
        edges = [start + n * k // count for k in range(count + 1)]
        return list(pairwise(edges))
    size = period * max(1, turns // period)
    first, end = start + first, start + first + length
    first += _best_phase(uses, first, end, period, size)
    count = (end - first) // size
    middle = [(first + k * size, first + (k + 1) * size) for k in range(count)]
    return [
        *_cut(symbols, uses, turns, start, first),
        *middle,
        *_cut(symbols, uses, turns, first + count * size, stop),
    ]


def _repetition(symbols: np.ndarray, turns: int) -> tuple[int, int, int]:
    """The best period, and the first position and the length of what repeats; a period of 0 if nothing does."""
    n = len(symbols)
    order = np.argsort(symbols, kind="stable")
    same = symbols[order[1:]] == symbols[order[:-1]]
    gaps = np.diff(order)[same]
    gaps = gaps[gaps <= n // 3]
    if not len(gaps):
        return 0, 0, 0
    counts = np.bincount(gaps)
    best = (0, 0, 0)
    for period in np.argsort(counts * np.arange(len(counts)), kind="stable")[::-1][:12].tolist():
        if not period or not counts[period]:
            continue
        first, length = _longest_run(symbols[:-period] == symbols[period:])
        length += period
        if length >= max(3 * period, 3 * turns) and length > best[2] * (1.05 if period > best[0] else 0.95):
            best = period, first, length
    return best


def _longest_run(same: np.ndarray) -> tuple[int, int]:
    """Where the longest stretch of truths starts, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    k = int(np.argmax(stops - starts))
    return int(starts[k]), int(stops[k] - starts[k])


def _best_phase(uses: np.ndarray, first: int, end: int, period: int, size: int) -> int:
    """How many calls to leave before the first turn, so that as few values as possible pass between turns."""
    middle = first + ((end - first) // 2 // period) * period
    near = uses[(uses[:, 0] < middle + period) & (uses[:, 1] > middle - size) & (uses[:, 1] - uses[:, 0] <= size)]
    crossing = [len(np.unique(near[(near[:, 0] < middle + k) & (near[:, 1] >= middle + k), 0])) for k in range(period)]
    return int(np.argmin(crossing))
