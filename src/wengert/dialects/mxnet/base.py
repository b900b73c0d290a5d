"""``mxnet.base``: the error class, and the tuples of types that programs test against."""

import numpy as np

from wengert.dialects.mxnet.errors import MXNetError, NotSupportedForSparseNDArray

__all__ = [
    "MXNetError", "NotSupportedForSparseNDArray", "integer_types", "mx_real_t", "numeric_types", "py_str",
    "string_types",
]  # fmt: skip

numeric_types = (float, int, np.generic)
integer_types = (int, np.integer)
string_types = (str,)
mx_real_t = np.float32


def py_str(x: bytes) -> str:
    """Text of bytes."""
    return x.decode("utf-8")
