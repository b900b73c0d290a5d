"""Shapes and types of elements."""

import math
from collections.abc import Iterable
from enum import Enum
from typing import Any

import numpy as np

from wengert.dialects.djl.errors import IllegalArgumentException, IndexOutOfBoundsException

__all__ = ["DataType", "Shape"]


class DataType(Enum):
    """The type of an array's elements, printed in lower case: ``float32``, ``boolean``."""

    FLOAT32 = np.dtype(np.float32)
    FLOAT64 = np.dtype(np.float64)
    FLOAT16 = np.dtype(np.float16)
    UINT8 = np.dtype(np.uint8)
    INT8 = np.dtype(np.int8)
    INT16 = np.dtype(np.int16)
    INT32 = np.dtype(np.int32)
    INT64 = np.dtype(np.int64)
    UINT16 = np.dtype(np.uint16)
    UINT32 = np.dtype(np.uint32)
    UINT64 = np.dtype(np.uint64)
    BOOLEAN = np.dtype(np.bool_)
    COMPLEX64 = np.dtype(np.complex64)

    @staticmethod
    def fromNumpy(dtype: Any) -> "DataType":
        """The type that stands for a NumPy dtype."""
        try:
            return DataType(np.dtype(dtype))
        except ValueError:
            raise IllegalArgumentException(
                f"[DataType] one of {', '.join(map(str, DataType))} was required; received the NumPy dtype "
                f"{np.dtype(dtype)}; convert the array first"
            ) from None

    def isFloating(self) -> bool:
        """Whether elements are real floating-point numbers."""
        return self.value.kind == "f"

    def isInteger(self) -> bool:
        """Whether elements are integers."""
        return self.value.kind in "iu"

    def isBoolean(self) -> bool:
        """Whether elements are truth values."""
        return self.value.kind == "b"

    def isRealNumber(self) -> bool:
        """Whether elements are real numbers."""
        return self.value.kind == "f"

    def getNumOfBytes(self) -> int:
        """Bytes of one element."""
        return self.value.itemsize

    def asNumpy(self) -> str:
        """NumPy's code for the type, such as ``<f4``."""
        return self.value.str

    def __str__(self) -> str:
        return self.name.lower()

    __repr__ = toString = __str__


class Shape(tuple):
    """The lengths of the axes: ``Shape(2, 3)``. It is a tuple as well, and prints as ``(2, 3)``."""

    __slots__ = ()

    def __new__(cls, *shape: Any) -> "Shape":
        """A shape of integers, of which -1 stands for an unknown length; or of one sequence of them."""
        if len(shape) == 1 and isinstance(shape[0], Iterable):
            shape = tuple(shape[0])
        lengths = tuple(map(int, shape))
        if any(n < -1 for n in lengths):
            raise IllegalArgumentException(
                f"[Shape] lengths of at least -1 (which stands for unknown) were required; received {lengths}"
            )
        return super().__new__(cls, lengths)

    @staticmethod
    def update(shape: "Shape", dimension: int, value: int) -> "Shape":
        """The shape with one length replaced."""
        return Shape(*shape[:dimension], value, *shape[dimension + 1 :])

    def getShape(self) -> list[int]:
        """The lengths as a list."""
        return list(self)

    def get(self, dimension: int) -> int:
        """The length of one axis."""
        if not 0 <= dimension < len(self):
            raise IndexOutOfBoundsException(
                f"[Shape.get] an axis of {self}, counted from 0, was required; received {dimension}"
            )
        return self[dimension]

    def size(self, *dimensions: int) -> int:
        """The product of the lengths of some axes, by default of all; -1 if one is unknown."""
        if any(not 0 <= d < len(self) for d in dimensions):
            raise IllegalArgumentException(f"[Shape.size] axes of {self} were required; received {dimensions}")
        lengths = [self[d] for d in dimensions] if dimensions else self
        return -1 if -1 in lengths else math.prod(lengths)

    def dimension(self) -> int:
        """The number of axes."""
        return len(self)

    def getUnknownValueCount(self) -> int:
        """How many lengths are unknown."""
        return self.count(-1)

    def slice(self, beginIndex: int, endIndex: int | None = None) -> "Shape":
        """The axes from one to before another."""
        return Shape(self[beginIndex:endIndex])

    def add(self, *axes: int) -> "Shape":
        """The shape with more axes after it."""
        return Shape(*self, *axes)

    def addAll(self, other: "Shape") -> "Shape":
        """Both shapes, one after the other."""
        return Shape(*self, *other)

    def head(self) -> int:
        """The first length."""
        return self._end(0)

    def tail(self) -> int:
        """The last length."""
        return self._end(-1)

    def _end(self, position: int) -> int:
        if not self:
            raise IndexOutOfBoundsException("[Shape] a shape with axes was required; received that of a scalar, ()")
        return self[position]

    def getTrailingOnes(self) -> int:
        """How many axes of length 1 there are at the end."""
        return next((i for i, n in enumerate(reversed(self)) if n != 1), 0)

    def getLeadingOnes(self) -> int:
        """How many axes of length 1 there are at the beginning."""
        return next((i for i, n in enumerate(self) if n != 1), 0)

    def isScalar(self) -> bool:
        """Whether there are no axes."""
        return not self

    def hasZeroDimension(self) -> bool:
        """Whether an axis has the length 0."""
        return 0 in self

    def __str__(self) -> str:
        return f"({', '.join(map(str, self))})"

    __repr__ = toString = __str__


def shape_of(shape: tuple) -> Shape:
    """The shape that arguments give: one `Shape` or sequence, or integers."""
    return Shape(*shape)


def dtype_of(dataType: Any) -> np.dtype:
    """The NumPy dtype of a `DataType` (NumPy's own are taken as well)."""
    return dataType.value if isinstance(dataType, DataType) else DataType.fromNumpy(dataType).value
