"""The scalar dialect: values, gradients of every order, routes, object arrays, errors."""

import copy
import math
import threading
from collections import defaultdict

import numpy as np
import pytest

from wengert.dialects import scalar
from wengert.dialects.scalar import (
    Abs,
    Acos,
    Acosh,
    Add,
    Asin,
    AssignmentError,
    CheckError,
    Cos,
    Div,
    DivisionError,
    DomainError,
    Exp,
    FloatError,
    Inv,
    Log,
    Max,
    Min,
    Mul,
    Neg,
    Operation,
    Ops,
    Pow,
    RangeError,
    Relu,
    Sigmoid,
    Sin,
    Softplus,
    Sqrt,
    Sub,
    Tanh,
    Var,
    check,
    derivative,
    get_gradients,
    routes,
    to_dot,
    tree,
)
from wengert.errors import (
    ArgumentError,
    DTypeError,
    LostGradientError,
    MissingRuleError,
    RecordedCopyError,
    WengertError,
)

OPERATIONS = {name: value for name, value in vars(scalar).items() if isinstance(value, Operation)}
INSIDE = {
    "Acosh": [1.7],
    "Atanh": [0.6],
    "Log": [2.3],
    "Pow": [1.7, 2.3],
    "Div": [1.2, 0.7],
}


def point(name):
    """A place where the function is smooth."""
    return INSIDE.get(name) or [0.6, 1.3][: len(OPERATIONS[name].rules)]


def differences(f, values, i, step=1e-3):
    """A derivative of fourth order in the step."""
    moved = [f(*values[:i], values[i] + k * step, *values[i + 1 :]) for k in (2, 1, -1, -2)]
    return (-moved[0] + 8 * moved[1] - 8 * moved[2] + moved[3]) / (12 * step)


def walked(parent):
    """Gradients by walking every route, each on its own: slow, and obviously right."""
    gradients = defaultdict(int)
    stack = [(parent, 1)]
    while stack:
        node, product = stack.pop()
        gradients[node] += product
        stack += [(child, product * slope) for child, slope in node.grad]
    return gradients


# ---------------------------------------------------------------------------------------------------------------
# The graph
# ---------------------------------------------------------------------------------------------------------------


def test_the_first_example():
    a, b = Var(4), Var(3)
    c = Add(a, b)
    d = Mul(a, c)
    assert (c.value, d.value) == (7, 28)
    assert c.grad == [(a, 1), (b, 1)]
    assert [(child is x, slope) for (child, slope), x in zip(d.grad, (a, c), strict=True)] == [(True, 7), (True, 4)]
    gradients = get_gradients(d)
    assert [gradients[v] for v in (d, c, a, b)] == [1, 4, 11, 4]
    assert all(type(gradients[v]) is int for v in (a, b))


def test_published_figures_to_the_last_digit():
    def f(a, b):
        return (a / b - a) * (b / a + a + b) * (a - b)

    a, b = Var(230.3), Var(33.2)
    gradients = get_gradients(f(a, b))
    assert (gradients[a], gradients[b]) == (-153284.83150602411, 3815.0389441500993)

    def g(a, b, c):
        h = Sin(a * b) + Exp(c - (a / b))
        return Log(h * h) * c

    x = a, b, c = Var(43.0), Var(3.0), Var(2.0)
    gradients = get_gradients(g(a, b, c))
    assert [gradients[v] for v in x] == [60.85353612046653, 872.2331479536114, -3.2853671032530305]
    delta = Var(1e-8)
    estimates = [(g(*x[:i], x[i] + delta, *x[i + 1 :]) - g(a, b, c)) / delta for i in range(3)]
    assert [e.value for e in estimates] == [60.85352186602222, 872.232160009645, -3.285367089489455]


