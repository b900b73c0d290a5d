"""Which call it is that asks for a number, whatever stands among its arguments."""

import ast
import inspect
import json.decoder
import math
import operator
import sys
import textwrap
from types import CodeType

import numpy as np
import pytest

import wengert as wg
from wengert.callees import Calls
from wengert.errors import LostGradientError
from wengert.reading import running


class Asked:
    """A number that notes what it is asked by."""

    def __init__(self):
        self.kinds = []

    def __float__(self):
        self.kinds.append(running(sys._getframe(1)))
        return 0.5

    def __bool__(self):
        return True


EXPRESSIONS = {
    "math.hypot(float(c), t if c else 1., t if c else 1.)": "math.hypot",
    "math.hypot(t if c else 1., 2.)": "math.hypot",
    "math.hypot((t if c else 1.) if c else (2. if c else t), 1. if c else t)": "math.hypot",
    "float(t if c else 1.)": "float",
    "float(t if not c else t if c else 1.)": "float",
    "float(t or 1.)": "float",
    "float(c and (t or 1.))": "float",
    "float(t if 0 < len(c) < 5 else 1.)": "float",
    "math.hypot(1. * (0 < len(c) < 5), t, 1. * (5 < len(c) < 0))": "math.hypot",
    "math.hypot(*[t, 1.])": "math.hypot",
    "math.hypot(*[1. if c else 2.], *(t for _ in c))": "math.hypot",
    "math.log(t, *[2. if c else 3.])": "math.log",
    "math.isclose(1., t if c else 2., rel_tol=1. if c else 2.)": "math.isclose",
    "math.isclose(1., 2., **{'rel_tol': t if c else 1.})": "math.isclose",
    "math.hypot([v if v else 1. for v in [t]][0], [a for a in c if a][0] == '3')": "math.hypot",
    "math.hypot((lambda v, w=1 if c else 2: v if v else w)(t), 1.)": "math.hypot",
    "math.hypot((y := t if c else 1.), len(f'{c if c else 1!r:>{len(c) or 3}}') > 5)": "math.hypot",
    "math.hypot(len({**{1: 2}, 'a': t if c else 1}), t)": "math.hypot",
    "math.hypot(len(c[0 if c else 1:]), t)": "math.hypot",
    "(math.hypot if c else math.hypot)(t, 1.)": "math.hypot",
    "[math.hypot(t, a == '3' or 2.) for a in c][0]": "math.hypot",
    "max(math.hypot(t, 1. if c else 2.), float(c) if c else 3.)": "math.hypot",
    # What cannot be named is not named.
    "(math.hypot if c else math.dist)(t, 1.)": None,
    "(c and math.hypot)(t, 1.)": None,
    "[math.hypot][0](t if c else 1., 1.)": None,
    "{'f': float}['f'](t if c else 1.)": None,
    "operator.attrgetter('hypot')(math)(t, 1.)": None,
    "(lambda: float)()(t)": None,
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_callee_is_found_whatever_stands_among_the_arguments(expression):
    for wrapping in ("return {}", "x = 0.0 + {}", "try:\n  1 / 0\nexcept ZeroDivisionError:\n  x = {}", "yield {}"):
        scope = {"math": math, "operator": operator}
        exec("def f(t, c):\n" + textwrap.indent(wrapping.format(expression), "  "), scope)
        t = Asked()
        done = scope["f"](t, "3")
        list(done) if inspect.isgenerator(done) else done
        name = EXPRESSIONS[expression]
        assert t.kinds
        assert all(kind == (("call", name) if name else ("other call", None)) for kind in t.kinds), t.kinds


def test_a_name_that_gets_another_value_among_the_arguments_says_nothing():
    def f(t, c):
        g = math.sqrt
        return g((g := float, t)[1])

    t = Asked()
    f(t, "3")
    assert t.kinds == [("other call", None)]


def test_names_of_calls_are_those_in_the_source():
    for module in (ast, inspect, json.decoder, textwrap, np.lib._npyio_impl, wg.tape):
        source = inspect.getsource(module)
        nodes = {_place(n): n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)}
        compared = 0
        for code in _codes(compile(source, "source", "exec")):
            positions = list(code.co_positions())
            for offset, name in Calls(code).names.items():
                node = nodes.get(positions[offset // 2])
                if name is not None and node is not None:
                    assert name == _dotted(node.func)
                    compared += 1
        assert compared > 20


def _place(node):
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _codes(code):
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def test_gradients_are_not_lost_where_a_condition_stands_among_arguments():
    c, x = "3", np.array([0.5, 0.25])
    lost = lambda x: math.hypot(float(c), x[0] if x[1] > 0 else 1.0, x[1] if x[0] > 0 else 1.0) * x[1]  # noqa: E731
    read = lambda x: float(x[0] if x[1] > 5 else x[1] if x[0] > 0 else 1.0) * x[1]  # noqa: E731
    for transformed in (lambda f: wg.grad(f), lambda f: wg.compile(wg.grad(f))):
        with pytest.raises(LostGradientError, match="hypot"):
            transformed(lost)(x)
        np.testing.assert_array_equal(transformed(read)(x), [0, 0.25])


xp = np


def test_buffers_and_lists_with_conditions_among_them_are_compiled():
    def two(x):
        return xp.sum(xp.array([x[0] if x[0] > 0 else 1.0, x[1] if x[1] > 0 else 2.0]))

    def chained(x):
        return xp.sum(xp.array([x[0], 1.0 * (0 < x[0] < 2)]))

    def zeros(x):
        u = xp.zeros(2 if x[1] > 0 else 3)
        u[0] = x[0] * 2
        return np.sum(u)

    def starred(x):
        u = xp.zeros(*[(2,)])
        u[0] = x[1] * 2
        return np.sum(u)

    for f, expected in ((two, [1, 1]), (chained, [1, 0]), (zeros, [2, 0]), (starred, [0, 2])):
        np.testing.assert_array_equal(wg.compile(wg.grad(f))(np.array([0.5, 0.25])), expected)
