"""Formulas as text: what they mean, what is refused, and that every function in them has a gradient."""

import contextlib
import string

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wengert.errors import ArgumentError
from wengert.expression import FUNCTIONS, MAX_DEPTH, Expression, read_values
from wengert.transforms.reverse import value_and_grad

VECTOR = np.array([1.0, 2.0, 3.0])
MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def evaluate(text, **values):
    expression = Expression(text)
    assert set(expression.variables) == set(values)
    return expression(*[values[name] for name in expression.variables])


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("sin(x)*exp(-y)", {"x": 1.0, "y": 2.0}, np.sin(1) * np.exp(-2)),
        ("np.sin(x) + numpy.cos(x)", {"x": 1.0}, np.sin(1) + np.cos(1)),
        ("2*pi*r + np.pi*e", {"r": 3.0}, 6 * np.pi + np.pi * np.e),
        ("-x**2", {"x": 3.0}, -9.0),
        ("2**3**2", {}, 512.0),
        ("7 // 2 + 7 % 2 - +x", {"x": 1.0}, 3.0),
        ("1/3", {}, 1 / 3),
        ("x @ x", {"x": VECTOR}, 14.0),
        ("sum(x*[1, 2, 3])", {"x": VECTOR}, 14.0),
        ("[x, 2*y, 3]", {"x": 1.0, "y": 2.0}, [1.0, 4.0, 3.0]),
        ("[[x, 0], [0, x]] @ [1, 1]", {"x": 2.0}, [2.0, 2.0]),
        ("(x, 1)", {"x": 2.0}, [2.0, 1.0]),
        ("x[0]*x[-1] + sum(x[1:])", {"x": VECTOR}, 8.0),
        ("m[1, 2] + sum(m[:, ::2])", {"m": MATRIX}, 6 + 1 + 3 + 4 + 6),
        ("where(x > 0, x, -x)", {"x": -3.0}, 3.0),
        ("(0 < x)*(x <= 1) + (x == 1) + (x != 1) + (x >= 2)", {"x": 1.0}, 2.0),
        ("(x > 0) - (x < 0)", {"x": -2.0}, -1.0),
        ("µ + μ", {"μ": 2.0}, 4.0),
        ("  x  ", {"x": 2.0}, 2.0),
    ],
)
def test_a_formula_means_what_numpy_means(text, values, expected):
    np.testing.assert_allclose(evaluate(text, **values), expected, rtol=1e-15)


def test_variables_come_in_the_order_of_their_first_use():
    assert Expression("b*sin(a) + b + pi").variables == ("b", "a")


def test_the_number_of_values_must_fit():
    with pytest.raises(ValueError):
        Expression("x + y")(1.0)


def test_all_numbers_are_floats_so_that_powers_cannot_take_forever():
    with np.errstate(over="ignore"):
        assert evaluate("9**9**9") == np.inf
    assert evaluate("2**-1") == 0.5


