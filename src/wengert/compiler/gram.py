"""A matrix times its own transpose: BLAS computes one half of it (`syrk`), the other one is the same."""

from wengert.compiler.graph import Value
from wengert.compiler.libraries import call_library
from wengert.compiler.writer import Writer, scalar_of

__all__ = ["LEAST", "gram_text"]

LEAST = 64
"""Rows and columns from which on half of them are computed in less time than all of them by one call."""
TOGETHER = 8
"""Columns of which a line is put into its row at once: what fits into a line of the cache."""


def gram_text(name: str, v: Value, source: Value, along: int, turned: bool, lead: int, length: int) -> str:
    """The text of a function for columns ``%begin`` to ``%end`` from the diagonal on, and the rows equal to them.

    Parameters
    ----------
    name : str
        What the function is called.
    v, source : Value
        The symmetric matrix, and what it is made of; the function takes pointers to `source` and `v`. Columns are
        counted as BLAS does.
    along : int
        Elements of `source` from one column to the next of what is multiplied with itself.
    turned : bool
        Whether BLAS takes the matrix transposed.
    lead, length : int
        The distance of its lines, and how many numbers are multiplied for each element of `v`.
    """
    w = Writer(name, [source, v])
    n, scalar, dtype = v.shape[-1], scalar_of(v.dtype), v.dtype
    width, below = w.op("sub i64 %end, %begin"), w.op(f"sub i64 {n}, %end")
    sizes = [w.local("i32"), w.local("i32")]
    for at, size in zip(sizes, (below, width), strict=True):
        w.put(f"store i32 {w.op(f'trunc i64 {size} to i32')}, ptr {at}")
    flag, other = (("i8", ord(x)) for x in ("TN" if turned else "NT"))
    own, others = (w.address("%p0", scalar, [(x, along)]) for x in ("%begin", "%end"))
    square, rectangle = (w.address("%p1", scalar, [("%begin", n), (x, 1)]) for x in ("%begin", "%end"))
    one, zero, k, lda, ldc = (scalar, "1.0"), (scalar, "0.0"), ("i32", length), ("i32", lead), ("i32", n)
    syrk = [("i8", ord("L")), flag, sizes[1], k, one, own, lda, zero, square, ldc]
    gemm = [flag, other, *sizes, k, one, others, lda, own, lda, zero, rectangle, ldc]  # of nothing, at the end
    call_library(w, "blas", dtype, "syrk", syrk)
    call_library(w, "blas", dtype, "gemm", gemm)
    w.loop("%end", lambda first: _mirror(w, scalar, n, first), TOGETHER, first="%begin")
    return w.text()


def _mirror(w: Writer, scalar: str, n: int, first: str) -> None:
    """Put some columns below the diagonal into their rows, line by line."""
    after = w.op(f"add i64 {first}, {TOGETHER}")
    last = w.op(f"call i64 @llvm.umin.i64(i64 {after}, i64 %end)")

    def line(i: str) -> None:
        def copy(j: str) -> None:
            x = w.op(f"load {scalar}, ptr {w.address('%p1', scalar, [(j, n), (i, 1)])}")
            w.put(f"store {scalar} {x}, ptr {w.address('%p1', scalar, [(i, n), (j, 1)])}")

        behind = w.op(f"add i64 {i}, 1")
        w.loop(w.op(f"call i64 @llvm.umin.i64(i64 {behind}, i64 {last})"), copy, first=first)

    w.loop(n, line, first=first)
