"""LLVM's text for the body of a kernel: loops, vectors along one of them, loads and stores.

Lines are put into the loop that they belong to; the text is made of the loops at the end.
"""

from typing import Any

import numpy as np

from wengert.compiler.affine import Place
from wengert.compiler.graph import Value
from wengert.compiler.textkinds import pointer_from_row, shuffle

__all__ = ["TYPES", "Loop", "Writer", "literal"]

TYPES = {"?": "i1", "b": "i8", "h": "i16", "i": "i32", "l": "i64", "q": "i64", "B": "i8", "H": "i16", "I": "i32",
         "L": "i64", "Q": "i64", "f": "float", "d": "double"}  # fmt: skip
"""LLVM's types of numbers; truth values are bytes in memory."""


class Loop:
    """A loop, or the function's body (without axis): lines and loops in their order, and what is known inside."""

    __slots__ = ("axis", "body", "depth", "end", "first", "may_be_empty", "memo", "pairs", "step", "variable")

    def __init__(self, axis: int | None, depth: int, variable: str = "", first: Any = 0, end: Any = 0, step: int = 1):
        self.may_be_empty = False
        self.axis, self.depth, self.variable = axis, depth, variable
        self.first, self.end, self.step = first, end, step
        self.body: list[Any] = []
        self.memo: dict[Any, str] = {}
        self.pairs: dict[Any, tuple[str, str] | None] = {}


