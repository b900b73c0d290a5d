"""All compositions of the transformations to depth three, on functions whose derivatives are known in closed form."""

import itertools
import threading

import numpy as np
import pytest

import wengert as wg

X = np.array([0.3, 0.7, 1.1])


class Monomials:
    """``sum(c * x**n)`` of each element: closed under all transformations used here, with exact derivatives."""

    def __init__(self, terms):
        self.terms = dict(terms)

    def __call__(self, x):
        return sum(c * x**n for n, c in self.terms.items())

    def derivative(self):
        return Monomials({n - 1: n * c for n, c in self.terms.items() if n})


POLYNOMIAL = Monomials({5: 0.5, 4: -1.0, 3: 2.0, 1: 1.0})


def by_power(x):
    return 0.5 * x**5 - x**4 + 2.0 * x**3 + x


def by_loop(x):
    """The same by Horner's rule, written into a buffer whose views are read."""
    coefficients = [0.5, -1.0, 2.0, 0.0, 1.0, 0.0]
    out = np.zeros_like(np.stack([x] * len(coefficients)))
    latest = out[0:1]
    latest[...] = coefficients[0]
    for i in range(1, len(coefficients)):
        out[i] = out[i - 1] * x + coefficients[i]
    return out[-1]


def by_branch(x):
    """The same with a branch, and writes that a view sees."""
    y = np.stack([x, x])
    first = y[0:1]
    y[0] *= x * x
    return 0.5 * y[0] * y[1] * y[1] - y[0] * y[1] + 2.0 * first[0] + y[1]


FUNCTIONS = [by_power, by_loop, by_branch]


# Each takes a function of one number and gives one, whose value is the derivative of the first so many times.


def _grad(f):
    return wg.grad(f)


def _jvp(f):
    return lambda x: wg.jvp(f, (x,), (np.ones_like(x),))[1]


def _vjp(f):
    def g(x):
        value, pullback = wg.vjp(f, x)
        return pullback(np.ones_like(value))[0]

    return g


def _linearize(f):
    return lambda x: wg.linearize(f, x)[1](np.ones_like(x))


def _vmap(f):
    """A batch of equal numbers, of which one is taken."""
    return lambda x: wg.vmap(f)(np.stack([x, 2 * x]))[0]


def _jacobian(f):
    return lambda x: wg.jacobian(lambda v: np.stack([f(v[0]), f(v[1])]))(np.stack([x, x]))[1, 1]


def _hessian(f):
    return wg.hessian(f)


def _elementwise_grad(f):
    return wg.elementwise_grad(f)


def _taylor(f):
    return lambda x: 2 * wg.taylor(f, x, np.ones_like(x), 2)[2]


TRANSFORMATIONS = {
    "grad": (_grad, 1),
    "jvp": (_jvp, 1),
    "vjp": (_vjp, 1),
    "linearize": (_linearize, 1),
    "vmap": (_vmap, 0),
    "jacobian": (_jacobian, 1),
    "hessian": (_hessian, 2),
    "elementwise_grad": (_elementwise_grad, 1),
    "taylor": (_taylor, 2),
}


def expected(order, x):
    f = POLYNOMIAL
    for _ in range(order):
        f = f.derivative()
    return f(x)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("names", list(itertools.product(TRANSFORMATIONS, repeat=2)), ids="-".join)
def test_two_deep(names, f):
    check(names, f)


@pytest.mark.parametrize("names", list(itertools.product(TRANSFORMATIONS, repeat=3)), ids="-".join)
def test_three_deep(names):
    check(names, by_loop if sum(map(len, names)) % 2 else by_branch)


def check(names, f):
    order = 0
    for name in reversed(names):
        transform, more = TRANSFORMATIONS[name]
        f, order = transform(f), order + more
    assert float(f(0.7)) == pytest.approx(float(expected(order, 0.7)), rel=1e-9, abs=1e-9)


# Perturbation confusion ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", [_grad, _jvp, _vjp, _linearize])
@pytest.mark.parametrize("inner", [_grad, _jvp, _vjp, _linearize])
def test_nested_derivatives_are_told_apart(outer, inner):
    """Siskind and Pearlmutter (2005): the inner derivative is of another variable."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == 6.0


@pytest.mark.parametrize("inner", [_grad, _jvp])
def test_a_function_that_returns_closures(inner):
    """Manzyuk et al. (2019): a derivative of a curried function, applied to itself."""

    def shift(offset):
        return lambda f: lambda x: f(x + offset)

    derivative = lambda f: lambda x: inner(f)(x)  # noqa: E731
    assert derivative(shift(0.5)(shift(0.25)(np.exp)))(0.0) == pytest.approx(np.exp(0.75))


def test_outer_variables_inside_a_batch():
    def f(w):
        return np.sum(wg.vmap(lambda x: wg.grad(lambda y: np.sin(w * y))(x))(X))

    expected_value = np.sum(np.cos(2.0 * X) - 2.0 * X * np.sin(2.0 * X))
    assert wg.grad(f)(2.0) == pytest.approx(expected_value)
    assert wg.jvp(f, (2.0,), (1.0,))[1] == pytest.approx(expected_value)


def test_a_leaf_outside_of_every_transformation():
    w = wg.tensor(2.0, requires_grad=True)
    total = wg.jvp(lambda x: np.sum(wg.vmap(lambda y: w * y * y)(x)), (X,), (np.ones(3),))[1]
    total.backward()
    assert w.grad.item() == pytest.approx(np.sum(2 * X))


# State -----------------------------------------------------------------------------------------------------------


class Failure(Exception):
    pass


@pytest.mark.parametrize("name", list(TRANSFORMATIONS))
def test_an_exception_leaves_no_state(name):
    from wengert import protocol

    def failing(x):
        x * x
        raise Failure

    before = set(protocol._open)
    with pytest.raises(Failure):
        TRANSFORMATIONS[name][0](failing)(0.7)
    assert protocol._open == before
    assert wg.is_recording()
    check((name,), by_power)


def test_threads():
    results = {}

    def work(k):
        results[k] = [wg.hessian(by_loop)(0.1 * k), wg.vmap(wg.grad(by_power))(X * k)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(8):
        assert results[k][0] == pytest.approx(expected(2, 0.1 * k))
        np.testing.assert_allclose(results[k][1], expected(1, X * k))


def test_under_no_grad():
    with wg.no_grad():
        check(("jvp", "grad"), by_power)
        check(("hessian",), by_loop)
        check(("vmap", "grad"), by_branch)


def test_functions_without_derivatives_of_a_batch_and_a_recorded_batch():
    X = np.random.default_rng(0).normal(size=(3, 2))

    def f(x):
        return np.sum(np.where(np.logical_or(x > 0, x), x, 2 * x) * np.logical_and(x, x < 1))

    values, gradients = wg.vmap(wg.value_and_grad(f))(X)
    for x, value, gradient in zip(X, values, gradients, strict=True):
        expected, slope = wg.value_and_grad(f)(x)
        assert value == expected
        np.testing.assert_array_equal(gradient, slope)
