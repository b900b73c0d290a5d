"""``mxnet.np``: NumPy's functions on MXNet's arrays, in single precision by default, recorded under ``record()``."""

from typing import Any

import numpy as _numpy

from wengert.dialects.mxnet.numpy import linalg, random
from wengert.dialects.mxnet.numpy.array import ndarray
from wengert.dialects.mxnet.numpy.functions import CONSTANTS, adapted_module, creation_functions

_names: dict[str, Any] = {
    **{name: getattr(_numpy, name) for name in CONSTANTS if hasattr(_numpy, name)},
    **adapted_module(_numpy),
    **creation_functions(),
}
globals().update(_names)

__all__ = ["linalg", "ndarray", "random", *sorted(_names)]
