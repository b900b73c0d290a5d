"""LLVM's text for steps that are no kernels: nests of plain loops, and calls of libraries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.lines import TYPES
from wengert.compiler.textkinds import pointer_from_row

__all__ = ["SIGNATURE", "Parts", "Writer", "Written", "scalar_of"]

SIGNATURE = "ptr %pointers, ptr %row, i64 %begin, i64 %end"
"""What every step of a program takes: the memory, the numbers of the pointers, and the part of the outermost axis."""

_SCALARS = TYPES | {"?": "i8"}


def scalar_of(dtype: np.dtype) -> str:
    """The type that a number has in memory."""
    return _SCALARS[dtype.char]


@dataclass(slots=True, kw_only=True)
class Parts:
    """How a function of a part of an axis may be run."""

    extent: int = 1
    """The length of its outermost axis: all of it is done by one call from 0 to here."""
    grain: int = 1
    """Parts of that axis start at multiples of it."""
    parallel: bool = False
    """Whether parts may be done in any order, several at once. If not, there is only one part: the whole."""
    work: float = 0.0
    """About how many nanoseconds the whole takes."""
    flops: int = 0
    """How many operations BLAS or LAPACK do."""


@dataclass(slots=True)
class Written(Parts):
    """A function's text, and the values whose pointers it takes, in the order of its row."""

    text: str
    order: list[Value]
    begins: Sequence[int] = ()
    """For each of them the byte that its pointer points to; left out, all are pointed to as a whole."""

    @property
    def pointed_at(self) -> Iterator[tuple[Value, int]]:
        """The values, and the byte of each that its pointer points to."""
        return zip(self.order, self.begins or [0] * len(self.order), strict=True)


class Writer:
    """One function, line by line; ``%p0``, ``%p1`` … point to the first elements of the values given."""

    def __init__(self, name: str, values: list[Value]):
        self.name, self.values = name, values
        self.count = 0
        self.label = "entry"
        self.head: list[str] = []
        self.lines: list[str] = []
        self.numbers: dict[tuple, str] = {}
        """Where numbers are that nobody writes to."""
        for k in range(len(values)):
            self.lines += pointer_from_row(k)

    def text(self) -> str:
        """The whole function."""
        lines = [f"define void @{self.name}({SIGNATURE}) {{", "entry:", *self.head, *self.lines, "ret void", "}"]
        return "\n".join(lines)

    def put(self, line: str) -> None:
        """A line."""
        self.lines.append(line)

    def op(self, text: str) -> str:
        """An instruction; gives the name of its result."""
        self.count += 1
        self.lines.append(f"%x{self.count} = {text}")
        return f"%x{self.count}"

    def local(self, kind: str, number: Any = None) -> str:
        """Memory of the function's own, with a number in it."""
        self.count += 1
        self.head.append(f"%m{self.count} = alloca {kind}, align 64")
        if number is not None:
            self.head.append(f"store {kind} {number}, ptr %m{self.count}")
        return f"%m{self.count}"

    def number(self, kind: str, number: Any) -> str:
        """Memory with a number that is only read; equal ones are in one place."""
        known = self.numbers.get((kind, number))
        if known is None:
            known = self.numbers[kind, number] = self.local(kind, number)
        return known

    def address(self, pointer: str, scalar: str, terms: list[tuple[str, int]], offset: int = 0) -> str:
        """A pointer moved on by ``offset + sum(index * stride)`` elements."""
        total = str(offset)
        for index, stride in terms:
            if stride:
                part = index if stride == 1 else self.op(f"mul i64 {index}, {stride}")
                total = part if total == "0" else self.op(f"add i64 {total}, {part}")
        return pointer if total == "0" else self.op(f"getelementptr {scalar}, ptr {pointer}, i64 {total}")

    def loop(self, count: int | str, body: Callable[[str], None], step: int = 1, first: str = "0") -> None:
        """What `body` writes, for each index from `first` to below `count`, which is more."""
        self.count += 1
        k, before = self.count, self.label
        self.lines += [f"br label %loop{k}", f"loop{k}:"]
        at = len(self.lines)
        self.lines.append("")
        self.label = f"loop{k}"
        body(f"%i{k}")
        self.lines[at] = f"%i{k} = phi i64 [{first}, %{before}], [%j{k}, %{self.label}]"
        self.lines += [
            f"%j{k} = add i64 %i{k}, {step}",
            f"%more{k} = icmp ult i64 %j{k}, {count}",
            f"br i1 %more{k}, label %loop{k}, label %done{k}",
            f"done{k}:",
        ]
        self.label = f"done{k}"

    def nest(self, counts: list[int], body: Callable[[list[str]], None], outermost: int | None = None) -> None:
        """Loops inside each other; those of one turn are left out. The outermost does the part that is asked for."""

        def inside(k: int, indices: list[str]) -> None:
            if k == len(counts):
                body(indices)
            elif counts[k] == 1:
                inside(k + 1, [*indices, "0"])
            elif k == outermost:
                self.loop("%end", lambda i: inside(k + 1, [*indices, i]), first="%begin")
            else:
                self.loop(counts[k], lambda i: inside(k + 1, [*indices, i]))

        inside(0, [])

    def copy(self, to: str, source: str, size: int) -> None:
        """Bytes copied; the places do not overlap."""
        self.put(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {size}, i1 false)")

    def clear(self, to: str, size: int) -> None:
        """Bytes set to 0."""
        self.put(f"call void @llvm.memset.p0.i64(ptr {to}, i8 0, i64 {size}, i1 false)")
