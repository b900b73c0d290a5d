"""Transformations made of reverse mode, on plain arrays and on tensors, alone and inside one another."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, BatchError, DTypeError, ShapeError
from wengert.transforms.forward import jvp
from wengert.transforms.jacobian import hessian, hvp, jacobian, linearize, vhp
from wengert.transforms.vmap import vmap

X, V = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3])


def vector(x):
    return np.sin(x) * x[::-1]


def vector_jacobian(x):
    return np.diag(np.cos(x) * x[::-1]) + np.diag(np.sin(x))[:, ::-1]


def scalar(x):
    return np.sum(x**3 * np.roll(x, 1))


def scalar_hessian(x):
    h = np.diag(6 * x * np.roll(x, 1))
    for i in range(3):
        h[i, i - 1] += 3 * x[i] ** 2
        h[i - 1, i] += 3 * x[i] ** 2
    return h


# Forward derivatives ---------------------------------------------------------------------------------------------


def test_jvp_is_the_jacobian_times_the_tangent():
    value, tangent = jvp(vector, (X,), (V,))
    np.testing.assert_allclose(value, vector(X))
    np.testing.assert_allclose(tangent, vector_jacobian(X) @ V)


def test_jvp_of_containers_and_several_arguments():
    value, tangent = jvp(lambda d, c: {"y": d["a"] * c, "z": d["b"]}, ({"a": X, "b": V}, 2.0), ({"a": V, "b": X}, 1.0))
    np.testing.assert_allclose(tangent["y"], 2 * V + X)
    np.testing.assert_allclose(tangent["z"], X)
    np.testing.assert_allclose(value["y"], 2 * X)


def test_jvp_in_jvp():
    value, tangent = jvp(lambda x: jvp(np.sin, (x,), (1.0,))[1], (0.5,), (1.0,))
    assert value == pytest.approx(np.cos(0.5))
    assert tangent == pytest.approx(-np.sin(0.5))


def test_linearize_at_singular_points_is_what_jvp_is():
    x = np.array([1.0, 0.0])
    with np.errstate(all="ignore"):
        for f in (np.sqrt, np.log, np.cbrt, lambda x: 1 / x, lambda x: np.stack([np.sqrt(x), -np.sqrt(x)])):
            _, push = linearize(f, x)
            for t in (np.ones(2), np.array([0.0, 1.0]), np.array([1.0, 0.0])):
                np.testing.assert_array_equal(push(t), jvp(f, (x,), (t,))[1])
        _, push = linearize(lambda x: np.where(x > 0, np.sqrt(x), 0.0), x)
        np.testing.assert_array_equal(push(np.ones(2)), [0.5, 0.0])


def test_a_linearized_function_runs_once():
    calls = []

    def f(x):
        calls.append(1)
        return np.exp(x)

    _, push = linearize(f, X)
    for k in (1.0, 2.0):
        np.testing.assert_allclose(push(k * V), k * V * np.exp(X))
    assert len(calls) == 1


def test_aux_passes_through_jvp():
    _, tangent, aux = jvp(lambda x: (x * x, "aux"), (X,), (V,), has_aux=True)
    np.testing.assert_allclose(tangent, 2 * X * V)
    assert aux == "aux"


# Jacobians and Hessians ------------------------------------------------------------------------------------------


def test_jacobian():
    np.testing.assert_allclose(jacobian(vector)(X), vector_jacobian(X))


def test_jacobian_has_the_outputs_axes_first():
    x = np.arange(6.0).reshape(2, 3)
    j = jacobian(lambda x: x.T @ np.ones((2, 4)))(x)
    assert j.shape == (3, 4, 2, 3)
    np.testing.assert_array_equal(j[1, 2], [[0, 1, 0], [0, 1, 0]])


def test_jacobian_with_respect_to_several_arguments():
    first, second = jacobian(lambda a, b: a * b, argnums=(0, 1))(X, V)
    np.testing.assert_allclose(first, np.diag(V))
    np.testing.assert_allclose(second, np.diag(X))


def test_jacobian_of_containers():
    j = jacobian(lambda d: (d["a"] * 2, np.sum(d["b"])))({"a": X, "b": V})
    np.testing.assert_array_equal(j[0]["a"], 2 * np.eye(3))
    np.testing.assert_array_equal(j[0]["b"], np.zeros((3, 3)))
    np.testing.assert_array_equal(j[1]["b"], np.ones(3))


def test_jacobian_of_a_constant_and_of_nothing():
    np.testing.assert_array_equal(jacobian(lambda x: 3.0)(X), np.zeros(3))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 3)


def test_jacobian_runs_the_function_once():
    calls = []
    jacobian(lambda x: calls.append(1) or x * x)(X)
    assert len(calls) == 1


def test_jacobian_refuses_positions_that_are_not_there():
    with pytest.raises(ArgumentError, match="argument number 1 was required"):
        jacobian(vector, argnums=1)(X)


@pytest.mark.parametrize("second", [hessian(scalar), jacobian(wg.grad(scalar)), jacobian(jacobian(scalar))])
def test_hessian(second):
    np.testing.assert_allclose(second(X), scalar_hessian(X))


def test_hessian_with_respect_to_several_arguments():
    h = hessian(lambda a, b: np.sum(a * b), argnums=(0, 1))(X, V)
    np.testing.assert_array_equal(h[0][0], np.zeros((3, 3)))
    np.testing.assert_array_equal(h[0][1], np.eye(3))


@pytest.mark.parametrize("product", [hvp, vhp])
def test_products_with_the_hessian(product):
    value, (result,) = product(scalar, (X,), (V,))
    assert value == pytest.approx(scalar(X))
    np.testing.assert_allclose(result, scalar_hessian(X) @ V)


# Batches ---------------------------------------------------------------------------------------------------------


def test_vmap_of_grad():
    batch = np.stack([X, V])
    np.testing.assert_allclose(vmap(wg.grad(scalar))(batch), [wg.grad(scalar)(X), wg.grad(scalar)(V)])


def test_grad_of_vmap():
    batch = np.stack([X, V])
    g = wg.grad(lambda a: np.sum(vmap(lambda u: np.sum(u**2))(a) ** 2))(batch)
    np.testing.assert_allclose(g, 4 * batch * np.sum(batch**2, axis=1, keepdims=True))


def test_axes_in_and_out():
    y = vmap(vmap(lambda a, b: a * b), in_axes=(1, None), out_axes=1)(np.arange(6.0).reshape(3, 2), V)
    np.testing.assert_allclose(y, np.arange(6.0).reshape(3, 2) * V[:, None])
    sums, rows = vmap(lambda x: (np.sum(x), x), out_axes=(0, 1))(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(sums, [3, 12])
    assert rows.shape == (3, 2)


def test_axes_of_containers():
    y = vmap(lambda d, k: d["a"] + d["b"] + k, in_axes=({"a": 0, "b": None}, None))({"a": X, "b": 1.0}, 10.0)
    np.testing.assert_array_equal(y, X + 11)


def test_control_flow_works_in_a_batch():
    branching = lambda x: x if x > 1.5 else -x  # noqa: E731
    with pytest.raises(BatchError, match="one truth value"):
        vmap(branching)(X)
    np.testing.assert_array_equal(vmap(branching, fallback="loop")(X), [-1, 2, 3])


def test_batches_that_do_not_fit():
    with pytest.raises(ShapeError, match="one size"):
        vmap(np.add)(X, X[:2])
    with pytest.raises(ShapeError, match="one size"):
        vmap(np.add, in_axes=None)(X, X)
    with pytest.raises(ShapeError, match="an axis 1"):
        vmap(np.sin, in_axes=1)(X)
    with pytest.raises(ArgumentError, match="axes in a container"):
        vmap(np.add, in_axes=((0, 1), 0))(X, X)


# Tensors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transformed",
    [
        lambda t: jacobian(vector)(t),
        lambda t: jvp(vector, (t,), (np.ones(3),))[1],
        lambda t: vmap(lambda x: x * x)(t),
        lambda t: hessian(scalar)(t),
    ],
)
def test_results_are_recorded_for_the_tensors_around(transformed):
    t = wg.tensor(X, requires_grad=True)
    np.sum(transformed(t)).backward()
    np.testing.assert_allclose(t.grad.data, numeric(transformed), rtol=1e-6)


def numeric(transformed, eps=1e-6):
    def total(x):
        return float(np.sum(np.asarray(transformed(x))))

    return [(total(X + eps * e) - total(X - eps * e)) / (2 * eps) for e in np.eye(3)]


def test_inside_grad():
    g = wg.grad(lambda x: np.sum(jacobian(vector)(x)))(X)
    np.testing.assert_allclose(g, numeric(lambda x: jacobian(vector)(x)), rtol=1e-6)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "all"])
@pytest.mark.parametrize("transform", [wg.jacobian, wg.hessian, wg.laplacian, wg.vmap], ids=lambda t: t.__name__)
def test_chunks_that_are_no_numbers_of_passes_are_refused(transform, size):
    with pytest.raises(ArgumentError, match="chunk_size of 1 or more"):
        transform(np.sum, chunk_size=size)


def test_elementwise_derivatives_may_be_complex():
    x = np.array([0.3, -0.7])
    derivative = wg.elementwise_grad(lambda x: np.exp(1j * x))
    np.testing.assert_allclose(derivative(x), 1j * np.exp(1j * x))
    np.testing.assert_allclose(
        wg.elementwise_grad(lambda t: np.exp(1j * t["a"]) * t["b"], argnums=(0,))({"a": x, "b": x})[0]["a"],
        1j * np.exp(1j * x) * x,
    )
    with pytest.raises(DTypeError, match="real value was required"):
        wg.elementwise_grad(lambda x: x**2)(x + 1j)


def test_laplacians_that_make_no_sense_are_refused():
    with pytest.raises(DTypeError, match="a real argument"):
        wg.laplacian(lambda x: np.sum(x**2).real)(np.array([1.0 + 1j]))
    with pytest.raises(ArgumentError, match="one argument"):
        wg.laplacian(lambda x, y: np.sum(x * y), argnums=(0, 1))
    with pytest.raises(ArgumentError, match="one array"):
        wg.laplacian(lambda x: {"a": np.sum(x**2)})(np.ones(2))
