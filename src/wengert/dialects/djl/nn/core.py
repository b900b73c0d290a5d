"""Linear maps as blocks."""

from typing import Any

from wengert.dialects.djl.errors import IllegalStateException
from wengert.dialects.djl.ndarray import NDArray, NDList
from wengert.dialects.djl.ndarray.types import Shape
from wengert.dialects.djl.nn.block import Block
from wengert.dialects.djl.nn.parameter import Parameter
from wengert.dialects.djl.training.store import ParameterStore
from wengert.nn import linear

__all__ = ["Linear"]


class Linear(Block):
    """``x · weightᵀ + bias``, with a weight of shape (units, features): ``Linear.builder().setUnits(8).build()``."""

    def __init__(self, units: int, bias: bool = True) -> None:
        super().__init__()
        self._units = units
        self._weight = self.addParameter(Parameter("weight", Parameter.Type.WEIGHT))
        self._bias = self.addParameter(Parameter("bias", Parameter.Type.BIAS)) if bias else None

    @staticmethod
    def builder() -> "_Builder":
        """What builds the block."""
        return _Builder()

    Builder: Any

    @staticmethod
    def linear(input: NDArray, weight: NDArray, bias: NDArray | None = None) -> NDList:
        """The map of an array."""
        return NDList(linear(input, weight.transpose(), bias))

    def prepare(self, inputShapes: list[Shape]) -> None:
        """Take the number of features from the input."""
        self._weight.setShape(Shape(self._units, inputShapes[0].tail()))
        if self._bias is not None:
            self._bias.setShape(Shape(self._units))

    def forwardInternal(
        self, parameterStore: ParameterStore, inputs: NDList, training: bool, params: Any = None
    ) -> NDList:
        """Map the last axis."""
        weight = parameterStore.getValue(self._weight)
        return Linear.linear(inputs.singletonOrThrow(), weight, parameterStore.getValue(self._bias))

    def getOutputShapes(self, inputShapes: list[Shape]) -> list[Shape]:
        """The input's shape with the units in the place of the features."""
        return [inputShapes[0].slice(0, -1).add(self._units)]


class _Builder:
    """Builds a `Linear`."""

    def __init__(self) -> None:
        self._units: int | None = None
        self._has_bias = True

    def setUnits(self, units: int) -> "_Builder":
        """The number of outputs."""
        self._units = units
        return self

    def optBias(self, includeBias: bool) -> "_Builder":
        """Whether there is a bias."""
        self._has_bias = includeBias
        return self

    def build(self) -> Linear:
        """The block."""
        if self._units is None:
            raise IllegalStateException("[Linear] the number of outputs was required; call setUnits(n)")
        return Linear(self._units, self._has_bias)


Linear.Builder = _Builder
