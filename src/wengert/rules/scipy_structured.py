"""scipy.linalg: banded and Toeplitz systems, and matrices made of few numbers."""

from typing import Any

import numpy as np
import scipy.linalg as sl

from wengert.primitive import linear, primitive
from wengert.protocol import anywhere
from wengert.rules.elementwise import is_complex
from wengert.rules.scipy_linalg import as_given, columns, linalg
from wengert.rules.scipy_signal import convolution
from wengert.rules.scipy_tools import array, double, inexact, plain, primal, refused, twin, undefined

# Banded matrices -------------------------------------------------------------------------------------------------
# Row u + k of the storage has the diagonal k places below the main one: A[j + k, j] at column j.


def _shifted(x: Any, k: int) -> Any:
    """Row j of the result is row j + k, zeros beyond the ends."""
    n = x.shape[-2]
    zeros = np.zeros((*x.shape[:-2], min(abs(k), n), x.shape[-1]), x.dtype)
    return np.concatenate([x[..., k:, :], zeros] if k >= 0 else [zeros, x[..., :k, :]], axis=-2)


def _band_transposed(ab: Any, lower: int, upper: int) -> Any:
    lines = [np.roll(_kept(ab[..., upper + k, :], k, ab.shape[-1]), k, axis=-1) for k in range(lower, -upper - 1, -1)]
    return np.stack(lines, axis=-2)


def _kept(line: Any, k: int, n: int) -> Any:
    """A diagonal without what lies outside of the matrix."""
    j = np.arange(n)
    return np.where((j + k >= 0) & (j + k < n), line, 0)


def _band_of_product(x: Any, y: Any, lower: int, upper: int) -> Any:
    """The band of x y^T."""
    return np.stack([np.sum(_shifted(x, k) * y, axis=-1) for k in range(-upper, lower + 1)], axis=-2)


def _banded(*operands, lower=0, upper=0):
    return sl.solve_banded((lower, upper), *operands)


def _banded_rule(g, xs, y, lower, upper):
    gb = _banded(_band_transposed(array(xs[0]), lower, upper), g, lower=upper, upper=lower)
    return -_band_of_product(gb, y, lower, upper), gb


_banded = primitive(_banded, _banded_rule, name="scipy.linalg.solve_banded", broadcasts=True, batch="elementwise")


@twin(sl.solve_banded, linalg)
def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    (lower, upper), b = l_and_u, inexact(b)
    return as_given(b, _banded(inexact(ab), columns(b), lower=int(lower), upper=int(upper)))


def _hermitian_banded(*operands, lower=False):
    return sl.solveh_banded(*operands, lower=lower)


def _hermitian_banded_rule(g, xs, y, lower):
    """Each entry stands for two of the matrix, but for those of its diagonal, of which the real part is read."""
    ab = array(xs[0])
    gb, y, width = _hermitian_banded(ab, g, lower=lower), np.conjugate(y) if is_complex(y) else y, ab.shape[-2] - 1
    below = _band_of_product(gb, y, width, 0)
    above = _lower_rows(_band_of_product(gb, y, 0, width), width)
    both = -(below + (np.conjugate(above) if is_complex(above) else above))
    main = np.real(both[..., :1, :]) / 2
    lines = np.concatenate([main.astype(both.dtype), both[..., 1:, :]], axis=-2)
    if not lower:
        rows = [np.roll(lines[..., k, :], k, axis=-1) for k in range(width, -1, -1)]
        lines = np.stack(rows, axis=-2)
        lines = np.conjugate(lines) if is_complex(lines) else lines
    return lines, gb


def _lower_rows(upper: Any, width: int) -> Any:
    """A band above the diagonal in the places that it has below, transposed."""
    return np.stack([np.roll(upper[..., width - k, :], -k, axis=-1) for k in range(width + 1)], axis=-2)


_hermitian_banded = primitive(
    _hermitian_banded,
    _hermitian_banded_rule,
    name="scipy.linalg.solveh_banded",
    broadcasts=True,
    holomorphic=False,
    batch="elementwise",
)


