"""Threads record and run backward side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import wengert as wg


def together(n, work):
    """Run ``work(i)`` in `n` threads that start at once; their results."""
    barrier = threading.Barrier(n)

    def run(i):
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


def test_threads_with_their_own_tapes_do_not_disturb_each_other():
    def work(i):
        rng = np.random.default_rng(i)
        for _ in range(60):
            a = rng.normal(size=5)
            x = wg.tensor(a, requires_grad=True)
            y = np.sin(x) * x
            y[1:] += y[:-1]
            np.sum(y * y).backward()
            slope = np.sin(a) + a * np.cos(a)
            v = np.sin(a) * a
            v[1:] += v[:-1].copy()
            upper = 2 * v
            upper[:-1] += 2 * v[1:]
            np.testing.assert_allclose(x.grad, upper * slope)
        return True

    assert all(together(4, work))


def test_a_shared_leaf_adds_up_exactly():
    x = wg.tensor(np.zeros(3), requires_grad=True)

    def work(i):
        for _ in range(200):
            np.sum(x * (i + 1.0)).backward()

    together(4, work)
    np.testing.assert_array_equal(x.grad, np.full(3, 200.0 * (1 + 2 + 3 + 4)))


def test_a_shared_part_of_a_tape_can_be_used_by_several_passes_at_once():
    x = wg.tensor(np.ones(3), requires_grad=True)
    shared = x * 2.0
    for _ in range(20):
        shared = shared * 1.0 + 0.0

    def work(i):
        for _ in range(50):
            np.sum(shared * (i + 1.0)).backward(retain_graph=True)

    together(4, work)
    np.testing.assert_array_equal(x.grad, np.full(3, 2 * 50.0 * (1 + 2 + 3 + 4)))


def test_no_grad_in_one_thread_leaves_the_others_recording():
    x = wg.tensor(np.ones(3), requires_grad=True)

    def work(i):
        seen = set()
        for _ in range(200):
            if i % 2:
                with wg.no_grad():
                    seen.add((x * 2).requires_grad)
            else:
                seen.add((x * 2).requires_grad)
        return seen

    assert together(4, work) == [{True}, {False}, {True}, {False}]


def test_grad_nested_in_several_threads():
    def work(i):
        hessian = wg.grad(lambda x: np.sum(wg.grad(lambda y: np.sum(y**3))(x) * (i + 1.0)))
        return [hessian(np.array([1.0, 2.0])) for _ in range(50)]

    for i, results in enumerate(together(4, work)):
        np.testing.assert_allclose(results, np.tile([6.0, 12.0], (50, 1)) * (i + 1))


def test_threads_inside_grad_add_to_the_same_argument():
    def f(x):
        return sum(together(3, lambda i: np.sum(x * x) * (i + 1.0)))

    np.testing.assert_allclose(wg.grad(f)(np.array([1.0, 2.0])), [12.0, 24.0])


def test_a_function_used_for_the_first_time_by_several_threads_at_once():
    x = np.array([0.1, 0.2])
    functions = [np.arctanh, np.log1p, np.expm1, np.cbrt, np.arcsinh]

    def work(i):
        return [wg.grad(lambda x, f=f: np.sum(f(x)))(x) for f in functions]

    first, *others = together(4, work)
    for other in others:
        np.testing.assert_array_equal(first, other)
