"""Own rules: both modes, any order and batches from one rule, and errors that name what is wrong with it."""

from dataclasses import dataclass

import numpy as np
import pytest

import wengert as wg
from wengert.errors import (
    ArgumentError,
    DTypeError,
    GradientError,
    LostGradientError,
    MissingRuleError,
    RuleError,
    ShapeError,
)
from wengert.testing import check_grad, check_rule
from wengert.transforms.barriers import clip_gradient, scale_gradient, stop_gradient
from wengert.transforms.custom import custom_jvp, custom_vjp
from wengert.transforms.declare import elementwise, primitive
from wengert.transforms.function import Function, once_differentiable

X, Y = np.array([0.3, 0.7, -1.2]), np.array([1.0, 2.0, -0.5])
ROWS = np.stack([X, 2 * X])


def plain(x, p):
    return {"a": np.sin(x) * p["k"], "b": [np.sum(x**2)]}


def by_vjp():
    f = custom_vjp(lambda x, p: plain(x, p))

    def bwd(residuals, g):
        x, p = residuals
        return g["a"] * np.cos(x) * p["k"] + g["b"][0] * 2 * x, {"k": np.sum(g["a"] * np.sin(x))}

    f.defvjp(lambda x, p: (f(x, p), (x, p)), bwd)
    return f


def by_vjp_with_other_residuals():
    f = custom_vjp(lambda x, p: plain(x, p))

    def fwd(x, p):
        return plain(x, p), {"slope": np.cos(x) * p["k"], "sine": np.sin(x), "x": [x]}

    def bwd(kept, g):
        return g["a"] * kept["slope"] + g["b"][0] * 2 * kept["x"][0], {"k": np.sum(g["a"] * kept["sine"])}

    f.defvjp(fwd, bwd)
    return f


def by_jvp():
    f = custom_jvp(lambda x, p: plain(x, p))

    @f.defjvp
    def rule(primals, tangents):
        (x, p), (dx, dp) = primals, tangents
        return f(x, p), {"a": np.cos(x) * dx * p["k"] + np.sin(x) * dp["k"], "b": [2 * np.sum(x * dx)]}

    return f


class OfFunction(Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x, k)
        ctx.cosine = np.cos(x)
        return np.sin(x) * k, np.sum(x**2)

    @staticmethod
    def backward(ctx, a, b):
        x, k = ctx.saved_tensors
        return a * ctx.cosine * k + 2 * b * x, np.sum(a * np.sin(x))


def by_function():
    def f(x, p):
        a, b = OfFunction.apply(x, p["k"])
        return {"a": a, "b": [b]}

    return f


def loss(f):
    def h(x, k):
        out = f(x, {"k": k})
        return np.sum(out["a"] ** 2) * out["b"][0]

    return h


def twice_by_backward(h):
    x, k = wg.tensor(X, requires_grad=True), wg.tensor(1.7, requires_grad=True)
    h(x, k).backward(create_graph=True)
    first = np.sum(x.grad**2) * k.grad
    x.grad = k.grad = None
    first.backward()
    return x.grad.numpy(), k.grad.numpy()


