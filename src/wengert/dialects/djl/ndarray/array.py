"""`NDArray`: what it is and holds. Its operations are installed by `wengert.dialects.djl.ndarray.methods`."""
# What is installed is not visible to a type checker.
# mypy: disable-error-code="override, return-value, arg-type"

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert import tape
from wengert.box import array_of, bare
from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.device import Device, require_cpu
from wengert.dialects.djl.errors import IllegalArgumentException, IllegalStateException
from wengert.dialects.djl.ndarray import gradients
from wengert.dialects.djl.ndarray.home import CLOSED, SYSTEM, ClosedHome, owned
from wengert.dialects.djl.ndarray.index import NDIndex, Pick, brackets, pick_positions
from wengert.dialects.djl.ndarray.printing import layout
from wengert.dialects.djl.ndarray.types import DataType, Shape, dtype_of
from wengert.dialects.family import DialectTensor, float32_first, found_family
from wengert.protocol import spec_of
from wengert.views import detached_view

__all__ = ["NDArray"]


INTEGERS = frozenset((int,))


class Size(int):
    """The number of elements; called, as Java does, with axes or without, it counts along those."""

    _shape: Shape

    def __call__(self, *axes: int) -> int:
        """The number of elements along some axes, by default along all."""
        return self._shape.size(*axes)


