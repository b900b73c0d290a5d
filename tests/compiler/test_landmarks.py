"""Loops whose turns are not quite equal."""

from itertools import chain

import numpy as np

import wengert as wg
from wengert.compiler.landmarks import landmarks

NOTHING = np.zeros((0, 2), np.int64)


def test_turns_with_extra_calls_begin_at_the_call_that_all_of_them_have():
    rng = np.random.default_rng(0)
    turns = [[7, *range(20, 50), *([9] * int(extra))] for extra in rng.integers(0, 2, 100)]
    symbols = np.array([1, 2, 3, *chain.from_iterable(turns), 4, 5])
    positions, left = landmarks(symbols, NOTHING)
    lengths = np.diff(positions)
    assert set(lengths.tolist()) == {31, 32}
    assert len(positions) == 100
    assert left < 200


def test_fewest_values_pass_between_turns():
    turn = np.arange(30)
    symbols = np.tile(turn, 50)
    uses = np.array([(30 * k + i, 30 * k + i + 1) for k in range(50) for i in range(30) if i != 11][:-1])
    positions, _ = landmarks(symbols, uses)
    assert symbols[positions[0]] == 12


def test_no_landmark_where_nothing_is_alike():
    symbols = np.random.default_rng(1).permutation(1000)
    assert landmarks(symbols, NOTHING) == ([], 1000)


def test_a_loop_with_decisions_in_its_turns_has_few_kernels():
    def f(x):
        total = 0.0
        for k in range(150):
            y = np.sin(x[k]) * x[k - 1]
            if y > 0:
                y = y * y + 0.5
            total = total + y * np.exp(-y) / (1 + y * y)
        return total

    x = np.random.default_rng(2).normal(size=150)
    fast = wg.compile(wg.value_and_grad(f))
    value, gradient = fast(x)
    wanted, slopes = wg.value_and_grad(f)(x)
    np.testing.assert_allclose(value, wanted, rtol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(fast(x * 1.0)[1], slopes, rtol=1e-10, atol=1e-14)
    (path,) = [path for kind in fast._kinds for path in kind.paths.values()]
    assert path.native.text.count("define void ") < 15  # kernels
    assert path.native.text.count("define internal ") < 5  # what they call
