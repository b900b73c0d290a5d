"""Writes as functions: copies of arrays in which a part is another; and how long slices are."""

from typing import Any

import numpy as np

from wengert.arrays import copied, empty_as


def _assigned(x: Any, value: Any, index: Any) -> Any:
    """A copy with a part written."""
    y = copied(x)
    y[index] = value
    return y if y.ndim else y[()]


def _added(x: Any, value: Any, index: Any) -> Any:
    """A copy with something added to a part, as often as the index names it."""
    y = copied(x)
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
    lying = empty_as(x)
    lying[...] = flat.reshape(y.shape)
    return lying


def length(start: Any, stop: Any, step: Any, n: int) -> int:
    """How many of so many elements a slice has."""
    return len(range(*slice(start, stop, step).indices(n)))
