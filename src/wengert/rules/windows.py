"""Windows that slide along axes: convolutions, maxima and sums of windows, `sliding_window_view`.

One idea for all of them: a window has a few positions, and what all windows have at one position is a slice with steps
of the array. Who reads windows copies these slices, who takes the way back adds to them, and no element is ever looked
up by itself. Padding comes first: the array is copied into the room that its windows need.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np

from wengert.errors import ArgumentError
from wengert.primitive import bilinear, composite, linear, primitive
from wengert.protocol import anywhere
from wengert.rules.elementwise import only

__all__ = ["Windows", "convolve", "convolve_back", "convolve_weight", "window_max", "window_sum", "windows"]


@dataclass(frozen=True)
class Windows:
    """Where windows lie along the last axes of an array; each field has one number per axis."""

    size: tuple[int, ...]
    """Of the array."""
    count: tuple[int, ...]
    """How many windows there are."""
    window: tuple[int, ...]
    """Elements of a window."""
    stride: tuple[int, ...]
    """From one window to the next."""
    padding: tuple[int, ...]
    """By how much the first window begins before the array."""
    dilation: tuple[int, ...]
    """From one element of a window to the next."""

    @cached_property
    def room(self) -> tuple[int, ...]:
        """From the first element of the first window to the last of the last."""
        axes = zip(self.count, self.stride, self.window, self.dilation, strict=True)
        return tuple([(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in axes])

    @cached_property
    def covered(self) -> tuple[slice, ...]:
        """The part of the array that lies in the room."""
        axes = zip(self.size, self.room, self.padding, strict=True)
        return tuple([slice(0, max(0, min(n, room - p))) for n, room, p in axes])

    @cached_property
    def kept(self) -> tuple[slice, ...]:
        """The same part, as a part of the room."""
        return tuple([slice(p, p + part.stop) for p, part in zip(self.padding, self.covered, strict=True)])

    @cached_property
    def padded(self) -> bool:
        """Whether some of the room lies outside of the array."""
        return any(part.stop < room for part, room in zip(self.covered, self.room, strict=True))

    @cached_property
    def positions(self) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Each position in a window, and the part of the room that the windows have there."""
        axes = zip(self.count, self.window, self.stride, self.dilation, strict=True)
        lines = [[slice(i * d, i * d + (n - 1) * s + 1, s) for i in range(k)] for n, k, s, d in axes]
        return list(zip(np.ndindex(*self.window), itertools.product(*lines), strict=True))


windows = lru_cache(1000)(Windows)
"""The same record for the same numbers, so that its slices are worked out once."""


# Convolution -----------------------------------------------------------------------------------------------------
# Three functions, each linear in both operands, and each the adjoint of the others: of x (batch, channels, *size), of
# the weight (features, channels / groups, *window), and of the result (batch, features, *count).
#
# The examples of a batch go last on the way: what is copied are then long runs, also where images are small. The
# windows become columns of a matrix, for as many examples at a time as leave it in the cache.

_AT_ONCE = 2**20
"""Numbers that stay in the cache: measured, half the time that it takes with all of a batch of 64 images at once."""


def _convolve(x, weight, windows=(), groups=1):
    rows, features = _rows(weight, groups), len(weight)
    y = np.empty((len(x), features, *windows.count), np.result_type(x, weight))
    for some in _batches(x, features, windows):
        z = np.matmul(rows, _columns(x[some], windows, groups))
        y[some] = _batch_first(z.reshape(features, *windows.count, len(x[some])))
    return y


def _convolve_back(c, weight, windows=(), groups=1):
    rows, channels = _rows(weight, groups).swapaxes(1, 2), weight.shape[1] * groups
    x = np.zeros((len(c), channels, *windows.size), np.result_type(c, weight))
    for some in _batches(x, len(weight), windows):
        n, columns = len(x[some]), np.matmul(rows, _grouped(_batch_last(c[some]), groups))
        columns = columns.reshape(channels, *windows.window, *windows.count, n)
        room = np.zeros((channels, *windows.room, n), x.dtype)
        for position, part in windows.positions:
            room[:, *part] += columns[:, *position]
        x[some][:, :, *windows.covered] = _batch_first(room[:, *windows.kept])
    return x


