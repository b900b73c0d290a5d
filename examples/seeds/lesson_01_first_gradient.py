"""A first gradient: y = 2 x·x, whose gradient is 4x.

Every system needs to be told three things: with respect to what, when to remember, and from where to go back.
"""

from side_by_side import show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.arange(4).reshape((4, 1))
    x.attach_grad()  # with respect to x: its gradient is zeros until there is one
    with autograd.record():  # remember
        y = 2 * nd.dot(x.T, x)
    y.backward()  # back from y
    print(y, x.grad)
    return x.grad.asnumpy().ravel()


def torch():
    from wengert.dialects import torch

    x = torch.arange(4.0, requires_grad=True)  # what requires grad is remembered wherever it is used
    y = 2 * torch.dot(x, x)
    y.backward()
    print(y, x.grad)
    return x.grad.numpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.arange(4.0)
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            y = x.dot(x).mul(2)
            collector.backward(y)
        print(y, x.getGradient())
        return x.getGradient().toFloatArray()


def scalar():
    from wengert.dialects.scalar import Var, get_gradients

    x = [Var(float(i)) for i in range(4)]
    y = 2 * sum(v * v for v in x)
    gradients = get_gradients(y)  # with respect to everything that y was made from
    print(y.value, [gradients[v] for v in x])
    return [gradients[v] for v in x]


def wengert():
    import numpy as np

    import wengert as wg

    x = wg.tensor(np.arange(4.0), requires_grad=True)
    y = 2 * np.dot(x, x)
    y.backward()
    print(y, x.grad)
    return wg.grad(lambda x: 2 * np.dot(x, x))(np.arange(4.0))  # or: the gradient function of a function


show(mxnet, torch, djl, scalar, wengert)
