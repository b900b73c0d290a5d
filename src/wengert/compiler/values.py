"""The values of a kernel: each in the loop that it belongs to, a vector if it changes along the lanes.

What is known once in a row is, in kernels that do a tile of rows together, computed for all rows of the tile at once
and held in memory, from which the rows take it one by one.
"""

from typing import Any

from wengert.compiler.affine import Affine, Place, composed
from wengert.compiler.expand import Condition, Item
from wengert.compiler.fuse import Kernel, Root
from wengert.compiler.graph import Value
from wengert.compiler.lines import TYPES, Writer, literal
from wengert.compiler.sines import sine_and_cosine
from wengert.compiler.totals import combined
from wengert.compiler.vectormath import Target, function_call
from wengert.compiler.walk import Walk

__all__ = ["Values"]

SINES = ("sin", "cos")


class Values(Writer):
    """The writer of a kernel's values."""

    def __init__(self, kernel: Kernel, walk: Walk, stored: dict[int, Any], target: Target):
        super().__init__(walk.width)
        self.kernel, self.walk, self.stored, self.target = kernel, walk, stored, target
        self.own = {root.value.number: root for root in kernel.roots}
        self.lane, self.tile, self.extents = walk.lane, walk.tile, walk.extents
        self.inner = [k for k in sorted(kernel.inner) if k not in walk.dropped]
        self.rows = [k for k in kernel.rows if k not in walk.dropped]
        self.temporaries: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.held: dict[Any, str] = {}
        """Where a tile's rows hold what is known once in each."""

    # Values --------------------------------------------------------------------------------------------------------

    def value(self, item: Item) -> str:
        """An item's number or vector; what it is made of first, each in the loop it belongs to."""
        line, home = [item] if self.known(item) is None else [], self.at
        while line:
            top = line[-1]
            names: list = [self.known(o) for o in top.operands]
            if None in names:
                line += [o for o, name in zip(top.operands, names, strict=True) if name is None]
                continue
            line.pop()
            self.at = loop = self.loop_of(top.axes)
            if top.number not in loop.memo:
                loop.memo[top.number] = self.computed(top, names)
        self.at = home
        return self.name_of(item)

    def known(self, item: Item) -> str | None:
        """The name of an item, if it has been computed where it can be used now."""
        if item.kind == "literal":
            return literal(item.value.setting, item.value.dtype)
        if item.kind == "total":
            return self.total_in_row(item)
        if item.number in self.held and self.lane != self.tile:
            return self.from_holder(item.number, item.value)
        return self.loop_of(item.axes).memo.get(item.number)

    def total_in_row(self, item: Item) -> str:
        """The name of what has been combined along the inner axes of the row."""
        key = ("total", item.value.number)
        if self.tile is not None:
            return self.from_holder(key, item.value)
        return next(loop.memo[key] for loop in reversed(self.stack) if key in loop.memo)

    def computed(self, item: Item, names: list[str]) -> str:
        """Lines for an item whose operands have these names, and its own."""
        if item.kind == "load":
            return self.load_item(item)
        if item.kind == "choose":
            return self.choice(item, names)
        if item.kind == "gather":
            return self.gather_item(item)
        v, varies = item.value, self.lane in item.axes
        arguments = []
        for o, x in zip(item.operands, names, strict=True):
            arguments.append((self.kind(TYPES[o.value.dtype.char], varies), self.vector(o, x) if varies else x))
        kind = self.kind(TYPES[v.dtype.char], varies)
        pair = self.sine_and_cosine(v, arguments[0]) if v.setting in SINES else None
        if pair is not None:
            return pair[SINES.index(v.setting)]
        integers = v if v.setting == "cast" and v.operands[0].dtype.kind == "f" else v.operands[0]
        return self.op(function_call(self.target, v.setting, arguments, kind, self.op, integers.dtype.kind != "u"))

    def sine_and_cosine(self, v: Value, operand: tuple[str, str]) -> tuple[str, str] | None:
        """Both, where both are wanted of an operand."""
        kind, x = operand
        if not {u.setting for u in v.operands[0].users if u.kind == "map"}.issuperset(SINES):
            return None
        key = ("sine and cosine", x)
        if key not in self.at.pairs:
            self.at.pairs[key] = sine_and_cosine(self.target, x, kind, self.op)
        return self.at.pairs[key]

    def vector(self, item: Item, x: str) -> str:
        """An item in all lanes."""
        scalar = TYPES[item.value.dtype.char]
        if self.lane in item.axes:
            return x
        if item.kind == "literal":
            return self.repeated(x, scalar)
        home = self.at
        # What does not change along the lanes is put into them where it is computed, outside of the lanes' loop.
        self.at = self.loop_of(item.axes)
        found = self.splat(x, scalar)
        self.at = home
        return found

    def load_item(self, item: Item) -> str:
        """What has been stored, in memory or for the row."""
        v = item.value
        root = self.own.get(v.number)
        if root is not None and root.temporary:
            pointer, strides = self.temporary(root)
            offset = self.in_tile(self.offset(item.place, strides)[0], strides, root)
            return self.load(self.address(pointer, offset, v.dtype), v.dtype, 1, None, self.lane in item.axes)
        offset, stride = self.offset_in(v, item.place)
        varies = self.lane in item.axes
        mask = self.mask_of(item) if varies else None
        if not varies:
            offset = self.kept_inside(item, offset)
        return self.load(self.address(self.pointer(v), offset, v.dtype), v.dtype, stride, mask, varies)

    def offset_in(self, v: Value, place: Place) -> tuple[str, int]:
        """The offset in a stored value, from where it begins, and the stride of the lanes.

        It begins at what is read first, so that kernels that read equal parts of arrays at other places are one.
        """
        strides = self.stored[v.number].strides
        if v.number not in self.begins:
            first = sum(start * stride for (start, _), stride in zip(place, strides, strict=True))
            last = sum((n - 1) * stride for n, stride in zip(v.shape, strides, strict=True))
            self.begins[v.number] = first if v.number not in self.own and 0 < first <= last else 0
        return self.offset(place, strides, self.begins[v.number])

    def mask_of(self, item: Item) -> str | None:
        """The lanes in which an item is asked for."""
        mask = self.tail
        if item.conditions:
            inside = self.test(item.conditions, True)
            mask = inside if mask is None else self.op(f"and <{self.width} x i1> {mask}, {inside}")
        return mask

    def kept_inside(self, item: Item, offset: str) -> str:
        """The offset of a number, or of one that is there where it is not asked for."""
        if not item.conditions:
            return offset
        return self.op(f"select i1 {self.test(item.conditions, False)}, i64 {offset}, i64 0")

    def gather_item(self, item: Item) -> str:
        """An element at a place that arrays of integers name."""
        v, x = item.value, item.value.operands[0]
        offset, stride, steps = self.gathered_from(item)
        varies = self.lane in item.axes
        far: list[str] = []
        for k, step in steps.items():
            index = item.operands[k]
            name = self.name_of(index)
            if self.lane in index.axes:
                far.append(self.op(f"mul <{self.width} x i64> {name}, {self.repeated(str(step), 'i64')}"))
            else:
                offset = self.op(f"add i64 {offset}, {self.op(f'mul i64 {name}, {step}')}")
        if not varies:
            offset = self.kept_inside(item, offset)
            return self.load(self.address(self.pointer(x), offset, v.dtype), v.dtype, 0, None, False)
        if not far:
            pointer = self.address(self.pointer(x), offset, v.dtype)
            return self.load(pointer, v.dtype, stride, self.mask_of(item), True)
        total = self.splat(offset, "i64")
        for more in [self.iota(stride)] * (stride != 0) + far:
            total = self.op(f"add <{self.width} x i64> {total}, {more}")
        return self.gather(self.pointer(x), total, v.dtype, self.mask_of(item))

    def gathered_from(self, item: Item) -> tuple[str, int, dict[int, int]]:
        """The offset but for what the arrays name, the stride of the lanes, and the stride of each array's numbers."""
        x, places = item.value.operands[0], item.value.setting.places
        affine = composed(tuple((start, terms) for start, terms, _ in places), item.place)
        steps: dict[int, int] = {}
        for (_, _, named), stride in zip(places, self.stored[x.number].strides, strict=True):
            for k, step in named:
                steps[k] = steps.get(k, 0) + step * stride
        return *self.offset_in(x, affine), steps

    def name_of(self, item: Item) -> str:
        """The name of an item that is known."""
        found = self.known(item)
        assert found is not None
        return found

    def choice(self, item: Item, names: list[str]) -> str:
        """One operand or another, according to the place."""
        v, varies = item.value, self.lane in item.axes
        scalar = TYPES[v.dtype.char]
        kind = self.kind(scalar, varies)
        values = [self.vector(o, x) if varies else x for o, x in zip(item.operands, names, strict=True)]
        result = values[0]
        adds = v.kind == "update" and v.setting[1]
        if adds:
            values[1] = combined(self, self.target, "add", v.dtype, kind, values[0], values[1])
            if not item.tests:
                return values[1]
        for test, x in zip(item.tests, values[1:], strict=True):
            on_lanes = any(k == self.lane for a, _, _ in test for k, _ in a[1])
            result = self.op(
                f"select {self.kind('i1', on_lanes)} {self.test(test, on_lanes)}, {kind} {x}, {kind} {result}"
            )
        return result

    def test(self, conditions: tuple[Condition, ...], varies: bool) -> str:
        """Whether all conditions hold, for a number or in each lane."""
        result = None
        for a, low, high in conditions:
            holds, on_lanes = self.holds(a, low, high)
            if varies and not on_lanes:
                holds = self.splat(holds, "i1")
            result = holds if result is None else self.op(f"and {self.kind('i1', varies)} {result}, {holds}")
        assert result is not None
        return result

    def holds(self, a: Affine, low: int, high: int) -> tuple[str, bool]:
        """Whether a place is between its bounds."""
        axes = frozenset(k for k, _ in a[1])
        on_lanes = self.lane in axes
        home, self.at = self.at, self.loop_of(axes)
        key = ("holds", a, low, high)
        found = self.at.memo.get(key)
        if found is None:
            index = self.sum_of(a[0] - low, list(a[1]))
            if on_lanes:
                index = self.splat(index, "i64")
                stride = next(c for k, c in a[1] if k == self.lane)
                index = self.op(f"add <{self.width} x i64> {index}, {self.iota(stride)}")
            limit = self.repeated(str(high - low), "i64") if on_lanes else str(high - low)
            found = self.at.memo[key] = self.op(f"icmp ule {self.kind('i64', on_lanes)} {index}, {limit}")
        self.at = home
        return found, on_lanes

    # Tiles and temporaries -----------------------------------------------------------------------------------------

    def is_of_rows(self, item: Item) -> bool:
        """Whether an item is known once in a row."""
        return self.tile in item.axes and not item.axes & self.kernel.inner

    def holder(self, key: Any, v: Value) -> str:
        """Where something is held for each row of the tile."""
        if key not in self.held:
            self.held[key] = self.local(f"[{self.width} x {'i8' if v.dtype.char == '?' else TYPES[v.dtype.char]}]")
        return self.held[key]

    def from_holder(self, key: Any, v: Value) -> str:
        """What is held: all rows of the tile, or the present one."""
        loop = self.loop_of(frozenset([self.tile]))
        found = loop.memo.get(("held", key))
        if found is None:
            home, self.at = self.at, loop
            in_lanes = self.lane == self.tile
            offset = "0" if in_lanes else self.row_in_tile()
            found = self.load(self.address(self.held[key], offset, v.dtype), v.dtype, 1, None, in_lanes)
            loop.memo["held", key] = found
            self.at = home
        return found

    def row_in_tile(self) -> str:
        """The number of the present row in its tile."""
        loop = self.loop_of(frozenset([self.tile]))
        return self.op(f"sub i64 {loop.variable}, {loop.first}")

    def temporary(self, root: Root) -> tuple[str, tuple[int, ...]]:
        """Memory for a row's values, and the strides of its axes; lanes are side by side."""
        number = root.value.number
        if number not in self.temporaries:
            strides: dict[int | None, int] = {}
            size = 1
            if self.lane in root.own and self.lane in self.rows:
                strides[self.lane], size = 0, self.width
            for k in sorted(self.inner, key=lambda k: (k == self.lane, k), reverse=True):
                strides[k] = size
                size *= self.extents[k]
            if self.tile is not None:
                strides[self.tile] = size
                size *= self.width
            # One register more, because the last lanes of an axis may reach over its end.
            scalar = "i8" if root.value.dtype.char == "?" else TYPES[root.value.dtype.char]
            pointer = self.local(f"[{size + self.width} x {scalar}]")
            self.temporaries[number] = pointer, tuple(strides.get(k, 0) for k in root.axes)
        return self.temporaries[number]

    def in_tile(self, offset: str, strides: tuple[int, ...], root: Root) -> str:
        """An offset from the first row of the tile."""
        if self.tile is None:
            return offset
        loop = self.loop_of(frozenset([self.tile]))
        before = self.op(f"mul i64 {loop.first}, {strides[root.axes.index(self.tile)]}")
        return self.op(f"sub i64 {offset}, {before}")
