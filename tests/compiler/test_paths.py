"""What a compiled function decides by values: each way through it is a program, and none is taken wrongly."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import pytest
from tests.compiler.beside import beside

import wengert as wg
from wengert.compiler.assembly import index
from wengert.compiler.native import GUARD

A, B, C = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, -2.0]), np.array([0.1, 0.0, 50.0])


def test_a_loop_over_values():
    def f(b):
        n = 0
        while np.linalg.norm(b) < 1000:
            b = b * 2
            n += 1
        return (b.sum() if b.sum() > 0 else 100 * b.sum()) + n

    fast = beside(f, (A,), (B,), (C,), (A * 1.01,))
    assert fast.stats()["recordings"] == fast.stats()["paths"] == 3


def test_chained_comparisons_and_membership():
    def f(x):
        if 0 < x[0] < 2 and x[1] not in [5.0, 0.5]:
            return x * 2
        return x / 3 if 50.0 in x else x

    beside(f, (A,), (B,), (C,))


def test_rows_are_loops():
    def f(x):
        total = 0.0
        for row in x:
            total = total + np.prod(row) * len(row)
        return total

    beside(f, (np.outer(A, B),), (np.outer(B, C),))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * float(x[0]),
        lambda x: x * x[1].item(),
        lambda x: x[int(abs(x[0]))] * 2,
        lambda x: x * math.sin(x[1]),
        lambda x: x * round(x[2]),
        lambda x: np.array(x.tolist()) * x,
        lambda x: np.asarray(x) + x,
        lambda x: x + len(f"{float(x[0]):.3f}"),
        lambda x: x * max(x) + min(x[0], x[1]),
        lambda x: np.array(sorted(x)) * x,
        lambda x: x * (math.floor(x[1]) + bool(x[0] > 0)),
    ],
)
def test_what_is_read_is_read_again(f):
    beside(f, (A,), (B,), (C,), (A + 0.3,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[x > 0],
        lambda x: np.sum(x[x > 0] ** 2),
        lambda x: x[np.nonzero(x > 0.2)] * 2,
        lambda x: np.unique(np.round(x)),
        lambda x: np.where(x > 0)[0] * 1.0,
        lambda x: np.flatnonzero(x > 0.7) + 0.5,
        lambda x: np.compress(x > 0, x),
        lambda x: np.extract(x > 0.2, x),
        lambda x: np.sort(x)[::-1] * x,
        lambda x: x[np.argsort(x)],
        lambda x: np.repeat(x, np.maximum(x, 0).astype(int) % 4),
        lambda x: np.interp(x, np.sort(x), x),
        lambda x: np.median(x) + np.quantile(x, 0.3),
        lambda x: np.trim_zeros(np.maximum(x, 0)),
    ],
)
def test_shapes_that_depend_on_values(f):
    beside(f, (A,), (B,), (C,), (B + 1.2,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x[x > 0] ** 2),
        lambda x: np.max(x) * np.min(x),
        lambda x: np.sum(np.sort(x) * np.arange(3)),
        lambda x: np.sum(np.maximum(x, 0.5) * np.abs(x)),
        lambda x: np.linalg.norm(x) + np.prod(x),
        lambda x: np.sum(np.sqrt(np.abs(x)) * np.where(x > 0, x, 0)),
        lambda x: np.median(x) * np.ptp(x),
        lambda x: np.sum(np.cumprod(x)),
    ],
)
def test_gradients_of_what_depends_on_values(f):
    with np.errstate(all="ignore"):
        beside(wg.grad(f), (A,), (B,), (C,), (np.zeros(3),), (np.ones(3),))


def test_division_of_numbers_raises_as_python_does():
    f = wg.compile(lambda x: 1.0 / x)
    assert f(2.0) == 0.5
    with pytest.raises(ZeroDivisionError):
        f(0.0)
    assert f(4.0) == 0.25


def test_powers_of_numbers_become_complex_as_in_python():
    f = wg.compile(lambda x: x**0.5)
    assert f(4.0) == 2.0
    assert f(-4.0) == (-4.0) ** 0.5
    assert f(9.0) == 3.0


def test_an_index_out_of_bounds_raises_as_numpy_does():
    f = wg.compile(lambda x, i: x[i] * 2)
    assert f(A, np.array([0, 2]))[1] == 6
    with pytest.raises(IndexError):
        f(A, np.array([0, 3]))
    with pytest.raises(IndexError):
        f(A, np.array([-4, 0]))
    assert f(A, np.array([-1, 1]))[0] == 6


def test_a_function_that_keeps_taking_new_paths_is_left_alone():
    f = wg.compile(lambda x: x * float(x[0]))
    for k in range(100):
        np.testing.assert_allclose(f(np.array([k, 2.0])), [k * k, 2.0 * k])
    stats = f.stats()
    (reason,) = stats["given up"]
    assert reason.startswith("it keeps taking new paths, as it reads a number out")
    assert stats["recordings"] <= 40
    assert stats["paths"] == 0


def test_writing_through_views():
    def f(x):
        y = np.zeros_like(x)
        part = y[1:]
        part[0] = x[0]
        y[:2] *= 3
        z = y.reshape(3, 1).T
        z[0, 2] += x[1]
        np.add.at(y, [0, 0, 2], x[2])
        return y + np.sum(part)

    beside(f, (A,), (B,))


def test_writing_in_place_in_a_loop():
    def f(x):
        u = wg.zeros(len(x) + 1)
        for i in range(len(x)):
            u[i + 1] = np.sin(u[i]) + x[i]
        return np.sum(u * u)

    beside(wg.grad(f), (A,), (B,))


def test_leaked_values_are_constants():
    kept = {}

    def f(x):
        kept["y"] = y = x * 2
        return y + 1

    fast = wg.compile(f)
    fast(A)
    np.testing.assert_array_equal(np.asarray(kept["y"]), 2 * A)


def test_guards_between_calls_of_numpy_are_looked_at_at_once():
    def until_it_converges(a, tolerance):
        x = np.ones(len(a))
        for _ in range(40):
            y = np.linalg.eigh(a + np.outer(x, x))[1][:, -1] * 0.3
            if np.max(np.abs(np.abs(y) - np.abs(x))) < tolerance:
                return y
            x = 0.9 * x + 0.1 * y
        return x

    fast, a = wg.compile(until_it_converges), np.diag([3.0, 1.0, 2.0])
    for tolerance in (1e-9, 1e-1, 3e-1, 1.0) * 6:
        np.testing.assert_allclose(fast(a, tolerance), until_it_converges(a, tolerance), 1e-12)
    for entry, path in zip(fast._shortcuts.entries, fast._shortcuts._paths, strict=True):
        codes = entry.launches[:, index("launch.code")].tolist()
        turns = [len(list(group)) for code, group in groupby(codes) if code == GUARD]
        assert turns == [1] * len(path.outcomes)


def until_it_is_small(x, tolerance):
    for n in range(40):
        x = x * 0.5
        error = np.max(np.abs(x))
        if error < tolerance:
            return x, n
    return x, 40


def until_it_is_large(x, tolerance):
    n = 0
    while True:
        x = x * 2
        n += 1
        if np.sum(x) > 1 / tolerance:
            break
    return x, n


def by_two_signs(x, tolerance):
    y = x * 2 if x[0] > 2 * tolerance else x - 1
    if x[1] > 0.5:
        return y, (np.sum(y) if x[2] > tolerance else np.sum(y) * 2)
    return y, (y[0] if x[2] < tolerance else y[1])


@pytest.mark.parametrize("f", [until_it_is_small, until_it_is_large, by_two_signs])
def test_every_way_that_is_known_is_native(f):
    fast = wg.compile(f)
    given = [(np.array([1.0, a, b]), t) for a in (0.1, 0.9) for b in (1e-3, 0.6) for t in (1e-2, 1e-1, 0.4)]
    for _ in range(8):
        for args in given:
            found, expected = (list(map(np.ravel, result)) for result in (fast(*args), f(*args)))
            assert np.array_equal(np.concatenate(found), np.concatenate(expected))
    before, runs = fast.stats()["eager"], fast._shortcuts.runs
    for args in given * 4:
        fast(*args)
    assert fast.stats()["eager"] - before <= 1  # one is left to the function to see how long it takes
    assert fast._shortcuts.runs - runs >= 4 * len(given) - 2


def test_threads_that_begin_together_record_no_way_twice():
    def f(x):
        n = float(x[0])
        return np.sin(x) * n

    for _ in range(5):
        fast, x = wg.compile(f), np.array([2.0, 1.0])
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _, fast=fast, x=x: fast(x), range(40)))
        assert np.allclose(found, f(x), 1e-15)
        assert (fast.stats()["paths"], fast.stats()["given up"]) == (1, [])
