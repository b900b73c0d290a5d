"""Long tapes: no recursion anywhere, and memory that is given back."""

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import wengert as wg

LONG = 1_000_000


@pytest.fixture(autouse=True)
def no_garbage_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def chain(x, n):
    y = x
    for _ in range(n):
        y = y * 1.0
    return y


def test_a_million_operations_forward_and_backward():
    x = wg.tensor(2.0, requires_grad=True)
    y = chain(x, LONG)
    y.backward()
    assert x.grad.item() == 1.0


def test_a_million_operations_are_dropped_without_backward():
    y = chain(wg.tensor(2.0, requires_grad=True), LONG)
    del y


@pytest.mark.parametrize("make", [lambda y: y + y, lambda y: y[...], lambda y: np.sin(y), lambda y: y.reshape(1)])
def test_long_chains_of_other_operations(make):
    n = 20 * sys.getrecursionlimit()
    x = wg.tensor(np.zeros(1), requires_grad=True)
    y = x
    for _ in range(n):
        y = make(y)
    y.backward()
    y = x
    for _ in range(n):
        y = make(y)
    del y


def test_long_chains_of_writes():
    n = 20 * sys.getrecursionlimit()
    x = wg.tensor(np.ones(2), requires_grad=True)
    y = x * 1.0
    for _ in range(n):
        y[0] = y[1]
        y += 0.0
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0])


def test_long_chains_under_create_graph():
    n = 10 * sys.getrecursionlimit()
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(n):
        y = np.sin(y)
    y.backward(create_graph=True)
    gradient = x.grad
    x.zero_grad()
    gradient.backward()
    assert np.isfinite(x.grad.item())


def test_long_chains_inside_nested_grad():
    n = 5 * sys.getrecursionlimit()
    assert wg.grad(wg.grad(lambda x: chain(x * x, n)))(3.0) == 2.0


def test_wide_tapes():
    x = wg.tensor(np.ones(3), requires_grad=True)
    parts = [x * float(i) for i in range(50_000)]
    np.sum(np.stack(parts[:100])).backward()
    wg.backward([np.sum(p) for p in parts[100:]])
    np.testing.assert_array_equal(x.grad, np.full(3, 50_000 * 49_999 / 2))


# Leaks -----------------------------------------------------------------------------------------------------------


def train(steps, create_graph=False):
    rng = np.random.default_rng(0)
    w, b = wg.tensor(rng.normal(size=(4, 4)), requires_grad=True), wg.tensor(np.zeros(4), requires_grad=True)
    x = rng.normal(size=(8, 4))
    for _ in range(steps):
        h = np.tanh(x @ w + b)
        h[:, 0] *= 2.0
        loss = np.sum(h * h)
        loss.backward(create_graph=create_graph)
        if create_graph:
            gradient = w.grad
            w.zero_grad()
            np.sum(gradient * gradient).backward()
        with wg.no_grad():
            for p in (w, b):
                p -= 1e-3 * p.grad
                p.zero_grad()


def differentiate(steps):
    x = np.linspace(0, 1, 5)
    for _ in range(steps):
        wg.grad(lambda x: np.sum(wg.grad(lambda y: np.sum(np.sin(y) ** 2))(x)))(x)
        _, pullback = wg.vjp(np.tanh, x)
        pullback(x)


def fail_inside(steps):
    def f(x):
        y = x * x
        y[0] = 1.0
        raise KeyError

    for _ in range(steps):
        with pytest.raises(KeyError):
            wg.grad(f)(np.ones(3))


LOOPS = {
    "training": train,
    "training with create_graph": lambda n: train(n, create_graph=True),
    "transformations": differentiate,
    "transformations that fail": fail_inside,
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_hold_constant_memory_without_the_garbage_collector(name):
    loop = LOOPS[name]
    tracemalloc.start()
    loop(1200)  # Python keeps up to 2000 freed tuples of each length
    memory, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
    loop(400)
    grown = tracemalloc.get_traced_memory()[0] - memory
    tracemalloc.stop()
    assert grown < 20_000
    assert len(gc.get_objects()) - objects < 100


@pytest.mark.parametrize("name", ["training", "training with create_graph", "transformations"])
def test_loops_leave_nothing_for_the_garbage_collector(name):
    LOOPS[name](5)
    gc.collect()
    LOOPS[name](20)
    assert gc.collect() == 0


def record_and_drop():
    y = np.sin(wg.tensor(np.ones(10), requires_grad=True)) * 2.0
    view = y[2:].T
    view *= 2.0
    y.retain_grad()


def hook_and_drop():
    y = wg.tensor(np.ones(10), requires_grad=True) * 2.0
    y.register_hook(lambda g: None)
    np.sum(y).backward()


def differentiate_twice_and_drop():
    x = wg.tensor(np.ones(10), requires_grad=True)
    np.sum(x**3).backward(create_graph=True)
    x.zero_grad()


@pytest.mark.parametrize("step", [record_and_drop, hook_and_drop, differentiate_twice_and_drop])
def test_a_dropped_tape_is_freed_at_once(step):
    step()
    gc.collect()
    step()
    assert gc.collect() == 0
