"""SciPy's linear algebra has one thread while a solver runs, and its own number before and after."""

import threading

import numpy as np
import pytest

from wengert.optimize import minimize, threads


class Pool:
    def __init__(self):
        self.num_threads = 4

    def set_num_threads(self, number):
        self.num_threads = number


@pytest.fixture
def pool(monkeypatch):
    found = Pool()
    monkeypatch.setattr(threads, "_pools", [found])
    return found


def test_one_thread_while_a_solver_runs(pool):
    seen = []

    def square(x):
        seen.append(pool.num_threads)
        return np.sum(x**2)

    minimize(square, [1.0])
    assert set(seen) == {1} and pool.num_threads == 4


def test_solvers_within_solvers_and_errors_put_the_number_back(pool):
    def outer(x):
        minimize(lambda y: np.sum(y**2), [1.0])
        assert pool.num_threads == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        minimize(outer, [1.0])
    assert pool.num_threads == 4


def test_overlapping_threads_put_the_number_back(pool):
    started, go = threading.Event(), threading.Event()

    def first():
        with threads.one_solver_thread():
            started.set()
            go.wait()

    worker = threading.Thread(target=first)
    worker.start()
    started.wait()
    with threads.one_solver_thread():
        go.set()
        worker.join()
        assert pool.num_threads == 1
    assert pool.num_threads == 4


def test_the_pools_are_those_of_scipy_alone():
    for found in threads._solver_pools():
        assert "numpy" not in str(found.filepath).split("site-packages")[-1].split("lib")[0]
