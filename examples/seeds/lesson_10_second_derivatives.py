"""Exercise: second derivatives. They cost more than first ones, because the way back is a program as well.

f(x) = x³: the derivative of the derivative is 6x. The count says how many operations each way has.
"""

from side_by_side import show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.array([1.0, 2.0])
    x.attach_grad()
    with autograd.record():
        y = x * x * x
        (first,) = autograd.grad(y, [x], create_graph=True)
    first.backward()
    print(x.grad.asnumpy())
    return x.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    print(second)
    return second.numpy()


def scalar():
    from wengert.dialects.scalar import Var, get_gradients

    x = [Var(1.0), Var(2.0)]
    second = []
    for v in x:
        first = get_gradients(v * v * v, create_graph=True)[v]
        second.append(get_gradients(first)[v])
    print(second)
    return second


def wengert():
    import numpy as np

    import wengert as wg

    x = wg.tensor([1.0, 2.0], requires_grad=True)
    y = np.sum(x * x * x)
    y.backward(create_graph=True)

    def count(node, seen):
        if node not in seen:
            seen.add(node)
            for parent in node.next_functions:
                count(parent, seen)
        return len(seen)

    print("nodes of y:", count(y.grad_fn, set()), " of its gradient:", count(x.grad.grad_fn, set()))
    return wg.grad(lambda x: np.sum(wg.grad(lambda x: np.sum(x**3))(x)))(np.array([1.0, 2.0]))


show(mxnet, torch, scalar, wengert)