@twin(sl.solveh_banded, linalg)
def solveh_banded(ab, b, overwrite_ab=False, overwrite_b=False, lower=False, check_finite=True):
    b = inexact(b)
    return as_given(b, _hermitian_banded(inexact(ab), columns(b), lower=bool(lower)))


cholesky_banded = refused(sl.cholesky_banded, linalg, "there is no rule yet; use solveh_banded or cholesky")
cho_solve_banded = refused(sl.cho_solve_banded, linalg, "there is no rule yet; use solveh_banded")

# Toeplitz systems ------------------------------------------------------------------------------------------------


def _toeplitz_solve(*operands):
    *c_and_r, b = operands
    return sl.solve_toeplitz(tuple(c_and_r), b)


def _toeplitz_rule(g, xs, y):
    """Sums along the diagonals of -(cotangent of b) y^T: a correlation. The first number of `r` is not looked at."""
    c, r, _ = map(array, xs)
    n = len(c)
    gb = _toeplitz_solve(np.concatenate([c[:1], r[1:]]), np.concatenate([r[:1], c[1:]]), g)
    sums = -sum(
        convolution(gb[:, i], np.flip(y[:, i]), mode="full", method="direct") for i in range(y.shape[1])
    )  # fmt: skip
    gr = np.concatenate([np.zeros_like(sums[:1]), np.flip(sums[: n - 1])])
    return sums[n - 1 :], gr, gb


_toeplitz_solve = primitive(_toeplitz_solve, _toeplitz_rule, name="scipy.linalg.solve_toeplitz", batch="rows")


def _column_and_row(c_or_cr: Any) -> tuple:
    if isinstance(c_or_cr, tuple):
        c, r = map(inexact, c_or_cr)
        return c, r
    c = inexact(c_or_cr)
    return c, np.conjugate(c) if is_complex(c) else c


def _one_line(name: str, *lines: Any) -> None:
    for x in lines:
        if x.ndim != 1:
            raise undefined(name, "a first column and row without batch axes", x, "call it for each matrix")


@twin(sl.solve_toeplitz, linalg)
def solve_toeplitz(c_or_cr, b, check_finite=True):
    (c, r), b = _column_and_row(c_or_cr), inexact(b)
    _one_line("solve_toeplitz", c, r)
    x = _toeplitz_solve(c, r, np.reshape(b, (b.shape[0], -1)))
    return np.reshape(x, b.shape)


@twin(sl.matmul_toeplitz, linalg)
def matmul_toeplitz(c_or_cr, x, check_finite=False, workers=None):
    """The middle of a convolution with the numbers along the matrix's left and upper edge."""
    (c, r), x = _column_and_row(c_or_cr), double(x)
    _one_line("matmul_toeplitz", c, r)
    edge = np.concatenate([np.flip(r[1:]), c])
    product = convolution(edge[:, None], np.reshape(x, (len(r), -1)), mode="valid", method="fft", axes=(0,))
    return np.reshape(product, (len(c), *x.shape[1:]))


# Matrices with a pattern -----------------------------------------------------------------------------------------


def _diagonals(x, rows=1):
    """The matrix whose diagonals have the numbers of a line, the last at the bottom left."""
    windows = np.lib.stride_tricks.sliding_window_view(x, x.shape[-1] - rows + 1, axis=-1)
    return np.ascontiguousarray(windows[..., ::-1])


def _sums_of_diagonals(x):
    """Rows behind each other in a longer line, so that each begins one place further on, and their sum."""
    x = x[..., ::-1]
    if x.shape[-2] > x.shape[-1]:  # few lines are shorter work: they may be the columns
        x = np.swapaxes(x, -1, -2)
    *batch, m, n = x.shape
    room = np.zeros((*batch, m, m + n), x.dtype)
    room[..., :n] = x
    lines = room.reshape(*batch, m * (m + n))[..., : m * (m + n - 1)]
    return np.sum(lines.reshape(*batch, m, m + n - 1), axis=-2)


