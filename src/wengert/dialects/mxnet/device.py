"""``mxnet.device``, MXNet 2's name for ``mxnet.context``."""

from wengert.dialects.mxnet.context import *  # noqa: F403
from wengert.dialects.mxnet.context import __all__ as __all__
