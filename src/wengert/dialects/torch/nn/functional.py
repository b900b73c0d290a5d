"""`torch.nn.functional`: layers, activations and losses as functions, on those of `wengert.nn`."""

from wengert.dialects.torch.nn.functional_activations import *  # noqa: F403
from wengert.dialects.torch.nn.functional_layers import *  # noqa: F403
from wengert.dialects.torch.nn.functional_losses import *  # noqa: F403
