"""Initial values of parameters."""

import math

import numpy as np

from wengert.dialects.djl import random
from wengert.dialects.djl.ndarray import NDArray, NDManager
from wengert.dialects.djl.ndarray.types import DataType, Shape
from wengert.nn import init

__all__ = [
    "ConstantInitializer",
    "Initializer",
    "NormalInitializer",
    "TruncatedNormalInitializer",
    "UniformInitializer",
    "XavierInitializer",
]


class Initializer:
    """Makes the first value of a parameter: ``initialize(manager, shape, dataType)``."""

    ZEROS: "Initializer"
    ONES: "Initializer"

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """An array of the shape."""
        raise NotImplementedError(f"[{type(self).__name__}] an Initializer needs a method initialize; define one")


class ConstantInitializer(Initializer):
    """One number everywhere."""

    def __init__(self, value: float) -> None:
        self.value = value

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """The number in every place."""
        return manager.full(shape, self.value, dataType)


class NormalInitializer(Initializer):
    """Normal numbers around 0."""

    def __init__(self, sigma: float = 0.01) -> None:
        self.sigma = sigma

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """Numbers drawn anew."""
        return manager.randomNormal(0.0, self.sigma, shape, dataType)


class TruncatedNormalInitializer(NormalInitializer):
    """Normal numbers at most two deviations from 0."""

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """Numbers drawn anew."""
        return manager.truncatedNormal(0.0, self.sigma, shape, dataType)


class UniformInitializer(Initializer):
    """Numbers between ``-scale`` and ``scale``."""

    def __init__(self, scale: float = 0.07) -> None:
        self.scale = scale

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """Numbers drawn anew."""
        return manager.randomUniform(-self.scale, self.scale, shape, dataType)


class XavierInitializer(Initializer):
    """Uniform numbers in a range that falls with the number of inputs and outputs (Glorot and Bengio 2010)."""

    def __init__(self, magnitude: float = 2.24) -> None:
        self.gain = math.sqrt(magnitude / 3)

    def initialize(self, manager: NDManager, shape: Shape, dataType: DataType = DataType.FLOAT32) -> NDArray:
        """Numbers drawn anew."""
        if len(shape) < 2:
            return manager.zeros(shape, dataType)
        weight = init.xavier_uniform(tuple(shape), random.generator(), np.float64, gain=self.gain)
        return manager.create(weight, dataType)


Initializer.ZEROS = ConstantInitializer(0.0)
Initializer.ONES = ConstantInitializer(1.0)
