"""Norms and products of matrices; what else there is of `torch.linalg` in NumPy, without derivative rules."""

from collections import namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.dialects.torch.functions_products import cross as cross
from wengert.dialects.torch.functions_products import matmul as matmul
from wengert.dialects.torch.functions_products import multi_dot as multi_dot
from wengert.dialects.torch.functions_reductions import norm as _norm
from wengert.dialects.torch.functions_shapes import diagonal as diagonal
from wengert.dialects.torch.making import axes_of, cast_first, entry, named, titled
from wengert.dialects.torch.tensor import Tensor


def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of all elements, or along dimensions, as of one vector."""
    return _norm(x, ord, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of matrices."""
    x = cast_first(A, dtype)
    result = entry(np.linalg.norm)(x, ord, axes_of("matrix_norm", x, dim), keepdim)
    return named(result, "LinalgVectorNormBackward0")


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of vectors, or of matrices where two dimensions (or an order and a matrix) are given."""
    several = isinstance(dim, (tuple, list)) and len(dim) == 2
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if several or (dim is None and A._spec.ndim == 2):
        return matrix_norm(A, ord, dim if several else (-2, -1), keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Inner products along a dimension."""
    return entry(np.sum)(x.conj() * y if x._spec.is_complex else x * y, dim)


def _of_numpy(name: str) -> Callable:
    function = getattr(np.linalg, name)

    def applied(A: Tensor, *args: Any, **options: Any) -> Any:
        result = entry(function)(A, *args, **options)
        if isinstance(result, tuple):
            return type(result)(*map(_boxed, result))
        return _boxed(result)

    return titled(applied, name, f"See `numpy.linalg.{name}`.")


def svdvals(A: Tensor) -> Tensor:
    """The singular values."""
    return _boxed(entry(np.linalg.svd)(A, compute_uv=False))


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None) -> Any:
    """The least-squares solution of ``A @ x = B``; see `numpy.linalg.lstsq`."""
    return LstsqResult(*map(_boxed, entry(np.linalg.lstsq)(A, B, rcond=rcond)))


def _boxed(value: Any) -> Any:
    return Tensor._box(value) if isinstance(value, (np.ndarray, np.generic)) else value


if TYPE_CHECKING:
    cholesky: Any
    det: Any
    inv: Any
    matrix_power: Any
    pinv: Any
    qr: Any
    slogdet: Any
    svd: Any

LstsqResult = namedtuple("lstsq", ["solution", "residuals", "rank", "singular_values"])
LinAlgError = np.linalg.LinAlgError
_NAMES = (
    "cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matrix_power", "matrix_rank", "pinv", "qr",
    "slogdet", "solve", "svd",
)  # fmt: skip
for _name in _NAMES:
    globals()[_name] = _of_numpy(_name)
__all__ = [
    "LinAlgError",
    "cross",
    "diagonal",
    "lstsq",
    "matmul",
    "matrix_norm",
    "multi_dot",
    "norm",
    "svdvals",
    "vecdot",
    "vector_norm",
    *_NAMES,
]
setattr(Tensor, "det", globals()["det"])  # noqa: B010
setattr(Tensor, "inverse", globals()["inv"])  # noqa: B010
