"""Matrix products by the BLAS that SciPy brings, called from native code.

BLAS counts along columns. A product of arrays in C order is the product of their transposes in the other order, so
nothing is copied; an operand whose rows or columns lie at equal distances in memory is passed as it lies there.

A product is data: the numbers that BLAS is called with, given to one function that does them all
(`assembly/product.ll`).
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from wengert.compiler.assembly import CUTS, FIELDS
from wengert.compiler.gram import LEAST, gram_text
from wengert.compiler.graph import Value
from wengert.compiler.libraries import PRODUCT, provide_products, symbol
from wengert.compiler.threads import cores
from wengert.compiler.writer import SIGNATURE, Written

__all__ = ["emit_product", "operand_of"]

COMPUTED = {"map", "move", "update", "join", "gather"}
"""Kinds that are stored only where something asks for it."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A stored value, and where the operand of a product begins in it and with which strides it lies there."""

    value: Value
    offset: int
    strides: tuple[int, ...]


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
    """Whether a matrix lies there transposed, and the distance of its lines; `None` if BLAS cannot take it."""
    (rows, columns), (down, right) = shape[-2:], strides[-2:]
    if (columns == 1 or right == 1) and (rows == 1 or down >= columns):
        return False, down if rows > 1 else columns
    if (rows == 1 or down == 1) and (columns == 1 or right >= rows):
        return True, right if columns > 1 else rows
    return None


def _lying(shape: tuple, strides: tuple) -> tuple[bool, int]:
    """The same of an operand, which BLAS can take."""
    found = _order(shape, strides)
    assert found is not None
    return found


FLOPS = {"d": 20.0, "f": 60.0}
"""Operations that BLAS does in a nanosecond, about."""
FLOPS_OF_VECTORS = 4.0
"""The same where a matrix is multiplied with a vector, and read from memory."""
FEW_PARTS = 4
"""Into so many parts a product is cut, or one for each core if there are more; in smaller ones BLAS is slower."""
SMALLEST_PART = 64


@dataclass(slots=True)
class _Call:
    """A call of BLAS: the function, its three arrays, and what stands in the record of it, with steps in elements."""

    name: str
    arrays: tuple[Operand, Operand, Operand]
    words: dict[str, int]


def emit_product(v: Value, name: str) -> Written:
    """The text of a launch that multiplies matrices, or stacks of them."""
    left, right = map(operand_of, v.operands)
    result = Operand(v, 0, _strides_of(v.shape))
    (m, k), n = v.operands[0].shape[-2:], v.shape[-1]
    if _is_gram(v, left, right):
        return _emit_gram(v, name, left, right)
    if n == 1 < m:
        call = _with_vector((m, k), left, right, result, left.strides[-2:], right.strides[-2])
    elif m == 1 < n:
        call = _with_vector((n, k), right, left, result, right.strides[:-3:-1], left.strides[-1])
    else:
        call = _of_matrices((m, k, n), left, right, result)
    stack = [(extent, [x.strides[i] for x in call.arrays]) for i, extent in enumerate(v.shape[:-2]) if extent > 1]
    words = [f"i64 {word}" for word in _words(call, stack, v.dtype)]
    provide_products()
    function = symbol("blas", {"f": "s", "d": "d"}[v.dtype.char] + call.name)
    text = f"""@{name}.numbers = private constant [{len(words)} x i64] [{", ".join(words)}]
define void @{name}({SIGNATURE}) {{
call void @{PRODUCT}(ptr @{function}, ptr @{name}.numbers, {SIGNATURE})
ret void
}}"""
    flops = 2 * v.size * k
    work = flops / (FLOPS[v.dtype.char] if 1 not in (m, n) else FLOPS_OF_VECTORS)
    extent = stack[0][0] if stack else max(m, n)
    grain = 1 if stack else _grain(extent)
    return Written(
        text, [x.value for x in call.arrays], [x.offset * v.dtype.itemsize for x in call.arrays],
        extent=extent, grain=grain, parallel=extent > grain, work=work, flops=flops,
    )  # fmt: skip


