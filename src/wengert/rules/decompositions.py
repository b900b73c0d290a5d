"""Decompositions of matrices: eigenvalues and eigenvectors, singular values and vectors, QR.

The results of a decomposition are packed into one array, so that it is one primitive and its rule sees the cotangents
of all of them together. The last place of the cotangent says whether vectors were used at all: `_vectors`, which takes
them out of the array, puts a 1 there on the way back. What happens at equal eigenvalues: `equal_values`.
"""

import math
from typing import Any

import numpy as np
from numpy.linalg._linalg import EighResult, EigResult, QRResult, SVDResult

from wengert.errors import ArgumentError, GradientError
from wengert.primitive import composite, primitive
from wengert.protocol import anywhere, constant
from wengert.rules.elementwise import is_complex
from wengert.rules.equal_values import (
    EQUAL,
    adjoint,
    any_pair,
    clusters,
    diagonal,
    generic,
    is_differentiated,
    largest,
    refuse,
    shared,
    skew,
    spectral,
    tolerance,
)

# Matrices --------------------------------------------------------------------------------------------------------


def onto_triangle(h: Any, lower: bool = True) -> Any:
    """The cotangent of a Hermitian matrix of which only one triangle is read."""
    return np.tril(h) + np.tril(h, -1) if lower else np.triu(h) + np.triu(h, 1)


# Packing ---------------------------------------------------------------------------------------------------------


def _pack(*parts: Any, batch: int) -> Any:
    """Arrays side by side in one, along its last axis, and a place for the mark."""
    head = parts[0].shape[:batch]
    flat = [p.reshape((*head, math.prod(p.shape[batch:]))) for p in parts]
    return np.concatenate([*flat, np.zeros((*head, 1), parts[0].dtype)], axis=-1)


def _unpack(packed: Any, *shapes: tuple[int, ...]) -> list:
    parts, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(packed[..., start:stop].reshape((*packed.shape[:-1], *shape)))
        start = stop
    return parts


def _vectors(x):
    return np.array(x[..., :-1])


def _vectors_tangent(g):
    if anywhere(constant(g)[..., -1] != 0):
        raise GradientError(
            f"[linalg] a matrix and a tangent that determine how the vectors turn were required: with values apart, or "
            f"turning none that belong to equal ones, or to zero; received vectors {g.shape}, dtype {g.dtype}; use a "
            f"function of the values alone, reverse mode (wg.grad, wg.vjp), or move the values apart"
        )
    return _vectors(g)


_vectors = primitive(
    _vectors,
    lambda g: np.concatenate([g, np.ones_like(g, shape=(*g.shape[:-1], 1))], axis=-1),
    tangents=(_vectors_tangent,),
    batch="leading",
)


def _results(y: Any, n: int, *shapes: tuple[int, ...]) -> list:
    """The `n` values and the vectors in a decomposition, as a program takes them out."""
    return [_values(y, n), *_unpack(_vectors(y[..., n:]), *shapes)]


def _values(packed: Any, n: int) -> Any:
    """Real, however complex the vectors are."""
    return np.real(packed[..., :n]) if is_complex(packed) else packed[..., :n]


def _marked(g: Any) -> bool:
    return anywhere(constant(g)[..., -1] != 0)


# Tangents --------------------------------------------------------------------------------------------------------
# The last place says here that some vectors may turn in any way, or in none that is known: `_vectors` refuses them.


def hermitian(x: Any) -> Any:
    """The Hermitian matrix with the lower triangle of `x`."""
    return np.tril(x, -1) + adjoint(np.tril(x, -1)) + np.real(x) * np.eye(x.shape[-1], dtype=x.dtype)


def _pack_tangent(lost: Any, *parts: Any, batch: int) -> Any:
    packed = _pack(*parts, batch=batch)
    return np.concatenate([packed[..., :-1], np.astype(lost, packed.dtype)[..., None]], axis=-1)


def _turn(values: Any, p: Any, same: Any) -> Any:
    """How vectors turn that see the Hermitian `p`: not at all among equal values."""
    gap = values[..., None, :] - values[..., :, None]
    return np.where(same, 0, p / np.where(same, 1, gap))


def _equal_tangents(h: Any, p: Any, same: Any) -> tuple[Any, Any]:
    """Tangents of values, shared evenly by equal ones, and whether these would have parted."""
    if not any_pair(same):
        return h, np.zeros(h.shape[:-1], bool)
    h = np.sum(np.where(same, h[..., None, :], 0), axis=-1) / np.sum(same, axis=-1)
    rest = np.where(same, constant(p) - constant(h)[..., None] * np.eye(h.shape[-1]), 0)
    parted = largest(rest, 2) > tolerance(rest) * largest(constant(p), 2)
    return h, parted[..., 0, 0]