class NDArray(AutoCloseable, DialectTensor):
    """An array of a manager, made by `NDManager`, whose gradients are collected while a collector is open.

    Examples
    --------
    >>> from wengert.dialects.djl import Engine, NDManager
    >>> x = NDManager.newBaseManager().arange(4.0)
    >>> x.setRequiresGradient(True)
    >>> with Engine.getInstance().newGradientCollector() as gc:
    ...     gc.backward(x.dot(x).mul(2))
    >>> x.getGradient()
    ND: (4) cpu() float32
    [ 0.,  4.,  8., 12.]
    """

    __slots__ = ("_collects", "_is_latest", "_name")
    _flags = ("_is_latest",)
    """Whether the gradient is one of the latest collector's."""
    _ground = SYSTEM

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    # What it is -------------------------------------------------------------------------------------------------

    def getShape(self) -> Shape:
        """The lengths of the axes."""
        return Shape(self._spec.shape)

    def getDataType(self) -> DataType:
        """The type of the elements."""
        return DataType.fromNumpy(self._spec.dtype)

    def getDevice(self) -> Device:
        """Where the array is: on the processor."""
        return Device.cpu()

    def getName(self) -> str | None:
        """The name that it was given."""
        return getattr(self, "_name", None)

    def setName(self, name: str | None) -> None:
        """Give it a name, which is printed."""
        self._name = name

    def getUid(self) -> str:
        """A name that no other array has."""
        return f"{id(self):x}"

    @property
    def size(self) -> Any:
        """The number of elements: ``size()``, ``size(axis, ...)``."""
        size = Size(self._spec.size)
        size._shape = self.getShape()
        return size

    def isScalar(self) -> bool:
        """Whether it has no axes."""
        return not self._spec.ndim

    def isEmpty(self) -> bool:
        """Whether it has no elements."""
        return not self._spec.size

    def isSparse(self) -> bool:
        """Whether it is stored as a sparse array: never."""
        return False

    def toDense(self) -> "NDArray":
        """A copy, as all arrays are dense."""
        return self.duplicate()

    def shapeEquals(self, other: "NDArray") -> bool:
        """Whether another array has the same shape."""
        return self._spec.shape == other._spec.shape

    # Managers ---------------------------------------------------------------------------------------------------

    def getManager(self) -> Any:
        """The manager that it belongs to."""
        return getattr(self._level, "manager", SYSTEM.manager)

    def attach(self, manager: Any) -> None:
        """Give it to another manager, which will close it."""
        self._live()
        manager.attachInternal(self)

    def tempAttach(self, manager: Any) -> None:
        """Give it to another manager until that one is closed; it then returns to its present one."""
        self._live()
        manager.tempAttachInternal(self)

    def returnResource(self, manager: Any) -> None:
        """Give it back to a manager."""
        self.attach(manager)

    def detach(self) -> None:
        """Take it from its manager: no manager will close it."""
        self._live()
        self._move(SYSTEM)

    def _move(self, home: Any) -> None:
        """Belong to another manager from now on."""
        self._stand_alone()
        self._level = home

    def close(self) -> None:
        """Free its memory; it cannot be used any more."""
        if self._level.__class__ is not ClosedHome:
            self._stand_alone()
            self._free()
            self._level = CLOSED

    def _free(self) -> None:
        """Let go of the numbers, the history and the gradient."""
        nothing = np.zeros((), self._spec.dtype)
        self._value = np.broadcast_to(nothing, self._spec.shape) if self._spec.ndim else nothing[()]
        self._node = self._grad = None
        self._collects = False

    def isReleased(self) -> bool:
        """Whether it has been closed, alone or with its manager."""
        return self._level.__class__ is ClosedHome

    def _live(self) -> None:
        """Refuse an array that is closed."""
        if self._level.__class__ is ClosedHome:
            ClosedHome.refuse()

    def _read(self, reader: str) -> Any:
        self._live()
        return bare(self)

    def _kept(self, result: Any) -> Any:
        """A result that belongs to the same manager."""
        if isinstance(result, NDArray) and result._node is None and not result._is_view:
            result._level = self._level
        return result

    # Gradients --------------------------------------------------------------------------------------------------

    def setRequiresGradient(self, requiresGrad: bool) -> None:
        """Collect gradients from now on, or no longer."""
        self._live()
        if requiresGrad == self.hasGradient():
            return
        if not requiresGrad:
            if self.is_leaf:
                self.requires_grad_(False)
            self._collects, self._grad = False, None
            return
        if self.is_leaf:
            self._stand_alone()
            self.requires_grad_(True)
        else:
            self.retain_grad()
        self._collects, self._is_latest = True, False
        gradients.watched[id(self)] = self

    def hasGradient(self) -> bool:
        """Whether it collects gradients."""
        return getattr(self, "_collects", False)

    def getGradient(self) -> "NDArray":
        """The gradient, on the memory in which it is collected: zeros, before the latest collector brought any."""
        self._live()
        if not self.hasGradient():
            raise IllegalStateException(
                f"[getGradient] an array that collects gradients was required; received {self._spec!r}, which does "
                f"not; call setRequiresGradient(True) before the computation"
            )
        if not self._is_latest or getattr(self, "_grad", None) is None:
            self._overwrite(np.zeros(self._spec.shape, self._spec.dtype))
        return detached_view(self._grad)

    def _accumulate(self, g: Any) -> None:
        if self._is_latest and getattr(self, "_grad", None) is not None:
            super()._accumulate(g)
        else:
            self._overwrite(g)

    def _overwrite(self, g: Any) -> None:
        """A first gradient of the latest collector: into the same memory, if somebody has been given it."""
        old = getattr(self, "_grad", None)
        if old is not None and hasattr(old, "_storage"):
            with tape.no_grad():
                old[...] = g
        else:
            self._grad = self._new_grad(g)
            self._grad._level = self._level
        self._is_latest = True

    def stopGradient(self) -> "NDArray":
        """The same memory as a constant: gradients do not flow through it."""
        self._live()
        return detached_view(self)

    def scaleGradient(self, scale: float) -> "NDArray":
        """The same values, through which gradients flow multiplied by `scale`."""
        return self.mul(scale).add(self.mul(1 - scale).stopGradient())

    # Parts ------------------------------------------------------------------------------------------------------

    def get(self, *index: Any) -> "NDArray":
        """A part: of an `NDIndex`, its string with arguments, integers, a mask, or an array of integers to take.

        Ranges are views: writing into them writes here. A manager may come first, to which the part will belong.
        """
        if INTEGERS.issuperset(map(type, index)):
            return super().__getitem__((*index, ...))  # with an ellipsis a single element is a view, too
        self._live()
        if hasattr(index[0], "attachInternal"):
            part = self.get(*index[1:])
            part.attach(index[0])
            return part
        if len(index) == 1 and isinstance(index[0], NDArray):
            mask = index[0].getDataType().isBoolean()
            return self.booleanMask(index[0]) if mask else self.take(index[0])
        return self[index[0] if len(index) == 1 and isinstance(index[0], NDIndex) else NDIndex(*index)]

    def set(self, index: Any, value: Any = None) -> None:
        """Write a number, an array, or what a function makes of the part into a part; or numbers into everything."""
        self._live()
        if value is None:
            self._fill(index)
            return
        if isinstance(index, str):
            index = NDIndex(index)
        if isinstance(index, NDArray):
            index = bare(index).astype(bool)
        self[index] = value(self[index]) if callable(value) and not isinstance(value, NDArray) else value

    def setScalar(self, index: Any, value: Any) -> None:
        """Write the one element at an index."""
        if self[index]._spec.ndim:
            raise IllegalArgumentException(
                f"[setScalar] the index of one element was required; received {index}, which selects "
                f"{self[index]._spec!r}; use set"
            )
        self[index] = value

    def _fill(self, numbers: Any) -> None:
        """Write a flat buffer of numbers into everything."""
        numbers = np.ravel(bare(numbers))
        if numbers.size < self._spec.size:
            raise IllegalArgumentException(
                f"[set] at least {self._spec.size} numbers were required; received {numbers.size}"
            )
        self[...] = numbers[: self._spec.size].reshape(self._spec.shape)

    def __getitem__(self, index: Any) -> Any:
        place = _place(index) if index.__class__ is str or index.__class__ is NDIndex else index
        if place.__class__ is Pick:
            axis = len(index.getIndices()) - 1
            return np.take_along_axis(self, pick_positions(place, axis, self._spec.ndim), axis)
        return super().__getitem__(place)

    def __setitem__(self, index: Any, value: Any) -> None:
        place = _place(index)
        if isinstance(value, NDArray):
            value._live()
        if isinstance(place, Pick):
            axis = len(index.getIndices()) - 1
            np.put_along_axis(self, pick_positions(place, axis, self._spec.ndim), value, axis)
        else:
            super().__setitem__(place, value)

    # Numbers ----------------------------------------------------------------------------------------------------

    def getScalar(self, *indices: int) -> "NDArray":
        """The element at an index, or the only one, as an array."""
        return self._only(self.get(*indices), indices)

    def _only(self, value: Any, indices: tuple) -> Any:
        """What an index selects, if it is one element."""
        if value.size != 1:
            raise IllegalArgumentException(
                f"[getScalar] the index of one element was required; received {indices} for {self._spec!r}"
            )
        return value

    def toArray(self) -> list:
        """All numbers in a list."""
        return np.ravel(self._read("toArray")).tolist()

    def contentEquals(self, other: Any) -> bool:
        """Whether another array has the same shape, type and numbers; or whether all are equal to one number."""
        mine = self._read("contentEquals")
        if not isinstance(other, NDArray):
            return other is not None and bool(np.all(mine == other))
        same = self._spec.shape == other._spec.shape and self._spec.dtype == other._spec.dtype
        return same and bool(np.array_equal(mine, other._read("contentEquals")))

    equals = contentEquals

    def allClose(self, other: "NDArray", rtol: float = 1e-5, atol: float = 1e-8, equalNan: bool = False) -> bool:
        """Whether all numbers are nearly those of another array."""
        return bool(np.allclose(self._read("allClose"), other._read("allClose"), rtol, atol, equalNan))

    def toType(self, dataType: DataType, copy: bool) -> "NDArray":
        """The array in another type; itself if it has the type already and no copy is asked for."""
        self._live()
        dtype = dtype_of(dataType)
        if dtype == self._spec.dtype and not copy:
            return self
        if dtype.kind in "fc":
            return self.astype(dtype)
        return self._kept(self._box(array_of(self).astype(dtype)))

    def toDevice(self, device: Device, copy: bool) -> "NDArray":
        """The array on a device: itself, or a copy."""
        require_cpu("toDevice", device)
        return self.duplicate() if copy else self

    def duplicate(self) -> "NDArray":
        """A copy, whose gradient comes back here."""
        return self.copy()

    def copyTo(self, array: "NDArray") -> None:
        """Write the numbers into an array of the same shape."""
        if not self.shapeEquals(array):
            raise IllegalArgumentException(
                f"[copyTo] an array of shape {self.getShape()} was required; received {array.getShape()}"
            )
        array.set(NDIndex("..."), self)

    def intern(self, replaced: "NDArray") -> None:
        """Become what another array is; the other is closed."""
        self._live()
        replaced._live()
        self._stand_alone()
        self._value, self._spec, self._node = replaced._value, replaced._spec, replaced._node
        replaced.close()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        self._live()
        return super().__array__(dtype, copy)

    # Text -------------------------------------------------------------------------------------------------------

    def toDebugString(self, *limits: Any) -> str:
        """The printed form, with the most elements, axes, rows and columns to show (1000, 10, 10, 20)."""
        if self.isReleased():
            return "This array is already closed"
        *most, content = limits if limits and isinstance(limits[-1], bool) else (*limits, True)
        gradient = " hasGradient" if self.hasGradient() else ""
        header = f"{self.getName() or 'ND'}: {self.getShape()} {self.getDevice()} {self.getDataType()}{gradient}"
        return f"{header}\n{layout(array_of(self), *(most or (1000, 10, 10, 20)))}" if content else header

    toString = toDebugString

    def __repr__(self) -> str:
        return self.toDebugString()

    __str__ = __repr__


