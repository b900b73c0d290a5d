"""`numpy.pad`: copies and constants are primitives; ramps and statistics of the edges are computed and joined on."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import MissingRuleError
from wengert.primitive import composite, is_wrapper, linear
from wengert.protocol import anywhere, innermost, lying, usual_order

STATISTICS = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}
MODES = (*STATISTICS, "linear_ramp")


# Copies and constants --------------------------------------------------------------------------------------------


def _pad_zeros(x, widths=()):
    return np.pad(x, widths)


def _crop(g, widths):
    return g[tuple(slice(before, n - after) for (before, after), n in zip(widths, g.shape, strict=True))]


_pad_zeros = linear(
    _pad_zeros,
    lambda g, widths: _crop(g, widths),
    batch=lambda x, widths: _pad_zeros(x, widths=((0, 0), *widths)),
    moves=True,
)


def _pad_copies(x, widths=(), mode="edge"):
    return np.pad(x, widths, mode)


def _pad_copies_back(x, widths=(), mode="edge"):
    """Axis by axis: the middle, and in each place what the margins have of it."""
    for axis, (before, after) in enumerate(widths):
        n = x.shape[axis] - before - after
        if before + after:
            lines = np.moveaxis(x, axis, 0)
            margins = np.r_[:before, before + n : len(lines)]
            places = np.pad(np.arange(n), (before, after), mode)[margins]
            total = np.array(lines[before : before + n])
            if len(places) < total[:1].size:
                for place, margin in zip(places, margins, strict=True):
                    total[place] += lines[margin]
            else:
                np.add.at(total, places, lines[margins])
            x = np.moveaxis(total, 0, axis)
    return x


_pad_copies = linear(
    _pad_copies,
    lambda g, widths, mode: pad_back(g, widths=widths, mode=mode),
    batch=lambda x, widths, mode: _pad_copies(x, widths=((0, 0), *widths), mode=mode),
    name="pad",
    moves=True,
)
pad_back = linear(
    _pad_copies_back,
    lambda g, widths, mode: _pad_copies(g, widths=widths, mode=mode),
    batch=lambda x, widths, mode: pad_back(x, widths=((0, 0), *widths), mode=mode),
    name="pad, transposed",
)


@composite(np.pad)
def pad(array, pad_width, mode="constant", **kwargs):
    if not array.ndim:
        return np.copy(array)
    return lying(_padded(array, pad_width, mode, **kwargs), usual_order(array))


def _padded(array, pad_width, mode, **kwargs):
    """Modes that only copy elements, and constants; the others are computed."""
    widths = _pad_widths(pad_width, array.ndim)
    values = kwargs.get("constant_values", 0)
    if mode == "constant" and not is_wrapper(values) and not anywhere(np.asarray(values)):
        return _pad_zeros(array, widths=widths)
    if mode in ("edge", "wrap", "reflect", "symmetric") and kwargs.get("reflect_type", "even") == "even":
        return _pad_copies(array, widths=widths, mode=mode)
    if mode == "constant":
        mask = np.pad(np.zeros(array.shape, bool), widths, constant_values=True)
        if is_wrapper(values) and not values.ndim:
            frame = np.astype(values, array.dtype)
        else:
            frame = np.pad(np.zeros(array.shape, array.dtype), widths, **kwargs)
        return np.where(mask, frame, _pad_zeros(array, widths=widths))
    if mode == "empty":
        return _pad_zeros(array, widths=widths)
    if mode in MODES and array.dtype.kind in "fc":
        return computed_margins(array, widths, mode, **kwargs)
    if mode in MODES:  # rounded, without a gradient: NumPy's numbers in the place of all zeros
        numbers = np.pad(innermost(array), widths, mode, **kwargs)
        return np.where(np.ones(numbers.shape, bool), numbers, _pad_zeros(array, widths=widths))
    raise MissingRuleError(
        f"[pad] a mode of NumPy's, with reflect_type='even', was required, which have derivative rules; "
        f"received mode {mode!r} with {kwargs}; use one of them, or np.concatenate"
    )


def _pad_widths(pad_width, ndim):
    if isinstance(pad_width, dict):
        axes = {i % ndim: w for i, w in pad_width.items()}
        pad_width = [axes.get(i, (0, 0)) for i in range(ndim)]
        pad_width = [(w, w) if isinstance(w, int) else w for w in pad_width]
    return tuple(map(tuple, np.broadcast_to(np.asarray(pad_width), (ndim, 2)).tolist()))


# Computed margins ------------------------------------------------------------------------------------------------


def computed_margins(x: Any, widths: tuple, mode: str, **keywords: Any) -> Any:
    """Axis by axis, as NumPy does: a later axis sees the margins of those before it."""
    allowed = {"linear_ramp": "end_values"}.get(mode, "stat_length")
    unknown = sorted(keywords.keys() - {allowed})
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    given = _per_side(keywords.get(allowed, 0 if mode == "linear_ramp" else None), x.ndim)
    for axis, (pair, (before, after)) in enumerate(zip(given, widths, strict=True)):
        if before or after:
            if not x.shape[axis]:
                raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
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