# Hermitian matrices ----------------------------------------------------------------------------------------------


def _eigh(x, lower=True):
    w, v = np.linalg.eigh(x, "L" if lower else "U")
    return _pack(w, v, batch=x.ndim - 2)


def _eigh_rule(g, y, like, lower):
    """The gradient is in the triangle that was read."""
    n = like.shape[-1]
    (w, v), h, gv = _results(y, n, (n, n)), _values(g, n), _unpack(g[..., n:], (n, n))[0]
    same = clusters(constant(w))
    if _marked(g):
        x = v @ spectral("linalg.eigh", w, h, adjoint(v) @ gv, same) @ adjoint(v)
    else:
        v = generic(v, same) if is_differentiated(y) else v
        x = (v * (shared(w, h, same) if any_pair(same) else h)[..., None, :]) @ adjoint(v)
    return onto_triangle(x, lower)


def _eigh_tangent(g, y, like, lower):
    n = like.shape[-1]
    w, v = _results(y, n, (n, n))
    p, same = adjoint(v) @ hermitian(g if lower else adjoint(g)) @ v, clusters(constant(w))
    h, parted = _equal_tangents(np.real(diagonal(p)), p, same)
    return _pack_tangent(parted, h, v @ _turn(w, p, same), batch=like.ndim - 2)


_eigh = primitive(_eigh, _eigh_rule, holomorphic=False, tangents=(_eigh_tangent,), batch="leading")


def _lower(UPLO):
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return UPLO.upper() == "L"


@composite(np.linalg.eigh, numpys=True)
def eigh(a, UPLO="L"):
    return EighResult(*_results(_eigh(a, lower=_lower(UPLO)), a.shape[-1], a.shape[-2:]))


@composite(np.linalg.eigvalsh, numpys=True)
def eigvalsh(a, UPLO="L"):
    return _values(_eigh(a, lower=_lower(UPLO)), a.shape[-1])


# Singular values -------------------------------------------------------------------------------------------------


def _svd(x, full=False):
    u, s, vh = np.linalg.svd(x, full_matrices=full)
    return _pack(s, u, vh, batch=x.ndim - 2)


def _svd_shapes(shape, full):
    (m, n), k = shape[-2:], min(shape[-2:])
    return (m, m if full else k), (n if full else k, n)


def _svd_rule(g, y, like, full):
    (m, n), k = like.shape[-2:], min(like.shape[-2:])
    shapes = _svd_shapes(like.shape, full)
    (s, u, vh), h, (gu, gvh) = _results(y, k, *shapes), _values(g, k), _unpack(g[..., k:], *shapes)
    values = constant(s)
    zero = values <= max(m, n) * np.finfo(s.dtype).eps * largest(values)
    # All zeros are one space, apart from the others, however near those are.
    same = clusters(values) & (zero[..., :, None] == zero[..., None, :]) | zero[..., :, None] & zero[..., None, :]
    if not _marked(g):
        h = _without_kinks(s, h, zero) if anywhere(zero) else h
        h = shared(s, h, same) if any_pair(same) else h
        u, v = u[..., :k], adjoint(vh[..., :k, :])
        u, v = (generic(u, same), generic(v, same)) if is_differentiated(y) else (u, v)
        return (u * h[..., None, :]) @ adjoint(v)
    gu = _complement_turned_in("linalg.svd", u, gu, k)
    gv = _complement_turned_in("linalg.svd", adjoint(vh), adjoint(gvh), k)
    u, v = u[..., :k], adjoint(vh)[..., :k]
    mu, mv = adjoint(u) @ gu, adjoint(v) @ gv
    null = zero[..., :, None] & zero[..., None, :]
    outside_u = gu - u @ mu if m > k else None
    outside_v = gv - v @ mv if n > k else None
    if anywhere(zero):
        _check_null_space(values, h, (mu, mv), (outside_u, outside_v), zero)
    total = s[..., :, None] + s[..., None, :]
    x = spectral("linalg.svd", s, h, mu + mv, same)
    x = x + np.where(null, 0, skew(mu - mv) / np.where(null, 1, total))
    inverse = np.where(zero, 0, 1 / np.where(zero, 1, s))[..., None, :]
    left = u @ x
    left = left if outside_u is None else left + outside_u * inverse
    product = left @ adjoint(v)
    return product if outside_v is None else product + (u * inverse) @ adjoint(outside_v)


