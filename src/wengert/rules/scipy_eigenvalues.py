"""scipy.linalg: eigenvalues. The rules are those of numpy.linalg; SciPy's are the drivers, and what is chosen."""

from typing import Any

import numpy as np
import scipy.linalg as sl

from wengert.primitive import primitive
from wengert.rules.decompositions import _eigh_rule, _eigh_tangent, _marked, _pack, _results, _unpack, _values
from wengert.rules.elementwise import is_complex
from wengert.rules.equal_values import adjoint, any_pair, clusters, shared, spectral
from wengert.rules.linalg import transposed
from wengert.rules.scipy_linalg import _solve_triangular, hermitian, linalg, several, solve_triangular
from wengert.rules.scipy_tools import inexact, plain, primal, twin, unsupported


def _eigh(x, lower=True, driver=None):
    w, v = sl.eigh(x, lower=lower, driver=driver)
    return _pack(w, v, batch=x.ndim - 2)


_eigh = primitive(
    _eigh, _eigh_rule, name="scipy.linalg.eigh", holomorphic=False, tangents=(_eigh_tangent,), batch="leading"
)


def _chosen(name: str, w: Any, by_index: Any, by_value: Any) -> Any:
    """Which of the ordered eigenvalues were asked for."""
    if by_index is not None and by_value is not None:
        raise ValueError("Either index or value subset can be requested.")
    if by_index is not None:
        low, high = map(int, by_index)
        return slice(low, high + 1)
    if by_value is not None:
        if w.ndim > 1:
            raise unsupported(name, "subset_by_value", by_value, None, w)
        return slice(*np.searchsorted(plain(w), plain(by_value), side="right").tolist())
    return slice(None)


def _standard(a: Any, b: Any, lower: bool, type: int) -> tuple:
    """A generalized problem as one without `b`, and what its eigenvectors are multiplied with.

    Anderson et al., "LAPACK Users' Guide", 1999, section 2.3.7.
    """
    root = np.linalg.cholesky(hermitian(b, lower))
    a = hermitian(a, lower)
    if type == 1:
        inner = _solve_triangular(root, a, lower=True)
        inner = adjoint(_solve_triangular(root, adjoint(inner), lower=True))
        return inner, lambda v: solve_triangular(root, v, 2, True)
    inner = adjoint(root) @ a @ root
    return inner, (lambda v: solve_triangular(root, v, 2, True)) if type == 2 else (lambda v: root @ v)


@twin(sl.eigh, linalg)
def eigh(
    a, b=None, *, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, type=1, check_finite=True,
    subset_by_index=None, subset_by_value=None, driver=None,
):  # fmt: skip
    given = [primal(m) for m in (a, b) if m is not None]
    a = inexact(a)
    if type not in (1, 2, 3):
        raise ValueError(f'"type" keyword only accepts 1, 2, and 3; received {type}')
    inner, back = (a, None) if b is None else _standard(a, inexact(b), lower, type)
    packed = _eigh(inner, lower=bool(lower) or b is not None, driver=None if b is not None else _whole(driver))
    if eigvals_only:
        w = _values(packed, a.shape[-1])
        return w[..., _chosen("eigh", w, subset_by_index, subset_by_value)]
    w, v = _results(packed, a.shape[-1], a.shape[-2:])
    some = _chosen("eigh", w, subset_by_index, subset_by_value)
    w, v = w[..., some], v[..., some]
    v = v if back is None else back(v)
    if back is not None or some != slice(None):
        within = {"by_index": subset_by_index, "by_value": subset_by_value}
        v = _turned(v, _chosen_vectors(*given, lower=lower, problem=type, driver=driver, **within))
    return several(a, w, v)


def _chosen_vectors(*operands, lower=True, problem=1, by_index=None, by_value=None, driver=None):
    """SciPy's own eigenvectors, for their signs."""
    return sl.eigh(
        *operands, lower=lower, type=problem, subset_by_index=by_index, subset_by_value=by_value, driver=driver
    )[1]


_chosen_vectors = primitive(_chosen_vectors, None, name="scipy.linalg.eigh, chosen vectors", batch="leading")


def _whole(driver):
    """A driver for all eigenvalues."""
    return None if driver == "evx" else driver


def _turned(v: Any, reference: np.ndarray) -> Any:
    """Eigenvectors with the signs (phases) that SciPy's have."""
    product = np.sum(np.conjugate(primal(v)) * reference, axis=-2, keepdims=True)
    size = np.abs(product)
    return v * np.where(size == 0, 1, product / np.where(size == 0, 1, size)).astype(v.dtype)


