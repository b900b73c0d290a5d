"""Loops and branches that depend on values: what is remembered is what ran.

f doubles its argument until it is long enough. On every piece it is linear, f(a) = k a, so the gradient must be
f(a) / a. That holds for a vector too, and for a matrix: k is the same for all elements, as the norm is of the whole.
"""

from side_by_side import show

START = [[0.3, -0.8], [1.4, 2.0]]


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    def f(a):
        b = a * 2
        while b.norm().asscalar() < 1000:
            b = b * 2
        return b if b.sum().asscalar() > 0 else 100 * b

    a = nd.array(START)
    a.attach_grad()
    with autograd.record():
        d = f(a)
    d.backward()
    print(a.grad == d / a)
    return a.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    def f(a):
        b = a * 2
        while b.norm() < 1000:
            b = b * 2
        return b if b.sum() > 0 else 100 * b

    a = torch.tensor(START, requires_grad=True)
    d = f(a)
    d.sum().backward()
    print(a.grad == d / a)
    return a.grad.numpy()


def djl():
    import numpy as np

    from wengert.dialects.djl import Engine, NDManager

    def f(a):
        b = a.mul(2)
        while b.norm().getFloat() < 1000:
            b = b.mul(2)
        return b if b.sum().getFloat() > 0 else b.mul(100)

    with NDManager.newBaseManager() as manager:
        a = manager.create(START)
        a.setRequiresGradient(True)
        with Engine.getInstance().newGradientCollector() as collector:
            d = f(a)
            collector.backward(d)
            print(a.getGradient().eq(d.div(a)))
        return np.reshape(a.getGradient().toFloatArray(), (2, 2))


def scalar():
    from wengert.dialects.scalar import Sqrt, Var, get_gradients

    def f(a):
        b = [2 * v for v in a]
        while Sqrt(sum(v * v for v in b)) < 1000:
            b = [2 * v for v in b]
        return b if sum(b) > 0 else [100 * v for v in b]

    a = [Var(v) for row in START for v in row]
    gradients = get_gradients(sum(f(a)))
    print([gradients[v] for v in a])
    return [[gradients[a[0]], gradients[a[1]]], [gradients[a[2]], gradients[a[3]]]]


def wengert():
    import numpy as np

    import wengert as wg

    def f(a):
        b = a * 2
        while np.linalg.norm(b) < 1000:
            b *= 2  # in place is as good
        return b if np.sum(b) > 0 else 100 * b

    a = np.array(START)
    gradient = wg.grad(lambda a: np.sum(f(a)))(a)
    print(gradient == f(a) / a)
    return gradient


show(mxnet, torch, djl, scalar, wengert)
