"""``mxnet.gluon``: blocks, parameters, losses, data, and trainers."""

from wengert.dialects.mxnet import metric
from wengert.dialects.mxnet.gluon import block, data, loss, nn, parameter, rnn, trainer, utils
from wengert.dialects.mxnet.gluon.block import Block, HybridBlock
from wengert.dialects.mxnet.gluon.parameter import Constant, DeferredInitializationError, Parameter, ParameterDict
from wengert.dialects.mxnet.gluon.trainer import Trainer

__all__ = [
    "Block", "Constant", "DeferredInitializationError", "HybridBlock", "Parameter", "ParameterDict", "Trainer",
    "block", "data", "loss", "metric", "nn", "parameter", "rnn", "trainer", "utils",
]  # fmt: skip