diagonals = linear(_diagonals, lambda g: sums_of_diagonals(g), name="scipy.linalg.toeplitz", batch="leading")
sums_of_diagonals = linear(
    _sums_of_diagonals,
    lambda g, like: diagonals(g, rows=like.shape[-2]),
    name="scipy.linalg.sums_of_diagonals",
    batch="leading",
)


@twin(sl.toeplitz, linalg)
def toeplitz(c, r=None):
    c = array(c)
    r = (np.conjugate(c) if is_complex(c) else c) if r is None else array(r)
    c, r = np.atleast_1d(c), np.atleast_1d(r)
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    c, r = (np.broadcast_to(v, (*batch, v.shape[-1])) for v in (c, r))
    return diagonals(np.concatenate([np.flip(r[..., 1:], axis=-1), c], axis=-1), rows=c.shape[-1])


@twin(sl.hankel, linalg)
def hankel(c, r=None):
    c = np.ravel(array(c))
    r = np.zeros_like(c) if r is None else np.ravel(array(r))
    return np.flip(diagonals(np.concatenate([c, r[1:]]), rows=len(c)), axis=-1)


@twin(sl.circulant, linalg)
def circulant(c):
    c = np.atleast_1d(array(c))
    return diagonals(np.concatenate([c[..., 1:], c], axis=-1), rows=c.shape[-1])


@twin(sl.companion, linalg)
def companion(a):
    a = np.atleast_1d(inexact(a))
    if a.shape[-1] < 2 or anywhere(primal(a)[..., 0] == 0):
        return sl.companion(plain(a))  # raises
    first = -a[..., None, 1:] / a[..., None, :1]
    n = first.shape[-1]
    return np.concatenate([first, np.broadcast_to(np.eye(n - 1, n, dtype=a.dtype), (*a.shape[:-1], n - 1, n))], axis=-2)


@twin(sl.leslie, linalg)
def leslie(f, s):
    f, s = np.atleast_1d(array(f)), np.atleast_1d(array(s))
    below = np.concatenate(
        [s[..., :, None] * np.eye(s.shape[-1], dtype=s.dtype), np.zeros((*s.shape, 1), s.dtype)], axis=-1
    )
    return np.concatenate([f[..., None, :], below], axis=-2)


@twin(sl.fiedler, linalg)
def fiedler(a):
    a = np.atleast_1d(array(a))
    return np.abs(a[..., :, None] - a[..., None, :])


@twin(sl.convolution_matrix, linalg)
def convolution_matrix(a, n, mode="full"):
    if mode not in ("full", "valid", "same"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    a = array(a)
    zeros = np.zeros((*a.shape[:-1], n - 1), a.dtype)
    full = toeplitz(np.concatenate([a, zeros], axis=-1), np.concatenate([a[..., :1], zeros], axis=-1))
    cut = min(n, a.shape[-1]) - 1
    before = {"full": 0, "same": cut // 2, "valid": cut}[mode]
    after = {"full": 0, "same": cut - before, "valid": cut}[mode]
    return full[..., before : full.shape[-2] - after, :]


@twin(sl.block_diag, linalg)
def block_diag(*arrs):
    """Lines of blocks, each between zeros."""
    blocks = [np.atleast_2d(array(a)) for a in arrs]
    batch = np.broadcast_shapes(*(a.shape[:-2] for a in blocks))
    width, dtype = sum(a.shape[-1] for a in blocks), np.result_type(*(a.dtype for a in blocks))
    lines, before = [], 0
    for a in blocks:
        m, n = a.shape[-2:]
        parts = [np.zeros((*batch, m, k), dtype) for k in (before, width - before - n)]
        lines.append(np.concatenate([parts[0], np.broadcast_to(a, (*batch, m, n)), parts[1]], axis=-1))
        before += n
    return np.concatenate(lines, axis=-2)


@twin(sl.khatri_rao, linalg)
def khatri_rao(a, b):
    a, b = array(a), array(b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError("The number of columns for both arrays should be equal.")
    product = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(product, (*product.shape[:-3], a.shape[-2] * b.shape[-2], a.shape[-1]))
