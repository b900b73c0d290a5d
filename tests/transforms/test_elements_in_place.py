"""Writing through views without axes, which NumPy gives for ``x[..., 0]``: every transformation sees the write."""

import numpy as np
import pytest

import wengert as wg

C = np.array([0.6, -0.4, 1.1, 0.3])


def by_operator(c):
    h = c * 1.0
    h[..., 0] *= c[0]
    return np.sum(np.sin(h))


def through_a_view(c):
    h = c * 1.0
    v = h[..., 0]
    v *= c[0]
    return np.sum(np.sin(h)) * v


def assigned_to_a_view(c):
    h = c * 1.0
    v = h[..., 0]
    v[...] = v * c[0]
    return np.sum(np.sin(h))


def of_another_shape(c):
    h = c * 1.0
    v = h.reshape(2, 2)[1, 1, ...]
    v -= c[0] * v
    return np.sum(np.sin(h)) + v


def of_a_number(c):
    h = c * 1.0
    v = h[0]
    v *= c[0]
    return np.sum(np.sin(h)) * v


WRITING = [by_operator, through_a_view, assigned_to_a_view, of_another_shape, of_a_number]


def differences(f, x):
    return np.array([(f(x + h) - f(x - h)) / 2e-6 for h in 1e-6 * np.eye(x.size)])


def by_steps(f):
    return lambda c: np.array([wg.jvp(f, (c,), (e,))[1] for e in np.eye(c.size)])


def of_captured(f):
    def gradient(c):
        t = wg.tensor(c, requires_grad=True)
        wg.compile(lambda: f(t))().backward()
        return t.grad.numpy()

    return gradient


FIRST = {
    "grad": wg.grad,
    "jvp": by_steps,
    "jacobian": wg.jacobian,
    "vmap": lambda f: lambda c: wg.vmap(wg.grad(f))(np.stack([c, c * 2]))[0],
    "compile": lambda f: wg.compile(wg.grad(f)),
    "compile jvp": lambda f: wg.compile(by_steps(f)),
    "compiled": lambda f: wg.grad(wg.compile(f)),
    "captured": of_captured,
}


@pytest.mark.parametrize("f", WRITING)
@pytest.mark.parametrize("how", FIRST)
def test_first_derivatives(f, how):
    derivative = FIRST[how](f)
    for k in range(3):
        np.testing.assert_allclose(derivative(C + k / 10), differences(f, C + k / 10), atol=1e-7)


@pytest.mark.parametrize("f", WRITING)
def test_second_derivatives_and_batches(f):
    expected = differences(wg.grad(f), C)
    np.testing.assert_allclose(wg.hessian(f)(C), expected, atol=1e-7)
    np.testing.assert_allclose(wg.compile(wg.hessian(f))(C), expected, atol=1e-7)
    several = np.stack([C, C * 2])
    for batched in (wg.vmap(f), wg.compile(wg.vmap(f)), wg.vmap(wg.compile(f))):
        np.testing.assert_allclose(batched(several), [f(C), f(C * 2)], 1e-14)
