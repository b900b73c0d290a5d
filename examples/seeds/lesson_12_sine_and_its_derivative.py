"""Exercise: draw sin and its derivative without writing cos; and a function with a branch, drawn the same way.

The picture is `sine.png`.
"""

from side_by_side import picture, show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.linspace(-6, 6, 121)
    x.attach_grad()
    with autograd.record():
        y = nd.sin(x)
    y.backward()  # of the sum: each y depends on its own x alone
    return x.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    x = torch.linspace(-6, 6, 121, requires_grad=True)
    torch.sin(x).sum().backward()
    return x.grad.numpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.linspace(-6.0, 6.0, 121)
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            collector.backward(x.sin())
        return x.getGradient().toFloatArray()


def scalar():
    from wengert.dialects.scalar import Sin, Var, get_gradients

    x = [Var(-6 + i * 0.1) for i in range(121)]
    return [get_gradients(Sin(v))[v] for v in x]


def wengert():
    import numpy as np

    import wengert as wg

    return wg.grad(lambda x: np.sum(np.sin(x)))(np.linspace(-6, 6, 121))


def draw() -> None:
    """Two functions and their derivatives, of which no formula was written."""
    import matplotlib
    import numpy as np

    import wengert as wg

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def steps(x):
        return np.where(x > 0, np.sqrt(np.abs(x)), x * np.floor(x))  # a branch, and a root that is steep at 0

    x = np.linspace(-6, 6, 1201)
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axes, f, title in zip(panels, (np.sin, steps), ("sin", "a function with branches"), strict=True):
        axes.plot(x, f(x), label="f")
        axes.plot(x, wg.grad(lambda x, f=f: np.sum(f(x)))(x), "--", label="df/dx, from the tape")
        axes.set(xlabel="x", title=title)
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(picture("sine.png"), dpi=150)


show(mxnet, torch, djl, scalar, wengert)
draw()
