"""Neural networks as ordinary users of the engine: NumPy on tensors, and no derivative of its own.

::

    activations     relu, leaky_relu, elu, softplus, gelu, silu, sigmoid, tanh, softmax, log_softmax, logsumexp
    losses          cross_entropy, nll, binary_cross_entropy_with_logits, mse, mae, huber
    maps            linear, embedding, one_hot
    regularization  dropout
    normalization   batch_norm, layer_norm
    init            initial values, drawn from an explicit generator
    module          Module: named parameters, state in and out
    layers          Linear, Embedding, Dropout, BatchNorm, LayerNorm, Sequential

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
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from wengert.nn.layers import BatchNorm, Dropout, Embedding, LayerNorm, Linear, Sequential
from wengert.nn.losses import binary_cross_entropy_with_logits, cross_entropy, huber, mae, mse, nll
from wengert.nn.maps import embedding, linear, one_hot
from wengert.nn.module import Module
from wengert.nn.normalization import batch_norm, layer_norm
from wengert.nn.regularization import dropout

__all__ = [
    "BatchNorm",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "Sequential",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "huber",
    "init",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "mae",
    "mse",
    "nll",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
