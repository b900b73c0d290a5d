"""Limited-memory BFGS."""

import numpy as np
import pytest

from wengert.optim import LBFGSMemory, minimize_lbfgs


def rosenbrock(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, np.array([2 * x - 2 - 400 * x * (y - x**2), 200 * (y - x**2)])


def test_the_direction_is_newtons_after_a_step_along_each_axis():
    memory = LBFGSMemory(5)
    for i, curvature in enumerate((2.0, 8.0)):
        memory.add(np.eye(2)[i], curvature * np.eye(2)[i])
    np.testing.assert_allclose(memory.direction(np.array([4.0, 4.0])), [-2, -0.5])


def test_memory_is_limited_and_keeps_curvature_only():
    memory = LBFGSMemory(2)
    memory.add(np.ones(1), -np.ones(1))
    assert memory.pairs == []
    for k in range(3):
        memory.add(np.ones(1), np.full(1, k + 1.0))
    assert [float(change[0]) for _, change in memory.pairs] == [2, 3]


@pytest.mark.parametrize("wolfe", [False, True])
def test_finds_the_minimum(wolfe):
    x, memory = np.array([0.8, 0.6]), LBFGSMemory(10)
    for _ in range(30):
        x, _ = minimize_lbfgs(rosenbrock, x, memory, wolfe=wolfe, lr=1.0 if wolfe else 0.5)
    np.testing.assert_allclose(x, 1, atol=1e-4)


def test_limits():
    calls = []

    def counted(x):
        calls.append(x)
        return float(x @ x), 2 * x

    _, first = minimize_lbfgs(counted, np.ones(2), LBFGSMemory(3), lr=0.01, max_iter=4)
    assert len(calls) == 4 and first == 2
    calls.clear()
    minimize_lbfgs(counted, np.ones(2), LBFGSMemory(3), lr=0.01, max_eval=2)
    assert len(calls) == 2
    assert minimize_lbfgs(counted, np.zeros(2), LBFGSMemory(3))[0].tolist() == [0, 0]
