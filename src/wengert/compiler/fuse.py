"""Which values are computed together: kernels.

A kernel walks over a domain: first its row axes, then, within each row, one inner loop after another over the inner
axes (its stages). A value is computed where it is used, at the place that is asked for, so only *roots* are stored:
results, what calls read, what is combined along axes. A reduction over just the inner axes is known at the end of its
stage, to what follows in the same row; one over the rows, when the kernel has ended.

Roots are taken in the order of the program, and each joins the first kernel that has its domain and does not need
what comes later (Bastoul and others call this greedy fusion).
"""

import functools
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from math import prod

from wengert.compiler.affine import Affine, Place, composed, identity_place, operand_places
from wengert.compiler.graph import Graph, Value
from wengert.compiler.product import operand_of
from wengert.compiler.storing import (
    MOST_TOTALS,
    PULLED,
    WORTH_STORING,
    cost_of_map,
    costs,
    repeated,
    sought,
    walks_over_rows,
)

__all__ = ["Kernel", "Root", "Step", "fuse", "required"]

MOST_TRIED = 16
"""How many kernels are tried for a root before it gets its own."""


@dataclass(eq=False)
class Root:
    """A value that a kernel stores, and how the axes of what it is computed from lie in the kernel's domain."""

    value: Value
    axes: tuple[int | None, ...]
    """For each axis of `body` the kernel's axis; `None` for those of length 1."""
    stage: int = 0
    temporary: bool = False
    """Whether only later stages of the same kernel read it."""

    @functools.cached_property
    def reduces(self) -> bool:
        """Whether it combines elements along axes."""
        return self.value.kind == "reduce"

    @functools.cached_property
    def scans(self) -> bool:
        """Whether it is a running total along the inner axis."""
        return self.value.kind == "scan" and self.axes[self.value.setting[1]] is not None

    @property
    def body(self) -> Value:
        """What is computed at each point of the domain."""
        return self.value.operands[0] if self.value.kind in ("reduce", "scan") else self.value

    @functools.cached_property
    def place(self) -> Place:
        """The place in the body at each point of the domain; backwards along the axis of a scan that is so."""
        found: list[Affine] = [(0, ()) if k is None else (0, ((k, 1),)) for k in self.axes]
        if self.scans and any(self.value.setting[2:]):
            axis = self.value.setting[1]
            found[axis] = (self.value.shape[axis] - 1, tuple((k, -1) for k, _ in found[axis][1]))
        return tuple(found)

    @functools.cached_property
    def stored_place(self) -> Place:
        """Where the value is written, or what of it a row knows."""
        if not self.reduces:
            return self.place
        return tuple((0, ()) if k is None else (0, ((k, 1),)) for k in self.kept)

    @functools.cached_property
    def own(self) -> set[int]:
        """The kernel's axes that it has."""
        return {k for k in self.axes if k is not None}

    @functools.cached_property
    def reduced(self) -> set[int]:
        """The kernel's axes along which elements are combined."""
        found = [self.axes[i] for i in self.value.setting[1]] if self.reduces else []
        return {k for k in found if k is not None}

    @functools.cached_property
    def kept(self) -> list[int | None]:
        """The kernel's axis for each axis of the value."""
        if not self.reduces:
            return list(self.axes)
        return [k for i, k in enumerate(self.axes) if i not in self.value.setting[1]]


@dataclass(eq=False)
class Kernel:
    """Roots over one domain."""

    extents: list[int]
    """The lengths of the axes."""
    inner: set[int] = field(default_factory=set)
    """Which axes are inner ones."""
    roots: list[Root] = field(default_factory=list)
    part: int | None = None
    """Totals over rows are taken for so many rows at a time; `None` for all of them at once."""

    @property
    def rows(self) -> list[int]:
        """The row axes, outermost first."""
        return [k for k in range(len(self.extents)) if k not in self.inner]

    def totals(self) -> list[Root]:
        """The roots that are known when the kernel has ended."""
        return [root for root in self.roots if root.reduces and root.reduced != self.inner]


@dataclass(eq=False)
class Step:
    """One step of the program: a kernel, or a value that something else makes."""

    kernel: Kernel | None = None
    value: Value | None = None


def fuse(graph: Graph) -> list[Step]:
    """The steps of a program in their order."""
    stored: set[int] = set()
    for _ in range(3):
        fusion = _Fusion(graph, stored)
        shared = fusion.shared()
        if not shared:
            break
        stored |= shared
    _mark_temporaries(graph, fusion)
    return _in_parts(graph, fusion)


