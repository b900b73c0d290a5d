"""Exceptions that a function waits for, state in new containers, and results that are nobody else's."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import wengert as wg


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
