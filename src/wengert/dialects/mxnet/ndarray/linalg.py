"""``mx.nd.linalg``."""

from wengert.dialects.mxnet.ndarray.products import LINALG

globals().update(LINALG)
__all__ = sorted(LINALG)
