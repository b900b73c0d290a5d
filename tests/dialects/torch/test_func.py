"""`torch.func` and `torch.autograd.functional`."""

import numpy as np
import pytest

import wengert.dialects.torch as torch
from wengert.dialects.torch import nn
from wengert.dialects.torch.autograd import functional
from wengert.dialects.torch.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    stack_module_state,
    vjp,
    vmap,
)

X = torch.tensor([1.0, 2.0, 3.0])


def cubes(x):
    return (x**3).sum()


def test_grad():
    assert grad(cubes)(X).tolist() == [3, 12, 27]
    assert isinstance(grad(cubes)(X), torch.Tensor)
    gradient, value = grad_and_value(cubes)(X)
    assert (gradient.tolist(), value.item()) == ([3, 12, 27], 36)
    gradient, aux = grad(lambda x: (cubes(x), x * 2), has_aux=True)(X)
    assert aux.tolist() == [2, 4, 6]
    assert grad(grad(lambda x: x**3))(torch.tensor(2.0)).item() == 12
    assert [g.item() for g in grad(lambda a, b: a * b, argnums=(0, 1))(X[0], X[2])] == [3, 1]


def test_products():
    value, pullback = vjp(torch.square, X)
    assert pullback(torch.ones(3))[0].tolist() == [2, 4, 6]
    value, tangent = jvp(torch.square, (X,), (torch.ones(3),))
    assert (value.tolist(), tangent.tolist()) == ([1, 4, 9], [2, 4, 6])
    value, push = linearize(torch.square, X)
    assert push(X).tolist() == [2, 8, 18]


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd])
def test_jacobians(jacobian):
    assert jacobian(torch.square)(X).tolist() == np.diag([2.0, 4, 6]).tolist()
    first, second = jacobian(lambda a, b: a * b, argnums=(0, 1))(X, X[:1])
    assert first.shape == (3, 3)
    assert second.shape == (3, 1)
    assert jacobian(lambda d: {"y": d["x"] * 2})({"x": X})["y"]["x"].tolist() == (2 * np.eye(3)).tolist()
    assert jacobian(jacobian(cubes))(X).tolist() == np.diag([6.0, 12, 18]).tolist()


def test_hessian():
    assert hessian(cubes)(X).tolist() == np.diag([6.0, 12, 18]).tolist()
    blocks = hessian(lambda a, b: (a * b).sum(), argnums=(0, 1))(X, X)
    assert blocks[0][1].tolist() == np.eye(3).tolist()


def test_vmap():
    batch = torch.stack([X, 2 * X])
    assert vmap(grad(cubes))(batch).tolist() == [[3, 12, 27], [12, 48, 108]]
    assert vmap(torch.dot, in_dims=(0, None))(batch, X).tolist() == [14, 28]
    assert vmap(lambda x: x, out_dims=1)(batch).shape == (3, 2)
    w = torch.ones(3, requires_grad=True)
    vmap(lambda x: (x * w).sum())(batch).sum().backward()
    assert w.grad.tolist() == [3, 6, 9]


def test_randomness():
    torch.manual_seed(0)
    same = vmap(lambda x: x + torch.rand(()), randomness="same")(torch.zeros(4))
    assert len(set(same.tolist())) == 1
    different = vmap(lambda x: x + torch.rand(()), randomness="different")(torch.zeros(4))
    assert len(set(different.tolist())) == 4
    with pytest.raises(ValueError, match="randomness"):
        vmap(torch.sin, randomness="other")


def test_gradients_of_each_example():
    torch.manual_seed(0)
    model, x = nn.Linear(3, 1), torch.randn(4, 3)
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, example):
        return functional_call(model, parameters, (example,)).square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    assert each["weight"].shape == (4, 1, 3)
    model(x).square().sum().backward()
    np.testing.assert_allclose(each["weight"].sum(0).numpy(), model.weight.grad.numpy(), rtol=1e-5)
    assert model.weight.requires_grad  # the module has its own parameters again


def test_ensembles():
    models = [nn.Linear(2, 1) for _ in range(3)]
    parameters, buffers = stack_module_state(models)
    assert parameters["weight"].shape == (3, 1, 2)
    assert buffers == {}
    x = torch.ones(5, 2)
    y = vmap(lambda p: functional_call(models[0], p, (x,)))(parameters)
    np.testing.assert_allclose(y[2].detach().numpy(), models[2](x).detach().numpy(), rtol=1e-6)


def test_names_that_a_module_does_not_have():
    with pytest.raises(ValueError, match="name of a parameter"):
        functional_call(nn.Linear(1, 1), {"other": X}, (X,))


def test_what_cannot_be_differentiated():
    with pytest.raises(RuntimeError, match="scalar tensor"):
        grad(torch.square)(X)
    with pytest.raises(RuntimeError):
        grad(lambda x: x.sum())(torch.tensor([1, 2]))
    with pytest.raises(RuntimeError):
        grad(lambda x: (x.sum().backward(), x.sum())[1])(X)


# torch.autograd.functional ---------------------------------------------------------------------------------------


def test_functional_jacobian_and_hessian():
    assert functional.jacobian(torch.square, X).tolist() == np.diag([2.0, 4, 6]).tolist()
    both = functional.jacobian(lambda a, b: (a * b, a), (X, X))
    assert both[0][1].tolist() == np.diag([1.0, 2, 3]).tolist()
    assert both[1][1].tolist() == np.zeros((3, 3)).tolist()
    assert functional.hessian(cubes, X).tolist() == np.diag([6.0, 12, 18]).tolist()
    assert functional.hessian(lambda a, b: (a * b).sum(), (X, X))[0][1].tolist() == np.eye(3).tolist()
    with pytest.raises(RuntimeError, match="single element"):
        functional.hessian(torch.square, X)


def test_functional_products():
    v = torch.ones(3)
    assert functional.vjp(torch.square, X, v)[1].tolist() == [2, 4, 6]
    assert functional.jvp(torch.square, X, v)[1].tolist() == [2, 4, 6]
    assert functional.vhp(cubes, X, v)[1].tolist() == [6, 12, 18]
    assert functional.hvp(cubes, (X,), (v,))[1][0].tolist() == [6, 12, 18]
    assert functional.vjp(cubes, X)[1].tolist() == [3, 12, 27]
    with pytest.raises(RuntimeError, match="v can only be None"):
        functional.vjp(torch.square, X)
    with pytest.raises(RuntimeError, match="invalid size"):
        functional.vjp(torch.square, X, torch.ones(2))


def test_the_history_of_the_results():
    x = X.clone().requires_grad_()
    assert not functional.jacobian(torch.square, x).requires_grad
    functional.jacobian(torch.square, x, create_graph=True).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_compile_and_script_leave_functions_as_they_are():
    assert torch.compile(cubes) is cubes
    assert torch.compile(mode="default")(cubes) is cubes
    assert torch.jit.script(cubes)(X).item() == 36
    assert torch.jit.trace(cubes, X)(X).item() == 36
