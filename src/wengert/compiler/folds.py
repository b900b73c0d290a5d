"""Kernels for totals of whole arrays and running sums, outside of compiled functions.

A total is taken of blocks of a fixed length, in several vectors at once, whatever the number of threads; NumPy combines
the blocks. So the rounding error is that of NumPy's pairwise sums, and the bits do not depend on the threads. A running
sum adds up each vector by shifts of 1, 2, 4 … lanes, and what came before.
"""

import ctypes
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.alone import module
from wengert.compiler.code import Code
from wengert.compiler.eager import SCALARS, entry_text, prepared
from wengert.compiler.locks import made_once
from wengert.compiler.textkinds import number, short, shuffle
from wengert.compiler.vectormath import host

__all__ = ["fold_of"]

BLOCK = 1024
"""Numbers of which one total is taken."""
TOGETHER = 8
"""Vectors that are summed side by side, as each addition waits for the one before."""
FLAT = {"sum": np.add, "mean": np.add, "norm": np.add, "max": np.maximum, "min": np.minimum}
"""What combines the numbers of an array; for a norm, their squares."""
FINISHED = {"mean": lambda total, n: total / n, "norm": lambda total, n: np.sqrt(total)}


def fold_of(name: str, args: tuple) -> Callable | None:
    """A function of an array that does what `planned.folds` has said; `None` if there is no kernel for the arguments.

    It gives `None` where NumPy has to do it, as not all of the result is finite. A total of a transposed array is
    called with what that is the transpose of.
    """
    x, axis, *others = args
    if x.__class__ is not np.ndarray or x.dtype.char not in SCALARS or not x.flags.forc:
        return None
    if name in FLAT:
        is_flat = axis is None or (x.ndim == 1 and axis in (0, -1))
        keeps = bool(others and others[0])
        return _total(name, x.dtype.char, (1,) * x.ndim if keeps else ()) if is_flat else None
    if x.flags.c_contiguous and axis % x.ndim == x.ndim - 1:
        return _running(x.dtype.char, name == "running sum from the end", x.shape[-1])
    return None


def _total(name: str, char: str, shape: tuple) -> Callable:
    operation, run = FLAT[name], _total_kernel(FLAT[name].__name__, char, name == "norm")

    def total(x: np.ndarray) -> Any:
        blocks = np.empty(-(-x.size // BLOCK), char)
        if run(x.size, id(blocks), id(x)):
            return None
        y = operation.reduce(blocks)
        if operation is np.add and not math.isfinite(y):
            return None
        y = FINISHED[name](y, x.size) if name in FINISHED else y
        return y.reshape(shape) if shape else y

    return total


def _running(char: str, backward: bool, length: int) -> Callable:
    run = _running_kernel(char, backward)

    def running(x: np.ndarray) -> np.ndarray | None:
        y = np.empty(x.shape, char)
        return None if run(x.size, length, id(y), id(x)) else y

    return running


@made_once
def _total_kernel(operation: str, char: str, squares: bool) -> Callable:
    """Called with the number of elements and the ids of the array for the blocks' totals, and of the operand."""
    blocks = "  %up = add i64 %n, 1023\n  %blocks = lshr i64 %up, 10"
    return _linked(_total_text(operation, char, squares) + entry_text(["%blocks", "%n"], char, before=blocks), 2)


@made_once
def _running_kernel(char: str, backward: bool) -> Callable:
    """Called with the number of elements, the length of a row, and the ids of the result and the operand."""
    return _linked(_running_text(char, backward) + entry_text(["%n", "%n"], char, unit="%unit"), 3)


def _linked(text: str, numbers: int) -> Callable:
    context, code = prepared(), Code(module(text), level=2)
    kind = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_void_p] * (numbers + 2))
    run = functools.partial(kind(code.address("run")), context.ctypes.data)
    run.code = code  # type: ignore[attr-defined]  # which must live as long
    return run


# Text ----------------------------------------------------------------------------------------------------------------


class _Lanes:
    """Words for vectors of the host's width."""

    def __init__(self, char: str):
        self.scalar, self.size = SCALARS[char], np.dtype(char).itemsize
        self.lanes = host().lanes(self.size)
        self.kind, self.truth = f"<{self.lanes} x {self.scalar}>", f"<{self.lanes} x i1>"
        self.zeros = f"{self.kind} {number(self.kind, -0.0)}"
        """What changes nothing that it is added to."""

    def mask(self, count: str) -> list[str]:
        """``%mask``: the first so many lanes."""
        lanes = self.lanes
        return [
            f"  %one = insertelement <{lanes} x i64> poison, i64 {count}, i64 0",
            f"  %counts = shufflevector <{lanes} x i64> %one, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer",
            f"  %mask = icmp ugt <{lanes} x i64> %counts, <{', '.join(f'i64 {i}' for i in range(lanes))}>",
        ]

    def masked_load(self, at: str) -> str:
        """Numbers in the lanes of ``%mask``, and negative zeros."""
        name = f"@llvm.masked.load.{short(self.kind)}.p0"
        return f"call {self.kind} {name}(ptr {at}, i32 {self.size}, {self.truth} %mask, {self.zeros})"

    def masked_store(self, value: str, at: str) -> str:
        name = f"@llvm.masked.store.{short(self.kind)}.p0"
        return f"  call void {name}({self.kind} {value}, ptr {at}, i32 {self.size}, {self.truth} %mask)"


