"""Indices: `NDIndex` reads ``"1:3, :"`` and builds what Python writes between brackets."""

import re
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.box import Box, array_of
from wengert.dialects.djl.errors import IllegalArgumentException

__all__ = ["NDIndex"]

_NUMBER = r"(-?\d+|\{\})"
_ITEM = re.compile(rf"(?P<all>\*)|(?P<slice>{_NUMBER}?:{_NUMBER}?(:{_NUMBER})?)|(?P<one>-?\d+|\{{\}})")


class Pick:
    """For each place in the axes before, the element of an axis that an array of integers names there."""

    def __init__(self, index: Any):
        self.index = array_of(index)


class NDIndex:
    """A part of an array, for ``get`` and ``set``.

    ``NDIndex("1:3, :")`` reads slices, ``*`` for everything, ``...`` and, for each ``{}``, the next argument: an
    integer, an array of truth values, an array of integers (the elements to take) or ``None`` (a new axis).
    ``NDIndex(0, 2)`` is the element of each axis.
    """

    def __init__(self, *indices: Any):
        self._items: list[Any] = []
        if indices:
            self.addIndices(*indices)

    @staticmethod
    def sliceAxis(axis: int, min: int, max: int) -> "NDIndex":
        """A range of one axis."""
        return NDIndex().addAllDim(axis).addSliceDim(min, max)

    def addIndices(self, *indices: Any) -> "NDIndex":
        """Append what a string (and the arguments for its ``{}``), or integers, say; returns itself."""
        if not isinstance(indices[0], str):
            self._items += [_plain(i) for i in indices]
            return self
        arguments = list(indices[1:])
        if arguments:
            self._items += [_parse(part, arguments) for part in indices[0].split(",")]
        else:
            self._items += _parsed(indices[0])
        if arguments:
            raise IllegalArgumentException(
                f"[NDIndex] as many arguments as there are {{}} in '{indices[0]}' were required; received "
                f"{len(arguments)} more"
            )
        if sum(item is Ellipsis for item in self._items) > 1:
            raise IllegalArgumentException(f"[NDIndex] one ... at most was required; received '{indices[0]}'")
        return self

    def addBooleanIndex(self, index: Any) -> "NDIndex":
        """Append a mask, which selects along as many axes as it has; returns itself."""
        self._items.append(array_of(index).astype(bool))
        return self

    def addAllDim(self, count: int = 1) -> "NDIndex":
        """Append all of an axis, or of several; returns itself."""
        if count < 0:
            raise IllegalArgumentException(f"[addAllDim] a number of axes was required; received {count}")
        self._items += [slice(None)] * count
        return self

    def addEllipseDim(self) -> "NDIndex":
        """Append all of the axes that are not named; returns itself."""
        self._items.append(Ellipsis)
        return self

    def addSliceDim(self, min: int, max: int, step: int | None = None) -> "NDIndex":
        """Append a range; returns itself."""
        self._items.append(slice(min, max, step))
        return self

    def addPickDim(self, index: Any) -> "NDIndex":
        """Append, for the axes before, the element that an array of integers names at each place; returns itself."""
        self._items.append(Pick(index))
        return self

    def getRank(self) -> int:
        """How many axes are named."""
        return sum(item.ndim if _is_mask(item) else item is not Ellipsis for item in self._items)

    def getEllipsisIndex(self) -> int:
        """Where the ``...`` stands, or -1."""
        return next((i for i, item in enumerate(self._items) if item is Ellipsis), -1)

    def get(self, dimension: int) -> Any:
        """One part of the index."""
        return self._items[dimension]

    def getIndices(self) -> list:
        """All parts of the index."""
        return list(self._items)

    def __repr__(self) -> str:
        return f"NDIndex({self._items})"


def _is_mask(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype == bool


def _parse(part: str, arguments: list) -> Any:
    """One part between commas."""
    part = part.strip()
    if part == "...":
        return Ellipsis
    found = _ITEM.fullmatch(part)
    if found is None:
        raise IllegalArgumentException(
            f"[NDIndex] integers, slices a:b:c, '*', '...' or {{}} between commas were required; received '{part}'"
        )
    if found["all"]:
        return slice(None)
    if found["one"]:
        return _next(arguments) if found["one"] == "{}" else int(found["one"])
    bounds = [_next(arguments) if b == "{}" else None if not b else int(b) for b in found["slice"].split(":")]
    if not all(b is None or isinstance(b, int) for b in bounds):
        raise IllegalArgumentException(f"[NDIndex] integers were required for '{part}'; received {bounds}")
    return slice(*bounds)


@lru_cache
def _parsed(text: str) -> tuple:
    """What a string without arguments says: programs read the same few many times."""
    return tuple(_parse(part, []) for part in text.split(","))


def _next(arguments: list) -> Any:
    if not arguments:
        raise IllegalArgumentException("[NDIndex] an argument for each {} was required; received fewer")
    return _plain(arguments.pop(0))


def _plain(item: Any) -> Any:
    """One part in Python's terms."""
    if item is None or isinstance(item, (slice, Pick)) or item is Ellipsis:
        return item
    if isinstance(item, (Box, np.ndarray, list)):
        array = array_of(item)
        return array if array.dtype.kind in "biu" else array.astype(np.int64)
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return int(item)
    raise IllegalArgumentException(
        f"[NDIndex] an integer, an array of integers or of truth values, or None was required; received {item!r}"
    )


def brackets(index: NDIndex) -> tuple | Pick:
    """What stands between brackets for an index; a `Pick` that is its last part, alone."""
    items = index.getIndices()
    if any(isinstance(item, Pick) for item in items):
        if not isinstance(items[-1], Pick) or any(item != slice(None) for item in items[:-1]):
            raise IllegalArgumentException(f"[NDIndex] picking after whole axes only was required; received {index}")
        return items[-1]
    # With an ellipsis a single element is a view, too.
    return (*items, ...) if items and all(item.__class__ is int for item in items) else tuple(items)


def pick_positions(pick: Pick, axis: int, ndim: int) -> np.ndarray:
    """The array of a pick with the picked axis put in, as `numpy.take_along_axis` wants it."""
    positions = pick.index.astype(np.int64)
    if positions.ndim < ndim:
        positions = np.expand_dims(positions, axis)
    return positions.reshape(positions.shape + (1,) * (ndim - positions.ndim))
