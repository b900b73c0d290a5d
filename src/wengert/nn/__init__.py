"""Neural networks as ordinary users of the engine: NumPy on tensors, and no derivative of its own.

::

    activations     relu, leaky_relu, elu, softplus, gelu, silu, sigmoid, tanh, softmax, log_softmax, logsumexp, …
    losses          cross_entropy, nll, binary_cross_entropy(_with_logits), kl_divergence, mse, mae, huber
    maps            linear, embedding, one_hot
    convolution     conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
    pooling         max_pool1d, avg_pool1d, adaptive_max_pool1d, adaptive_avg_pool1d, and the same for 2d and 3d
    regularization  dropout
    normalization   batch_norm, layer_norm, group_norm, rms_norm
    attention       attention, attention_weights, split_heads, merge_heads
    distances       normalize, cosine_similarity, pairwise_distance, and losses that are margins of such scores
    resampling      resize, pixel_shuffle, pixel_unshuffle
    init            initial values, drawn from an explicit generator
    module          Module: named parameters, state in and out
    layers          Linear, Embedding, Dropout, BatchNorm, LayerNorm, Sequential
    convolution_layers  Conv1d, ConvTranspose1d, MaxPool1d, AvgPool1d, and the same for 2d and 3d

>>> import numpy as np
>>> import wengert as wg
>>> from wengert import nn, optim
>>> rng = np.random.default_rng(0)
>>> x, labels = rng.normal(size=(64, 2)), rng.integers(0, 2, 64)
>>> x[:, 0] += 4 * labels
>>> model = nn.Sequential(nn.Linear(2, 8, rng=rng), nn.relu, nn.Linear(8, 2, rng=rng))
>>> optimizer = optim.Adam(model.parameters(), lr=0.01)
>>> for step in range(200):
...     loss = nn.cross_entropy(model(x), labels)
...     optimizer.zero_grad()
...     loss.backward()
...     optimizer.step()
>>> bool(np.mean(np.argmax(model(x), axis=1) == labels) > 0.95)
True
"""

from wengert.nn import init
from wengert.nn.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    logsumexp,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    tanh,
)
from wengert.nn.attention import attention, attention_weights, merge_heads, split_heads
from wengert.nn.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from wengert.nn.convolution_layers import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from wengert.nn.distances import (
    cosine_embedding_loss,
    cosine_similarity,
    gaussian_nll,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    normalize,
    pairwise_distance,
    poisson_nll,
    soft_margin_loss,
    triplet_margin_loss,
)
from wengert.nn.layers import BatchNorm, Dropout, Embedding, LayerNorm, Linear, Sequential
from wengert.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber,
    kl_divergence,
    mae,
    mse,
    nll,
)
from wengert.nn.maps import embedding, linear, one_hot
from wengert.nn.module import Module
from wengert.nn.normalization import batch_norm, group_norm, layer_norm, rms_norm
from wengert.nn.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from wengert.nn.regularization import dropout
from wengert.nn.resampling import pixel_shuffle, pixel_unshuffle, resize

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Module",
    "Sequential",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "attention",
    "attention_weights",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gaussian_nll",
    "gelu",
    "glu",
    "group_norm",
    "hard_shrink",
    "hard_sigmoid",
    "hard_swish",
    "hinge_embedding_loss",
    "huber",
    "init",
    "kl_divergence",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "mae",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "merge_heads",
    "mish",
    "mse",
    "multi_margin_loss",
    "nll",
    "normalize",
    "one_hot",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll",
    "relu",
    "resize",
    "rms_norm",
    "selu",
    "sigmoid",
    "silu",
    "soft_margin_loss",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "split_heads",
    "tanh",
    "triplet_margin_loss",
]
