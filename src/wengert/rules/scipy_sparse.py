"""scipy.sparse: products and equations with matrices of which a fixed pattern of entries is stored.

Two functions make a closed family: the product of a matrix and an array (`multiply`), linear in both, and the dot
products of those pairs of rows that the pattern asks for (`pairs`), which are the derivative by the matrix's entries.
No dense matrix is ever formed, and equations are factorised once for all orders of derivative.
"""

from functools import cached_property
from math import inf
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spl

from wengert.errors import MissingRuleError
from wengert.primitive import bilinear, name_of, primitive
from wengert.protocol import Table, Wrapper, intern_spec
from wengert.rules.scipy_tools import carries_gradient, inexact, plain, primal, undefined


class Pattern:
    """Where the entries of a matrix are: by rows (CSR), or by columns (CSC), which is the transpose of the other."""

    def __init__(self, indices: np.ndarray, indptr: np.ndarray, shape: tuple, by_columns: bool = False):
        self.indices, self.indptr, self.shape, self.by_columns = indices, indptr, shape, by_columns

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each entry."""
        lines = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        return (self.indices, lines) if self.by_columns else (lines, self.indices)

    @cached_property
    def transposed(self) -> "Pattern":
        """That of the transposed matrix, with the entries in the same order."""
        other = Pattern(self.indices, self.indptr, self.shape[::-1], not self.by_columns)
        other.__dict__["transposed"] = self
        return other

    def matrix(self, data: np.ndarray) -> Any:
        """SciPy's matrix with these entries."""
        kind = sp.csc_array if self.by_columns else sp.csr_array
        return kind((data, self.indices, self.indptr), shape=self.shape)


# Products --------------------------------------------------------------------------------------------------------

_AT_ONCE = 2**16


def _multiply(a, x, pattern=None):
    return np.asarray(pattern.matrix(a) @ x)