def test_operators_make_the_nodes_of_the_operations():
    a, b = Var(3.0), Var(2.0)
    pairs = [(a + b, Add(a, b)), (a - b, Sub(a, b)), (a * b, Mul(a, b)), (a / b, Div(a, b)), (a**b, Pow(a, b))]
    pairs += [(-a, Neg(a)), (abs(a), Abs(a)), (a + 5, Add(a, 5)), (5 - a, Sub(5, a)), (5 / a, Div(5, a))]
    pairs += [(5.0 * a, Mul(5.0, a)), (2**a, Pow(2, a)), (a**3, Pow(a, 3)), (a - 1, Sub(a, 1)), (a / 4, Div(a, 4))]
    for operator, operation in pairs:
        assert operator.operation is operation.operation
        assert operator.value == operation.value
        assert operator.grad == operation.grad
        assert isinstance(operator, operation.operation)
        assert not isinstance(operator, Var)
    assert +a is a
    assert not isinstance(a, Add)
    assert isinstance(a, Var)


NUMPY = {"Asin": "arcsin", "Acos": "arccos", "Atan": "arctan", "Asinh": "arcsinh", "Acosh": "arccosh"}
NUMPY |= {"Atanh": "arctanh", "Atan2": "arctan2", "Sub": "subtract", "Mul": "multiply", "Div": "divide"}
NUMPY |= {"Neg": "negative", "Inv": "reciprocal", "Pow": "power", "Max": "maximum", "Min": "minimum"}
OTHERS = {"Erf": math.erf, "Relu": lambda x: max(x, 0), "Sigmoid": lambda x: 1 / (1 + math.exp(-x))}
OTHERS |= {"Softplus": lambda x: math.log(1 + math.exp(x))}


@pytest.mark.parametrize("name", OPERATIONS)
def test_values_are_those_of_numpy(name):
    f = OTHERS.get(name) or getattr(np, NUMPY.get(name, name.lower()))
    values = point(name)
    assert OPERATIONS[name](*map(Var, values)).value == pytest.approx(f(*values), rel=1e-14)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("name", OPERATIONS)
def test_derivatives_of_every_order_are_those_of_the_order_below(name, order):
    f, values = OPERATIONS[name], point(name)
    for i in range(len(values)):
        orders = [order if j == i else 0 for j in range(len(values))]
        below = derivative(f, *(n - (j == i) for j, n in enumerate(orders)))
        assert derivative(f, *orders)(*values) == pytest.approx(differences(below, values, i), rel=1e-7, abs=1e-7)


def test_higher_orders_in_closed_form():
    assert derivative(lambda x: Sin(x) * Exp(x), 10)(0.5) == pytest.approx(
        32 * math.exp(0.5) * math.cos(0.5), rel=1e-13
    )
    assert [derivative(lambda x: x**4, n)(2.0) for n in range(6)] == [16.0, 32.0, 48.0, 48.0, 24.0, 0]
    assert derivative(lambda x, y: x**2 * y**3, 1, 2)(1.0, 2.0) == 24.0
    x = Var(2.0)
    first = get_gradients(x**3, create_graph=True)[x]
    second = get_gradients(first, create_graph=True)[x]
    third = get_gradients(second, create_graph=True)
    assert (first.value, second.value, third[x].value) == (12.0, 12.0, 6.0)
    assert third[Var(1.0)].value == 0


def test_nested_derivatives_do_not_mix():
    assert derivative(lambda x: x * derivative(lambda y: x + y)(x))(5.0) == 1
    assert derivative(lambda x: derivative(lambda y: x * y * y)(x))(3.0) == 12.0
    assert derivative(derivative(Sin))(1.0) == -math.sin(1.0)
    assert derivative(lambda x: 3)(1.0) == 0


def test_shared_nodes_agree_with_the_walk_over_all_routes():
    a, b = Var(1.2), Var(0.7)
    x = a
    for _ in range(8):
        x = x * b + Sin(x) / (a + 2) - x
    expected = walked(x)
    gradients = get_gradients(x)
    assert gradients.keys() == expected.keys()
    for node, value in expected.items():
        assert gradients[node] == pytest.approx(value, rel=1e-12)


def test_a_result_can_be_differentiated_more_than_once():
    a, b = Var(2.0), Var(5.0)
    shared = a * b
    y, z = shared * a, shared + b
    first, second, again = get_gradients(y), get_gradients(z), get_gradients(y)
    assert first == again
    assert (first[a], first[b], second[a], second[b]) == (20.0, 4.0, 5.0, 3.0)
    assert next(iter(first)) is y


