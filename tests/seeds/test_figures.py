"""The figures that the documents show, line by line: what must run, and what must come out."""

from itertools import pairwise

import numpy as np
import pytest

from wengert.dialects import torch
from wengert.dialects.djl import Engine, NDManager, Shape
from wengert.dialects.mxnet import autograd, nd
from wengert.dialects.scalar import Add, Exp, Log, Mul, Sin, Var, get_gradients

# The MXNet chapter and the slides ----------------------------------------------------------------------------------


def doubled(a):
    """The chapters' function with control flow."""
    b = a * 2
    while nd.norm(b).asscalar() < 1000:
        b = b * 2
    return b if nd.sum(b).asscalar() > 0 else 100 * b


def test_mxnet_gradient_is_4x():
    x = nd.array([[1, 2], [3, 4]])
    x.attach_grad()
    with autograd.record():
        z = x * 2 * x
    z.backward()
    assert (x.grad == 4 * x).asnumpy().tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shape", [1, 3, (2, 3)])
def test_mxnet_control_flow(shape, sign):
    a = sign * nd.abs(nd.random_normal(shape=shape))
    a.attach_grad()
    with autograd.record():
        c = doubled(a)
    c.backward()
    np.testing.assert_allclose(a.grad.asnumpy(), (c / a).asnumpy(), rtol=1e-6)
    assert len(set(a.grad.asnumpy().ravel().tolist())) == 1


def test_mxnet_head_gradient():
    x, head = nd.array([[1, 2], [3, 4]]), nd.array([[10, 1.0], [0.1, 0.01]])
    x.attach_grad()
    with autograd.record():
        z = x * 2 * x
    z.backward(head)
    np.testing.assert_array_equal(x.grad.asnumpy(), (head * 4 * x).asnumpy())


def test_slides_column_vector():
    x = nd.arange(4).reshape((4, 1))
    assert repr(x) == "\n[[0.]\n [1.]\n [2.]\n [3.]]\n<NDArray 4x1 @cpu(0)>"
    x.attach_grad()
    assert x.grad.asnumpy().tolist() == [[0.0]] * 4
    with autograd.record():
        y = 2 * nd.dot(x.T, x)
    assert repr(y) == "\n[[28.]]\n<NDArray 1x1 @cpu(0)>"
    y.backward()
    assert x.grad.asnumpy().tolist() == [[0.0], [4.0], [8.0], [12.0]]
    with autograd.record():
        y = 2 * x * x
    y.backward()
    assert x.grad.asnumpy().tolist() == [[0.0], [4.0], [8.0], [12.0]]


def test_slides_training_mode():
    assert autograd.is_training() is False
    with autograd.record():
        assert autograd.is_training() is True


def test_slides_the_chain_rule_broken_by_hand():
    x = nd.arange(4).reshape((4, 1))
    x.attach_grad()
    with autograd.record():
        y = x * 2
    y.attach_grad()
    with autograd.record():
        z = y * x
    z.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), 4 * x.asnumpy())
    np.testing.assert_array_equal(y.grad.asnumpy(), x.asnumpy())
    y.backward(y.grad)
    np.testing.assert_array_equal(x.grad.asnumpy(), 2 * x.asnumpy())


# The PyTorch document ----------------------------------------------------------------------------------------------


def test_torch_flags_leaves_and_functions():
    x = torch.Tensor([2])
    w, b = torch.randn(1, requires_grad=True), torch.randn(1, requires_grad=True)
    y = torch.mul(w, x)
    z = torch.add(y, b)
    assert [t.requires_grad for t in (x, w, b, y, z)] == [False, True, True, True, True]
    assert [t.is_leaf for t in (x, w, b, y, z)] == [True, True, True, False, False]
    assert [t.grad_fn for t in (x, w, b)] == [None, None, None]
    assert repr(y.grad_fn).startswith("<MulBackward0 object at 0x")
    assert repr(z.grad_fn).startswith("<AddBackward0 object at 0x")
    z.backward()
    assert (w.grad, b.grad, x.grad) == (torch.tensor([2.0]), torch.tensor([1.0]), None)
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_torch_jacobian_by_two_passes():
    x = torch.tensor([[2, 3]], dtype=torch.float, requires_grad=True)
    y = torch.zeros(1, 2)
    y[0, 0] = x[0, 0] ** 2 + 3 * x[0, 1]
    y[0, 1] = x[0, 1] ** 2 + 2 * x[0, 0]
    y.backward(torch.Tensor([[1, 1]]), retain_graph=True)
    assert repr(x.grad) == "tensor([[6., 9.]])"
    J = torch.zeros(2, 2)
    for i, head in enumerate(([1, 0], [0, 1])):
        x.grad = torch.zeros_like(x.grad)
        y.backward(torch.Tensor([head]), retain_graph=i == 0)
        J[i] = x.grad
    assert J.tolist() == [[4.0, 3.0], [2.0, 6.0]]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward(torch.Tensor([[1, 1]]))