def _svd_tangent(g, y, like, full):
    """With P = U^H dA V, of which U and V turn by the Hermitian part together, and against each other by the rest."""
    (m, n), k = like.shape[-2:], min(like.shape[-2:])
    s, u, vh = _results(y, k, *_svd_shapes(like.shape, full))
    v, plain = adjoint(vh), constant(s)
    zero, same = plain <= max(m, n) * np.finfo(s.dtype).eps * largest(plain), clusters(plain)
    p = adjoint(u[..., :k]) @ g @ v[..., :k]
    together = 0.5 * (p + adjoint(p))
    h, parted = _equal_tangents(np.real(diagonal(p)), together, same)
    h, lost = np.where(zero, 0, h), np.logical_or(parted, np.any(zero, axis=-1))
    s = np.where(zero, 1, s)
    turn, against = _turn(s, together, same), skew(p) / (s[..., :, None] + s[..., None, :])
    du = _turned(u, turn + against, g @ v[..., :k], s)
    dv = _turned(v, turn - against, adjoint(g) @ u[..., :k], s)
    return _pack_tangent(lost, h, du, adjoint(dv), batch=like.ndim - 2)


def _turned(u, turn, image, s):
    """Tangents of orthonormal columns: what turns them among themselves, and what leads out of their space."""
    k = turn.shape[-1]
    first = u[..., :k]
    if u.shape[-1] == k < u.shape[-2]:
        return first @ turn + (image - first @ (adjoint(first) @ image)) / s[..., None, :]
    if u.shape[-1] == k:
        return first @ turn
    rest = u[..., k:]
    out = (adjoint(rest) @ image) / s[..., None, :]
    return np.concatenate([first @ turn + rest @ out, -first @ adjoint(out)], axis=-1)


_svd = primitive(_svd, _svd_rule, holomorphic=False, tangents=(_svd_tangent,), batch="leading")


def _complement_turned_in(name, u, gu, k):
    """The cotangent of the first `k` columns, with what the columns that complete a basis add to it.

    A change of the others is only that which keeps them orthogonal to the first, if their basis does not matter.
    """
    if u.shape[-1] == k:
        return gu
    first, rest, g_rest = u[..., :k], u[..., k:], gu[..., k:]
    turn = np.abs(constant(skew(adjoint(rest) @ g_rest)))
    if anywhere(turn > tolerance(turn) * largest(constant(gu), 2) + 100 * np.finfo(turn.dtype).eps):
        raise GradientError(
            f"[{name}] a loss that does not depend on how the first {k} columns are completed to a basis was required; "
            f"received one that changes with it, for columns of shape {u.shape}, dtype {u.dtype}; use the projector on "
            f"all others, or no more than the first (full_matrices=False, mode='reduced')"
        )
    return gu[..., :k] - rest @ (adjoint(g_rest) @ first)


def _without_kinks(s, h, zero):
    """Singular values of zero have the derivative 0, as abs has, where the loss feels their sign."""
    values, plain = constant(s), constant(h)
    size = np.abs(plain * values)
    felt = np.abs(plain) > tolerance(s) * largest(plain)
    others = largest(np.where(zero, 0, size))
    kink = zero & felt & (size <= tolerance(s) * np.where(others == 0, 1, others))
    refuse("linalg.svd", values, zero & ~np.isfinite(plain), "a loss with a finite derivative", "add a small number")
    return np.where(kink, 0, h) if anywhere(kink) else h


def _check_null_space(values, h, inside, outside, zero):
    """The vectors of singular value zero are any basis of two spaces: refuse losses that depend on which."""
    small = tolerance(values)
    inside, h = [constant(m) for m in inside], np.abs(constant(h))
    size = np.maximum(*(largest(m, 2)[..., 0] for m in inside))
    h_limit = small * (largest(h) + size / np.maximum(largest(values), np.finfo(values.dtype).tiny))
    limit = small * (size + largest(h) * largest(values)) + 100 * np.finfo(values.dtype).eps
    guilty = zero & (h > h_limit)
    null = zero[..., :, None] & zero[..., None, :]
    for m in inside:
        guilty = guilty | np.any(null & (np.abs(skew(m)) > limit[..., None]), axis=-1)
    for part in outside:
        if part is not None:
            guilty = guilty | zero & (np.max(np.abs(constant(part)), axis=-2, initial=0) > limit)
    what = "a loss that does not depend on the singular vectors of zeros"
    refuse("linalg.svd", values, guilty, what, "use svdvals, pinv, or singular vectors of the other values only")


@composite(np.linalg.svd, numpys=True)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if hermitian:
        return _svd_hermitian(a, compute_uv)
    if not compute_uv:
        return np.linalg.svdvals(a)
    s, u, vh = _results(_svd(a, full=bool(full_matrices)), min(a.shape[-2:]), *_svd_shapes(a.shape, full_matrices))
    return SVDResult(u, s, vh)


