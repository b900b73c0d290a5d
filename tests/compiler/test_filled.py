"""Programs that fill plain arrays while they are differentiated, on ways that are left to the function itself.

Only while it is recorded can an array of `np.zeros` take a value whose gradient is wanted.
"""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import compiled
from wengert.errors import CompileWarning


def doubled(x, table):
    t = table(12)
    t[0] = x[0]
    for i in range(1, 12):
        t[i] = 2 * t[i - 1] if t[i - 1] < 0.5 else 2 - x[1] * t[i - 1]
    return np.sum(t)


def with_forward(f):
    return lambda x: wg.jvp(f, (x,), (np.array([1.0, -2.0]),))[1]


@pytest.mark.parametrize("transform", [wg.grad, wg.jacobian, wg.hessian, with_forward])
def test_new_ways_take_what_the_first_one_took(transform):
    fast = wg.compile(transform(lambda x: doubled(x, np.zeros)))
    expected = transform(lambda x: doubled(x, wg.zeros))
    random = np.random.default_rng(0)
    for _ in range(30):  # nearly each of them on another way
        x = random.uniform([0, 1.8], [1, 2.0])
        np.testing.assert_allclose(fast(x), expected(x), rtol=1e-12)


def test_they_are_neither_compiled_nor_lost_where_each_way_is_new():
    fast, expected = (wg.compile(wg.grad(lambda x: doubled(x, np.zeros))), wg.grad(lambda x: doubled(x, wg.zeros)))
    random = np.random.default_rng(1)
    for _ in range(150):
        x = random.uniform([0, 1.8], [1, 2.0])
        np.testing.assert_allclose(fast(x), expected(x), rtol=1e-12)
    stats = fast.stats()
    assert "new paths" in stats["given up"][0]
    assert stats["recordings"] + stats["eager"] == stats["calls"] == 150


def test_sizes_that_are_always_new(monkeypatch):
    monkeypatch.setattr(compiled, "MOST_NEW", 4)

    @wg.compile
    @wg.grad
    def f(x, word):
        n = len(word)
        t = np.zeros(n)
        t[0] = x
        for i in range(1, n):
            t[i] = t[i - 1] * x
        return t[-1]

    with pytest.warns(CompileWarning):
        for n in range(1, 12):
            np.testing.assert_allclose(f(1.5, n * "a"), n * 1.5 ** (n - 1))


def test_a_function_that_counts_is_not_run_twice():
    state = {"calls": 0}

    @wg.compile
    @wg.grad
    def f(x):
        state["calls"] += 1
        t = np.zeros(2)
        t[int(x[0] > 0)] = x[1]
        return t[0]

    f(np.ones(2))
    f(np.ones(2))
    before = state["calls"]
    np.testing.assert_allclose(f(-np.ones(2)), [0.0, 1.0])
    assert state["calls"] == before + 1


def squares(x):
    t = np.zeros(3)
    for i in range(3):
        t[i] = x[i] ** 2
    return np.sum(t)


def test_calls_under_errstate_take_them_too():
    fast, x = wg.compile(wg.grad(squares)), np.arange(1.0, 4)
    for _ in range(2):
        np.testing.assert_allclose(fast(x), 2 * x)
    with np.errstate(all="raise"):
        np.testing.assert_allclose(fast(x), 2 * x)
        with pytest.raises(FloatingPointError):
            fast(np.full(3, 1e200))
    np.testing.assert_allclose(fast(x), 2 * x)


def test_functions_that_ask_for_classes_take_them_too():
    def f(x):
        return squares(x) if not isinstance(x, list) else 0.0

    fast, x = wg.compile(wg.grad(f)), np.arange(1.0, 4)
    for k in range(4):
        np.testing.assert_allclose(fast(x + k), 2 * (x + k))