class Writer:
    """The text of a function, and the loops that are being written."""

    def __init__(self, width: int):
        self.width = width
        self.lane: int | None = None
        self.count = 0
        self.entry: list[str] = []
        self.top = Loop(None, 0)
        self.stack = [self.top]
        self.at = self.top
        """Where lines are put: the innermost loop, or one around it for what does not change inside."""
        self.tails: dict[int, str] = {}
        """For an axis the lanes along it that are inside the domain, if not all are."""
        self.one_by_one = False
        """Whether lanes that are apart in memory are read and written one by one: it is faster, and more text."""
        self.pointers: dict[int, str] = {}
        self.order: list[Value] = []
        self.begins: dict[int, int] = {}
        """By the numbers of values, the element that the pointer points to, where it is not the first one."""
        self._loops: dict[frozenset, Loop] = {}
        self._vectors: dict[str, str] = {}
        """The types of vectors, by those of their numbers."""

    @property
    def tail(self) -> str | None:
        """The lanes that are inside the domain; `None` if all are."""
        return self.tails.get(self.lane) if self.lane is not None else None

    # Lines and loops -----------------------------------------------------------------------------------------------

    def new(self) -> str:
        """A name."""
        self.count += 1
        return f"%v{self.count}"

    def put(self, line: str) -> None:
        """One line."""
        self.at.body.append(line)

    def op(self, text: str) -> str:
        """A line that gives a number, and its name."""
        self.count = k = self.count + 1
        self.at.body.append(f"%v{k} = {text}")
        return f"%v{k}"

    def enter(self, axis: int | None, first: Any, end: Any, step: int = 1) -> Loop:
        """Begin a loop."""
        loop = Loop(axis, len(self.stack), f"{self.new()}i", first, end, step)
        self.stack.append(loop)
        self._moved()
        return loop

    def leave(self) -> None:
        """End a loop."""
        loop = self.stack.pop()
        self.stack[-1].body.append(loop)
        self._moved()

    def _moved(self) -> None:
        self.at = self.stack[-1]
        self._loops = {}

    def loop_of(self, axes: frozenset) -> Loop:
        """The innermost loop over one of the axes."""
        loop = self._loops.get(axes)
        if loop is None:
            stack = self.stack
            loop = next((x for x in reversed(stack) if x.axis in axes), stack[0])
            self._loops[axes] = loop
        return loop

    def lines(self) -> list[str]:
        """The text of all loops."""
        found = [f"  {line}" for line in self.entry]
        self._label = "entry"
        self._flatten(self.top, found)
        return found

    def _flatten(self, loop: Loop, lines: list[str]) -> None:
        for item in loop.body:
            if isinstance(item, str):
                lines.append(f"  {item}")
                continue
            self.count = k = self.count + 1
            before, i = self._label, item.variable
            if item.may_be_empty:
                lines.append(f"  %any{k} = icmp ult i64 {item.first}, {item.end}")
                lines.append(f"  br i1 %any{k}, label %loop{k}, label %done{k}")
            else:
                lines.append(f"  br label %loop{k}")
            lines += [f"loop{k}:", ""]
            at = len(lines) - 1
            self._label = f"loop{k}"
            self._flatten(item, lines)
            lines[at] = f"  {i} = phi i64 [{item.first}, %{before}], [{i}.next, %{self._label}]"
            lines += [
                f"  {i}.next = add nuw nsw i64 {i}, {item.step}",
                f"  %more{k} = icmp ult i64 {i}.next, {item.end}",
                f"  br i1 %more{k}, label %loop{k}, label %done{k}",
                f"done{k}:",
            ]
            self._label = f"done{k}"

    # Vectors -------------------------------------------------------------------------------------------------------

    def kind(self, scalar: str, varies: bool) -> str:
        """The type of a number, or of one in each lane."""
        if not varies:
            return scalar
        found = self._vectors.get(scalar)
        if found is None:
            found = self._vectors[scalar] = f"<{self.width} x {scalar}>"
        return found

    def repeated(self, text: str, scalar: str) -> str:
        """A constant in all lanes."""
        return f"splat ({scalar} {text})"

    def splat(self, x: str, scalar: str) -> str:
        """A number in all lanes."""
        if x[0] != "%":
            return self.repeated(x, scalar)
        key = ("splat", x)
        found = self.at.memo.get(key)
        if found is None:
            kind = f"<{self.width} x {scalar}>"
            one = self.op(f"insertelement {kind} poison, {scalar} {x}, i64 0")
            found = self.op(f"shufflevector {kind} {one}, {kind} poison, <{self.width} x i32> zeroinitializer")
            self.at.memo[key] = found
        return found

    def constant(self, number: Any, dtype: np.dtype, varies: bool) -> str:
        """A number of the program, alone or in all lanes."""
        text = literal(number, dtype)
        return self.repeated(text, TYPES[dtype.char]) if varies else text

    def iota(self, stride: int = 1) -> str:
        """0, 1, 2, ... in the lanes, times a stride."""
        return "<" + ", ".join(f"i64 {i * stride}" for i in range(self.width)) + ">"

    # Addresses -----------------------------------------------------------------------------------------------------

    def sum_of(self, constant: int, terms: list[tuple[int, int]]) -> str:
        """``constant + sum(coefficient * index)``, each part of it in the loop it belongs to."""
        text, at = str(constant), self.at
        innermost = {loop.axis: loop for loop in self.stack}
        loops = [(innermost[k], c) for k, c in terms if k in innermost]
        for loop, c in sorted(loops, key=_depth):
            key = (text, c)
            found = loop.memo.get(key)
            if found is None:
                self.at = loop
                found = loop.variable if c == 1 else self.op(f"mul i64 {loop.variable}, {c}")
                if text != "0":
                    found = self.op(f"add i64 {found}, {text}")
                loop.memo[key] = found
            text = found
        self.at = at
        return text

    def offset(self, place: Place, strides: tuple[int, ...], begin: int = 0) -> tuple[str, int]:
        """Offset in elements of the first lane, from the element `begin` on, and the stride of the lanes."""
        constant = -begin
        total: dict[int | None, int] = {}
        for (start, terms), stride in zip(place, strides, strict=True):
            constant += start * stride
            for k, c in terms:
                total[k] = total.get(k, 0) + c * stride
        parts = [(k, c) for k, c in total.items() if c and k is not None]
        return self.sum_of(constant, parts), total.get(self.lane, 0)

    def pointer(self, v: Value) -> str:
        """The address of the element at which a value begins here, from the row of the launch."""
        name = self.pointers.get(v.number)
        if name is None:
            k = len(self.order)
            self.order.append(v)
            name = self.pointers[v.number] = f"%p{k}"
            self.entry += pointer_from_row(k)
        return name

    def local(self, kind: str) -> str:
        """The address of memory on the stack."""
        name = self.new()
        self.entry.append(f"{name} = alloca {kind}, align 64")
        return name

    # Memory --------------------------------------------------------------------------------------------------------

    def load(self, pointer: str, dtype: np.dtype, stride: int, mask: str | None, varies: bool) -> str:
        """A number, or one for each lane; lanes that the mask leaves out are 0."""
        scalar = _in_memory(dtype)
        if not varies:
            return self._from_memory(self.op(f"load {scalar}, ptr {pointer}"), dtype, False)
        kind, size = f"<{self.width} x {scalar}>", dtype.itemsize
        if stride == 1 and mask is None:
            x = self.op(f"load {kind}, ptr {pointer}, align {size}")
        elif stride == 1:
            x = self.op(f"call {kind} @llvm.masked.load.{self._short(scalar)}.p0(ptr {pointer}, i32 {size}, "
                        f"<{self.width} x i1> {mask}, {kind} zeroinitializer)")  # fmt: skip
        elif stride == 2:
            return self.every_second(pointer, dtype, mask)
        elif mask is None and self.one_by_one:
            x = "poison"
            for k in range(self.width):
                at = self.op(f"getelementptr {scalar}, ptr {pointer}, i64 {k * stride}")
                x = self.op(f"insertelement {kind} {x}, {scalar} {self.op(f'load {scalar}, ptr {at}')}, i64 {k}")
        else:
            return self.gather(pointer, self.iota(stride), dtype, mask)
        return self._from_memory(x, dtype, True)

    def every_second(self, pointer: str, dtype: np.dtype, mask: str | None) -> str:
        """A number for each lane, two apart: out of two vectors, of which the second ends with the last lane."""
        width, half = self.width, self.width // 2
        even, odd = (self.mask_at(mask, [-1 if k % 2 == left else start + k // 2 for k in range(width)])
                     for left, start in ((1, 0), (0, half)))  # fmt: skip
        first = self.load(pointer, dtype, 1, even, True)
        second = self.load(self.address(pointer, str(width - 1), dtype), dtype, 1, odd, True)
        kind = self.kind(TYPES[dtype.char], True)
        return self.shuffled(kind, first, second, [2 * k if k < half else 2 * k + 1 for k in range(width)])

    def mask_at(self, mask: str | None, lanes: list[int]) -> str | None:
        """A mask that has in each lane what another one has in the given lane; below 0 stands for none."""
        if mask is None:
            return None
        key = ("lanes", mask, *lanes)
        if key not in self.at.memo:
            kind = f"<{self.width} x i1>"
            places = [k if k >= 0 else self.width for k in lanes]
            self.at.memo[key] = self.shuffled(kind, mask, "zeroinitializer", places)
        return self.at.memo[key]

    def shuffled(self, kind: str, first: str, second: str, lanes: list[int]) -> str:
        """A vector of lanes of two others, counted through both."""
        return self.op(shuffle(kind, first, second, lanes))

    def gather(self, pointer: str, offsets: str, dtype: np.dtype, mask: str | None) -> str:
        """A number for each lane, from offsets in elements."""
        scalar = _in_memory(dtype)
        kind = f"<{self.width} x {scalar}>"
        pointers = self.op(f"getelementptr {scalar}, ptr {pointer}, <{self.width} x i64> {offsets}")
        x = self.op(f"call {kind} @llvm.masked.gather.{self._short(scalar)}.v{self.width}p0(<{self.width} x ptr> "
                    f"{pointers}, i32 {dtype.itemsize}, <{self.width} x i1> {mask or self.repeated('true', 'i1')}, "
                    f"{kind} zeroinitializer)")  # fmt: skip
        return self._from_memory(x, dtype, True)

    def _from_memory(self, x: str, dtype: np.dtype, varies: bool) -> str:
        if dtype.char != "?":
            return x
        return self.op(f"icmp ne {self.kind('i8', varies)} {x}, {'zeroinitializer' if varies else '0'}")

    def _to_memory(self, x: str, dtype: np.dtype, varies: bool) -> str:
        if dtype.char != "?":
            return x
        return self.op(f"zext {self.kind('i1', varies)} {x} to {self.kind('i8', varies)}")

    def store(self, value: str, pointer: str, dtype: np.dtype, stride: int, masked: bool = True) -> None:
        """Write a number (stride 0), or one for each lane, if `masked` only for those that are inside the domain."""
        tail = self.tail if masked else None
        scalar = _in_memory(dtype)
        value = self._to_memory(value, dtype, bool(stride))
        kind, size = f"<{self.width} x {scalar}>", dtype.itemsize
        if not stride:
            self.put(f"store {scalar} {value}, ptr {pointer}")
        elif stride == 1 and tail is None:
            self.put(f"store {kind} {value}, ptr {pointer}, align {size}")
        elif stride == 1:
            self.put(f"call void @llvm.masked.store.{self._short(scalar)}.p0({kind} {value}, ptr {pointer}, "
                     f"i32 {size}, <{self.width} x i1> {tail})")  # fmt: skip
        elif tail is None and self.one_by_one:
            for k in range(self.width):
                lane = self.op(f"extractelement {kind} {value}, i64 {k}")
                at = self.op(f"getelementptr {scalar}, ptr {pointer}, i64 {k * stride}")
                self.put(f"store {scalar} {lane}, ptr {at}")
        else:
            pointers = self.op(f"getelementptr {scalar}, ptr {pointer}, <{self.width} x i64> {self.iota(stride)}")
            self.put(f"call void @llvm.masked.scatter.{self._short(scalar)}.v{self.width}p0({kind} {value}, "
                     f"<{self.width} x ptr> {pointers}, i32 {size}, <{self.width} x i1> "
                     f"{tail or self.repeated('true', 'i1')})")  # fmt: skip

    def store_interleaved(self, values: tuple[str, str], pointer: str, dtype: np.dtype) -> None:
        """Write the numbers of two vectors by turns; only for the lanes that are inside the domain."""
        width, half, scalar = self.width, self.width // 2, _in_memory(dtype)
        kind, (first, second) = f"<{width} x {scalar}>", (self._to_memory(x, dtype, True) for x in values)
        for k, start in ((0, 0), (width, half)):
            lanes = [start + k // 2 for k in range(width)]
            both = self.shuffled(kind, first, second, [lane + width * (k % 2) for k, lane in enumerate(lanes)])
            tail = self.mask_at(self.tail, lanes)
            at = self.address(pointer, str(k), dtype)
            if tail is None:
                self.put(f"store {kind} {both}, ptr {at}, align {dtype.itemsize}")
            else:
                self.put(f"call void @llvm.masked.store.{self._short(scalar)}.p0({kind} {both}, ptr {at}, "
                         f"i32 {dtype.itemsize}, <{width} x i1> {tail})")  # fmt: skip

    def address(self, pointer: str, offset: str, dtype: np.dtype) -> str:
        """The address of an element."""
        return pointer if offset == "0" else self.op(f"getelementptr {_in_memory(dtype)}, ptr {pointer}, i64 {offset}")

    def _short(self, scalar: str) -> str:
        return f"v{self.width}{ {'double': 'f64', 'float': 'f32'}.get(scalar, scalar) }"


def _depth(loop: tuple[Loop, int]) -> int:
    return loop[0].depth


def _in_memory(dtype: np.dtype) -> str:
    return "i8" if dtype.char == "?" else TYPES[dtype.char]


def literal(number: Any, dtype: np.dtype) -> str:
    """A number as LLVM writes it: floats by their bits, those of float32 widened."""
    if dtype.kind == "f":
        return f"0x{int(np.float64(number).view(np.uint64)):016X}"
    if dtype.kind == "b":
        return "true" if number else "false"
    return str(int(number))
