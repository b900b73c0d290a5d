"""The scalar dialect in programs: random expressions beside the engine, and what learners write first."""

import copy
import math
import operator
import pickle
import random

import numpy as np
import pytest

import wengert as wg
from wengert.dialects import scalar
from wengert.dialects.scalar import Exp, Max, Node, Sin, Tanh, Var, get_gradients
from wengert.errors import DTypeError

FUNCTIONS = {
    "Sin": np.sin, "Cos": np.cos, "Tanh": np.tanh, "Exp": np.exp, "Atan": np.arctan, "Asinh": np.arcsinh,
}  # fmt: skip
OPERATORS = (operator.add, operator.sub, operator.mul)


def expression(seed, depth=12):
    """A function of three numbers, by a list of steps, each on two of the values so far; `call` names functions."""
    draw = random.Random(seed)
    steps = [
        (draw.choice([*OPERATORS, *FUNCTIONS, "quotient", "power", "constant"]), draw.random(), draw.random())
        for _ in range(depth)
    ]

    def f(call, *values):
        values = list(values)
        for kind, i, j in steps:
            a, b = values[int(i * len(values))], values[int(j * len(values))]
            if kind == "quotient":
                value = a / (2.5 + call("Tanh", b))
            elif kind == "power":
                value = (1.5 + call("Sin", a)) ** b if i < 0.5 else (2 + call("Cos", a)) ** 3
            elif kind == "constant":
                value = 0.5 - a * 2 + j
            else:
                value = call(kind, a) if isinstance(kind, str) else kind(a, b)
            values.append(call("Tanh", value))
        return values[-1] + values[-2] * values[-3]

    return f


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_agree_with_the_engine(seed):
    f, numbers = expression(seed), [0.3, -0.7, 1.2]
    leaves = [Var(x) for x in numbers]
    y = f(lambda name, x: getattr(scalar, name)(x), *leaves)

    def native(*tensors):
        return f(lambda name, x: FUNCTIONS[name](x), *tensors)

    tensors = [np.float64(x) for x in numbers]
    first = get_gradients(y, create_graph=True)
    assert y.value == pytest.approx(float(native(*tensors)), rel=1e-12)
    for i, x in enumerate(leaves):
        slope = wg.grad(native, i)
        assert get_gradients(y)[x] == pytest.approx(float(slope(*tensors)), rel=1e-9, abs=1e-12)
        second = get_gradients(first[x])
        for j, z in enumerate(leaves):
            expected = float(wg.grad(slope, j)(*tensors))
            assert second[z] == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_leaves_and_nodes_are_of_one_class_and_told_apart():
    x = Var(2.0, "x")
    y = x * x
    assert type(x) is type(y) is Node
    assert isinstance(x, Var) and not isinstance(y, Var) and not isinstance(2.0, Var)
    assert repr(x) == "Var(2.0)" and repr(y) == "<Mul: 4.0>"
    again = pickle.loads(pickle.dumps(copy.copy(x)))
    assert (again.value, again.name, again is x) == (2.0, "x", False)
    match x:
        case Var(value=value):
            assert value == 2.0


def test_a_class_derived_from_var():
    class Weight(Var):
        def __init__(self, value):
            super().__init__(value, "w")

        def shrink(self):
            self.value *= 0.5

    w, x = Weight(3.0), Var(2.0)
    y = w * x + Sin(w) + Max(w, x) + 1 / w
    assert isinstance(w, Weight) and isinstance(w, Var) and not isinstance(x, Weight)
    assert get_gradients(y)[w] == pytest.approx(2 + math.cos(3) + 1 - 1 / 9)
    w.shrink()
    assert (w.value, repr(w), w.name) == (1.5, "Weight(1.5)", "w")


def test_a_network_learns():
    draw = random.Random(1)

    def layer(inputs, outputs):
        return [([Var(draw.uniform(-1, 1)) for _ in range(inputs)], Var(0.0)) for _ in range(outputs)]

    network = [layer(3, 4), layer(4, 4), layer(4, 1)]
    parameters = [p for neurons in network for weights, bias in neurons for p in (*weights, bias)]

    def predict(x):
        for neurons in network:
            x = [Tanh(sum((w * v for w, v in zip(weights, x, strict=True)), bias)) for weights, bias in neurons]
        return x[0]

    inputs, targets = [[2, 3, -1], [3, -1, 0.5], [0.5, 1, 1], [1, 1, -1]], [1, -1, -1, 1]
    for _ in range(60):
        loss = sum((predict(x) - t) ** 2 for x, t in zip(inputs, targets, strict=True))
        gradients = get_gradients(loss)
        for p in parameters:
            p.value -= 0.05 * gradients[p]
    assert loss.value < 0.1


def test_newtons_method_finds_a_minimum():
    x = Var(1.0)
    for _ in range(8):
        slope = get_gradients(Exp(x) - 2 * x, create_graph=True)[x]
        x.value -= slope.value / get_gradients(slope)[x]
    assert x.value == pytest.approx(math.log(2), rel=1e-12)


def test_a_polynomial_is_fitted_in_an_object_array():
    t = np.linspace(-1, 1, 20)
    data = 2 * t**3 - t + 0.5
    coefficients = np.vectorize(Var)(np.zeros(4))
    for _ in range(500):
        curve = coefficients[0] + coefficients[1] * t + coefficients[2] * t**2 + coefficients[3] * t**3
        loss = np.mean((curve - data) ** 2)
        gradients = get_gradients(loss)
        for c in coefficients:
            c.value -= 0.5 * gradients[c]
    assert [round(c.value, 2) for c in coefficients] == [0.5, -1, 0, 2]


def test_a_result_in_an_array_without_axes():
    x = np.vectorize(Var)(np.ones((2, 2)))
    product = np.tensordot(x, x)
    assert product.shape == () and get_gradients(product)[x[0, 1]] == 2


@pytest.mark.parametrize(
    "mix",
    [
        lambda t, x: t * x,
        lambda t, x: x * t,
        lambda t, x: t[0] + x,
        lambda t, x: t.detach() - x,
        lambda t, x: np.multiply(t, np.array([x, x])),
        lambda t, x: t**x,
    ],
)
def test_tensors_and_vars_do_not_mix(mix):
    with pytest.raises(DTypeError, match="Var"):
        mix(wg.tensor([1.0, 2.0], requires_grad=True), Var(2.0))