class _Fusion:
    def __init__(self, graph: Graph, stored: set[int]):
        self.steps: list[Step] = []
        self.where: dict[int, int] = {}
        """For each stored value the position of the step that makes it."""
        self.near: dict[int, tuple[int, tuple]] = {}
        """For each value the last step that it needs, and what it reads of what that step makes, and where."""
        self.root_of: dict[int, tuple[Kernel, Root]] = {}
        self.by_lengths: dict[tuple[int, ...], list[int]] = {}
        """The positions of kernels by the lengths of their axes, and of their rows."""
        self.roots = required(graph) | stored
        self.roots |= repeated(graph, self.roots) | sought(graph, self.roots)
        for v in graph.values:
            self.take(v)

    def take(self, v: Value) -> None:
        number = v.number
        if v.kind in ("input", "constant", "place") or (v.kind in PULLED and not v.size):
            self.where[number] = -1
            self.near[number] = -1, ()
        elif v.kind in ("reshape", "assembly"):
            # What is read in another shape has to be whole: only later steps may read it.
            self.where[number] = max(self.where[o.number] for o in v.operands)
            self.near[number] = self.where[number] + 1, ()
        elif v.kind == "reduce" or (v.kind in PULLED and number in self.roots):
            self.place(v)
            self.near[number] = self.where[number], ((v, identity_place(v.shape)),)
        elif v.kind in PULLED:
            self.near[number] = self.needs(v)
        else:
            self.steps.append(Step(kernel=_scanning(v)) if v.kind == "scan" and v.size else Step(value=v))
            self.where[number] = len(self.steps) - 1
            self.near[number] = self.where[number] + 1, ()

    def needs(self, v: Value) -> tuple[int, tuple]:
        """The last step that what `v` is computed from needs, and what is read of what it makes."""
        operands = [self.near[o.number] for o in v.operands]
        if v.kind == "gather" and self.where[v.operands[0].number] >= 0:
            # It may be read anywhere: all of it has to be there.
            operands[0] = self.where[v.operands[0].number] + 1, ()
        last = max((position for position, _ in operands), default=-1)
        reading = [k for k, (position, leaves) in enumerate(operands) if position == last and leaves]
        if not reading:
            return last, ()
        found: dict = {}
        whole = identity_place(v.shape)
        same = v.kind == "map" and all(v.operands[k].shape == v.shape for k in reading)
        places = None if same else operand_places(v, whole)
        for k in reading:
            leaves = operands[k][1]
            if places is not None and places[k] != whole:
                leaves = tuple((u, composed(p, places[k])) for u, p in leaves)
            elif len(reading) == 1:
                return last, leaves
            found.update(dict.fromkeys(leaves))
        return last, tuple(found)

    def place(self, v: Value) -> None:
        """Put a root into the first kernel that it fits into, or a new one."""
        body = v.operands[0] if v.kind == "reduce" else v
        first, leaves = self.near[body.number] if v.kind == "reduce" else self.needs(v)
        lengths = tuple(n for n in body.shape if n != 1)
        candidates = self.by_lengths.setdefault(lengths, [])
        start = bisect_left(candidates, first)
        for position in candidates[start : start + MOST_TRIED]:
            kernel = self.steps[position].kernel
            assert kernel is not None
            root = self.joined(kernel, v, body, leaves if position == first else (), position)
            if root is not None:
                self.added(kernel, root, position)
                return
        kernel = Kernel(list(lengths))
        count = iter(range(len(lengths)))
        root = Root(v, tuple(None if n == 1 else next(count) for n in body.shape))
        self.steps.append(Step(kernel=kernel))
        candidates.append(len(self.steps) - 1)
        kernel.inner = _inner_for(kernel, root)
        self.added(kernel, root, len(self.steps) - 1)

    def added(self, kernel: Kernel, root: Root, position: int) -> None:
        kernel.roots.append(root)
        self.where[root.value.number] = position
        self.root_of[root.value.number] = kernel, root
        if kernel.inner:
            with_rows = self.by_lengths.setdefault(tuple(kernel.extents[k] for k in kernel.rows), [])
            at = bisect_left(with_rows, position)
            if at == len(with_rows) or with_rows[at] != position:
                insort(with_rows, position)

    def joined(self, kernel: Kernel, v: Value, body: Value, leaves: tuple, position: int) -> Root | None:
        """The root as one of the kernel's, if it can be."""
        lengths = [n for n in body.shape if n != 1]
        for axes in _placements(kernel, lengths):
            places = iter(axes)
            root = Root(v, tuple(None if n == 1 else next(places) for n in body.shape))
            if self.fits(kernel, root, leaves, position):
                return root
        return None

    def fits(self, kernel: Kernel, root: Root, leaves: tuple, position: int) -> bool:
        """Whether the kernel can make the root; if so, its stage is set."""
        inner = kernel.inner or _inner_for(kernel, root)
        rows = {k for k in range(len(kernel.extents)) if k not in inner}
        own, reduced = root.own, root.reduced
        whole = len(own) == len(kernel.extents)
        if not whole and own != rows:
            return False
        in_row = whole and reduced == inner
        over_rows = rows and reduced >= rows and _holds_totals(kernel, root)
        if reduced and not in_row and not over_rows:
            return False
        stage = 0
        for u, place in leaves:
            maker = self.root_of[u.number][1]
            if not _reads_in_step(maker, place, root):
                return False
            if maker.reduces and (maker.reduced != inner or not kernel.inner):
                return False
            stage = max(stage, maker.stage + 1 if maker.reduces else maker.stage)
        root.stage = stage
        kernel.inner = inner
        return True

    def shared(self) -> set[int]:
        """Values that are dear and computed in several kernels, or in several stages of one."""
        makers: dict[int, set[tuple[int, int]]] = {}
        values: dict[int, Value] = {}
        kernels = [(position, step.kernel) for position, step in enumerate(self.steps) if step.kernel is not None]
        stages = {(position, kernel, root.stage) for position, kernel in kernels for root in kernel.roots}
        for position, kernel, stage in stages if len(stages) > 1 else ():
            for v in self.computed(kernel, stage):
                makers.setdefault(v.number, set()).add((position, stage))
                values[v.number] = v
        several = [values[n] for n, found in makers.items() if len(found) > 1]
        if not several:
            return set()
        cost = costs(values[n] for n in sorted(values))
        dear = {v.number for v in several if cost[v.number] >= WORTH_STORING and v.number not in self.where}
        # Of a chain only the last one needs to be stored.
        return {n for n in dear if not any(u.number in dear and makers[u.number] == makers[n] for u in values[n].users)}

    def computed(self, kernel: Kernel, stage: int) -> list[Value]:
        """The values that are computed in a stage."""
        found: dict[int, Value] = {}
        line = [o for root in kernel.roots if root.stage == stage for o in root.value.operands]
        while line:
            v = line.pop()
            if v.number not in found and v.number not in self.where and v.kind in PULLED:
                found[v.number] = v
                line += v.operands
        return list(found.values())


