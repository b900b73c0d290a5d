"""Large arrays: recorded without being computed, unless somebody looks."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler.later import LARGE

N = LARGE + 82
rng = np.random.default_rng(3)
X, Y = rng.uniform(0.5, 1.5, N), rng.uniform(0.5, 1.5, N)
M = rng.uniform(0.5, 1.5, (N // 50, 50))


def alike(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    assert np.shape(found) == np.shape(expected)


def same(f, *args, calls=3):
    """Compiled beside eager, from the first call on."""
    fast = wg.compile(f)
    for k in range(calls):
        given = [a + 0.1 * k for a in args]
        found, expected = fast(*given), f(*given)
        if not isinstance(found, (tuple, list)):
            found, expected = [found], [expected]
        for a, b in zip(found, expected, strict=True):
            alike(a, b)
    return fast


def elementwise(x, y):
    return np.sum(np.sin(x) * y / (1 + x * x) - np.where(x > y, x, -y))


def matrices(a, v):
    h = np.tanh(a @ v[:, None] + a.T.mean(axis=0)[:, None])
    return np.sum(h[1:, 0] * h[:-1, 0]) + np.max(a.reshape(-1, 25) - 1, axis=0).sum()


def pieces(x, y):
    z = np.concatenate([x[10:], y[:10]]) * 2
    return np.stack([z, x - y], axis=1)[::-1].sum(axis=1) * z.reshape(-1, 1)[:, 0]


def looked_up(x, y):
    return (x * y)[np.array([5, 3, 3, 0])] + np.exp((x - y)[[1, 2, 3, 4]])


@pytest.mark.parametrize("f", [elementwise, wg.value_and_grad(elementwise, (0, 1)), pieces, looked_up])
def test_the_first_call_gives_what_eager_gives(f):
    same(f, X, Y)


def test_matrices_views_and_reductions():
    f = lambda a, v: matrices(a, v)  # noqa: E731
    same(lambda a, v: wg.grad(f, (0, 1))(a, v), M, rng.uniform(0.5, 1.5, 50))


def test_decisions_are_made_by_the_values():
    def f(x):
        y = x * 2
        if np.sum(y) > 2.5 * len(x):
            y = y - 1
        while float(y[0]) < 5:
            y = y * 2
        return y

    fast = same(f, X)
    assert fast.stats()["paths"] >= 1
    alike(fast(X - 0.4), f(X - 0.4))


def test_what_is_written():
    def f(x, y):
        a = np.zeros_like(x)
        a[5:] = x[5:] * y[:-5]
        a[:3] += y[0]
        b = (x * y).reshape(-1, 2)
        b[0] = 7.0
        c = b.T
        c[0] = c[1]
        d = np.sin(x)
        part = d[10:20]
        d[12] = 3.0
        part[3] = 5.0
        return a, b, c, d, part

    same(f, X, Y)


def test_the_order_in_memory_decides_what_is_a_copy():
    def f(a):
        b = a.T * 2
        flat = b.reshape(-1)
        flat[:3] = 100.0
        c = a * 2
        view = c.reshape(-1)
        view[:3] = 100.0
        return b, c, flat, view

    same(f, M)


def test_arrays_that_are_written_later_count_as_they_were():
    def f(x):
        table = np.arange(float(N))
        y = x * table
        table[:] = 0
        return y + table

    same(f, X)


def test_a_plain_array_that_takes_a_value():
    def f(x):
        total = np.zeros(N)
        np.add(total, x, out=total)
        total += np.sin(x)
        return total * 2

    same(f, X)


def test_cotangents_that_meet_a_constant_one():
    """The one that arrives first is no value of the program, and must not swallow the other."""

    def f(x, y):
        a = x
        for _ in range(3):
            a = np.sin(a * y + x) - y
        return np.sum(a)

    same(wg.value_and_grad(f, (0, 1)), X, Y)


def test_errors_come_at_once():
    fast = wg.compile(lambda x, y: np.sum(x[:-1] * y))
    with pytest.raises(ValueError, match="broadcast"):
        fast(X, Y)
    with pytest.raises(ValueError, match="reshape"):
        wg.compile(lambda x: np.sum((x * 2).reshape(7, -1, 11)))(X)


def test_steps_that_write_tensors():
    def steps(compiled):
        w = wg.tensor(M.copy(), requires_grad=True)

        def step(x):
            loss = np.sum(np.tanh(w * x) ** 2)
            loss.backward()
            with wg.no_grad():
                w[...] = w - 0.1 * w.grad
            w.grad = None
            return loss

        run = wg.compile(step) if compiled else step
        return [run(M + 0.01 * k).item() for k in range(4)], w.numpy()

    for a, b in zip(steps(True), steps(False), strict=True):
        alike(a, b)


def test_results_are_arrays_of_their_own():
    fast = wg.compile(lambda x: (x * 2, x * 2, x))
    first = fast(X)
    first[0][:] = -1
    alike(first[1], X * 2)
    alike(first[2], X)
    assert not np.shares_memory(first[2], X)
    alike(fast(X)[0], X * 2)