def test_a_mapping_gives_zero_for_what_was_not_reached_and_does_not_grow():
    a, other = Var(2.0), Var(3.0)
    gradients = get_gradients(a * a)
    assert gradients[other] == 0
    assert other not in gradients
    assert get_gradients(a) == {a: 1.0}
    with pytest.raises(DTypeError, match="Var or a node"):
        gradients["a"]


def test_assigning_a_leaf_leaves_earlier_results_as_they_were():
    x, y = Var(3.0), Var(4.0)
    z = x * y
    x.value -= 1
    x.value = np.float64(10)
    assert (z.value, get_gradients(z)[y]) == (12.0, 3.0)
    assert type(x.value) is float
    with pytest.raises(AssignmentError, match="assigned after"):
        get_gradients(z, create_graph=True)
    with pytest.raises(AttributeError, match="only a leaf"):
        z.value = 3.0
    assert get_gradients(x * y)[y] == 10.0


def test_long_chains_and_many_shared_nodes():
    x = Var(0.5)
    y = x
    for _ in range(300_000):
        y = y + 0.25
    gradients = get_gradients(y)
    assert gradients[x] == 1.0
    assert len(gradients) == 300_001
    assert routes(y, x).number == 1
    del y, gradients
    y = x
    for _ in range(10**5):
        y = 0.5 * y + y * 0.5
    assert get_gradients(y)[x] == 1.0
    for start in (Var(1.0), Var(1)):
        y = start
        for _ in range(2000):
            y = y + y
        assert get_gradients(y)[start] == math.inf


def test_an_interrupted_pass_leaves_nothing_behind():
    huge, a = Var(10**400), Var(3)
    y = huge * huge * a
    with pytest.raises(OverflowError, match="whole numbers"):
        get_gradients(y)
    assert get_gradients(a * a)[a] == 6
    assert get_gradients(huge - a)[huge] == 1


