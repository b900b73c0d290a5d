"""Arrays, their managers, lists and functions: DJL's ``ai.djl.ndarray``."""

from wengert.dialects.djl.ndarray.array import NDArray
from wengert.dialects.djl.ndarray.functions import NDArrays
from wengert.dialects.djl.ndarray.manager import NDManager
from wengert.dialects.djl.ndarray.ndlist import NDList

__all__ = ["NDArray", "NDArrays", "NDList", "NDManager"]
