"""Managers make arrays and own them: closing a manager closes its arrays and the managers below it."""

import itertools
import weakref
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from wengert.box import bare
from wengert.dialects.djl import random
from wengert.dialects.djl.closing import AutoCloseable
from wengert.dialects.djl.device import Device, require_cpu
from wengert.dialects.djl.errors import IllegalArgumentException, IllegalStateException
from wengert.dialects.djl.ndarray.array import NDArray
from wengert.dialects.djl.ndarray.home import SYSTEM, ClosedHome, Home
from wengert.dialects.djl.ndarray.ndlist import NDList
from wengert.dialects.djl.ndarray.types import DataType, Shape, dtype_of, shape_of

__all__ = ["NDManager"]

_numbers = itertools.count(1)
OF_PYTHON = {"f": np.float32, "i": np.int32, "u": np.int32, "b": np.bool_, "c": np.complex64}
"""What Python's numbers become, by NumPy's kind of them."""


class NDManager(AutoCloseable):
    """An owner of arrays, made by ``NDManager.newBaseManager()``; in a ``with`` statement it is closed at the end.

    It refers to its arrays weakly: what a program lets go of is freed at once, and closing ends the rest.

    Examples
    --------
    >>> with NDManager.newBaseManager() as manager:
    ...     print(manager.ones(Shape(2, 2)).mul(3))
    ND: (2, 2) cpu() float32
    [[3., 3.],
     [3., 3.],
    ]
    """

    _engine: ClassVar[Any]

    def __init__(self, parent: "NDManager | None" = None, home: Home | None = None) -> None:
        self._home = Home() if home is None else home
        self._home.manager = self
        self._parent = parent
        self._name = f"manager-{next(_numbers)}"
        self._capped = False
        self._arrays: weakref.WeakValueDictionary[int, NDArray] = weakref.WeakValueDictionary()
        self._children: weakref.WeakSet[NDManager] = weakref.WeakSet()
        self._lent: list[tuple[weakref.ref, NDManager]] = []

    # The tree ---------------------------------------------------------------------------------------------------

    @staticmethod
    def newBaseManager(*where: Any) -> "NDManager":
        """A manager without a manager above it that could be closed; a device or an engine's name may be given."""
        for device in where:
            require_cpu("newBaseManager", device if isinstance(device, Device) else None)
        return SYSTEM.manager.newSubManager()

    def newSubManager(self, device: Device | None = None) -> "NDManager":
        """A manager that is closed with this one."""
        self._require_open("newSubManager")
        require_cpu("newSubManager", device)
        child = NDManager(self)
        self._children.add(child)
        return child

    def getParentManager(self) -> "NDManager | None":
        """The manager that this one is closed with."""
        return self._parent

    def close(self) -> None:
        """Close all arrays and managers below; arrays lent to this manager go back."""
        if not self.isOpen() or self._home is SYSTEM:
            return
        for lent, owner in self._lent:
            array = lent()
            if array is not None and owner.isOpen() and array._level is self._home:
                owner.attachInternal(array)
        for child in list(self._children):
            child.close()
        for owned in list(self._arrays.values()):
            if owned._level is self._home:
                owned._stand_alone()
                owned._level = self._home
                owned._free()
        self._home.__class__ = ClosedHome

    def isOpen(self) -> bool:
        """Whether it has not been closed."""
        return self._home.__class__ is not ClosedHome

    def cap(self) -> None:
        """Take no more arrays."""
        self._capped = True

    def _require_open(self, operation: str) -> None:
        if not self.isOpen():
            raise IllegalStateException(
                f"[{operation}] an open manager was required; received {self._name}, which was closed; make another"
            )

    def attachInternal(self, array: NDArray) -> NDArray:
        """Own an array from now on."""
        self._require_open("attach")
        if self._capped:
            raise IllegalStateException(f"[attach] a manager that takes arrays was required; {self._name} is capped")
        array._move(self._home)
        if self._home is not SYSTEM:
            self._arrays[id(array)] = array
        return array

    def tempAttachInternal(self, array: NDArray) -> None:
        """Own an array until this manager is closed."""
        owner = array.getManager()
        self.attachInternal(array)
        self._lent.append((weakref.ref(array), owner))

    def attachAll(self, *resources: Any) -> None:
        """Own arrays, lists of them or blocks from now on."""
        for resource in resources:
            resource.attach(self)

    def tempAttachAll(self, *resources: Any) -> None:
        """Own arrays or lists of them until this manager is closed."""
        for resource in resources:
            resource.tempAttach(self)

    def ret(self, resource: Any) -> Any:
        """Give what leaves a scope to the manager above, and give it back."""
        resource.attach(self._parent or SYSTEM.manager)
        return resource

    def getManagedArrays(self) -> list[NDArray]:
        """The arrays that were made by this manager or attached to it and are still there."""
        return [a for a in self._arrays.values() if a._level is self._home]

    def getName(self) -> str:
        """The name."""
        return self._name

    def setName(self, name: str) -> None:
        """Give it a name."""
        self._name = name

    def getDevice(self) -> Device:
        """Where its arrays are: on the processor."""
        return Device.cpu()

    defaultDevice = getDevice

    def getEngine(self) -> Any:
        """The engine."""
        return self._engine()

    def __repr__(self) -> str:
        return f"NDManager {self._name} {self.getDevice()}{'' if self.isOpen() else ' closed'}"

    # Making arrays ----------------------------------------------------------------------------------------------

    def _own(self, array: Any) -> NDArray:
        return self.attachInternal(NDArray._box(np.asarray(array)))

    def create(self, data: Any, *arguments: Any) -> NDArray:
        """An array of a number, nested lists or a NumPy array, then maybe of a `Shape`; or of a `Shape` alone.

        Python's floats become FLOAT32 and its integers INT32 (INT64 where they do not fit); arrays keep their type. A
        `DataType` may follow.
        """
        self._require_open("create")
        shape, dtype = None, None
        for argument in arguments:
            if isinstance(argument, DataType):
                dtype = dtype_of(argument)
            elif isinstance(argument, Device) or argument is None:
                require_cpu("create", argument)
            else:
                shape = tuple(argument)
        if isinstance(data, Shape):
            return self._own(np.zeros(tuple(data), dtype or np.float32))
        array = _numbers_of(data) if dtype is None else _numbers_of(data).astype(dtype)
        if shape is not None and array.size != np.prod(shape, dtype=int):
            raise IllegalArgumentException(
                f"[create] numbers that fill the shape {Shape(shape)} were required; received {array.size}"
            )
        return self._own(array if shape is None else array.reshape(shape))

    def from_(self, array: NDArray) -> NDArray:
        """The array itself (``from`` is a word of Python)."""
        return array

    def zeros(self, shape: Any, *kind: Any) -> NDArray:
        """Zeros: ``zeros(shape[, dataType[, device]])``."""
        return self._own(np.zeros(tuple(shape_of((shape,))), _kind("zeros", kind)))

    def ones(self, shape: Any, *kind: Any) -> NDArray:
        """Ones: ``ones(shape[, dataType[, device]])``."""
        return self._own(np.ones(tuple(shape_of((shape,))), _kind("ones", kind)))

    def full(self, shape: Any, value: Any, *kind: Any) -> NDArray:
        """One number everywhere: ``full(shape, value[, dataType[, device]])``."""
        return self._own(np.full(tuple(shape_of((shape,))), value, _kind("full", kind, _numbers_of(value).dtype)))

    def eye(self, rows: int, *arguments: Any) -> NDArray:
        """Ones on a diagonal: ``eye(rows[, k])``, ``eye(rows, cols, k[, dataType[, device]])``."""
        numbers = [a for a in arguments if isinstance(a, int)]
        cols, k = (rows, *numbers) if len(numbers) == 1 else (*numbers, rows, 0)[:2] if numbers else (rows, 0)
        return self._own(np.eye(rows, cols, k, _kind("eye", arguments[len(numbers) :])))

    def arange(self, *arguments: Any) -> NDArray:
        """Evenly spaced numbers: ``arange(stop)``, ``arange(start, stop[, step[, dataType[, device]]])``.

        They are FLOAT32 if one of the arguments is a float, and INT32 otherwise.
        """
        numbers: list[Any] = [a for a in arguments if isinstance(a, (int, float, np.number))]
        dtype = _kind("arange", arguments[len(numbers) :], _numbers_of(numbers).dtype)
        return self._own(np.arange(*numbers).astype(dtype))

    def linspace(self, start: float, stop: float, num: int, endpoint: bool = True, *device: Any) -> NDArray:
        """`num` numbers from `start` to `stop`, which may be left out."""
        return self._own(np.linspace(start, stop, num, endpoint, dtype=_kind("linspace", device)))

    # Random numbers ---------------------------------------------------------------------------------------------

    def randomUniform(self, low: float, high: float, shape: Any, *kind: Any) -> NDArray:
        """Numbers between `low` and `high`: ``randomUniform(low, high, shape[, dataType[, device]])``."""
        drawn = random.generator().uniform(low, high, tuple(shape_of((shape,))))
        return self._own(np.asarray(drawn).astype(_kind("randomUniform", kind)))

    def randomNormal(self, *arguments: Any) -> NDArray:
        """Normal numbers: ``randomNormal([loc, scale,] shape[, dataType[, device]])``."""
        loc, scale, shape, kind = _located(arguments)
        drawn = random.generator().normal(loc, scale, shape)
        return self._own(np.asarray(drawn).astype(_kind("randomNormal", kind)))

    def truncatedNormal(self, *arguments: Any) -> NDArray:
        """Normal numbers at most two deviations from the middle; the arguments of `randomNormal`."""
        from scipy.stats import truncnorm

        loc, scale, shape, kind = _located(arguments)
        drawn = truncnorm.rvs(-2, 2, loc, scale, size=shape or 1, random_state=random.generator())
        return self._own(np.reshape(drawn, shape).astype(_kind("truncatedNormal", kind)))

    def randomInteger(self, low: int, high: int, shape: Any, *kind: Any) -> NDArray:
        """Integers from `low` to below `high`: ``randomInteger(low, high, shape[, dataType])``."""
        drawn = random.generator().integers(low, high, tuple(shape_of((shape,))))
        return self._own(np.asarray(drawn).astype(_kind("randomInteger", kind, np.dtype(np.int64))))

    def randomPermutation(self, n: int) -> NDArray:
        """The integers from 0 to below `n` in random order."""
        return self._own(random.generator().permutation(n))

    def randomMultinomial(self, n: int, pValues: NDArray, shape: Any = ()) -> NDArray:
        """How often each outcome comes up in `n` experiments."""
        p = np.asarray(bare(pValues), float)
        return self._own(random.generator().multinomial(n, p / p.sum(), tuple(shape) or None))


