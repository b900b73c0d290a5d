"""Images and signals of other sizes: interpolation along the last axes, and channels made pixels."""

from collections.abc import Sequence
from math import floor

import numpy as np

from wengert.errors import ArgumentError, ShapeError
from wengert.nn._inputs import Array, as_array, describe

__all__ = ["pixel_shuffle", "pixel_unshuffle", "resize"]


def resize(
    x: Array,
    sizes: Sequence[int],
    mode: str = "nearest",
    align_corners: bool = False,
    scales: Sequence[float | None] | None = None,
) -> Array:
    """Interpolate along the last axes, one after another.

    Parameters
    ----------
    x : array or tensor, floating point
    sizes : sequence of int
        The new lengths of the last axes.
    mode : {"nearest", "linear"}
        ``"linear"`` is bilinear along two axes, and so on.
    align_corners : bool
        For ``"linear"``: the first and last elements lie at the ends, and keep their values. Otherwise elements are
        cells of equal width that fill the same extent before and after.
    scales : sequence of float, optional
        How much longer each axis becomes, where that is not exactly the quotient of the lengths.

    Returns
    -------
    array or tensor of shape (..., *sizes)

    Examples
    --------
    >>> resize(np.array([1.0, 2.0]), [4])
    array([1., 1., 2., 2.])
    >>> resize(np.array([1.0, 2.0]), [4], "linear")
    array([1.  , 1.25, 1.75, 2.  ])
    """
    x = as_array(x)
    if mode not in ("nearest", "linear"):
        raise ArgumentError(f"[resize] mode 'nearest' or 'linear' was required; received {mode!r}")
    if len(sizes) > x.ndim or any(n < 1 for n in sizes):
        raise ShapeError(
            f"[resize] positive sizes of at most {x.ndim} axes were required; received {tuple(sizes)} for {describe(x)}"
        )
    factors = [None] * len(sizes) if scales is None else list(scales)
    for axis, size, factor in zip(range(-len(sizes), 0), sizes, factors, strict=True):
        step = x.shape[axis] / size if factor is None else 1 / factor
        x = _nearest(x, axis, size, step) if mode == "nearest" else _linear(x, axis, size, step, align_corners)
    return x


def _nearest(x: Array, axis: int, size: int, step: float) -> Array:
    places = np.minimum([floor(i * step) for i in range(size)], x.shape[axis] - 1)
    return np.take(x, places, axis=axis)


def _linear(x: Array, axis: int, size: int, step: float, align_corners: bool) -> Array:
    length = x.shape[axis]
    if align_corners:
        places = np.linspace(0, length - 1, size) if size > 1 else np.zeros(1)
    else:
        places = np.clip((np.arange(size) + 0.5) * step - 0.5, 0, length - 1)
    below = np.minimum(places.astype(np.intp), length - 1)
    above = np.minimum(below + 1, length - 1)
    share = (places - below).astype(x.dtype).reshape((-1,) + (1,) * (-axis - 1))
    return np.take(x, below, axis=axis) * (1 - share) + np.take(x, above, axis=axis) * share


def pixel_shuffle(x: Array, factor: int) -> Array:
    """Channels made pixels, from (..., channels * factor**2, h, w) to (..., channels, h * factor, w * factor).

    Each pixel becomes a square of ``factor**2`` channels (Shi et al. 2016).

    Examples
    --------
    >>> pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2)
    array([[[0., 1.],
            [2., 3.]]])
    """
    x = as_array(x)
    if x.ndim < 3 or factor < 1 or x.shape[-3] % factor**2:
        raise ShapeError(
            f"[pixel_shuffle] shape (..., channels, h, w), channels a multiple of {factor**2}, was required; received "
            f"{describe(x)}; choose another factor"
        )
    *rest, channels, h, w = x.shape
    parts = np.reshape(x, (*rest, channels // factor**2, factor, factor, h, w))
    parts = np.moveaxis(parts, (-4, -3), (-3, -1))
    return np.reshape(parts, (*rest, channels // factor**2, h * factor, w * factor))


def pixel_unshuffle(x: Array, factor: int) -> Array:
    """Pixels made channels: the inverse of `pixel_shuffle`.

    Examples
    --------
    >>> pixel_unshuffle(np.array([[[0.0, 1.0], [2.0, 3.0]]]), 2).ravel()
    array([0., 1., 2., 3.])
    """
    x = as_array(x)
    if x.ndim < 3 or factor < 1 or x.shape[-2] % factor or x.shape[-1] % factor:
        raise ShapeError(
            f"[pixel_unshuffle] shape (..., channels, h, w), h and w multiples of {factor}, was required; received "
            f"{describe(x)}; choose another factor"
        )
    *rest, channels, h, w = x.shape
    parts = np.reshape(x, (*rest, channels, h // factor, factor, w // factor, factor))
    parts = np.moveaxis(parts, (-3, -1), (-4, -3))
    return np.reshape(parts, (*rest, channels * factor**2, h // factor, w // factor))