WAYS = {
    "grad": lambda h: wg.grad(h, (0, 1))(X, 1.7),
    "grad of grad": lambda h: wg.grad(lambda x: np.sum(wg.grad(h)(x, 1.7) ** 2))(X),
    "hessian": lambda h: wg.hessian(h)(X, 1.7),
    "jvp": lambda h: wg.jvp(h, (X, 1.7), (Y, 0.3)),
    "jvp, constant argument": lambda h: wg.jvp(h, (X, 1.7), (Y, None)),
    "jvp of jvp": lambda h: wg.jvp(lambda x: wg.jvp(h, (x, 1.7), (x, 0.3))[1], (X,), (Y,)),
    "jvp of grad": lambda h: wg.jvp(wg.grad(h), (X, 1.7), (Y, 0.3)),
    "grad of jvp": lambda h: wg.grad(lambda x: wg.jvp(h, (x, 1.7), (Y, 0.3))[1])(X),
    "vmap": lambda h: wg.vmap(h, (0, None))(ROWS, 1.7),
    "vmap of grad": lambda h: wg.vmap(wg.grad(h, (0, 1)), (0, None))(ROWS, 1.7),
    "grad of vmap": lambda h: wg.grad(lambda x, k: np.sum(wg.vmap(h, (0, None))(x, k) ** 2), (0, 1))(ROWS, 1.7),
    "grad of vmap of grad": lambda h: wg.grad(lambda k: np.sum(wg.vmap(wg.grad(h), (0, None))(ROWS, k) ** 2))(1.7),
    "jvp of vmap": lambda h: wg.jvp(lambda x: wg.vmap(h, (0, None))(x, 1.7), (ROWS,), (ROWS,)),
    "vmap of vmap": lambda h: wg.vmap(lambda x: wg.vmap(lambda k: h(x, k))(Y))(ROWS),
    "grad of vmap of vmap": lambda h: wg.grad(lambda x: np.sum(wg.vmap(lambda r: wg.vmap(lambda k: h(r, k))(Y))(x)))(
        ROWS
    ),
    "jacobian of grad": lambda h: wg.jacobian(lambda x: wg.grad(h)(x, 1.7))(X),
    "backward twice": twice_by_backward,
}


def leaves(value):
    if isinstance(value, (tuple, list, dict)):
        return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in leaves(part)]
    return [value]


@pytest.mark.parametrize("make", [by_vjp, by_vjp_with_other_residuals, by_jvp, by_function])
@pytest.mark.parametrize("way", WAYS)
def test_one_rule_serves_all_transformations(make, way):
    expected, got = leaves(WAYS[way](loss(plain))), leaves(WAYS[way](loss(make())))
    assert len(expected) == len(got)
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10)


def test_the_rule_is_what_counts():
    f = custom_vjp(lambda x: x**2)
    f.defvjp(lambda x: (f(x), None), lambda _, g: (10 * g,))
    assert wg.grad(f)(3.0) == 10 and wg.jvp(f, (3.0,), (1.0,)) == (9, 10)
    assert f(3.0) == 9 and isinstance(f(3), int)
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    f(x).backward(np.ones(2))
    assert x.grad.tolist() == [10, 10]
    with wg.no_grad():
        assert not f(x).requires_grad


def test_each_mode_uses_its_own_rule_if_there_are_both():
    f = custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, g: (2 * g,))
    f.defjvp(lambda primals, tangents: (primals[0], 3 * tangents[0]))
    assert wg.grad(f)(1.0) == 2 and wg.jvp(f, (1.0,), (1.0,))[1] == 3


def test_complex_values():
    f = custom_vjp(lambda z: z * z)
    f.defvjp(lambda z: (z * z, z), lambda z, g: (g * np.conj(2 * z),))
    h = custom_jvp(lambda z: z * z)
    h.defjvp(lambda p, t: (p[0] * p[0], 2 * p[0] * t[0]))
    z = np.array([1 + 2j, 0.5 - 1j])
    for rule in (f, h):
        check_grad(lambda z, rule=rule: np.abs(rule(z)) ** 2, z, order=2)
        np.testing.assert_allclose(wg.jvp(rule, (z,), (1j * z,))[1], 2j * z * z)


def test_arguments_that_are_constants():
    @custom_vjp(nondiff_argnums=0, nondiff_argnames="power")
    def f(function, x, power=2):
        return function(x) ** power

    f.defvjp(lambda function, x, power: (f(function, x, power), x), lambda function, power, x, g: (7 * g * power,))
    assert wg.grad(lambda x: f(np.sin, x))(1.0) == 14
    assert wg.grad(lambda x: f(np.sin, x, power=3))(1.0) == 21
    options = custom_vjp(lambda x, a=1, b=2, *, c=3: x * a * b * c)
    options.defvjp(lambda x, a, b, c=3: (options(x, a, b, c=c), None), lambda _, g: (g * 100, None, None))
    assert options(2.0, b=5) == 30 and options(2.0, c=1) == 4 and wg.grad(lambda x: options(x, b=5, c=2))(2.0) == 100
    with pytest.raises(LostGradientError, match="argument 'power'"):
        wg.grad(lambda x: f(np.sin, 1.0, x))(1.0)
    with pytest.raises(ArgumentError, match="'q'"):
        custom_vjp(lambda x: x, nondiff_argnames="q")


