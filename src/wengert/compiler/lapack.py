"""Factorisations and triangular solves by the LAPACK and BLAS that SciPy brings, called from native code.

Fortran counts along columns: an array in C order is the transposed matrix there. What a factorisation gives besides
its matrix (the order of the rows, whether it failed) follows the matrix in the same array.
"""

from collections.abc import Callable
from math import prod

from wengert.compiler.graph import Value
from wengert.compiler.libraries import call_library
from wengert.compiler.writer import Writer, Written, scalar_of

__all__ = ["behind_cholesky", "behind_lu", "emit_routine"]


def behind_lu(n: int) -> tuple[int, int, int]:
    """Where in the array of an LU factorisation the sign of the order is, whether it failed, and the length of it."""
    return n * n + n, n * n + n + 1, n * n + n + 2


def behind_cholesky(n: int) -> tuple[int, int]:
    """Where in the array of a Cholesky factorisation stands whether it failed, and the length of it."""
    return n * n, n * n + 1


def emit_routine(v: Value, name: str) -> Written:
    """The text of a launch that calls a routine for each matrix of a stack."""
    routine, *parameters = v.setting
    order = [*v.operands, v]
    w = Writer(name, order)
    batch = v.shape[:-1] if routine in ("lu", "cholesky") else v.shape[:-2]

    def one(at: list[str]) -> None:
        places = []
        for k, o in enumerate(order):
            own = len(o.shape) - (1 if o.kind == "routine" and o.setting[0] in ("lu", "cholesky") else 2)
            places.append(w.address(f"%p{k}", scalar_of(o.dtype), _terms(o, own, at)))
        ROUTINES[routine](w, v, places, *parameters)

    w.nest(list(batch), one)
    return Written(w.text(), order, flops=v.size * v.operands[0].shape[-1])


def _terms(o: Value, own: int, at: list[str]) -> list[tuple[str, int]]:
    """How far the matrix of an operand is along the axes of the stack; it may be the same for all along some."""
    last = at[len(at) - own :] if own else []
    return [(i, prod(o.shape[k + 1 :])) for k, i in enumerate(last) if o.shape[k] != 1]


def _lu(w: Writer, v: Value, places: list[str]) -> None:
    """The factors of the transposed operand, as LAPACK counts it the operand itself."""
    source, target = places
    n, scalar, size = v.operands[0].shape[-1], scalar_of(v.dtype), v.dtype.itemsize
    sign_at, failed_at, _ = behind_lu(n)
    w.copy(target, source, n * n * size)
    pivots = w.address(target, scalar, [], n * n)
    info = w.local("i32", 0)
    call_library(w, "lapack", v.dtype, "getrf", [("i32", n), ("i32", n), target, ("i32", n), pivots, info])
    odd = w.local("i32")
    w.put(f"store i32 0, ptr {odd}")

    def count(i: str) -> None:
        pivot = w.op(f"load i32, ptr {w.address(pivots, 'i32', [(i, 1)])}")
        position = w.op(f"trunc i64 {i} to i32")
        own = w.op(f"add i32 {position}, 1")
        differs = w.op(f"icmp ne i32 {pivot}, {own}")
        moved = w.op(f"zext i1 {differs} to i32")
        before = w.op(f"load i32, ptr {odd}")
        w.put(f"store i32 {w.op(f'xor i32 {before}, {moved}')}, ptr {odd}")

    w.loop(n, count)
    swaps = w.op(f"load i32, ptr {odd}")
    doubled = w.op(f"shl i32 {swaps}, 1")
    number = w.op(f"sitofp i32 {doubled} to {scalar}")
    sign = w.op(f"fsub {scalar} 1.0, {number}")
    w.put(f"store {scalar} {sign}, ptr {w.address(target, scalar, [], sign_at)}")
    _note_failure(w, info, w.address(target, scalar, [], failed_at), scalar)


def _note_failure(w: Writer, info: str, to: str, scalar: str) -> None:
    code = w.op(f"load i32, ptr {info}")
    found = w.op(f"sitofp i32 {code} to {scalar}")
    w.put(f"store {scalar} {found}, ptr {to}")


def _lu_solve(w: Writer, v: Value, places: list[str], transposed: bool) -> None:
    """Right sides and solutions are rows."""
    factors, sides, target = places
    many, n = v.shape[-2:]
    w.copy(target, sides, many * n * v.dtype.itemsize)
    pivots = w.address(factors, scalar_of(v.dtype), [], n * n)
    arguments = [_letter("T" if transposed else "N"), ("i32", n), ("i32", many), factors, ("i32", n), pivots, target,
                 ("i32", n), w.local("i32", 0)]  # fmt: skip
    call_library(w, "lapack", v.dtype, "getrs", arguments)


def _cholesky(w: Writer, v: Value, places: list[str]) -> None:
    """The lower factor in C order, with zeros above: for LAPACK the upper one."""
    source, target = places
    n, scalar, size = v.operands[0].shape[-1], scalar_of(v.dtype), v.dtype.itemsize
    w.copy(target, source, n * n * size)
    info = w.local("i32", 0)
    call_library(w, "lapack", v.dtype, "potrf", [_letter("U"), ("i32", n), target, ("i32", n), info])
    if n > 1:

        def clear(i: str) -> None:
            behind = w.op(f"sub i64 {n - 1}, {i}")
            start = w.address(target, scalar, [(i, n + 1)], 1)
            w.loop(behind, lambda k: w.put(f"store {scalar} 0.0, ptr {w.address(start, scalar, [(k, 1)])}"))

        w.loop(n - 1, clear)
    _note_failure(w, info, w.address(target, scalar, [], behind_cholesky(n)[0]), scalar)


def _triangular(w: Writer, v: Value, places: list[str], lower: bool, transposed: bool, unit: bool) -> None:
    """``x`` of ``a @ x = b``: for BLAS all are transposed, and ``a`` stands on the other side."""
    matrix, sides, target = places
    n, many = v.shape[-2:]
    w.copy(target, sides, many * n * v.dtype.itemsize)
    arguments = [_letter("R"), _letter("U" if lower else "L"), _letter("T" if transposed else "N"),
                 _letter("U" if unit else "N"), ("i32", many), ("i32", n), (scalar_of(v.dtype), "1.0"), matrix,
                 ("i32", n), target, ("i32", many)]  # fmt: skip
    call_library(w, "blas", v.dtype, "trsm", arguments)


def _letter(letter: str) -> tuple[str, int]:
    return "i8", ord(letter)


ROUTINES: dict[str, Callable] = {
    "lu": _lu,
    "lu_solve": _lu_solve,
    "cholesky": _cholesky,
    "triangular": _triangular,
}
