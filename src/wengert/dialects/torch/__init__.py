"""The PyTorch dialect: ``import wengert.dialects.torch as torch``, or installed under the name ``torch``.

Examples
--------
>>> import wengert.dialects.torch as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

# The order: what the namespace shares with Python's builtins (float, int, sum …) is read from the modules' __all__.
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from wengert.dialects.torch import autograd as autograd
from wengert.dialects.torch import backends as backends
from wengert.dialects.torch import cuda as cuda
from wengert.dialects.torch import distributions as distributions
from wengert.dialects.torch import func as func
from wengert.dialects.torch import jit as jit
from wengert.dialects.torch import linalg as linalg
from wengert.dialects.torch import nn as nn
from wengert.dialects.torch import optim as optim
from wengert.dialects.torch import special as special
from wengert.dialects.torch import testing as testing
from wengert.dialects.torch import utils as utils
from wengert.dialects.torch import version as version
from wengert.dialects.torch.anomaly import is_anomaly_enabled as is_anomaly_enabled
from wengert.dialects.torch.autograd.modes import enable_grad as enable_grad
from wengert.dialects.torch.autograd.modes import inference_mode as inference_mode
from wengert.dialects.torch.autograd.modes import is_grad_enabled as is_grad_enabled
from wengert.dialects.torch.autograd.modes import is_inference_mode_enabled as is_inference_mode_enabled
from wengert.dialects.torch.autograd.modes import no_grad as no_grad
from wengert.dialects.torch.autograd.modes import set_grad_enabled as set_grad_enabled
from wengert.dialects.torch.creation import *  # noqa: F403
from wengert.dialects.torch.dtypes import *  # noqa: F403
from wengert.dialects.torch.func.transforms import vmap as vmap
from wengert.dialects.torch.functions import *  # noqa: F403
from wengert.dialects.torch.jit import compile as compile
from wengert.dialects.torch.printing import set_printoptions as set_printoptions
from wengert.dialects.torch.random import *  # noqa: F403
from wengert.dialects.torch.serialization import load as load
from wengert.dialects.torch.serialization import save as save
from wengert.dialects.torch.settings import *  # noqa: F403
from wengert.dialects.torch.tensor import Tensor as Tensor
from wengert.dialects.torch.version import __version__ as __version__

newaxis = None
det, inverse, pinverse, matrix_power = linalg.det, linalg.inv, linalg.pinv, linalg.matrix_power
slogdet, svd, qr, cholesky = linalg.slogdet, linalg.svd, linalg.qr, linalg.cholesky
globals().update({name: function for name, function in vars(nn.functional).items() if name in nn.functional.SHARED})
