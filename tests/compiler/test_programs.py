"""Programs as people write them for eager libraries: compiled, they give what they give as they are."""

import numpy as np
import pytest
from tests.compiler.programs import algorithms, inference, language, learning, physics
from tests.compiler.programs.table import PROGRAMS

import wengert as wg
from wengert.transforms.containers import flatten, rebuild

MODULES = (algorithms, inference, language, learning, physics)
SMOOTH = {name: p for name, p in PROGRAMS.items() if p.argnums is not None}
LOW = {"single_precision", "two_precisions"}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def arrays(value):
    return [x for x in flatten(value)[0] if isinstance(x, np.ndarray) and x.size]


def assert_same(found, expected, low=False):
    """Equal containers, classes, dtypes, shapes and values; an array without axes may have become a scalar."""
    (found, structure), (expected, other) = flatten(found), flatten(expected)
    assert structure == other
    for x, y in zip(found, expected, strict=True):
        if not isinstance(y, (np.ndarray, np.generic, float, complex)):
            assert type(x) is type(y) and x == y
            continue
        if np.ndim(y):
            assert type(x) is type(y)
        x, y = np.asarray(x), np.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        unit = 1e-4 if low or y.dtype.char in "fF" else 1e-9
        np.testing.assert_allclose(x, y, unit, 0.01 * unit)


def run_beside(name, function, fast, seeds):
    """Both for each seed, from arguments of their own, which they may write; the compiled results share no memory."""
    kept = []
    for seed in seeds:
        mine, theirs = (PROGRAMS[name].draw(np.random.default_rng(seed)) for _ in range(2))
        expected, found = function(*mine), fast(*theirs)
        assert_same(found, expected, name in LOW)
        assert_same(theirs, mine)
        for x in arrays(found):
            assert not any(np.may_share_memory(x, y) for y in (*kept, *arrays(theirs)))
            kept.append(x)


def pushed(function, argnums):
    """The derivative along a direction of one argument, as a function of all."""
    k = argnums if isinstance(argnums, int) else argnums[0]

    def push(*args):
        leaves, structure = flatten(args[k])
        along = rebuild(structure, [np.cos(x).astype(np.asarray(x).dtype)[()] for x in leaves])
        return wg.jvp(lambda x: function(*args[:k], x, *args[k + 1 :]), (args[k],), (along,))

    return push


@pytest.mark.parametrize("name", PROGRAMS)
def test_values(name):
    function = PROGRAMS[name].function
    run_beside(name, function, wg.compile(function), (0, 0, 0, 1, 2, 3, 1, 0))


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name):
    function, argnums = SMOOTH[name].function, SMOOTH[name].argnums
    both = wg.value_and_grad(function, argnums)
    run_beside(name, both, wg.compile(both), (0, 0, 1, 0))
    run_beside(name, both, wg.value_and_grad(wg.compile(function), argnums), (0, 0))


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_along_a_direction(name):
    function, argnums = SMOOTH[name].function, SMOOTH[name].argnums
    push = pushed(function, argnums)
    run_beside(name, push, wg.compile(push), (0, 0, 1))


@pytest.mark.parametrize("name", [name for name, p in SMOOTH.items() if p.second])
def test_second_derivatives(name):
    function = SMOOTH[name].function
    argnums = SMOOTH[name].argnums
    k = argnums if isinstance(argnums, int) else argnums[0]
    bent = wg.hessian(function, k)
    run_beside(name, bent, wg.compile(bent), (0, 0, 1))
    run_beside(name, bent, wg.hessian(wg.compile(function), k), (0,))
