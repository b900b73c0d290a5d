"""Products of vectors, matrices and tensors."""

from functools import reduce
from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OperandError, TorchError
from wengert.dialects.torch.making import bare, entry, named, stored
from wengert.dialects.torch.promotion import mismatched
from wengert.dialects.torch.tensor import Tensor

_matmul = entry(np.matmul)


def _check(operation: str, a: Tensor, b: Tensor, ranks: tuple) -> None:
    if (a._spec.ndim, b._spec.ndim) != ranks:
        raise OperandError(
            f"[{operation}] tensors of {ranks[0]} and {ranks[1]} dimensions were required: {operation}: Expected "
            f"{ranks[0]}D and {ranks[1]}D tensors; received {a._spec!r} and {b._spec!r}"
        )
    if a._spec.dtype != b._spec.dtype:
        raise TorchError(
            f"[{operation}] expected m1 and m2 to have the same dtype; received {a._spec!r} and {b._spec!r}; use x.to"
        )


def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The product of vectors, of matrices, or of stacks of matrices."""
    if isinstance(other, Tensor) and input._spec.dtype is not other._spec.dtype:
        raise TorchError(
            f"[matmul] expected m1 and m2 to have the same dtype; received {input._spec!r} and {other._spec!r}; "
            f"use x.to"
        )
    return _matmul(input, other) if out is None else stored(_matmul(input, other), out)


def mm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """The product of two matrices."""
    a, b = input._spec, mat2._spec
    if a.ndim != 2 or b.ndim != 2 or a.dtype is not b.dtype:
        _check("mm", input, mat2, (2, 2))
    return _matmul(input, mat2) if out is None else stored(_matmul(input, mat2), out)


def bmm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """The products of two stacks of matrices."""
    _check("bmm", input, mat2, (3, 3))
    if input._spec.shape[0] != mat2._spec.shape[0]:
        raise mismatched("bmm", ValueError("unequal batches"), (bare(input), bare(mat2)))
    return stored(named(_matmul(input, mat2), "BmmBackward0"), out)


def mv(input: Tensor, vec: Tensor, *, out: Any = None) -> Tensor:
    """The product of a matrix and a vector."""
    _check("mv", input, vec, (2, 1))
    return stored(_matmul(input, vec), out)


def dot(input: Tensor, tensor: Tensor, *, out: Any = None) -> Tensor:
    """The inner product of two vectors."""
    if input._spec.ndim != 1 or tensor._spec.ndim != 1:
        raise TorchError(
            f"[dot] 1D tensors expected, but got {input._spec.ndim}D and {tensor._spec.ndim}D tensors; use torch.matmul"
        )
    _check("dot", input, tensor, (1, 1))
    if input._spec.size != tensor._spec.size:
        raise OperandError(
            f"[dot] inconsistent tensor size, expected tensor [{input._spec.size}] and src [{tensor._spec.size}] to "
            f"have the same number of elements"
        )
    return stored(_matmul(input, tensor), out)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors, the first one conjugated."""
    return named(entry(np.vdot)(input, other), "VdotBackward0")


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Inner products along the last dimensions."""
    return entry(np.inner)(input, other)


def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """All products of elements of two vectors."""
    if input._spec.ndim != 1 or vec2._spec.ndim != 1:
        raise TorchError(f"[outer] Expected 1-D arguments; received {input._spec!r} and {vec2._spec!r}")
    return stored(named(entry(np.outer)(input, vec2), "MulBackward0"), out)


ger = outer


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products, written as an equation of subscripts."""
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    try:
        return entry(np.einsum)(equation.replace(" ", ""), *operands)
    except ValueError as error:
        raise OperandError(f"[einsum] operands that fit '{equation}' were required: {error}") from error


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sums of products over pairs of dimensions."""
    return entry(np.tensordot)(a, b, bare(dims))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product."""
    return named(entry(np.kron)(input, other), "ViewBackward0")


def multi_dot(tensors: Any) -> Tensor:
    """The product of a chain of matrices."""
    return reduce(_matmul, tensors)


def chain_matmul(*matrices: Any) -> Tensor:
    """The product of a chain of matrices."""
    return multi_dot(matrices)


def _scaled(input: Tensor, beta: Any, product: Tensor, alpha: Any, name: str) -> Tensor:
    product = product if alpha == 1 else product * alpha
    if not beta:  # then NaN in `input` is nothing to the result
        return named(product, name)
    return named((input if beta == 1 else input * beta) + product, name)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * mat1 @ mat2``."""
    return _scaled(input, beta, mm(mat1, mat2), alpha, "AddmmBackward0")


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * mat @ vec``."""
    return _scaled(input, beta, mv(mat, vec), alpha, "AddmvBackward0")


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    return _scaled(input, beta, outer(vec1, vec2), alpha, "AddrBackward0")


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * batch1 @ batch2``, for stacks of matrices."""
    return _scaled(input, beta, bmm(batch1, batch2), alpha, "BaddbmmBackward0")


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * sum(batch1 @ batch2)``."""
    return _scaled(input, beta, entry(np.sum)(bmm(batch1, batch2), 0), alpha, "AddbmmBackward0")


def cross(input: Tensor, other: Tensor, dim: Any = None) -> Tensor:
    """The vector product along a dimension of length 3."""
    if dim is None:
        dim = next((i for i, n in enumerate(input._spec.shape) if n == 3), -1)
    if input._spec.shape[dim] != 3:
        raise TorchError(f"[cross] a dimension of length 3 was required; received {input._spec!r}")
    roll = entry(np.roll)
    left, right = roll(input, -1, dim) * roll(other, -2, dim), roll(input, -2, dim) * roll(other, -1, dim)
    return named(left - right, "LinalgCrossBackward0")


METHODS = {
    name: globals()[name] for name in (
        "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "cross", "dot", "ger", "inner", "kron", "matmul", "mm",
        "mv", "outer", "vdot",
    )
}  # fmt: skip
__all__ = [*METHODS, "chain_matmul", "einsum", "tensordot"]
