"""scipy.linalg: equations and factorisations. What numpy.linalg has as well is expressed by it.

`assume_a`, `lower` and the like say which entries of a matrix are read. The matrix that they stand for is made of
these first (`as_read`), so that the gradient is in the entries that were read, and the rules are those of any matrix.
"""

from typing import Any

import numpy as np
import scipy.linalg as sl

from wengert.primitive import primitive
from wengert.protocol import anywhere, everything
from wengert.rules.elementwise import is_complex
from wengert.rules.equal_values import adjoint, diagonal
from wengert.rules.linalg import transposed
from wengert.rules.scipy_tools import array, double, inexact, plain, primal, refused, twin, undefined, unsupported

linalg = "linalg"


def eye(x: Any) -> Any:
    return np.eye(x.shape[-1], dtype=x.dtype)


def as_given(b: Any, solution: Any) -> Any:
    """A vector if the right side was one."""
    return solution[..., 0] if b.ndim == 1 else solution


def columns(b: Any) -> Any:
    return b[:, None] if b.ndim == 1 else b


def several(a: Any, *results: Any) -> Any:
    """Several results as SciPy gives them: of a batch in a list."""
    return list(results) if a.ndim > 2 else results


# Equations -------------------------------------------------------------------------------------------------------


def hermitian(a: Any, lower: bool, conjugate: bool = True) -> Any:
    """The symmetric or Hermitian matrix of which one triangle is given."""
    half, diagonals = (np.tril(a, -1) if lower else np.triu(a, 1)), np.tril(np.triu(a))
    if conjugate and is_complex(a):
        return half + adjoint(half) + np.real(diagonals)
    return half + transposed(half) + diagonals


def as_read(a: Any, assume: str | None, lower: bool) -> Any:
    """The matrix that the entries which are read stand for."""
    if assume in ("sym", "symmetric"):
        return hermitian(a, lower, conjugate=False)
    if assume in ("her", "hermitian", "pos", "positive definite"):
        return hermitian(a, lower)
    if assume == "diagonal":
        return np.tril(np.triu(a))
    if assume == "tridiagonal":
        return np.tril(np.triu(a, -1), 1)
    if assume in ("upper triangular", "lower triangular"):
        return np.triu(a) if assume[0] == "u" else np.tril(a)
    return a


def _solve(*operands, assume=None):
    if operands[0].shape[-1] == 1:  # SciPy solves no stacks of single equations
        return np.linalg.solve(*operands)
    return sl.solve(*operands, assume_a=assume)


OTHER_TRIANGLE = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def _solve_rule(g, xs, y, assume):
    gb = _solve(transposed(array(xs[0])), g, assume=OTHER_TRIANGLE.get(assume, assume))
    return -gb @ transposed(y), gb


_solve = primitive(_solve, _solve_rule, name="scipy.linalg.solve", broadcasts=True, batch="elementwise")


@twin(sl.solve, linalg)
def solve(a, b, lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None, transposed=False):
    a, b = as_read(inexact(a), assume_a, lower), inexact(b)
    if transposed:
        a, assume_a = a.swapaxes(-1, -2), OTHER_TRIANGLE.get(assume_a, assume_a)
    return as_given(b, _solve(a, columns(b), assume=assume_a))


def _solve_triangular(*operands, trans=0, lower=False, unit=False):
    return sl.solve_triangular(*operands, trans=trans, lower=lower, unit_diagonal=unit)


def _solve_triangular_rule(g, xs, y, trans, lower, unit):
    gb = _solve_triangular(array(xs[0]), g, trans=1 - trans, lower=lower, unit=unit)
    left, right = (-y, transposed(gb)) if trans else (-gb, transposed(y))
    ga = left * right if y.shape[-1] == 1 else left @ right
    return np.tril(ga, -int(unit)) if lower else np.triu(ga, int(unit)), gb


_solve_triangular = primitive(
    _solve_triangular,
    _solve_triangular_rule,
    name="scipy.linalg.solve_triangular",
    broadcasts=True,
    batch="elementwise",
)


