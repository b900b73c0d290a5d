"""Kernels as LLVM's text: explicit vectors along one axis, everything else in loops.

Each value is emitted into the body of the innermost loop that it depends on, so what does not change in a loop is
computed outside of it. A value that changes along the *lane* axis is a vector, others are scalars.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

from wengert.compiler.affine import fixed
from wengert.compiler.expand import Expansion, Item
from wengert.compiler.fuse import Kernel, Root
from wengert.compiler.graph import Value
from wengert.compiler.lines import TYPES, literal
from wengert.compiler.pieces import stretches_of
from wengert.compiler.totals import BLOCK, Accumulator, across, combined, identity_of
from wengert.compiler.values import Values
from wengert.compiler.vectormath import Target
from wengert.compiler.walk import all_items, cost_of, walk_of
from wengert.compiler.writer import Written

__all__ = ["emit_kernel"]

NANOSECONDS = 0.5
"""What an addition of vectors takes, with all that is around it."""
WORTH_TEXT = 40_000.0
"""From so many additions of vectors on lanes that are apart are read and written one by one."""
PARTS, EDGES, BLOCKS = -1, -2, -3
"""The axes of the loops over parts, over what stretches leave of an axis, and over blocks of vectors."""


def emit_kernel(kernel: Kernel, name: str, stored: dict[int, Any], target: Target) -> Written:
    """The text of a kernel, ``void @name(ptr pointers, ptr row, i64 begin, i64 end)``."""
    return _Emitter(kernel, stored, target).emitted(name)


class _Emitter(Values):
    def __init__(self, kernel: Kernel, stored: dict[int, Any], target: Target):
        self.numbers: dict[Any, int] = {}
        self.variants: dict[tuple, dict[Root, Item]] = {}
        self.ranges = [(0, n - 1) for n in kernel.extents]
        self.kernel, self.stored = kernel, stored
        items = all_items(list(self.items.values()))
        walk = walk_of(kernel, items, stored, target)
        super().__init__(kernel, walk, stored, target)
        self.stretches = stretches_of(kernel, walk, items)
        self.one_by_one = walk.work >= WORTH_TEXT
        self.part = kernel.part
        if self.part is not None and self.rows[0] != kernel.rows[0]:
            self.part *= prod(kernel.extents[k] for k in kernel.rows if kernel.rows[0] < k <= self.rows[0])
        self.accumulators: dict[Root, Accumulator] = {}
        self.halves: dict[Any, tuple[str, str, Any]] = {}
        """Vectors that are to be written between others that come next: what they are, where to, and their dtype."""

    @property
    def items(self) -> dict[Root, Item]:
        """What is computed for each root in the present ranges of the axes."""
        key = tuple(self.ranges)
        if key not in self.variants:
            self.variants[key] = _items(self.kernel, self.stored, self.ranges, self.numbers)
        return self.variants[key]

    # The function --------------------------------------------------------------------------------------------------

    def emitted(self, name: str) -> Written:
        self.write()
        head = f"define void @{name}(ptr %pointers, ptr %row, i64 %begin, i64 %end) {{"
        text = "\n".join([head, "entry:", *self.lines(), "  ret void", "}"])
        self.accumulators = {}  # they hold this writer
        work = self.walk.work * NANOSECONDS
        begins = [self.begins.get(v.number, 0) * v.dtype.itemsize for v in self.order]
        if not self.rows:
            return Written(text, self.order, begins, work=work)
        if self.part is not None:
            parts = -(-self.extents[self.rows[0]] // self.part)
            return Written(text, self.order, begins, extent=parts, parallel=True, work=work)
        grain = self.width if self.rows[0] in (self.lane, self.tile) else 1
        extent, parallel = self.extents[self.rows[0]], not self.kernel.totals()
        return Written(text, self.order, begins, extent=extent, grain=grain, parallel=parallel, work=work)

    def write(self) -> None:
        """Loops over parts, rows, and inner axes."""
        totals = self.kernel.totals()
        first, end = "%begin", "%end"
        if self.part is not None:
            part = self.enter(PARTS, "%begin", "%end")
            first = self.op(f"mul i64 {part.variable}, {self.part}")
            after = self.op(f"add i64 {first}, {self.part}")
            end = self.smaller(after, self.extents[self.rows[0]])
        for root in totals:
            with self.lanes_of(root):
                self.begin_total(root)
        limits = [(first, end), *[(0, self.extents[axis]) for axis in self.rows[1:]]]
        self.over(list(zip(self.rows, limits, strict=False)), self.in_row)
        for root in totals:
            with self.lanes_of(root):
                self.end_total(root)
        if self.part is not None:
            self.leave()

    def smaller(self, a: str, b: Any) -> str:
        """The smaller one of two counts."""
        return self.op(f"select i1 {self.op(f'icmp ult i64 {a}, {b}')}, i64 {a}, i64 {b}")

    @contextmanager
    def lanes(self, axis: int | None) -> Iterator[None]:
        """Let the lanes be along an axis meanwhile."""
        before, self.lane = self.lane, axis
        yield
        self.lane = before

    def lanes_of(self, root: Root) -> Any:
        """The lanes along the axis that a root has them."""
        return self.lanes(self.lane if self.tile is None or root.own & self.kernel.inner else self.tile)

    def in_row(self) -> None:
        """All stages, in a row or a tile of rows."""
        for stage in sorted({root.stage for root in self.kernel.roots}):
            self.stage([root for root in self.kernel.roots if root.stage == stage])

    # Loops over axes -----------------------------------------------------------------------------------------------

    def over(self, axes: list[tuple[int, tuple[Any, Any]]], body: Callable[[], None]) -> None:
        """Do something at each point of some axes, given with the first index and the one after the last."""
        if not axes:
            body()
            return
        (axis, (first, end)), rest = axes[0], axes[1:]
        stretches = self.stretches.get(axis)
        if stretches is None:
            self.loop(axis, first, end, lambda: self.over(rest, body))
            return
        edges = [first]
        for low, high in stretches:
            start, stop = (self.inside(x, first, end) for x in (low, high))
            if axis == self.lane:
                stop = self.in_full_vectors(start, stop)
            edges += [start, stop]
            range_before, self.ranges[axis] = self.ranges[axis], (low, high - 1)
            self.loop(axis, start, stop, lambda: self.over(rest, body), full=True)
            self.ranges[axis] = range_before
        if axis in self.walk.unrolled:
            return
        # The stretches of the other axes are not worth having at the edges of this one.
        before, self.stretches = self.stretches, {}
        self.at_edges(axis, [*edges, end], lambda: self.over(rest, body))
        self.stretches = before

    def at_edges(self, axis: int, edges: list, body: Callable[[], None]) -> None:
        """A loop over what lies in front of, between and behind stretches."""
        ranges = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a != b]
        if not ranges:
            return
        turn = self.enter(EDGES, 0, len(ranges))
        first, end = ranges[0]
        for k, (a, b) in enumerate(ranges[1:], 1):
            later = self.op(f"icmp uge i64 {turn.variable}, {k}")
            first, end = (self.op(f"select i1 {later}, i64 {x}, i64 {y}") for x, y in ((a, first), (b, end)))
        self.loop(axis, first, end, body)
        self.leave()

    def inside(self, x: int, first: Any, end: Any) -> Any:
        """The position, or the nearest one between two others."""
        if isinstance(first, int) and isinstance(end, int):
            return min(max(x, first), end)
        after = self.op(f"call i64 @llvm.umax.i64(i64 {x}, i64 {first})")
        return self.op(f"call i64 @llvm.umin.i64(i64 {after}, i64 {end})")

    def in_full_vectors(self, start: Any, stop: Any) -> Any:
        """Where the last full vector of a stretch ends."""
        if isinstance(start, int) and isinstance(stop, int):
            return stop - (stop - start) % self.width
        length = self.op(f"sub i64 {stop}, {start}")
        return self.op(f"add i64 {start}, {self.op(f'and i64 {length}, {-self.width}')}")

    def loop(self, axis: int, first: Any, end: Any, body: Callable[[], None], full: bool = False) -> None:
        """A loop along an axis; if it has the lanes, those behind the end are masked, unless all vectors are `full`."""
        totals = self.totals_in_blocks(axis) if full or axis != self.lane else []
        if totals:
            self.in_blocks(axis, first, end, body, totals)
            return
        with self.lanes(axis if axis == self.tile else self.lane):
            loop = self.enter(axis, first, end, self.width if axis == self.lane else 1)
            loop.may_be_empty = axis in self.stretches or self.stack[-2].axis == EDGES
            if axis == self.lane and not full and self.has_tail(axis):
                left = self.splat(self.op(f"sub i64 {end}, {loop.variable}"), "i64")
                self.tails[axis] = self.op(f"icmp ugt <{self.width} x i64> {left}, {self.iota()}")
        body()
        self.leave()
        self.tails.pop(axis, None)

    def totals_in_blocks(self, axis: int) -> list[Accumulator]:
        """The long sums of an axis in whose loop there is no other, nor anything else to wait for."""
        if not self.walk.wide or axis != (self.inner or self.rows)[-1]:
            return []
        return [total for root, total in self.accumulators.items() if total.lost and axis in root.own]

    def in_blocks(self, axis: int, first: Any, end: Any, body: Callable[[], None], totals: list[Accumulator]) -> None:
        """A loop in which only what blocks come to is added up with care."""
        step = self.width if axis == self.lane else 1
        block = self.enter(BLOCKS, first, end, BLOCK * step)
        block.may_be_empty = True
        stop = self.smaller(self.op(f"add i64 {block.variable}, {BLOCK * step}"), end)
        for total in totals:
            total.begin_block()
        self.enter(axis, block.variable, stop, step)
        body()
        self.leave()
        for total in totals:
            total.end_block()
        self.leave()

    def has_tail(self, axis: int) -> bool:
        """Whether the last vectors along an axis may be no full ones."""
        length = self.part if self.part is not None and axis == self.rows[0] else 0
        return bool(self.stack[-2].axis == EDGES or self.extents[axis] % self.width or length % self.width)

    def stage(self, roots: list[Root]) -> None:
        """What is done in a row, or a tile of rows, between one loop over the inner axes and the next."""
        inside = [root for root in roots if root.own & self.kernel.inner]
        with self.lanes(self.lane if self.tile is None else self.tile):
            self.make_all([root for root in roots if root not in inside])
            if inside and self.tile is not None:
                self.hold(inside)
        if not inside:
            return
        if self.tile is not None:
            rows = self.stack[-1]
            end = self.smaller(self.op(f"add i64 {rows.variable}, {self.width}"), rows.end)
            self.enter(self.tile, rows.variable, end)
        in_row = [root for root in inside if root.reduces and root.reduced == self.kernel.inner]
        for root in in_row:
            self.accumulators[root] = self.accumulator(root)
            self.accumulators[root].begin()
        for root in inside:
            if root.scans:
                self.accumulators[root] = self.accumulator(root)
                self.accumulators[root].begin()
        self.over([(axis, (0, self.extents[axis])) for axis in self.inner], lambda: self.make_all(inside))
        for root in in_row:
            self.end_in_row(root)
        if self.tile is not None:
            self.leave()

    # Tiles of rows -------------------------------------------------------------------------------------------------

    def hold(self, inside: list[Root]) -> None:
        """Compute what the loops over the inner axes need once in a row, for all rows of the tile."""
        roots = [self.items[root] for root in inside]
        over_inner = [item for item in all_items(roots) if not self.is_of_rows(item)]
        for item in [*(o for over in over_inner for o in over.operands), *roots]:
            if self.is_of_rows(item) and cost_of(item) and item.number not in self.held:
                vector = self.vector(item, self.value(item))
                self.store(vector, self.holder(item.number, item.value), item.value.dtype, 1, masked=False)

    # Roots ---------------------------------------------------------------------------------------------------------

    def make_all(self, roots: list[Root]) -> None:
        """Compute roots at a point."""
        for root in roots:
            self.make(root)
        for value, address, dtype in self.halves.values():
            self.store(value, address, dtype, 2)
        self.halves = {}

    def make(self, root: Root) -> None:
        """Compute a root at a point, and store it or add it to its total."""
        item = self.items[root]
        value = self.value(item)
        if root.scans:
            if self.lane in root.own:
                value = self.vector(item, value)
            self.accumulators[root].take(value)
            self.store_root(root, self.accumulators[root].total(), self.lane in root.own)
        elif not root.reduces:
            self.store_root(root, value, self.lane in item.axes, by_turns=True)
        elif root in self.accumulators:
            if self.lane in root.own:
                value = self.vector(item, value)
            self.accumulators[root].take(value, self.tail if self.lane in root.own else None)
        else:
            self.add_in_memory(root, item, value)

    def store_root(self, root: Root, value: str, varies: bool, by_turns: bool = False) -> None:
        """Write a value where it is stored, or where the row holds it; if need be by turns with its neighbour."""
        number = root.value.number
        if root.temporary:
            pointer, strides = self.temporary(root)
        elif number in self.stored:
            pointer, strides = self.pointer(root.value), self.stored[number].strides
        else:
            return
        place = root.stored_place
        if self.kernel.part is not None and root.reduces and root.reduced != self.kernel.inner:
            place = ((0, ((PARTS, 1),)), *place)
        offset, stride = self.offset(place, strides)
        if root.temporary:
            stride = int(self.lane in root.own)
            offset = self.in_tile(offset, strides, root)
        if stride and not varies:
            value = self.splat(value, TYPES[root.value.dtype.char])
        address = self.address(pointer, offset, root.value.dtype)
        if by_turns and stride == 2 and self.width > 1 and not root.temporary:
            self.store_half(root, value, address)
        else:
            self.store(value, address, root.value.dtype, stride)

    def store_half(self, root: Root, value: str, address: str) -> None:
        """Write a vector together with the one whose numbers lie just before its own, or wait for the one behind."""
        where, dtype = self.stored[root.value.number], root.value.dtype
        others = where.pointer, where.strides, root.stored_place
        before = self.halves.pop((where.offset - dtype.itemsize, *others), None)
        if before is None:
            self.halves[where.offset, *others] = value, address, dtype
        else:
            self.store_interleaved((before[0], value), before[1], dtype)

    def accumulator(self, root: Root) -> Accumulator:
        reduced = [k for k in root.reduced if k not in self.walk.dropped]
        additions = prod(self.extents[k] for k in reduced)
        if self.part is not None and self.rows[0] in reduced:
            additions = additions // self.extents[self.rows[0]] * self.part
        if self.lane in reduced:
            additions //= self.width
        varies = self.lane in root.own
        operation, dtype = root.value.setting[0], root.value.dtype
        pairs = self.walk.wide and self.lane in reduced
        return Accumulator(self, self.target, operation, dtype, varies, additions, root.scans, pairs)

    def end_in_row(self, root: Root) -> None:
        """What has been accumulated in a row: known to what follows, and stored where somebody else needs it."""
        total = self.accumulators[root].total()
        varies = self.lane in root.own
        if self.lane in root.reduced:
            total, varies = across(self, self.target, root.value.setting[0], root.value.dtype, total), False
        if self.tile is None:
            self.at.memo["total", root.value.number] = total
        else:
            key = ("total", root.value.number)
            at = self.address(self.holder(key, root.value), self.row_in_tile(), root.value.dtype)
            self.store(total, at, root.value.dtype, 0)
        self.store_root(root, total, varies)

    # Totals over rows ----------------------------------------------------------------------------------------------

    def begin_total(self, root: Root) -> None:
        kept = [k for k in root.kept if k is not None]
        if not kept:
            self.accumulators[root] = self.accumulator(root)
            self.accumulators[root].begin()
            return
        v = root.value
        scalar, size = "i8" if v.dtype.char == "?" else TYPES[v.dtype.char], prod(self.extents[k] for k in kept)
        if self.lane in kept:
            where = self.pointer(v)
            if self.part is not None:
                where = self.op(f"getelementptr {scalar}, ptr {where}, i64 "
                                + self.op(f"mul i64 {self.stack[-1].variable}, {size}"))  # fmt: skip
        else:
            size *= self.width
            where = self.local(f"[{size} x {scalar}]")
        self.fill(where, scalar, size, literal(identity_of(v.setting[0], v.dtype), v.dtype))
        self.temporaries[v.number] = where, ()

    def fill(self, where: str, scalar: str, size: int, number: str) -> None:
        """The same number everywhere in an array."""
        number = {"true": "1", "false": "0"}.get(number, number)
        loop = self.enter(None, 0, size)
        self.put(f"store {scalar} {number}, ptr {self.op(f'getelementptr {scalar}, ptr {where}, i64 {loop.variable}')}")
        self.leave()

    def add_in_memory(self, root: Root, item: Item, value: str) -> None:
        """Totals over the rows, one for each place along the inner axes that are kept."""
        v, kept = root.value, [k for k in root.kept if k is not None and k not in self.walk.dropped]
        where = self.temporaries[v.number][0]
        on_lanes = self.lane in kept
        stride, terms = 1 if on_lanes or self.lane is None else self.width, []
        for k in reversed(kept):
            terms.append((k, stride))
            stride *= self.extents[k]
        lane_stride = next((c for k, c in terms if k == self.lane), 1)
        pointer = self.address(where, self.sum_of(0, terms), v.dtype)
        mask, kind = self.tail, self.kind(TYPES[v.dtype.char], True)
        value = self.vector(item, value)
        old = self.load(pointer, v.dtype, lane_stride, mask if on_lanes else None, True)
        if mask is not None and not on_lanes:
            unchanged = self.constant(identity_of(v.setting[0], v.dtype), v.dtype, True)
            value = self.op(f"select <{self.width} x i1> {mask}, {kind} {value}, {kind} {unchanged}")
        new = combined(self, self.target, v.setting[0], v.dtype, kind, old, value)
        self.store(new, pointer, v.dtype, lane_stride, masked=on_lanes)

    def end_total(self, root: Root) -> None:
        """Store a total over rows."""
        v = root.value
        if root in self.accumulators:
            total = self.accumulators[root].total()
            if self.lane in root.own:
                total = across(self, self.target, v.setting[0], v.dtype, total)
            self.store_root(root, total, False)
            return
        kept = [k for k in root.kept if k is not None and k not in self.walk.dropped]
        if self.lane in kept:
            return
        size = prod(self.extents[k] for k in kept)
        base = "0" if self.part is None else self.op(f"mul i64 {self.stack[-1].variable}, {size}")
        loop = self.enter(None, 0, size)
        at = self.op(f"mul i64 {loop.variable}, {self.width}")
        x = self.load(self.address(self.temporaries[v.number][0], at, v.dtype), v.dtype, 1, None, True)
        total = across(self, self.target, v.setting[0], v.dtype, x)
        to = self.op(f"add i64 {base}, {loop.variable}")
        self.store(total, self.address(self.pointer(v), to, v.dtype), v.dtype, 0)
        self.leave()


def _items(kernel: Kernel, stored: dict[int, Any], ranges: list, numbers: dict[Any, int]) -> dict[Root, Item]:
    """What is computed for each root; what earlier stages have made is loaded, or known in the row."""
    found: dict[Root, Item] = {}
    own = {root.value.number: root for root in kernel.roots}
    before: dict[Any, int] = {}
    for stage in sorted({root.stage for root in kernel.roots}):

        def ready(v: Value, stage: int = stage) -> str | None:
            root = own.get(v.number)
            if root is None:
                return "load" if v.number in stored else None
            if root.reduces:
                return "total"
            return "load" if root.stage < stage else None

        expansion = Expansion(ranges, ready, numbers, before, kernel.rows)
        inside = [root for root in kernel.roots if root.stage == stage]
        for root in inside:
            place = fixed(root.place, ranges)
            found[root] = expansion.item(root.body, place, compute=root.body is root.value)
            # What is the same along an axis is known where that axis is not walked: later stages load it.
            if root.body is root.value and found[root].axes == {k for _, terms in place for k, _ in terms}:
                before[root.value, place, ()] = found[root].number
    return found
