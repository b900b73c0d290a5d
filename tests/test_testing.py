"""The checks find what is wrong: each is shown a function or a rule with one fault."""

from dataclasses import dataclass

import numpy as np
import pytest

import wengert as wg
from wengert.errors import WengertError
from wengert.primitive import REGISTRY, elementwise, linear, primitive, without_gradient
from wengert.testing import CheckError, check_grad, check_rule, check_singular, check_value
from wengert.transforms.barriers import stop_gradient

X = np.array([[0.3, -0.7, 1.2], [0.9, 0.4, -1.1]])


@pytest.fixture(autouse=True)
def _registry():
    """Rules declared by a test are forgotten after it."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def broken_contracts(check, function, *args, **kwargs):
    """Names of the contracts that a check reports."""
    with pytest.raises(CheckError) as caught:
        check(function, *args, **kwargs)
    return {
        line.strip().rstrip(":")
        for line in str(caught.value).splitlines()
        if line.startswith("  ") and not line.startswith("    ")
    }


# check_grad ------------------------------------------------------------------------------------------------------


def test_gradients_of_any_function():
    check_grad(lambda x: np.sum(np.sin(x) * x), X, order=2)
    check_grad(lambda x, y: [x @ y, {"z": 1}, np.exp(y)], X, X.T.copy(), order=2)
    check_grad(lambda p: p["w"] * 2 + p["b"][0], {"w": X, "b": [X[0]]})
    check_grad(lambda x: x**3, 2.0, order=2)
    check_grad(lambda z: np.abs(z) ** 2, X + 1j * X[::-1], order=2)


def test_the_worst_entry_is_named():
    def f(x):
        y = x.detach() if isinstance(x, wg.Tensor) else x
        return np.where(np.arange(3) == 1, x * y, x)  # the gradient of x**2 at one column, half of it missing

    with pytest.raises(CheckError) as caught:
        check_grad(f, X)
    message = str(caught.value)
    assert "argument 0, index (0, 1)" in message or "argument 0, index (1, 1)" in message
    assert "2 entries are off" in message
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, WengertError)


def test_the_report_has_all_that_is_needed():
    def f(d):
        y = d["w"].detach() if isinstance(d["w"], wg.Tensor) else d["w"]
        return d["w"] * y * np.array([0.0, 1.0, 0.0])

    with pytest.raises(CheckError) as caught:
        check_grad(f, {"w": np.array([1.0, 2.0, 3.0])}, modes=["reverse"])
    message = str(caught.value)
    for words in ("reverse mode", "argument 0[w], index (1,)", "got ", "expected ", "step 0.001", "relative error 0.5"):
        assert words in message
    assert "1 entries are off, of 3" in message


def test_each_mode_is_checked():
    def reverse_only(x):
        return x * x

    wrong_tangent = primitive(reverse_only, lambda g, x: 2 * g * x, tangents=(lambda g, x: 3 * g * x,))
    check_grad(wrong_tangent, X, modes=["reverse"], order=2)
    with pytest.raises(CheckError, match="forward mode"):
        check_grad(wrong_tangent, X)
    with pytest.raises(CheckError, match=r"over reverse|over forward"):
        check_grad(_half_right(), X, order=2)
    assert "forward mode" in broken_contracts(check_rule, wrong_tangent, X)


def _half_right():
    """Of first order right in both modes; of second order the tangent rule has lost a part."""

    def cube(x):
        return x**3

    def tangent(g, x):
        return 3 * g * stop_gradient(x) ** 2

    return primitive(cube, lambda g, x: 3 * g * x**2, tangents=(tangent,))


def test_what_cannot_be_checked_is_said_so():
    with pytest.raises(CheckError, match="arguments were required"):
        check_grad(lambda n: n * 2, 3)
    with pytest.raises(CheckError, match="results were required"):
        check_grad(lambda x: "text", 3.0)
    for options in ({"order": 3}, {"modes": "reverse"}, {"modes": ["sideways"]}):
        with pytest.raises(wg.errors.ArgumentError):
            check_grad(np.sin, 1.0, **options)


def test_containers_of_all_kinds():
    @dataclass
    class Pair:
        left: object
        right: object

    check_grad(lambda p, *, k=2: Pair(p.left * p.right["r"][0], k), Pair(X, {"r": [2.0]}), order=2)
    with pytest.raises(CheckError, match=r"argument 0\[right\]\[0\]"):
        check_grad(lambda p: p.right[0] * stop_gradient(p.right[0]), Pair(X, [2.0]))


def test_second_order_finds_what_first_order_cannot():
    def cube(x):
        return x**3

    declared = elementwise(cube, lambda x: 3 * (x.detach() if isinstance(x, wg.Tensor) else x) ** 2)
    check_grad(declared, X)
    with pytest.raises(CheckError, match="derivative of the gradient"):
        check_grad(declared, X, order=2)


def test_tolerances_and_step_are_the_users():
    def rough(x):
        return x + 1e-4 * np.sign(np.sin(1000 * x))

    check_grad(rough, X, eps=1e-6)
    with pytest.raises(CheckError):
        check_grad(rough, X, eps=1e-2, rtol=1e-9, atol=1e-9)


# check_rule ------------------------------------------------------------------------------------------------------


def double(x):
    return 2 * x


def test_a_right_rule_passes():
    check_rule(elementwise(double, lambda: 2), X)
    check_rule(np.arctan2, X, 0.5)
    check_rule(np.add.reduce, X, axis=1)


def test_a_wrong_factor():
    assert broken_contracts(check_rule, elementwise(double, lambda: 3), X) == {"agrees with differences"}


def test_a_wrong_adjoint_of_a_linear_function():
    broken = broken_contracts(check_rule, linear(double, lambda g: 2.5 * g), X)
    assert "adjoint of itself" in broken


def test_a_wrong_shape():
    broken = broken_contracts(check_rule, linear(double, lambda g: np.sum(2 * g, axis=0)), X)
    assert "cotangents fit their inputs" in broken


def test_a_rule_that_is_not_linear_in_the_cotangent():
    broken = broken_contracts(check_rule, elementwise(double, lambda g: 2 * g * np.abs(g)), X)
    assert "linear in the cotangent" in broken


def test_a_rule_that_writes_to_the_cotangent():
    def rule(g):
        if g.__class__ is np.ndarray:
            g *= 2
            return g
        return g * 2

    assert "writes to nothing" in broken_contracts(check_rule, linear(double, rule), X)


def test_a_rule_that_writes_to_an_input():
    def rule(g, x):
        if x.__class__ is np.ndarray:
            x += 1
        return 2 * g

    assert "writes to nothing" in broken_contracts(check_rule, primitive(double, rule), X.copy())


def test_a_rule_that_is_not_zero_for_zero():
    broken = broken_contracts(check_rule, elementwise(double, lambda g: 2 * g + 1e-3), X)
    assert "a zero cotangent gives zero" in broken


def test_a_rule_that_raises_only_at_higher_levels():
    def rule(g):
        if isinstance(g, wg.Tensor):
            raise ValueError("plain arrays only")
        return 2 * g

    assert "second derivatives" in broken_contracts(check_rule, linear(double, rule), X)


def test_a_rule_in_which_a_value_is_constant():
    def square(x):
        return x * x

    declared = elementwise(square, lambda x: 2 * (x.detach() if isinstance(x, wg.Tensor) else x))
    assert broken_contracts(check_rule, declared, X) == {"second derivatives", "second derivatives in forward mode"}


def test_single_precision_is_checked_in_double():
    single = X.astype(np.float32)
    check_rule(np.exp, single)
    assert "agrees with differences" in broken_contracts(check_rule, elementwise(double, lambda: 2.01), single)


# check_singular and check_value ----------------------------------------------------------------------------------


def test_a_singular_rule_must_say_so():
    def root(x):
        return np.sqrt(x)

    declared = elementwise(root, lambda g, y: 0.5 * g / y)
    assert broken_contracts(check_singular, declared, np.zeros(2)) == {"a zero cotangent gives zero"}
    check_singular(elementwise(root, lambda g, y: 0.5 * g / y, singular=True), np.zeros(2))


def test_values_and_types():
    def last(x):
        return x[-1]

    def wrong(x):
        return x[-1] if isinstance(x, np.ndarray) else (x[-1], None)

    without_gradient(last)
    check_value(np.mean, np.array([1, 2, 4]))
    check_rule(np.argmax, X)
    assert broken_contracts(check_value, wrong, X) == {"results are NumPy's", "all arrays as tensors"}


# Scales, luck, and what there is to check ------------------------------------------------------------------------


def _with_rule(f, pull):
    rule = wg.custom_vjp(f)
    rule.defvjp(lambda x: (rule(x), x), lambda x, g: (pull(g, x),))
    return rule


SCALES = {
    "tiny results": (lambda x: 1e-12 * x**2, lambda g, x: 2e-12 * x * g, X),
    "tiny arguments": (lambda x: x**2, lambda g, x: 2 * x * g, 1e-12 * X),
    "tiny lengths": (lambda x: np.sin(1e12 * x), lambda g, x: 1e12 * np.cos(1e12 * x) * g, 1e-12 * X),
    "near an end": (np.log, lambda g, x: g / x, 1e-3 * np.abs(X)),
    "huge lengths": (lambda x: np.sin(1e-12 * x), lambda g, x: 1e-12 * np.cos(1e-12 * x) * g, 1e12 * X),
    "huge results": (lambda x: 1e12 * x**2, lambda g, x: 2e12 * x * g, X),
}


@pytest.mark.parametrize("name", SCALES)
def test_right_and_wrong_rules_of_all_scales(name):
    f, pull, x = SCALES[name]
    check_rule(_with_rule(f, pull), x)
    check_grad(_with_rule(f, pull), x, order=2)
    wrong = _with_rule(f, lambda g, x: -pull(g, x))
    assert "agrees with differences" in broken_contracts(check_rule, wrong, x)
    with pytest.raises(CheckError):
        check_grad(wrong, x)


def test_gradients_that_are_rounding_only():
    check_grad(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2 - 1, X, order=2)
    check_grad(lambda x: 0.0 * x, X, order=2)
    check_grad(lambda x: x**5, np.zeros(2))


@pytest.mark.parametrize(("pull", "x"), [(lambda g, x: 6 * x * g, 2.0), (lambda g, x: 3 * g, 1.0)])
def test_a_rule_that_is_right_at_one_point_by_luck(pull, x):
    wrong = _with_rule(lambda x: x**3, pull)
    assert "agrees with differences" in broken_contracts(check_rule, wrong, np.full(2, x))
    with pytest.raises(CheckError, match=r"by chance"):
        check_grad(wrong, np.full(2, x))


def test_second_derivatives_in_single_precision():
    wrong = _with_rule(lambda x: x**2, lambda g, x: 2 * stop_gradient(x) * g)
    assert "second derivatives" in broken_contracts(check_rule, wrong, X.astype(np.float32))
    check_rule(_with_rule(lambda x: x**2, lambda g, x: 2 * x * g), X.astype(np.float32))


def test_results_in_dictionaries():
    f = wg.custom_vjp(lambda x: {"a": x**2, "b": [np.sum(x)]})
    f.defvjp(lambda x: (f(x), x), lambda x, g: (2 * x * g["a"] + g["b"][0],))
    check_rule(f, X)


def test_a_rule_of_no_arrays_is_not_passed():
    wrong = _with_rule(lambda x: x**2, lambda g, x: -g)
    for number in (2.0, np.array([1, 2])):
        with pytest.raises(CheckError, match="nothing to check"):
            check_rule(wrong, number)