@dataclass
class Pair:
    left: object
    right: object


def test_dataclasses_and_methods():
    class Model:
        @custom_vjp
        def scaled(self, pair):
            return Pair(pair.left * 2, pair.right)

    Model.scaled.defvjp(
        lambda self, pair: (Pair(pair.left * 2, pair.right), None), lambda _, g: (None, Pair(5 * g.left, None))
    )
    gradient = wg.grad(lambda p: np.sum(Model().scaled(p).left))(Pair(X, Y))
    assert gradient.left.tolist() == [5, 5, 5] and gradient.right.tolist() == [0, 0, 0]


def test_integers_and_text_pass_through():
    @custom_vjp
    def take(x, i, mode):
        return x[i], mode

    take.defvjp(
        lambda x, i, mode: ((x[i], mode), (x.shape, i)), lambda r, g: (g[0] * np.eye(r[0][0])[r[1]], None, None)
    )
    assert wg.grad(lambda x: take(x, 1, "m")[0])(X).tolist() == [0, 1, 0]
    assert take(X, 1, "m")[1] == "m"


def custom(bwd, function=lambda x, p: np.sum(x) * p[0]):
    f = custom_vjp(function)
    f.defvjp(lambda x, p: (function(x, p), (x, p)), bwd)
    return lambda *args: f(*args)


@pytest.mark.parametrize(
    "result, error, words",
    [
        (lambda x, g: (g * np.ones((2, 3)), [g]), ShapeError, "argument 'x'"),
        (lambda x, g: (g, [g]), ShapeError, "argument 'x'"),
        (lambda x, g: (1j * x, [g]), DTypeError, "argument 'x'"),
        (lambda x, g: (["a", "b"], [g]), RuleError, "containers of argument 'x'"),
        (lambda x, g: ("text", [g]), RuleError, "argument 'x'"),
        (lambda x, g: (x, g), RuleError, "containers of argument 'p'"),
        (lambda x, g: (x, [np.ones(2)]), ShapeError, r"argument 'p' at \[0\]"),
        (lambda x, g: x, RuleError, "tuple of 2 cotangents"),
        (lambda x, g: (x,), RuleError, "received 1"),
    ],
)
def test_wrong_cotangents_are_errors_that_name_the_argument(result, error, words):
    f = custom(lambda residuals, g: result(residuals[0], g))
    for way in (lambda: wg.grad(f, (0, 1))(X, [2.0]), lambda: wg.jvp(f, (X, [2.0]), (X, [1.0]))):
        with pytest.raises(error, match=words):
            way()
    x = wg.tensor(X, requires_grad=True)
    with pytest.raises(error, match=words):
        f(x, [wg.tensor(2.0, requires_grad=True)]).backward()
    assert x.grad is None


def test_wrong_rules():
    f = custom_vjp(lambda x: x)
    with pytest.raises(RuleError, match="rule was required"):
        wg.grad(f)(1.0)
    f.defvjp(lambda x: x, lambda x, g: (g,))
    with pytest.raises(RuleError, match="pair"):
        wg.grad(f)(1.0)
    with pytest.raises(RuleError, match="function was required"):
        f.defvjp(None, 3)
    f = custom_jvp(lambda x: x)
    f.defjvp(lambda p, t: (p[0], np.ones(5)))
    with pytest.raises(ShapeError, match="tangent of result 0"):
        wg.jvp(f, (X,), (X,))
    f.defjvp(lambda p, t: (p[0], [t[0]]))
    with pytest.raises(RuleError, match="containers of the results"):
        wg.grad(lambda x: np.sum(f(x)))(X)