def _place(index: Any) -> Any:
    """What stands between Python's brackets for an index in either spelling."""
    if isinstance(index, str):
        index = NDIndex(index)
    return brackets(index) if isinstance(index, NDIndex) else index


def _reader(kind: DataType, one: str) -> tuple[Callable, Callable]:
    """``toFloatArray`` and ``getFloat`` for a type of elements, which must be the array's own."""

    def numbers(self: NDArray) -> Any:
        if self._spec.dtype != kind.value:
            raise IllegalStateException(
                f"[to{one}Array] an array of {kind} was required; received {self._spec!r}; convert it with "
                f"toType(DataType.{kind.name}, False)"
            )
        return self._read(f"to{one}Array")

    def to_array(self: NDArray) -> list:
        return numbers(self).ravel().tolist()

    def get(self: NDArray, *indices: int) -> Any:
        return self._only(numbers(self)[indices], indices).item()

    to_array.__name__, to_array.__doc__ = f"to{one}Array", f"All numbers, which must be {kind}, in a list."
    get.__name__, get.__doc__ = f"get{one}", f"The element at an index, or the only one, which must be {kind}."
    return to_array, get


for _kind, _one in (
    (DataType.FLOAT32, "Float"), (DataType.FLOAT64, "Double"), (DataType.INT32, "Int"), (DataType.INT64, "Long"),
    (DataType.INT8, "Byte"), (DataType.UINT8, "Uint8"), (DataType.BOOLEAN, "Boolean"),
):  # fmt: skip
    _to_array, _get = _reader(_kind, _one)
    setattr(NDArray, _to_array.__name__, _to_array)
    setattr(NDArray, _get.__name__, _get)


def _wrapped(value: Any) -> NDArray:
    """A plain result as an array."""
    if value.__class__ is not np.ndarray or not value.ndim:
        return NDArray._box(value)
    t = _new(NDArray)
    t._value, t._spec, t._level, t._node = value, spec_of(value), SYSTEM, None
    return t


_new = object.__new__
found_family(NDArray, settle=float32_first, wrap=_wrapped, shut=ClosedHome, around=owned)
