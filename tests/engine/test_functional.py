"""`wengert.grad`, `value_and_grad` and `vjp`: arguments, containers, nesting, and what surrounds them."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, DTypeError, GradientError, ShapeError

A, B = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def product(a, b):
    return np.sum(a * a * b)


# Arguments -------------------------------------------------------------------------------------------------------


def test_the_first_argument_by_default():
    np.testing.assert_array_equal(wg.grad(product)(A, B), 2 * A * B)


@pytest.mark.parametrize("argnums", [1, -1, "b"])
def test_one_argument_by_number_or_name(argnums):
    np.testing.assert_array_equal(wg.grad(product, argnums)(A, B), A * A)


@pytest.mark.parametrize("argnums", [(0, 1), ("a", "b"), (0, "b"), (-2, -1)])
def test_several_arguments_give_a_tuple(argnums):
    first, second = wg.grad(product, argnums)(A, B)
    np.testing.assert_array_equal(first, 2 * A * B)
    np.testing.assert_array_equal(second, A * A)


def test_a_tuple_of_one_gives_a_tuple_of_one():
    gradients = wg.grad(product, (1,))(A, B)
    assert isinstance(gradients, tuple)
    np.testing.assert_array_equal(gradients[0], A * A)


def test_arguments_passed_by_name():
    np.testing.assert_array_equal(wg.grad(product, "b")(A, b=B), A * A)
    np.testing.assert_array_equal(wg.grad(product, "a")(b=B, a=A), 2 * A * B)
    np.testing.assert_array_equal(wg.grad(product, ("b", "a"))(b=B, a=A)[0], A * A)


def test_keyword_only_arguments_and_defaults():
    def f(x, *, scale=2.0, power=2):
        return np.sum(x**power) * scale

    np.testing.assert_array_equal(wg.grad(f)(A), 4 * A)
    np.testing.assert_array_equal(wg.grad(f)(A, scale=3.0), 6 * A)
    assert wg.grad(f, "scale")(A, scale=3.0) == np.sum(A**2)


def test_the_same_array_as_two_arguments():
    first, second = wg.grad(product, (0, 1))(A, A)
    np.testing.assert_array_equal(first, 2 * A * A)
    np.testing.assert_array_equal(second, A * A)


@pytest.mark.parametrize("argnums", [2, -3, "c", "scale"])
def test_arguments_that_do_not_exist(argnums):
    with pytest.raises(ArgumentError, match="argument"):
        wg.grad(product, argnums)(A, B)


@pytest.mark.parametrize("argnums", [(0, 0), (0, "a"), (1, -1)])
def test_arguments_named_twice_are_refused(argnums):
    with pytest.raises(ArgumentError, match="twice"):
        wg.grad(product, argnums)(A, B)


def test_no_arguments_at_all():
    with pytest.raises(ArgumentError):
        wg.grad(lambda: 1.0)()


@pytest.mark.parametrize("callable_", [functools.partial(product, b=B), np.sum, lambda *args: product(args[0], B)])
def test_callables_of_all_kinds(callable_):
    assert wg.grad(callable_)(A).shape == (3,)


def test_methods_and_objects_with_call():
    class Model:
        def __init__(self, w):
            self.w = w

        def loss(self, x):
            return np.sum(self.w * x)

        __call__ = loss

    model = Model(B)
    np.testing.assert_array_equal(wg.grad(model.loss)(A), B)
    np.testing.assert_array_equal(wg.grad(model)(A), B)


def test_names_and_docstrings_are_kept():
    def f(x):
        """Squares."""
        return np.sum(x * x)

    for transformed in (wg.grad(f), wg.value_and_grad(f)):
        assert (transformed.__name__, transformed.__doc__) == ("f", "Squares.")


# Values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [2.0, np.float64(2.0), np.array(2.0), wg.tensor(2.0)])
def test_scalars_of_all_kinds_give_scalars(x):
    value, gradient = wg.value_and_grad(lambda x: x**3)(x)
    assert (value, gradient) == (8.0, 12.0)
    assert type(value) is type(gradient) is np.float64


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_gradients_have_the_dtype_of_the_argument(dtype):
    value, gradient = wg.value_and_grad(lambda x: np.sum(np.sin(x)))(A.astype(dtype))
    assert value.dtype == gradient.dtype == dtype


def test_lists_are_containers_of_numbers():
    assert wg.grad(lambda x: x[0] * x[1] ** 2)([2.0, 3.0]) == [9.0, 12.0]


def test_results_are_plain_numpy():
    value, gradient = wg.value_and_grad(lambda x: np.sum(x * x))(wg.tensor(A))
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray


@pytest.mark.parametrize("x", [3, np.int64(3), np.arange(3), True, np.array([True])])
def test_integers_are_refused_with_a_remedy(x):
    with pytest.raises(DTypeError, match=r"float|\.0"):
        wg.grad(lambda x: np.sum(x * 1.0))(x)


@pytest.mark.parametrize("x", ["text", None, object(), np.array(["a"])])
def test_other_things_are_refused(x):
    with pytest.raises((DTypeError, TypeError)):
        wg.grad(lambda x: 1.0)(x)


@pytest.mark.parametrize("f", [lambda x: x, lambda x: x[:1], lambda x: x.reshape(1, 3)])
def test_values_that_are_not_one_number_are_refused(f):
    with pytest.raises(ShapeError, match=r"np\.sum|vjp"):
        wg.grad(f)(A)


@pytest.mark.parametrize("f", [lambda x: None, lambda x: "text", lambda x: (np.sum(x), 1.0), lambda x: {"y": x}])
def test_values_that_are_no_arrays_are_refused(f):
    with pytest.raises((ShapeError, DTypeError, TypeError)):
        wg.grad(f)(A)


def test_complex_values_are_refused():
    with pytest.raises(DTypeError, match="vjp"):
        wg.grad(lambda x: np.sum(x * 1j))(A)


@pytest.mark.parametrize("value", [5.0, 5, np.float64(5.0), np.array(5.0), wg.tensor(5.0)])
def test_constants_have_gradient_zero(value):
    got, gradient = wg.value_and_grad(lambda x: value)(A)
    assert got == 5.0
    np.testing.assert_array_equal(gradient, np.zeros(3))


def test_unused_arguments_have_gradient_zero_of_their_own_dtype():
    gradient = wg.grad(lambda x, y: np.sum(x), 1)(A, np.ones((2, 2), np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


def test_gradients_share_no_memory():
    first, second = wg.grad(lambda a, b: np.sum(a + b), (0, 1))(A, B)
    assert not np.shares_memory(first, second)
    first[0] = 100.0
    np.testing.assert_array_equal(second, np.ones(3))
    assert first.flags.writeable
    assert wg.grad(lambda a: np.sum(a))(A).flags.writeable


# has_aux ---------------------------------------------------------------------------------------------------------


def test_aux_is_passed_through():
    def f(x):
        y = x * x
        return np.sum(y), {"y": y, "n": 3, "name": "aux", "none": None}

    (value, aux), gradient = wg.value_and_grad(f, has_aux=True)(A)
    assert value == 14.0
    assert (aux["n"], aux["name"], aux["none"]) == (3, "aux", None)
    assert type(aux["y"]) is np.ndarray
    np.testing.assert_array_equal(aux["y"], A * A)
    np.testing.assert_array_equal(gradient, 2 * A)
    gradient, aux = wg.grad(f, has_aux=True)(A)
    np.testing.assert_array_equal(gradient, 2 * A)


def test_aux_needs_a_pair():
    for result in (1.0, (1.0,), (1.0, 2.0, 3.0), [1.0, 2.0]):
        with pytest.raises(ArgumentError, match="aux"):
            wg.grad(lambda x, result=result: result, has_aux=True)(A)


def test_aux_in_nested_grad_keeps_its_gradient():
    def inner(x):
        return np.sum(x**3), np.sum(x**2)

    def outer(x):
        gradient, aux = wg.grad(inner, has_aux=True)(x)
        return np.sum(gradient) + aux

    np.testing.assert_allclose(wg.grad(outer)(A), 6 * A + 2 * A)


# Containers ------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclass
class Parameters:
    w: Any
    b: Any


def affine(p, x):
    return np.sum((x * p["w"] + p["b"][0]) ** 2)


def test_dictionaries_lists_and_tuples_nest():
    p = {"w": A, "b": [2.0, (B, None)]}
    gradient = wg.grad(lambda p: affine(p, A) + np.sum(p["b"][1][0]))({"w": A, "b": [2.0, (B, B)]})
    assert list(gradient) == ["w", "b"] or sorted(gradient) == ["b", "w"]
    assert isinstance(gradient["b"], list)
    assert isinstance(gradient["b"][1], tuple)
    np.testing.assert_allclose(gradient["w"], 2 * (A * A + 2) * A)
    np.testing.assert_allclose(gradient["b"][0], np.sum(2 * (A * A + 2)))
    np.testing.assert_array_equal(gradient["b"][1][0], np.ones(3))
    np.testing.assert_array_equal(gradient["b"][1][1], np.zeros(3))
    assert p["w"] is A


def test_named_tuples():
    gradient = wg.grad(lambda p: np.sum(p.w * p.b))(Pair(A, B))
    assert isinstance(gradient, Pair)
    np.testing.assert_array_equal(gradient.w, B)


def test_empty_containers():
    assert wg.grad(lambda p: 1.0)({}) == {}
    assert wg.grad(lambda p: 1.0)([]) == []


def test_integers_in_containers_are_refused():
    with pytest.raises(DTypeError):
        wg.grad(lambda p: np.sum(p["x"]))({"x": A, "n": 3})


def test_containers_of_the_caller_are_not_changed():
    p = {"w": A.copy(), "b": [B.copy()]}

    def f(p):
        p["w"] *= 2.0
        p["b"][0][0] = 7.0
        p["new"] = 1.0
        return np.sum(p["w"] * p["b"][0])

    wg.grad(f)(p)
    assert sorted(p) == ["b", "w"]
    np.testing.assert_array_equal(p["w"], A)
    np.testing.assert_array_equal(p["b"][0], B)


def test_containers_under_nested_grad():
    def f(p):
        return np.sum(p["a"] ** 3 * p["b"])

    gradient = wg.grad(lambda p: np.sum(wg.grad(f)(p)["a"]))({"a": A, "b": B})
    np.testing.assert_allclose(gradient["a"], 6 * A * B)
    np.testing.assert_allclose(gradient["b"], 3 * A**2)


# vjp -------------------------------------------------------------------------------------------------------------


def test_vjp_pulls_back_any_number_of_times():
    value, pullback = wg.vjp(lambda a, b: a * b, A, B)
    np.testing.assert_array_equal(value, A * B)
    for u in (np.ones(3), A):
        first, second = pullback(u)
        np.testing.assert_array_equal(first, u * B)
        np.testing.assert_array_equal(second, u * A)


def test_vjp_of_containers():
    value, pullback = wg.vjp(lambda p: {"s": np.sum(p[0]), "v": (p[0] * p[1],)}, (A, B))
    ((first, second),) = pullback({"s": 1.0, "v": (np.ones(3),)})
    np.testing.assert_array_equal(first, 1 + B)
    np.testing.assert_array_equal(second, A)
    assert set(value) == {"s", "v"}


def test_vjp_with_aux():
    value, pullback, aux = wg.vjp(lambda x: (x * 2, x * 3), A, has_aux=True)
    np.testing.assert_array_equal(aux, 3 * A)
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [2.0] * 3)
    np.testing.assert_array_equal(value, 2 * A)


@pytest.mark.parametrize("cotangent", [1.0, np.ones(2), np.ones((3, 1)), [np.ones(3), np.ones(3)]])
def test_vjp_checks_the_shape_of_its_cotangent(cotangent):
    _, pullback = wg.vjp(lambda x: x * 2, A)
    with pytest.raises((ShapeError, ArgumentError)):
        pullback(cotangent)


@pytest.mark.parametrize("cotangent", [{"a": 1.0, "c": 1.0}, [1.0, 1.0], {"a": 1.0}, 1.0])
def test_vjp_checks_the_containers_of_its_cotangent(cotangent):
    _, pullback = wg.vjp(lambda x: {"a": x, "b": x}, 2.0)
    assert pullback({"a": 1.0, "b": 2.0}) == (3.0,)
    with pytest.raises(ArgumentError):
        pullback(cotangent)


def test_vjp_refuses_complex_cotangents_of_real_values():
    with pytest.raises(DTypeError):
        wg.vjp(lambda x: x * 2, A)[1](np.ones(3) * 1j)


def test_what_vjp_returns_may_be_written():
    value, pullback = wg.vjp(np.tanh, A)
    value[...] = 0.0
    np.testing.assert_allclose(pullback(np.ones(3))[0], 1 - np.tanh(A) ** 2)
    first = pullback(np.ones(3))[0]
    first[...] = 0.0
    np.testing.assert_allclose(pullback(np.ones(3))[0], 1 - np.tanh(A) ** 2)


def test_what_vjp_returns_may_be_written_where_it_is_recorded_outside():
    leaf = wg.tensor(A, requires_grad=True)
    value, pullback = wg.vjp(np.tanh, leaf * 1.0)
    value *= 0.0
    (gradient,) = pullback(np.ones(3))
    np.testing.assert_allclose(gradient.data, 1 - np.tanh(A) ** 2)
    np.sum(gradient).backward()
    np.testing.assert_allclose(leaf.grad, -2 * np.tanh(A) * (1 - np.tanh(A) ** 2))


def test_aux_and_arguments_may_be_written_after_vjp():
    x = A.copy()
    _, pullback, aux = wg.vjp(lambda x: (np.sin(x), x), x, has_aux=True)
    aux[...] = 0.0
    x[...] = 0.0
    np.testing.assert_allclose(pullback(np.ones(3))[0], np.cos(A))


def test_vjp_is_differentiable_in_cotangent_and_point():
    def f(x, u):
        return np.sum(wg.vjp(lambda y: y**3, x)[1](u)[0])

    first, second = wg.grad(f, (0, 1))(A, B)
    np.testing.assert_allclose(first, 6 * A * B)
    np.testing.assert_allclose(second, 3 * A**2)


def test_a_pullback_used_after_its_outer_grad_has_ended():
    kept = []

    def f(x):
        value, pullback = wg.vjp(np.sin, x)
        kept.append(pullback)
        return np.sum(value)

    wg.grad(f)(A)
    (gradient,) = kept[0](np.ones(3))
    np.testing.assert_allclose(getattr(gradient, "data", gradient), np.cos(A))


# Nesting ---------------------------------------------------------------------------------------------------------


def test_derivatives_of_every_order():
    f, expected = np.sin, [np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin]
    for derivative in expected:
        f = wg.grad(f)
        np.testing.assert_allclose(f(0.7), derivative(0.7))


def test_perturbations_are_not_confused():
    assert wg.grad(lambda x: x * wg.grad(lambda y: x + y)(2.0))(1.0) == 1.0
    assert wg.grad(lambda x: x * wg.grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert wg.grad(lambda x: wg.grad(lambda y: x)(2.0))(1.0) == 0.0
    assert wg.grad(lambda x: wg.grad(lambda x: x * x)(x) * x)(3.0) == 12.0
    assert wg.grad(lambda x: x * wg.grad(lambda y: y * wg.grad(lambda z: x * y * z)(1.0))(x))(2.0) == 24.0


def test_perturbations_are_not_confused_through_a_shared_function():
    def shift(f):
        return lambda x: wg.grad(lambda y: f(y) * x)(x)

    def f(x):
        return x**3

    # shift(f)(x) = 3 x^2 x = 3 x^3; its derivative is 9 x^2.
    assert wg.grad(shift(f))(2.0) == 36.0
    np.testing.assert_allclose(wg.grad(shift(shift(f)))(2.0), wg.grad(lambda x: 9 * x**3)(2.0))


def test_captured_variables_of_an_outer_grad():
    def outer(x):
        def inner(y):
            return np.sum(np.sin(x) * y * y)

        return np.sum(wg.grad(inner)(x * 2))

    # d/dy = 2 sin(x) y at y = 2x: 4 x sin x
    np.testing.assert_allclose(wg.grad(outer)(A), 4 * np.sin(A) + 4 * A * np.cos(A))


def test_an_inner_gradient_that_does_not_depend_on_the_outer_argument():
    assert wg.grad(lambda x: wg.grad(lambda y: y * y)(3.0) + x)(1.0) == 1.0
    assert type(wg.grad(lambda y: y * y)(3.0)) is np.float64


def test_hessian_by_rows():
    def f(x):
        return np.prod(x)

    rows = [wg.grad(lambda x, i=i: wg.grad(f)(x)[i])(A) for i in range(3)]
    np.testing.assert_allclose(rows, [[0, 3, 2], [3, 0, 1], [2, 1, 0]])


# Leaves of the lowest level --------------------------------------------------------------------------------------


def leaf(x=A):
    return wg.tensor(x, requires_grad=True)


def test_backward_through_the_result_of_grad():
    w = leaf(B)
    gradient = wg.grad(lambda x: np.sum(w * x**2))(A)
    np.testing.assert_array_equal(gradient.data, 2 * A * B)
    np.sum(gradient).backward()
    np.testing.assert_array_equal(w.grad, 2 * A)


def test_backward_through_a_gradient_at_a_recorded_point():
    x = leaf()
    np.sum(wg.grad(lambda x: np.sum(x**3))(x * 2.0)).backward()
    np.testing.assert_allclose(x.grad, 3 * 2 * (2 * A) * 2)


def test_the_value_of_value_and_grad_is_recorded_outside():
    x = leaf()
    value, gradient = wg.value_and_grad(lambda x: np.sum(x**3))(x)
    (value + np.sum(gradient)).backward()
    np.testing.assert_allclose(x.grad, 3 * A**2 + 6 * A)


def test_backward_inside_grad_needs_leaves():
    x = leaf()

    def f(y):
        np.sum(x * x).backward()
        return np.sum(y * x.grad)

    np.testing.assert_array_equal(wg.grad(f)(A), 2 * A)


def test_backward_from_the_argument_of_grad_says_what_to_use():
    def f(y):
        np.sum(y * y).backward()
        return np.sum(y)

    with pytest.raises(GradientError, match=r"wg\.grad|wg\.vjp"):
        wg.grad(f)(A)


def test_grad_deposits_nothing_in_leaves():
    x = leaf()
    wg.grad(lambda y: np.sum(y * x))(A)
    assert x.grad is None


# no_grad ---------------------------------------------------------------------------------------------------------


def test_grad_works_under_no_grad():
    with wg.no_grad():
        np.testing.assert_array_equal(wg.grad(lambda x: np.sum(x * x))(A), 2 * A)
        assert wg.grad(wg.grad(lambda x: x**3))(2.0) == 12.0
        assert not wg.is_recording()


def test_grad_under_no_grad_records_nothing_outside():
    w = leaf(B)
    with wg.no_grad():
        gradient = wg.grad(lambda x: np.sum(w * x**2))(A)
    assert not getattr(gradient, "requires_grad", False)
    np.testing.assert_array_equal(getattr(gradient, "data", gradient), 2 * A * B)


def test_no_grad_inside_grad_makes_constants():
    def f(x):
        with wg.no_grad():
            scale = np.sum(x)
        return scale * np.sum(x)

    np.testing.assert_array_equal(wg.grad(f)(A), [6.0] * 3)


def test_no_grad_around_an_inner_grad_inside_an_outer_one():
    def f(x):
        with wg.no_grad():
            slope = wg.grad(lambda y: y**2)(x)
        return slope * x

    assert wg.grad(f)(3.0) == 6.0


# Exceptions ------------------------------------------------------------------------------------------------------


def test_an_exception_leaves_no_state():
    def f(x):
        with wg.no_grad():
            raise KeyError

    for transformed in (wg.grad(f), wg.value_and_grad(f), lambda x: wg.vjp(f, x), wg.grad(wg.grad(f))):
        with pytest.raises(KeyError):
            transformed(2.0)
        assert wg.is_recording()
    assert wg.grad(lambda x: x * x)(2.0) == 4.0


def test_an_exception_inside_an_inner_grad_can_be_caught():
    def bad(y):
        raise KeyError

    def f(x):
        try:
            wg.grad(bad)(x)
        except KeyError:
            return x * x

    assert wg.grad(f)(3.0) == 6.0


# Leaks of tensors ------------------------------------------------------------------------------------------------


def test_a_tensor_kept_after_grad_can_be_read_and_used_as_a_constant():
    kept = []

    def f(x):
        kept.append(x * 2)
        return np.sum(x)

    wg.grad(f)(A)
    np.testing.assert_array_equal(kept[0].data, 2 * A)
    np.testing.assert_allclose(wg.grad(lambda y: np.sum(y * kept[0].detach()))(A), 2 * A)


def test_a_kept_tensor_gives_no_wrong_gradient_in_a_later_grad():
    kept = []

    def f(x):
        kept.append(x)
        return np.sum(x)

    wg.grad(f)(A)
    gradient = wg.grad(lambda y: np.sum(y * kept[0]))(B)
    np.testing.assert_array_equal(getattr(gradient, "data", gradient), A)


# Writing ---------------------------------------------------------------------------------------------------------


def test_writing_into_an_argument_does_not_change_the_callers_array():
    x = A.copy()

    def f(x):
        x *= 2.0
        x[0] = x[1] * x[2]
        return np.sum(x)

    np.testing.assert_array_equal(wg.grad(f)(x), [0.0, 2 + 4 * 3.0, 2 + 4 * 2.0])
    np.testing.assert_array_equal(x, A)


def test_writing_into_an_argument_does_not_change_the_callers_tensor():
    outside = leaf()

    def f(x):
        x[0] = 5.0
        return np.sum(x * x)

    for argument in (outside, outside * 1.0, wg.tensor(A)):
        gradient = wg.grad(f)(argument)
        np.testing.assert_array_equal(getattr(gradient, "data", gradient), [0.0, 4.0, 6.0])
        np.testing.assert_array_equal(argument.data, A)


def test_writing_into_a_captured_buffer():
    def f(x):
        out = wg.zeros(3)
        for i in range(3):
            out[i] = x[i] * x[i]
        out[1:] += out[:-1]
        return np.sum(out)

    np.testing.assert_array_equal(wg.grad(f)(A), [4.0, 8.0, 6.0])


def test_writing_into_a_captured_tensor_is_seen_after_it():
    buffer = wg.zeros(3)

    def f(x):
        buffer[...] = x * x
        return np.sum(buffer * x)

    np.testing.assert_array_equal(wg.grad(f)(A), 3 * A**2)
    np.testing.assert_array_equal(buffer.data, A * A)
    np.testing.assert_array_equal(wg.grad(f)(B), 3 * B**2)


def test_a_captured_recorded_tensor_written_with_what_an_inner_grad_computes():
    w = leaf()
    y = w * 1.0

    def f(x):
        y[0] = x
        return np.sum(y * y)

    slope = wg.grad(f)(5.0)
    assert slope == 10.0
    np.sum(slope + w * 0).backward() if hasattr(slope, "backward") else None


def test_a_captured_recorded_tensor_overwritten_after_use():
    w = leaf(B)

    def f(x):
        y = w * 1.0
        z = np.sum(x * y)
        y[...] = 100.0
        y *= x
        return z

    gradient = wg.grad(f)(A)
    np.testing.assert_array_equal(gradient.data, B)
    np.sum(gradient * A).backward()
    np.testing.assert_array_equal(w.grad, A)


@pytest.mark.parametrize("make", [np.zeros_like, np.ones_like, np.empty_like, lambda x: np.full_like(x, 2.0)])
def test_buffers_made_like_an_argument_take_gradients(make):
    def f(x):
        out = make(x)
        out[...] = 1.0
        out[1] = x[0] * x[1]
        return np.sum(out)

    np.testing.assert_array_equal(wg.grad(f)(A), [2.0, 1.0, 0.0])


def test_integer_buffers_refuse_gradients():
    def f(x):
        out = wg.zeros(3, dtype=int)
        out[0] = x[0]
        return np.sum(out)

    with pytest.raises((GradientError, DTypeError, TypeError)):
        wg.grad(f)(A)