def _is_gram(v: Value, left: Operand, right: Operand) -> bool:
    """Whether one matrix, and a large one, is multiplied with its own transpose."""
    if len(v.shape) != 2 or v.shape[0] < LEAST or v.operands[0].shape != v.operands[1].shape[::-1]:
        return False  # some rows of a matrix begin where the matrix does, and have its strides
    return left.value is right.value and left.offset == right.offset and left.strides == right.strides[::-1]


def _emit_gram(v: Value, name: str, left: Operand, right: Operand) -> Written:
    """The text of a launch that multiplies a matrix with its own transpose."""
    n, k = v.operands[0].shape
    turned, lead = _lying((k, n), right.strides)
    text = gram_text(name, v, right.value, right.strides[1], turned, lead, k)
    flops, grain = n * n * k, _grain(n // 2)  # the first columns are the longest
    return Written(
        text, [right.value, v], [right.offset * v.dtype.itemsize, 0],
        extent=n, grain=grain, parallel=n > grain, work=flops / FLOPS[v.dtype.char], flops=flops,
    )  # fmt: skip


def _grain(extent: int) -> int:
    """How long a part of a product is at least."""
    return -(-max(SMALLEST_PART, extent // max(FEW_PARTS, cores())) // 16) * 16


def _of_matrices(lengths: tuple[int, int, int], left: Operand, right: Operand, result: Operand) -> _Call:
    """The transposes in the other order; the longer side of the result is the one of which there may be parts."""
    m, k, n = lengths
    turned_left, lead_left = _lying((m, k), left.strides)
    turned_right, lead_right = _lying((k, n), right.strides)
    words = {
        "turned_a": _flag(turned_right), "turned_b": _flag(turned_left), "m": n, "n": m, "k": k,
        "lda": lead_right, "ldb": lead_left, "ldc": n,
    }  # fmt: skip
    if n > m:
        words |= {"cut": CUTS["cuts_m"], "a_along": right.strides[-1], "c_along": 1}
    else:
        words |= {"cut": CUTS["cuts_n"], "b_along": left.strides[-2], "c_along": n}
    return _Call("gemm", (right, left, result), words)


def _with_vector(
    lengths: tuple[int, int], matrix: Operand, vector: Operand, result: Operand, strides: tuple[int, ...], step: int
) -> _Call:
    """A matrix of so many rows and columns times a vector."""
    rows, columns = lengths
    turned, lead = _lying(lengths, strides)
    m, n, cut = (rows, columns, CUTS["cuts_m"]) if turned else (columns, rows, CUTS["cuts_n"])
    words = {
        "vector": 1, "turned_a": _flag(not turned), "m": m, "n": n, "lda": lead, "ldb": step if columns > 1 else 1,
        "ldc": 1, "cut": cut, "a_along": strides[0], "c_along": 1,
    }  # fmt: skip
    return _Call("gemv", (matrix, vector, result), words)


def _flag(turned: bool) -> int:
    return ord("T" if turned else "N")


def _words(call: _Call, stack: list[tuple[int, list[int]]], dtype: np.dtype) -> list[int]:
    """The record of a call, with the axes of the stack behind it; steps in bytes."""
    words = call.words | {"axes": len(stack), "inner": prod(extent for extent, _ in stack[1:])}
    if stack:  # of which there are parts
        words["cut"] = 0
    words["one"] = int.from_bytes(np.ones(1, dtype).tobytes(), "little")
    along = {name: words[name] * dtype.itemsize for name in ("a_along", "b_along", "c_along") if name in words}
    axes = [[extent, *[stride * dtype.itemsize for stride in strides]] for extent, strides in stack]
    return [(words | along).get(name, 0) for name in FIELDS["product"]] + [word for axis in axes for word in axis]
