"""Writes as functions: copies of arrays in which a part is another."""

from typing import Any

import numpy as np


def _copied(x: Any) -> np.ndarray:
    """A copy that lies in memory as an array does, as programs go on to decide by that: with the gaps that it has."""
    y = np.array(x)
    if x.__class__ is not np.ndarray or x.flags.c_contiguous or _strides(y) == _strides(x):
        return y
    if not y.size or 0 in _strides(x):
        return y
    low, high = np.lib.array_utils.byte_bounds(x)
    memory = np.empty(high - low, np.uint8)
    lying: np.ndarray = np.ndarray(x.shape, x.dtype, memory, x.__array_interface__["data"][0] - low, x.strides)
    lying[...] = x
    return lying


def _strides(x: np.ndarray) -> list[int]:
    """Bytes from one element to the next along the axes that have more than one."""
    return [stride for stride, n in zip(x.strides, x.shape, strict=True) if n > 1]


def _assigned(x: Any, value: Any, index: Any) -> Any:
    """A copy with a part written."""
    y = _copied(x)
    y[index] = value
    return y if y.ndim else y[()]


def _added(x: Any, value: Any, index: Any) -> Any:
    """A copy with something added to a part, as often as the index names it."""
    y = _copied(x)
    if index.__class__ in (int, slice) and y.dtype.kind == "f":
        y[index] += value
    else:
        np.add.at(y, index, value)
    return y if y.ndim else y[()]


def _written(x: Any, value: Any, path: tuple, index: Any, add: bool) -> Any:
    """A copy with a part of a part written, or added to; the path says of which."""
    y = np.array(x, order="C")
    flat = numbers = y.reshape(-1)
    places = np.arange(y.size).reshape(y.shape)
    if y.dtype.kind == "c":  # the places of the floats that complex numbers are
        places = 2 * places + 1j * (2 * places + 1)
    for function, params in path:
        places = function(places, **params)
    if places.dtype.kind == "c":
        places = places.real // 2
    elif y.dtype.kind == "c":
        numbers = flat.view(y.real.dtype)
    where = places[index].astype(int)
    if add:
        np.add.at(numbers, where, value)
    else:
        numbers[where] = value
    if x.__class__ is not np.ndarray or x.flags.c_contiguous:
        return flat.reshape(y.shape)
    lying = _copied(x)
    lying[...] = flat.reshape(y.shape)
    return lying
