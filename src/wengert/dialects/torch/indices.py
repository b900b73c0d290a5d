"""Indices as PyTorch takes them."""

import operator
from typing import Any

import numpy as np

from wengert.box import Box, freeze
from wengert.dialects.torch.errors import OptionError


def checked_index(index: Any, ndim: int) -> Any:
    """An index that nobody can change later, without steps that PyTorch has not, which selects a view where it can.

    (NumPy makes a copy of a single element, unless the index ends with an ellipsis.)
    """
    if index.__class__ is list and any(i is None or isinstance(i, (list, tuple, slice, Box)) for i in index):
        index = tuple(index)
    parts = index if index.__class__ is tuple else (index,)
    for part in parts:
        if part.__class__ is slice and part.step is not None and operator.index(part.step) <= 0:
            raise OptionError(f"[index] step must be greater than zero; received {part}; use torch.flip")
    index = freeze(index)
    if len(parts) == ndim and all(
        isinstance(i, (int, np.integer)) for i in (index if index.__class__ is tuple else (index,))
    ):
        return (*index, Ellipsis) if index.__class__ is tuple else (index, Ellipsis)
    return index