def test_torch_accumulates_and_detaches():
    x = torch.tensor([3.0]).requires_grad_()
    for _ in range(2):
        (x * x).backward()
    assert x.grad.tolist() == [12.0]
    assert not x.detach().requires_grad
    with torch.no_grad():
        assert not (x * 2).requires_grad
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad


# The DJL chapter and its exercises ---------------------------------------------------------------------------------


@pytest.fixture
def manager():
    with NDManager.newBaseManager() as opened:
        yield opened


def collect(function, *arguments):
    with Engine.getInstance().newGradientCollector() as collector:
        y = function(*arguments)
        collector.backward(y)
    return y


def test_djl_chapter(manager):
    x = manager.arange(4.0)
    assert str(x) == "ND: (4) cpu() float32\n[0., 1., 2., 3.]"
    x.setRequiresGradient(True)
    assert x.getGradient().toFloatArray() == [0.0, 0.0, 0.0, 0.0]
    y = collect(lambda: x.dot(x).mul(2))
    assert y.getFloat() == 28
    assert x.getGradient().toFloatArray() == [0.0, 4.0, 8.0, 12.0]
    assert x.getGradient().eq(x.mul(4)).toBooleanArray() == [True] * 4
    collect(lambda: x.sum())
    assert x.getGradient().toFloatArray() == [1.0] * 4
    collect(lambda: x.mul(x))
    assert x.getGradient().toFloatArray() == [0.0, 2.0, 4.0, 6.0]
    collect(lambda: x.mul(x).stopGradient().mul(x))
    assert x.getGradient().eq(x.mul(x)).toBooleanArray() == [True] * 4


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3)])
def test_djl_control_flow(manager, shape):
    def f(a):
        b = a.mul(2)
        while b.norm().getFloat() < 1000:
            b = b.mul(2)
        return b if b.sum().getFloat() > 0 else b.mul(100)

    a = manager.randomNormal(Shape(*shape))
    a.setRequiresGradient(True)
    d = collect(f, a)
    np.testing.assert_allclose(a.getGradient().toFloatArray(), d.div(a).toFloatArray(), rtol=1e-6)


def test_djl_backward_twice(manager):
    x = manager.arange(4.0)
    x.setRequiresGradient(True)
    with Engine.getInstance().newGradientCollector() as collector:
        y = x.mul(x)
        collector.backward(y)
        with pytest.raises(RuntimeError):
            collector.backward(y)


# The scalar document -----------------------------------------------------------------------------------------------


def test_scalar_first_example():
    a, b = Var(4), Var(3)
    d = Mul(a, Add(a, b))
    gradients = get_gradients(d)
    assert (d.value, gradients[a], gradients[b]) == (28, 11, 4)


def test_scalar_quotients():
    a, b = Var(230.3), Var(33.2)
    gradients = get_gradients((a / b - a) * (b / a + a + b) * (a - b))
    assert (gradients[a], gradients[b]) == (-153284.83150602411, 3815.0389441500993)


def test_scalar_functions():
    a, b, c = Var(43.0), Var(3.0), Var(2.0)
    g = Sin(a * b) + Exp(c - (a / b))
    gradients = get_gradients(Log(g * g) * c)
    assert [gradients[v] for v in (a, b, c)] == [60.85353612046653, 872.2331479536114, -3.2853671032530305]


def test_scalar_linear_layer_learns():
    random = np.random.default_rng(0).random
    to_var = np.vectorize(Var)
    x, wanted, weights = (to_var(random(shape)) for shape in (50, 10, (50, 10)))
    losses = []
    for _ in range(100):
        difference = wanted - np.dot(x, weights)
        loss = np.sum(difference * difference)
        losses.append(loss.value)
        gradients = get_gradients(loss)
        for weight in weights.flat:
            weight.value -= 0.001 * gradients[weight]
    assert all(later < earlier for earlier, later in pairwise(losses))
    assert losses[-1] < losses[0] / 1000