def _combined(operation: str, kind: str, name: str, a: str, b: str) -> list[str]:
    """``name``: the sum, or the larger or smaller one, lane by lane."""
    if operation == "add":
        return [f"  {name} = fadd {kind} {a}, {b}"]
    truth = f"<{kind[1:].split()[0]} x i1>" if kind.startswith("<") else "i1"
    order = "ogt" if operation == "maximum" else "olt"
    return [
        f"  {name}.first = fcmp {order} {kind} {a}, {b}",
        f"  {name} = select {truth} {name}.first, {kind} {a}, {kind} {b}",
    ]


def _total_text(operation: str, char: str, squares: bool) -> str:
    """``range(pointers, answer, begin, end)``: the totals of the blocks between.

    The answer becomes 1 if the largest or smallest number is asked for, and there is a NaN.
    """
    w = _Lanes(char)
    first = {"add": 0.0, "maximum": -math.inf, "minimum": math.inf}[operation]
    identity = number(w.kind, first)
    lines = [
        *_block_head(TOGETHER * w.lanes),
        *_vectors_together(w, operation, identity, squares),
        *_single_vectors(w, operation, identity, squares),
        *_across(w, operation),
        f"  %number = lshr i64 %i0, {BLOCK.bit_length() - 1}",
        f"  %to = getelementptr {w.scalar}, ptr %blocks, i64 %number",
        f"  store {w.scalar} %total, ptr %to",
        f"  %bad = call i1 @llvm.vector.reduce.or.v{w.lanes}i1({w.truth} %nan.single)",
        "  br i1 %bad, label %tell, label %stored",
        "tell:",
        "  %before = atomicrmw or ptr %answer, i64 1 monotonic",
        "  br label %stored",
        "stored:",
        "  %next.block = icmp ult i64 %i1, %end",
        "  br i1 %next.block, label %block, label %done",
        "done:",
        "  ret void",
        "}",
    ]
    return "\n".join(lines)


def _block_head(step: int) -> list[str]:
    """A block is ``%i0`` to ``%stop``; up to ``%last`` there are whole steps."""
    return [
        "define void @range(ptr %pointers, ptr %answer, i64 %begin, i64 %end) {",
        "entry:",
        "  %blocks = load ptr, ptr %pointers",
        "  %x.at = getelementptr ptr, ptr %pointers, i64 1",
        "  %x = load ptr, ptr %x.at",
        "  br label %block",
        "block:",
        "  %i0 = phi i64 [%begin, %entry], [%i1, %stored]",
        f"  %i1 = add i64 %i0, {BLOCK}",
        "  %is.short = icmp ult i64 %end, %i1",
        "  %stop = select i1 %is.short, i64 %end, i64 %i1",
        "  %count = sub i64 %stop, %i0",
        f"  %whole = and i64 %count, {-step}",
        "  %last = add i64 %i0, %whole",
        "  %some = icmp ne i64 %whole, 0",
        "  br i1 %some, label %loop, label %rest",
    ]


def _vectors_together(w: _Lanes, operation: str, identity: str, squares: bool) -> list[str]:
    """The whole steps of a block, into the vectors `b0` …; ``%nan.rest``: the lanes that have met a NaN."""
    lines = [
        "loop:",
        "  %i = phi i64 [%i0, %block], [%i.next, %loop]",
        *[f"  %a{k} = phi {w.kind} [{identity}, %block], [%a{k}.next, %loop]" for k in range(TOGETHER)],
        f"  %nan0 = phi {w.truth} [zeroinitializer, %block], [%nan{TOGETHER}, %loop]",
    ]
    for k in range(TOGETHER):
        lines += [
            f"  %j{k} = add i64 %i, {k * w.lanes}",
            f"  %at{k} = getelementptr {w.scalar}, ptr %x, i64 %j{k}",
            f"  %x{k} = load {w.kind}, ptr %at{k}, align {w.size}",
            *_taken(w, operation, squares, f"%x{k}", f"%a{k}", f"%a{k}.next"),
            *_noticed(w, operation, f"%x{k}", f"%nan{k}", f"%nan{k + 1}"),
        ]
    return [
        *lines,
        f"  %i.next = add i64 %i, {TOGETHER * w.lanes}",
        "  %more = icmp ult i64 %i.next, %last",
        "  br i1 %more, label %loop, label %rest",
        "rest:",
        *[f"  %b{k} = phi {w.kind} [{identity}, %block], [%a{k}.next, %loop]" for k in range(TOGETHER)],
        f"  %nan.rest = phi {w.truth} [zeroinitializer, %block], [%nan{TOGETHER}, %loop]",
        "  br label %single",
    ]


