"""Neural networks with PyTorch's names and conventions, on `wengert.nn`."""

from wengert.dialects.torch.nn import functional as functional
from wengert.dialects.torch.nn import init as init
from wengert.dialects.torch.nn import parameter as parameter
from wengert.dialects.torch.nn import utils as utils
from wengert.dialects.torch.nn.containers import *  # noqa: F403
from wengert.dialects.torch.nn.layers_activation import *  # noqa: F403
from wengert.dialects.torch.nn.layers_attention import *  # noqa: F403
from wengert.dialects.torch.nn.layers_linear import *  # noqa: F403
from wengert.dialects.torch.nn.layers_loss import *  # noqa: F403
from wengert.dialects.torch.nn.layers_norm import *  # noqa: F403
from wengert.dialects.torch.nn.layers_recurrent import *  # noqa: F403
from wengert.dialects.torch.nn.layers_resampling import *  # noqa: F403
from wengert.dialects.torch.nn.layers_windows import *  # noqa: F403
from wengert.dialects.torch.nn.module import *  # noqa: F403
from wengert.dialects.torch.nn.parameter import *  # noqa: F403
