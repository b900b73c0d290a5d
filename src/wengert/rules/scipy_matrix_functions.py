"""scipy.linalg: functions of matrices, and matrix equations.

A function f of a matrix A and its derivative L(A, E) in the direction E are both in f of a block matrix (Mathias,
"A chain rule for matrix functions", SIAM J. Matrix Anal. Appl. 17, 1996)::

    f([[A, E], [0, A]]) = [[f(A), L(A, E)], [0, f(A)]]

and the transpose of E -> L(A, E) is E -> L(A^T, E). As f of the block matrix has the same rule, this gives derivatives
of all orders.
"""

from typing import Any

import numpy as np
import scipy.linalg as sl

from wengert.primitive import primitive
from wengert.protocol import anywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.equal_values import adjoint
from wengert.rules.linalg import transposed
from wengert.rules.scipy_linalg import linalg, several
from wengert.rules.scipy_tools import (
    array,
    as_lapack,
    carries_gradient,
    double,
    inexact,
    plain,
    primal,
    twin,
    undefined,
    unsupported,
)


def _blocks(a: Any, e: Any) -> tuple:
    """The block matrix, with `e` brought to the size of the matrix, and the factor that does it."""
    own, size = (np.max(np.abs(primal(m)), axis=(-2, -1), keepdims=True, initial=0) for m in (a, e))
    scale = np.where(own == 0, 1, own) / np.where((size > 0) & (size < np.inf), size, 1)
    top = np.concatenate([a, e * scale], axis=-1)
    return np.concatenate([top, np.concatenate([np.zeros_like(a), a], axis=-1)], axis=-2), scale


def derivative(function: Any, a: Any, e: Any, **params: Any) -> Any:
    """The derivative of a function of a matrix in the direction `e`."""
    n = a.shape[-1]
    blocks, scale = _blocks(a, e)
    return function(blocks, **params)[..., :n, n:] / scale


def _regular(name: str, x: Any) -> Any:
    """The matrix, if the function of it has a derivative: SciPy gives numbers for singular ones."""
    _check_eigenvalues(name, np.linalg.eigvals(primal(x)), x)
    return x


def _check_eigenvalues(name: str, w: Any, x: Any) -> None:
    size = np.abs(w)
    if anywhere(size <= w.shape[-1] * np.finfo(w.dtype).eps * np.max(size, axis=-1, initial=0, keepdims=True)):
        raise undefined(name, "a matrix without eigenvalues of zero", x, "the function has no derivative there")


def _expm(x):
    return sl.expm(x)


def _expm_along(a, e):
    """The derivative of the exponential in a direction: of large matrices by powers that it shares with it.

    (Al-Mohy and Higham, SIAM J. Matrix Anal. Appl. 30, 2009.) Blocks would take eight times the exponential, not three.
    """
    if a.shape[-1] < SMALL or not np.all(np.isfinite(a)):
        return derivative(sl.expm, a, e)
    y = np.empty(np.broadcast_shapes(a.shape, e.shape), np.result_type(a, e))
    a, e = np.broadcast_to(a, y.shape), np.broadcast_to(e, y.shape)
    for i in np.ndindex(y.shape[:-2]):
        y[i] = sl.expm_frechet(a[i], e[i], compute_expm=False, check_finite=False)
    return y


SMALL = 40
"""Rows, below which one call for the blocks is faster."""


def _expm_along_by_matrix(g, a, e):
    """By both blocks on the diagonal."""
    n = a.shape[-1]
    blocks, scale = _blocks(a, e)
    nothing = np.zeros_like(g)
    corner = np.concatenate(
        [np.concatenate([nothing, g], axis=-1), np.concatenate([nothing, nothing], axis=-1)], axis=-2
    )
    both = expm_along(transposed(blocks), corner)
    return (both[..., :n, :n] + both[..., n:, n:]) / scale


def _expm_along_tangent(g, a, e):
    n = a.shape[-1]
    blocks, scale = _blocks(a, e)
    nothing = np.zeros_like(g)
    twice = np.concatenate([np.concatenate([g, nothing], axis=-1), np.concatenate([nothing, g], axis=-1)], axis=-2)
    return expm_along(blocks, twice)[..., :n, n:] / scale


