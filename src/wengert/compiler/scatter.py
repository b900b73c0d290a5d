"""Elements written to places that arrays name, and running sums: steps that are plain loops in a fixed order."""

from collections.abc import Callable
from math import prod
from typing import Any

from wengert.compiler.graph import Scatter, Value
from wengert.compiler.writer import Writer, Written, scalar_of

__all__ = ["emit_scan", "emit_scatter"]

WIDTH = 8
"""Elements side by side that are added at once."""


def _strides_of(shape: tuple) -> tuple[int, ...]:
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


def emit_scatter(v: Value, name: str) -> Written:
    """The text of a launch that writes elements, one after the other, in C order of what is written."""
    setting: Scatter = v.setting
    order = [*v.operands, v]
    w = Writer(name, order)
    size, result = v.size * v.dtype.itemsize, f"%p{len(order) - 1}"
    if setting.zero:
        w.clear(result, size)
    else:
        w.copy(result, f"%p{len(order) - 2}", size)
    _Writing(w, v, result).all()
    return Written(w.text(), order)


class _Writing:
    def __init__(self, w: Writer, v: Value, result: str):
        self.w, self.v, self.result = w, v, result
        self.scalar, self.floats = scalar_of(v.dtype), v.dtype.kind == "f"
        self.places, self.adds = v.setting.places, v.setting.adds
        self.lengths = list(self.places.shape)
        self.lying = _strides_of(self.places.shape)
        self.indices = v.operands[1 : len(v.operands) - (not v.setting.zero)]

    def all(self) -> None:
        """The loops; rows of many elements that lie side by side are taken several at once."""
        n = self.lengths[-1] if self.lengths else 1
        if n < WIDTH or not self.side_by_side():
            self.w.nest(self.lengths, lambda at: self.write(at, self.scalar))
            return
        kind = f"<{WIDTH} x {self.scalar}>"

        def row(at: list[str]) -> None:
            self.w.loop(n // WIDTH * WIDTH, lambda i: self.write([*at, i], kind), WIDTH)
            if n % WIDTH:
                start = n // WIDTH * WIDTH
                self.w.loop(n % WIDTH, lambda i: self.write([*at, self.w.op(f"add i64 {i}, {start}")], self.scalar))

        self.w.nest(self.lengths[:-1], row)

    def side_by_side(self) -> bool:
        """Whether along the last axis neighbours are written to neighbours."""
        last = len(self.lengths) - 1
        strides = _strides_of(self.v.shape)
        step = sum(
            s * stride
            for (_, terms, _), stride in zip(self.places.places, strides, strict=True)
            for k, s in terms
            if k == last
        )
        return step == 1 and all(index.shape[last] == 1 for index in self.indices)

    def write(self, at: list[str], kind: str) -> None:
        w, strides = self.w, _strides_of(self.v.shape)
        found = {}
        for k, index in enumerate(self.indices):
            lying = [s if n != 1 else 0 for s, n in zip(_strides_of(index.shape), index.shape, strict=True)]
            pointer = w.address(f"%p{1 + k}", "i64", list(zip(at, lying, strict=True)))
            found[k] = w.op(f"load i64, ptr {pointer}")
        terms: list[tuple[str, int]] = []
        offset = 0
        for (start, axes, arrays), stride in zip(self.places.places, strides, strict=True):
            offset += start * stride
            terms += [(at[axis], step * stride) for axis, step in axes]
            terms += [(found[k], step * stride) for k, step in arrays]
        there = w.address(self.result, self.scalar, terms, offset)
        source = w.address("%p0", self.scalar, list(zip(at, self.lying, strict=True)))
        align = f"align {self.v.dtype.itemsize}"
        new = w.op(f"load {kind}, ptr {source}, {align}")
        if self.adds:
            old = w.op(f"load {kind}, ptr {there}, {align}")
            new = w.op(f"{'fadd' if self.floats else 'add'} {kind} {old}, {new}")
        w.put(f"store {kind} {new}, ptr {there}, {align}")


def emit_scan(v: Value, name: str) -> Written:
    """The text of a launch that combines each element with those before it along an axis."""
    (x,), (operation, axis) = v.operands, v.setting
    w = Writer(name, [x, v])
    scalar, lying = scalar_of(v.dtype), _strides_of(v.shape)
    combine: dict[str, Callable[[str, str], str]] = {
        "add": lambda a, b: f"{'fadd' if v.dtype.kind == 'f' else 'add'} {scalar} {a}, {b}",
        "multiply": lambda a, b: f"{'fmul' if v.dtype.kind == 'f' else 'mul'} {scalar} {a}, {b}",
    }
    others = [1 if k == axis else n for k, n in enumerate(v.shape)]

    def line(at: list[str]) -> None:
        terms: list[Any] = list(zip(at, lying, strict=True))
        source, target = (w.address(p, scalar, terms) for p in ("%p0", "%p1"))
        total = w.local(scalar)
        first = w.op(f"load {scalar}, ptr {source}")
        w.put(f"store {scalar} {first}, ptr {total}")
        w.put(f"store {scalar} {first}, ptr {target}")

        def one(i: str) -> None:
            further = [(w.op(f"add i64 {i}, 1"), lying[axis])]
            new = w.op(f"load {scalar}, ptr {w.address(source, scalar, further)}")
            new = w.op(combine[operation](w.op(f"load {scalar}, ptr {total}"), new))
            w.put(f"store {scalar} {new}, ptr {total}")
            w.put(f"store {scalar} {new}, ptr {w.address(target, scalar, further)}")

        w.loop(v.shape[axis] - 1, one)

    w.nest(others, line)
    return Written(w.text(), [x, v])
