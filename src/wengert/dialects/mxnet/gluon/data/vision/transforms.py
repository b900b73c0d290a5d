"""Transforms of images of shape (height, width, channels), as blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.dialects.mxnet.array import Array
from wengert.dialects.mxnet.gluon.block import Block, HybridBlock
from wengert.dialects.mxnet.gluon.nn import Sequential
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.dialects.mxnet.numpy.array import boxed
from wengert.dialects.mxnet.util import is_np_array

__all__ = ["Cast", "Compose", "Normalize", "ToTensor"]


class Compose(Sequential):
    """Transforms one after another."""

    def __init__(self, transforms: Sequence[Block]) -> None:
        super().__init__()
        self.add(*transforms)


class Cast(HybridBlock):
    """Another dtype."""

    def __init__(self, dtype: Any = "float32") -> None:
        super().__init__()
        self._dtype = dtype

    def forward(self, x: Any) -> Any:
        """Convert `x`."""
        return _array(x).astype(self._dtype)


class ToTensor(HybridBlock):
    """Bytes of shape (..., height, width, channels) as floats in [0, 1] of shape (..., channels, height, width)."""

    def forward(self, x: Any) -> Any:
        """Convert `x`."""
        x = _array(x)
        axes = (*range(x.ndim - 3), x.ndim - 1, x.ndim - 3, x.ndim - 2)
        return np.transpose(x, axes).astype("float32") / 255


class Normalize(HybridBlock):
    """``(x - mean) / std``, for each channel of (..., channels, height, width)."""

    def __init__(self, mean: Any = 0.0, std: Any = 1.0) -> None:
        super().__init__()
        self._mean, self._std = (np.asarray(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))

    def forward(self, x: Any) -> Any:
        """Convert `x`."""
        return (x - self._mean) / self._std


def _array(x: Any) -> Any:
    if isinstance(x, Array):
        return x
    return boxed(np.asarray(x)) if is_np_array() else NDArray._box(np.asarray(x))
