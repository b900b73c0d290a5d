"""Linear algebra: equations, inverses, determinants, powers, and what is made of the decompositions."""

import itertools
from typing import Any

import numpy as np
from numpy.linalg._linalg import SlogdetResult

from wengert.errors import GradientError
from wengert.primitive import composite, is_wrapper, primitive, without_gradient
from wengert.protocol import anywhere, constant, everything, innermost, is_recorded, lying
from wengert.rules.decompositions import hermitian as lower_hermitian
from wengert.rules.decompositions import onto_triangle
from wengert.rules.elementwise import is_complex
from wengert.rules.equal_values import adjoint, diagonal
from wengert.rules.products import _array as array
from wengert.rules.products import _axis_last as axis_last
from wengert.rules.reductions import UNSET, normal_axes

without_gradient(np.linalg.matrix_rank)


def transposed(x: Any) -> Any:
    return x.swapaxes(-1, -2)


# Equations -------------------------------------------------------------------------------------------------------


def _solve(*operands):
    return np.linalg.solve(*operands)


def _solve_rule(g, xs, y):
    """Both cotangents at once: that of the matrix is made of that of the right side."""
    gb = np.linalg.solve(transposed(array(xs[0])), g)
    return -gb @ transposed(y), gb


def _same_ndim(xs):
    """Stacks of matrices with equally many axes: those of the batch in front, then as many more as needed."""
    ndim = max(x.ndim for x in xs)
    return [np.reshape(x, (x.shape[0], *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in xs]


_solve = primitive(
    _solve,
    _solve_rule,
    broadcasts=True,
    tangents=(lambda g, i, xs, y: _solve(xs[0], g if i else -array(g) @ y),),
    batch=lambda xs: _solve(*_same_ndim(xs)),
)


@composite(np.linalg.solve)
def solve(a, b):
    a, b = array(a), array(b)
    return _solve(a, b[:, None])[..., 0] if b.ndim == 1 else _solve(a, b)


@composite(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    a, b = array(a), array(b)
    if axes is not None:
        order = list(range(a.ndim))
        for i in axes:
            order.remove(i)
            order.append(i)
        a = np.transpose(a, order)
    shape = a.shape[-(a.ndim - b.ndim) :]
    n = int(np.prod(shape))
    if a.size != n**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement             prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.ravel(b)), shape)


primitive(
    np.linalg.inv,
    lambda g, y: -transposed(y) @ g @ transposed(y),
    tangents=(lambda g, y: -y @ g @ y,),
    batch="leading",
)


@composite(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    n = int(np.prod(a.shape[ind:]))
    return np.reshape(np.linalg.inv(np.reshape(a, (n, -1))), a.shape[ind:] + a.shape[:ind])


@composite(np.linalg.matrix_power)
def matrix_power(a, n):
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    n = int(innermost(n)) if is_wrapper(n) else int(np.asarray(n)) if n == int(n) else n.__index__()
    a, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    if not n:
        return np.zeros_like(a) + np.eye(a.shape[-1], dtype=a.dtype)
    power, square = None, a
    while n:
        if n & 1:
            power = square if power is None else power @ square
        n >>= 1
        square = square @ square if n else square
    return power


# Determinants ----------------------------------------------------------------------------------------------------


def _det_rule(g, a, y):
    is_differentiated = is_wrapper(a) and not is_recorded(a)
    if anywhere(y == 0) or (is_differentiated and _nearly_singular(constant(a), constant(y))):
        return g[..., None, None] * _cofactors(a)
    return (g * y)[..., None, None] * transposed(np.linalg.inv(a))


def _nearly_singular(a, y):
    """Whether rows are so near to dependent that in second derivatives products of inverses would cancel."""
    return anywhere(np.abs(y) < 1e-3 * np.prod(np.linalg.norm(a, axis=-1), axis=-1))


def _cofactors(a):
    """The cofactors of matrices, singular ones too, by singular values: each is a product of all others."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.prod(np.where(np.eye(n, dtype=bool), 1, s[..., None, :]), axis=-1)
    product = (np.conjugate(u) * others[..., None, :]) @ np.conjugate(vh)
    return (np.linalg.det(u) * np.linalg.det(vh))[..., None, None] * product


def _cofactors_rule(g, a):
    """The second derivative of the determinant, which is symmetric.

    That of det(S + P), with S of singular values, has the products of all values but two: P_ii P_jj - P_ij P_ji.
    """
    u, s, vh = np.linalg.svd(a)
    zero, eye = s == 0, np.eye(s.shape[-1], dtype=bool)
    nonzero = np.where(zero, 1, s)
    others = np.prod(nonzero, axis=-1)[..., None, None] / (nonzero[..., :, None] * nonzero[..., None, :])
    zeros = np.sum(zero, axis=-1)[..., None, None]
    known = np.add(zero[..., :, None], zero[..., None, :], dtype=int) == zeros
    others = np.where(known & ~eye, others, 0)
    p = adjoint(u) @ g @ adjoint(vh)
    x = (others @ diagonal(p)[..., :, None]) * eye - transposed(others * p)
    return (np.linalg.det(u) * np.linalg.det(vh))[..., None, None] * (np.conjugate(u) @ x @ np.conjugate(vh))


_cofactors = primitive(_cofactors, _cofactors_rule, tangents=(_cofactors_rule,), batch="leading")


def _det_tangent(g, a, y):
    return np.sum(_det_rule(np.ones_like(y), a, y) * g, axis=(-2, -1))


primitive(np.linalg.det, _det_rule, tangents=(_det_tangent,), batch="leading")


def _slogdet(x):
    return np.stack(np.linalg.slogdet(x), axis=-1)


def _slogdet_rule(g, x, y):
    """The size changes by the real part of trace(inv(A) dA), the sign turns by its imaginary part."""
    sign, h = y[..., 0], np.real(g[..., 1])
    if is_complex(y):
        h = h + 1j * np.imag(g[..., 0] * np.conjugate(sign))
    singular = constant(sign) == 0
    if anywhere(singular):
        if anywhere(singular & (constant(h) != 0)):
            raise GradientError(
                f"[linalg.slogdet] matrices that are not singular were required; received a determinant of 0 in shape "
                f"{x.shape}, dtype {x.dtype}; add a multiple of the identity, or use det"
            )
        x = np.where(singular[..., None, None], np.eye(x.shape[-1], dtype=x.dtype), x)
    return h[..., None, None] * adjoint(np.linalg.inv(x))


_slogdet = primitive(_slogdet, _slogdet_rule, holomorphic=False, batch="leading")


@composite(np.linalg.slogdet)
def slogdet(a):
    both = _slogdet(a)
    return SlogdetResult(both[..., 0], np.real(both[..., 1]) if is_complex(both) else both[..., 1])


# Cholesky --------------------------------------------------------------------------------------------------------

BLOCK = 32
"""Triangular matrices up to this size are inverted at once, larger ones by halves, which costs products only."""
MANY = 100
"""Of more matrices than this already much smaller ones are inverted by halves."""


def _cholesky(x):
    return np.linalg.cholesky(x)


def _quarters(x: Any) -> tuple:
    k = x.shape[-1] // 2
    return x[..., :k, :k], x[..., k:, :k], x[..., k:, k:]


def _joined(first: Any, above: Any, below: Any, last: Any) -> Any:
    return np.concatenate([np.concatenate([first, above], -1), np.concatenate([below, last], -1)], axis=-2)


def _inverse_of_triangle(root):
    n = root.shape[-1]
    if n <= (BLOCK if root.size <= MANY * n * n else BLOCK // 8):
        return np.linalg.inv(root)
    first, below, last = _quarters(root)
    first, last = _inverse_of_triangle(first), _inverse_of_triangle(last)
    below = -last @ (below @ first)
    return _joined(first, np.zeros_like(below.swapaxes(-1, -2)), below, last)


def _cholesky_gradient(root, inverse, g):
    """The Hermitian gradient, by halves (Murray, "Differentiation of the Cholesky decomposition", 2016)."""
    n = root.shape[-1]
    if n <= BLOCK:
        inner = np.tril(adjoint(root) @ np.tril(g))
        inner = inner - 0.5 * inner * np.eye(n, dtype=root.dtype)
        outer = adjoint(inverse) @ inner @ inverse
        return 0.5 * (outer + adjoint(outer))
    first, below, last = _quarters(root)
    inverse_first, _, inverse_last = _quarters(inverse)
    g_first, g_below, g_last = _quarters(g)
    h_last = _cholesky_gradient(last, inverse_last, g_last)
    h_below = (g_below - 2 * (h_last @ below)) @ inverse_first
    h_first = _cholesky_gradient(first, inverse_first, g_first - adjoint(h_below) @ below)
    return _joined(h_first, 0.5 * adjoint(h_below), 0.5 * h_below, h_last)


def _cholesky_rule(g, y):
    return onto_triangle(_cholesky_gradient(y, _inverse_of_triangle(y), g))


def _cholesky_tangent(g, y):
    """The same source: L times the lower half of L^-1 dA L^-H."""
    inverse = _inverse_of_triangle(y)
    p = inverse @ lower_hermitian(g) @ adjoint(inverse)
    return y @ (np.tril(p) - 0.5 * p * np.eye(p.shape[-1], dtype=p.dtype))


_cholesky = primitive(_cholesky, _cholesky_rule, holomorphic=False, tangents=(_cholesky_tangent,), batch="leading")


@composite(np.linalg.cholesky)
def cholesky(a, /, *, upper=False):
    """Of the matrix the lower triangle is read, or the upper one, and there the gradient is."""
    return lying(adjoint(_cholesky(adjoint(a))), "C") if upper else _cholesky(a)


# Least squares ---------------------------------------------------------------------------------------------------


def _rounding(dtype):
    """The unit of rounding of what NumPy computes with."""
    return float(np.finfo(dtype if dtype.kind in "fc" else float).eps)


def _pinv(x, rcond=1e-15):
    return np.linalg.pinv(x, rcond)


def _pinv_rule(g, x, y):
    """Golub and Pereyra (SIAM J. Numer. Anal. 10, 1973): the derivative where the rank stays."""
    if x.shape[-2] < x.shape[-1]:
        return adjoint(_pinv_rule(adjoint(g), adjoint(x), adjoint(y)))
    gh, yh = adjoint(g), adjoint(y)
    left, right = gh @ (y @ yh), yh @ (y @ gh)
    return left - x @ (y @ left) + right - right @ (y @ x) - yh @ (g @ yh)


def _pinv_tangent(g, x, y):
    """The same source; what of the tangent leaves the rows and columns is seen by the adjoint only."""
    gh, yh = adjoint(g), adjoint(y)
    return -y @ g @ y + y @ (yh @ (gh - (gh @ x) @ y)) + (gh - y @ (x @ gh)) @ yh @ y


_pinv = primitive(_pinv, _pinv_rule, holomorphic=False, tangents=(_pinv_tangent,), batch="leading")


@composite(np.linalg.pinv)
def pinv(a, rcond=None, hermitian=False, *, rtol=UNSET):
    if rcond is not None and rtol is not UNSET:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    unit = max(a.shape[-2:]) * _rounding(a.dtype)
    cut = rcond if rcond is not None else 1e-15 if rtol is UNSET else unit if rtol is None else rtol
    cut = np.asarray(innermost(cut))
    a = lower_hermitian(a) if hermitian else a
    if not anywhere(cut > unit):
        return _pinv(a, rcond=cut)
    s = np.linalg.svdvals(constant(a))
    dropped = s <= cut[..., None] * np.max(s, axis=-1, keepdims=True, initial=0)
    if not anywhere(dropped & (s > unit * np.max(s, axis=-1, keepdims=True, initial=0))):
        return _pinv(a, rcond=cut)
    # What is dropped is not zero, and its vectors matter to the others.
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    inverse = np.where(dropped, 0, 1 / np.where(dropped, 1, s))
    return (adjoint(vh) * inverse[..., None, :]) @ adjoint(u)


def _lstsq(*operands, rcond=None):
    return np.linalg.lstsq(*operands, rcond)[0]


def _lstsq_rule(g, xs, y, rcond):
    """The rule of pinv(a) @ b."""
    a, b = map(array, xs)
    inverse = np.linalg.pinv(a, rtol=rcond)
    gb = adjoint(inverse) @ g
    ga = (b - a @ y) @ adjoint(inverse @ gb) - gb @ adjoint(y)
    ga = ga + (adjoint(inverse) @ y) @ adjoint(g - inverse @ (a @ g))
    return ga, gb


_lstsq = primitive(_lstsq, _lstsq_rule, holomorphic=False)


def _known_values(x, known=None):
    """Singular values that are known already: the vectors are computed when the gradient is."""
    return known


def _known_values_rule(g, x):
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return (u * g[..., None, :]) @ vh


_known_values = primitive(_known_values, _known_values_rule, holomorphic=False)


@composite(np.linalg.lstsq)
def lstsq(a, b, rcond=None):
    a, b = array(a), array(b)
    shape, kind = a.shape, np.result_type(a.dtype, b.dtype)
    if kind.kind in "fc":
        a, b = np.astype(a, kind, copy=False), np.astype(b, kind, copy=False)
    unit = max(shape, default=1) * _rounding(kind)
    cut = unit if rcond is None else rcond if rcond >= 0 else unit / max(shape)
    rank, s = _rank_and_values(a, b, rcond, cut)
    columns = b[:, None] if b.ndim == 1 else b
    if rank < np.count_nonzero(s > unit * s.max(initial=0)):
        x = np.linalg.pinv(a, cut) @ columns
    else:
        x = _lstsq(a, columns, rcond=cut)
    if shape[0] > shape[1] == rank:
        rest = columns - a @ x
        residuals = np.sum(np.real(rest * np.conjugate(rest)) if is_complex(rest) else rest * rest, axis=0)
    else:
        residuals = np.zeros(0, s.dtype)
    if is_wrapper(a):
        s = np.linalg.svdvals(a) if is_recorded(s) else _known_values(a, known=s)
    return x[:, 0] if b.ndim == 1 else x, residuals, rank, s


def _rank_and_values(a, b, rcond, cut):
    """The rank, and the singular values, which a program that is being recorded finds anew at each run."""
    if not is_recorded(everything(a)):
        return np.linalg.lstsq(innermost(a), innermost(b), rcond)[2:]
    s = np.linalg.svdvals(everything(a))
    return np.int32(np.count_nonzero(s > cut * s.max(initial=0))), s


# Norms -----------------------------------------------------------------------------------------------------------


@composite(np.linalg.cond)
def cond(x, p=None):
    if not x.size:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        if anywhere(constant(s)[..., 0] == 0):
            return _infinite_cond(x, p)
        return _infinite_for_nan(s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1], x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return _infinite_cond(x, p)
    return _infinite_for_nan(np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1)), x)


def _infinite_for_nan(c, x):
    """NumPy's value of matrices that hold infinities, but no NaN."""
    return np.where(np.isnan(c) & ~np.any(np.isnan(x), axis=(-2, -1)), np.inf, c)


def _infinite_cond(x, p):
    """NumPy's value where nothing is recorded."""
    if x._carries_gradient():
        raise GradientError(
            f"[linalg.cond] matrices that are not singular were required for order {p!r}; received one that is, in "
            f"shape {x.shape}, dtype {x.dtype}; the condition number is infinite there and has no gradient"
        )
    return np.linalg.cond(constant(x), p)


@composite(np.linalg.matrix_norm)
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@composite(np.linalg.vector_norm)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    if axis is not None and not isinstance(axis, tuple):
        return np.linalg.norm(x, ord, axis, keepdims)
    axes = tuple(range(x.ndim)) if axis is None else normal_axes(axis, x.ndim)
    kept = tuple(i for i in range(x.ndim) if i not in axes)
    rows = np.reshape(np.transpose(x, axes + kept), (-1, *(x.shape[i] for i in kept)))
    norms = np.linalg.norm(rows, ord, 0)
    return np.reshape(norms, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else norms


# Products --------------------------------------------------------------------------------------------------------


@composite(np.linalg.multi_dot)
def multi_dot(arrays, *, out=None):
    """In the order that takes the fewest multiplications (Cormen et al., "Introduction to Algorithms", 15.2)."""
    arrays = [array(a) for a in arrays]
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    arrays[0] = arrays[0][None, :] if first else arrays[0]
    arrays[-1] = arrays[-1][:, None] if last else arrays[-1]
    if any(a.ndim != 2 for a in arrays):
        raise np.linalg.LinAlgError("arrays must be 2-dimensional, the first and the last 1- or 2-dimensional")
    product = _chain(arrays, _best_splits([a.shape[0] for a in arrays] + [arrays[-1].shape[1]]), 0, len(arrays) - 1)
    product = product[0] if first else product
    return product[..., 0] if last else product


def _best_splits(sizes: list[int]) -> dict:
    """Behind which factor to split each part of the chain."""
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for length, i in itertools.product(range(1, n), range(n)):
        j = i + length
        if j < n:
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def _chain(arrays: list, split: dict, i: int, j: int) -> Any:
    if i == j:
        return arrays[i]
    k = split[i, j]
    return _chain(arrays, split, i, k) @ _chain(arrays, split, k + 1, j)


@composite(np.linalg.matmul)
def matmul(x1, x2, /):
    return np.matmul(x1, x2)


@composite(np.linalg.tensordot)
def tensordot(x1, x2, /, *, axes=2):
    return np.tensordot(x1, x2, axes)


@composite(np.linalg.outer)
def outer(x1, x2, /):
    x1, x2 = array(x1), array(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they are x1.ndim={x1.ndim} and x2.ndim={x2.ndim}.")
    return x1[:, None] * x2[None, :]


@composite(np.linalg.vecdot)
def vecdot(x1, x2, /, *, axis=-1):
    return np.vecdot(axis_last(x1, axis), axis_last(x2, axis))


@composite(np.linalg.cross)
def cross(x1, x2, /, *, axis=-1):
    x1, x2 = array(x1), array(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(
            f"Both input arrays must be (arrays of) 3-dimensional vectors, but they are {x1.shape[axis]} and "
            f"{x2.shape[axis]} dimensional instead."
        )
    return np.cross(x1, x2, axis=axis)