def _single_vectors(w: _Lanes, operation: str, identity: str, squares: bool) -> list[str]:
    """What is left of a block, vector by vector, added to `b0`: ``%c``; with ``%nan.single``."""
    return [
        "single:",
        "  %s = phi i64 [%last, %rest], [%s.next, %one.more]",
        f"  %c = phi {w.kind} [%b0, %rest], [%c.next, %one.more]",
        f"  %nan.single = phi {w.truth} [%nan.rest, %rest], [%nan.next, %one.more]",
        "  %any = icmp ult i64 %s, %stop",
        "  br i1 %any, label %one.more, label %combine",
        "one.more:",
        "  %left = sub i64 %stop, %s",
        *w.mask("%left"),
        f"  %s.at = getelementptr {w.scalar}, ptr %x, i64 %s",
        f"  %loaded = {w.masked_load('%s.at')}",
        f"  %last.x = select {w.truth} %mask, {w.kind} %loaded, {w.kind} {identity}",
        *_taken(w, operation, squares, "%last.x", "%c", "%c.next"),
        *_noticed(w, operation, "%last.x", "%nan.single", "%nan.next"),
        f"  %s.next = add i64 %s, {w.lanes}",
        "  br label %single",
        "combine:",
    ]


def _taken(w: _Lanes, operation: str, squares: bool, x: str, before: str, name: str) -> list[str]:
    """``name``: a vector of totals with one more vector of numbers, or of their squares."""
    if not squares:
        return _combined(operation, w.kind, name, before, x)
    return [f"  {x}.squared = fmul {w.kind} {x}, {x}", *_combined(operation, w.kind, name, before, f"{x}.squared")]


def _noticed(w: _Lanes, operation: str, x: str, before: str, name: str) -> list[str]:
    """``name``: the lanes that have met a NaN. A sum becomes one itself."""
    if operation == "add":
        return [f"  {name} = or {w.truth} {before}, zeroinitializer"]
    return [f"  {x}.nan = fcmp uno {w.kind} {x}, {x}", f"  {name} = or {w.truth} {before}, {x}.nan"]


def _across(w: _Lanes, operation: str) -> list[str]:
    """``%total``: the vectors `b1` … and `c` as one, by halves, and then its lanes."""
    lines: list[str] = []
    names = ["%c", *[f"%b{k}" for k in range(1, TOGETHER)]]
    while len(names) > 1:
        half = len(names) // 2
        made = [f"%t{half}.{k}" for k in range(half)]
        for k, name in enumerate(made):
            lines += _combined(operation, w.kind, name, names[k], names[k + half])
        names = made
    value, width = names[0], w.lanes
    while width > 1:
        width //= 2
        kind, wide = f"<{width} x {w.scalar}>", f"<{2 * width} x {w.scalar}>"
        for name, start in (("low", 0), ("high", width)):
            lanes = shuffle(wide, value, "poison", range(start, start + width))
            lines.append(f"  %{name}{width} = {lanes}")
        lines += _combined(operation, kind, f"%w{width}", f"%low{width}", f"%high{width}")
        value = f"%w{width}"
    return [*lines, f"  %total = extractelement <1 x {w.scalar}> {value}, i64 0"]