ARGUMENTS = {
    "arccosh": [1.7],
    "acosh": [1.7],
    "where": [1.0, 0.3, 0.6],
    "clip": [VECTOR, 1.5, 2.5],
    **{name: [VECTOR] for name in ("sum", "prod", "mean", "min", "max", "var", "std")},
    **{name: [VECTOR[::-1], VECTOR] for name in ("dot", "inner", "matmul")},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_gradient(name):
    names = ["x", "y", "z"][: FUNCTIONS[name][1]]
    values = ARGUMENTS.get(name, [0.3, 0.6][: len(names)])
    # The sum makes a number of what clip() gives for an array.
    expression = Expression(f"sum({name}({', '.join(names)}))")
    # What a condition and bounds contribute is not differentiated.
    for by in {"where": [1, 2], "clip": [0]}.get(name, range(len(names))):
        _, gradient = value_and_grad(expression, argnums=by)(*values)
        step = 1e-6 * np.resize([1.0, -2.0, 0.5], np.shape(values[by]))
        above, below = ([v + s * (i == by) for i, v in enumerate(values)] for s in (step, -step))
        difference = (expression(*above) - expression(*below)) / 2e-6
        np.testing.assert_allclose(np.sum(gradient * step) / 1e-6, difference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("(", "never closed"),
        ("x +", "cannot be read"),
        ("1x", "invalid decimal literal"),
        ("x²", "invalid character"),
        ("x\0", "cannot be read"),
        ("x=1", "cannot be read"),
        ("a; b", "cannot be read"),
        ("x\ny", "cannot be read"),
        ("x^2", "x**2"),
        ("x if x > 0 else y", "where(condition, a, b)"),
        ("x > 0 and x < 1", "(0 < x)*(x < 1)"),
        ("0 < x < 1", "(0 < x)*(x < 1)"),
        ("not x", "not part of a formula"),
        ("x is y", "not part of a formula"),
        ("sine(x)", "did you mean sin?"),
        ("quux(x)", "known functions are"),
        ("2(x + 1)", "a product is written a*(b)"),
        ("sin", "write sin(...)"),
        ("sin(x, y)", "takes 1 argument; received 2"),
        ("maximum(x)", "takes 2 arguments; received 1"),
        ("sum(x, axis=0)", "not part of a formula"),
        ("sum(*x)", "not part of a formula"),
        ("x.real", "not part of a formula"),
        ("[]", "at least one number"),
        ("[i for i in x]", "not part of a formula"),
        ("x[y]", "whole numbers"),
        ("x[True]", "whole numbers"),
        ("x[-(1, 2)]", "whole numbers"),
        ("1j", "not part of a formula"),
        ("True", "not part of a formula"),
        ("'text'", "not part of a formula"),
        ("f'{x}'", "not part of a formula"),
        ("lambda: 1", "not part of a formula"),
        ("1e999", "1.8e308"),
        ("1" + "0" * 400, "1.8e308"),
        ("1" * 5000, "digits"),
        ("__import__('os').system('true')", "cannot be called"),
        ("().__class__.__bases__", "not part of a formula"),
        ("+".join(["x"] * (MAX_DEPTH + 2)), "nesting"),
        ("+".join(["x"] * 20_000), "nest"),
        ("-" * 100_000 + "x", "nest"),
        ("(" * 1000 + ")" * 1000, "parentheses"),
    ],
)
def test_what_is_no_formula_is_refused_in_one_line(text, reason):
    with pytest.raises(ArgumentError) as caught:
        Expression(text)
    message = str(caught.value)
    assert reason in message
    assert message.startswith("[formula] ")
    assert "\n" not in message
    assert len(message) < 1000


@given(st.text(alphabet=string.digits + "xyesincog+-*/%@()[],.:<>=!&|^~'\"_\\ \n", max_size=40))
@example("x" * 10_000)
def test_any_text_is_a_formula_or_refused(text):
    with contextlib.suppress(ArgumentError):
        Expression(text)


def test_values_are_numbers_and_lists():
    values = read_values(["x=1", "y = -2.5e3", "w=[1, 2]", "m=[[1, 0], [0, 1]]", "angle=pi/2", "µ=0.1"])
    assert list(values) == ["x", "y", "w", "m", "angle", "μ"]
    assert values["x"] == 1 and values["y"] == -2500 and values["angle"] == np.pi / 2
    assert values["w"].dtype == values["m"].dtype == np.float64
    assert values["m"].shape == (2, 2)


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("x", "name=value"),
        ("=1", "name=value"),
        ("1=2", "name=value"),
        ("x y=1", "name=value"),
        ("lambda=1", "name=value"),
        ("pi=3", "already has a meaning"),
        ("sin=1", "already has a meaning"),
        ("x=", 'nothing after "="'),
        ("x==3", "cannot be read"),
        ("x=nan", "nan is not a number"),
        ("x=-inf", "inf is not a number"),
        ("x=1e999", "1.8e308"),
        ("x=1/0", "which is inf"),
        ("x=y", "y is not a number"),
        ("x='1'", "not part of a formula"),
        ("x=True", "not part of a formula"),
        ("x=1j", "not part of a formula"),
        ("x=[]", "at least one number"),
        ("x=[1, 2", "never closed"),
        ("x=[[1, 2], [3]]", "same shape"),
        ("x=[1, nan]", "nan is not a number"),
        ("x=[1, 2][5]", "out of bounds"),
    ],
)
def test_what_is_no_value_is_refused_in_one_line(assignment, reason):
    with pytest.raises(ArgumentError) as caught:
        read_values([assignment])
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_variable_has_one_value():
    with pytest.raises(ArgumentError, match="received two for x"):
        read_values(["x=1", "x=2"])
