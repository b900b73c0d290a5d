"""Checkpoints: the same derivatives with less memory; the binomial schedule; what a tape holds."""

import functools
import threading
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ArgumentError, FreedGraphError, GradientError
from wengert.transforms.checkpoint import checkpoint, checkpoint_sequence, extra_steps, repetitions, split
from wengert.transforms.custom import custom_vjp
from wengert.transforms.saved import saved_bytes

X, W = np.array([0.3, 0.7, -1.2]), np.array([0.5, -0.2, 0.9])
ROWS = np.stack([X, 2 * X])


def same(f):
    return f


def parts(wrap):
    """A program of two parts, the second with a part of its own; both read `w` from outside."""

    def h(x, w):
        a = wrap(lambda d: {"y": np.tanh(d["x"] * w) + d["x"], "z": [np.sum(d["x"] ** 2) * w[0]]})({"x": x})
        b = wrap(lambda y, z: (wrap(np.sin)(y) * z, y))(a["y"], a["z"][0])
        return np.sum(b[0] ** 2) + np.sum(b[1])

    return h


def filled(wrap):
    """A program that writes in place: into a buffer of its own, and into what it is given."""

    def h(x, w):
        def part(x):
            out = np.zeros_like(x)
            for i in range(3):
                out[i] = np.sin(x[i]) * w[i] + (out[i - 1] if i else 0)
            return out * out[::-1]

        u = wrap(part)(x)
        u[1] = u[0] * 2
        v = wrap(part)(u)
        u[0] = 7.0
        return np.sum(v**2)

    return h


def loop(wrap):
    def h(x, w):
        def step(state):
            y, total, fixed = state
            return np.tanh(y * w) + y / 2, total + np.sum(y), fixed

        state = wrap(step)((x, np.sum(w), w))
        return np.sum(state[0] ** 2) * state[1] + np.sum(state[2])

    return h


def plain_loop(step, n=9):
    def run(state):
        for _ in range(n):
            state = step(state)
        return state

    return run


def twice_by_backward(h):
    x, w = wg.tensor(X, requires_grad=True), wg.tensor(W, requires_grad=True)
    h(x, w).backward(create_graph=True)
    first = np.sum(x.grad**2 * w.grad)
    x.grad = w.grad = None
    first.backward()
    return x.grad.numpy(), w.grad.numpy()


def retained(h):
    x, w = wg.tensor(X, requires_grad=True), wg.tensor(W, requires_grad=True)
    y = h(x, w)
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(FreedGraphError):
        y.backward()
    return x.grad.numpy(), w.grad.numpy()


def pulled(h):
    value, pullback = wg.vjp(h, X, W)
    return value, pullback(1.0), pullback(2.0), wg.vmap(pullback)(np.array([1.0, 2.0]))


BOTH = (0, 1)
WAYS = {
    "grad": lambda h: wg.grad(h, BOTH)(X, W),
    "grad of grad": lambda h: wg.grad(lambda x, w: np.sum(wg.grad(h)(x, w) ** 2), BOTH)(X, W),
    "hessian": lambda h: wg.hessian(h)(X, W),
    "jvp": lambda h: wg.jvp(h, (X, W), (W, X)),
    "jvp of grad": lambda h: wg.jvp(wg.grad(h, BOTH), (X, W), (W, X)),
    "grad of jvp": lambda h: wg.grad(lambda x, w: wg.jvp(h, (x, w), (W, X))[1], BOTH)(X, W),
    "vmap of grad": lambda h: wg.vmap(wg.grad(h, BOTH), (0, None))(ROWS, W),
    "grad of vmap": lambda h: wg.grad(lambda x, w: np.sum(wg.vmap(h, (0, None))(x, w) ** 2), BOTH)(ROWS, W),
    "grad of vmap of grad": lambda h: wg.grad(lambda w: np.sum(wg.vmap(wg.grad(h), (0, None))(ROWS, w) ** 2))(W),
    "jacobian of grad": lambda h: wg.jacobian(lambda x: wg.grad(h)(x, W))(X),
    "vjp": pulled,
    "backward twice": twice_by_backward,
    "backward retained": retained,
}