def _svd_hermitian(a, compute_uv):
    """Singular values are the sizes of eigenvalues; V takes their signs."""
    if not compute_uv:
        return np.flip(np.sort(np.abs(np.linalg.eigvalsh(a)), axis=-1), -1)
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(constant(w)), axis=-1)[..., ::-1]
    w, u = np.take_along_axis(w, order, -1), np.take_along_axis(v, order[..., None, :], -1)
    return SVDResult(u, np.abs(w), adjoint(u * np.sign(constant(w))[..., None, :]))


@composite(np.linalg.svdvals, numpys=True)
def svdvals(x, /):
    return _values(_svd(x), min(x.shape[-2:]))


# Any square matrix -----------------------------------------------------------------------------------------------


def _eig(x):
    w, v = np.linalg.eig(x)
    return _pack(w, v, batch=x.ndim - 2)


def _eig_rule(g, x, y, like):
    """Columns of V have length 1 and, as LAPACK leaves them, a real largest element."""
    n = like.shape[-1]
    w, v = y[..., :n], np.reshape(_vectors(y[..., n:]), like.shape)
    h, gv = g[..., :n], _unpack(g[..., n:], (n, n))[0]
    same = _eig_clusters(constant(x), constant(w), constant(v))
    inverse = np.linalg.inv(v)
    used, p = _marked(g), h[..., :, None] * np.eye(n, dtype=w.dtype)
    if used:
        m = adjoint(v) @ _without_scaling(v, gv)
        gap = w[..., None, :] - w[..., :, None]
        p = p + np.where(same, 0, m / np.conjugate(np.where(same, 1, gap)))
    if any_pair(same):
        _check_eig(constant(w), constant(h), constant(m) if used else None, same)
    return adjoint(inverse) @ (p @ adjoint(v))


_eig = primitive(_eig, _eig_rule, holomorphic=False, batch="leading")


def _eig_clusters(x, w, v):
    """Which eigenvalues are equal, as far as rounding lets them differ; those of defective matrices raise.

    Rounding moves an eigenvalue by its condition number, which is the length of the left eigenvector, times that of
    the matrix (Golub and Van Loan, "Matrix Computations", 7.2.2).
    """
    eps = np.finfo(w.dtype).eps
    try:
        condition = np.sqrt(np.sum(np.abs(np.linalg.inv(v)) ** 2, axis=-1))
    except np.linalg.LinAlgError:
        condition = np.full(w.shape, 1 / eps)
    reach = EQUAL * eps * np.minimum(condition, 1 / eps) * largest(x, 2)[..., 0]
    gap = np.abs(w[..., :, None] - w[..., None, :])
    same = gap <= np.minimum(reach[..., :, None], reach[..., None, :])
    crowded = np.sum(same, axis=-1) > 1
    defective = crowded & (condition > 0.01 / np.sqrt(eps))
    what = "a matrix with a basis of eigenvectors"
    refuse("linalg.eig", w, defective, what, "they are equal and their eigenvectors parallel: no derivative exists")
    return same


def _without_scaling(v, gv):
    """The cotangent of eigenvectors of any length and phase, of which `v` are normalised."""
    m = np.sum(np.conjugate(v) * gv, axis=-2, keepdims=True)
    gv = gv - v * np.real(m)
    if not is_complex(v) or not v.size:
        return gv
    size, turn = np.abs(constant(v)), np.imag(m)
    longest = np.max(size, axis=-2, keepdims=True, initial=0)
    first = np.arange(v.shape[-2])[:, None] == np.argmax(size, axis=-2)[..., None, :]
    tie = np.sum(size > (1 - 1e-6) * longest, axis=-2, keepdims=True) > 1
    tied = tie & (np.abs(constant(turn)) > tolerance(v) * largest(constant(gv), 2))
    if anywhere(tied):
        raise GradientError(
            f"[linalg.eig] a loss that does not depend on the phase of complex eigenvectors was required, as in some "
            f"the largest element, which is made real, is not the only one of its size; received one that does, at "
            f"eigenvectors of shape {v.shape}; use products in which the phase is lost, as v * conj(v)"
        )
    return gv - 1j * np.where(first, turn / np.where(first, np.real(v), 1), 0)