def test_recorded_values_from_elsewhere_are_refused_not_lost():
    def through(w):
        f = custom_vjp(lambda x: x * w)
        f.defvjp(lambda x: (x * w, None), lambda _, g: (g * 2,))
        return f

    with pytest.raises(LostGradientError, match="make that an argument"):
        wg.grad(lambda w: through(w)(w * 3))(2.0)
    w = wg.tensor(2.0, requires_grad=True)
    with pytest.raises(LostGradientError):
        through(w)(wg.tensor(3.0, requires_grad=True))
    assert wg.grad(lambda x: through(stop_gradient(w))(x))(3.0) == 2
    # Of a level below the arguments', the rule is an ordinary program.
    assert wg.grad(lambda w: wg.grad(lambda x: through(w)(x))(3.0) * w)(2.0) == 2


def test_what_the_rule_is_given_cannot_be_written():
    def bwd(_, g):
        g *= 2
        return (g,)

    f = custom_vjp(lambda x: x + 0)
    f.defvjp(lambda x: (x + 0, None), bwd)
    with pytest.raises(ValueError, match="read-only"):
        wg.grad(lambda x: np.sum(f(x)))(X)


def test_a_pass_with_create_graph_notices_that_the_second_run_differs():
    draws = np.random.default_rng(0)
    f = custom_vjp(lambda x: x)

    def fwd(x):
        mask = draws.normal(size=3)
        return x * mask, mask

    f.defvjp(fwd, lambda mask, g: (g * mask,))
    x = wg.tensor(X, requires_grad=True)
    f(x).sum().backward()
    with pytest.raises(GradientError, match="same values"):
        f(x).sum().backward(create_graph=True)


def test_an_exception_in_a_rule_leaves_nothing_behind():
    def bwd(_, g):
        raise ZeroDivisionError

    f = custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), bwd)
    with pytest.raises(ZeroDivisionError):
        wg.grad(f)(1.0)
    with pytest.raises(ZeroDivisionError):
        wg.jvp(f, (1.0,), (1.0,))
    assert wg.grad(np.sin)(0.0) == 1 and wg.is_recording()


# Function --------------------------------------------------------------------------------------------------------


class Several(Function):
    @staticmethod
    def forward(x, y, scale):
        return x * y * scale, np.sign(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.scale = inputs[2]
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, h):
        _, y = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False, False) and not np.any(h if h is not None else 0)
        return g * y * ctx.scale, None, None


def test_function_with_setup_context_and_a_result_without_gradient():
    x = wg.tensor(X, requires_grad=True)
    product, sign = Several.apply(x, Y, 2)
    assert product.grad_fn.name == "Several" and isinstance(sign, np.ndarray)
    (product * sign).sum().backward()
    np.testing.assert_allclose(x.grad.data, 2 * Y * np.sign(X))
    np.testing.assert_allclose(wg.jvp(lambda x: Several.apply(x, Y, 2)[0], (X,), (X,))[1], 2 * X * Y)


class ByTangent(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return np.exp(x)

    @staticmethod
    def jvp(ctx, t):
        return t * np.exp(ctx.saved_tensors[0])


def test_function_by_its_tangent_rule_alone():
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(ByTangent.apply(x)))(X), np.exp(X))
    np.testing.assert_allclose(wg.hessian(lambda x: np.sum(ByTangent.apply(x)))(X), np.diag(np.exp(X)))


def test_functions_that_are_wrong():
    class Short(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuleError, match="each of 2 arguments"):
        wg.grad(lambda x: Short.apply(x, 2.0))(1.0)
    with pytest.raises(LostGradientError, match="argument 0"):
        wg.grad(lambda x: Short.apply([x], 2.0))(1.0)
    with pytest.raises(RuleError, match="apply"):
        Short()(1.0)

    class Silent(Function):
        @staticmethod
        def forward(ctx, x):
            return x

    assert Silent.apply(3.0) == 3
    with pytest.raises(MissingRuleError, match="backward"):
        wg.grad(Silent.apply)(1.0)


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return 2 * g * ctx.saved_tensors[0]