@twin(sl.eigvalsh, linalg)
def eigvalsh(
    a, b=None, *, lower=True, overwrite_a=False, overwrite_b=False, type=1, check_finite=True, subset_by_index=None,
    subset_by_value=None, driver=None,
):  # fmt: skip
    return eigh(
        a, b, lower=lower, eigvals_only=True, type=type, subset_by_index=subset_by_index,
        subset_by_value=subset_by_value, driver=driver,
    )  # fmt: skip


@twin(sl.eig, linalg)
def eig(
    a, b=None, left=False, right=True, overwrite_a=False, overwrite_b=False, check_finite=True,
    homogeneous_eigvals=False,
):  # fmt: skip
    if b is not None or left or homogeneous_eigvals:
        name = "b" if b is not None else "left" if left else "homogeneous_eigvals"
        raise unsupported("eig", name, {"b": b, "left": left}.get(name, True), "None" if b is not None else "False", a)
    if not right:
        return eigvals(a)
    w, v = np.linalg.eig(a)
    return several(a, w if is_complex(w) else w.astype(np.result_type(w.dtype, np.complex64)), v)


@twin(sl.eigvals, linalg)
def eigvals(a, b=None, overwrite_a=False, check_finite=True, homogeneous_eigvals=False):
    if b is not None or homogeneous_eigvals:
        raise unsupported("eigvals", "b" if b is not None else "homogeneous_eigvals", b, "None", a)
    w = np.linalg.eigvals(a)
    return w if is_complex(w) else w.astype(np.result_type(w.dtype, np.complex64))


def _tridiagonal(*operands, driver="auto"):
    w, v = sl.eigh_tridiagonal(*operands, lapack_driver=driver)
    return _pack(w, v, batch=operands[0].ndim - 1)


def _tridiagonal_rule(g, y, likes):
    """Only the two diagonals of the matrix's gradient are made, unless eigenvectors are used."""
    n = likes[0].shape[-1]
    (w, v), h, gv = _results(y, n, (n, n)), _values(g, n), _unpack(g[..., n:], (n, n))[0]
    same = clusters(primal(w))
    if _marked(g):
        x = v @ spectral("linalg.eigh_tridiagonal", w, h, transposed(v) @ gv, same)
    else:
        x = v * (shared(w, h, same) if any_pair(same) else h)[..., None, :]
    beside = x[..., :-1, :] * v[..., 1:, :] + x[..., 1:, :] * v[..., :-1, :]
    return np.sum(x * v, axis=-1), np.sum(beside, axis=-1)


_tridiagonal = primitive(_tridiagonal, _tridiagonal_rule, name="scipy.linalg.eigh_tridiagonal", batch="leading")


def _chosen_tridiagonal(*operands, select="a", within=None, driver="auto"):
    """SciPy's own eigenvectors, for their signs."""
    return sl.eigh_tridiagonal(*operands, select=select, select_range=within, lapack_driver=driver)[1]


_chosen_tridiagonal = primitive(
    _chosen_tridiagonal, None, name="scipy.linalg.eigh_tridiagonal, chosen vectors", batch="leading"
)


@twin(sl.eigh_tridiagonal, linalg)
def eigh_tridiagonal(
    d, e, eigvals_only=False, select="a", select_range=None, check_finite=True, tol=0.0, lapack_driver="auto"
):
    given, d = (primal(d), primal(e)), inexact(d)
    n = d.shape[-1]
    packed = _tridiagonal(d, inexact(e), driver="auto" if select not in ("a", "all", 0) else lapack_driver)
    by_index = select_range if select in ("i", "index", 2) else None
    by_value = select_range if select in ("v", "value", 1) else None
    if eigvals_only:
        w = _values(packed, n)
        return w[..., _chosen("eigh_tridiagonal", w, by_index, by_value)]
    w, v = _results(packed, n, (n, n))
    some = _chosen("eigh_tridiagonal", w, by_index, by_value)
    if some != slice(None):
        reference = _chosen_tridiagonal(*given, select=select, within=select_range, driver=lapack_driver)
        return w[..., some], _turned(v[..., some], reference)
    return several(d[..., None], w, v)


@twin(sl.eigvalsh_tridiagonal, linalg)
def eigvalsh_tridiagonal(d, e, select="a", select_range=None, check_finite=True, tol=0.0, lapack_driver="auto"):
    return eigh_tridiagonal(d, e, True, select, select_range, check_finite, tol, "auto")
