"""Reading and writing at indices."""

from typing import Any

import numpy as np

from wengert.box import array_of, freeze
from wengert.dialects.torch.errors import AxisError, OptionError, TorchError
from wengert.dialects.torch.making import axis_of, bare, entry, in_place, named
from wengert.dialects.torch.promotion import refused
from wengert.dialects.torch.tensor import Tensor
from wengert.writes import write


def _indices(operation: str, index: Any) -> np.ndarray:
    value = array_of(index)
    if value.dtype.kind not in "iu":
        raise TorchError(f"[{operation}] Expected dtype int64 for index; received dtype {value.dtype}")
    return value


def _grid(operation: str, t: Tensor, dim: int, index: Any) -> tuple:
    """The index that goes along all other axes as they are, and along one where it is told."""
    value, axis = _indices(operation, index), axis_of(operation, t, dim)
    if not value.ndim and t._spec.ndim == 1:
        value = value.reshape(1)
    if value.ndim != t._spec.ndim:
        raise TorchError(
            f"[{operation}] Index tensor must have the same number of dimensions as input tensor; received "
            f"{value.shape} for {t._spec!r}"
        )
    n = t._spec.shape[axis] if t._spec.ndim else 1
    if value.size and (value.min() < 0 or value.max() >= n):
        wrong = int(value.min() if value.min() < 0 else value.max())
        raise AxisError(f"[{operation}] index {wrong} is out of bounds for dimension {axis} with size {n}")
    grid = list(np.ogrid[tuple(map(slice, value.shape))]) if value.ndim else []
    if value.ndim:
        grid[axis] = value
    return tuple(grid)


# Reading -----------------------------------------------------------------------------------------------------------


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """The elements at positions along a dimension."""
    return named(input[_grid("gather", input, dim, index)], "GatherBackward0")


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices at positions along a dimension."""
    axis, value = axis_of("index_select", input, dim), np.atleast_1d(_indices("index_select", index))
    n = input._spec.shape[axis] if input._spec.ndim else 1
    if value.size and (value.min() < 0 or value.max() >= n):
        raise AxisError(f"[index_select] index out of range in self: {value} for dimension {axis} with size {n}")
    return named(input[(slice(None),) * axis + (value,)], "IndexSelectBackward0")


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at positions in one dimension."""
    return named(entry(np.reshape)(input, (-1,))[_indices("take", index)], "TakeBackward0")


def take_along_dim(input: Tensor, indices: Tensor, dim: Any = None) -> Tensor:
    """The elements at positions along a dimension, stretched to fit."""
    return named(entry(np.take_along_axis)(input, _indices("take_along_dim", indices), dim), "GatherBackward0")


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask holds."""
    value = array_of(mask)
    shape = np.broadcast_shapes(input._spec.shape, value.shape)
    picked = entry(np.broadcast_to)(input, shape)[np.broadcast_to(value, shape)]
    return named(picked, "MaskedSelectBackward0")


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where elements are not zero: a row of indices for each."""
    found = np.nonzero(np.atleast_1d(bare(input)))
    if as_tuple:
        return tuple(map(Tensor._box, found))
    rows = np.stack(found, -1)
    return Tensor._box(rows if input._spec.ndim else rows[:, :0])


def argwhere(input: Tensor) -> Tensor:
    """Where elements are not zero: a row of indices for each."""
    return nonzero(input)


# Writing -----------------------------------------------------------------------------------------------------------


def _written(t: Tensor, index: Any, value: Any, add: bool = False) -> Tensor:
    try:
        write(t, freeze(index), value, add)
    except (ValueError, TypeError, RuntimeError) as error:
        raise refused(t, error) from error
    return t


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Copy the elements of `src` into this tensor."""
    return named(_written(self, Ellipsis, src), "CopyBackwards") if not self._is_view else _written(self, Ellipsis, src)


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to `value`."""
    return _written(self, Ellipsis, value)


def zero_(self: Tensor) -> Tensor:
    """Set every element to 0."""
    return _written(self, Ellipsis, 0)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`value` where a mask holds."""
    if mask._spec.dtype.kind != "b":
        raise TorchError(f"[masked_fill] only supports boolean masks, but got mask with dtype {mask.dtype}")
    if not isinstance(value, Tensor):
        value = np.asarray(value).astype(input._spec.dtype)[()]
    return named(entry(np.where)(mask, value, input), "MaskedFillBackward0")


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The elements of `source`, in their order, where a mask holds."""
    return masked_scatter_(input.clone(), mask, source)