def _running_text(char: str, backward: bool) -> str:
    """``range(pointers, answer, begin, end)``: running sums of the rows between.

    The answer becomes 1 where a sum is not finite. NumPy's may be all the same, as it adds up in another order.
    """
    w = _Lanes(char)
    far = 0 if backward else w.lanes - 1
    lines = [
        *_row_head(w),
        "loop:",
        f"  %done.next = add i64 %done, {w.lanes}",
        f"  %place = {'sub i64 %start.next, %done.next' if backward else 'add i64 %start, %done'}",
        f"  %from = getelementptr {w.scalar}, ptr %x, i64 %place",
        f"  %loaded = load {w.kind}, ptr %from, align {w.size}",
        *_summed(w, "loaded", backward),
        f"  %sums = fadd {w.kind} %loaded.summed, %before",
        f"  %to = getelementptr {w.scalar}, ptr %y, i64 %place",
        f"  store {w.kind} %sums, ptr %to, align {w.size}",
        f"  %all = {shuffle(w.kind, '%loaded.summed', 'poison', [far] * w.lanes)}",
        f"  %before.next = fadd {w.kind} %before, %all",
        *_not_finite(w, "sums", "wrong"),
        "  br label %step",
        "rest:",
        "  %any = icmp ne i64 %left, 0",
        "  br i1 %any, label %tail, label %judge",
        "tail:",
        f"  %place.tail = add i64 %start, {'0' if backward else '%whole'}",
        f"  %from.tail = getelementptr {w.scalar}, ptr %x, i64 %place.tail",
        f"  %part = {w.masked_load('%from.tail')}",
        *_summed(w, "part", backward),
        f"  %sums.tail = fadd {w.kind} %part.summed, %before",
        f"  %to.tail = getelementptr {w.scalar}, ptr %y, i64 %place.tail",
        w.masked_store("%sums.tail", "%to.tail"),
        *_not_finite(w, "sums.tail", "wrong"),
        "  br label %judge",
        *_row_end(w),
    ]
    return "\n".join(lines)


def _row_head(w: _Lanes) -> list[str]:
    """A row is ``%start`` to ``%start.next``; ``%done`` numbers of it are done, ``%before`` is their sum."""
    return [
        "define void @range(ptr %pointers, ptr %answer, i64 %begin, i64 %end) {",
        "entry:",
        "  %y = load ptr, ptr %pointers",
        "  %x.at = getelementptr ptr, ptr %pointers, i64 1",
        "  %x = load ptr, ptr %x.at",
        "  %unit.at = getelementptr ptr, ptr %pointers, i64 2",
        "  %unit = load i64, ptr %unit.at",
        f"  %whole = and i64 %unit, {-w.lanes}",
        "  %left = sub i64 %unit, %whole",
        *w.mask("%left"),
        "  br label %row",
        "row:",
        "  %start = phi i64 [%begin, %entry], [%start.next, %told]",
        "  %start.next = add i64 %start, %unit",
        "  br label %step",
        "step:",
        "  %done = phi i64 [0, %row], [%done.next, %loop]",
        f"  %before = phi {w.kind} [{number(w.kind, -0.0)}, %row], [%before.next, %loop]",
        f"  %wrong = phi {w.truth} [zeroinitializer, %row], [%sums.wrong, %loop]",
        "  %some = icmp ult i64 %done, %whole",
        "  br i1 %some, label %loop, label %rest",
    ]


def _not_finite(w: _Lanes, sums: str, before: str) -> list[str]:
    """``%sums.wrong``: in which lanes a sum is not finite, or one before it was not."""
    return [
        f"  %{sums}.size = call {w.kind} @llvm.fabs.{short(w.kind)}({w.kind} %{sums})",
        f"  %{sums}.off = fcmp uge {w.kind} %{sums}.size, {number(w.kind, math.inf)}",
        f"  %{sums}.wrong = or {w.truth} %{before}, %{sums}.off",
    ]


def _row_end(w: _Lanes) -> list[str]:
    """Whether all sums of a row are finite."""
    return [
        "judge:",
        f"  %wrongs = phi {w.truth} [%wrong, %rest], [%sums.tail.wrong, %tail]",
        f"  %bad = call i1 @llvm.vector.reduce.or.v{w.lanes}i1({w.truth} %wrongs)",
        "  br i1 %bad, label %tell, label %told",
        "tell:",
        "  %noted = atomicrmw or ptr %answer, i64 1 monotonic",
        "  br label %told",
        "told:",
        "  %more = icmp ult i64 %start.next, %end",
        "  br i1 %more, label %row, label %over",
        "over:",
        "  ret void",
        "}",
    ]


def _summed(w: _Lanes, name: str, backward: bool) -> list[str]:
    """``%name.summed``: in each lane of a vector the sum of those up to it, or from it on."""
    lines: list[str] = []
    value, shift = f"%{name}", 1
    while shift < w.lanes:
        places = [i + shift if backward else i - shift for i in range(w.lanes)]
        inside = ", ".join(f"i1 {int(0 <= i < w.lanes)}" for i in places)
        by, more = f"%{name}.by{shift}", f"%{name}.more{shift}"
        target = f"%{name}.summed" if 2 * shift >= w.lanes else f"%{name}.to{shift}"
        lines += [  # turned round, and added where nothing has come in from the other end
            f"  {by} = {shuffle(w.kind, value, 'poison', [i % w.lanes for i in places])}",
            f"  {more} = fadd {w.kind} {value}, {by}",
            f"  {target} = select {w.truth} <{inside}>, {w.kind} {more}, {w.kind} {value}",
        ]
        value, shift = target, 2 * shift
    return lines
