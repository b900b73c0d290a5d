"""Gathering and choosing elements in ``mx.nd``."""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet import selecting
from wengert.dialects.mxnet.ndarray import shaping
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, boxed
from wengert.dialects.mxnet.ndarray.operation import operation
from wengert.dialects.mxnet.selecting import bounded, whole
from wengert.rules.reductions import normal_axes


@operation
def take(a: Any, indices: Any, axis: int = 0, mode: str = "clip") -> Any:
    """Elements at positions along an axis; positions beyond the ends are those of the ends (or wrap around)."""
    (axis,) = normal_axes(axis, a.ndim)
    return a[(*(slice(None),) * axis, bounded("take", whole(indices), a.shape[axis], mode))]


@operation(method=False)
def batch_take(a: Any, indices: Any) -> Any:
    """One element of each row."""
    return pick(a, indices)


@operation
def pick(data: Any, index: Any, axis: int = -1, keepdims: bool = False, mode: str = "clip") -> Any:
    """One element of each line along an axis."""
    y = selecting.pick_along(data, index, axis, mode)
    return y if keepdims else shaping.squeeze(y, axis)


one_hot = operation(selecting.one_hot)


def onehot_encode(indices: Any, out: Any) -> Any:
    """`one_hot`, written into an array."""
    out[...] = one_hot(indices, out.shape[1])
    return out


@operation(method=False)
def where(condition: Any, x: Any, y: Any) -> Any:
    """Elements of `x` where the condition is not zero, of `y` elsewhere; a condition of one axis chooses rows."""
    chosen = bare(condition) != 0
    ndim = max(getattr(x, "ndim", 0), getattr(y, "ndim", 0))
    if chosen.ndim == 1 and ndim > 1:
        chosen = chosen.reshape(-1, *(1,) * (ndim - 1))
    return TABLE[np.where](chosen, x, y)


@operation
def gather_nd(data: Any, indices: Any) -> Any:
    """Elements at positions that the first axis of `indices` runs through."""
    return data[tuple(whole(indices))]


@operation(method=False)
def scatter_nd(data: Any, indices: Any, shape: Any) -> Any:
    """Zeros, with elements written at positions that the first axis of `indices` runs through."""
    buffer = boxed(np.zeros(shape, data.dtype))
    buffer[tuple(whole(indices))] = data
    return buffer


@operation(method=False)
def boolean_mask(data: Any, index: Any, axis: int = 0) -> Any:
    """The rows where the mask is not zero."""
    (axis,) = normal_axes(axis, data.ndim)
    return data[(*(slice(None),) * axis, np.flatnonzero(bare(index)))]


@operation(method=False)
def index_copy(old_tensor: Any, index_vector: Any, new_tensor: Any) -> Any:
    """A copy of the first array, with rows replaced."""
    copied = TABLE[np.copy](old_tensor)
    return TABLE[np.where](_rows(copied, index_vector), _spread_rows(copied, index_vector, new_tensor), copied)


def _rows(like: Any, index_vector: Any) -> np.ndarray:
    mask = np.zeros((like.shape[0], *(1,) * (like.ndim - 1)), bool)
    mask[whole(index_vector)] = True
    return mask


def _spread_rows(like: Any, index_vector: Any, rows: Any) -> Any:
    """New rows at their places, others at the rest (where they are not used)."""
    source = np.zeros(like.shape[0], np.int64)
    source[whole(index_vector)] = np.arange(len(whole(index_vector)))
    return rows[source]


@operation(method=False)
def ravel_multi_index(data: Any, shape: Any) -> Any:
    """Positions in the flattened array."""
    return boxed(np.ravel_multi_index(tuple(whole(data)), shape).astype(bare(data).dtype))


@operation(method=False)
def unravel_index(data: Any, shape: Any) -> Any:
    """Positions along each axis."""
    return boxed(np.stack(np.unravel_index(whole(data), shape)).astype(bare(data).dtype))


# Sequences: time on axis 0 (or 1), the batch on the other ---------------------------------------------------------


sequence_mask = operation(selecting.sequence_mask, method=False)


@operation(method=False)
def SequenceLast(data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0) -> Any:
    """The last element of each sequence."""
    last = selecting.lengths(sequence_length, use_sequence_length, data, axis) - 1
    batch = np.arange(data.shape[1 - axis])
    return data[(last, batch) if axis == 0 else (batch, last)]


@operation(method=False)
def SequenceReverse(data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0) -> Any:
    """Each sequence backwards, up to its length."""
    lengths = selecting.lengths(sequence_length, use_sequence_length, data, axis)
    t = np.arange(data.shape[0])[:, None]
    return data[np.where(t < lengths, lengths - 1 - t, t), np.arange(data.shape[1])]


FUNCTIONS = {
    name: globals()[name]
    for name in (
        "SequenceLast", "SequenceReverse", "batch_take", "gather_nd", "one_hot", "onehot_encode",
        "pick", "ravel_multi_index", "scatter_nd", "take", "unravel_index", "where",
    )
} | {
    "SequenceMask": sequence_mask, "sequence_last": SequenceLast, "sequence_mask": sequence_mask,
    "sequence_reverse": SequenceReverse,
}  # fmt: skip
__all__ = ["FUNCTIONS", "boolean_mask", "index_copy"]
