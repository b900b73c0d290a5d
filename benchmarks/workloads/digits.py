"""A training step of a small classifier: forward, backward and the update of its weights."""

from functools import partial
from itertools import pairwise

import numpy as np

from ..peers import Peer
from ..workload import Budget, Timed, Workload

WIDTHS = (64, 32, 10)
BATCH = 128
RATE = 0.1


def batch(rows: int, widths, dtype):
    """Images in the grey levels of scikit-learn's digits, and labels."""
    random = np.random.default_rng(5)
    images = random.integers(0, 17, (rows, widths[0])) / 16
    return images.astype(dtype), random.integers(0, widths[-1], rows)


def parameters(widths, dtype):
    """Weights and biases, layer after layer."""
    random = np.random.default_rng(6)
    layers = []
    for fan_in, fan_out in pairwise(widths):
        layers.append(random.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)).astype(dtype))
        layers.append(random.normal(0, 0.01, fan_out).astype(dtype))
    return layers


def loss(relu, cross_entropy, images, labels, *layers):
    h = images
    for w, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        h = relu(h @ w + b)
    return cross_entropy(h @ layers[-2] + layers[-1], labels)


def step_by_hand(images, labels, layers, rate):
    """Make the step without a library, in place; gives what the peers' training functions give."""
    weights, biases = layers[::2], layers[1::2]
    inputs = [images]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        h = inputs[-1] @ w
        h += b
        inputs.append(np.maximum(h, 0, out=h))
    z = inputs[-1] @ weights[-1]
    z += biases[-1]
    z -= z.max(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    picked = z[rows, labels]
    e = np.exp(z, out=z)
    sums = e.sum(axis=1)
    value = np.mean(np.log(sums) - picked)

    g = e
    g /= sums[:, None]
    g[rows, labels] -= 1
    g /= len(labels)
    for h, w, b in zip(reversed(inputs), reversed(weights), reversed(biases), strict=True):
        dw, db = h.T @ g, g.sum(axis=0)
        if h is not images:
            g = g @ w.T
            g *= h > 0
        w -= np.multiply(rate, dw, out=dw)
        b -= rate * db
    return value, layers


def training(peer: Peer, rows: int, widths, dtype):
    """Make a function of no arguments: one step."""
    images, labels = batch(rows, widths, dtype)
    layers = parameters(widths, dtype)
    if peer.name == "numpy":
        return partial(step_by_hand, images, labels, layers, RATE)
    batch_loss = partial(loss, peer.relu, peer.cross_entropy, peer.constant(images), peer.constant(labels))
    return peer.training(batch_loss, layers, RATE)


def case(dtype: str, chart="") -> Timed:
    return Timed(
        name=dtype,
        program=partial(training, rows=BATCH, widths=WIDTHS, dtype=dtype),
        peers=("wengert", "torch", "autograd", "mygrad", "numpy", "jax"),
        budgets=(Budget(0.8, "torch"),),
        tolerance=1e-6 if dtype == "float64" else 1e-4,
        chart=chart,
    )


WORKLOAD = Workload(
    name="digits",
    title=f"A training step: batch {BATCH}, {'-'.join(map(str, WIDTHS))}, forward + backward + update",
    cases=[case("float32", "training step, digits"), case("float64")],
)