def test_a_call_that_is_not_kept_gives_nothing_up():
    def f(x, a):
        t = np.zeros(3)
        for i in range(3):
            t[i] = x[i] ** 2
        a += 1
        return t.sum() + a.sum()

    fast, b = wg.compile(wg.grad(f)), np.arange(1.0, 5)
    for _ in range(3):
        np.testing.assert_allclose(fast(b[:3].copy(), b[:2].copy()), 2 * b[:3])
    assert fast.stats()["given up"] == []


def test_ways_that_are_new_to_what_is_differentiated_from_outside():
    def means(data, radius, table):
        found = table(4)
        for i in range(4):
            found[i] = np.mean(data[(radius >= i / 4) & (radius < (i + 1) / 4)])
        return np.sum(np.cos(found))

    fast = wg.grad(wg.compile(lambda data, radius: means(data, radius, np.zeros)))
    expected = wg.grad(lambda data, radius: means(data, radius, wg.zeros))
    random = np.random.default_rng(0)
    for _ in range(12):  # each time the masks select others, and another number of them
        data, radius = random.random(60), random.random(60)
        np.testing.assert_allclose(fast(data, radius), expected(data, radius), rtol=1e-12)


def test_what_it_has_written_into_is_not_written_twice():
    seen = np.zeros(1)

    def f(x):
        seen[0] += 1
        found = np.zeros(2)
        found[0] = x * seen[0]
        return np.sum(found)

    with pytest.raises(wg.errors.LostGradientError):
        wg.grad(wg.compile(f))(2.0)
    assert seen[0] == 1


def test_what_runs_alone_all_the_same_is_not_recorded_at_each_call():
    """NumPy's function fills an array of its own, and wengert's does not, where a tape is there."""

    def f(x):
        return np.sum(np.piecewise(x, [x < 0.3, x > 0.6], [0.0, lambda v: v**2, 1.0]))

    fast = wg.compile(wg.grad(f))
    random = np.random.default_rng(0)
    for _ in range(60):
        x = random.random(8)
        np.testing.assert_allclose(fast(x), wg.grad(f)(x))
    stats = fast.stats()
    assert "whole array" in stats["given up"][0]
    assert not fast.fills


def test_users_exceptions_are_their_own():
    def f(x):
        out = np.zeros(3)
        out[:] = x
        if x[0] < 0:
            raise KeyError("negative")
        return np.sum(out * x)

    x = np.array([1.0, 2.0, 3.0])
    for gradient in (wg.compile(wg.grad(f)), wg.grad(wg.compile(f))):
        for _ in range(3):
            np.testing.assert_allclose(gradient(x), 2 * x)
            with pytest.raises(KeyError, match="negative"):
                gradient(-x)


def by_type(x):
    return 1.0 if type(x) is np.ndarray else 100.0


def by_pattern(x):
    match x:
        case np.ndarray():
            return 1.0
    return 100.0


def by_scalar(x):
    return 1.0 if not np.isscalar(x[0] * 1) else 100.0


@pytest.mark.parametrize("ask", [by_type, by_pattern, by_scalar])
def test_what_fills_and_asks_for_classes_is_refused(ask):
    """Alone it does not run, so nothing tells whether it has gone the same way."""

    def f(w, x):
        out = np.zeros(3)
        out[:] = w * x
        return np.sum(out**2) * ask(x)

    for gradient in (wg.compile(wg.grad(f)), wg.grad(wg.compile(f))):
        for _ in range(2):
            with pytest.raises(wg.errors.LostGradientError):
                gradient(np.ones(3), np.array([1.0, 2.0, 3.0]))


def test_what_catches_that_it_cannot_be_filled_is_refused():
    def f(x):
        try:
            out = np.zeros(3)
            out[:] = x
        except Exception:
            return np.sum(x * 0)
        return np.sum(out**2)

    with pytest.raises(wg.errors.LostGradientError, match="catches"):
        wg.compile(wg.grad(f))(np.array([1.0, 2.0, 3.0]))
