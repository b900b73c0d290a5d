"""Leaves, results, and how long a tape lives.

A leaf is what you made; a result knows the operation that made it. Going back frees what it used, unless it is told to
keep it: so a second time is an error and not a wrong number.
"""

from side_by_side import show


def torch():
    from wengert.dialects import torch

    x = torch.tensor([2.0])
    w = torch.tensor([3.0], requires_grad=True)
    y = torch.mul(w, x)
    z = torch.add(y, 1)
    print([t.requires_grad for t in (x, w, y, z)], [t.is_leaf for t in (x, w, y, z)])
    print([type(t.grad_fn).__name__ for t in (x, w, y, z)])
    z.backward(retain_graph=True)
    z.backward()
    try:
        z.backward()
    except RuntimeError as error:
        print("RuntimeError:", error)
    with torch.no_grad():
        print("recorded under no_grad:", (w * 2).requires_grad)
    return w.grad.numpy()


def mxnet():
    from wengert.dialects.mxnet import autograd, nd

    w = nd.array([3.0])
    w.attach_grad(grad_req="add")
    print(autograd.is_recording(), autograd.is_training())
    with autograd.record():
        print(autograd.is_recording(), autograd.is_training())
        z = w * 2 + 1
    z.backward(retain_graph=True)
    z.backward()
    try:
        z.backward()
    except RuntimeError as error:
        print("MXNetError:", error)
    return w.grad.asnumpy()


def wengert():
    import wengert as wg

    w = wg.tensor([3.0], requires_grad=True)
    y = w * 2
    z = y + 1
    print([t.is_leaf for t in (w, y, z)], [t.grad_fn and t.grad_fn.name for t in (w, y, z)])
    z.backward(retain_graph=True)
    z.backward()
    try:
        z.backward()
    except RuntimeError as error:
        print(f"{type(error).__name__}:", error)
    return w.grad.data


show(torch, mxnet, wengert)