def _same_numbers(function: Any, *args: Any) -> Any:
    """SciPy estimates norms with NumPy's global random numbers, which are left as they were."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        return function(*args)
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _logm(x):
    return _same_numbers(sl.logm, x)


def _power(x, exponent=1.0):
    return _same_numbers(sl.fractional_matrix_power, x, exponent)


_expm = primitive(
    _expm,
    lambda g, x: expm_along(transposed(x), g),
    name="scipy.linalg.expm",
    tangents=(lambda g, x: expm_along(x, g),),
    batch="leading",
)
expm_along = primitive(
    _expm_along,
    _expm_along_by_matrix,
    lambda g, a: expm_along(transposed(a), g),
    name="scipy.linalg.expm_frechet",
    tangents=(_expm_along_tangent, lambda g, a: expm_along(a, g)),
    batch="leading",
)
_logm = primitive(
    _logm,
    lambda g, x: derivative(_logm, transposed(_regular("logm", x)), g),
    name="scipy.linalg.logm",
    tangents=(lambda g, x: derivative(_logm, _regular("logm", x), g),),
    batch="leading",
)
_power = primitive(
    _power,
    lambda g, x, exponent: derivative(_power, transposed(_regular("fractional_matrix_power", x)), g, exponent=exponent),
    name="scipy.linalg.fractional_matrix_power",
    tangents=(lambda g, x, exponent: derivative(_power, _regular("fractional_matrix_power", x), g, exponent=exponent),),
    batch="leading",
)


@twin(sl.expm, linalg)
def expm(A):
    a = inexact(A)
    return np.exp(a) if a.shape[-2:] == (1, 1) else _expm(as_lapack(a))


@twin(sl.expm_frechet, linalg)
def expm_frechet(A, E, method=None, compute_expm=True, check_finite=True):
    A, E = double(A), double(E)
    along = expm_along(A, E)
    return several(A, _expm(A), along) if compute_expm else along


@twin(sl.logm, linalg)
def logm(A, disp=True):
    if disp is False:
        raise unsupported("logm", "disp", disp, "True", A)
    return _logm(inexact(A))


@twin(sl.fractional_matrix_power, linalg)
def fractional_matrix_power(A, t):
    A = inexact(A)
    if carries_gradient(t):
        return _expm(t * _logm(A))
    t = plain(t)
    return np.linalg.matrix_power(A, int(t)) if t == int(t) else _power(A, exponent=float(t))


# Trigonometric functions -----------------------------------------------------------------------------------------


@twin(sl.cosm, linalg)
def cosm(A):
    A = inexact(A)
    forth = _expm(1j * A)
    return (forth + _expm(-1j * A)) / 2 if is_complex(A) else np.real(forth)


@twin(sl.sinm, linalg)
def sinm(A):
    A = inexact(A)
    forth = _expm(1j * A)
    return (forth - _expm(-1j * A)) / 2j if is_complex(A) else np.imag(forth)


@twin(sl.tanm, linalg)
def tanm(A):
    return np.linalg.solve(cosm(A), sinm(A))


@twin(sl.coshm, linalg)
def coshm(A):
    A = inexact(A)
    return (_expm(A) + _expm(-A)) / 2


@twin(sl.sinhm, linalg)
def sinhm(A):
    A = inexact(A)
    return (_expm(A) - _expm(-A)) / 2


@twin(sl.tanhm, linalg)
def tanhm(A):
    return np.linalg.solve(coshm(A), sinhm(A))


# Matrix equations ------------------------------------------------------------------------------------------------


def _sylvester(*operands):
    """Of a positive matrix on both sides by its eigenvectors, a tenth of the work of two Schur forms."""
    a, b, q = operands
    if a.size and a.shape == b.shape and np.array_equal(a, b) and np.array_equal(a, adjoint(a)):
        w, v = np.linalg.eigh(a)
        if np.all(w[..., 0] > 1e-10 * w[..., -1]):
            inner = adjoint(v) @ q @ v / (w[..., :, None] + w[..., None, :])
            return v @ inner @ adjoint(v)
    return sl.solve_sylvester(*operands)


def _sylvester_rule(g, xs, y):
    a, b, _ = map(array, xs)
    gq = _sylvester(transposed(a), transposed(b), g)
    return -gq @ transposed(y), -transposed(y) @ gq, gq


_sylvester = primitive(
    _sylvester, _sylvester_rule, name="scipy.linalg.solve_sylvester", broadcasts=True, batch="elementwise"
)


@twin(sl.solve_sylvester, linalg)
def solve_sylvester(a, b, q):
    return _sylvester(inexact(a), inexact(b), inexact(q))


@twin(sl.solve_continuous_lyapunov, linalg)
def solve_continuous_lyapunov(a, q):
    a = inexact(a)
    return _sylvester(a, adjoint(a), inexact(q))


def _discrete(*operands, method=None):
    return sl.solve_discrete_lyapunov(*operands, method=method)


def _discrete_rule(g, xs, y, method):
    """Of X = A X A^H + Q."""
    a = array(xs[0])
    gq = _discrete(adjoint(a), g, method=method)
    product = gq @ a
    return product @ adjoint(y) + adjoint(gq) @ a @ y, gq


_discrete = primitive(
    _discrete, _discrete_rule, name="scipy.linalg.solve_discrete_lyapunov", holomorphic=False, batch="leading"
)


@twin(sl.solve_discrete_lyapunov, linalg)
def solve_discrete_lyapunov(a, q, method=None):
    return _discrete(inexact(a), inexact(q), method=method)


# Riccati's: the linear equation that a small change of the solution satisfies, and its adjoint


def _continuous_riccati(*operands, balanced=True):
    return sl.solve_continuous_are(*operands, balanced=balanced)


def _discrete_riccati(*operands, balanced=True):
    return sl.solve_discrete_are(*operands, balanced=balanced)


def _riccati_cotangents(x, s, feedback, closed):
    """Cotangents of A, B, Q, R; `closed` is the matrix that stands in the change of the solution beside dA."""
    s = 0.5 * (s + adjoint(s))  # q and r are Hermitian
    ga = 2 * (x @ closed @ s)
    return ga, -ga @ adjoint(feedback), s, feedback @ s @ adjoint(feedback)


def _continuous_riccati_rule(g, xs, y):
    a, b, _, r = map(array, xs)
    feedback = np.linalg.solve(r, adjoint(b) @ y)
    closed = a - b @ feedback
    s = -_sylvester(closed, adjoint(closed), g)
    return _riccati_cotangents(y, s, feedback, np.eye(a.shape[-1], dtype=y.dtype))


def _discrete_riccati_rule(g, xs, y):
    a, b, _, r = map(array, xs)
    feedback = np.linalg.solve(r + adjoint(b) @ y @ b, adjoint(b) @ y @ a)
    closed = a - b @ feedback
    return _riccati_cotangents(y, _discrete(closed, g), feedback, closed)


_continuous_riccati = primitive(
    _continuous_riccati,
    _continuous_riccati_rule,
    name="scipy.linalg.solve_continuous_are",
    holomorphic=False,
    batch="leading",
)
_discrete_riccati = primitive(
    _discrete_riccati,
    _discrete_riccati_rule,
    name="scipy.linalg.solve_discrete_are",
    holomorphic=False,
    batch="leading",
)


def _without_e_and_s(name: str, a: Any, e: Any, s: Any) -> None:
    for keyword, value in (("e", e), ("s", s)):
        if value is not None:
            raise unsupported(name, keyword, plain(value), None, array(a))


@twin(sl.solve_continuous_are, linalg)
def solve_continuous_are(a, b, q, r, e=None, s=None, balanced=True):
    """The gradients by q and r, which have to be Hermitian, are Hermitian."""
    _without_e_and_s("solve_continuous_are", a, e, s)
    return _continuous_riccati(*map(inexact, (a, b, q, r)), balanced=balanced)


@twin(sl.solve_discrete_are, linalg)
def solve_discrete_are(a, b, q, r, e=None, s=None, balanced=True):
    _without_e_and_s("solve_discrete_are", a, e, s)
    return _discrete_riccati(*map(inexact, (a, b, q, r)), balanced=balanced)


# Roots and polar factors -----------------------------------------------------------------------------------------


def _sqrtm(x):
    return sl.sqrtm(x)


def _sqrtm_rule(g, y):
    """From R dR + dR R = dA."""
    _check_eigenvalues("sqrtm", np.linalg.eigvals(primal(y)), y)
    return _sylvester(transposed(y), transposed(y), g)


def _sqrtm_tangent(g, y):
    return _sqrtm_rule(g, transposed(y))


_sqrtm = primitive(_sqrtm, _sqrtm_rule, name="scipy.linalg.sqrtm", tangents=(_sqrtm_tangent,), batch="leading")


@twin(sl.sqrtm, linalg)
def sqrtm(A, disp=True, blocksize=None):
    if disp is False:
        raise unsupported("sqrtm", "disp", disp, "True", A)
    return _sqrtm(inexact(A))


def _unitary(x):
    """The unitary factor of a matrix with no more columns than rows."""
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return u @ vh


def _unitary_rule(g, x, y):
    """From dU = U W + (1 - U U^H) dA inv(P), with W P + P W = U^H dA - dA^H U and A = U P.

    Kenney and Laub, "Polar decomposition and matrix sign function condition estimates", SIAM J. Sci. Stat. Comput. 12,
    1991.
    """
    positive = adjoint(y) @ x
    positive = 0.5 * (positive + adjoint(positive))
    s = np.linalg.svdvals(primal(positive))
    if anywhere(s[..., -1:] <= x.shape[-1] * np.finfo(s.dtype).eps * s[..., :1]):
        raise undefined("polar", "a matrix of full rank", x, "the unitary factor is not unique there; use svd")
    inner = adjoint(y) @ g
    turned = y @ _sylvester(positive, positive, inner - adjoint(inner))
    if x.shape[-2] == x.shape[-1]:
        return turned
    return turned + adjoint(np.linalg.solve(positive, adjoint(g - y @ inner)))


_unitary = primitive(_unitary, _unitary_rule, name="scipy.linalg.polar", holomorphic=False, batch="leading")


def _unitary_factor(a: Any) -> Any:
    return _unitary(a) if a.shape[-2] >= a.shape[-1] else adjoint(_unitary(adjoint(a)))


@twin(sl.polar, linalg)
def polar(a, side="right"):
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    a = inexact(a)
    u = _unitary_factor(a)
    p = adjoint(u) @ a if side == "right" else a @ adjoint(u)
    return several(a, u, 0.5 * (p + adjoint(p)))


@twin(sl.orthogonal_procrustes, linalg)
def orthogonal_procrustes(A, B, check_finite=True):
    product = adjoint(inexact(A)) @ inexact(B)
    return _unitary_factor(product), np.linalg.norm(product, "nuc")