def _check_eig(w, h, m, same):
    """At equal eigenvalues only their sum has a derivative, and only together they have eigenvectors."""
    many = np.sum(same, axis=-1) > 1
    mean = np.sum(np.where(same, h[..., None, :], 0), axis=-1) / np.sum(same, axis=-1)
    limit = tolerance(w) * largest(h)
    if m is None:
        guilty = many & (np.abs(h - mean) > limit)
    else:
        pairs = same & ~np.eye(w.shape[-1], dtype=bool)
        size = tolerance(w) * largest(m, 2)
        limit = limit + size[..., 0] / np.maximum(largest(w), np.finfo(w.dtype).tiny)
        guilty = many & (np.abs(h) > limit) | np.any(pairs & (np.abs(m) > size), axis=-1)
    what = "a loss whose cotangents determine the gradient at equal eigenvalues"
    refuse("linalg.eig", w, guilty, what, "use a symmetric function of eigvals, eigh for Hermitian matrices, or solve")


@composite(np.linalg.eig)
def eig(a):
    packed, n = _eig(a), a.shape[-1]
    return EigResult(packed[..., :n], np.reshape(_vectors(packed[..., n:]), a.shape))


@composite(np.linalg.eigvals)
def eigvals(a):
    return _eig(a)[..., : a.shape[-1]]


# QR --------------------------------------------------------------------------------------------------------------


def _qr(x, complete=False):
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    return _pack(q, r, batch=x.ndim - 2)


def _qr_shapes(shape, complete):
    m, n = shape[-2:]
    k = m if complete else min(m, n)
    return (m, k), (k, n)


def _qr_rule(g, y, like, complete):
    """Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2018; the diagonal of R is real.

    Of a wide matrix (A1, A2) = Q (R1, R2), R1 and Q come from A1 and R2 = Q^H A2.
    """
    k = min(like.shape[-2:])
    (q, r), (gq, gr) = (_unpack(part, *_qr_shapes(like.shape, complete)) for part in (y, g))
    gq, q, r, gr = _complement_turned_in("linalg.qr", q, gq, k), q[..., :k], r[..., :k, :], gr[..., :k, :]
    first, g_first = r[..., :k], gr[..., :k]
    _check_rank(constant(first))
    wide = like.shape[-1] > k
    if wide:
        gq = gq + q @ (r[..., k:] @ adjoint(gr[..., k:]))
    w = adjoint(q) @ gq - g_first @ adjoint(first)
    upper = np.triu(w, 1)
    hermitian = upper + adjoint(upper) + np.real(diagonal(w))[..., None, :] * np.eye(k, dtype=first.dtype)
    c = adjoint(np.linalg.solve(first, adjoint(gq - q @ hermitian)))
    return np.concatenate([c, q @ gr[..., k:]], axis=-1) if wide else c


def _check_rank(r):
    size = np.abs(diagonal(r))
    what = "a matrix whose first columns are independent (the diagonal of R not zero)"
    zero = size <= EQUAL * r.shape[-1] * np.finfo(r.dtype).eps * largest(size)
    refuse("linalg.qr", size, zero, what, "R has no derivative there; use svd or pinv")


def _qr_tangent(g, y, like, complete):
    """Q turns by the part below the diagonal of Q^H dA R^-1, which R, being triangular, cannot have."""
    k = min(like.shape[-2:])
    q, r = _unpack(y, *_qr_shapes(like.shape, complete))
    first, triangle = q[..., :k], r[..., :k, :k]
    _check_rank(constant(triangle))
    image = adjoint(np.linalg.solve(adjoint(triangle), adjoint(g[..., :k])))
    p = adjoint(first) @ image
    below = np.tril(p, -1)
    turn = below - adjoint(below)
    if is_complex(p):
        turn = turn + 1j * np.imag(p) * np.eye(k)
    dq = _turned(q, turn, image, np.ones_like(p[..., 0]))
    dr = np.concatenate([(p - turn) @ triangle, adjoint(first) @ g[..., k:] - turn @ r[..., :k, k:]], axis=-1)
    dr = np.concatenate([dr, np.zeros_like(r[..., k:, :])], axis=-2)
    return _pack_tangent(np.zeros(like.shape[:-2]), dq, dr, batch=like.ndim - 2)


_qr = primitive(_qr, _qr_rule, holomorphic=False, tangents=(_qr_tangent,), batch="leading")


@composite(np.linalg.qr, numpys=True)
def qr(a, mode="reduced"):
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(
            f"[linalg.qr] mode 'reduced', 'complete' or 'r' was required; received {mode!r} for shape {a.shape}, dtype "
            f"{a.dtype}; call it on t.detach() where no gradient should flow"
        )
    q, r = _unpack(_qr(a, complete=mode == "complete"), *_qr_shapes(a.shape, mode == "complete"))
    return r if mode == "r" else QRResult(q, r)
