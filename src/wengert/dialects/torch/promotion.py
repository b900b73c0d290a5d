"""PyTorch's dtypes of results, and its refusals, where they are not NumPy's.

Dtypes have a category: bool, integer, floating point, complex. The result has the highest category among the
operands; within it tensors with axes decide, and tensors without axes and Python numbers only where there are none.
"""

from typing import Any

import numpy as np

from wengert.box import Box
from wengert.dialects.torch.dtypes import default_complex, default_dtype
from wengert.dialects.torch.errors import LeafError, OperandError, TypeMismatchError
from wengert.errors import DTypeError, LeafWriteError, WengertError

FLOAT32, FLOAT64, BOOL = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.bool_)
INT64, UINT64 = np.dtype(np.int64), np.dtype(np.uint64)
UFuncTypeError: Any = np._core._exceptions.UFuncTypeError


def settle(y: Any, operands: tuple) -> Any:
    """A result in the dtype that PyTorch gives it."""
    dtype = y.dtype
    if dtype is FLOAT32 or dtype is BOOL:
        return y
    wanted = _promoted(dtype, operands)
    return y if wanted is dtype else y.astype(wanted)


def _promoted(dtype: np.dtype, operands: tuple) -> np.dtype:
    kind = dtype.kind
    if kind in "iu":
        return _integer(dtype, operands)
    with_axes, without, higher = _same_category(kind, operands)
    if with_axes or without:
        return np.result_type(*(with_axes or without))
    if kind == "f":
        return dtype if higher else default_dtype()
    return dtype if higher or any(getattr(x, "dtype", BOOL).kind == "f" for x in operands) else default_complex()


def _integer(dtype: np.dtype, operands: tuple) -> np.dtype:
    """Sums widen to int64; of operations on two or more, those with axes decide."""
    if len(operands) < 2:
        return INT64 if dtype is UINT64 and operands[0].dtype is not UINT64 else dtype
    kinds = [(getattr(x, "ndim", 0), x.dtype) for x in operands if getattr(x, "dtype", BOOL).kind in "iu"]
    if not kinds:  # of truth values, of which NumPy makes int8
        return INT64
    with_axes = [d for n, d in kinds if n]
    return np.result_type(*with_axes) if with_axes and len(with_axes) < len(kinds) else dtype


def _same_category(kind: str, operands: tuple) -> tuple[list, list, bool]:
    """Dtypes of the operands of this kind with axes and without, and whether one is complex where the result is not."""
    with_axes: list = []
    without: list = []
    higher = False
    for x in operands:
        dtype = getattr(x, "dtype", None)
        if dtype is None:
            continue
        if dtype.kind == kind:
            (with_axes if x.ndim else without).append(dtype)
        elif dtype.kind == "c":
            higher = True
    return with_axes, without, higher


def mismatched(operation: str, error: Exception, operands: tuple) -> Exception:
    """What is raised for operands whose shapes or dtypes NumPy refuses."""
    if isinstance(error, (WengertError, np.exceptions.AxisError)):
        return error
    if not all(hasattr(x, "shape") or isinstance(x, (int, float, complex)) for x in operands):
        return TypeMismatchError(
            f"[{operation}] tensors and numbers were required; received {[type(x).__name__ for x in operands]}: {error}"
        )
    shapes = [tuple(np.shape(x)) for x in operands]
    if operation == "matmul":
        left, right = ("x".join(map(str, shape)) for shape in shapes)
        return OperandError(
            f"[matmul] mat1 and mat2 shapes cannot be multiplied ({left} and {right}): size mismatch; transpose or "
            f"reshape"
        )
    different = _first_difference(shapes) if len(shapes) == 2 else None
    if different is not None:
        a, b, axis = different
        return OperandError(
            f"[{operation}] The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
            f"dimension {axis}; received shapes {shapes[0]} and {shapes[1]}"
        )
    return OperandError(f"[{operation}] operands that fit together were required; received shapes {shapes}: {error}")


def _first_difference(shapes: list) -> tuple | None:
    """The lengths that do not broadcast, and where, counted from the back."""
    n = max(map(len, shapes))
    a, b = ((1,) * (n - len(shape)) + shape for shape in shapes)
    wrong = [i for i in range(n) if a[i] != b[i] and 1 not in (a[i], b[i])]
    return (a[wrong[-1]], b[wrong[-1]], wrong[-1]) if wrong else None


def refused(target: Box, error: Exception, view: bool = False) -> Exception:
    """What PyTorch raises where the engine, or NumPy, refuses to write into `target`."""
    if isinstance(error, LeafWriteError) and not isinstance(error, LeafError):
        what = "a view of a leaf Variable" if view or target._is_view else "a leaf Variable"
        return LeafError(
            f"[in-place] {what} that requires grad is being used in an in-place operation; received "
            f"{target._spec!r}; write under torch.no_grad(), or into x.clone()"
        )
    if isinstance(error, (ValueError, DTypeError, UFuncTypeError)) and not isinstance(error, RuntimeError):
        return OperandError(f"[in-place] a result that fits {target._spec!r} was required, and can't be cast: {error}")
    return error
