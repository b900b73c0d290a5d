"""``mxnet.gluon.nn``: layers."""

from wengert.dialects.mxnet.gluon.nn import activations, basic_layers, conv_layers
from wengert.dialects.mxnet.gluon.nn.activations import *  # noqa: F403
from wengert.dialects.mxnet.gluon.nn.basic_layers import *  # noqa: F403
from wengert.dialects.mxnet.gluon.nn.conv_layers import *  # noqa: F403

__all__ = [*activations.__all__, *basic_layers.__all__, *conv_layers.__all__]
