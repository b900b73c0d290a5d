"""A Jacobian, one backward pass per row, of results that are written one by one into a buffer.

y0 = x0² + 3 x1 and y1 = x1² + 2 x0 at (2, 3): the Jacobian is [[4, 3], [2, 6]], and its rows add up to [6, 9].
"""

from side_by_side import show


def torch():
    from wengert.dialects import torch

    x = torch.tensor([2.0, 3.0], requires_grad=True)
    y = torch.zeros(2)
    y[0] = x[0] ** 2 + 3 * x[1]
    y[1] = x[1] ** 2 + 2 * x[0]
    J = torch.zeros(2, 2)
    for i, head in enumerate(torch.eye(2)):
        x.grad = None
        y.backward(head, retain_graph=True)
        J[i] = x.grad
    print(J)
    return J.numpy()


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.array([2.0, 3.0])
    x.attach_grad()
    with autograd.record():  # no writes into recorded arrays here: stacked instead
        y = nd.stack(x[0] ** 2 + 3 * x[1], x[1] ** 2 + 2 * x[0]).reshape(-1)
    J = nd.zeros((2, 2))
    for i in range(2):
        y.backward(nd.one_hot(nd.array([i]), 2).reshape(-1), retain_graph=True)
        J[i] = x.grad
    print(J)
    return J.asnumpy()


def scalar():
    from wengert.dialects.scalar import Var, get_gradients

    x = [Var(2.0), Var(3.0)]
    y = [x[0] ** 2 + 3 * x[1], x[1] ** 2 + 2 * x[0]]
    J = [[gradients[v] for v in x] for gradients in map(get_gradients, y)]
    print(J)
    return J


def wengert():
    import numpy as np

    import wengert as wg

    def f(x):
        y = wg.zeros(2)
        y[0] = x[0] ** 2 + 3 * x[1]
        y[1] = x[1] ** 2 + 2 * x[0]
        return y

    _, pull_back = wg.vjp(f, np.array([2.0, 3.0]))
    J = np.array([pull_back(head)[0] for head in np.eye(2)])
    print(J)
    return J


show(torch, mxnet, scalar, wengert)
