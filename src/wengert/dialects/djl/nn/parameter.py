"""Parameters of blocks."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from wengert.dialects.djl.errors import IllegalArgumentException, IllegalStateException
from wengert.dialects.djl.ndarray import NDArray, NDManager
from wengert.dialects.djl.ndarray.types import DataType, Shape
from wengert.dialects.djl.training.initializer import Initializer, XavierInitializer

__all__ = ["Parameter", "ParameterList"]


class _Type(Enum):
    """What a parameter is for; its value is how it starts."""

    WEIGHT = "weight"
    BIAS = "bias"
    GAMMA = "gamma"
    BETA = "beta"
    RUNNING_MEAN = "running mean"
    RUNNING_VAR = "running variance"
    OTHER = "other"

    def getInitializer(self) -> Initializer:
        """How parameters of the type start."""
        if self in (_Type.GAMMA, _Type.RUNNING_VAR):
            return Initializer.ONES
        return XavierInitializer() if self in (_Type.WEIGHT, _Type.OTHER) else Initializer.ZEROS


class Parameter:
    """An array that a block learns, made when the block is initialised."""

    Type = _Type

    def __init__(self, name: str, type: _Type = _Type.OTHER, initializer: Initializer | None = None) -> None:
        self._name, self._type, self._initializer = name, type, initializer
        self._shape: Shape | None = None
        self._array: NDArray | None = None
        self._learns = type not in (_Type.RUNNING_MEAN, _Type.RUNNING_VAR)

    @staticmethod
    def builder() -> "_Builder":
        """What builds a parameter."""
        return _Builder()

    def getName(self) -> str:
        """The name."""
        return self._name

    def getType(self) -> _Type:
        """What it is for."""
        return self._type

    def getShape(self) -> Shape | None:
        """The shape, once it is known."""
        return self._shape

    def setShape(self, shape: Shape) -> None:
        """Say the shape."""
        if self._array is None:
            self._shape = shape

    def setInitializer(self, initializer: Initializer) -> None:
        """Say how it starts."""
        self._initializer = initializer

    def getArray(self) -> NDArray:
        """The array."""
        if self._array is None:
            raise IllegalStateException(
                f"[getArray] a parameter that was initialised was required; '{self._name}' was not; call "
                f"trainer.initialize(shape) or block.initialize(manager, dataType, shape)"
            )
        return self._array

    def setArray(self, array: NDArray) -> None:
        """Say the array itself."""
        if self._array is not None and self._array._spec.shape != array._spec.shape:
            raise IllegalStateException(
                f"[setArray] an array of shape {self._array.getShape()} was required; received {array.getShape()}"
            )
        self._array, self._shape = array, array.getShape()
        array.setName(self._name)

    def isInitialized(self) -> bool:
        """Whether there is an array."""
        return self._array is not None

    def initialize(self, manager: NDManager, dataType: DataType = DataType.FLOAT32) -> None:
        """Make the array, unless there is one."""
        if self._array is not None:
            return
        if self._shape is None:
            raise IllegalStateException(f"[initialize] the shape of parameter '{self._name}' was required; set it")
        initializer = self._initializer or self._type.getInitializer()
        self.setArray(initializer.initialize(manager, self._shape, dataType))
        self.getArray().setRequiresGradient(self._learns)

    def freeze(self, freeze: bool) -> None:
        """Stop it from learning, or let it learn again."""
        self._learns = not freeze
        if self._array is not None:
            self._array.setRequiresGradient(self._learns)

    def isFrozen(self) -> bool:
        """Whether it does not learn."""
        return not self._learns

    def requiresGradient(self) -> bool:
        """Whether it learns."""
        return self._learns

    def close(self) -> None:
        """Free the array."""
        if self._array is not None:
            self._array.close()
            self._array = None

    def __repr__(self) -> str:
        return f"Parameter {self._name} {self._shape or 'uninitialized'}"


class _Builder:
    """Builds a `Parameter`."""

    def __init__(self) -> None:
        self._settings: dict[str, Any] = {}
        self._shape: Shape | None = None
        self._array: NDArray | None = None
        self._learns: bool | None = None

    def setName(self, name: str) -> "_Builder":
        """The name."""
        self._settings["name"] = name
        return self

    def setType(self, type: _Type) -> "_Builder":
        """What it is for."""
        self._settings["type"] = type
        return self

    def optInitializer(self, initializer: Initializer) -> "_Builder":
        """How it starts."""
        self._settings["initializer"] = initializer
        return self

    def optShape(self, shape: Shape) -> "_Builder":
        """The shape."""
        self._shape = shape
        return self

    def optArray(self, array: NDArray) -> "_Builder":
        """The array itself."""
        self._array = array
        return self

    def optRequiresGrad(self, requiresGrad: bool) -> "_Builder":
        """Whether it learns."""
        self._learns = requiresGrad
        return self

    def build(self) -> Parameter:
        """The parameter."""
        parameter = Parameter(**self._settings)
        parameter._shape = self._shape
        if self._learns is not None:
            parameter._learns = self._learns
        if self._array is not None:
            parameter.setArray(self._array)
        return parameter


class ParameterList(list):
    """Pairs of name and parameter."""

    def get(self, key: int | str) -> Any:
        """The pair at a position, or the parameter with a name."""
        return dict(self)[key] if isinstance(key, str) else Entry(self[key])

    def valueAt(self, index: int) -> Parameter:
        """The parameter at a position."""
        return self[index][1]

    def keyAt(self, index: int) -> str:
        """The name at a position."""
        return self[index][0]

    def values(self) -> list[Parameter]:
        """All parameters."""
        return [value for _, value in self]

    def keys(self) -> list[str]:
        """All names."""
        return [key for key, _ in self]

    def contains(self, key: str) -> bool:
        """Whether a name is there."""
        return key in self.keys()

    def size(self) -> int:
        """How many pairs there are."""
        return len(self)

    def __iter__(self) -> Any:
        return map(Entry, super().__iter__())


class Entry(tuple):
    """A pair of key and value: what Java's lists and maps of pairs hold."""

    __slots__ = ()

    def getKey(self) -> Any:
        """The key."""
        return self[0]

    def getValue(self) -> Any:
        """The value."""
        return self[1]


def chosen(which: Any) -> Callable[[Parameter], bool]:
    """A test for parameters: of a type, with a name, or what a function says."""
    if isinstance(which, _Type):
        return lambda parameter: parameter.getType() is which
    if isinstance(which, str):
        return lambda parameter: parameter.getName() == which
    if callable(which):
        return which
    raise IllegalArgumentException(
        f"[setInitializer] a Parameter.Type, a name or a function was required; received {which!r}"
    )
