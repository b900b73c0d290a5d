"""Writing into a part of a part of an array, as views of views are."""

from typing import Any

import numpy as np

__all__ = ["written"]


def written(x: Any, value: Any, path: tuple, index: Any, add: bool) -> Any:
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
    return flat.reshape(y.shape)
