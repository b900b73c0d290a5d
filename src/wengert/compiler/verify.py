"""Whether what the stages hand on is what the next ones take for granted.

The recorded program, the graph, the kernels that are made of it, and the places of values in memory are looked at one
after the other; a `CompileError` names the first thing that is wrong, `explain` tells it, and the program is left to
NumPy. Compiling takes a good deal longer by this, so it is done where ``WENGERT_VERIFY=on`` asks for it, as in
the compiler's own tests.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.compiler.affine import bounds
from wengert.compiler.fuse import Kernel, Root, Step
from wengert.compiler.graph import Graph, Move, Value, together
from wengert.compiler.nested import found_in
from wengert.compiler.plan import NATIVE, Place, Planned, made_by
from wengert.compiler.product import operand_of
from wengert.compiler.program import Program, Ref
from wengert.compiler.roll import Chunk
from wengert.compiler.storing import PULLED
from wengert.errors import CompileError

__all__ = ["is_asked_for", "verify_graph", "verify_layout", "verify_places", "verify_program",
           "verify_steps"]  # fmt: skip


def is_asked_for() -> bool:
    """Whether the environment variable asks for it."""
    return os.environ.get("WENGERT_VERIFY") == "on"


def _require(holds: Any, what: str, wrong: Any) -> None:
    if not holds:
        raise CompileError(
            f"[compile] {what}; {wrong} breaks that: this is a fault of the compiler's, and the program is left to "
            "NumPy; report it with the texts of WENGERT_DUMP"
        )


# The recorded program -----------------------------------------------------------------------------------------------


def verify_program(program: Program) -> None:
    """Nodes stand behind their operands, which their arguments name; inputs are counted; nothing comes from outside."""
    nodes = program.nodes
    for k, node in enumerate(nodes):
        _require(node.index == k, "nodes know their positions", node)
        _require(all(o.index < k and nodes[o.index] is o for o in node.operands), "operands come first", node)
        named = {ref.position for ref in found_in((node.args, node.kwargs), Ref)}
        _require(node.function is None or named <= set(range(len(node.operands))), "arguments name operands", node)
    sources = [node.source for node in program.inputs]
    _require(sources == list(range(len(sources))), "inputs are in their order", sources)
    for node in [*program.inputs, *program.results, *[guard.node for guard in program.guards]]:
        _require(nodes[node.index] is node, "inputs, results and guards are nodes of the program", node)


# The graph ----------------------------------------------------------------------------------------------------------


def verify_graph(graph: Graph) -> None:
    """Values stand behind their operands, and have the shapes and dtypes that follow from these."""
    seen: set[int] = set()
    for v in graph.values:
        _require(v.number not in seen and all(o.number in seen for o in v.operands), "operands come first, once", v)
        _require(RULES.get(v.kind, _anything)(v), f"a {v.kind} has the shape and dtype of what it is made of", _told(v))
        seen.add(v.number)
    _require(all(v.number in seen for v in graph.results), "results are values of the graph", graph.results)


def _told(v: Value) -> str:
    operands = ", ".join(f"{o} {o.dtype}{list(o.shape)}" for o in v.operands)
    return f"{v} : {v.dtype}{list(v.shape)} of {operands or 'nothing'}, {v.setting}"


def _anything(v: Value) -> bool:
    return True


def _is_within(move: Move, shape: tuple) -> bool:
    """Whether all places that a move names lie in an operand of a shape."""
    if 0 in move.shape:
        return True
    if len(move.places) != len(shape) or any(k >= len(move.shape) for _, terms in move.places for k, _ in terms):
        return False
    ranges = [(0, n - 1) for n in move.shape]
    found = [bounds(place, ranges) for place in move.places]
    return all(low >= 0 and high < n for (low, high), n in zip(found, shape, strict=True))


def _is_move(v: Value) -> bool:
    (x,) = v.operands
    fits = x.kind == "literal" or _is_within(v.setting, x.shape)
    return v.shape == v.setting.shape and v.dtype == x.dtype and fits


def _is_reduction(v: Value) -> bool:
    x, axes = v.operands[0], v.setting[1]
    return v.shape == tuple(n for k, n in enumerate(x.shape) if k not in axes)


def _is_gather(v: Value) -> bool:
    x, *indices = v.operands
    places = v.setting.places
    named = {k for _, _, arrays in places for k, _ in arrays}
    fits = len(places) == len(x.shape) and named <= set(range(len(indices)))
    return fits and v.dtype == x.dtype and all(i.shape == v.shape and i.dtype.kind in "iu" for i in indices)


def _is_update(v: Value) -> bool:
    (before, value), (region, _) = v.operands, v.setting
    fits = region.shape == value.shape and _is_within(region, before.shape)
    return v.shape == before.shape and v.dtype == before.dtype == value.dtype and fits


def _is_join(v: Value) -> bool:
    if v.setting is None:
        return all((*o.shape, len(v.operands)) == v.shape for o in v.operands)
    axis = v.setting
    rest = {(*o.shape[:axis], *o.shape[axis + 1 :]) for o in v.operands}
    length = sum(o.shape[axis] for o in v.operands)
    return rest == {(*v.shape[:axis], *v.shape[axis + 1 :])} and length == v.shape[axis]


def _is_product(v: Value) -> bool:
    a, b = (o.shape for o in v.operands)
    return a[:-2] == b[:-2] == v.shape[:-2] and a[-1] == b[-2] and v.shape[-2:] == (a[-2], b[-1])


def _is_reshape(v: Value) -> bool:
    (x,) = v.operands
    return v.size * v.dtype.itemsize == x.size * x.dtype.itemsize


RULES: dict[str, Callable[[Value], bool]] = {
    "literal": lambda v: v.shape == () and v.setting.dtype == v.dtype,
    "constant": lambda v: np.shape(v.setting) == v.shape,
    "map": lambda v: v.shape == together(v.operands),
    "move": _is_move,
    "reduce": _is_reduction,
    "scan": lambda v: v.shape == v.operands[0].shape,
    "gather": _is_gather,
    "update": _is_update,
    "join": _is_join,
    "assembly": _is_join,
    "product": _is_product,
    "reshape": _is_reshape,
}


# Kernels ------------------------------------------------------------------------------------------------------------


def verify_steps(graph: Graph, steps: list[Step]) -> None:
    """Each stored value is made once, before it is read; where it is read in the kernel that makes it, it is known."""
    made: dict[int, tuple[int, Root | None]] = {}
    for k, step in enumerate(steps):
        for root in step.kernel.roots if step.kernel is not None else ():
            _require(_lies_in(step.kernel, root), "a value's axes are those of its kernel", _told(root.value))
        for v, maker in _made(step):
            _require(v.number not in made, "a value is made once", v)
            made[v.number] = k, maker
    for v in graph.results:
        is_native = v.dtype.char in NATIVE
        _require(not is_native or _is_known(None, len(steps), v, None, made), "results are made", v)
    for k, step in enumerate(steps):
        for v, reader in _read(step, made):
            _require(_is_known(step.kernel, k, v, reader, made), "a value is made before it is read", v)


def _made(step: Step) -> Iterator[tuple[Value, Root | None]]:
    if step.kernel is not None:
        yield from ((root.value, root) for root in step.kernel.roots)
    elif step.value is not None:
        yield step.value, None


def _lies_in(kernel: Kernel | None, root: Root) -> bool:
    assert kernel is not None
    shape = root.body.shape
    axes = [k for k in root.axes if k is not None]
    lengths = [1 if k is None else kernel.extents[k] for k in root.axes]
    return list(shape) == lengths and len(set(axes)) == len(axes)


def _read(step: Step, made: dict) -> Iterator[tuple[Value, Root | None]]:
    """What a step reads that lies in memory or is made in it, and the root that reads it; `None` if it reads all."""
    if step.value is not None:
        is_product = step.value.kind == "product"
        yield from ((operand_of(o).value if is_product else o, None) for o in step.value.operands)
    for root in step.kernel.roots if step.kernel is not None else ():
        line: list[tuple[Value, Root | None]] = _operands(root.value, root)
        seen: set[int] = set()
        while line:
            v, reader = line.pop()
            if v.number in made or reader is None or v.kind not in PULLED:
                yield v, reader
            elif v.number not in seen and v.size:
                seen.add(v.number)
                line += _operands(v, root)


def _operands(v: Value, root: Root) -> list[tuple[Value, Root | None]]:
    """What a value is computed from; a gather may read its first operand anywhere."""
    return [(o, None if v.kind == "gather" and k == 0 else root) for k, o in enumerate(v.operands)]


def _is_known(kernel: Kernel | None, k: int, v: Value, reader: Root | None, made: dict) -> bool:
    """Whether a value is there where a root of step `k` reads it."""
    if v.kind in ("input", "constant", "literal") or not v.size:
        return True
    if v.kind in ("reshape", "assembly"):
        return all(_is_known(kernel, k, o, None, made) for o in v.operands)
    position, maker = made.get(v.number, (len(made), None))
    if position != k or reader is None or maker is None or kernel is None:
        return position < k
    if maker.reduces:
        return bool(kernel.inner) and maker.reduced == kernel.inner and maker.stage < reader.stage
    return maker.stage <= reader.stage


# Memory -------------------------------------------------------------------------------------------------------------

MOST = 1 << 26
"""Larger memory is not verified."""


class Stamps:
    """For each byte of some memory what has been written there last."""

    def __init__(self, size: int):
        self.marks = np.full(size, -1, np.int32)

    def at(self, place: Place, shape: tuple, itemsize: int) -> np.ndarray:
        """The marks of a value's bytes."""
        unit = self.marks.itemsize
        steps = [*(s * itemsize * unit for s in place.strides), unit]
        farthest = place.offset + sum(s * itemsize * (n - 1) for s, n in zip(place.strides, shape, strict=True))
        _require(0 <= farthest + itemsize <= len(self.marks) or 0 in shape, "a place lies in its memory", place)
        return np.ndarray((*shape, itemsize), np.int32, self.marks, place.offset * unit, steps)