@twin(sl.solve_triangular, linalg)
def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True):
    a, b, trans = inexact(a), inexact(b), {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    a, trans = (np.conjugate(a) if is_complex(a) else a, 1) if trans == 2 else (a, trans)
    x = _solve_triangular(a, columns(b), trans=trans, lower=bool(lower), unit=bool(unit_diagonal))
    return as_given(b, x)


@twin(sl.inv, linalg)
def inv(a, overwrite_a=False, check_finite=True, *, assume_a=None, lower=False):
    return np.linalg.inv(as_read(a, assume_a, lower))


@twin(sl.det, linalg)
def det(a, overwrite_a=False, check_finite=True):
    return np.linalg.det(double(a))


def _norm_of_dtype(a, *args, **kwargs):
    """SciPy gives Python numbers for some orders."""
    result = sl.norm(a, *args, **kwargs)
    return (
        np.asarray(a).real.dtype.type(result)
        if isinstance(result, float) and np.asarray(a).dtype.kind in "fc"
        else result
    )


@twin(sl.norm, linalg, _norm_of_dtype)
def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    return np.linalg.norm(a, ord, axis, keepdims)


def _cut(a: Any, atol: Any, rtol: Any, s: Any) -> Any:
    """Below what part of the largest a singular value counts as zero."""
    atol = 0.0 if atol is None else plain(atol)
    unit = max(a.shape[-2:]) * float(np.finfo(s.dtype).eps)
    rtol = plain(rtol) if rtol is not None else unit if not atol else 0.0
    if not atol:
        return rtol
    largest = np.max(s, axis=-1, initial=0)
    return rtol + atol / np.where(largest == 0, 1, largest)


def _inverse_and_rank(a: Any, s: Any, cut: Any, return_rank: bool) -> Any:
    inverse = np.linalg.pinv(a, cut)
    rank = np.sum(s > array(cut)[..., None] * np.max(s, axis=-1, keepdims=True, initial=0), axis=-1)
    return several(a, inverse, rank) if return_rank else inverse


@twin(sl.pinv, linalg)
def pinv(a, *, atol=None, rtol=None, return_rank=False, check_finite=True):
    s = np.linalg.svdvals(primal(a))
    return _inverse_and_rank(a, s, _cut(a, atol, rtol, s), return_rank)


@twin(sl.pinvh, linalg)
def pinvh(a, atol=None, rtol=None, lower=True, return_rank=False, check_finite=True):
    a = hermitian(a, lower)
    s = np.linalg.svdvals(primal(a))
    result = _inverse_and_rank(a, s, _cut(a, atol, rtol, s), return_rank)
    return (result[0], int(result[1])) if return_rank and a.ndim == 2 else result


@twin(sl.lstsq, linalg)
def lstsq(a, b, cond=None, overwrite_a=False, overwrite_b=False, check_finite=True, lapack_driver=None):
    a, b = inexact(a), inexact(b)
    cut = float(np.finfo(np.result_type(a.dtype, b.dtype)).eps) if cond is None else cond
    x, residues, rank, s = np.linalg.lstsq(a, b, cut)
    residues = residues[0] if b.ndim == 1 and residues.shape == (1,) else residues
    return (
        x,
        residues if residues.size else residues.astype(x.dtype),
        int(rank),
        None if lapack_driver == "gelsy" else s,
    )


# Cholesky --------------------------------------------------------------------------------------------------------


@twin(sl.cholesky, linalg)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    return np.linalg.cholesky(a, upper=not lower)


@twin(sl.cho_factor, linalg)
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """In the other triangle SciPy leaves what was there."""
    root = np.linalg.cholesky(a, upper=not lower)
    return several(
        a, root + (np.triu(a, 1) if lower else np.tril(a, -1)), np.full(a.shape[:-2], lower) if a.ndim > 2 else lower
    )


@twin(sl.cho_solve, linalg)
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    (c, lower), b = c_and_lower, inexact(b)
    c, lower = inexact(c), bool(np.all(lower))
    first, second = (0, 2) if lower else (2, 0)
    x = solve_triangular(c, columns(b), first, lower)
    return as_given(b, solve_triangular(c, x, second, lower))


# LU --------------------------------------------------------------------------------------------------------------


def _lu_known(x, packed):
    """Both factors of a square matrix that needs no pivoting, in one, known already."""
    return packed


def _lu_rule(g, y):
    """With X = inv(L) dA inv(U), dL is L times the part of X below the diagonal, dU the rest times U."""
    _refuse_zero_pivots(y)
    below = np.tri(y.shape[-1], k=-1, dtype=bool)
    (lower, upper), (of_lower, of_upper) = _halves(below, y), _halves(below, g)
    # What L has on its diagonal adds the cotangent itself.
    x = of_lower + _half_product(transposed(lower), of_lower, True)
    x = np.where(below, x, _half_product(of_upper, transposed(upper), False))
    x = _solve_triangular(y, x, trans=1, lower=True, unit=True)
    return transposed(_solve_triangular(y, transposed(x)))


def _halves(below: Any, x: Any) -> tuple:
    """What is below the diagonal, and the rest."""
    return np.where(below, x, 0), np.where(below, 0, x)


def _half_product(upper: Any, lower: Any, below: bool) -> Any:
    """One half of the product of two triangular matrices, in a third of the operations (in the other: anything)."""
    n = upper.shape[-1]
    if n < 128:
        return upper @ lower
    a, b = slice(0, n // 2), slice(n // 2, n)
    first = _half_product(upper[..., a, a], lower[..., a, a], below) + upper[..., a, b] @ lower[..., b, a]
    last = _half_product(upper[..., b, b], lower[..., b, b], below)
    beside = upper[..., b, b] @ lower[..., b, a] if below else upper[..., a, b] @ lower[..., b, b]
    nothing = np.zeros_like(transposed(beside))
    corners = [[first, nothing], [beside, last]] if below else [[first, beside], [nothing, last]]
    return np.concatenate([np.concatenate(line, axis=-1) for line in corners], axis=-2)


def _refuse_zero_pivots(y):
    if anywhere(diagonal(primal(y)) == 0):
        raise undefined("lu", "a matrix without pivots of zero", y, "use svd, or add a multiple of the identity")


def _lu_tangent(g, y):
    _refuse_zero_pivots(y)
    lower, upper = np.tril(y, -1) + eye(y), np.triu(y)
    x = _solve_triangular(y, g, lower=True, unit=True)
    x = transposed(_solve_triangular(y, transposed(x), trans=1))
    return np.tril(lower @ np.tril(x, -1), -1) + np.triu(np.triu(x) @ upper)


_lu_known = primitive(_lu_known, _lu_rule, None, name="scipy.linalg.lu", tangents=(_lu_tangent, None), batch="leading")


def _permuted(x, order):
    """Lines of matrices in another order, which holds each number once."""
    if order.ndim == 1:
        return np.take(x, order, axis=-2)
    shape = np.broadcast_shapes(order.shape[:-1], x.shape[:-2])
    x = np.broadcast_to(x, (*shape, *x.shape[-2:]))
    return np.take_along_axis(x, np.broadcast_to(order, (*shape, order.shape[-1]))[..., None], axis=-2)


permuted = primitive(
    _permuted,
    lambda g, order: permuted(g, np.argsort(order, axis=-1)),
    None,
    name="scipy.linalg.lu, permuted",
    tangents=(lambda g, order: permuted(g, order), None),
    batch="leading",
    broadcasts=True,
)


def _pivoted(x):
    """Row numbers p with A = L[p] U, behind both factors of the square part, in one array."""
    p, left, right = sl.lu(x, p_indices=True)
    k = min(x.shape[-2:])
    known = np.tril(left[..., :k, :], -1) + right[..., :, :k]
    return np.concatenate([known.reshape(*x.shape[:-2], k * k), p], axis=-1, dtype=known.dtype, casting="unsafe")


_pivoted = primitive(_pivoted, None, name="scipy.linalg.lu, pivots", batch="leading")
_pivots = primitive(lambda x: sl.lu_factor(x)[1], None, name="scipy.linalg.lu_factor", batch="leading")
_column_order = primitive(
    lambda x: sl.qr(x, mode="r", pivoting=True)[-1], None, name="scipy.linalg.qr", batch="leading"
)


def _packed(a: Any) -> tuple:
    """Row numbers p with A = L[p] U, both factors of the square part in one, and the parts below and beside it."""
    (m, n), k = a.shape[-2:], min(a.shape[-2:])
    packed = _pivoted(primal(a))
    known, p = np.reshape(packed[..., : k * k], (*a.shape[:-2], k, k)), np.real(packed[..., k * k :]).astype(np.intc)
    rows = permuted(a, np.argsort(p, axis=-1))
    packed = _lu_known(rows[..., :k, :k], known)
    below = beside = None
    if m > n:
        _refuse_zero_pivots(packed)
        below = transposed(_solve_triangular(packed, transposed(rows[..., k:, :]), trans=1))
    if n > m:
        beside = _solve_triangular(packed, rows[..., k:], lower=True, unit=True)
    return p, packed, below, beside


@twin(sl.lu, linalg)
def lu(a, permute_l=False, overwrite_a=False, check_finite=True, p_indices=False):
    a = inexact(a)
    if not min(a.shape[-2:]):
        return sl.lu(plain(a), permute_l=permute_l, p_indices=p_indices)
    p, packed, below, beside = _packed(a)
    lower, upper = _halves(np.tri(packed.shape[-1], k=-1, dtype=bool), packed)
    lower = lower + eye(packed)
    lower = lower if below is None else np.concatenate([lower, below], axis=-2)
    upper = upper if beside is None else np.concatenate([upper, beside], axis=-1)
    if permute_l:
        return permuted(lower, p), upper
    matrix = p if p_indices else (p[..., :, None] == np.arange(a.shape[-2])).astype(np.finfo(a.dtype).dtype)
    return matrix, lower, upper


@twin(sl.lu_factor, linalg)
def lu_factor(a, overwrite_a=False, check_finite=True):
    a = inexact(a)
    if not min(a.shape[-2:]):
        return sl.lu_factor(plain(a))
    pivots = _pivots(primal(a))
    _, packed, below, beside = _packed(a)
    parts = [packed, *(part for part in (below, beside) if part is not None)]
    whole = np.concatenate(parts, axis=-1 if below is None else -2) if len(parts) > 1 else packed
    return several(a, whole, pivots)


@twin(sl.lu_solve, linalg)
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    packed, pivots = inexact(lu_and_piv[0]), primal(lu_and_piv[1])
    b, order = inexact(b), _order(pivots)
    if trans:
        x = solve_triangular(packed, columns(b), trans)
        x = solve_triangular(packed, x, trans, lower=True, unit_diagonal=True)
        return as_given(b, permuted(x, np.argsort(order, axis=-1)))
    x = _solve_triangular(packed, permuted(columns(b), order), lower=True, unit=True)
    return as_given(b, _solve_triangular(packed, x))


def _order(pivots):
    """The order of rows that a sequence of exchanges leads to."""
    order = np.broadcast_to(np.arange(pivots.shape[-1]), pivots.shape).copy()
    for lines, exchanges in zip(order.reshape(-1, order.shape[-1]), pivots.reshape(-1, order.shape[-1]), strict=True):
        for i, j in enumerate(exchanges):
            lines[[i, j]] = lines[[j, i]]
    return order


_order = primitive(_order, None, name="scipy.linalg.lu_solve", batch="leading")


# QR, singular values ---------------------------------------------------------------------------------------------


@twin(sl.qr, linalg)
def qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    if mode == "raw":
        raise unsupported("qr", "mode", mode, "'full', 'r' or 'economic'", a)
    a = inexact(a)
    order = (_column_order(primal(a)),) if pivoting else ()
    if pivoting:
        shape = (*a.shape[:-2], 1, a.shape[-1])
        a = np.take_along_axis(a, np.reshape(order[0], shape), axis=-1)
    if mode == "r":
        r = np.linalg.qr(a, mode="r")
        below = np.zeros((*a.shape[:-2], max(0, a.shape[-2] - r.shape[-2]), a.shape[-1]), r.dtype)
        return several(a, np.concatenate([r, below], axis=-2), *order)
    return several(a, *np.linalg.qr(a, mode="complete" if mode == "full" else "reduced"), *order)


@twin(sl.svd, linalg)
def svd(a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True, lapack_driver="gesdd"):
    if not compute_uv:
        return np.linalg.svdvals(a)
    return several(a, *np.linalg.svd(a, full_matrices=full_matrices))


@twin(sl.svdvals, linalg)
def svdvals(a, overwrite_a=False, check_finite=True):
    return np.linalg.svdvals(a)


def _rank_of(s: Any, shape: tuple, rcond: Any) -> int:
    s = primal(s)
    unit = np.finfo(s.dtype).eps * max(shape[-2:]) if rcond is None else rcond
    rank = np.max(np.sum(s > unit * np.max(s, axis=-1, keepdims=True, initial=0), axis=-1), initial=0)
    ranks = np.unique(everything(rank))
    return int(ranks[0]) if len(ranks) == 1 else int(plain(rank))  # examples of several shapes are refused


@twin(sl.null_space, linalg)
def null_space(A, rcond=None, *, overwrite_a=False, check_finite=True, lapack_driver="gesdd"):
    """Any basis: for losses that do not depend on which there is a gradient, others are refused."""
    _, s, vh = np.linalg.svd(A, full_matrices=True)
    return adjoint(vh[..., _rank_of(s, A.shape, rcond) :, :])


@twin(sl.orth, linalg)
def orth(A, rcond=None):
    u, s, _ = np.linalg.svd(A, full_matrices=False)
    return u[..., : _rank_of(s, A.shape, rcond)]


# Without a derivative --------------------------------------------------------------------------------------------

_FREE = "the signs and phases of its vectors are LAPACK's choice; use eig, svd, or a matrix function (expm, sqrtm)"
schur = refused(sl.schur, linalg, f"the decomposition is not unique: {_FREE}")
hessenberg = refused(sl.hessenberg, linalg, f"the decomposition is not unique: {_FREE}")
qz = refused(sl.qz, linalg, f"the decomposition is not unique: {_FREE}")
cossin = refused(sl.cossin, linalg, f"the decomposition is not unique: {_FREE}")
matrix_balance = refused(sl.matrix_balance, linalg, "it scales by powers of two, which jump")
