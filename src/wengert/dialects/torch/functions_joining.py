"""Functions that join tensors and take them apart."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.dialects.torch.errors import OperandError, TorchError, TypeMismatchError
from wengert.dialects.torch.making import axis_of, bare, entry, named, spell, stored, titled
from wengert.dialects.torch.tensor import Tensor

_concatenate, _stack = entry(np.concatenate), entry(np.stack)

# Joining -----------------------------------------------------------------------------------------------------------


def _tensors(operation: str, tensors: Any) -> list:
    if isinstance(tensors, Tensor):
        return list(tensors)
    if not isinstance(tensors, (list, tuple)):
        raise _no_tensors(operation, tensors)
    for part in tensors:
        if not isinstance(part, Tensor):
            raise _no_tensors(operation, tensors)
    if not tensors:
        raise TorchError(f"[{operation}] {operation}(): expected a non-empty list of Tensors")
    return list(tensors)


def _no_tensors(operation: str, given: Any) -> TypeMismatchError:
    return TypeMismatchError(
        f"[{operation}] {operation}(): argument 'tensors' (position 1) must be tuple of Tensors; received {given!r}"
    )


def cat(tensors: Any, dim: int = 0, *, axis: Any = None, out: Any = None) -> Tensor:
    """Tensors joined along a dimension."""
    parts = _tensors("cat", tensors)
    for p in parts:
        if not p._spec.ndim:
            raise TorchError("[cat] zero-dimensional tensor cannot be concatenated; use torch.stack")
        if p._spec.shape == (0,):  # which fits everywhere
            parts = [p for p in parts if p._spec.shape != (0,)] or parts
            break
    axis = axis_of("cat", parts[0], dim if axis is None else axis)
    try:
        result = _concatenate(parts, axis)
    except (ValueError, OperandError) as error:
        raise OperandError(
            f"[cat] Sizes of tensors must match except in dimension {axis}; received {[p.shape for p in parts]}"
        ) from error
    return result if out is None else stored(result, out)


def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    parts = _tensors("stack", tensors)
    shape = parts[0]._spec.shape
    for p in parts:
        if p._spec.shape != shape:
            raise OperandError(
                f"[stack] stack expects each tensor to be equal size; received {[p.shape for p in parts]}"
            )
    result = _stack(parts, axis_of("stack", parts[0], dim, 1))
    return result if out is None else stored(result, out)


def _joining(name: str, function: Any, backward: str) -> Callable:
    def applied(tensors: Any) -> Tensor:
        return named(entry(function)(_tensors(name, tensors)), backward)

    return titled(applied, name, f"See `numpy.{function.__name__}`.")


hstack, vstack = _joining("hstack", np.hstack, "CatBackward0"), _joining("vstack", np.vstack, "CatBackward0")
dstack = _joining("dstack", np.dstack, "CatBackward0")
column_stack = _joining("column_stack", np.column_stack, "CatBackward0")


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple:
    """Grids of coordinates."""
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    return tuple(entry(np.meshgrid)(*parts, indexing=indexing))


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All rows that take one element from each of several vectors."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([entry(np.ravel)(grid) for grid in meshgrid(*tensors)], -1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All rows of `r` elements of a vector, in its order."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input._spec.size), r)), np.intp).reshape(-1, r)
    return input[rows]


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with matrices along its diagonal, and zeros elsewhere."""
    blocks = [entry(np.atleast_2d)(t) for t in tensors]
    widths = [t._spec.shape[1] for t in blocks]
    rows = []
    for i, block in enumerate(blocks):
        before, after = sum(widths[:i]), sum(widths[i + 1 :])
        rows.append(entry(np.pad)(block, ((0, 0), (before, after))))
    return cat(rows)


# Splitting ---------------------------------------------------------------------------------------------------------


def _piece(input: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return input[(slice(None),) * axis + (slice(start, stop),)]


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0, *, split_size: Any = None) -> tuple:
    """Pieces along a dimension: of a length, or of several lengths."""
    axis = axis_of("split", tensor, dim)
    total, sizes = tensor._spec.shape[axis], split_size_or_sections
    if isinstance(sizes, int):
        sizes = [min(sizes, total - start) for start in range(0, total, sizes)] or [0]
    if sum(sizes) != total:
        raise TorchError(
            f"[split] split_with_sizes expects split_sizes to sum exactly to {total}; received {list(sizes)}"
        )
    ends = np.cumsum(sizes).tolist()
    return tuple(
        named(_piece(tensor, axis, end - n, end), "SplitBackward0") for n, end in zip(sizes, ends, strict=True)
    )


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple:
    """Pieces along a dimension, at most `chunks` of them."""
    length = input._spec.shape[axis_of("chunk", input, dim)]
    return split(input, max(1, -(-length // chunks)), dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple:
    """Pieces along a dimension, of lengths as equal as possible, or between indices."""
    axis = axis_of("tensor_split", input, dim)
    total, sections = input._spec.shape[axis], bare(indices_or_sections)
    if isinstance(sections, (int, np.integer)):
        lengths = [total // sections + (i < total % sections) for i in range(sections)]
        return split(input, lengths, dim)
    ends = [*map(int, sections), total]
    return tuple(_piece(input, axis, a, b) for a, b in zip([0, *ends], ends, strict=False))


def unbind(input: Tensor, dim: int = 0) -> tuple:
    """The slices along a dimension."""
    axis = axis_of("unbind", input, dim)
    return tuple(named(input[(slice(None),) * axis + (i,)], "UnbindBackward0") for i in range(input._spec.shape[axis]))


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` elements along a dimension, from `start` on."""
    axis, start = axis_of("narrow", input, dim), int(start)
    if start + length > input._spec.shape[axis]:
        raise TorchError(
            f"[narrow] start ({start}) + length ({length}) exceeds dimension size {input._spec.shape[axis]}"
        )
    return _piece(input, axis, start, start + length)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at an index of a dimension."""
    return input[(slice(None),) * axis_of("select", input, dim) + (int(index),)]


def _along(name: str, dim: int) -> Callable:
    def applied(input: Tensor, indices_or_sections: Any) -> tuple:
        return tensor_split(input, indices_or_sections, min(dim, input._spec.ndim - 1))

    return titled(applied, name, f"`tensor_split` along dimension {dim}.")


hsplit, vsplit, dsplit = _along("hsplit", 1), _along("vsplit", 0), _along("dsplit", 2)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` elements along a dimension, each `step` behind the last; they are the last dimension."""
    axis = axis_of("unfold", input, dimension)
    length = input._spec.shape[axis] if input._spec.ndim else 1
    if size > length or step <= 0:
        raise TorchError(f"[unfold] size <= {length} and step > 0 were required; received size {size}, step {step}")
    starts = np.arange(0, length - size + 1, step)
    windows = input[(slice(None),) * axis + (starts[:, None] + np.arange(size),)]
    return named(entry(np.moveaxis)(windows, axis + 1, -1), "UnfoldBackward0")


concat = concatenate = cat
row_stack = vstack
_NAMES = ("chunk", "dsplit", "hsplit", "narrow", "select", "split", "tensor_split", "unbind", "unfold", "vsplit")
spell(globals(), (*_NAMES, "stack"))
METHODS: dict[str, Callable] = {name: globals()[name] for name in _NAMES}
METHODS["split_with_sizes"] = split
__all__ = [name for name in _NAMES if name != "unfold"] + [
    "block_diag", "cartesian_prod", "cat", "column_stack", "combinations", "concat", "concatenate", "dstack", "hstack",
    "meshgrid", "row_stack", "stack", "vstack",
]  # fmt: skip
