"""Exceptions that a function waits for, state in new containers, and results that are nobody else's."""

import contextlib
import copy
import dataclasses
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.compiler.codenames import asks_for_classes, names_of


def jittered(matrix):
    jitter = 1e-6
    while True:
        try:
            np.linalg.cholesky(matrix + jitter * np.eye(3))
        except np.linalg.LinAlgError:
            jitter *= 10
        else:
            return jitter


def factor(matrix):
    try:
        return np.linalg.cholesky(matrix).sum()
    except np.linalg.LinAlgError:
        return -matrix.sum()


@pytest.mark.parametrize("f", [jittered, factor])
@pytest.mark.parametrize("order", [(0, 1e-4, 1e-2, 1.0), (1.0, 0, 1e-2, 1.0, 1.0, 1.0, 0)])
def test_failures_that_are_waited_for(f, order):
    fast = wg.compile(f)
    for k in (*order, *order):
        matrix = 1e-9 * np.eye(3) - k * np.eye(3)
        np.testing.assert_allclose(fast(matrix), f(matrix))


def test_division_and_indices_that_fail():
    def inverse(x):
        try:
            return 1 / x
        except ZeroDivisionError:
            return -1.0

    def element(a, k):
        try:
            return a[k]
        except IndexError:
            return a[0] * 0 - 1

    a = np.arange(3.0)
    for numbers in ((0.0, 0.0, 2.0, 0.0, 4.0), (2.0, 0.0, 0.0, 0.0, 4.0)):
        fast = wg.compile(inverse)
        assert [fast(x) for x in numbers] == [inverse(x) for x in numbers]
    fast = wg.compile(element)
    assert [float(fast(a, np.array(k))) for k in (5, 1, 5, 5, 2)] == [-1, 1, -1, -1, 2]


@dataclasses.dataclass
class Model:
    weights: Any


class Holder:
    pass


def test_state_in_new_containers_stays_plain():
    holder, model = Holder(), Holder()
    holder.list, holder.dict, model.now = [np.ones(2)], {"w": np.ones(2)}, Model(np.ones(2))

    @wg.compile
    def step(x):
        holder.list = [w + x for w in holder.list]
        holder.dict = {name: w * 2 for name, w in holder.dict.items()}
        model.now = dataclasses.replace(model.now, weights=model.now.weights - x)

    for k in range(1, 5):
        step(np.ones(2))
        for w, expected in ((holder.list[0], 1 + k), (holder.dict["w"], 2**k), (model.now.weights, 1 - k)):
            assert type(w) is np.ndarray
            np.testing.assert_array_equal(w, expected)


@pytest.mark.parametrize("dtype", ["f8", "f2", "g"])
def test_results_of_calls_of_numpy_are_nobody_elses(dtype):
    def f(x):
        q = np.sort(x)
        return np.fft.fft(x), np.fft.ifft(x), np.fft.rfft(x), np.zeros_like(x), x, x[::-1], q, q, q[1:]

    fast = wg.compile(f)
    for _ in range(4):
        x = np.arange(5).astype(dtype)
        results = fast(x)
        for found, expected in zip(results, f(x.copy()), strict=True):
            np.testing.assert_allclose(found, expected)
        for k, found in enumerate(results):
            assert not any(np.may_share_memory(found, y) for y in (*results[:k], x))
            found[...] = 7


def test_most_of_it_are_calls_of_numpy():
    fast = wg.compile(lambda x: (np.fft.fft(x), np.fft.ifft(x)))
    fast(np.arange(4.0))
    assert "nearly all of it are calls of NumPy" in fast.explain()


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", bool])
def test_narrow_totals(dtype):
    a = np.array([100, 100, 3, 70], "i1")
    for f in (np.sum, np.prod, np.cumsum, np.cumprod, np.add.reduce):
        found, expected = wg.compile(lambda a, f=f: f(a, dtype=dtype))(a), f(a, dtype=dtype)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


class Forgiving:
    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return raised[0] is not None


class Watching:
    def __exit__(self, *raised):
        return None


def bits(x):
    return x.view(np.int64)[0] + x[0]


def by_exception(x):
    try:
        return bits(x)
    except Exception:
        return x[0]


def by_anything(x):
    try:
        return bits(x)
    except:  # noqa: E722
        return x[0]


def by_returning(x):
    found = None
    try:
        found = bits(x)
    finally:
        return x[0] if found is None else found  # noqa: B012


def by_suppressing(x):
    with contextlib.suppress(Exception):
        return bits(x)
    return x[0]


def by_leaving(manager):
    def f(x):
        with manager():
            return bits(x)
        return x[0]

    return f


def by_a_class_inside(x):
    class Inside:
        def __enter__(self):
            return self

        def __exit__(self, *raised):
            return True

    with Inside():
        return bits(x)
    return x[0]


def by_type(x):
    try:
        return memoryview(x).nbytes + x[0]
    except TypeError:
        return x[0]


def by_copying(x):
    try:
        return copy.deepcopy(x)[0] + 1
    except Exception:
        return x[0]


def of_a_number(x):
    try:
        return x[0].is_integer()
    except Exception:
        return None


ERRORS = (TypeError, ValueError)


def by_a_name_for_several(x):
    try:
        return memoryview(x).nbytes + x[0]
    except ERRORS:
        return x[0]


class Choosing(Forgiving):
    def __exit__(self, kind, *_):
        return True if kind else False  # noqa: SIM210


CATCHING = [
    by_exception,
    by_a_name_for_several,
    by_leaving(Choosing),
    by_anything,
    by_returning,
    by_suppressing,
    by_leaving(Forgiving),
    by_a_class_inside,
    by_type,
]


@pytest.mark.parametrize("f", [*CATCHING, by_copying, of_a_number])
def test_what_arrays_can_and_recorded_values_cannot_is_not_swallowed(f):
    fast = wg.compile(f)
    for k in range(4):
        x = np.array([1.5, 2.5]) + k
        assert fast(x) == f(x)


def test_state_that_is_written_before_something_is_swallowed():
    a = np.ones(3)

    def f(scale):
        try:
            view = a.view()
            view += 1
        except Exception:
            pass
        a[:] *= scale
        return a[-1]

    fast, ended = wg.compile(f), []
    for g in (f, fast):
        a[:] = 1
        ended.append([g(0.25) for _ in range(4)])
    assert ended[0] == ended[1]


def test_who_only_watches_catches_nothing():
    assert not asks_for_classes(names_of(Watching.__exit__.__code__))
    assert asks_for_classes(names_of(Forgiving.__exit__.__code__))


def test_who_raises_and_waits_for_what_arrays_raise_is_not_compared():
    def f(x):
        if x.ndim != 1:
            raise TypeError("one axis was required")
        try:
            return np.linalg.inv(np.outer(x, x) + np.eye(2))
        except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):
            return np.eye(2)

    assert not asks_for_classes(names_of(f.__code__))
    np.testing.assert_allclose(wg.compile(f)(np.ones(2)), f(np.ones(2)))
