"""Exercise: run backward again, at once. The tape is gone, and every dialect says so; kept on purpose, it works."""

from side_by_side import show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = nd.sum(x * x)
    y.backward(retain_graph=True)
    y.backward()  # overwrites
    try:
        y.backward()
    except RuntimeError as error:
        print(f"{type(error).__name__}: {error}")
    return x.grad.asnumpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.create([1.0, 2.0])
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            y = x.mul(x).sum()
            collector.backward(y)
            try:
                collector.backward(y)
            except RuntimeError as error:
                print(f"{type(error).__name__}: {error}")
        return x.getGradient().toFloatArray()


def torch():
    from wengert.dialects import torch

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    x.grad.zero_()
    y.backward()
    try:
        y.backward()
    except RuntimeError as error:
        print(f"{type(error).__name__}: {error}")
    return x.grad.numpy()


show(mxnet, djl, torch)