def test_once_differentiable():
    assert wg.grad(Once.apply)(3.0) == 6
    for second in (lambda: wg.grad(wg.grad(Once.apply))(3.0), lambda: wg.jvp(wg.grad(Once.apply), (3.0,), (1.0,))):
        with pytest.raises(GradientError, match="once_differentiable"):
            second()


def test_a_second_backward_is_refused_and_retained_when_asked():
    x = wg.tensor(2.0, requires_grad=True)
    a, b = OfFunction.apply(x, 1.0)
    b.backward(retain_graph=True)
    b.backward()
    assert x.grad.item() == 8
    with pytest.raises(wg.errors.FreedGraphError):
        a.backward()


# elementwise and primitive ---------------------------------------------------------------------------------------


def test_elementwise_by_partials():
    weighted = elementwise(
        lambda a, y, k=2: a**2 * y * k, lambda a, y, k: 2 * a * y * k, lambda a, k: a**2 * k, name="w"
    )
    check_rule(weighted, X, Y)
    check_rule(weighted, X[:, None], Y, k=3)
    check_rule(weighted, X, 2.5)
    np.testing.assert_allclose(wg.vmap(wg.grad(weighted))(X, Y), 4 * X * Y)

    @elementwise(partials=lambda g, y: g * y)
    def expo(x):
        return np.exp(x)

    check_rule(expo, X)


def test_primitive_by_either_rule():
    dot = primitive(lambda x, y: np.asarray(x) @ np.asarray(y) * 1.0, vjp=[lambda g, y: g * y, lambda g, x: g * x])
    check_rule(dot, X, Y)
    pushed = primitive(lambda x, y: np.asarray(x) @ np.asarray(y), jvp=[lambda g, y: g @ y, lambda g, x: x @ g])
    check_rule(pushed, X, Y)
    check_rule(pushed, X + 1j * Y, Y)
    with pytest.warns(wg.errors.BatchWarning):
        np.testing.assert_allclose(wg.vmap(wg.grad(dot), (0, None))(ROWS, Y), [Y, Y])
    twice = primitive(lambda x: np.asarray(x) * 2, vjp=lambda g: 2 * g, batch="leading")
    np.testing.assert_allclose(wg.vmap(wg.grad(lambda x: np.sum(twice(x))))(ROWS), np.full((2, 3), 2))


def test_primitives_that_are_wrong():
    for bad in (
        elementwise(lambda a: a * 2, lambda a: np.ones((5, *np.shape(a)))),
        elementwise(lambda a: a * 2, lambda g: np.ones(5) * np.sum(g)),
        primitive(lambda x: x * 2, vjp=lambda g: np.sum(g)),
        primitive(lambda x: x * 2, jvp=lambda g: np.ones(7) * np.sum(g)),
    ):
        with pytest.raises(ShapeError, match="operand 0"):
            wg.grad(lambda x, bad=bad: np.sum(bad(x)))(X)
    with pytest.raises(ShapeError, match="operand 0"):
        wg.jvp(primitive(lambda x: x * 2, jvp=lambda g: np.ones(7)), (X,), (X,))
    with pytest.raises(DTypeError, match="numbers"):
        wg.grad(primitive(lambda x: np.sum(x), vjp=lambda g: "text"))(X)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: primitive(lambda x: x),
        lambda: primitive(lambda x, y: x, vjp=lambda g: g),
        lambda: primitive(lambda *xs: xs[0], vjp=lambda g: g),
        lambda: primitive(lambda x: x, vjp=lambda z: z),
        lambda: primitive(3, vjp=lambda g: g),
        lambda: elementwise(lambda g: g, lambda: 1),
        lambda: elementwise(lambda x: x),
        lambda: elementwise(lambda x: x, 1.0),
    ],
)
def test_declarations_that_are_wrong(declare):
    with pytest.raises(RuleError):
        declare()


# stop, scale, clip -----------------------------------------------------------------------------------------------


