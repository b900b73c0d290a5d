"""``mxnet.np.linalg``: NumPy's linear algebra on the dialect's arrays."""

from typing import Any

import numpy as np

from wengert.dialects.mxnet.numpy.functions import adapted_module

_functions: dict[str, Any] = adapted_module(np.linalg)
globals().update(_functions)
__all__ = sorted(_functions)


def __dir__() -> list[str]:
    return list(__all__)
