"""MXNet programs on wengert's engine: ``mx.nd``, ``mx.np``, ``mx.autograd``, ``mx.gluon``."""

from wengert.dialects.mxnet import (
    autograd,
    base,
    context,
    device,
    gluon,
    image,
    initializer,
    io,
    lr_scheduler,
    metric,
    ndarray,
    numpy,
    numpy_extension,
    optimizer,
    random,
    test_utils,
    util,
)
from wengert.dialects.mxnet import initializer as init
from wengert.dialects.mxnet import ndarray as nd
from wengert.dialects.mxnet import numpy as np
from wengert.dialects.mxnet import numpy_extension as npx
from wengert.dialects.mxnet.base import MXNetError
from wengert.dialects.mxnet.context import (
    Context,
    Device,
    cpu,
    cpu_pinned,
    current_context,
    current_device,
    gpu,
    num_gpus,
)
from wengert.dialects.mxnet.util import is_np_array, is_np_shape, np_shape, set_np_shape, use_np_shape

ndarray.np, ndarray.npx = np, npx  # as `F.np` in hybrid_forward
__version__ = "1.9.1+wengert"

__all__ = [
    "Context",
    "Device",
    "MXNetError",
    "autograd",
    "base",
    "context",
    "cpu",
    "cpu_pinned",
    "current_context",
    "current_device",
    "device",
    "gluon",
    "gpu",
    "image",
    "init",
    "initializer",
    "io",
    "is_np_array",
    "is_np_shape",
    "lr_scheduler",
    "metric",
    "nd",
    "ndarray",
    "np",
    "np_shape",
    "npx",
    "num_gpus",
    "numpy",
    "numpy_extension",
    "optimizer",
    "random",
    "set_np_shape",
    "test_utils",
    "use_np_shape",
    "util",
]
