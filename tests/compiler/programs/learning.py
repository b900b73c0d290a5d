"""Lessons in learning: layers, losses and optimisers from scratch."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from tests.compiler.programs.table import program

import wengert as wg


@program(lambda r: (np.zeros(3), 0.0, r.normal(size=(12, 3)), r.normal(size=12), 0.1), argnums=None)
def linear_regression_by_batches(w, b, x, y, rate):
    """Steps down the gradient over batches of three."""

    def loss(p, x, y):
        return np.mean((x @ p[0] + p[1] - y) ** 2) / 2

    for start in range(0, len(x), 3):
        part = slice(start, start + 3)
        value, (gw, gb) = wg.value_and_grad(loss)((w, b), x[part], y[part])
        w, b = w - rate * gw, b - rate * gb
    return w, b, value


@program(
    lambda r: (r.normal(size=(4, 3)), r.normal(size=3), r.normal(size=(7, 4)), r.integers(0, 3, 7)), argnums=(0, 1)
)
def softmax_regression(w, b, x, y):
    """Cross entropy by the picked logarithms."""
    scores = x @ w + b
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean()


class Layer(NamedTuple):
    weight: np.ndarray
    bias: np.ndarray


def _layers(r, *sizes, scale=0.5):
    return [Layer(scale * r.normal(size=(a, b)), r.normal(size=b)) for a, b in pairwise(sizes)]


@program(lambda r: (_layers(r, 5, 8, 3), r.normal(size=(6, 5)), np.eye(3)[r.integers(0, 3, 6)]))
def perceptron(layers, x, target):
    """Layers in a list of named tuples; rectified; a penalty."""
    for layer in layers[:-1]:
        x = np.maximum(x @ layer.weight + layer.bias, 0)
    scores = x @ layers[-1].weight + layers[-1].bias
    log_p = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    return -np.mean(np.sum(target * log_p, axis=1)) + 1e-3 * sum(np.sum(layer.weight**2) for layer in layers)


@program(
    lambda r: (r.normal(size=(2, 1, 9, 9)), r.normal(size=(3, 1, 3, 3)), r.normal(size=(3 * 3 * 3, 4))), argnums=(1, 2)
)
def convolution_by_columns(images, kernels, dense):
    """Windows gathered into a matrix, pooled by reshaping, flattened."""
    n, _, h, _ = images.shape
    k = kernels.shape[-1]
    i = np.arange(h - k + 1)[:, None] + np.arange(k)
    windows = images[:, :, i][:, :, :, :, i]  # n, c, oh, k, ow, k
    out = np.einsum("ncikjl,ockl->noij", windows, kernels)
    out = np.tanh(out[:, :, :6, :6])
    pooled = out.reshape(n, 3, 3, 2, 3, 2).max(axis=(3, 5))
    return np.sum(wg.softmax(pooled.reshape(n, -1) @ dense, axis=-1)[:, 0])


@program(lambda r: (r.normal(size=(2, 5, 6)), *(r.normal(size=(6, 6)) / 3 for _ in range(4))), argnums=(0, 1, 2, 3, 4))
def attention(x, wq, wk, wv, wo):
    """Two heads, a mask over what comes later, the residual and its norm."""
    b, t, d = x.shape

    def heads(y):
        return y.reshape(b, t, 2, d // 2).transpose(0, 2, 1, 3)

    q, k, v = heads(x @ wq), heads(x @ wk), heads(x @ wv)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d // 2)
    later = np.triu(np.ones((t, t), bool), 1)
    scores = np.where(later, -np.inf, scores)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    y = x + (weights @ v).transpose(0, 2, 1, 3).reshape(b, t, d) @ wo
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
    return np.sum(y[:, -1] ** 3)


def _recurrent(r):
    return {"xh": r.normal(size=(4, 5)), "hh": r.normal(size=(5, 5)) / 2, "hy": r.normal(size=(5, 4))}, r.integers(
        0, 4, (2, 7)
    )


@program(_recurrent)
def characters_by_a_recurrent_net(p, text):
    """The next character, by one-hot rows and a tanh of what came before."""
    one_hot = np.eye(4)[text]
    h = np.zeros((len(text), 5))
    loss = 0.0
    for t in range(text.shape[1] - 1):
        h = np.tanh(one_hot[:, t] @ p["xh"] + h @ p["hh"])
        scores = h @ p["hy"]
        loss += np.mean(np.log(np.sum(np.exp(scores), axis=1)) - scores[np.arange(len(text)), text[:, t + 1]])
    return loss / text.shape[1]


@program(lambda r: (0.4 * r.normal(size=(10, 16)), r.normal(size=16), r.normal(size=(6, 3, 6))), argnums=(0, 1))
def lstm_from_scratch(w, b, xs):
    """Four gates out of one product, cut apart."""
    h, c = np.zeros((3, 4)), np.zeros((3, 4))
    for x in xs:
        i, f, o, g = np.split(np.hstack([x, h]) @ w + b, 4, axis=1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    return np.sum(h * c)


@program(lambda r: (r.normal(size=4), 0.05), argnums=None)
def adam_from_scratch(x, rate):
    """Moments in a dictionary, with the number of the step in the correction."""

    def rosenbrock(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    state = {"m": np.zeros_like(x), "v": np.zeros_like(x)}
    for t in range(1, 6):
        g = wg.grad(rosenbrock)(x)
        state["m"] = 0.9 * state["m"] + 0.1 * g
        state["v"] = 0.999 * state["v"] + 0.001 * g**2
        x = x - rate * (state["m"] / (1 - 0.9**t)) / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)
    return x, state


@program(
    lambda r: (r.normal(size=(3, 4)).astype("f4"), r.normal(size=4), r.normal(size=(5, 3)).astype("f4")), argnums=(0, 1)
)
def two_precisions(w, b, x):
    """Weights of single precision under a bias of double."""
    low = x @ w
    assert low.dtype == np.float32
    return np.sum((low + b) ** 2) + np.float32(0.5) * np.sum(low)


@program(lambda r: (r.normal(size=(3, 4)).astype("f4"), r.normal(size=(5, 3)).astype("f4")))
def single_precision(w, x):
    """All in single precision, a scale by a Python number."""
    y = np.tanh(x @ w * 0.5)
    return np.sum(y * y) / len(x)


@program(lambda r: (r.normal(size=(8, 3)), r.integers(0, 8, (2, 6))))
def embeddings(table, pairs):
    """Rows of a table looked up twice over, and their angle."""
    a, b = table[pairs[0]], table[pairs[1]]
    cosine = np.sum(a * b, axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.sum(np.maximum(0, 0.5 - cosine) ** 2)


@program(lambda r: (r.normal(size=(6, 4)), r.normal(size=4), r.normal(size=4)), argnums=(0, 1, 2))
def batch_norm(x, scale, shift):
    """Normalised over the batch, with what is kept for later beside."""
    mean, var = x.mean(0), x.var(0, ddof=1)
    y = scale * (x - mean) / np.sqrt(var + 1e-5) + shift
    return np.sum(np.where(y > 0, y, np.expm1(y)) ** 2)


@program(lambda r: (r.normal(size=(6, 2)), r.normal(size=(3, 2))), argnums=None)
def k_means(x, centres):
    """Until nobody moves any more: an assignment, and means over masks."""
    before = None
    while True:
        nearest = np.argmin(((x[:, None] - centres) ** 2).sum(-1), axis=1)
        if before is not None and np.array_equal(before, nearest):
            return nearest, centres
        before = nearest
        centres = centres.copy()
        for k in range(len(centres)):
            if np.any(nearest == k):
                centres[k] = x[nearest == k].mean(axis=0)


@program(lambda r: (r.normal(size=(4, 3)), r.normal(size=(4, 3)), r.random((4, 3)) > 0.5))
def dropout_and_huber(x, y, keep):
    """A mask that is given, and a loss that is a parabola in the middle."""
    error = np.where(keep, x / 0.5, 0.0) - y
    small = np.abs(error) <= 1
    return np.mean(np.where(small, 0.5 * error**2, np.abs(error) - 0.5))


@program(
    lambda r: (
        r.normal(size=(50, 16)),
        r.normal(size=(80, 16)),
        r.integers(0, 50, 300),
        r.integers(0, 80, 300),
        r.normal(size=300),
    ),
    argnums=(0, 1),
)
def matrix_factorisation(users, items, i, j, ratings):
    """Rows of two tables, picked by known pairs."""
    errors = ratings - np.sum(users[i] * items[j], axis=1)
    return np.sum(errors * errors) + 0.1 * (np.sum(users * users) + np.sum(items * items))


@program(lambda r: (r.normal(size=(8, 6, 7)), r.normal(size=(8, 7, 5)), r.normal(size=(8, 5, 9))))
def three_in_one_product(x, y, z):
    """More than two operands, contracted in an order that is not theirs."""
    return np.sum(np.einsum("bij,bjk,bkl->bil", x, y, z) ** 2)


@program(lambda r: (r.normal(size=(40, 4)), r.normal(size=(50, 4))))
def similarity(x, y):
    """A kernel between all pairs, whose gradient is a sum along a middle axis."""
    return np.sum(np.exp(-np.sum((x[:, None, :] - y[None, :, :]) ** 2, axis=-1)))
