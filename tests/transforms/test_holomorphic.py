"""Complex derivatives: asked for by name, and checked."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError

Z = 0.7 + 0.4j


@pytest.mark.parametrize(
    "f, derivative",
    [
        (lambda z: z**3, lambda z: 3 * z**2),
        (np.exp, np.exp),
        (lambda z: np.sin(z) / z, lambda z: np.cos(z) / z - np.sin(z) / z**2),
        (lambda z: (2 - 1j) * z + 1, lambda z: 2 - 1j),
    ],
)
def test_the_complex_derivative(f, derivative):
    assert wg.grad(f, holomorphic=True)(Z) == pytest.approx(derivative(Z))
    value, gradient = wg.value_and_grad(f, holomorphic=True)(Z)
    assert value == pytest.approx(f(Z))
    assert gradient == pytest.approx(derivative(Z))
    assert wg.jvp(f, (Z,), (1.0 + 0j,))[1] == pytest.approx(derivative(Z))
    assert wg.jacobian(f, holomorphic=True)(Z) == pytest.approx(derivative(Z))


def test_second_derivatives():
    second = wg.grad(wg.grad(lambda z: z**4, holomorphic=True), holomorphic=True)
    assert second(Z) == pytest.approx(12 * Z**2)
    assert wg.hessian(lambda z: z**4, holomorphic=True)(Z) == pytest.approx(12 * Z**2)


def test_arrays_in_containers():
    x = {"a": np.array([1 + 1j, 2 - 1j]), "b": 1j}
    g = wg.grad(lambda x: np.sum(x["a"] ** 2) * x["b"], holomorphic=True)(x)
    np.testing.assert_allclose(g["a"], 2j * x["a"])
    assert g["b"] == pytest.approx(np.sum(x["a"] ** 2))


@pytest.mark.parametrize("f", [np.conj, lambda z: z * np.conj(z), lambda z: np.abs(z) + 0j, lambda z: z.real * z])
def test_functions_without_a_complex_derivative_are_refused(f):
    with pytest.raises(DTypeError, match="with a complex derivative"):
        wg.grad(f, holomorphic=True)(Z)


def test_what_is_real_is_refused():
    with pytest.raises(DTypeError, match="complex value"):
        wg.grad(np.abs, holomorphic=True)(Z)
    with pytest.raises(DTypeError, match="complex arguments"):
        wg.grad(lambda x: x * 1j, holomorphic=True)(1.0)
    with pytest.raises(DTypeError, match="holomorphic=True"):
        wg.grad(np.exp)(Z)
    with pytest.raises(DTypeError, match="holomorphic=True"):
        wg.jacobian(np.exp)(np.array([Z]))
