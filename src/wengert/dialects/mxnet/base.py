"""``mxnet.base``: the error class, and the tuples of types that programs test against."""

import numpy as np

from wengert.dialects.mxnet.errors import MXNetError, NotSupportedForSparseNDArray

__all__ = ["MXNetError", "NotSupportedForSparseNDArray", "integer_types", "numeric_types", "string_types"]

numeric_types = (float, int, np.generic)
integer_types = (int, np.integer)
string_types = (str,)