def _scanning(v: Value) -> Kernel:
    """A kernel of its own for a running total; what is added up has been stored."""
    count = iter(range(len(v.shape)))
    root = Root(v, tuple(None if n == 1 else next(count) for n in v.shape))
    axis = root.axes[v.setting[1]]
    return Kernel([n for n in v.shape if n != 1], set() if axis is None else {axis}, [root])


def _holds_totals(kernel: Kernel, root: Root) -> bool:
    """Whether totals over the rows can be held for each place along the inner axes that are kept."""
    return prod(kernel.extents[k] for k in root.own - root.reduced) <= MOST_TOTALS


def _inner_for(kernel: Kernel, root: Root) -> set[int]:
    """The inner axes of a kernel that has none so far, as the root wants them."""
    reduced, extents = root.reduced, kernel.extents
    kept = [k for k in range(len(extents)) if k not in reduced]
    if not reduced or not kept or len(root.own) != len(extents):
        return set()
    return set(kept) if walks_over_rows(tuple(extents), reduced) else reduced


def _placements(kernel: Kernel, lengths: list[int]) -> list[tuple[int, ...]]:
    """The ways in which axes of these lengths can lie in a kernel: all of its axes, or its rows."""
    found = []
    if lengths == kernel.extents:
        found.append(tuple(range(len(lengths))))
    rows = kernel.rows
    if kernel.inner and lengths == [kernel.extents[k] for k in rows]:
        found.append(tuple(rows))
    return found


def _reads_in_step(maker: Root, place: Place, reader: Root) -> bool:
    """Whether what is read has just been made at the same point of the domain."""
    for axis, (start, terms) in zip(maker.kept, place, strict=True):
        if axis is None:
            continue
        if start or len(terms) != 1 or terms[0][1] != 1 or reader.axes[terms[0][0]] != axis:
            return False
    return True


def required(graph: Graph) -> set[int]:
    """Values that have to be stored: results, and what is read by something that is no kernel."""
    roots = {v.number for v in graph.results}
    for v in graph.values:
        if v.kind == "product":
            roots |= {operand_of(o).value.number for o in v.operands}
        elif v.kind == "gather":
            roots.add(v.operands[0].number)
        elif v.kind not in PULLED and v.kind != "reduce":
            roots |= {o.number for o in v.operands}
    return roots


