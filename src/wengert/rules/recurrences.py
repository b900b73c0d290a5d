"""Linear recurrences along an axis, in logarithmically many steps."""

from typing import Any

import numpy as np


def recurrence(c: Any, b: Any, axis: int) -> Any:
    """The linear recurrence ``h[i] = c[i] * h[i - 1] + b[i]`` along an axis, from ``h[-1] = 0``.

    Two steps are one step of the same form, so that half as many steps give every other element (Ladner and Fischer,
    1980): linear time, whatever the coefficients, and in functions that have derivatives.
    """
    moved = _every_other(np.moveaxis(c, axis, -1), np.moveaxis(b, axis, -1))
    return np.moveaxis(moved, -1, axis)


def _every_other(c: Any, b: Any) -> Any:
    n = b.shape[-1]
    if n < 2:
        return b
    first, second = c[..., 0 : n - 1 : 2], c[..., 1::2]
    odd = _every_other(first * second, second * b[..., 0 : n - 1 : 2] + b[..., 1::2])
    even = c[..., 2::2] * odd[..., : (n - 1) // 2] + b[..., 2::2]
    even = np.concatenate([b[..., :1], even], axis=-1)
    pairs = np.stack([even[..., : n // 2], odd], axis=-1)
    pairs = np.reshape(pairs, (*b.shape[:-1], n - n % 2))
    return np.concatenate([pairs, even[..., -1:]], axis=-1) if n % 2 else pairs


def recurrence_back(c: Any, b: Any, axis: int) -> Any:
    """The same from the other end: ``h[i] = c[i + 1] * h[i + 1] + b[i]``; ``c[0]`` is not used."""
    return np.flip(recurrence(np.flip(np.roll(c, -1, axis), axis), np.flip(b, axis), axis), axis)
