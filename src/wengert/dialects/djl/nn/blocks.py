"""Small blocks that are always needed."""

from wengert.dialects.djl.ndarray import NDArray
from wengert.dialects.djl.ndarray.types import Shape
from wengert.dialects.djl.nn.block import LambdaBlock

__all__ = ["Blocks"]


class Blocks:
    """Functions that make blocks."""

    @staticmethod
    def batchFlatten(array: NDArray, size: int = -1) -> NDArray:
        """Two axes: the first, and all others made one."""
        rows = array._spec.shape[0] if size == -1 and array._spec.ndim else -1
        return array.reshape(Shape(rows, size))

    @staticmethod
    def batchFlattenBlock(size: int = -1) -> LambdaBlock:
        """`batchFlatten` as a block."""
        return LambdaBlock.singleton(lambda array: Blocks.batchFlatten(array, size), "batchFlatten")

    @staticmethod
    def identityBlock() -> LambdaBlock:
        """A block that gives what it gets."""
        return LambdaBlock(lambda arrays: arrays, "identity")
