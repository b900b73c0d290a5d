"""``mxnet.gluon.rnn``: recurrent cells, and layers of them."""

from wengert.dialects.mxnet.gluon.rnn import rnn_cell, rnn_layer
from wengert.dialects.mxnet.gluon.rnn.rnn_cell import *  # noqa: F403
from wengert.dialects.mxnet.gluon.rnn.rnn_layer import *  # noqa: F403

__all__ = [*rnn_cell.__all__, *rnn_layer.__all__]
