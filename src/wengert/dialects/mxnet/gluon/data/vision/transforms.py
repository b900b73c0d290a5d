"""Transforms of images of shape (height, width, channels), as blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.dialects.mxnet import image, rng
from wengert.dialects.mxnet.gluon.block import Block, HybridBlock
from wengert.dialects.mxnet.gluon.nn import Sequential
from wengert.dialects.mxnet.image import as_array

__all__ = [
    "Cast", "CenterCrop", "Compose", "Normalize", "RandomFlipLeftRight", "RandomFlipTopBottom", "RandomResizedCrop",
    "Resize", "ToTensor",
]  # fmt: skip


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
        return as_array(x).astype(self._dtype)


class ToTensor(HybridBlock):
    """Bytes of shape (..., height, width, channels) as floats in [0, 1] of shape (..., channels, height, width)."""

    def forward(self, x: Any) -> Any:
        """Convert `x`."""
        x = as_array(x)
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


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)


class Resize(HybridBlock):
    """Another width and height; with `keep_ratio`, of the shorter edge."""

    def __init__(self, size: Any, keep_ratio: bool = False, interpolation: int = 1) -> None:
        super().__init__()
        self._size, self._keep, self._interpolation = size, keep_ratio, interpolation

    def forward(self, x: Any) -> Any:
        """Resize `x`."""
        if self._keep and isinstance(self._size, int):
            return image.resize_short(as_array(x), self._size, self._interpolation)
        return image.imresize(x, *_pair(self._size), self._interpolation)


class CenterCrop(Block):
    """The middle, in a width and height."""

    def __init__(self, size: Any, interpolation: int = 1) -> None:
        super().__init__()
        self._size, self._interpolation = _pair(size), interpolation

    def forward(self, x: Any) -> Any:
        """Cut `x`."""
        return image.center_crop(as_array(x), self._size, self._interpolation)[0]


class RandomResizedCrop(Block):
    """Some part, of a share of the area and of proportions within limits, in a width and height."""

    def __init__(
        self, size: Any, scale: Any = (0.08, 1.0), ratio: tuple = (3 / 4, 4 / 3), interpolation: int = 1
    ) -> None:
        super().__init__()
        self._size, self._scale, self._ratio, self._interpolation = _pair(size), scale, ratio, interpolation

    def forward(self, x: Any) -> Any:
        """Cut `x`."""
        return image.random_size_crop(as_array(x), self._size, self._scale, self._ratio, self._interpolation)[0]


class RandomFlipLeftRight(HybridBlock):
    """Mirrored, with probability `p`."""

    _axis = -2

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self._p = p

    def forward(self, x: Any) -> Any:
        """Mirror `x`, or not."""
        return np.flip(as_array(x), self._axis) if rng.generator().random() < self._p else x


class RandomFlipTopBottom(RandomFlipLeftRight):
    """Upside down, with probability `p`."""

    _axis = -3
