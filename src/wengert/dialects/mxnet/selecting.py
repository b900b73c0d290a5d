"""Choosing elements, and a few functions that NumPy has none for: for both array classes."""

from math import prod
from typing import Any

import numpy as np

from wengert import nn
from wengert.box import array_of
from wengert.dialects.mxnet.errors import MXNetError

__all__ = [
    "arange_like",
    "hard_sigmoid",
    "one_hot",
    "order",
    "pick_along",
    "sequence_mask",
    "smooth_l1",
    "topk",
    "whole",
]


def whole(indices: Any) -> np.ndarray:
    """Indices, which may be floats, as integers."""
    return array_of(indices).astype(np.int64)


def bounded(operation: str, indices: np.ndarray, n: int, mode: str) -> np.ndarray:
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


def pick_along(data: Any, index: Any, axis: int, mode: str) -> Any:
    """One element of each line along an axis, which stays; positions that are not there are clipped or wrap around."""
    at = bounded("pick", whole(index), data.shape[axis], mode)
    lines = tuple(n for i, n in enumerate(data.shape) if i != axis % data.ndim)
    return data._table[np.take_along_axis](data, np.expand_dims(at.reshape(lines), axis), axis)


def one_hot(indices: Any, depth: int, on_value: float = 1.0, off_value: float = 0.0, dtype: Any = "float32") -> Any:
    """Rows with `on_value` at a position and `off_value` elsewhere; everywhere, for positions that are not there."""
    hit = whole(indices)[..., None] == np.arange(depth)
    return indices._box(np.where(hit, on_value, off_value).astype(dtype))


def order(data: Any, axis: int | None, is_ascend: bool) -> np.ndarray:
    """Positions of the elements in order along an axis; equal elements stay in theirs."""
    x = array_of(data)
    if not is_ascend:
        x = -x if x.dtype.kind not in "bu" else np.invert(x)
    return np.argsort(x, axis=axis, kind="stable")


def topk(
    data: Any, axis: int | None = -1, k: int = 1, ret_typ: str = "indices", is_ascend: bool = False,
    dtype: Any = "float32",
) -> Any:  # fmt: skip
    """The `k` largest elements (or smallest) along an axis: positions, values, both, or a mask of them."""
    if ret_typ not in ("value", "indices", "mask", "both"):
        raise MXNetError(f"[topk] ret_typ value, indices, mask or both was required; received {ret_typ!r}")
    if axis is None:
        data, axis = data._table[np.ravel](data), 0
    n = data.shape[axis]
    best = np.take(order(data, axis, is_ascend), np.arange(k if 0 < k < n else n), axis)
    if ret_typ == "mask":
        mask = np.zeros(data.shape, data.dtype)
        np.put_along_axis(mask, best, 1, axis)
        return data._box(mask)
    positions = data._box(best.astype(dtype))
    if ret_typ == "indices":
        return positions
    values = data._table[np.take_along_axis](data, best, axis)
    return values if ret_typ == "value" else [values, positions]


def lengths(sequence_length: Any, use: bool, data: Any, axis: int) -> np.ndarray:
    """How long each sequence of a batch is: time on `axis` 0 or 1, the batch on the other."""
    if use and sequence_length is None:
        raise MXNetError("[sequence] sequence_length was required, as use_sequence_length=True; received None")
    return whole(sequence_length) if use else np.full(data.shape[1 - axis], data.shape[axis])


def sequence_mask(
    data: Any, sequence_length: Any = None, use_sequence_length: bool = False, value: float = 0.0, axis: int = 0
) -> Any:
    """Each sequence beyond its length replaced by `value`; time is on `axis` 0 or 1, the batch on the other."""
    inside = np.arange(data.shape[axis])[:, None] < lengths(sequence_length, use_sequence_length, data, axis)
    inside = inside if axis == 0 else inside.T
    mask = inside.reshape(*inside.shape, *(1,) * (data.ndim - 2))
    return data._table[np.where](mask, data, np.asarray(value, data.dtype)[()])


def arange_like(data: Any, start: float = 0.0, step: float = 1.0, repeat: int = 1, axis: int | None = None) -> Any:
    """Evenly spaced numbers, each `repeat` times: in the shape of an array, or as many as one of its axes is long."""
    shape = data.shape if axis is None else (data.shape[axis],)
    numbers = start + step * (np.arange(prod(shape)) // repeat)
    return data._box(numbers.reshape(shape).astype(data.dtype))


def smooth_l1(data: Any, scalar: float = 1.0) -> Any:
    """``(scalar * x)**2 / 2`` near 0, and ``|x| - 1 / (2 * scalar**2)`` from ``1 / scalar**2`` on."""
    square = scalar * scalar
    return square * nn.huber(data, np.zeros(data.shape, data.dtype), 1 / square, "none")


def hard_sigmoid(data: Any, alpha: float = 0.2, beta: float = 0.5) -> Any:
    """``alpha * x + beta``, between 0 and 1."""
    return np.clip(alpha * data + beta, 0, 1)