def leaves(value):
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def assert_same(got, expected):
    got, expected = leaves(got), leaves(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("program", [parts, filled])
@pytest.mark.parametrize("way", WAYS)
def test_a_checkpoint_changes_no_derivative(program, way):
    assert_same(WAYS[way](program(checkpoint)), WAYS[way](program(same)))


@pytest.mark.parametrize("budget", [None, 1, 2, 3, 20])
@pytest.mark.parametrize("way", WAYS)
def test_a_checkpointed_loop_changes_no_derivative(budget, way):
    wrapped = loop(lambda step: checkpoint_sequence(step, budget, length=9))
    assert_same(WAYS[way](wrapped), WAYS[way](loop(plain_loop)))


def test_steps_that_differ_and_states_in_dataclasses():
    @dataclass
    class State:
        position: object
        label: str

    steps = [lambda s, k=k: State(np.sin(s.position) * k, s.label) for k in range(1, 6)]

    def run(x, through):
        return np.sum(through(State(x, "s")).position)

    def plainly(state):
        for step in steps:
            state = step(state)
        return state

    got = wg.grad(lambda x: run(x, checkpoint_sequence(steps, budget=2)))(X)
    np.testing.assert_allclose(got, wg.grad(lambda x: run(x, plainly))(X))


# Memory and work -------------------------------------------------------------------------------------------------


def peak(f):
    tracemalloc.start()
    try:
        f()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_one_part():
    x = np.ones(20_000)

    def run(wrap):
        def h(x):
            for _ in range(8):
                x = wrap(plain_loop(np.sin, 20))(x)
            return np.sum(x)

        return peak(lambda: wg.grad(h)(x)) / x.nbytes

    assert run(same) > 160 and run(checkpoint) < 40


def test_memory_of_thousands_of_steps():
    x = np.linspace(0, 1, 1000)
    h = lambda x: np.sum(checkpoint_sequence(lambda y: np.sin(y) / 2 + y / 4, budget=14, length=3000)(x))  # noqa: E731
    assert peak(lambda: wg.grad(h)(x)) / x.nbytes < 14 + 10


@functools.lru_cache(None)
def fewest(n, s):
    """The fewest extra steps, by trying all places for the next snapshot."""
    if n == 1 or s == 1:
        return n * (n - 1) // 2
    return min(m + fewest(n - m, s - 1) + fewest(m, s) for m in range(1, n))


def taken(n, s):
    """The extra steps with the places that the schedule chooses."""
    if n == 1 or s == 1:
        return n * (n - 1) // 2
    m = split(n, s)
    return m + taken(n - m, s - 1) + taken(m, s)


@pytest.mark.parametrize("s", range(1, 8))
def test_the_schedule_is_the_best_there_is(s):
    for n in range(1, 50):
        assert taken(n, s) == fewest(n, s) == extra_steps(n, s)


@pytest.mark.parametrize("n, s", [(1, 1), (7, 1), (10, 3), (64, 4), (100, 7), (200, 2)])
def test_steps_run_and_states_kept_are_within_the_bounds(n, s):
    runs = [0] * n

    def counted(i, x):
        runs[i] += 1
        return np.sin(x)

    steps = [functools.partial(counted, i) for i in range(n)]
    gradient = wg.grad(lambda x: checkpoint_sequence(steps, budget=s)(x))(0.5)
    np.testing.assert_allclose(gradient, wg.grad(plain_loop(np.sin, n))(0.5))
    # Each step runs once forwards and once recorded; what the schedule adds is bounded for all and for each.
    assert sum(runs) <= 2 * n + extra_steps(n, s)
    assert max(runs) <= 2 + repetitions(n, s)


def test_no_more_states_are_kept_than_the_budget():
    n, s, size = 120, 5, 50_000
    x = np.full(size, 0.5)
    gradient = wg.grad(lambda x: np.sum(checkpoint_sequence(np.sin, budget=s, length=n)(x)))
    gradient(x)  # what a process does once, such as loading modules and compiling kernels, is no state
    used = peak(lambda: gradient(x)) / x.nbytes
    assert used < s + 7  # the state before, the step's tape, cotangents, and copies of the argument


# What runs again -------------------------------------------------------------------------------------------------


def test_random_numbers_are_the_same_again():
    draw, seed = np.random.mtrand._rand.normal, np.random.mtrand._rand.seed  # the global generator
    seed(0)
    noisy = checkpoint(lambda x: np.sum(x * draw(size=3)))
    y, pullback = wg.vjp(noisy, X)
    np.testing.assert_allclose(pullback(1.0)[0] @ X, y)
    after = draw()
    seed(0)
    draw(size=3)
    assert after == draw()
    given = checkpoint(lambda x, rng: np.sum(x * rng.normal(size=3)))
    y, pullback = wg.vjp(lambda x: given(x, np.random.default_rng(3)), X)
    np.testing.assert_allclose(pullback(1.0)[0] @ X, y)


def test_a_second_run_that_differs_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="same results each time"):
        wg.grad(checkpoint(lambda x: np.sum(x * rng.normal(size=3))))(X)
    w = wg.tensor(2.0, requires_grad=True)
    y = checkpoint(lambda x: x * w)(3.0)
    with wg.no_grad():
        w -= 1.0
    with pytest.raises(GradientError, match="sum 6, then"):
        y.backward()


