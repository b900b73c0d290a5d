"""Modes of `numpy.pad` that fill the margin with something computed: ramps, and statistics of the edges."""

from collections.abc import Callable
from typing import Any

import numpy as np

STATISTICS = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}
MODES = (*STATISTICS, "linear_ramp")


def computed_margins(x: Any, widths: tuple, mode: str, **keywords: Any) -> Any:
    """Axis by axis, as NumPy does: a later axis sees the margins of those before it."""
    allowed = {"linear_ramp": "end_values"}.get(mode, "stat_length")
    unknown = sorted(keywords.keys() - {allowed})
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    given = _per_side(keywords.get(allowed, 0 if mode == "linear_ramp" else None), x.ndim)
    for axis, (pair, (before, after)) in enumerate(zip(given, widths, strict=True)):
        if before or after:
            margin = _ramps if mode == "linear_ramp" else _statistics(STATISTICS[mode])
            left, right = margin(x, axis, pair, before, after)
            x = np.concatenate([left, x, right], axis=axis)
    return x


def _per_side(given: Any, ndim: int) -> list:
    """What NumPy takes for all sides, for both sides of all axes, or for each side of each axis."""
    if given is None:
        return [(None, None)] * ndim
    return np.broadcast_to(np.asarray(given), (ndim, 2)).tolist()


def _ramps(x: Any, axis: int, ends: tuple, before: int, after: int) -> tuple[Any, Any]:
    """Straight lines from the edges to the values at the ends."""
    return _ramp(x, axis, 0, ends[0], before), np.flip(_ramp(x, axis, -1, ends[1], after), axis)


def _ramp(x: Any, axis: int, edge: int, end: Any, width: int) -> Any:
    shape = [1] * x.ndim
    shape[axis] = width
    steps = np.arange(width).reshape(shape).astype(x.real.dtype)
    return steps * ((np.take(x, [edge], axis) - end) / max(width, 1)) + end


def _statistics(of: Callable) -> Callable:
    def margins(x: Any, axis: int, lengths: tuple, before: int, after: int) -> tuple[Any, Any]:
        n, here = x.shape[axis], (slice(None),) * axis
        left, right = (n if length is None else min(int(length), n) for length in lengths)
        if min(left, right) == 0 and of in (np.max, np.min):
            raise ValueError("stat_length of 0 yields no value for padding")
        first = of(x[(*here, slice(0, left))], axis=axis, keepdims=True)
        last = first if left == right == n else of(x[(*here, slice(n - right, n))], axis=axis, keepdims=True)
        return np.repeat(first, before, axis), np.repeat(last, after, axis)

    return margins
