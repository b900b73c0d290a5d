"""What is left out or replaced gives the same bits, signs of zeros included, for every number."""

import numpy as np
import pytest

import wengert as wg

pytest.importorskip("llvmlite")

from wengert.compiler.graph import Graph
from wengert.compiler.lowering.builder import Builder
from wengert.compiler.lowering.rewrites import simpler

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.5, -3.5, np.inf, -np.inf, np.nan, 5e-324, 1e308, -1e308])
A, B = (x.ravel() for x in np.meshgrid(SPECIAL, SPECIAL))

FUNCTIONS = {
    "powers": lambda a, b: [a**k for k in (0, 1, 2, 3, 4, 0.5, -1)],
    "signs of sums": lambda a, b: [a + -b, -a + b, a - (-b), -a - b, np.negative(-a), (a + 0.0) + 0.0],
    "signs of products": lambda a, b: [-a * b, a * -b, -a * -b, -(a * 3.0), (-a) * 3.0, a * -1.0, -(2.0 * -a)],
    "zeros and ones": lambda a, b: [a + 0.0, a - 0.0, a * 1.0, 1.0 * a, a / 1.0, 0.0 + a, a + -0.0, a * 0.0],
    "truths": lambda a, b: [
        np.logical_not(np.logical_not(a > b)),
        np.logical_and(a > 0, True),
        np.logical_or(False, a > 0),
        np.logical_and(a > 0, np.zeros_like(a) > 1),
        np.where(np.logical_not(a > b), a, b),
    ],
    "undefined products": lambda a, b: [
        np.where(np.logical_and(a == 0, np.logical_not(np.isfinite(a * b))), 0.0, a * b),
        np.where(np.logical_and(a == 0, np.logical_not(np.isfinite(a))), 0.0, a),
        np.where(np.logical_and(-a == 0, np.logical_not(np.isfinite(-a * b))), 0.0, -a * b),
        np.where(np.logical_and(a == 0, np.logical_not(np.isfinite(b / a))), 0.0, b / a),
    ],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_are_the_same(name):
    function = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        expected, found = function(A, B), wg.compile(function)(A, B)
    for e, f in zip(expected, found, strict=True):
        np.testing.assert_array_equal(e, f)
        if e.dtype.kind == "f":
            known = ~np.isnan(e)
            np.testing.assert_array_equal(np.signbit(e)[known], np.signbit(f)[known])


def test_what_is_known_is_not_computed():
    graph = Graph()
    b = Builder(graph)
    x, y = (graph.make("input", (), k, (5,), np.float64) for k in range(2))
    zero, yes = graph.literal(0.0, float), np.dtype(bool)
    one = simpler(b, "power", [x, zero], np.dtype(float))
    assert one.kind == "move"
    assert one.operands[0].setting == 1
    is_zero, negative = b.map("equal", x, zero, dtype=yes), b.map("negative", x)
    never = b.map("logical_not", b.map("isfinite", x, dtype=yes), dtype=yes)
    assert simpler(b, "logical_and", [is_zero, never], yes).operands[0].setting == np.False_
    assert simpler(b, "equal", [negative, zero], yes) is is_zero
    assert simpler(b, "add", [y, negative], np.dtype(float)).setting == "subtract"
    assert simpler(b, "negative", [negative], np.dtype(float)) is x
    assert simpler(b, "add", [x, zero], np.dtype(float)) is None


def test_second_derivatives_need_no_powers():
    """The derivative of a square's derivative is the power 0, which is 1."""
    x = np.random.default_rng(0).standard_normal(50)

    def f(x):
        return np.sum((x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    fast = wg.compile(lambda x, v: wg.hvp(f, (x,), (v,))[1][0])
    np.testing.assert_allclose(fast(x, x), wg.hvp(f, (x,), (x,))[1][0], rtol=1e-13)
