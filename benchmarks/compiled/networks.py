"""Networks: a training step of a classifier, and the gradient of an attention block."""

import numpy as np

from ..workloads import digits
from .workload import Workload, differentiated

# A classifier ----------------------------------------------------------------------------------------------------


def classifier(batch: int) -> Workload:
    sizes = {"rows": batch, "widths": (784, 256, 128, 10), "dtype": "float32"}
    return Workload(
        "mlp",
        f"training step, 784-256-128-10, batch {batch}",
        digits.training,
        sizes,
        sizes | {"rows": 5, "widths": (7, 6, 5, 4)},
        0.9,
        beside=(),
        tolerance=1e-3,
        is_threaded=batch > 100,
        is_compiled_once=batch > 100,
    )


# Attention -------------------------------------------------------------------------------------------------------


def attention_data(batch, heads, length, width):
    """Weights of queries, keys and values, of the output, of the norm; a batch and its target."""
    random, d = np.random.default_rng(17), heads * width
    normal = random.standard_normal
    weights = [normal((d, 3 * d)) / d**0.5, normal((d, d)) / d**0.5, 1 + 0.1 * normal(d), 0.1 * normal(d)]
    return [x.astype("float32") for x in (*weights, normal((batch, length, d)), normal((batch, length, d)))]


def attention_loss(system, batch, heads, length, width):
    xp, attention, layer_norm = system.np, system.attention, system.layer_norm

    def loss(inner, outer, scale, shift, x, y):
        projected = layer_norm(x, scale, shift) @ inner
        q, k, v = xp.moveaxis(projected.reshape((batch, length, 3, heads, width)), (2, 3), (0, 2))
        mixed = xp.swapaxes(attention(q, k, v), 1, 2).reshape((batch, length, heads * width))
        return xp.mean((x + mixed @ outer - y) ** 2)

    return loss


attention = differentiated(5)(attention_data, attention_loss)

WORKLOADS = [
    classifier(128),
    classifier(8),
    Workload(
        "attention",
        "attention block, batch 8, 4 heads, 128 x 32",
        attention,
        {"batch": 8, "heads": 4, "length": 128, "width": 32},
        {"batch": 2, "heads": 2, "length": 5, "width": 3},
        0.9,
        beside=(),
        tolerance=1e-3,
        is_threaded=True,
    ),
]
