"""Breaking the chain rule in two: y = 2x, z = y x, first dz/dy, then dz/dy dy/dx.

The full gradient of z is 4x; the part that goes through y is 2x. And cutting the chain: u is y as a number.
"""

from side_by_side import show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.arange(4)
    x.attach_grad()
    with autograd.record():
        y = x * 2
    y.attach_grad()  # keep what arrives here, and the history behind it
    with autograd.record():
        z = y * x
    z.backward()
    print("all of dz/dx:", x.grad.asnumpy(), " dz/dy:", y.grad.asnumpy())
    y.backward(y.grad)
    print("through y:", x.grad.asnumpy())
    return x.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    x = torch.arange(4.0, requires_grad=True)
    y = x * 2
    z = y * x
    (by_y,) = torch.autograd.grad(z.sum(), y, retain_graph=True)
    (by_x,) = torch.autograd.grad(y, x, grad_outputs=by_y)
    print("dz/dy:", by_y, " through y:", by_x)
    return by_x.numpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.arange(4.0)
        x.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            u = x.stopGradient()  # the other factor as a number, so that only the way through y is left
            collector.backward(x.mul(2).mul(u))
        print("through y:", x.getGradient())
        return x.getGradient().toFloatArray()


def scalar():
    from wengert.dialects.scalar import Var, get_gradients

    through_y = []
    for value in range(4):
        x = Var(float(value))
        y = x * 2
        z = y * x
        through_y.append(get_gradients(z)[y] * get_gradients(y)[x])  # gradients of everything on the way are there
    print("through y:", through_y)
    return through_y


def wengert():
    import numpy as np

    import wengert as wg

    x = wg.tensor(np.arange(4.0), requires_grad=True)
    y = x * 2
    y.retain_grad()
    np.sum(y * x).backward(retain_graph=True)
    print("all of dz/dx:", x.grad, " dz/dy:", y.grad)
    x.zero_grad()
    y.backward(y.grad)
    print("through y:", x.grad)
    return x.grad.data


show(mxnet, torch, djl, scalar, wengert)