def _numbers_of(data: Any) -> np.ndarray:
    """Numbers as an array: Python's own in single precision, others as they are."""
    if isinstance(data, (NDArray, NDList)):
        raise IllegalArgumentException("[create] numbers were required; received an NDArray; use array.duplicate()")
    typed = isinstance(data, (np.ndarray, np.generic))
    if not typed and isinstance(data, Iterable) and not isinstance(data, (list, tuple)):
        data = list(data)
    array = np.array(data)
    if array.dtype.kind not in OF_PYTHON or (not typed and not array.size and array.ndim == 1):
        if not array.size:
            return array.astype(np.float32)
        raise IllegalArgumentException(
            f"[create] numbers of one shape were required; received {type(data).__name__}, which NumPy makes "
            f"{array.dtype}"
        )
    if typed:
        return array
    fits = array.dtype.kind not in "iu" or np.can_cast(np.min_scalar_type(int(array.max(initial=0))), np.uint32)
    if array.dtype.kind in "iu" and (not fits or array.max(initial=0) >= 2**31 or array.min(initial=0) < -(2**31)):
        return array.astype(np.int64)
    return array.astype(OF_PYTHON[array.dtype.kind])


def _kind(operation: str, kind: Iterable[Any], default: Any = np.float32) -> Any:
    """The type that arguments after the shape give; a device among them is checked."""
    for argument in kind:
        if isinstance(argument, DataType):
            default = dtype_of(argument)
        elif argument is not None:
            if not isinstance(argument, Device):
                raise IllegalArgumentException(
                    f"[{operation}] a DataType, then a Device, were required at the end; received {argument!r}"
                )
            require_cpu(operation, argument)
    return default


def _located(arguments: tuple) -> tuple[float, float, tuple, tuple]:
    """Location, scale, shape and the rest."""
    if isinstance(arguments[0], (Shape, list, tuple)):
        arguments = (0.0, 1.0, *arguments)
    loc, scale, shape, *kind = arguments
    return loc, scale, tuple(shape_of((shape,))), tuple(kind)


NDManager(home=SYSTEM).setName("system")
