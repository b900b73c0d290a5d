"""wengert: gradients for ordinary NumPy programs.

>>> import numpy as np
>>> import wengert as wg
>>> x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = np.sum(x**2)
>>> y.backward()
>>> x.grad
tensor([2., 4., 6.])
>>> gradient = wg.grad(lambda x: np.sum(np.sin(x)))
>>> np.allclose(gradient(np.zeros(2)), 1)
True
"""

import importlib
from typing import TYPE_CHECKING, Any

import wengert.array_api  # tensors answer with it when they are asked for their namespace
import wengert.rules  # noqa: F401 (registers the rules)
from wengert import errors
from wengert.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from wengert.memory import keep_freed_memory, tune_gc
from wengert.passes import backward
from wengert.rules.nn import gelu, log_softmax, logsumexp, normal_cdf, relu, sigmoid, softmax, softplus
from wengert.tape import enable_grad, is_recording, is_training, no_grad, predict_mode, train_mode
from wengert.tensor import Tensor
from wengert.transforms.declare import (  # `wengert.primitive` the module gives way to the decorator
    elementwise,
    primitive,
)
from wengert.transforms.reverse import grad, value_and_grad, vjp

__version__ = "0.1.0"

keep_freed_memory()

_ON_DEMAND = ("dialects", "integrate", "nn", "optim", "optimize", "random", "scipy", "testing")


_MODULE_OF = {
    "detect_anomaly": "anomaly",
    "jvp": "forward",
    "saved_bytes": "saved",
    "vmap": "vmap",
    **dict.fromkeys(("Function", "once_differentiable"), "function"),
    **dict.fromkeys(("checkpoint", "checkpoint_sequence"), "checkpoint"),
    **dict.fromkeys(("clip_gradient", "scale_gradient", "stop_gradient"), "barriers"),
    **dict.fromkeys(("custom_jvp", "custom_vjp"), "custom"),
    **dict.fromkeys(("derivatives", "taylor"), "series"),
    **dict.fromkeys(("hessian_pattern", "jacobian_pattern", "sparse_hessian", "sparse_jacobian"), "sparse"),
    **dict.fromkeys(("elementwise_grad", "hessian", "hvp", "jacobian", "laplacian", "linearize", "vhp"), "jacobian"),
}
"""Where the transformations are that are loaded when they are first asked for."""

if TYPE_CHECKING:
    from wengert.compiler.api import compile
    from wengert.transforms.anomaly import detect_anomaly
    from wengert.transforms.barriers import clip_gradient, scale_gradient, stop_gradient
    from wengert.transforms.checkpoint import checkpoint, checkpoint_sequence
    from wengert.transforms.custom import custom_jvp, custom_vjp
    from wengert.transforms.forward import jvp
    from wengert.transforms.function import Function, once_differentiable
    from wengert.transforms.jacobian import elementwise_grad, hessian, hvp, jacobian, laplacian, linearize, vhp
    from wengert.transforms.saved import saved_bytes
    from wengert.transforms.series import derivatives, taylor
    from wengert.transforms.sparse import hessian_pattern, jacobian_pattern, sparse_hessian, sparse_jacobian
    from wengert.transforms.vmap import vmap


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"wengert.{name}")
    if name == "implicit":
        return importlib.import_module("wengert.transforms.implicit")
    if name == "compile":
        value = globals()[name] = importlib.import_module("wengert.compiler.api").compile
        return value
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(f"wengert.transforms.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'wengert' has no attribute {name!r}")


__all__ = [
    "Function",
    "Tensor",
    "arange",
    "asarray",
    "backward",
    "checkpoint",
    "checkpoint_sequence",
    "clip_gradient",
    "compile",
    "custom_jvp",
    "custom_vjp",
    "derivatives",
    "detect_anomaly",
    "elementwise",
    "elementwise_grad",
    "empty",
    "empty_like",
    "enable_grad",
    "errors",
    "eye",
    "full",
    "full_like",
    "gelu",
    "grad",
    "hessian",
    "hessian_pattern",
    "hvp",
    "is_recording",
    "is_training",
    "jacobian",
    "jacobian_pattern",
    "jvp",
    "laplacian",
    "linearize",
    "linspace",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "normal_cdf",
    "once_differentiable",
    "ones",
    "ones_like",
    "predict_mode",
    "primitive",
    "relu",
    "saved_bytes",
    "scale_gradient",
    "sigmoid",
    "softmax",
    "softplus",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "taylor",
    "tensor",
    "train_mode",
    "tune_gc",
    "value_and_grad",
    "vhp",
    "vjp",
    "vmap",
    "zeros",
    "zeros_like",
]
