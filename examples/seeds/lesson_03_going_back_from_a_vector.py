"""Going back from something with more than one element: y = x * x, weighted by a head gradient.

MXNet and DJL take the sum when nothing is said. PyTorch and wengert ask for the weights, because forgetting to reduce
a loss is a mistake more often than a wish.
"""

from side_by_side import show

HEAD = [10.0, 1.0, 0.1, 0.01]


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.arange(4)
    x.attach_grad()
    with autograd.record():
        y = x * x
    y.backward(retain_graph=True)
    print("as a sum:", x.grad.asnumpy())
    y.backward(nd.array(HEAD))
    print("weighted:", x.grad.asnumpy())
    return x.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    x = torch.arange(4.0, requires_grad=True)
    y = x * x
    try:
        y.backward()
    except RuntimeError as error:
        print("RuntimeError:", error)
    y.backward(torch.tensor(HEAD))
    print("weighted:", x.grad)
    return x.grad.numpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.arange(4.0)
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            collector.backward(x.mul(x))
        print("as a sum:", x.getGradient())
        with Engine.getInstance().newGradientCollector() as collector:
            collector.backward(x.mul(x).mul(manager.create(HEAD)))  # a weighted sum has the weights as head gradient
        print("weighted:", x.getGradient())
        return x.getGradient().toFloatArray()


def wengert():
    import numpy as np

    import wengert as wg

    value, pull_back = wg.vjp(lambda x: x * x, np.arange(4.0))
    print("value:", value, "as a sum:", pull_back(np.ones(4))[0])
    (weighted,) = pull_back(np.array(HEAD))
    print("weighted:", weighted)
    return weighted


show(mxnet, torch, djl, wengert)
