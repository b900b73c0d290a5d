"""Lists of arrays."""

from collections.abc import Iterable
from typing import Any

from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.device import Device
from wengert.dialects.djl.errors import IndexOutOfBoundsException
from wengert.dialects.djl.ndarray.array import NDArray
from wengert.dialects.djl.ndarray.types import Shape

__all__ = ["NDList"]


class NDList(AutoCloseable, list):
    """A list of arrays, found by position or by name: what goes into blocks and comes out of them."""

    def __init__(self, *arrays: Any):
        """A list of the arrays given, one by one or in one sequence; a number alone is a capacity, and ignored."""
        if len(arrays) == 1 and not isinstance(arrays[0], NDArray):
            arrays = () if isinstance(arrays[0], int) else tuple(arrays[0])
        super().__init__(arrays)

    def get(self, index: int | str) -> NDArray:
        """The array at a position, or with a name."""
        if isinstance(index, str):
            found = [a for a in self if a.getName() == index]
            if not found:
                raise IndexOutOfBoundsException(f"[NDList.get] the name of an array was required; received '{index}'")
            return found[0]
        if not 0 <= index < len(self):
            raise IndexOutOfBoundsException(f"[NDList.get] a position below {len(self)} was required; received {index}")
        return self[index]

    def add(self, *entry: Any) -> "NDList":
        """Append an array, or insert it: ``add(array)``, ``add(position, array)``; returns itself."""
        self.insert(entry[0] if len(entry) == 2 else len(self), entry[-1])
        return self

    def addAll(self, *entries: Any) -> "NDList":
        """Append the arrays of other lists; returns itself."""
        for entry in entries:
            self.extend([entry] if isinstance(entry, NDArray) else entry)
        return self

    def set(self, index: int, array: NDArray) -> NDArray:
        """Replace the array at a position, and give back the old one."""
        old, self[index] = self.get(index), array
        return old

    def remove(self, entry: Any) -> Any:
        """Take out the array with a name, at a position, or itself, and give it back."""
        if isinstance(entry, str):
            entry = self.get(entry)
        return self.pop(entry if isinstance(entry, int) else next(i for i, a in enumerate(self) if a is entry))

    def contains(self, name: str) -> bool:
        """Whether an array has the name."""
        return any(a.getName() == name for a in self)

    def head(self) -> NDArray:
        """The first array."""
        return self.get(0)

    def singletonOrThrow(self) -> NDArray:
        """The only array."""
        if len(self) != 1:
            raise IndexOutOfBoundsException(
                f"[singletonOrThrow] a list of one array was required; received one of {len(self)}"
            )
        return self[0]

    def size(self) -> int:
        """How many arrays there are."""
        return len(self)

    def isEmpty(self) -> bool:
        """Whether there are none."""
        return not self

    def getShapes(self) -> list[Shape]:
        """The shapes."""
        return [a.getShape() for a in self]

    def subNDList(self, fromIndex: int, toIndex: int | None = None) -> "NDList":
        """The arrays from a position to before another."""
        return NDList(self[fromIndex:toIndex])

    subList = subNDList

    def toArray(self, *like: Any) -> list[NDArray]:
        """The arrays in a plain list."""
        return list(self)

    def toDevice(self, device: Device, copy: bool) -> "NDList":
        """The arrays on a device."""
        return NDList([a.toDevice(device, copy) for a in self])

    def getManager(self) -> Any:
        """The manager of the first array."""
        return self.head().getManager()

    def getResourceNDArrays(self) -> list[NDArray]:
        """The arrays."""
        return list(self)

    def attach(self, manager: Any) -> None:
        """Give all arrays to a manager."""
        _each(self, "attach", manager)

    def tempAttach(self, manager: Any) -> None:
        """Give all arrays to a manager until it is closed."""
        _each(self, "tempAttach", manager)

    def detach(self) -> None:
        """Take all arrays from their managers."""
        _each(self, "detach")

    def close(self) -> None:
        """Close all arrays, and empty the list."""
        _each(self, "close")
        self.clear()

    def __repr__(self) -> str:
        names = [f"{a.getName() or ''}: {a.getShape()} {a.getDevice()} {a.getDataType()}" for a in self]
        return "\n".join([f"NDList size: {len(self)}", *(f"{i} {name}" for i, name in enumerate(names))])

    toString = __str__ = __repr__


def _each(arrays: Iterable[NDArray], method: str, *arguments: Any) -> None:
    for array in arrays:
        getattr(array, method)(*arguments)