def masked_scatter_(self: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`masked_scatter` in place."""
    where = np.broadcast_to(bare(mask), self._spec.shape)
    return _written(self, where, entry(np.reshape)(source, (-1,))[: int(where.sum())])


def _source(self: Tensor, index: Any, src: Any) -> Any:
    """The part of `src` that is scattered: as large as the index."""
    return src[tuple(map(slice, np.shape(bare(index))))] if isinstance(src, Tensor) and src._spec.ndim else src


def scatter_(
    self: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """Write the elements of `src` (or a number) to positions along a dimension."""
    src = value if src is None else src
    place = _grid("scatter", self, dim, index)
    if reduce not in (None, "add"):
        raise OptionError(f"[scatter] reduce None or 'add' was required; received {reduce!r}")
    return _written(self, place, _source(self, index, src), reduce == "add")


def scatter_add_(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Add the elements of `src` at positions along a dimension."""
    return _written(self, _grid("scatter_add", self, dim, index), _source(self, index, src), True)


def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, **options: Any) -> Tensor:
    """A copy with the elements of `src` (or a number) at positions along a dimension."""
    return named(scatter_(input.clone(), dim, index, src, **options), "ScatterBackward0")


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy with the elements of `src` added at positions along a dimension."""
    return named(scatter_add_(input.clone(), dim, index, src), "ScatterAddBackward0")


def _slices(operation: str, self: Tensor, dim: int, index: Any) -> tuple:
    return (slice(None),) * axis_of(operation, self, dim) + (np.atleast_1d(_indices(operation, index)),)


def index_add_(self: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """Add the slices of `source` to those at positions along a dimension."""
    return _written(self, _slices("index_add", self, dim, index), source if alpha == 1 else source * alpha, True)


def index_copy_(self: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Write the slices of `source` to positions along a dimension."""
    return _written(self, _slices("index_copy", self, dim, index), source)


def index_fill_(self: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Set the slices at positions along a dimension to a number."""
    return _written(self, _slices("index_fill", self, dim, index), value)


def index_put_(self: Tensor, indices: tuple, values: Any, accumulate: bool = False) -> Tensor:
    """Write (or add) at an index."""
    return _written(self, tuple(map(bare, indices)), values, accumulate)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`index_add_` on a copy."""
    return named(index_add_(input.clone(), dim, index, source, alpha=alpha), "IndexAddBackward0")


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`index_copy_` on a copy."""
    return named(index_copy_(input.clone(), dim, index, source), "IndexCopyBackward0")


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`index_fill_` on a copy."""
    return named(index_fill_(input.clone(), dim, index, value), "IndexFillBackward0")


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy with the elements of `src` put together at positions along a dimension: their sum, mean, maximum …."""
    place, values = _grid("scatter_reduce", input, dim, index), _source(input, index, src)
    if reduce not in ("sum", "mean") and (input.requires_grad or src.requires_grad):
        raise TorchError(f"[scatter_reduce] {reduce!r} has no derivative rule; reduce 'sum' and 'mean' have")
    start = input.clone()
    if not include_self:
        empty = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}[reduce]
        start = _written(start, place, empty)
    if reduce in ("sum", "mean"):
        total = _written(start, place, values, True)
        if reduce == "sum":
            return named(total, "ScatterReduceBackward0")
        counts = np.ones(input._spec.shape, input._spec.dtype)
        counts[place] = include_self
        np.add.at(counts, place, 1)
        return named(total / Tensor._box(np.maximum(counts, 1)), "ScatterReduceBackward0")
    result = np.array(bare(start))
    {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce].at(result, place, bare(values))
    return Tensor._box(result)


def scatter_reduce_(self: Tensor, *args: Any, **options: Any) -> Tensor:
    """`scatter_reduce` in place."""
    return _written(self, Ellipsis, scatter_reduce(self, *args, **options))


def index_put(input: Tensor, indices: tuple, values: Any, accumulate: bool = False) -> Tensor:
    """`index_put_` on a copy."""
    return named(index_put_(input.clone(), indices, values, accumulate), "IndexPutBackward0")


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put_` on a copy."""
    return named(put_(input.clone(), index, source, accumulate), "PutBackward0")


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy with `src` as the slice at an index of a dimension."""
    place = (slice(None),) * axis_of("select_scatter", input, dim) + (int(index),)
    return named(_written(input.clone(), place, src), "SelectScatterBackward0")


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the diagonal to a number."""
    n = min(self._spec.shape)
    return _written(self, (np.arange(n),) * self._spec.ndim, fill_value)


def put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write at positions in one dimension."""
    place = np.unravel_index(_indices("put", index), self._spec.shape)
    return _written(self, place, source, accumulate)


METHODS = {
    name: globals()[name] for name in (
        "argwhere", "copy_", "fill_", "fill_diagonal_", "gather", "index_add", "index_add_", "index_copy",
        "index_copy_", "index_fill", "index_fill_", "index_put", "index_put_", "index_select", "masked_fill",
        "masked_scatter", "masked_scatter_", "masked_select", "nonzero", "put", "put_", "scatter", "scatter_",
        "scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_", "select_scatter", "take",
        "take_along_dim", "zero_",
    )
}  # fmt: skip
METHODS["masked_fill_"] = in_place(masked_fill)
__all__ = [name for name in METHODS if not name.endswith("_")]