def test_threads_do_not_disturb_each_other():
    a, b = Var(1.01), Var(0.5)
    y = a
    for _ in range(300):
        y = y * a + b
    expected = get_gradients(y)
    found = []
    threads = [threading.Thread(target=lambda: found.append(get_gradients(y))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(gradients == expected for gradients in found)
    assert len(found) == 8


def test_whole_numbers_stay_whole():
    a = Var(7)
    y = (a * a + 3 * a - 2) ** 2
    assert (y.value, get_gradients(y)[a]) == (4624, 2 * 68 * 17)
    assert type(get_gradients(y)[a]) is int
    assert type(Var(True).value) is int
    assert type(get_gradients(Var(2.0) + 1)[a]) is int


# ---------------------------------------------------------------------------------------------------------------
# Python and NumPy around it
# ---------------------------------------------------------------------------------------------------------------


def test_comparison_is_by_value_and_keys_are_by_identity():
    a, b = Var(2.0), Var(2.0)
    assert a == b == 2.0
    assert a != 3
    assert a < 3 < a + 2
    assert a >= b
    assert len({a: 1, b: 2}) == 2
    assert max(a, 3 * b).value == 6.0
    assert [v.value for v in sorted([3 * a, b, a - 5])] == [-3.0, 2.0, 6.0]
    assert bool(a)
    assert not Var(0)
    assert a != "2.0"


def test_steps_give_plain_numbers_and_remainders_a_node():
    a = Var(7.6)
    assert (round(a), round(a, 0), math.floor(a), math.ceil(a), int(a), a // 2, 20 // a) == (8, 8.0, 7, 8, 7, 3.0, 2.0)
    assert get_gradients(a % 2)[a] == 1.0
    b = Var(2.5)
    assert get_gradients(a % b)[b] == -3.0
    assert (20 % a).value == pytest.approx(20 % 7.6)
    quotient, remainder = divmod(a, 2)
    assert (quotient, remainder.value) == (3.0, pytest.approx(1.6))


def test_builtins():
    values = [Var(v) for v in (1.0, -2.0, 3.0)]
    assert get_gradients(sum(values))[values[1]] == 1.0
    assert get_gradients(abs(values[1]))[values[1]] == -1.0
    assert get_gradients(pow(values[2], 2))[values[2]] == 6.0
    x = values[0]
    x += 1
    assert (x.value, values[0].value) == (2.0, 1.0)


def test_a_linear_layer_in_object_arrays():
    to_var = np.vectorize(lambda x: Var(x))
    values = np.vectorize(lambda variable: variable.value)
    rng = np.random.default_rng(0)
    a, t, w = rng.random(5), rng.random(3), rng.random((5, 3))
    x, y, weights = to_var(a), to_var(t), to_var(w)
    losses = []
    for _ in range(20):
        predicted = np.dot(x, weights)
        loss = np.sum((y - predicted) * (y - predicted))
        losses.append(loss.value)
        gradients = get_gradients(loss)
        assert values(loss) == loss.value
        expected = -2 * np.outer(a, t - a @ values(weights))
        np.testing.assert_allclose(np.vectorize(gradients.__getitem__)(weights), expected, rtol=1e-12)
        for i in range(5):
            for j in range(3):
                weights[i, j].value -= 0.05 * gradients[weights[i, j]]
    assert losses == sorted(losses, reverse=True)


UFUNCS = """
sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh exp expm1 exp2 log log1p log2 log10 sqrt cbrt
square reciprocal negative absolute fabs degrees deg2rad
"""


@pytest.mark.parametrize("name", UFUNCS.split())
def test_numpy_functions_of_object_arrays(name):
    values = np.array([0.2, 0.5, 0.7])
    x = np.vectorize(Var)(values)
    y = getattr(np, name)(x)
    np.testing.assert_allclose([v.value for v in y], getattr(np, name)(values), rtol=1e-14)
    f = getattr(np, name)
    for each, value, result in zip(x, values, y, strict=True):
        assert get_gradients(result)[each] == pytest.approx(differences(f, [value], 0), rel=1e-8)
    assert f(Var(0.3)).value == pytest.approx(f(0.3), rel=1e-14)


def test_numpy_reductions_and_mixed_operands():
    values = np.array([1.0, 2.0, 4.0])
    x = np.vectorize(Var)(values)
    v = Var(2.0)
    for f in (np.sum, np.mean, np.prod, np.std, np.var, np.linalg.norm, np.max, np.cumsum, np.trace):
        given, plain = (np.outer(x, x), np.outer(values, values)) if f is np.trace else (x, values)
        np.testing.assert_allclose(np.vectorize(lambda n: n.value)(f(given)), f(plain))
    for result in (v * values, values * v, x * v, v * x, np.float64(3) * x):
        assert result.shape == (3,)
        assert all(isinstance(each, Mul) for each in result)
    for other in (np.float64(4), np.float32(4), np.int64(4), np.array(4.0), True + 3):
        assert (v * other).value == (other * v).value == 8.0
        assert (other / v).value == 2.0
        assert (v - other).value == -2.0
    assert np.float64(3) > v
    assert (x > 1.5).tolist() == [False, True, True]
    assert np.arctan2(x, v)[0].value == math.atan2(1.0, 2.0)


# ---------------------------------------------------------------------------------------------------------------
# Edges of the domain and what is refused
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "python", "kind"),
    [
        (lambda: Log(Var(0)), ValueError, DomainError),
        (lambda: Log(Var(-1.0)), ValueError, DomainError),
        (lambda: Sqrt(Var(-1.0)), ValueError, DomainError),
        (lambda: Acosh(Var(0.5)), ValueError, DomainError),
        (lambda: Sin(Var(math.inf)), ValueError, DomainError),
        (lambda: Var(-8.0) ** (1 / 3), ValueError, DomainError),
        (lambda: Inv(Var(0)), ZeroDivisionError, DivisionError),
        (lambda: Var(1.0) / 0, ZeroDivisionError, DivisionError),
        (lambda: 1 / Var(0.0), ZeroDivisionError, DivisionError),
        (lambda: Var(0.0) ** -1, ZeroDivisionError, DivisionError),
        (lambda: Exp(Var(1000.0)), OverflowError, RangeError),
        (lambda: Var(10.0) ** 400, OverflowError, RangeError),
    ],
)
def test_outside_the_domain_errors_are_pythons_and_ours(f, python, kind):
    for expected in (python, kind, ArgumentError, WengertError):
        with pytest.raises(expected, match=r"\[\w+\] "):
            f()


def test_derivatives_at_the_edge_of_the_domain():
    def at(f, *values):
        leaves = [Var(v) for v in values]
        gradients = get_gradients(f(*leaves))
        return [gradients[x] for x in leaves]

    assert at(Sqrt, 0.0) == [math.inf]
    assert at(Asin, 1.0) == [math.inf]
    assert at(Acos, 1.0) == [-math.inf]
    assert at(lambda x: x**0.5, 0.0) == [math.inf]
    assert at(lambda x: x**0, 0.0) == [0.0]
    assert at(lambda x: x**2, -3.0) == [-6.0]
    assert at(Abs, 0.0) == at(Relu, 0.0) == [0.0]
    assert at(Max, 2.0, 2.0) == at(Min, 2.0, 2.0) == [0.5, 0.5]
    assert at(Pow, 0.0, 2.0) == [0.0, 0.0]
    assert at(Sigmoid, -800.0) == [0.0]
    assert at(Softplus, 800.0) == [1.0]
    assert at(Tanh, 400.0) == [0.0]
    base, exponent = at(Pow, -2.0, 2.0)
    assert base == -4.0
    assert math.isnan(exponent)
    assert (Var(1e308) * 10).value == math.inf
    assert math.isnan(Max(Var(math.nan), 1).value)
    assert math.isnan(Relu(Var(math.nan)).value)


@pytest.mark.parametrize("other", ["a", 1j, None, [1.0], object()])
def test_operands_that_are_no_numbers_are_refused(other):
    v = Var(2.0)
    for f in (lambda: v + other, lambda: other * v, lambda: v / other, lambda: v**other, lambda: Sin(other)):
        with pytest.raises(TypeError, match="needs a real number or a Var"):
            f()
    with pytest.raises(DTypeError):
        Var(other)


def test_arrays_are_refused_where_a_number_is_needed():
    for f in (Var, Sin, lambda array: Add(array, 1)):
        with pytest.raises(DTypeError, match=r"array of shape \(3,\); .*vectorize"):
            f(np.ones(3))
    with pytest.raises(DTypeError, match=r"np\.sum"):
        get_gradients(np.vectorize(Var)(np.ones(3)))
    with pytest.raises(DTypeError, match="a plain number depends on nothing"):
        get_gradients(3.0)
    with pytest.raises(DTypeError, match=r"read its number with \.value"):
        Var(Var(1.0))
    with pytest.raises(DTypeError, match="takes 2 operand"):
        Add(Var(1.0))
    with pytest.raises(DTypeError, match="orders"):
        derivative(Sin, 0.5)


@pytest.mark.parametrize("read", [float, math.sin, complex, "%.2f".__mod__, lambda v: np.array([v]).astype(float)])
def test_a_gradient_is_not_lost_in_silence(read):
    for v in (Var(0.5), Var(0.5) * 2):
        with pytest.raises(LostGradientError, match="Sin"):
            read(v)
        with pytest.raises(FloatError):
            read(v)
        with pytest.raises(TypeError):
            read(v)


def test_copies():
    v = Var(0.5, "v")
    w = copy.deepcopy(v)
    assert (w.value, w.name, w is v) == (0.5, "v", False)
    with pytest.raises(RecordedCopyError, match="cut off"):
        copy.deepcopy(v * 2)


# ---------------------------------------------------------------------------------------------------------------
# Operations of one's own
# ---------------------------------------------------------------------------------------------------------------


class Cube(Ops):
    def __init__(self, x):
        self.value = x.value**3
        self.grad = [(x, 3 * x * x)]


class Total(Ops):
    def __init__(self, *operands):
        self.value = sum(x.value for x in operands)
        self.grad = [(x, 1) for x in operands]


def test_operations_of_ones_own():
    x = Var(2.0)
    y = Sin(Cube(x) * 0.1) + x
    assert get_gradients(y)[x] == pytest.approx(math.cos(0.8) * 1.2 + 1)
    assert derivative(Cube, 2)(2.0) == 12.0
    assert derivative(Cube, 3)(2.0) == 6.0
    assert Cube(x).grad == [(x, 12.0)]
    leaves = [Var(float(i)) for i in range(5)]
    total = Total(*leaves, leaves[0])
    gradients = get_gradients(total * 2)
    assert total.value == 10.0
    assert [gradients[v] for v in leaves] == [4.0, 2.0, 2.0, 2.0, 2.0]
    with pytest.raises(MissingRuleError, match="Total"):
        get_gradients(total, create_graph=True)


# ---------------------------------------------------------------------------------------------------------------
# On paper
# ---------------------------------------------------------------------------------------------------------------


def test_routes_and_their_products():
    a, b = Var(4, "a"), Var(3, "b")
    d = a * (a + b)
    found = routes(d, a)
    assert [route.product for route in found] == [7, 4]
    assert [route.slopes for route in found] == [(7,), (4, 1)]
    assert all(route.nodes[0] is d and route.nodes[-1] is a for route in found)
    assert (found.number, found.is_cut, found.total, found.gradient) == (2, False, 11, 11)
    assert str(found) == "Mul → a:  7 = 7\nMul → Add → a:  4 · 1 = 4\n2 routes, sum 11"
    assert routes(d, d)[0].product == 1
    assert len(routes(d, Var(1))) == routes(d, Var(1)).number == 0


def test_routes_to_an_inner_node_end_there():
    a = Var(2.0)
    inner = a * a
    y = inner + Sin(inner) * inner
    found = routes(y, inner)
    assert found.number == 3
    assert found.total == pytest.approx(get_gradients(y)[inner])


def test_routes_are_cut_but_counted():
    x = Var(0.5)
    y = x
    for _ in range(100):
        y = y + y
    found = routes(y, x, limit=5)
    assert found.number == 2**100
    assert len(found) == 5
    assert found.is_cut
    assert found.gradient == 2.0**100
    assert "cut: 5 of about 2**100 routes" in str(found)
    assert "more)" in str(found)
    assert routes(y, x, limit=0).number == 2**100
    with pytest.raises(ArgumentError):
        routes(y, x, limit=-1)
    with pytest.raises(DTypeError):
        routes(y, 3)


def test_the_sum_over_all_routes_is_the_gradient():
    a, b = Var(1.3), Var(0.4)
    y = a
    for _ in range(6):
        y = y * b + Cos(y) * a
    found = routes(y, a, limit=10**6)
    assert not found.is_cut
    assert found.total == pytest.approx(get_gradients(y)[a], rel=1e-12)


def test_tree_and_drawing():
    a, b = Var(4, "a"), Var(3)
    c = a + b
    text = tree(a * c + c)
    assert text.splitlines() == [
        "Add = 35",
        "  1 · Mul = 28",
        "    7 · a = 4",
        "    4 · Add = 7",
        "      1 · a = 4",
        "      1 · Var(3)",
        "  1 · Add = 7 (as above)",
    ]
    assert tree(a * c, limit=2).splitlines()[-1] == "cut after 2 lines"
    drawing = to_dot(a * c)
    assert drawing.count("->") == 4
    assert 'label="Mul\\n28"' in drawing
    with pytest.raises(ArgumentError, match="at most 2"):
        to_dot(a * c, limit=2)


def test_what_is_printed():
    a = Var(4)
    assert repr(a) == "Var(4)"
    assert repr(a * 2.5) == "<Mul: 10.0>"
    assert f"{a * 2.5:.3f}" == "10.000"
    assert f"{a}" == "Var(4)"
    assert repr(np.array([a, -a])) == "array([Var(4), <Neg: -4>], dtype=object)"


def test_check():
    found = check(lambda a, b: a * Sin(b) + b**2, 1.5, 0.7)
    for gradient, estimate in found:
        assert gradient == pytest.approx(estimate, rel=1e-8)

    class Wrong(Ops):
        def __init__(self, x):
            self.value = x.value**2
            self.grad = [(x, x.value)]

    with pytest.raises(CheckError, match="argument 0"):
        check(Wrong, 3.0)
