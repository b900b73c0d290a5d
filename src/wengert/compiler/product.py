"""Matrix products by the BLAS that SciPy brings, called from native code.

BLAS counts along columns. A product of arrays in C order is the product of their transposes in the other order, so
nothing is copied; an operand whose rows or columns lie at equal distances in memory is passed as it lies there.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from wengert.compiler.graph import Value
from wengert.compiler.libraries import call_library
from wengert.compiler.threads import cores
from wengert.compiler.writer import Writer, Written, scalar_of

__all__ = ["emit_product", "operand_of"]

COMPUTED = {"map", "move", "update", "join", "gather"}
"""Kinds that are stored only where something asks for it."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A stored value, and where the operand of a product begins in it and with which strides it lies there."""

    value: Value
    offset: int
    strides: tuple[int, ...]

    def matrix(self, shape: tuple) -> tuple[bool, int]:
        """Whether the matrices are transposed in memory, and the distance of their rows (or columns)."""
        found = _order(shape, self.strides)
        assert found is not None
        return found


def operand_of(v: Value) -> Operand:
    """What has to be stored for an operand of a product."""
    if v.kind == "move" and v.operands[0].kind != "literal":
        x = v.operands[0]
        lying = _strides_of(x.shape)
        strides = [0] * len(v.shape)
        offset = 0
        for (start, terms), stride in zip(v.setting.places, lying, strict=True):
            offset += start * stride
            for axis, step in terms:
                strides[axis] += step * stride
        if _order(v.shape, tuple(strides)) is not None and (x.kind not in COMPUTED or x.size <= v.size):
            return Operand(x, offset, tuple(strides))
    return Operand(v, 0, _strides_of(v.shape))


def _strides_of(shape: tuple) -> tuple[int, ...]:
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


def _order(shape: tuple, strides: tuple) -> tuple[bool, int] | None:
    """Whether a matrix is transposed in BLAS's eyes, and the distance of its lines; `None` if it cannot be passed."""
    (rows, columns), (down, right) = shape[-2:], strides[-2:]
    if (columns == 1 or right == 1) and (rows == 1 or down >= columns):
        return False, down if rows > 1 else columns
    if (rows == 1 or down == 1) and (columns == 1 or right >= rows):
        return True, right if columns > 1 else rows
    return None


FLOPS = {"d": 20.0, "f": 60.0}
"""Operations that BLAS does in a nanosecond, about."""
FLOPS_OF_VECTORS = 4.0
"""The same where a matrix is multiplied with a vector, and read from memory."""
FEW_PARTS = 4
"""Into so many parts a product is cut, or one for each core if there are more; in smaller ones BLAS is slower."""
SMALLEST_PART = 64


def emit_product(v: Value, name: str) -> Written:
    """The text of a launch that multiplies matrices, or stacks of them."""
    a, b = map(operand_of, v.operands)
    order = [a.value, b.value, v]
    w = Writer(name, order)
    batch = v.shape[:-2]
    outermost = next((k for k, n in enumerate(batch) if n > 1), None)
    (m, k), n = v.operands[0].shape[-2:], v.shape[-1]
    cut = None if outermost is not None else int(n > m)

    def one(indices: list[str]) -> None:
        n = len(indices)
        given = [(a.strides, a.offset), (b.strides, b.offset), (_strides_of(v.shape), 0)]
        places = [
            w.address(f"%p{k}", scalar_of(v.dtype), list(zip(indices, strides[:n], strict=True)), offset)
            for k, (strides, offset) in enumerate(given)
        ]
        _multiply(w, v, (a, b), places, cut)

    w.nest(list(batch), one, outermost)
    flops = 2 * v.size * k
    work = flops / (FLOPS[v.dtype.char] if 1 not in (m, n) else FLOPS_OF_VECTORS)
    if outermost is not None:
        return Written(w.text(), order, extent=batch[outermost], parallel=True, work=work, flops=flops)
    if cut is None:
        return Written(w.text(), order, flops=flops, work=work)
    extent = (m, n)[cut]
    grain = -(-max(SMALLEST_PART, extent // max(FEW_PARTS, cores())) // 16) * 16
    return Written(w.text(), order, extent=extent, grain=grain, parallel=extent > grain, work=work, flops=flops)


def _multiply(w: Writer, v: Value, operands: tuple[Operand, Operand], places: list[str], cut: int | None) -> None:
    """One product, or the part of its rows (or columns) that is asked for; with a vector if a length is 1."""
    (a, b), (left, right) = operands, (o.shape for o in v.operands)
    (m, k), n = left[-2:], right[-1]
    ta, lda = a.matrix(left)
    tb, ldb = b.matrix(right)
    scalar = scalar_of(v.dtype)
    one, zero = (scalar, "1.0"), (scalar, "0.0")
    pa, pb, pc = places
    rows: Any = ("i32", m)
    columns: Any = ("i32", n)
    if cut == 0:
        rows = _part(w)
        pa, pc = w.address(pa, scalar, [("%begin", a.strides[-2])]), w.address(pc, scalar, [("%begin", n)])
    elif cut == 1:
        columns = _part(w)
        pb, pc = w.address(pb, scalar, [("%begin", b.strides[-1])]), w.address(pc, scalar, [("%begin", 1)])
    if n == 1 and m > 1:
        step = b.strides[-2] if k > 1 else 1
        _vector(w, v.dtype, ta, lda, (rows, k), (one, zero), (pa, pb, step, pc))
    elif m == 1 and n > 1:
        step = a.strides[-1] if k > 1 else 1
        _vector(w, v.dtype, not tb, ldb, (columns, k), (one, zero), (pb, pa, step, pc))
    else:
        arguments = [_flag(tb), _flag(ta), columns, rows, ("i32", k), one, pb, ("i32", ldb), pa, ("i32", lda),
                     zero, pc, ("i32", n)]  # fmt: skip
        call_library(w, "blas", v.dtype, "gemm", arguments)


def _part(w: Writer) -> str:
    """The address of the length of the part that is asked for."""
    length = w.local("i32")
    whole = w.op("sub i64 %end, %begin")
    short = w.op(f"trunc i64 {whole} to i32")
    w.put(f"store i32 {short}, ptr {length}")
    return length


def _vector(
    w: Writer, dtype: np.dtype, transposed: bool, distance: int, lengths: tuple, numbers: tuple, places: tuple
) -> None:
    """A matrix times a vector; in BLAS's eyes a matrix in C order is transposed already."""
    (rows, summed), (one, zero) = lengths, numbers
    matrix, vector, step, result = places
    stored = (rows, ("i32", summed)) if transposed else (("i32", summed), rows)
    arguments = [_flag(not transposed), *stored, one, matrix, ("i32", distance), vector,
                 ("i32", step), zero, result, ("i32", 1)]  # fmt: skip
    call_library(w, "blas", dtype, "gemv", arguments)


def _flag(transposed: bool) -> tuple[str, int]:
    return "i8", ord("T" if transposed else "N")