@pytest.mark.parametrize("budget", [1, 2, 3, 20])
def test_random_numbers_of_a_loop_are_the_same_again(budget):
    generator = np.random.mtrand._rand  # the global one

    def step(x):
        return np.sin(x) * generator.normal(size=3)

    def run(loop, x):
        generator.seed(0)
        return np.sum(loop(x) * generator.normal(size=3))

    loop = checkpoint_sequence(step, budget, length=7)
    np.testing.assert_allclose(wg.grad(lambda x: run(loop, x))(X), wg.grad(lambda x: run(plain_loop(step, 7), x))(X))

    def drawing(state):
        x, rng = state
        return np.sin(x) * rng.normal(size=3), rng

    def drawn(loop, x):
        rng = np.random.default_rng(3)
        y, same = loop((x, rng))
        assert same is rng
        return np.sum(y * rng.normal(size=3))

    loop = checkpoint_sequence(drawing, budget, length=7)
    np.testing.assert_allclose(
        wg.grad(lambda x: drawn(loop, x))(X), wg.grad(lambda x: drawn(plain_loop(drawing, 7), x))(X)
    )


def test_a_loop_that_differs_when_it_runs_again_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="same results each time"):
        wg.grad(checkpoint_sequence(lambda x: np.sin(x) * rng.normal(), 2, length=7))(0.3)
    factors = np.array([1.0, 2.0, 3.0])
    _, pullback = wg.vjp(checkpoint_sequence(lambda x: np.sin(x) * factors, 2, length=7), X)
    factors += 1
    with pytest.raises(GradientError, match="same results each time"):
        pullback(np.ones(3))


def test_elements_that_have_changed_places_are_noticed():
    weights = np.array([1.0, 2.0, 3.0])
    _, pullback = wg.vjp(checkpoint(lambda x: x * weights), np.ones(3))
    weights[:] = weights[::-1].copy()
    with pytest.raises(GradientError, match="same results each time"):
        pullback(np.ones(3))


def test_steps_may_write_into_constant_arrays_of_the_state():
    def step(state):
        x, count = state
        count += 1
        return np.sin(x) * count.copy(), count

    start = np.ones(3)
    loop = checkpoint_sequence(step, 2, length=6)
    gradient = wg.grad(lambda x: np.sum(loop((x, start))[0]))(X)
    expected = wg.grad(lambda x: np.sum(plain_loop(step, 6)((x, np.ones(3)))[0]))(X)
    np.testing.assert_allclose(gradient, expected)
    np.testing.assert_array_equal(start, np.ones(3))


