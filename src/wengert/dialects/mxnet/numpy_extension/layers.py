"""The operators of layers under the names that they have in ``npx``."""

from collections.abc import Callable

from wengert.dialects.mxnet import neural

LAYERS: dict[str, Callable] = {
    "batch_norm": neural.BatchNorm,
    "convolution": neural.Convolution,
    "deconvolution": neural.Deconvolution,
    "dropout": neural.Dropout,
    "embedding": neural.Embedding,
    "fully_connected": neural.FullyConnected,
    "group_norm": neural.GroupNorm,
    "instance_norm": neural.InstanceNorm,
    "l2_normalization": neural.L2Normalization,
    "layer_norm": neural.LayerNorm,
    "leaky_relu": neural.LeakyReLU,
    "log_softmax": neural.log_softmax,
    "pooling": neural.Pooling,
    "softmax": neural.softmax,
}
globals().update(LAYERS)
__all__ = sorted(LAYERS)