# After fusion -------------------------------------------------------------------------------------------------------

MOST_TEMPORARY = 2048
"""How many numbers a temporary holds at most for each row."""


def _mark_temporaries(graph: Graph, fusion: _Fusion) -> None:
    """Values that only later stages of the kernel that makes them read are kept for one row."""
    outside = required(graph)
    readers: dict[int, set[int]] = {}
    for position, step in enumerate(fusion.steps):
        roots = step.kernel.roots if step.kernel is not None else []
        line = [o for root in roots for o in root.value.operands]
        seen: set[int] = set()
        while line:
            v = line.pop()
            if v.number in seen:
                continue
            seen.add(v.number)
            if v.number in fusion.where:
                readers.setdefault(v.number, set()).add(position)
            else:
                line += v.operands
    for position, step in enumerate(fusion.steps):
        if step.kernel is None or not step.kernel.inner:
            continue
        inner = step.kernel.inner
        size = prod(step.kernel.extents[k] for k in inner)
        for root in step.kernel.roots:
            number = root.value.number
            if number not in outside and not root.reduces and readers.get(number) == {position}:
                root.temporary = root.own >= inner and size <= MOST_TEMPORARY


PART = 1 << 19
"""How many additions a part of a kernel with totals over rows is worth at least."""
OVERHEAD = 4
"""What a point of the domain costs besides what is computed at it."""
PARTS_FOR_WORK = 64
"""Into so many parts at most rows are cut because they are much work."""
MOST_IN_A_ROW = 1024
"""Rows up to which they are added up one after the other where totals are arrays, which are not compensated."""
ROWS_AT_A_TIME = 128
"""Of more rows so many are, or more if the totals of all parts would be too large."""
MOST_PARTIAL = 1 << 20
"""Numbers up to which the totals of all parts that are cut for accuracy are."""


def _in_parts(graph: Graph, fusion: _Fusion) -> list[Step]:
    """Totals over many rows are taken in parts, which a kernel after it adds up: parts may be done at the same time.

    How many parts there are depends on the program only, so the numbers do not depend on the number of threads.
    """
    found: list[Step] = []
    for step in fusion.steps:
        found.append(step)
        if step.kernel is not None:
            totals = step.kernel.totals()
            parts = _parts_of(step.kernel, fusion) if totals else 1
            if parts > 1:
                found += [Step(kernel=_combining(graph, root, parts)) for root in totals]
    return found


def _parts_of(kernel: Kernel, fusion: _Fusion) -> int:
    """In how many parts the rows of a kernel are taken, which gets to know how many rows a part has."""
    points = prod(kernel.extents)
    stages = {root.stage for root in kernel.roots}
    made = {v.number: v for stage in stages for v in fusion.computed(kernel, stage)}
    work = points * (OVERHEAD + sum(cost_of_map(v.setting) for v in made.values() if v.kind == "map"))
    rows = size = kernel.extents[kernel.rows[0]]
    if work >= 2 * PART:
        size = -(-rows // min(PARTS_FOR_WORK, int(work // PART), rows))
    if rows > MOST_IN_A_ROW and any(map(_adds_arrays, kernel.totals())):
        held = sum(root.value.size for root in kernel.totals())
        size = min(size, max(ROWS_AT_A_TIME, rows * held // MOST_PARTIAL))
    size = size if size < 64 else -(-size // 64) * 64
    parts = -(-rows // size)
    kernel.part = size if parts > 1 else None
    return parts


def _adds_arrays(root: Root) -> bool:
    """Whether a total over rows is an array of sums that are rounded."""
    return root.value.setting[0] == "add" and root.value.dtype.kind == "f" and any(k is not None for k in root.kept)


def _combining(graph: Graph, root: Root, parts: int) -> Kernel:
    """Let a root hold a total for each part; the kernel that combines them."""
    v = root.value
    partial = graph.make("reduce", v.operands, v.setting, (parts, *v.shape), v.dtype)
    root.value = partial
    v.operands, v.setting = (partial,), (v.setting[0], (0,))
    partial.users = [v]
    extents = [parts, *[n for n in v.shape if n != 1]]
    places = iter(range(1, len(extents)))
    kernel = Kernel(extents, inner={0} if len(extents) > 1 else set())
    kernel.roots.append(Root(v, (0, *[None if n == 1 else next(places) for n in v.shape])))
    return kernel
