"""What passes for an array in NumPy, and holds tensors: lists and tuples, and the iterators that ``x.flat`` are."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from wengert.protocol import Wrapper, note_filled

__all__ = ["Flat", "arguments_joined", "has_sequence", "holds_wrapper", "joined", "list_joined"]


def has_sequence(values: Iterable) -> bool:
    """Whether a list or tuple is among some values."""
    return any(map(SEQUENCES.__contains__, map(type, values)))


SEQUENCES = frozenset({list, tuple})


def holds_wrapper(data: Any) -> bool:
    """Whether a tensor, or another wrapper, is in nested sequences, or is what is asked about."""
    if isinstance(data, (list, tuple)):
        return any(map(holds_wrapper, data))
    return isinstance(data, (Wrapper, Flat))


def joined(data: Any) -> Any:
    """Nested sequences of numbers, arrays and tensors as one value: what ``np.array(data)`` is to plain numbers."""
    if not isinstance(data, (list, tuple)):
        return data.copy() if isinstance(data, Flat) else data
    if not holds_wrapper(data):
        return np.asarray(data)
    together = np.stack(list(map(joined, data)))
    note_filled(together)
    return together


def list_joined(value: Any) -> Any:
    """An argument: one value in the place of a sequence that holds tensors."""
    return joined(value) if isinstance(value, (list, tuple, Flat)) and holds_wrapper(value) else value


def arguments_joined(name: str, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of one of NumPy's functions, with one value in the place of each sequence that stands for one."""
    if name == "block":  # its lists are no arrays
        return args, kwargs
    function = name.rpartition(".")[2]
    join = _parts_joined if function in OF_PARTS else list_joined
    if function == "at" and len(args) > 1 and isinstance(args[1], tuple):  # an index for each axis
        return (join(args[0]), tuple(map(join, args[1])), *map(join, args[2:])), kwargs
    return tuple(map(join, args)), {key: join(value) for key, value in kwargs.items()}


OF_PARTS = frozenset({
    "concatenate", "concat", "stack", "hstack", "vstack", "dstack", "column_stack", "row_stack", "multi_dot",
    "select", "choose", "lexsort", "histogram2d", "histogramdd", "piecewise", "apply_over_axes", "ravel_multi_index",
})  # fmt: skip
"""Functions that take several arrays in a list."""


def _parts_joined(value: Any) -> Any:
    return value.__class__(map(list_joined, value)) if value.__class__ in (list, tuple) else value


class Flat:
    """An iterator over the elements of `base`, which can be read and written at an index.

    >>> import wengert as wg
    >>> table = wg.zeros((2, 2))
    >>> table.flat[1:] = [5.0, 6.0]
    >>> [float(x) for x in table.flat], float(table.flat[-1])
    ([0.0, 5.0, 6.0, 5.0], 5.0)
    """

    __slots__ = ("base", "index")

    def __init__(self, base: Any):
        self.base, self.index = base, 0

    @property
    def coords(self) -> tuple:
        """Where the next element is."""
        return tuple(map(int, np.unravel_index(self.index, self.base.shape)))

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Any:
        return iter(np.ravel(self.base)[self.index :])

    def __next__(self) -> Any:
        if self.index == len(self):
            raise StopIteration
        self.index += 1
        return np.ravel(self.base)[self.index - 1]

    def __getitem__(self, index: Any) -> Any:
        found = np.ravel(self.base)[index]
        return found.copy() if np.ndim(found) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        places = np.arange(len(self))[index]
        value = joined(value)
        if np.ndim(value) and np.shape(value) != np.shape(places):  # values are taken again from the first one on
            value = np.ravel(value)[np.arange(np.size(places)) % np.size(value)].reshape(np.shape(places))
        self.base[np.unravel_index(places, self.base.shape)] = value

    def copy(self) -> Any:
        """The elements, as an array of their own."""
        return np.ravel(self.base).copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(np.ravel(self.base), dtype)