def _pairs(a, b, pattern=None):
    """For each entry of the pattern the product of row i of `a` and row j of `b`."""
    rows, columns = pattern.numbers
    if a.ndim == 1:
        return a[rows] * b[columns]
    out = np.empty(len(rows), np.result_type(a, b))
    step = max(1, _AT_ONCE // max(1, a.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        out[part] = np.einsum("ik,ik->i", a[rows[part]], b[columns[part]])
    return out


def _multiply_batch(a, x, batched, size, pattern):
    """One matrix and several arrays: one product with as many columns."""
    if batched[0]:
        return np.stack([multiply(a[i], x[i] if batched[1] else x, pattern=pattern) for i in range(size)])
    return _of_columns(lambda columns: multiply(a, columns, pattern=pattern), x)


def _of_columns(function: Any, x: Any) -> Any:
    """What a function of columns gives for a batch of vectors or of arrays of columns."""
    columns = np.moveaxis(x, 0, -1)
    y = function(np.reshape(columns, (columns.shape[0], -1)))
    return np.moveaxis(np.reshape(y, (y.shape[0], *columns.shape[1:])), -1, 0)


multiply = bilinear(
    _multiply,
    lambda g, x, pattern: pairs(g, x, pattern=pattern),
    lambda g, a, pattern: multiply(a, g, pattern=pattern.transposed),
    name="sparse.matmul",
    batch=_multiply_batch,
)
pairs = bilinear(
    _pairs,
    lambda g, b, pattern: multiply(g, b, pattern=pattern),
    lambda g, a, pattern: multiply(g, a, pattern=pattern.transposed),
    name="sparse.pairs",
    batch="rows",
)


# Equations -------------------------------------------------------------------------------------------------------


class Factors:
    """The LU factors of one matrix, made when first asked for, for it and for its transpose."""

    def __init__(self, pattern: Pattern, permc_spec: str | None = None):
        self.pattern, self.permc_spec, self.known, self.data = pattern, permc_spec, None, None
        self._examples: list[Factors] = []

    def examples(self, count: int) -> "list[Factors]":
        """Those of each matrix, where the entries are a batch."""
        if len(self._examples) != count:
            self._examples = [Factors(self.pattern, self.permc_spec) for _ in range(count)]
        return self._examples

    def solve(self, data: np.ndarray, b: np.ndarray, transposed: bool) -> np.ndarray:
        """The solution for right sides `b`."""
        if self.known is None or not np.array_equal(self.data, data, equal_nan=True):  # a program may run again
            matrix = self.pattern.matrix(data).tocsc()
            self.data = np.array(data)
            self.known = spl.splu(matrix, permc_spec=self.permc_spec)
        kind = self.known.U.dtype
        if b.dtype.kind == "c" != kind.kind:
            return self.solve(data, b.real, transposed) + 1j * self.solve(data, b.imag, transposed)
        solution = self.known.solve(np.asarray(b, kind, order="F"), "T" if transposed else "N")
        return solution.astype(np.result_type(data, b), copy=False)


def _spsolve(*operands, factors=None, transposed=False):
    return factors.solve(*operands, transposed)


def _spsolve_rule(g, xs, y, factors, transposed):
    gb = _spsolve(xs[0], g, factors=factors, transposed=not transposed)
    first, second = (y, gb) if transposed else (gb, y)
    return -pairs(first, second, pattern=factors.pattern), gb


def _spsolve_batch(xs, batched, size, factors, transposed):
    data, b = xs
    if not batched[0]:
        return _of_columns(lambda columns: _spsolve(data, columns, factors=factors, transposed=transposed), b)
    own = factors.examples(size)
    rows = ((data[i], b[i] if batched[1] else b) for i in range(size))
    return np.stack([_spsolve(*row, factors=own[i], transposed=transposed) for i, row in enumerate(rows)])


_spsolve = primitive(_spsolve, _spsolve_rule, name="sparse.spsolve", batch=_spsolve_batch)


# Matrices whose entries may be recorded --------------------------------------------------------------------------


def _table_entry(function: Any) -> Any:
    """What NumPy's functions become for sparse arrays: products with dense arrays and with numbers."""
    name = name_of(function) if isinstance(function, tuple) or not hasattr(function, "name") else function.name

    def product_of(a, b):
        if isinstance(a, SparseArray):
            return a @ b if name == "matmul" else a * b
        return b.__rmatmul__(a) if name == "matmul" else b * a

    def refuse(*args, **kwargs):
        raise MissingRuleError(
            f"[{name}] dense arrays were required, or the products `@` with one and `*` with a number; received a "
            f"sparse one; use toarray(), or a function of its data"
        )

    return product_of if name in ("matmul", "multiply") else refuse


class SparseArray(Wrapper):
    """A sparse matrix with a fixed pattern, whose stored entries ``data`` may be recorded.

    It knows products with dense arrays, sums and products with numbers, its transpose and its diagonal; what else
    SciPy's have is had by ``detach()``.

    Examples
    --------
    >>> import numpy as np, scipy.sparse as sp
    >>> import wengert as wg
    >>> from wengert.scipy import sparse
    >>> pattern = sp.csr_array([[1.0, 0.0], [2.0, 3.0]])
    >>> data = wg.tensor(pattern.data, requires_grad=True)
    >>> x = np.array([1.0, -1.0])
    >>> np.sum(sparse.with_data(pattern, data) @ x).backward()
    >>> data.grad
    tensor([ 1.,  1., -1.])
    """

    __module__ = "wengert.scipy.sparse"
    __array_priority__ = 2000
    _level: Any = inf  # operations on it and tensors are its business
    ndim = 2

    def __init__(self, data: Any, pattern: Pattern):
        self.data, self._pattern = inexact(data), pattern
        self._spec = intern_spec(pattern.shape, self.data.dtype)
        if self.data.shape != pattern.indices.shape:
            raise undefined("sparse", f"data of shape {pattern.indices.shape}", self.data, "give one number per entry")

    _table = Table(_table_entry)

    def _carries_gradient(self) -> bool:
        return carries_gradient(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("[np.asarray] a dense array was required; received a sparse one; use toarray()")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._pattern.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries."""
        return self.data.dtype

    @property
    def nnz(self) -> int:
        """How many entries are stored."""
        return len(self._pattern.indices)

    @property
    def T(self) -> "SparseArray":
        """The transpose."""
        return SparseArray(self.data, self._pattern.transposed)

    def detach(self) -> Any:
        """SciPy's array with the same entries."""
        return self._pattern.matrix(np.array(plain(self.data)))

    def toarray(self) -> Any:
        """The dense matrix."""
        return multiply(self.data, np.eye(self.shape[1], dtype=self.dtype), pattern=self._pattern)

    todense = toarray

    def diagonal(self) -> Any:
        """The main diagonal."""
        rows, columns = self._pattern.numbers
        only = np.where(rows == columns, self.data, 0)
        return multiply(only, np.ones(self.shape[1], self.dtype), pattern=self._pattern)[: min(self.shape)]

    def sum(self, axis: int | None = None) -> Any:
        """The sum of all entries, or those of the columns (axis 0) or rows."""
        if axis is None:
            return np.sum(self.data)
        matrix = self.T if axis % 2 == 0 else self
        return matrix @ np.ones(matrix.shape[1], self.dtype)

    def __matmul__(self, x: Any) -> Any:
        if sp.issparse(x) or isinstance(x, SparseArray):
            raise TypeError("[matmul] a dense array was required; received a sparse one; use toarray()")
        x = inexact(x)
        if x.ndim not in (1, 2) or x.shape[0] != self.shape[1]:
            raise ValueError(f"matmul: dimension mismatch: {self.shape} and {x.shape}")
        return multiply(self.data, x, pattern=self._pattern)

    dot = __matmul__

    def __rmatmul__(self, x: Any) -> Any:
        x = inexact(x)
        return np.transpose(self.T @ np.transpose(x))

    def __mul__(self, factor: Any) -> "SparseArray":
        if isinstance(factor, SparseArray) or np.ndim(factor):
            raise TypeError(
                "[multiply] a number was required; received an array; use @ for products, or change the data"
            )
        return SparseArray(self.data * factor, self._pattern)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "SparseArray":
        return self * (1 / divisor)

    def __neg__(self) -> "SparseArray":
        return SparseArray(-self.data, self._pattern)

    def __repr__(self) -> str:
        return f"SparseArray({self.shape[0]}x{self.shape[1]}, {self.nnz} entries, {self.data!r})"


def pattern_of(matrix: Any) -> tuple[Any, Pattern]:
    """The entries of a matrix in the order of their pattern, and that."""
    if isinstance(matrix, SparseArray):
        return matrix.data, matrix._pattern
    if not sp.issparse(matrix):
        raise TypeError(f"[sparse] a sparse matrix was required; received a {type(matrix).__name__}; use scipy.sparse")
    matrix = matrix if matrix.format in ("csr", "csc") else matrix.tocsr()
    kind = matrix.data if matrix.data.dtype.kind in "fc" else matrix.data.astype(float)
    return kind, Pattern(matrix.indices, matrix.indptr, matrix.shape, matrix.format == "csc")


def with_data(structure: Any, data: Any) -> SparseArray:
    """The matrix with the pattern of `structure` (of SciPy, CSR or CSC) and entries `data`, in the order of its own."""
    if sp.issparse(structure) and structure.format not in ("csr", "csc"):
        raise TypeError(f"[with_data] format csr or csc was required; received {structure.format!r}; use tocsr()")
    return SparseArray(data, pattern_of(structure)[1])


def matmul(data: Any, structure: Any, x: Any) -> Any:
    """The product of the matrix ``with_data(structure, data)`` and a dense `x`."""
    return with_data(structure, data) @ x


def wrapped(matrix: Any) -> SparseArray:
    """SciPy's sparse matrix, a constant."""
    return SparseArray(*pattern_of(matrix))


def spsolve(A, b, permc_spec=None, use_umfpack=True):
    """See `scipy.sparse.linalg.spsolve`; the entries of A and a dense b may be recorded."""
    if not isinstance(A, SparseArray) and not carries_gradient(b) and sp.issparse(A):
        return spl.spsolve(A, b if sp.issparse(b) else plain(b), permc_spec, use_umfpack)
    if sp.issparse(b) or isinstance(b, SparseArray):
        raise TypeError("[spsolve] a dense right side was required; received a sparse one; use b.toarray()")
    data, pattern = pattern_of(A)
    b = inexact(b)
    if pattern.shape[0] != pattern.shape[1]:
        raise ValueError(f"matrix must be square (has shape {pattern.shape})")
    if b.shape[0] != pattern.shape[0]:
        raise ValueError(f"matrix - rhs dimension mismatch ({pattern.shape} - {b.shape[0]})")
    b = b[:, 0] if b.ndim == 2 and b.shape[1] == 1 else b
    return _spsolve(data, b, factors=Factors(pattern, permc_spec))


class SuperLU:
    """The factors of a sparse matrix: see `scipy.sparse.linalg.splu`."""

    __module__ = "wengert.scipy.sparse.linalg"

    def __init__(self, A: Any, permc_spec: str | None = None):
        self._data, pattern = pattern_of(A)
        self.shape, self._factors = pattern.shape, Factors(pattern, permc_spec)
        _spsolve(primal(self._data), np.zeros(self.shape[0], self._data.dtype), factors=self._factors)

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """The solution of A x = rhs, of A^T x = rhs ("T"), of A^H x = rhs ("H")."""
        rhs = inexact(rhs)
        if trans == "H":
            return np.conjugate(_spsolve(self._data, np.conjugate(rhs), factors=self._factors, transposed=True))
        return _spsolve(self._data, rhs, factors=self._factors, transposed=trans == "T")


def splu(A, permc_spec=None):
    """See `scipy.sparse.linalg.splu`: factors that solve for recorded right sides."""
    return SuperLU(A, permc_spec)


def factorized(A):
    """See `scipy.sparse.linalg.factorized`."""
    return SuperLU(A).solve


for _function in (with_data, matmul):
    _function.__module__ = "wengert.scipy.sparse"
for _function in (spsolve, splu, factorized):
    _function.__module__ = "wengert.scipy.sparse.linalg"