def verify_places(graph: Graph, steps: list[Step], planned: Planned, arena: int) -> None:
    """What is read of the arena, whose pointer has the given number, has not been overwritten by anything else."""
    places = planned.places
    if planned.arena > MOST:
        return
    made = {v.number: (k, root) for k, step in enumerate(steps) for v, root in _made(step)}
    owners = {o.number: v for v in graph.values if v.kind == "assembly" for o in v.operands}
    stamps = Stamps(planned.arena)

    def owner(v: Value) -> int:
        while v.kind == "reshape" or v.number in owners:
            v = v.operands[0] if v.kind == "reshape" else owners[v.number]
        return v.number

    for k, step in enumerate(steps):
        for v, _ in _read(step, made):
            place = places.get(v.number)
            is_older = v.number not in made or made[v.number][0] < k
            if is_older and place is not None and place.pointer == arena:
                marks = stamps.at(place, v.shape, v.dtype.itemsize)
                _require((marks == owner(v)).all(), "what is read has not been overwritten", v)
        for v in made_by(step):
            place = places[v.number]
            if place.pointer == arena:
                stamps.at(place, v.shape, v.dtype.itemsize)[...] = owner(v)
    wanted = [places[v.number].pointer for v in graph.results if v.dtype.char in NATIVE]
    _require(len(set(wanted)) == len(wanted), "results lie apart", graph.results)


def verify_layout(placing: Any, size: int) -> None:
    """The same for what passes from chunk to chunk; `placing` made a layout with an arena of this size."""
    rolled, columns, arena = placing.rolled, placing.columns, placing.layout.arena_pointer
    if size > MOST:
        return
    stamps = Stamps(size)

    def marks(row: int) -> np.ndarray | None:
        spec = columns.call(row).spec
        if spec is None or placing.where.get(row, (-1, 0))[0] != arena:
            return None
        return stamps.at(Place(arena, placing.where[row][1], (1,)), (spec.size,), spec.dtype.itemsize)

    for step in rolled.steps:
        is_chunk = isinstance(step, Chunk)
        for row in step.outside if is_chunk else columns.operands_of(step.row)[int(step.complete) :]:
            found = marks(row)
            _require(found is None or (found == placing.owner(row)).all(), "what is read has not been overwritten", row)
        for row in step.outputs if is_chunk else [step.row]:
            found = marks(row)
            if found is not None:
                found[...] = placing.owner(row)
