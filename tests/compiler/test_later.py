"""Large values that are not computed while a function is recorded: the same results, types, views, errors."""

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import later

N = later.LARGE
RANDOM = np.random.default_rng(0)


def inputs(*shapes):
    return [RANDOM.uniform(0.1, 1, shape) for shape in shapes]


def chain(x, y):
    a = x
    for _ in range(3):
        a = np.sin(a * y + x) - y
    return np.sum(a)


def with_views(x, y):
    u = wg.zeros((2, N))
    u[0] = x
    u[1, ::2] = y[::2]
    row = u[1]
    row += 1
    return np.sum(np.swapaxes(u, 0, 1)[:, 1] * u.reshape(-1)[N:]) + np.max(u)


def with_a_decision(x, y):
    z = np.exp(x) - y
    while np.mean(z) > 1:
        z = z * 0.5
    return np.sum(np.where(z > y, z, y))


def in_another_order(x, y):
    z = x.reshape(N // 8, 8).T + y.reshape(8, N // 8)
    return (z.reshape(-1) * y).sum()


def with_a_product(x, y):
    A = x.reshape(N // 8, 8)
    return np.sum(np.log1p(np.exp(-(A @ y[:8])))) + np.sum((A.T @ y[: N // 8]) ** 2)


@pytest.mark.parametrize("f", [chain, with_views, with_a_decision, in_another_order, with_a_product])
def test_values_and_gradients(f):
    plain = wg.value_and_grad(f, (0, 1))
    fast = wg.compile(plain)
    for _ in range(3):
        x, y = inputs(N, N)
        found, expected = fast(x, y), plain(x, y)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-11)
        for a, b in zip(found[1], expected[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11)
            assert type(a) is type(b)
            assert a.dtype == b.dtype
    assert fast.stats()["recordings"] < 3


def test_what_nobody_asks_for_is_not_computed(monkeypatch):
    computed = []
    compute = later.Later.compute
    monkeypatch.setattr(later.Later, "compute", lambda self: (computed.append(self.call), compute(self)))
    wg.compile(wg.value_and_grad(chain))(*inputs(N, N))
    assert computed == []
    wg.compile(with_a_decision)(*inputs(N, N))
    assert np.exp in computed


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64"])
def test_dtypes_and_weak_numbers(dtype):
    x = np.arange(N).astype(dtype)
    f = wg.compile(lambda x: (x * 2, 1.5 * x, np.abs(x), x > 3 if x.dtype.kind != "c" else x == 3))
    for _ in range(2):
        for a, b in zip(f(x), f.function(x), strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype


def test_results_are_laid_out_as_numpys():
    x, y = inputs((300, 200), (300, 200))
    f = wg.compile(lambda x, y: (np.exp(x.T), x.T * y.T, x.T + y.reshape(200, 300)))
    for _ in range(2):
        for a, b in zip(f(x, y), f.function(x, y), strict=True):
            np.testing.assert_allclose(a, b)


def test_errors_are_those_of_the_call():
    x, y = inputs(N, N + 1)
    with pytest.raises(ValueError, match="broadcast"):
        wg.compile(lambda x, y: np.sum(x + y))(x, y)
    with pytest.raises(ValueError):
        wg.compile(lambda x, y: np.exp(x) @ np.exp(y))(x, y)
    with pytest.raises(IndexError):
        wg.compile(lambda x, y: np.exp(x)[N + 3])(x, y)


def test_a_step_with_state():
    w = wg.tensor(np.zeros(N), requires_grad=True)
    target = np.linspace(0, 1, N)

    @wg.compile
    def step(rate):
        loss = np.sum((w - target) ** 2)
        loss.backward()
        with wg.no_grad():
            w[...] = w - rate * w.grad
        w.grad = None
        return float(loss) > 0

    for k in range(4):
        step(0.25)
        np.testing.assert_allclose(w.numpy(), target * (1 - 0.5 ** (k + 1)))


def test_a_function_that_refuses_recorded_values_runs_as_it_is():
    @wg.compile
    def f(x):
        if type(x) is not np.ndarray:
            raise TypeError("an array, please")
        return 2 * x

    for _ in range(2):
        assert f(np.ones(2)).tolist() == [2, 2]
    assert "an array, please" in f.stats()["given up"][0]


def test_a_waiting_cotangent_without_a_history_is_not_written():
    f = wg.value_and_grad(lambda x, y: np.sum(np.sin(x * y) - y), (0, 1))
    fast = wg.compile(f)
    for _ in range(2):
        x, y = inputs(N, N)
        np.testing.assert_allclose(fast(x, y)[1][1], f(x, y)[1][1], rtol=1e-12)
