"""Results lie in memory as NumPy's own do, which decides whether a reshape of them is a view or a copy."""

import copy

import numpy as np
import pytest
from tests.layouts import BLOCKS, CUBE, CUBES, LAYOUTS, MATRICES, PLAIN, parts, probe

import wengert as wg

OF_LISTS = "np.array([x, x]) | np.asarray([x, x]) | np.array((x, x), order='F') | np.array([x, x * 2]).T | np.array(x)"
ONLY_COMPILED = parts(f"{OF_LISTS} | np.array(x, order='A') | np.vectorize(lambda q: q + 1)(x) | np.r_[x, x]")


def agree(expression, numbers, layouts):
    function = probe(expression)
    for name, lying in layouts.items():
        expected, fast = function(lying(numbers)), wg.compile(function)
        for _ in range(2):
            for a, b in zip(fast(lying(numbers)), expected, strict=True):
                np.testing.assert_allclose(a, b, 1e-9, 1e-12, err_msg=name)


@pytest.mark.parametrize("expression", [*parts(MATRICES), *ONLY_COMPILED])
def test_matrices_lie_as_numpys(expression):
    agree(expression, PLAIN, LAYOUTS)


@pytest.mark.parametrize("expression", parts(BLOCKS))
def test_blocks_lie_as_numpys(expression):
    agree(expression, CUBE, CUBES)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda x: x.__copy__(), lambda x: x.copy()])
def test_copies_lie_as_numpys(make):
    def f(x):
        y, z = make(x), make(x * 1j)
        y.reshape(-1)[...] = z.reshape(-1)[...] = 0
        return np.sum(y) + np.sum(np.abs(z))

    for lying in LAYOUTS.values():
        for g in (lambda x: wg.jvp(f, (x,), (x,))[0], wg.compile(f)):
            np.testing.assert_allclose(g(lying(PLAIN)), f(lying(PLAIN)))


@pytest.mark.parametrize("make", [np.zeros, np.ones, np.empty])
def test_large_uniform_arrays_have_the_order_that_is_asked_for(make):
    def f(x):
        y = make((30, 40), order="F")
        y[...] = x
        y.ravel()[:] = 0
        return y.sum()

    assert wg.compile(f)(2.0) == f(2.0) == 2400


# Arguments that are written ------------------------------------------------------------------------------------------


def scaled(x):
    x *= 2
    return x.sum()


def kept(x):
    x *= 2
    old = x.ravel()
    x += 100
    return old.sum()


def seen(x):
    old = x.reshape(-1)
    x += 100
    return old.sum()


def through(x):
    y = x.reshape(2, -1)
    y += 1
    return y.sum()