def test_numpy_integers_are_numbers_of_steps():
    loop = checkpoint_sequence(np.sin, np.int64(2), length=np.int64(5))
    np.testing.assert_allclose(wg.grad(loop)(0.3), wg.grad(plain_loop(np.sin, 5))(0.3))


def test_arguments_may_be_written_meanwhile():
    x = wg.tensor(X, requires_grad=True)
    u = x * 2
    y = checkpoint(lambda t: np.sum(np.exp(t)))(u)
    u[:] = 0.0
    y.backward()
    np.testing.assert_allclose(x.grad.data, 2 * np.exp(2 * X))


def test_parameters_from_outside_get_their_gradients():
    w = wg.tensor(W, requires_grad=True)
    y = checkpoint(lambda x: np.sum(np.sin(x * w)))(X)
    assert y.grad_fn.name == "checkpoint"
    y.backward()
    np.testing.assert_allclose(w.grad.data, X * np.cos(X * W))
    with wg.no_grad():
        assert not checkpoint(np.sin)(w).requires_grad
    assert isinstance(checkpoint(np.sin)(X), np.ndarray)


def test_custom_rules_inside():
    f = custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, g: (5 * g,))
    assert wg.grad(checkpoint(lambda x: f(x) * 2))(1.0) == 10


def test_an_exception_leaves_nothing_behind():
    calls = []

    def fails(x):
        calls.append(x)
        if len(calls) > 1:
            raise ZeroDivisionError
        return np.sin(x)

    _, pullback = wg.vjp(checkpoint(fails), 1.0)
    with pytest.raises(ZeroDivisionError):
        pullback(1.0)
    assert wg.is_recording() and wg.grad(checkpoint(np.sin))(0.0) == 1


def test_pullbacks_of_one_tape_in_several_threads():
    _, pullback = wg.vjp(lambda x: checkpoint(plain_loop(np.sin, 50))(x), X)
    expected, results = pullback(np.ones(3))[0], []
    threads = [
        threading.Thread(target=lambda: results.extend(pullback(np.ones(3)) for _ in range(20))) for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 80
    assert all(np.array_equal(g, expected) for (g,) in results)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: checkpoint(3),
        lambda: checkpoint_sequence(np.sin),
        lambda: checkpoint_sequence(np.sin, length=0),
        lambda: checkpoint_sequence([]),
        lambda: checkpoint_sequence([np.sin], length=3),
        lambda: checkpoint_sequence([np.sin], budget=0),
        lambda: checkpoint_sequence([lambda x: [x]])(1.0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ArgumentError):
        wrong()


# saved_bytes -----------------------------------------------------------------------------------------------------


def test_saved_bytes_by_operation():
    x = wg.tensor(np.ones(1000), requires_grad=True)
    held = saved_bytes({"y": np.exp(x) * x})
    assert (held.total, int(held), held.inputs) == (16_000, 16_000, 8_000)
    assert held.operations == {"exp": (1, 8_000), "multiply": (1, 8_000)}
    assert str(held).splitlines()[0].split() == ["operation", "calls", "bytes"]
    assert "16,000" in str(held)
    assert saved_bytes(X).total == 0


def test_saved_bytes_of_functions_and_checkpoints():
    x = np.ones(1000)
    assert saved_bytes(lambda a, b: a @ b, x, x).operations == {"matmul": (1, 16_000)}
    deep = plain_loop(np.sin, 10)
    assert saved_bytes(deep, x).total == 80_000
    assert saved_bytes(checkpoint(deep), x).total == 8_000
    f = custom_vjp(np.sin)
    f.defvjp(lambda x: (f(x), np.cos(x)), lambda cosine, g: (g * cosine,))
    assert saved_bytes(f, x).total == 8_000
