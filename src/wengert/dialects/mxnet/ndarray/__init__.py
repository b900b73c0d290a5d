"""``mxnet.ndarray``: the legacy array class, and its functions."""

from typing import Any

from wengert.dialects.mxnet import neural
from wengert.dialects.mxnet.ndarray import (
    contrib,
    creation,
    elementwise,
    indexing,
    linalg,
    products,
    random,
    reductions,
    shaping,
)
from wengert.dialects.mxnet.ndarray.creation import arange, array, load, ones, save, waitall, zeros
from wengert.dialects.mxnet.ndarray.ndarray import NDArray
from wengert.dialects.mxnet.ndarray.operation import METHODS, operation

_NEURAL = {name: operation(function, method=False) for name, function in neural.FUNCTIONS.items()}
_FUNCTIONS: dict[str, Any] = (
    _NEURAL
    | elementwise.FUNCTIONS
    | reductions.FUNCTIONS
    | shaping.FUNCTIONS
    | indexing.FUNCTIONS
    | products.FUNCTIONS
    | creation.FUNCTIONS
    | {f"linalg_{name}": getattr(linalg, name) for name in linalg.__all__}
    | random.LEGACY
)
globals().update(_FUNCTIONS)
for _name, _function in METHODS.items():
    setattr(NDArray, _name, _function)
for _name in ("softmax", "log_softmax", "softmin"):
    setattr(NDArray, _name, _NEURAL[_name])

__all__ = [
    "NDArray", "arange", "array", "contrib", "linalg", "load", "ones", "random", "save", "waitall", "zeros",
]  # fmt: skip
__all__ += sorted(_FUNCTIONS)