def _convolve_weight(c, x, windows=(), groups=1):
    channels, features = x.shape[1] // groups, c.shape[1]
    weight = np.zeros((groups, channels * prod(windows.window), features // groups), np.result_type(c, x))
    for some in _batches(x, features, windows):
        columns = _columns(x[some], windows, groups)
        weight += np.matmul(columns, _grouped(_batch_last(c[some]), groups).swapaxes(1, 2))
    return weight.swapaxes(1, 2).reshape(features, channels, *windows.window)


def _batches(x, features, windows):
    """Cut a batch so that the matrices of windows, and features that change their order, are not too large."""
    each = prod(windows.count) * (x.shape[1] * prod(windows.window) + 4 * features)
    parts = max(1, -(-len(x) * each // _AT_ONCE))
    step = max(1, -(-len(x) // parts))
    return [slice(i, i + step) for i in range(0, len(x), step)]


def _columns(x, windows, groups):
    """The windows of some examples: a matrix for each group, with a window in each column."""
    n, channels = x.shape[:2]
    room = np.zeros((channels, *windows.room, n), x.dtype)
    room[:, *windows.kept] = _batch_last(x[:, :, *windows.covered])
    columns = np.empty((channels, *windows.window, *windows.count, n), x.dtype)
    for position, part in windows.positions:
        columns[:, *position] = room[:, *part]
    return columns.reshape(groups, channels // groups * prod(windows.window), prod(windows.count) * n)


def _rows(weight, groups):
    """The weight as a matrix for each group, with a feature in each row."""
    return weight.reshape(groups, len(weight) // groups, prod(weight.shape[1:]))


def _grouped(y, groups):
    """Features of some examples, examples last: a matrix for each group, with a feature in each row."""
    return y.reshape(groups, len(y) // groups, prod(y.shape[1:]))


def _batch_last(x):
    return x.transpose(*range(1, x.ndim), 0)


def _batch_first(x):
    return x.transpose(x.ndim - 1, *range(x.ndim - 1))


convolve = bilinear(
    _convolve,
    lambda g, weight, windows, groups: convolve_back(g, weight, windows=windows, groups=groups),
    lambda g, x, windows, groups: convolve_weight(g, x, windows=windows, groups=groups),
    batch=lambda x, weight, batched, windows, groups: _each(convolve, x, weight, batched, windows, groups),
)
convolve_back = bilinear(
    _convolve_back,
    lambda g, weight, windows, groups: convolve(g, weight, windows=windows, groups=groups),
    lambda g, c, windows, groups: convolve_weight(c, g, windows=windows, groups=groups),
    batch=lambda c, weight, batched, windows, groups: _each(convolve_back, c, weight, batched, windows, groups),
)
convolve_weight = bilinear(
    _convolve_weight,
    lambda g, x, windows, groups: convolve(x, g, windows=windows, groups=groups),
    lambda g, c, windows, groups: convolve_back(c, g, windows=windows, groups=groups),
    batch=lambda c, x, windows, groups: _weight_each(c, x, windows, groups),
)


# Many convolutions at once: with one weight they are one of all images; with a weight each they are groups of one.


def _each(function, x, weight, batched, windows, groups):
    if not batched[1]:
        y = function(np.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:])), weight, windows=windows, groups=groups)
        return np.reshape(y, (*x.shape[:2], *y.shape[1:]))
    n = weight.shape[0]
    x = x if batched[0] else np.broadcast_to(x, (n, *x.shape))
    weights = np.reshape(weight, (n * weight.shape[1], *weight.shape[2:]))
    return _split(function(_side_by_side(x), weights, windows=windows, groups=n * groups), n)


def _weight_each(c, x, windows, groups):
    n = c.shape[0]
    weight = convolve_weight(_side_by_side(c), _side_by_side(x), windows=windows, groups=n * groups)
    return np.reshape(weight, (n, c.shape[2], *weight.shape[1:]))


def _side_by_side(x):
    """The channels of all members of a batch as the channels of one."""
    x = np.swapaxes(x, 0, 1)
    return np.reshape(x, (x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


def _split(y, n):
    return np.swapaxes(np.reshape(y, (y.shape[0], n, y.shape[1] // n, *y.shape[2:])), 0, 1)


# Sums of windows -------------------------------------------------------------------------------------------------


def _window_sum(x, windows=()):
    room = _room(x, windows, 0)
    return sum(room[..., *part] for _, part in windows.positions)


def _window_sum_back(c, windows=()):
    return _back(c, windows, (c for _ in windows.positions))


def _room(x, windows, fill):
    """The array with what lies around it, as far as windows reach."""
    inner = x[..., *windows.covered]
    if not windows.padded:
        return inner
    room = np.full((*x.shape[: x.ndim - len(windows.size)], *windows.room), fill, x.dtype)
    room[..., *windows.kept] = inner
    return room


def _back(like, windows, parts):
    """An array to which the windows add, at each position, one of `parts`."""
    lead = like.shape[: like.ndim - len(windows.size)]
    room = np.zeros((*lead, *windows.room), like.dtype)
    for (_, part), c in zip(windows.positions, parts, strict=True):
        room[..., *part] += c
    if windows.room == windows.size and not windows.padded:
        return room
    x = np.zeros((*lead, *windows.size), like.dtype)
    x[..., *windows.covered] = room[..., *windows.kept]
    return x


window_sum = linear(_window_sum, lambda g, windows: window_sum_back(g, windows=windows), batch="leading")
window_sum_back = linear(_window_sum_back, lambda g, windows: window_sum(g, windows=windows), batch="leading")


# Maxima of windows -----------------------------------------------------------------------------------------------
# Elements equal to the maximum of their window share its cotangent evenly; where it is NaN, the NaNs do. Small changes
# of x do not change which elements these are: the way back is linear in the cotangent and constant in the rest.


def _window_max(x, windows=()):
    room = _lowest_around(x, windows)
    (_, first), *others = windows.positions
    y = np.copy(room[..., *first])
    for _, part in others:
        np.maximum(y, room[..., *part], out=y)
    return y


def _to_maxima(c, x, maxima, windows=()):
    """Adjoint of `_window_max` at `x`."""
    taken, ties = _taken(x, maxima, windows, c.real.dtype)
    share = c if ties is None else c / ties
    return _back(c, windows, (only(each, share) for each in taken))


def _from_maxima(c, x, maxima, windows=()):
    """Tangent of `_window_max` at `x`: for each window the mean over the elements that are equal to its maximum."""
    taken, ties = _taken(x, maxima, windows, c.real.dtype)
    room = _room(c, windows, 0)
    total = sum(only(each, room[..., *part]) for each, (_, part) in zip(taken, windows.positions, strict=True))
    return total if ties is None else total / ties


def _taken(x, maxima, windows, dtype):
    """For each position which elements are the maxima of their windows; how many each window has, if not just one."""
    room = _lowest_around(x, windows)
    elements = [room[..., *part] for _, part in windows.positions]
    taken = [each == maxima for each in elements]
    if anywhere(maxima != maxima):
        taken = [same | (each != each) for same, each in zip(taken, elements, strict=True)]
    if sum(map(np.count_nonzero, taken)) == taken[0].size:
        return taken, None
    return taken, sum(each.astype(dtype) for each in taken)


def _lowest_around(x, windows):
    return _room(x, windows, -np.inf if x.dtype.kind in "fc" else np.iinfo(x.dtype).min)


window_max = primitive(
    _window_max,
    lambda g, x, y, windows: to_maxima(g, x, y, windows=windows),
    tangents=(lambda g, x, y, windows: from_maxima(g, x, y, windows=windows),),
    batch="leading",
)
to_maxima = primitive(
    _to_maxima,
    lambda g, x, maxima, windows: from_maxima(g, x, maxima, windows=windows),
    None,
    None,
    tangents=(lambda g, x, maxima, windows: to_maxima(g, x, maxima, windows=windows),),
    batch="leading",
)
from_maxima = primitive(
    _from_maxima,
    lambda g, x, maxima, windows: to_maxima(g, x, maxima, windows=windows),
    None,
    None,
    tangents=(lambda g, x, maxima, windows: from_maxima(g, x, maxima, windows=windows),),
    batch="leading",
)


# NumPy's own -----------------------------------------------------------------------------------------------------


def _slide(x, window=(), axis=()):
    windows = np.lib.stride_tricks.sliding_window_view(x, window, axis)
    return _naming_memory(windows, x) if x.__class__ is np.ndarray and x.size else windows


def _naming_memory(windows, x):
    """The same windows as an array of which NumPy tells whose memory it shows, so that writes there are found.

    Those that NumPy makes do not; nor do they here where `x` is a part of what is no array of NumPy's.
    """
    owner = x.base if x.base.__class__ is np.ndarray else x
    if not (owner.flags.c_contiguous or owner.flags.f_contiguous):
        return windows
    offset = windows.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return np.ndarray(windows.shape, windows.dtype, owner, offset, windows.strides)


def _slide_back(c, size=(), window=(), axis=()):
    x = np.zeros(size, c.dtype)
    for position in np.ndindex(*window):
        starts = [0] * len(size)
        for k, i in zip(axis, position, strict=True):
            starts[k] += i  # an axis may be named more than once
        x[*(slice(i, i + n) for i, n in zip(starts, c.shape, strict=False)),] += c[..., *position]
    return x


_slide = linear(
    _slide,
    lambda g, like, window, axis: slide_back(g, size=like.shape, window=window, axis=axis),
    batch="axis",
    view=True,
)
slide_back = linear(
    _slide_back,
    lambda g, window, axis: _slide(g, window=window, axis=axis),
    batch=lambda c, size, window, axis: slide_back(
        c, size=(len(c), *size), window=window, axis=tuple(i + 1 for i in axis)
    ),
)


@composite(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    if writeable:
        raise ArgumentError(
            f"[sliding_window_view] writeable=False was required, as windows overlap; received "
            f"writeable={writeable!r}; write into the array itself"
        )
    window = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis
    y = _slide(x, window=window, axis=np.lib.array_utils.normalize_axis_tuple(axes, x.ndim, allow_duplicate=True))
    return np.broadcast_to(y, y.shape)  # which nobody may write
