"""Blocks that behave differently in training."""

from typing import Any

from wengert import tape
from wengert.dialects.djl import random
from wengert.dialects.djl.ndarray import NDArray, NDList
from wengert.dialects.djl.ndarray.types import Shape
from wengert.dialects.djl.nn.block import Block
from wengert.dialects.djl.training.store import ParameterStore
from wengert.nn import dropout

__all__ = ["Dropout"]


class Dropout(Block):
    """Sets elements to zero at random, in training: ``Dropout.builder().optRate(0.2).build()``."""

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self._rate = rate

    @staticmethod
    def builder() -> "_Builder":
        """What builds the block."""
        return _Builder()

    @staticmethod
    def dropout(input: NDArray, rate: float = 0.5, training: bool = False) -> NDList:
        """The array with elements dropped and the others scaled up, in training."""
        with tape.train_mode() if training else tape.predict_mode():
            return NDList(dropout(input, rate, random.recorded()))

    def forwardInternal(
        self, parameterStore: ParameterStore, inputs: NDList, training: bool, params: Any = None
    ) -> NDList:
        """Drop at random, in training."""
        return Dropout.dropout(inputs.singletonOrThrow(), self._rate, training)

    def getOutputShapes(self, inputShapes: list[Shape]) -> list[Shape]:
        """The input's shapes."""
        return inputShapes


class _Builder:
    """Builds a `Dropout`."""

    def __init__(self) -> None:
        self._rate = 0.5

    def optRate(self, rate: float) -> "_Builder":
        """The probability of an element to be dropped."""
        self._rate = rate
        return self

    def build(self) -> Dropout:
        """The block."""
        return Dropout(self._rate)