def test_stop_gradient():
    assert wg.grad(lambda x: x * stop_gradient(x * x))(3.0) == 9
    assert wg.grad(wg.grad(lambda x: x * stop_gradient(x * x)))(3.0) == 0
    assert wg.jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,))[1] == 3
    np.testing.assert_allclose(wg.vmap(lambda x: stop_gradient(x) * x)(ROWS), ROWS**2)
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(wg.vmap(lambda r: stop_gradient(r) * r)(x)))(ROWS), ROWS)
    stopped = stop_gradient({"t": wg.tensor(X, requires_grad=True), "n": 3, "s": "text"})
    assert isinstance(stopped["t"], wg.Tensor) and not stopped["t"].requires_grad and stopped["s"] == "text"


def test_scale_gradient():
    assert wg.grad(lambda x: scale_gradient(x, -2.0) ** 2)(3.0) == -12
    assert wg.jvp(lambda x: scale_gradient(x, 3) ** 2, (2.0,), (1.0,)) == (4, 12)
    gradient = wg.grad(lambda d: np.sum(scale_gradient(d, 0.5)["a"][0]))({"a": [X], "b": 1.0})
    assert gradient["a"][0].tolist() == [0.5] * 3 and gradient["b"] == 0
    with pytest.raises(ArgumentError, match="factor"):
        wg.grad(lambda x: scale_gradient(x, x))(1.0)


def test_clip_gradient():
    square = lambda x: np.sum(clip_gradient(x, -1, 1) ** 2)  # noqa: E731
    np.testing.assert_allclose(wg.grad(square)(X), np.clip(2 * X, -1, 1))
    np.testing.assert_allclose(wg.hessian(square)(X), np.diag([2.0, 0, 0]))
    np.testing.assert_allclose(wg.jvp(square, (X,), (Y,))[1], 2 * X @ Y)
    both = wg.grad(lambda d: 3 * clip_gradient(d, norm=1.0)["a"] + 4 * clip_gradient(d, norm=10.0)["b"])
    assert both({"a": 1.0, "b": 1.0}) == {"a": 1, "b": 4}
    joint = wg.grad(lambda d: (lambda c: 3 * c["a"] + 4 * c["b"])(clip_gradient(d, norm=1.0)))({"a": 1.0, "b": 1.0})
    np.testing.assert_allclose([joint["a"], joint["b"]], [0.6, 0.8])
    short = wg.grad(lambda x: np.sum(wg.vmap(lambda r: np.sum(clip_gradient(r, norm=1.0)))(x)))(ROWS)
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), [1, 1])
    assert wg.grad(lambda x: np.sum(clip_gradient(x, norm=1.0) * 0))(X).tolist() == [0, 0, 0]
    for wrong in ({}, {"low": 2, "high": 1}, {"norm": 0.0}, {"low": 1, "norm": 1.0}):
        with pytest.raises(ArgumentError):
            clip_gradient(X, **wrong)


def test_series_and_sparsity_patterns():
    np.testing.assert_allclose(wg.derivatives(lambda x: stop_gradient(x) * x, 0.3, 2), [0.09, 0.3, 0])
    scaled = lambda x: scale_gradient(x, 3.0) * x**2  # noqa: E731
    expected = [float(scaled(0.3)), float(wg.grad(scaled)(0.3)), float(wg.grad(wg.grad(scaled))(0.3))]
    np.testing.assert_allclose(wg.derivatives(scaled, 0.3, 2), expected)
    push = lambda f: lambda x: wg.jvp(f, (x,), (1.0,))[1]  # noqa: E731
    for second in (push(push(scaled)), push(wg.grad(scaled)), wg.grad(push(scaled))):
        np.testing.assert_allclose(second(0.3), expected[2])
    f = custom_vjp(np.sin)
    f.defvjp(lambda x: (f(x), x), lambda x, g: (g * np.cos(x),))
    with pytest.raises(wg.errors.GradientError, match=r"wg\.taylor"):
        wg.derivatives(f, 0.3, 2)
    np.testing.assert_allclose(wg.sparse_jacobian(f)(X).toarray(), np.diag(np.cos(X)))
