"""Linear algebra: equations, inverses, determinants, by factorisations that are made once for all who need them.

NumPy's errors are checks here: where a factorisation fails, the program is run as it was recorded, which raises.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.graph import Value, is_transposed
from wengert.compiler.lapack import behind_cholesky, behind_lu
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.elementwise import chosen
from wengert.compiler.lowering.shapes import diagonal
from wengert.protocol import Spec

__all__ = ["HANDLERS"]


def _factors(b: Builder, a: Value) -> tuple[Value, bool]:
    """An LU factorisation of a matrix, or of the transposed one if that is there, and whether it is."""
    stored = b.swapped(a)
    if stored.number not in b.factored and a.number in b.factored:
        return b.factored[a.number], True
    found = b.factored.get(stored.number)
    if found is None:
        shape = (*a.shape[:-2], behind_lu(a.shape[-1])[-1])
        found = b.factored[stored.number] = b.graph.make("routine", (stored,), ("lu",), shape, a.dtype)
    return found, False


def _sign_and_failure(b: Builder, factors: Value, n: int) -> tuple[Value, Value]:
    sign, failed, _ = behind_lu(n)
    return b.part(factors, -1, sign), b.map("not_equal", b.part(factors, -1, failed), 0, dtype=np.bool_)


def _regular(b: Builder, a: Value) -> tuple[Value, bool]:
    """The factors of matrices none of which is singular."""
    factors, transposed = _factors(b, a)
    b.check(b.map("logical_not", b.any_of(_sign_and_failure(b, factors, a.shape[-1])[1])))
    return factors, transposed


def _is_square_stack(spec: Spec, *operands: Any) -> bool:
    """Whether these are matrices of the dtype of the result, none of them empty."""
    return all(isinstance(x, Value) and len(x.shape) >= 2 and x.size for x in operands) and spec.dtype.kind == "f"


def _solve(b: Builder, spec: Spec, a: Any, y: Any) -> Value | None:
    if not _is_square_stack(spec, a, y):
        return None
    dtype = spec.dtype
    factors, transposed = _regular(b, b.cast(a, dtype))
    return _solved(b, factors, transposed, b.cast(y, dtype), spec.shape)


def _solved(b: Builder, factors: Value, transposed: bool, y: Value, shape: tuple) -> Value:
    sides = b.swapped(b.graph.broadcast(y, shape))
    found = b.graph.make("routine", (factors, sides), ("lu_solve", transposed), sides.shape, y.dtype)
    return b.swapped(found)


def _inverse(b: Builder, spec: Spec, a: Value) -> Value | None:
    if not _is_square_stack(spec, a):
        return None
    a = b.cast(a, spec.dtype)
    factors, transposed = _regular(b, a)
    return _solved(b, factors, transposed, _identity(b, a), a.shape)


def _identity(b: Builder, a: Value) -> Value:
    rows, columns = (b.counted(a.shape, len(a.shape) + i) for i in (-2, -1))
    return b.cast(b.map("equal", rows, columns, dtype=np.bool_), a.dtype)


def _sign_and_logarithm(b: Builder, a: Value) -> tuple[Value, Value]:
    """Of the determinant: from the diagonal of the upper factor, and how the rows were exchanged."""
    n, ndim = a.shape[-1], len(a.shape)
    factors, _ = _factors(b, a)
    matrix = b.graph.reshape(b.part(factors, -1, slice(0, n * n)), a.shape)
    sign, singular = _sign_and_failure(b, factors, n)
    values = diagonal(b, matrix, ndim - 2, ndim - 1)
    below = b.total(b.cast(b.map("less", values, 0, dtype=np.bool_), np.int64), -1)
    odd = b.map("not_equal", b.map("bitwise_and", below, 1), 0, dtype=np.bool_)
    sign = chosen(b, odd, b.map("negative", sign), sign)
    logarithm = b.total(b.map("log", b.map("absolute", values)), -1)
    return chosen(b, singular, 0, sign), chosen(b, singular, -np.inf, logarithm)


def _determinant(b: Builder, spec: Spec, a: Value) -> Value | None:
    if not _is_square_stack(spec, a):
        return None
    sign, logarithm = _sign_and_logarithm(b, b.cast(a, spec.dtype))
    return b.map("multiply", sign, b.map("exp", logarithm))


def _slogdet(b: Builder, spec: Spec, a: Value) -> Value | None:
    if not _is_square_stack(spec, a):
        return None
    both = _sign_and_logarithm(b, b.cast(a, spec.dtype))
    last = [b.graph.reshape(v, (*v.shape, 1)) for v in both]
    return b.joined(last, len(a.shape) - 2)


def _cholesky(b: Builder, spec: Spec, a: Value) -> Value | None:
    if not _is_square_stack(spec, a):
        return None
    a, n = b.cast(a, spec.dtype), a.shape[-1]
    failed, length = behind_cholesky(n)
    factor = b.graph.make("routine", (a,), ("cholesky",), (*a.shape[:-2], length), a.dtype)
    b.check(b.all_of(b.map("equal", b.part(factor, -1, failed), 0, dtype=np.bool_)))
    return b.graph.reshape(b.part(factor, -1, slice(0, n * n)), a.shape)


def _solve_triangular(
    b: Builder, spec: Spec, a: Any, y: Any, trans: int = 0, lower: bool = False, unit: bool = False
) -> Value | None:
    if not _is_square_stack(spec, a, y) or trans not in (0, 1):
        return None
    dtype, shape = spec.dtype, spec.shape
    a, y = b.cast(a, dtype), b.cast(y, dtype)
    for x in (a, y):
        b.check(b.all_of(b.map("isfinite", x, dtype=np.bool_)))
    if not unit:
        on = diagonal(b, a, len(a.shape) - 2, len(a.shape) - 1)
        b.check(b.all_of(b.map("not_equal", on, 0, dtype=np.bool_)))
    transposed = bool(trans)
    if is_transposed(a):
        a, lower, transposed = b.swapped(a), not lower, not transposed
    setting = ("triangular", bool(lower), transposed, bool(unit))
    return b.graph.make("routine", (a, b.graph.broadcast(y, shape)), setting, shape, dtype)


HANDLERS: dict[str, Callable] = {
    "solve": _solve,
    "linalg.inv": _inverse,
    "linalg.det": _determinant,
    "slogdet": _slogdet,
    "cholesky": _cholesky,
    "scipy.linalg.solve_triangular": _solve_triangular,
}
