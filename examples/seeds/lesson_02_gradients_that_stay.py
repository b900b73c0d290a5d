"""What happens to a gradient that is there already: MXNet and DJL overwrite it, PyTorch adds to it.

Two losses, x·x and then the sum of x; afterwards both again, added up on purpose.
"""

from side_by_side import show


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    x = nd.array([1.0, 2.0])
    x.attach_grad()
    for loss in (lambda: nd.dot(x, x), lambda: nd.sum(x)):
        with autograd.record():
            y = loss()
        y.backward()
    print("overwritten:", x.grad.asnumpy())
    x.attach_grad(grad_req="add")
    for loss in (lambda: nd.dot(x, x), lambda: nd.sum(x)):
        with autograd.record():
            y = loss()
        y.backward()
    print("added:", x.grad.asnumpy())
    return x.grad.asnumpy()


def torch():
    from wengert.dialects import torch

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for loss in (lambda: x @ x, lambda: x.sum()):
        x.grad = None  # or optimizer.zero_grad(): forgetting it is the classic mistake
        loss().backward()
    print("overwritten:", x.grad)
    x.grad = None
    for loss in (lambda: x @ x, lambda: x.sum()):
        loss().backward()
    print("added:", x.grad)
    return x.grad.numpy()


def djl():
    from wengert.dialects.djl import Engine, NDManager

    with NDManager.newBaseManager() as manager:
        x = manager.create([1.0, 2.0])
        x.setRequiresGradient(True)
        for loss in (lambda: x.dot(x), lambda: x.sum()):
            with Engine.getInstance().newGradientCollector() as collector:
                collector.backward(loss())
        print("overwritten by each new collector:", x.getGradient())
        with Engine.getInstance().newGradientCollector() as collector:
            for loss in (lambda: x.dot(x), lambda: x.sum()):
                collector.backward(loss())
        print("added inside one collector:", x.getGradient())
        return x.getGradient().toFloatArray()


def wengert():
    import numpy as np

    import wengert as wg

    x = wg.tensor([1.0, 2.0], requires_grad=True)
    x.accumulation = "write"
    for loss in (lambda: x @ x, lambda: np.sum(x)):
        loss().backward()
    print("overwritten:", x.grad)
    x.accumulation = "add"  # what a tensor does unless told otherwise
    x.zero_grad()
    for loss in (lambda: x @ x, lambda: np.sum(x)):
        loss().backward()
    print("added:", x.grad)
    return x.grad.data


show(mxnet, torch, djl, wengert)
