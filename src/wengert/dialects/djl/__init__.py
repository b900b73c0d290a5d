"""Deep Java Library in Python's syntax: no name changes, and ``try (…)`` becomes ``with …``.

>>> from wengert.dialects.djl import NDManager, Shape
>>> manager = NDManager.newBaseManager()
>>> manager.create([1.0, 2.0, 3.0, 4.0], Shape(2, 2)).sum([0])
ND: (2) cpu() float32
[4., 6.]

Java's ``4f`` is ``4.0``, its ``new int[] {0, 1}`` a list, and overloads are chosen by Python's types: floats make
float32, integers int32. The submodules are those of ``ai.djl``.
"""

from wengert.dialects.djl.device import Device
from wengert.dialects.djl.engine import Engine
from wengert.dialects.djl.errors import (
    EngineException,
    IllegalArgumentException,
    IllegalStateException,
    IndexOutOfBoundsException,
    UnsupportedOperationException,
)
from wengert.dialects.djl.model import Model
from wengert.dialects.djl.ndarray import NDArray, NDArrays, NDList, NDManager
from wengert.dialects.djl.ndarray.index import NDIndex
from wengert.dialects.djl.ndarray.types import DataType, Shape
from wengert.dialects.djl.training.collector import GradientCollector

__all__ = [
    "DataType",
    "Device",
    "Engine",
    "EngineException",
    "GradientCollector",
    "IllegalArgumentException",
    "IllegalStateException",
    "IndexOutOfBoundsException",
    "Model",
    "NDArray",
    "NDArrays",
    "NDIndex",
    "NDList",
    "NDManager",
    "Shape",
    "UnsupportedOperationException",
]
