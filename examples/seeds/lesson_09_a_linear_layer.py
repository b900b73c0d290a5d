"""A linear layer learns: 50 inputs, 10 outputs, 100 steps at rate 0.001, with one object per number, and with arrays.

The losses agree step by step; the arrays need a small part of the time. The picture is `linear_layer.png`.
"""

import time

from side_by_side import picture, show

STEPS, RATE = 100, 0.001


def scalar():
    import numpy as np

    from wengert.dialects.scalar import Var, get_gradients

    random = np.random.default_rng(0).random
    to_var = np.vectorize(Var)
    x, wanted, weights = (to_var(random(shape)) for shape in (50, 10, (50, 10)))
    losses = []
    for _ in range(STEPS):
        y = np.dot(x, weights)  # NumPy's own, on arrays of objects
        loss = np.sum((wanted - y) * (wanted - y))
        losses.append(loss.value)
        gradients = get_gradients(loss)
        for weight in weights.flat:
            weight.value -= RATE * gradients[weight]
    print(f"loss {losses[0]:.4f} → {losses[-1]:.4f}")
    return losses


def wengert():
    import numpy as np

    import wengert as wg

    random = np.random.default_rng(0).random
    x, wanted = random(50), random(10)
    weights = wg.tensor(random((50, 10)), requires_grad=True)
    optimizer = wg.optim.SGD([weights], lr=RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = np.sum((wanted - x @ weights) ** 2)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"loss {losses[0]:.4f} → {losses[-1]:.4f}")
    return losses


def draw() -> None:
    """The two loss curves, which are one."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for train, style in ((scalar, "-"), (wengert, "--")):
        start = time.perf_counter()
        losses = train()
        taken = 1e3 * (time.perf_counter() - start)
        axes.semilogy(losses, style, linewidth=2, label=f"{train.__name__}, {taken:.0f} ms")
    axes.set(xlabel="step", ylabel="loss (sum of squares)", title="A linear layer, 50 inputs, 10 outputs")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(picture("linear_layer.png"), dpi=150)


show(scalar, wengert)
draw()
