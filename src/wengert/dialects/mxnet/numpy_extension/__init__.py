"""``mxnet.npx``: what ``mxnet.np`` needs beyond NumPy: layers' functions, devices, files, and `set_np`."""

from wengert.dialects.mxnet.context import *  # noqa: F403
from wengert.dialects.mxnet.context import __all__ as _devices
from wengert.dialects.mxnet.files import load, save, savez
from wengert.dialects.mxnet.numpy_extension import random
from wengert.dialects.mxnet.numpy_extension.functions import *  # noqa: F403
from wengert.dialects.mxnet.numpy_extension.functions import __all__ as _functions
from wengert.dialects.mxnet.numpy_extension.layers import *  # noqa: F403
from wengert.dialects.mxnet.numpy_extension.layers import __all__ as _layers
from wengert.dialects.mxnet.rng import seed
from wengert.dialects.mxnet.util import (
    is_np_array,
    is_np_default_dtype,
    is_np_shape,
    reset_np,
    set_np,
    use_np,
    use_np_array,
    use_np_shape,
)


def waitall() -> None:
    """Return at once: every operation has been carried out."""


__all__ = [
    "is_np_array", "is_np_default_dtype", "is_np_shape", "load", "random", "reset_np", "save", "savez", "seed",
    "set_np", "use_np", "use_np_array", "use_np_shape", "waitall", *_devices, *_functions, *_layers,
]  # fmt: skip