ARGUMENTS = {
    "one axis": (lambda i: np.ones(8)[::2] if i % 2 else np.ones(4)),
    "columns": (lambda i: np.ones((4, 8))[:, ::2] if i % 2 else np.ones((4, 4))),
    "rows": (lambda i: np.ones((8, 4))[::2] if i % 2 else np.ones((4, 4))),
    "Fortran": (lambda i: np.ones((4, 4), order="F" if i % 2 else "C")),
    "always with gaps": (lambda i: np.ones((4, 8))[:, ::2]),
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("function", [scaled, kept, seen, through])
def test_calls_with_gaps_and_without_take_turns(function, arguments):
    fast, make = wg.compile(function), ARGUMENTS[arguments]
    for i in range(12):
        a, b = make(i), make(i)
        assert fast(a) == function(b)
        np.testing.assert_array_equal(a, b)


def test_what_is_written_with_gaps_goes_by_shortcuts():
    def f(x, y, k):
        for _ in range(20):
            x += 0.01 * np.sin(x) * y
        y[0] = k
        return x @ y.T

    fast, random = wg.compile(f), np.random.default_rng(0)
    for i in range(120):
        whole, k = random.random((2, 8, 10)), float(i)
        same = whole.copy()
        np.testing.assert_allclose(
            fast(whole[0, :, ::2], whole[1, :, 1::2], k), f(same[0, :, ::2], same[1, :, 1::2], k), 1e-12
        )
        np.testing.assert_allclose(whole, same, 1e-12)
    stats = fast.stats()
    assert stats["calls"] == 120 and stats["recordings"] == 1 and stats["eager"] < 20
    assert "run through Python 1 times" in fast.explain() or "run through Python 2 times" in fast.explain()


def test_a_shortcut_for_gaps_serves_nothing_else():
    def f(x, y):
        x += 2 * y
        return x.sum() if x[0, 0] < 100 else -x.sum()

    fast, random = wg.compile(f), np.random.default_rng(0)
    for i in range(60):
        whole = random.random((6, 8)) * (1000 if i % 7 == 3 else 1)
        same = whole.copy()
        windows = [(slice(0, 3), slice(None, None, 2)), (slice(i % 4, i % 4 + 3), slice(None, None, 2))]
        if i % 5 == 2:
            windows[1] = slice(3, 6), slice(0, 4)
        np.testing.assert_allclose(fast(*[whole[w] for w in windows]), f(*[same[w] for w in windows]), 1e-12)
        np.testing.assert_allclose(whole, same, 1e-12)


def test_arrays_that_may_not_be_written_are_refused_also_with_gaps():
    fast = wg.compile(scaled)
    for _ in range(10):
        assert fast(np.ones((4, 8))[:, ::2]) == 32
    x = np.ones((4, 8))[:, ::2]
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        fast(x)
    assert x.sum() == 16


def test_overlapping_elements_are_the_functions_own_business():
    fast = wg.compile(scaled)
    for _ in range(10):
        fast(np.ones((4, 8))[:, ::2])
    for _ in range(3):
        x, y = (np.lib.stride_tricks.as_strided(np.ones(8), (4, 4), (8, 8)) for _ in range(2))
        assert fast(x) == scaled(y)


def test_what_is_short_is_left_to_the_function():
    def f(x):
        x[0, 0] = 1.0

    fast = wg.compile(f)
    for _ in range(600):
        x = np.zeros((2, 4))[:, ::2]
        fast(x)
        assert x[0, 0] == 1
    assert fast.stats()["calls"] == 600


def test_writing_a_default_says_so():
    def f(x, buffer=np.zeros(3)):  # noqa: B008
        buffer[0] = x
        return buffer.sum()

    fast = wg.compile(f)
    for k in range(6):
        assert fast(float(k)) == k
    assert any("default" in reason for reason in fast.stats()["given up"])


@pytest.mark.parametrize("written", [0, 1])
@pytest.mark.parametrize("gaps", [(0,), (1,), (0, 1)])
def test_only_what_is_written_is_copied_back(written, gaps):
    """What is read may be read-only; it may be written elsewhere meanwhile, which nothing must undo."""

    def function(x, y):
        a, b = (x, y) if written == 0 else (y, x)
        a += np.sin(b)
        return np.sum(a)

    fast = wg.compile(function)
    rng = np.random.default_rng(0)
    for _ in range(6):
        mine, others = ([rng.normal(size=(4, 6)) for _ in range(2)] for _ in range(2))
        for a, b in zip(mine, others, strict=True):
            b[...] = a
        pairs = [[x[:, ::2] if i in gaps else x[:, :3].copy() for i, x in enumerate(pair)] for pair in (mine, others)]
        for pair in pairs:
            pair[1 - written].flags.writeable = False
        np.testing.assert_allclose(fast(*pairs[1]), function(*pairs[0]), rtol=1e-13)
        for a, b in zip(*pairs, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-13)
    assert fast._gapped is not None and fast._gapped.calls >= 3


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_which_arguments_are_the_same_is_known_however_they_lie(name):
    def f(x, y):
        return x is y, x + y

    fast, lying = wg.compile(f), LAYOUTS[name]
    for _ in range(4):
        assert fast(lying(PLAIN), lying(PLAIN))[0] is False
    x = lying(PLAIN)
    for y in (x, lying(PLAIN), x):
        same, found = fast(x, y)
        assert same is (x is y)
        np.testing.assert_array_equal(found, x + y)
