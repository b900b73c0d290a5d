"""Products of ``mx.nd``, and its ``linalg``."""

from typing import Any

import numpy as np

from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, boxed
from wengert.dialects.mxnet.ndarray.operation import METHODS, operation, put

_matmul = TABLE[np.matmul]


def dot(
    lhs: Any, rhs: Any, transpose_a: bool = False, transpose_b: bool = False, forward_stype: str | None = None,
    out: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """The last axis of the first array with the first axis of the second; each may be transposed before."""
    if transpose_a:
        lhs = _cycled(lhs, 1)
    if transpose_b:
        rhs = _cycled(rhs, -1)
    try:
        y = _matmul(lhs, rhs) if rhs._spec.ndim <= 2 else TABLE[np.tensordot](lhs, rhs, 1)
    except ValueError as error:
        raise MXNetError(
            f"[dot] arrays that fit were required, the last axis of one to the first of the other; received "
            f"{lhs._spec!r} and {rhs._spec!r}; transpose one of them"
        ) from error
    return y if out is None else put(out, y)


METHODS["dot"] = dot


def _cycled(x: Any, step: int) -> Any:
    """The first axis moved to the end, or the last one to the front."""
    axes = tuple(range(x.ndim))
    return x if x.ndim < 2 else TABLE[np.transpose](x, (*axes[step:], *axes[:step]))


@operation
def batch_dot(
    lhs: Any, rhs: Any, transpose_a: bool = False, transpose_b: bool = False, forward_stype: str | None = None
) -> Any:
    """Products of matrices, over the leading axes."""
    lhs, rhs = _turned(lhs, transpose_a), _turned(rhs, transpose_b)
    if lhs.shape[:-2] != rhs.shape[:-2] or lhs.shape[-1] != rhs.shape[-2] or lhs.ndim < 3:
        raise MXNetError(
            f"[batch_dot] batches of matrices that fit were required; received {lhs._spec!r} and {rhs._spec!r}"
        )
    return _matmul(lhs, rhs)


def _turned(x: Any, turn: bool) -> Any:
    return TABLE[np.swapaxes](x, -1, -2) if turn else x


@operation(method=False)
def khatri_rao(*args: Any) -> Any:
    """Products of the columns of matrices, each with each."""
    y = args[0]
    for a in args[1:]:
        y = TABLE[np.reshape](TABLE[np.expand_dims](y, 1) * a, (-1, a.shape[1]))
    return y


FUNCTIONS = {"dot": dot, "batch_dot": batch_dot, "khatri_rao": khatri_rao}


# linalg ----------------------------------------------------------------------------------------------------------


@operation(method=False)
def gemm2(
    A: Any, B: Any, transpose_a: bool = False, transpose_b: bool = False, alpha: float = 1.0, axis: int = -2
) -> Any:
    """``alpha * A @ B`` over the leading axes, each transposed before if asked for."""
    if axis != -2:
        raise MXNetError(f"[gemm2] axis -2 was required; received {axis}; use swapaxes before and after")
    y = _matmul(_turned(A, transpose_a), _turned(B, transpose_b))
    return y if alpha == 1 else alpha * y


@operation(method=False)
def gemm(
    A: Any, B: Any, C: Any, transpose_a: bool = False, transpose_b: bool = False, alpha: float = 1.0,
    beta: float = 1.0, axis: int = -2,
) -> Any:  # fmt: skip
    """``alpha * A @ B + beta * C``."""
    return gemm2(A, B, transpose_a, transpose_b, alpha, axis) + beta * C


@operation(method=False)
def syrk(A: Any, transpose: bool = False, alpha: float = 1.0) -> Any:
    """``alpha * A @ A.T``, or ``alpha * A.T @ A``."""
    return gemm2(A, A, transpose, not transpose, alpha)


@operation(method=False)
def trmm(
    A: Any, B: Any, transpose: bool = False, rightside: bool = False, lower: bool = True, alpha: float = 1.0
) -> Any:
    """The product of a triangle of A, transposed if asked for, and B; with A on the right if asked for."""
    A = _turned(TABLE[np.tril if lower else np.triu](A), transpose)
    return gemm2(B, A, alpha=alpha) if rightside else gemm2(A, B, alpha=alpha)


@operation(method=False)
def sumlogdiag(A: Any) -> Any:
    """The sum of the logarithms of the diagonal."""
    return TABLE[np.sum](np.log(extractdiag(A)), axis=-1)


@operation(method=False)
def extractdiag(A: Any, offset: int = 0) -> Any:
    """A diagonal of each matrix."""
    return TABLE[np.diagonal](A, offset, -2, -1)


@operation(method=False)
def makediag(A: Any, offset: int = 0) -> Any:
    """A matrix for each diagonal."""
    n, k = A.shape[-1], abs(offset)
    place = np.eye(n, n + k, offset) if offset >= 0 else np.eye(n, n + k)
    rows = np.eye(n + k, n, offset) if offset < 0 else np.eye(n + k, n)
    spread = TABLE[np.expand_dims](A, -2) * rows.astype(A.dtype)
    return _matmul(spread, place.astype(A.dtype))


@operation(method=False)
def extracttrian(A: Any, offset: int = 0, lower: bool = True) -> Any:
    """A triangle of each matrix, in one row."""
    n = A.shape[-1]
    rows, columns = np.tril_indices(n, offset) if lower and offset <= 0 else np.triu_indices(n, max(offset, 0))
    return A[..., rows, columns]


def _by_numpy(label: str, function: Any, doc: str) -> Any:
    def call(A: Any) -> Any:
        y = TABLE[function](A)
        if isinstance(y, tuple):
            return [boxed(part) if isinstance(part, (np.ndarray, np.generic)) else part for part in y]
        return boxed(y) if isinstance(y, (np.ndarray, np.generic)) else y

    call.__name__, call.__doc__ = label, doc
    return operation(call, method=False)


LINALG = {
    "gemm": gemm, "gemm2": gemm2, "syrk": syrk, "trmm": trmm, "sumlogdiag": sumlogdiag, "extractdiag": extractdiag,
    "makediag": makediag, "extracttrian": extracttrian,
    "potrf": _by_numpy("potrf", np.linalg.cholesky, "The lower triangle L of ``A = L @ L.T``."),
    "det": _by_numpy("det", np.linalg.det, "Determinant."),
    "inverse": _by_numpy("inverse", np.linalg.inv, "Inverse."),
    "slogdet": _by_numpy("slogdet", np.linalg.slogdet, "Sign of the determinant, and logarithm of its size."),
}  # fmt: skip
__all__ = ["FUNCTIONS", "LINALG", "batch_dot", "dot"]
