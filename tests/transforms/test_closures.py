"""Own rules whose functions close over values of a transformation, and what else their calls must not lose."""

import warnings

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError, LostGradientError, ShapeError
from wengert.transforms.declare import elementwise, primitive

X = np.array([0.3, 0.7, -1.2])


def _closing(w):
    f = wg.custom_vjp(lambda x: 3.0 * x)
    f.defvjp(lambda x: (3.0 * x, None), lambda _, g: (g * w,))
    return f


def _closing_forwards(w):
    f = wg.custom_jvp(lambda x: 3.0 * x)
    f.defjvp(lambda p, t: (3.0 * p[0], t[0] * w))
    return f


@pytest.mark.parametrize("make", [_closing, _closing_forwards])
def test_rules_that_close_over_an_argument_of_the_transformation(make):
    x, ones = np.array([1.0, 2.0, 3.0]), np.ones(3)
    tangent = wg.jvp(lambda w: make(w)(w), (x,), (ones,))[1]
    assert type(tangent) is np.ndarray
    np.testing.assert_array_equal(tangent, x)
    inner = wg.jvp(lambda y: wg.jvp(lambda w: make(w)(y), (5.0,), (1.0,))[0], (2.0,), (1.0,))[1]
    assert isinstance(inner, np.float64) and inner == 5.0
    np.testing.assert_array_equal(wg.vmap(wg.grad(lambda w: make(w)(w)))(x), x)


@pytest.mark.parametrize("make", [_closing, _closing_forwards])
def test_batches_that_a_rule_closes_over_below_a_derivative_are_refused(make):
    x, ones = np.array([1.0, 2.0, 3.0]), np.ones(3)
    programs = [
        lambda: wg.jvp(wg.vmap(lambda w: make(w)(w)), (x,), (ones,)),
        lambda: wg.grad(lambda x: np.sum(wg.vmap(lambda w: make(w)(w))(x)))(x),
        lambda: wg.jvp(lambda y: wg.vmap(lambda w: make(w)(y))(x), (2.0,), (1.0,)),
    ]
    for program in programs:
        with pytest.raises((LostGradientError, ShapeError)):
            program()


def test_functions_that_close_over_a_batch():
    @wg.custom_vjp
    def outer(w):
        f = wg.custom_vjp(lambda x: x * w)
        f.defvjp(lambda x: (x * w, None), lambda _, g: (g * w,))
        return f(w)

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(wg.vmap(outer)(x), x * x)
    plain = wg.custom_vjp(lambda x: 2.0 * x)  # no rule yet: none is needed where nothing is differentiated
    np.testing.assert_array_equal(wg.vmap(plain)(x), 2 * x)


@pytest.mark.parametrize("declare", [primitive, elementwise])
def test_declared_functions_that_close_over_recorded_values(declare):
    def product(w):
        return _declared(declare, lambda x: x * w, lambda g: g * w)

    for program in (
        lambda: wg.grad(lambda w: product(w)(w))(2.0),
        lambda: wg.jvp(lambda w: product(w)(w), (2.0,), (1.0,)),
        lambda: wg.vmap(lambda w: product(w)(w))(X),
        lambda: wg.vmap(lambda w: product(w)(w))(np.ones(4)),
    ):
        with pytest.raises(LostGradientError, match="from elsewhere"), _quiet():
            program()
    assert wg.vmap(lambda w: wg.grad(lambda x: product(w)(x))(3.0))(X).tolist() == X.tolist()


def _declared(declare, function, pull):
    return declare(function, vjp=pull) if declare is primitive else declare(function, pull)


def _quiet():
    return warnings.catch_warnings(action="ignore")


@pytest.mark.parametrize("declare", [primitive, elementwise])
def test_rules_of_declared_functions_that_close_over_recorded_values(declare):
    def triple(w):
        return _declared(declare, lambda x: 3 * x, lambda g: g * w)

    for value in (wg.grad(lambda w: triple(w)(w))(2.0), wg.jvp(lambda w: triple(w)(w), (2.0,), (1.0,))[1]):
        assert isinstance(value, np.float64) and value == 2.0
    with _quiet():
        np.testing.assert_array_equal(wg.vmap(wg.grad(lambda w: triple(w)(w)))(X), X)


def test_operands_in_lists_and_by_keyword():
    square = primitive(lambda x: sum(float(v) ** 2 for v in x), vjp=lambda g, x: 2 * g * x)
    assert square([1.0, 2.0]) == 5.0
    with pytest.raises(LostGradientError, match=r"wg\.asarray"):
        wg.grad(lambda x: square([x[0], x[1]]))(X)
    np.testing.assert_array_equal(wg.grad(lambda x: square(x=x))(X), 2 * X)


def test_complex_rules_of_real_functions_are_refused():
    for f in (
        elementwise(lambda x: 2 * x, lambda x: 2 + 1j),
        elementwise(lambda x: 2 * x, lambda g: (2 + 1j) * g),
        primitive(lambda x: 2 * x, vjp=lambda g: (2 + 1j) * g),
    ):
        with pytest.raises(DTypeError, match="real"):
            wg.vjp(f, X)[1](X)
        with pytest.raises(DTypeError, match="real"):
            wg.jvp(f, (X,), (X,))
