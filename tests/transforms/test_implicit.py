"""Implicit differentiation, beside closed forms and differences."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, BatchError, GradientError
from wengert.transforms import implicit

A = np.random.default_rng(0).uniform(size=(5, 5)) + 5 * np.eye(5)
B = np.random.default_rng(1).uniform(size=5)


def cube_root(a):
    return implicit.root(lambda x: x**3 - a, 1.0)


def test_every_order_of_derivative():
    f = cube_root
    for k in range(4):
        expected = np.prod([1 / 3 - i for i in range(k)]) * 2.0 ** (1 / 3 - k)
        assert f(2.0) == pytest.approx(expected)
        f = wg.grad(f)


def test_forward_mode_and_taylor_series():
    assert wg.jvp(cube_root, (2.0,), (3.0,))[1] == pytest.approx(2.0 ** (-2 / 3))
    expected = [np.prod([1 / 3 - i for i in range(k)]) * 2.0 ** (1 / 3 - k) for k in range(6)]
    np.testing.assert_allclose(wg.derivatives(cube_root, 2.0, 5), expected, rtol=1e-10)
    assert wg.jvp(wg.grad(cube_root), (2.0,), (1.0,))[1] == pytest.approx(expected[2])


def test_containers_and_arguments():
    def system(x, p):
        return {"u": x["u"] * p["a"] - x["v"][0], "v": x["v"] ** 2 - p["b"]}

    def total(p):
        x = implicit.root(system, {"u": 1.0, "v": np.ones(2)}, args=(p,))
        return x["u"] + np.sum(x["v"])

    p = {"a": 2.0, "b": np.array([4.0, 9.0])}
    g = wg.grad(total)(p)
    assert g["a"] == pytest.approx(-0.5)
    np.testing.assert_allclose(g["b"], [0.25 * 1.5, 1 / 6])


def test_one_further_argument_needs_no_tuple():
    def found(a):
        x = wg.implicit.root(lambda x, a: x * x - a, 1.0, args=a)
        y = wg.implicit.fixed_point(lambda y, a: (y + a / y) / 2, 1.0, args=a)
        z = wg.implicit.argmin(lambda z, a: (z - a) ** 2, 0.0, args=a)
        w = wg.implicit.linear_solve(lambda w, a: a * w, np.ones(2), args=a)
        return x + y + z + np.sum(w)

    value, slope = wg.value_and_grad(found)(4.0)
    np.testing.assert_allclose([value, slope], [8.5, 0.25 + 0.25 + 1.0 - 0.125], rtol=1e-6)


def test_a_tensor_outside():
    w = wg.tensor(3.0, requires_grad=True)
    implicit.root(lambda x: x * x - w, 1.0).backward()
    assert w.grad.item() == pytest.approx(0.5 / np.sqrt(3))


def test_many_unknowns_are_solved_by_products():
    n = 1000

    def total(c):
        return np.sum(implicit.root(lambda u: 2 * u - 0.5 * np.roll(u, 1) + u**3 - c, np.zeros(n)))

    each = implicit.root(lambda u: 1.5 * u + u**3 - 1.0, 0.0)
    assert wg.grad(total)(1.0) == pytest.approx(n / (1.5 + 3 * each**2), rel=1e-6)


def test_a_solver_of_ones_own():
    def newton(f, x):
        for _ in range(30):
            x = x - np.linalg.solve(wg.jacobian(f)(x), f(x))
        return x

    g = wg.grad(lambda a: implicit.root(lambda x: x**2 - a, 1.0, method=newton))
    assert g(9.0) == pytest.approx(1 / 6)


def test_fixed_point():
    def kepler(e):
        return implicit.fixed_point(lambda x: 1.0 + e * np.sin(x), 1.0)

    x = kepler(0.2)
    slope = np.sin(x) / (1 - 0.2 * np.cos(x))
    assert wg.grad(kepler)(0.2) == pytest.approx(slope, rel=1e-9)
    bent = (2 * np.cos(x) * slope - 0.2 * np.sin(x) * slope**2) / (1 - 0.2 * np.cos(x))
    assert wg.grad(wg.grad(kepler))(0.2) == pytest.approx(bent, rel=1e-8)


@pytest.mark.parametrize("solver", ["auto", "cg", "minres"])
def test_argmin(solver):
    def ridge(strength):
        loss = lambda w: np.sum((A @ w - B) ** 2) + strength * np.sum(w**2)  # noqa: E731
        return implicit.argmin(loss, np.zeros(5), linear_solver=solver)

    def exact(strength):
        return np.linalg.solve(A.T @ A + strength * np.eye(5), A.T @ B)

    np.testing.assert_allclose(wg.jacobian(ridge)(0.5), wg.jacobian(exact)(0.5), rtol=1e-7)
    np.testing.assert_allclose(wg.hessian(ridge)(0.5), wg.hessian(exact)(0.5), rtol=1e-6)


@pytest.mark.parametrize("method", ["gmres", "lgmres"])
def test_linear_solve(method):
    def ours(a, b):
        return np.sum(np.sin(implicit.linear_solve(lambda v: a @ v, b, method=method)))

    def dense(a, b):
        return np.sum(np.sin(np.linalg.solve(a, b)))

    for got, expected in zip(wg.grad(ours, (0, 1))(A, B), wg.grad(dense, (0, 1))(A, B), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-9)
    np.testing.assert_allclose(
        wg.hessian(lambda s: ours(A * s, B))(1.1), wg.hessian(lambda s: dense(A * s, B))(1.1), rtol=1e-7
    )


def test_a_symmetric_system_by_conjugate_gradients():
    s = A @ A.T
    g = wg.grad(lambda b: np.sum(implicit.linear_solve(lambda v: s @ v, b, method="cg") ** 2))(B)
    np.testing.assert_allclose(g, 2 * np.linalg.solve(s, np.linalg.solve(s, B)), rtol=1e-6)


def test_complex_unknowns():
    def size(a):
        return np.abs(implicit.root(lambda z: z * z - (a + 2j), 1.0 + 1.0j, method=_newton)) ** 2

    a, h = 0.7, 1e-6
    expected = (np.abs(np.sqrt(a + h + 2j)) ** 2 - np.abs(np.sqrt(a - h + 2j)) ** 2) / (2 * h)
    assert wg.grad(size)(a) == pytest.approx(expected, rel=1e-8)


def _newton(f, z):
    for _ in range(20):
        z = z - np.linalg.solve(wg.jacobian(f, holomorphic=True)(z), f(z))
    return z


def test_batches_are_refused_or_looped_over():
    with pytest.raises(BatchError):
        wg.vmap(cube_root)(np.array([1.0, 8.0]))
    np.testing.assert_allclose(wg.vmap(cube_root, fallback="loop")(np.array([1.0, 8.0])), [1, 2])


def test_faults_are_told():
    with pytest.raises(GradientError, match="a solver that converges"):
        implicit.root(lambda x: x * x + 1.0, 1.0)
    with pytest.raises(GradientError, match="not singular"):
        wg.grad(lambda a: implicit.root(lambda x: np.stack([x[0] - a, x[0] - a]), np.ones(2)))(1.0)[0]
    with pytest.raises(ArgumentError, match="linear_solver"):
        implicit.root(lambda x: x, 1.0, linear_solver="lu")
    with pytest.raises(GradientError, match="iteration that converges"):
        implicit.fixed_point(lambda x: x + 1.0, 1.0, maxiter=20)
