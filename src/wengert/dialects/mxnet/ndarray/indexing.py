"""Gathering and choosing elements in ``mx.nd``."""

from typing import Any

import numpy as np

from wengert.box import bare
from wengert.dialects.mxnet.errors import MXNetError
from wengert.dialects.mxnet.ndarray.ndarray import TABLE, boxed
from wengert.dialects.mxnet.ndarray.operation import operation
from wengert.rules.reductions import normal_axes


def whole(indices: Any) -> np.ndarray:
    """Indices, which may be floats, as integers."""
    return np.asarray(bare(indices)).astype(np.int64)


def _bounded(operation: str, indices: np.ndarray, n: int, mode: str) -> np.ndarray:
    """Indices in [0, n)."""
    if mode == "clip":
        return np.clip(indices, 0, n - 1)
    if mode == "wrap":
        return indices % n
    if mode != "raise":
        raise MXNetError(f"[{operation}] mode clip, wrap or raise was required; received {mode!r}")
    if indices.size and (indices.min() < -n or indices.max() >= n):
        raise IndexError(
            f"[{operation}] indices in [{-n}, {n}) were required; received {indices.min()} to {indices.max()}"
        )
    return indices


@operation
def take(a: Any, indices: Any, axis: int = 0, mode: str = "clip") -> Any:
    """Elements at positions along an axis; positions beyond the ends are those of the ends (or wrap around)."""
    (axis,) = normal_axes(axis, a.ndim)
    return a[(*(slice(None),) * axis, _bounded("take", whole(indices), a.shape[axis], mode))]


@operation(method=False)
def batch_take(a: Any, indices: Any) -> Any:
    """One element of each row."""
    return pick(a, indices)


@operation
def pick(data: Any, index: Any, axis: int = -1, keepdims: bool = False, mode: str = "clip") -> Any:
    """One element of each line along an axis."""
    (axis,) = normal_axes(axis, data.ndim)
    at = _bounded("pick", whole(index), data.shape[axis], mode)
    lines = tuple(n for i, n in enumerate(data.shape) if i != axis)
    at = np.expand_dims(at.reshape(lines), axis)
    y = TABLE[np.take_along_axis](data, at, axis)
    if keepdims:
        return y
    return TABLE[np.reshape](y, lines or (1,))


@operation
def one_hot(indices: Any, depth: int, on_value: float = 1.0, off_value: float = 0.0, dtype: Any = "float32") -> Any:
    """Rows with `on_value` at a position and `off_value` elsewhere; everywhere, for positions that are not there."""
    hit = whole(indices)[..., None] == np.arange(depth)
    return boxed(np.where(hit, on_value, off_value).astype(dtype))


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


def _lengths(sequence_length: Any, use: bool, data: Any, axis: int) -> np.ndarray:
    if use and sequence_length is None:
        raise MXNetError("[sequence] sequence_length was required, as use_sequence_length=True; received None")
    return whole(sequence_length) if use else np.full(data.shape[1 - axis], data.shape[axis])


@operation(method=False)
def SequenceMask(
    data: Any, sequence_length: Any = None, use_sequence_length: bool = False, value: float = 0.0, axis: int = 0
) -> Any:
    """Each sequence beyond its length replaced by `value`."""
    lengths = _lengths(sequence_length, use_sequence_length, data, axis)
    inside = np.arange(data.shape[axis])[:, None] < lengths
    inside = inside if axis == 0 else inside.T
    return TABLE[np.where](inside.reshape(*inside.shape, *(1,) * (data.ndim - 2)), data, value)


@operation(method=False)
def SequenceLast(data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0) -> Any:
    """The last element of each sequence."""
    last = _lengths(sequence_length, use_sequence_length, data, axis) - 1
    batch = np.arange(data.shape[1 - axis])
    return data[(last, batch) if axis == 0 else (batch, last)]


@operation(method=False)
def SequenceReverse(data: Any, sequence_length: Any = None, use_sequence_length: bool = False, axis: int = 0) -> Any:
    """Each sequence backwards, up to its length."""
    lengths = _lengths(sequence_length, use_sequence_length, data, axis)
    t = np.arange(data.shape[0])[:, None]
    return data[np.where(t < lengths, lengths - 1 - t, t), np.arange(data.shape[1])]


FUNCTIONS = {
    name: globals()[name]
    for name in (
        "SequenceLast", "SequenceMask", "SequenceReverse", "batch_take", "gather_nd", "one_hot", "onehot_encode",
        "pick", "ravel_multi_index", "scatter_nd", "take", "unravel_index", "where",
    )
} | {"sequence_mask": SequenceMask, "sequence_last": SequenceLast, "sequence_reverse": SequenceReverse}  # fmt: skip
__all__ = ["FUNCTIONS", "boolean_mask", "index_copy", "whole"]
